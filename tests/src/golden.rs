//! Golden vectors of .tflite models: what TensorFlow's and TensorFlow Lite Micro's interpreters gave.

use milligrad::{Core, Rounding};
use milligrad_host::data::npz::{Array, Npz};
use milligrad_host::import::tflite;
use milligrad_host::{CompileOptions, Graph, Program};
use std::path::{Path, PathBuf};

/// The two conventions, and the array of each.
pub const CONVENTIONS: [(&str, Rounding, &str); 2] =
    [("tflm", Rounding::Double, "output_tflm"), ("tflite", Rounding::Single, "output")];

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

fn bytes(array: &Array) -> Vec<u8> {
    match array.to_i8() {
        Some(values) => values.into_iter().map(|x| x as u8).collect(),
        None => array.to_f32().into_iter().flat_map(f32::to_le_bytes).collect(),
    }
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

    /// Input records, and the expected output records in a convention, if its interpreter had an answer.
    pub fn vectors(&self, output: &str) -> Option<(Vec<u8>, Vec<u8>)> {
        let output = self.vectors.get(output).ok()?;
        Some((bytes(self.vectors.get("input").unwrap()), bytes(output)))
    }

    /// The array that is compared with in a convention. The dilated models of a folder lack `output_tflm`, and have no layer
    /// in which the conventions differ.
    pub fn array(&self, output: &'static str) -> &'static str {
        if output == "output_tflm" && self.vectors.get(output).is_err() { "output" } else { output }
    }
}
