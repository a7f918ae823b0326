//! Functions and data of an ELF file, and which refers to which.

use super::references::references;
use crate::isa::{Isa, Jump};
use object::{Object, ObjectSection, ObjectSymbol, SectionKind, SymbolKind};
use std::collections::BTreeMap;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Function,
    /// Data that is only read, under a name of its own: a `static`.
    Constant,
    /// Data that is only read and has no name: jump tables, texts, constants that the compiler put into memory.
    Anonymous,
    Variable,
}

/// A function or a piece of data.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Without the bit that says Thumb.
    pub(super) address: u32,
    pub(super) size: u32,
    /// Name in the symbol table.
    pub(super) symbol: String,
    /// Nodes that it calls or jumps to.
    pub(super) calls: Vec<usize>,
    /// Nodes whose address it holds.
    pub(super) refers: Vec<usize>,
    /// Whether it jumps to an address in a register.
    pub(super) indirect: bool,
    /// Bytes of its stack frame.
    pub(super) frame: u32,
}

/// All nodes of an ELF file.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    by_address: BTreeMap<u32, usize>,
    pub(super) data_bytes: u64,
}

impl Graph {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let file = object::File::parse(bytes).map_err(|error| error.to_string())?;
        let isa = Isa::of(file.architecture()).ok_or("it is for neither Arm nor 32-bit RISC-V")?;
        let mut graph = Self { nodes: Vec::new(), by_address: BTreeMap::new(), data_bytes: 0 };
        graph.data_bytes = file.section_by_name(".data").map_or(0, |section| section.size());
        graph.add_symbols(&file);
        graph.add_anonymous(isa, &file);
        graph.add_references(isa, &file);
        graph.add_calls(isa, &file)?;
        graph.add_frames(&file)?;
        Ok(graph)
    }

    /// The node that holds an address.
    pub(super) fn at(&self, address: u32) -> Option<usize> {
        let (_, &index) = self.by_address.range(..=address).next_back()?;
        let node = &self.nodes[index];
        (address - node.address < node.size).then_some(index)
    }

    fn add(&mut self, kind: Kind, address: u32, size: u32, symbol: &str) {
        let index = *self.by_address.entry(address).or_insert(self.nodes.len());
        if index == self.nodes.len() {
            let (calls, refers) = (Vec::new(), Vec::new());
            let symbol = symbol.to_owned();
            self.nodes.push(Node { kind, address, size, symbol, calls, refers, indirect: false, frame: 0 });
        }
    }

    /// The symbols with a size. Of two at one address the global one counts, whose name is the one to look for.
    fn add_symbols(&mut self, file: &object::File<'_>) {
        let mut symbols: Vec<_> = file.symbols().filter(|symbol| symbol.size() > 0).collect();
        symbols.sort_by_key(|symbol| !symbol.is_global());
        for symbol in symbols {
            let Some(section) = symbol.section_index().and_then(|index| file.section_by_index(index).ok())
            else {
                continue;
            };
            let name = symbol.name().unwrap_or_default();
            let kind = match (symbol.kind(), section.kind()) {
                (SymbolKind::Text, _) => Kind::Function,
                (SymbolKind::Data, SectionKind::ReadOnlyData | SectionKind::ReadOnlyString)
                    if name.starts_with(".L") =>
                {
                    Kind::Anonymous
                }
                (SymbolKind::Data, SectionKind::ReadOnlyData | SectionKind::ReadOnlyString) => Kind::Constant,
                (SymbolKind::Data, SectionKind::Data | SectionKind::UninitializedData) => Kind::Variable,
                _ => continue,
            };
            let address = symbol.address() as u32 & if kind == Kind::Function { !1 } else { !0 };
            self.add(kind, address, symbol.size() as u32, name);
        }
    }

    /// Read-only data without a symbol: from an address that something refers to until the next such address,
    /// the next symbol, or the end of the section.
    fn add_anonymous(&mut self, isa: Isa, file: &object::File<'_>) {
        let Some(section) = file.section_by_name(".rodata") else { return };
        let (start, end) = (section.address() as u32, (section.address() + section.size()) as u32);
        let mut starts: Vec<_> = references(isa, file)
            .map(|(_, to)| to)
            .filter(|to| (start..end).contains(to) && self.at(*to).is_none())
            .collect();
        starts.sort_unstable();
        starts.dedup();
        for (i, &from) in starts.iter().enumerate() {
            let next_symbol = self.by_address.range(from..).next().map_or(end, |(&address, _)| address);
            let to = starts.get(i + 1).map_or(end, |&next| next).min(next_symbol).min(end);
            self.add(Kind::Anonymous, from, to - from, "");
        }
    }

    fn add_references(&mut self, isa: Isa, file: &object::File<'_>) {
        for (from, to) in references(isa, file) {
            // A function's address has the Thumb bit set.
            let to = self.at(to).or_else(|| self.at(to & !1));
            if let (Some(from), Some(to)) = (self.at(from), to)
                && from != to
                && !self.nodes[from].refers.contains(&to)
            {
                self.nodes[from].refers.push(to);
            }
        }
    }

    /// Reads the machine code of every function, but not the data within it: `$t` and `$x` symbols mark code, `$d` symbols data.
    fn add_calls(&mut self, isa: Isa, file: &object::File<'_>) -> Result<(), String> {
        let mut code_from = BTreeMap::new();
        for symbol in file.symbols() {
            match symbol.name() {
                Ok(name) if name.starts_with("$t") || name.starts_with("$x") => {
                    code_from.insert(symbol.address() as u32, true)
                }
                Ok(name) if name.starts_with("$d") => code_from.insert(symbol.address() as u32, false),
                _ => None,
            };
        }
        let text = file.section_by_name(".text").ok_or("there is no section .text")?;
        let (base, code) = (text.address() as u32, text.data().map_err(|error| error.to_string())?);
        for index in 0..self.nodes.len() {
            let Node { kind: Kind::Function, address, size, .. } = self.nodes[index] else { continue };
            let end = address + size;
            let mut bounds: Vec<_> =
                code_from.range(address + 1..end).map(|(&at, &is_code)| (at, is_code)).collect();
            let first = code_from.range(..=address).next_back().is_none_or(|(_, &is_code)| is_code);
            bounds.insert(0, (address, first));
            for (i, &(from, is_code)) in bounds.iter().enumerate() {
                let to = bounds.get(i + 1).map_or(end, |&(next, _)| next);
                let range = from.checked_sub(base).zip(to.checked_sub(base));
                let Some(part) = range.and_then(|(from, to)| code.get(from as usize..to as usize)) else {
                    continue;
                };
                if is_code {
                    self.scan(isa, index, from, part);
                }
            }
        }
        Ok(())
    }

    fn scan(&mut self, isa: Isa, index: usize, address: u32, code: &[u8]) {
        let mut before = None;
        for (at, op) in isa.decode(address, code) {
            self.nodes[index].frame += isa.pushed(op);
            let jump = isa.jump(at, op, before.replace(op));
            let to = match jump {
                Some(Jump::Register) => {
                    self.nodes[index].indirect = true;
                    None
                }
                Some(Jump::Call(to)) => self.at(to),
                // Within the function: a loop or a condition. To another: a call that does not come back here.
                Some(Jump::To(to)) => self.at(to).filter(|&to| to != index),
                None => None,
            };
            if let Some(to) = to.filter(|to| !self.nodes[index].calls.contains(to)) {
                self.nodes[index].calls.push(to);
            }
        }
    }

    /// Frame sizes as the compiler knows them; for code written in assembly what was seen in `scan` stays.
    fn add_frames(&mut self, file: &object::File<'_>) -> Result<(), String> {
        let Some(section) = file.section_by_name(".stack_sizes") else { return Ok(()) };
        let mut rest = section.data().map_err(|error| error.to_string())?;
        while let Some((address, after)) = rest.split_first_chunk() {
            let mut size = 0;
            let mut shift = 0;
            rest = after;
            while let Some((&byte, after)) = rest.split_first() {
                rest = after;
                size |= u32::from(byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 || shift > 28 {
                    break;
                }
            }
            if let Some(index) = self.at(u32::from_le_bytes(*address) & !1) {
                self.nodes[index].frame = size;
            }
        }
        Ok(())
    }
}
