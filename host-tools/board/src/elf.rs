//! What is in a firmware's ELF file: which code and which constants a model's entry function reaches, whether it
//! can panic, and how deep its stack can get.
//!
//! Calls are read from the machine code, references to data from the relocations that the linker left in the
//! file, frame sizes from the section `.stack_sizes` that the compiler wrote. So the answers hold for the very
//! program that runs, after inlining and link-time optimisation.

mod graph;
mod reach;
mod references;

pub use reach::{Function, Reach};

use crate::{Error, Result};
use graph::Graph;
use std::fs;
use std::path::{Path, PathBuf};

/// An ELF file, read and taken apart.
#[derive(Debug)]
pub struct Elf {
    path: PathBuf,
    graph: Graph,
}

impl Elf {
    /// Reads an ELF file for Arm or RV32IMC, linked with `--emit-relocs`.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Elf`].
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(Error::io(path))?;
        let graph = Graph::parse(&bytes).map_err(|reason| Error::Elf { path: path.into(), reason })?;
        Ok(Self { path: path.into(), graph })
    }

    /// Address and size of a symbol.
    #[must_use]
    pub fn symbol(&self, name: &str) -> Option<(u32, u32)> {
        let node = self.graph.nodes.iter().find(|node| node.symbol == name)?;
        Some((node.address, node.size))
    }

    /// Address and size of a symbol that must be there.
    pub(crate) fn require(&self, name: &str) -> Result<(u32, u32)> {
        self.symbol(name).ok_or_else(|| self.missing(name))
    }

    fn missing(&self, name: &str) -> Error {
        Error::Elf { path: self.path.clone(), reason: format!("there is no symbol {name}") }
    }

    /// Bytes of flash that hold the initial values of variables: the parameters of a learning model, say.
    #[must_use]
    pub fn initial_values_bytes(&self) -> u64 {
        self.graph.data_bytes
    }

    /// Walks from some entry functions to everything that they can reach.
    ///
    /// # Errors
    /// [`Error::Elf`] if there is no such symbol.
    pub fn reach(&self, entries: &[&str]) -> Result<Reach<'_>> {
        let find = |&name: &&str| {
            self.graph.nodes.iter().position(|node| node.symbol == name).ok_or_else(|| self.missing(name))
        };
        let entries: Vec<_> = entries.iter().map(find).collect::<Result<_>>()?;
        Ok(Reach::from(&self.graph, &entries))
    }
}
