//! What a build script does.

use crate::{BOARD, MARKS, MODELS, Manifest, identifier};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Copies `boards/BOARD.x` to where the linker finds it as `memory.x`, and passes the linker scripts. The board
/// comes from the environment ([`BOARD`]); `default` stands in for it. Sets the level of the log, too.
///
/// # Panics
/// With a message for the user, when there is no such board: this runs in a build script.
pub fn linker(default: &str) {
    let board = env::var(BOARD).unwrap_or_else(|_| default.into());
    let script = format!("boards/{board}.x");
    let memory = out_dir().join("memory.x");
    fs::copy(&script, memory).unwrap_or_else(|error| panic!("{script}: {error}: is {BOARD} right?"));
    println!("cargo:rustc-link-search={}", out_dir().display());
    for argument in ["--nmagic", "-Tlink.x", "-Tdefmt.x"] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
    println!("cargo:rustc-env={BOARD}={board}");
    // Without a level, defmt leaves out all but errors.
    let level = env::var("DEFMT_LOG").unwrap_or_else(|_| "info".into());
    println!("cargo:rustc-env=DEFMT_LOG={level}");
    println!("cargo:rerun-if-env-changed=DEFMT_LOG");
    println!("cargo:rerun-if-env-changed={BOARD}");
    println!("cargo:rerun-if-changed={script}");
}

/// Writes `models.rs`: one module for each model of the manifest that the environment names ([`MODELS`]), and
/// one call of the firmware's own macro `models!` that lists them. `default` is a manifest to use when the
/// environment names none; its paths count from the package's folder.
///
/// # Panics
/// With a message for the user, when the manifest or a model is missing: this runs in a build script.
pub fn models(default: &str) {
    let manifest = match env::var_os(MODELS) {
        Some(path) => {
            println!("cargo:rerun-if-changed={}", Path::new(&path).display());
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{MODELS}: {path:?}: {error}"))
        }
        None => default.into(),
    };
    let manifest = Manifest::parse(&manifest).unwrap_or_else(|error| panic!("{MODELS}: {error}"));
    let here = env::current_dir().expect("a build script has a working directory");
    let (mut modules, mut list) = (String::new(), String::new());
    for model in manifest.models() {
        let id = identifier(&model.name).expect("a manifest has sound names");
        let path = here.join(&model.path);
        assert!(path.is_file(), "model {:?}: there is no file {}", model.name, path.display());
        println!("cargo:rerun-if-changed={}", path.display());
        let _ = writeln!(
            modules,
            "#[path = {path:?}]\n#[allow(dead_code, missing_docs, unreachable_pub, clippy::all)]\npub mod {id};"
        );
        let _ = writeln!(
            list,
            "    {} {:?} {id} mg_predict_{id} mg_train_{id} mg_apply_{id};",
            model.kind.word(),
            model.name
        );
    }
    let text = format!("{modules}models! {{\n{list}}}\n");
    fs::write(out_dir().join("models.rs"), text).expect("a build script can write to OUT_DIR");
    println!("cargo:rustc-check-cfg=cfg(learns, marks)");
    if manifest.models().iter().any(|model| model.kind.learns()) {
        println!("cargo:rustc-cfg=learns");
    }
    if env::var(MARKS).is_ok_and(|value| value == "1") {
        println!("cargo:rustc-cfg=marks");
    }
    println!("cargo:rerun-if-env-changed={MODELS}");
    println!("cargo:rerun-if-env-changed={MARKS}");
}

fn out_dir() -> PathBuf {
    env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts").into()
}
