//! What the tests of the command share.

#![allow(dead_code, reason = "every test file uses another part")]

use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The command, ready to be given arguments.
pub(crate) fn milligrad() -> Command {
    Command::new(env!("CARGO_BIN_EXE_milligrad"))
}

/// A specification that ships with milligrad.
pub(crate) fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name).with_extension("toml")
}

/// What a run gave.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// The one JSON object on standard output.
    pub(crate) fn json(&self) -> Value {
        let value: Value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("{e}: `{}`, with `{}`", self.stdout, self.stderr));
        assert_eq!(value["schema"], 1);
        value
    }

    /// Fails with this code and says so.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, problem: &str) {
        assert_eq!(self.code, code, "{}", self.stderr);
        assert!(self.stderr.contains(problem), "`{problem}` is not in: {}", self.stderr);
    }
}

/// Runs the command.
pub(crate) fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Run {
    Run::of(milligrad().args(arguments).output().unwrap())
}

/// Runs the command and expects it to succeed.
#[track_caller]
pub(crate) fn good<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Run {
    let run = run(arguments);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run
}

/// A folder with a trained `model.safetensors` and its `model-int8.safetensors`.
pub(crate) struct Trained(tempfile::TempDir);

impl Trained {
    pub(crate) fn digits() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let spec = example("digits-mlp");
        good([
            "train".as_ref(),
            spec.as_os_str(),
            "--epochs=8".as_ref(),
            "--out".as_ref(),
            folder.path().as_ref(),
        ]);
        let trained = Self(folder);
        good(["quantize", &trained.path("model.safetensors")]);
        trained
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().into()
    }

    pub(crate) fn model(&self) -> String {
        self.path("model.safetensors")
    }

    pub(crate) fn int8(&self) -> String {
        self.path("model-int8.safetensors")
    }
}

/// An NPZ file of arrays of bytes or floats.
pub(crate) fn npz(path: &str, arrays: &[(&str, &str, &[usize], Vec<u8>)]) {
    let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, descr, shape, bytes) in arrays {
        let options =
            zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file(format!("{name}.npy"), options).unwrap();
        let shape: Vec<String> = shape.iter().map(|extent| format!("{extent},")).collect();
        let header =
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}\n", shape.concat());
        zip.write_all(b"\x93NUMPY\x01\x00").unwrap();
        zip.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
        zip.write_all(header.as_bytes()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}
