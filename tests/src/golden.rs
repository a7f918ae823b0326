//! Golden vectors of .tflite models: what TensorFlow's and TensorFlow Lite Micro's interpreters gave.

use milligrad::{Core, Rounding};
use milligrad_host::data::{Vectors, npz::Npz};
use milligrad_host::import::tflite;
use milligrad_host::{CompileOptions, Graph, Program};
use std::path::{Path, PathBuf};

/// The two conventions.
pub const CONVENTIONS: [(&str, Rounding); 2] = [("tflm", Rounding::Double), ("tflite", Rounding::Single)];

/// A model file and its vectors.
pub struct Golden {
    /// Name of the model.
    pub name: String,
    /// The model.
    pub graph: Graph,
    vectors: Npz,
}

/// Folders with models of which some may be on this machine alone.
pub fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = ["tests/golden/tflite", "../shared/models/mlperf-tiny", "../shared/models/ops"];
    folders.iter().map(|folder| root.join(folder)).collect()
}

/// All models of a folder with their vectors, or none if there is no such folder.
pub fn load(folder: &Path) -> Vec<Golden> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        println!("{} is not here: its models are skipped", folder.display());
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "tflite"));
    paths.sort();
    let golden = |path: &PathBuf| Golden {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        graph: tflite::load(path).unwrap_or_else(|e| panic!("{e}")),
        vectors: Npz::read(&path.with_extension("npz")).unwrap(),
    };
    paths.iter().map(golden).collect()
}

impl Golden {
    /// The program in one of the [`CONVENTIONS`].
    pub fn program(&self, rounding: Rounding) -> Program {
        self.packed(rounding, Core::Portable)
    }

    /// The same, packed for a core.
    pub fn packed(&self, rounding: Rounding, core: Core) -> Program {
        Program::compile(&self.graph, &CompileOptions { rounding, core, learn: None })
            .unwrap_or_else(|e| panic!("{}: {e}", self.name))
    }

    /// Input records, and the expected output records in a convention, if its interpreter had an answer. Some dilated models
    /// lack that of TFLite-Micro, and have no layer in which the conventions differ: `lacking` takes the other answer.
    pub fn vectors(&self, program: &Program, rounding: Rounding, lacking: bool) -> Option<Vectors> {
        let answered =
            Vectors::answered(&self.vectors, rounding) || (lacking && rounding == Rounding::Double);
        answered.then(|| Vectors::of(program, &self.vectors, rounding).unwrap())
    }
}
