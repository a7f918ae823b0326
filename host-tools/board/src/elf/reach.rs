//! What a program can reach from some entry functions.

use super::graph::{Graph, Kind, Node};
use std::collections::BTreeSet;

/// A reachable function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name, demangled.
    pub name: String,
    /// Bytes of code.
    pub bytes: u64,
    /// Bytes of its stack frame.
    pub frame_bytes: u64,
}

/// Everything that some entry functions can reach, by calls and by references.
#[derive(Debug)]
pub struct Reach<'e> {
    graph: &'e Graph,
    entries: Vec<usize>,
    nodes: BTreeSet<usize>,
    /// Anonymous constants that only other constants refer to.
    in_constants: BTreeSet<usize>,
}

/// The panic handler belongs to the application, not to the model.
const HANDLER: &str = "rust_begin_unwind";

impl<'e> Reach<'e> {
    pub(super) fn from(graph: &'e Graph, entries: &[usize]) -> Self {
        let mut nodes = BTreeSet::new();
        let mut from_code = BTreeSet::new();
        let mut open = entries.to_vec();
        while let Some(index) = open.pop() {
            if !nodes.insert(index) {
                continue;
            }
            let node = &graph.nodes[index];
            if node.symbol.contains(HANDLER) {
                continue;
            }
            open.extend(&node.calls);
            // What a variable holds at the start of the program is no reference from the code.
            if node.kind != Kind::Variable {
                open.extend(&node.refers);
            }
            if node.kind == Kind::Function {
                from_code.extend(&node.refers);
            }
        }
        let in_constants = nodes.difference(&from_code).copied().collect();
        Self { graph, entries: entries.to_vec(), nodes, in_constants }
    }

    fn nodes(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().map(|&index| (index, &self.graph.nodes[index]))
    }

    fn functions_of(&self) -> impl Iterator<Item = &Node> {
        self.nodes().map(|(_, node)| node).filter(|node| node.kind == Kind::Function)
    }

    /// The name of the reachable function that holds an address.
    #[must_use]
    pub fn function_at(&self, address: u32) -> Option<String> {
        let index = self.graph.at(address).filter(|index| self.nodes.contains(index))?;
        Some(name(&self.graph.nodes[index]))
    }

    /// The functions, the largest first.
    #[must_use]
    pub fn functions(&self) -> Vec<Function> {
        let function = |node: &Node| Function {
            name: name(node),
            bytes: node.size.into(),
            frame_bytes: node.frame.into(),
        };
        let mut all: Vec<_> = self.functions_of().map(function).collect();
        all.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
        all
    }

    /// Bytes of code, with jump tables and other constants without a name that the code refers to.
    #[must_use]
    pub fn code_bytes(&self) -> u64 {
        let is_code = |index: usize, node: &Node| match node.kind {
            Kind::Function => true,
            Kind::Anonymous => !self.in_constants.contains(&index),
            Kind::Constant | Kind::Variable => false,
        };
        self.nodes().filter(|&(index, node)| is_code(index, node)).map(|(_, node)| u64::from(node.size)).sum()
    }

    /// Bytes of constants: every `static` that is only read (weights, biases, tables, layer descriptors) and
    /// what these refer to.
    #[must_use]
    pub fn constant_bytes(&self) -> u64 {
        let is_constant = |index: usize, node: &Node| match node.kind {
            Kind::Constant => true,
            Kind::Anonymous => self.in_constants.contains(&index),
            Kind::Function | Kind::Variable => false,
        };
        self.nodes()
            .filter(|&(index, node)| is_constant(index, node))
            .map(|(_, node)| u64::from(node.size))
            .sum()
    }

    /// Where a panic can start: the function that panics and how, as `caller: callee`. Empty: the code can't
    /// panic.
    #[must_use]
    pub fn panics(&self) -> Vec<String> {
        let mut panics: Vec<_> = self
            .functions_of()
            .filter(|node| !is_panic(node))
            .flat_map(|node| node.calls.iter().map(move |&call| (node, &self.graph.nodes[call])))
            .filter(|(_, callee)| is_panic(callee))
            .map(|(caller, callee)| format!("{}: {}", name(caller), name(callee)))
            .collect();
        panics.sort();
        panics
    }

    /// The most stack that an entry can use, from its first instruction and without interrupts: the deepest sum
    /// of frames along the calls. `None` if that can't be known, because of recursion or of a jump to an address
    /// in a register; [`unbounded`](Self::unbounded) says where.
    #[must_use]
    pub fn stack_bound_bytes(&self) -> Option<u64> {
        let mut depths = vec![Depth::Unknown; self.graph.nodes.len()];
        self.entries
            .iter()
            .map(|&entry| self.depth(entry, &mut depths).ok())
            .try_fold(0, |most, depth| Some(most.max(depth?)))
    }

    /// The function at which the bound of the stack can't be known, and why.
    #[must_use]
    pub fn unbounded(&self) -> Option<String> {
        let mut depths = vec![Depth::Unknown; self.graph.nodes.len()];
        self.entries.iter().find_map(|&entry| self.depth(entry, &mut depths).err())
    }

    fn depth(&self, index: usize, depths: &mut [Depth]) -> Result<u64, String> {
        let node = &self.graph.nodes[index];
        match depths[index] {
            Depth::Known(depth) => return Ok(depth),
            Depth::Open => return Err(format!("{} calls itself", name(node))),
            Depth::Unknown => {}
        }
        if node.symbol.contains(HANDLER) {
            return Ok(0);
        }
        if node.indirect {
            return Err(format!("{} calls through a pointer", name(node)));
        }
        depths[index] = Depth::Open;
        let mut deepest = 0;
        for &call in &node.calls {
            deepest = deepest.max(self.depth(call, depths)?);
        }
        let depth = u64::from(node.frame) + deepest;
        depths[index] = Depth::Known(depth);
        Ok(depth)
    }
}

/// Stack below a function, while it is being computed.
#[derive(Clone, Copy)]
enum Depth {
    Unknown,
    Open,
    Known(u64),
}

/// Whether a function does nothing but panic.
fn is_panic(node: &Node) -> bool {
    let parts = ["core::panicking::", HANDLER, "unwrap_failed", "expect_failed"];
    let name = name(node);
    parts.iter().any(|part| name.contains(part))
}

fn name(node: &Node) -> String {
    format!("{:#}", rustc_demangle::demangle(&node.symbol))
}
