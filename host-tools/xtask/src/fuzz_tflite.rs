//! `cargo xtask fuzz-tflite`: random models, run by TensorFlow, TFLite-Micro and milligrad; every output value is compared.
//!
//! `tests/fuzz/tflite_models.py` makes the models, in a Python environment that this task makes where there is none.

use crate::Result;
use crate::command::{execute, root};
use milligrad::{Core, Rounding};
use milligrad_host::data::{Vectors, npz::Npz};
use milligrad_host::import::tflite;
use milligrad_host::{CompileOptions, Program};
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many models
    #[arg(long, default_value_t = 200)]
    count: u32,
    /// Decides which
    #[arg(long, default_value_t = 0)]
    seed: u32,
    /// Models by Keras and the TensorFlow Lite converter, which are slower to make
    #[arg(long)]
    keras: bool,
    /// A Python with tensorflow-cpu 2.21 and tflite_micro
    #[arg(long, value_name = "PYTHON", env = "MILLIGRAD_ORACLE")]
    python: Option<PathBuf>,
}

/// What the interpreters are installed from.
const PACKAGES: [&str; 5] = ["tensorflow-cpu==2.21.0", "numpy==2.4.6", "keras==3.15.1", "pyyaml", "bitarray"];
const MICRO: &str = "tflite_micro==0.dev20261023182759";

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let python = match &arguments.python {
        Some(python) => python.clone(),
        None => oracle()?,
    };
    let kind = if arguments.keras { "keras" } else { "random" };
    let folder = root().join("target/fuzz-tflite").join(format!("{kind}-{}", arguments.seed));
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let mut make = Command::new(&python);
    make.arg(root().join("tests/fuzz/tflite_models.py")).arg(&folder);
    make.args(["--count", &arguments.count.to_string(), "--seed", &arguments.seed.to_string()]);
    if arguments.keras {
        make.arg("--keras");
    }
    execute(make.env("TF_CPP_MIN_LOG_LEVEL", "3").env("PYTHONWARNINGS", "ignore"))?;
    compare(&folder)
}

/// The interpreters' own Python environment.
fn oracle() -> Result<PathBuf> {
    let folder = root().join("target/oracle");
    let python = folder.join("bin/python");
    if !folder.join("complete").exists() {
        execute(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let pip =
            |words: &[&str]| execute(Command::new(&python).args(["-m", "pip", "install", "-q"]).args(words));
        pip(&PACKAGES)?;
        pip(&["--pre", "--no-deps", MICRO])?;
        std::fs::write(folder.join("complete"), "")?;
    }
    Ok(python)
}

/// Compares all models of a folder; those that differ or can't be imported are kept as regression cases.
fn compare(folder: &Path) -> Result<()> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "tflite"));
    paths.sort();
    let (mut answers, mut values, mut failing) = ([0, 0], 0, Vec::new());
    for path in &paths {
        match differences(path, &mut answers, &mut values) {
            Ok(problems) if problems.is_empty() => continue,
            Ok(problems) => eprintln!("{}: {}", path.display(), problems.join("; ")),
            Err(error) => eprintln!("{error}"),
        }
        failing.push(path);
    }
    let regressions = root().join("tests/golden/tflite");
    for path in &failing {
        std::fs::create_dir_all(&regressions)?;
        for extension in ["tflite", "npz"] {
            let from = path.with_extension(extension);
            std::fs::copy(&from, regressions.join(from.file_name().unwrap_or_default()))?;
        }
    }
    println!(
        "{} models, {} answers of TFLite-Micro and {} of TensorFlow, {values} values: {} models differ",
        paths.len(),
        answers[0],
        answers[1],
        failing.len()
    );
    match failing.len() {
        0 => Ok(()),
        n => Err(format!("{n} models differ; they are kept in {}", regressions.display()).into()),
    }
}

fn differences(path: &Path, answers: &mut [usize; 2], values: &mut usize) -> Result<Vec<String>> {
    let (graph, vectors) = (tflite::load(path)?, Npz::read(&path.with_extension("npz"))?);
    let mut problems = Vec::new();
    let conventions = [(Rounding::Double, "output_tflm"), (Rounding::Single, "output")];
    for (index, (rounding, name)) in conventions.into_iter().enumerate() {
        if !Vectors::answered(&vectors, rounding) {
            continue;
        }
        let mut compared = 0;
        for core in [Core::Portable, Core::Armv7em] {
            let program = Program::compile(&graph, &CompileOptions { rounding, core, learn: None })?;
            let Vectors { inputs, outputs: expected, .. } = Vectors::of(&program, &vectors, rounding)?;
            let outputs = program.outputs(&inputs)?;
            compared = expected.len();
            let wrong = outputs.iter().zip(&expected).filter(|(a, b)| a != b).count();
            if wrong > 0 || outputs.len() != expected.len() {
                let (len, found) = (expected.len(), outputs.len());
                problems.push(format!("{name}, {core:?}: {wrong} of {len} bytes differ ({found})"));
            }
        }
        answers[index] += 1;
        *values += compared;
    }
    Ok(problems)
}
