//! For a firmware's `build.rs`: a model in, its Rust module out.
//!
//! ```no_run
//! // in the `main` of build.rs
//! milligrad_build::Model::new("models/kws.tflite").build();
//! ```
//!
//! ```ignore
//! // the firmware
//! mod kws {
//!     include!(concat!(env!("OUT_DIR"), "/kws.rs"));
//! }
//! ```
//!
//! Cargo builds anew when the model changes. A model that can't be used ends the build with a message that names the file, the
//! layer, the operator and what to do.
//!
//! Weights are packed for the core that the firmware is built for, which the target's triple tells; kernels of any other core
//! are portable. A model whose last layers learn on the device:
//!
//! ```no_run
//! use milligrad_build::{Layers, Learn, Model, OptimizerKind};
//!
//! Model::new("models/gestures.safetensors").trainable(Learn::new(Layers::Last(1), OptimizerKind::Sgd)).build();
//! ```

use milligrad_host::{CompileOptions, Error, Program, export, import, model_file};
use std::env;
use std::path::{Path, PathBuf};
use std::process::exit;

pub use milligrad::{Core, Rounding};
pub use milligrad_host::{Layers, Learn, OptimizerKind};

/// A model file, and how it is to be exported.
#[derive(Debug, Clone)]
#[must_use = "nothing happens before `build`"]
pub struct Model {
    path: PathBuf,
    name: Option<String>,
    core: Option<Core>,
    rounding: Rounding,
    learn: Option<Learn>,
    sections: export::Sections,
}

impl Model {
    /// A `.tflite` or `.safetensors` file; its path counts from the package's folder.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            name: None,
            core: None,
            rounding: Rounding::Double,
            learn: None,
            sections: export::Sections::default(),
        }
    }

    /// Names the model and the file `NAME.rs` in `OUT_DIR`; the model file's own name without it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The core to pack weights for, instead of what the target tells.
    pub fn core(mut self, core: Core) -> Self {
        self.core = Some(core);
        self
    }

    /// How int8 layers round: as TensorFlow Lite Micro ([`Rounding::Double`], the default) or as TensorFlow's interpreter
    /// ([`Rounding::Single`]).
    pub fn rounding(mut self, rounding: Rounding) -> Self {
        self.rounding = rounding;
        self
    }

    /// Layers that learn on the device, and how. `milligrad quantize --trainable` keeps them float.
    pub fn trainable(mut self, learn: Learn) -> Self {
        self.learn = Some(learn);
        self
    }

    /// The linker section of weights and all other constants: `.rodata.model`, or one of an external flash.
    pub fn weights_section(mut self, section: impl Into<String>) -> Self {
        self.sections.weights = Some(section.into());
        self
    }

    /// Adds `static ARENA` in this linker section, to lend the network by `Network::within(ARENA.take()...)`.
    pub fn arena_section(mut self, section: impl Into<String>) -> Self {
        self.sections.arena = Some(section.into());
        self
    }

    /// Writes the module into `OUT_DIR`, tells Cargo what it depends on, and returns its path. Ends the build with a message if
    /// the model can't be used.
    pub fn build(&self) -> PathBuf {
        println!("cargo::rerun-if-changed={}", self.path.display());
        let Some(folder) = env::var_os("OUT_DIR") else {
            fail("OUT_DIR is not set: call this in a build script")
        };
        let target = env::var("TARGET").unwrap_or_default();
        match self.write(Path::new(&folder), &target) {
            Ok(path) => path,
            Err(error) => fail(&error.to_string()),
        }
    }

    /// Writes the module into a folder for a target's triple; returns its path. What [`build`](Self::build) does, without Cargo.
    ///
    /// # Errors
    /// If the model can't be read, imported, compiled or written.
    pub fn write(&self, folder: &Path, target: &str) -> Result<PathBuf, Error> {
        let program = self.program(target)?;
        let source = export::rust_with(&program, &self.sections).map_err(|error| self.in_file(error))?;
        let path = folder.join(&program.name).with_extension("rs");
        // An untouched file keeps its time, and the firmware is not compiled again.
        if std::fs::read(&path).is_ok_and(|old| old == source.as_bytes()) {
            return Ok(path);
        }
        model_file::write_atomically(&path, source.as_bytes())?;
        Ok(path)
    }

    fn program(&self, target: &str) -> Result<Program, Error> {
        let graph = import::load(&self.path)?;
        let core = self.core.unwrap_or_else(|| core_of(target));
        let options = CompileOptions { rounding: self.rounding, core, learn: self.clone().learn };
        let mut program = Program::compile(&graph, &options).map_err(|error| self.in_file(error))?;
        if let Some(name) = &self.name {
            let sound = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if name.is_empty() || !name.chars().all(sound) {
                let problem = format!("{name:?} is no name for it: use letters, digits, `_` and `-`");
                return Err(Error::file(&self.path, problem));
            }
            program.name.clone_from(name);
        }
        Ok(program)
    }

    /// The error with the file's name.
    fn in_file(&self, error: Error) -> Error {
        Error::file(&self.path, error.to_string())
    }
}

/// The core of a target, as far as there are kernels for it.
fn core_of(target: &str) -> Core {
    if target.starts_with("thumbv7em") { Core::Armv7em } else { Core::Portable }
}

/// Ends the build script with a message that Cargo shows as an error.
fn fail(message: &str) -> ! {
    for line in message.lines() {
        println!("cargo::error={line}");
    }
    exit(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/tflite/keras-residual-1-7.tflite");

    fn first_line(model: &Model, target: &str) -> (PathBuf, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = model.write(folder.path(), target).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        (path.strip_prefix(folder.path()).unwrap().into(), text.lines().next().unwrap().to_owned())
    }

    #[test]
    fn the_target_tells_the_core() {
        let model = Model::new(MODEL);
        assert!(first_line(&model, "thumbv7em-none-eabihf").1.ends_with("core=armv7e-m"));
        assert!(first_line(&model, "thumbv7m-none-eabi").1.ends_with("core=portable"));
        assert!(
            first_line(&model.clone().core(Core::Portable), "thumbv7em-none-eabi")
                .1
                .ends_with("core=portable")
        );
        let (path, line) = first_line(&model.name("kws"), "riscv32imc-unknown-none-elf");
        assert_eq!((path.to_str(), line.contains("name=kws ")), (Some("kws.rs"), true));
    }

    #[test]
    fn errors_say_where_and_what_to_do() {
        let error = |model: Model| model.write(Path::new("nowhere"), "").unwrap_err().to_string();
        assert!(error(Model::new("models/missing.tflite")).contains("models/missing.tflite"));
        let learn = Learn::new(Layers::Last(99), OptimizerKind::Sgd);
        let learning = error(Model::new(MODEL).trainable(learn));
        assert!(learning.contains("keras-residual-1-7.tflite"), "{learning}");
        assert!(error(Model::new(MODEL).name("a/b")).contains("no name"));
    }
}
