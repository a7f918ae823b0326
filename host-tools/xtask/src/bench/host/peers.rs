//! Where the peers come from.

use crate::Result;
use crate::command::{execute, root};
use serde::Serialize;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Names a Python that has some of the peers already.
const PYTHON: &str = "MILLIGRAD_ORACLE";

/// A trainer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum Framework {
    Milligrad,
    Keras,
    Torch,
    Jax,
    Numpy,
}

impl Framework {
    /// Its file in `peers/`.
    pub(super) fn file(self) -> Option<&'static str> {
        match self {
            Self::Milligrad => None,
            Self::Keras => Some("train_keras.py"),
            Self::Torch => Some("train_torch.py"),
            Self::Jax => Some("train_jax.py"),
            Self::Numpy => Some("train_numpy.py"),
        }
    }

    /// `false` if it has no layers for this network.
    pub(super) fn can(self, name: &str) -> bool {
        self != Self::Numpy || name != "cnn"
    }

    /// What it is called in Python, and what pip installs.
    fn packages(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Milligrad => ("", &[]),
            Self::Keras => ("keras", &["tensorflow-cpu==2.21.0", "keras==3.15.1"]),
            Self::Torch => ("torch", &["torch==2.15.0", "numpy==2.4.6"]),
            Self::Jax => ("jax", &["jax==0.10.2", "numpy==2.4.6"]),
            Self::Numpy => ("numpy", &["numpy==2.4.6"]),
        }
    }
}

impl std::fmt::Display for Framework {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Milligrad => "milligrad",
            Self::Keras => "Keras",
            Self::Torch => "PyTorch",
            Self::Jax => "JAX",
            Self::Numpy => "NumPy",
        })
    }
}

/// Cargo's folder of built files.
pub(super) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A Python that has this framework; installs it into a virtual environment if need be and `install`.
pub(super) fn python(framework: Framework, install: bool) -> Result<Option<String>> {
    let (module, packages) = framework.packages();
    let environment = target().join("peers");
    let own = environment.join("bin/python").display().to_string();
    let candidates = [std::env::var(PYTHON).ok(), Some(own.clone())];
    if let Some(python) = candidates.into_iter().flatten().find(|python| has(python, module)) {
        return Ok(Some(python));
    }
    if !install {
        return Ok(None);
    }
    if !has(&own, "sys") {
        execute(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    }
    execute(Command::new(&own).args(["-m", "pip", "install", "--quiet"]).args(packages))?;
    Ok(Some(own))
}

/// Looks without importing, which takes seconds.
fn has(python: &str, module: &str) -> bool {
    let look = format!("import importlib.util, sys; sys.exit(importlib.util.find_spec('{module}') is None)");
    let mut command = Command::new(python);
    command.args(["-c", &look]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
