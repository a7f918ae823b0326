//! `cargo xtask test`: lints and tests, as CI runs them.

use crate::command::{cargo, execute, exists, root};
use crate::{Result, setup, stages::Stages};
use std::process::Command;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only the tests, without formatting, lints and docs
    #[arg(long)]
    fast: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut stages = Stages::new();
    // Tests on emulated boards fail without an emulator: then there is no point in going on.
    setup::run_stages(&mut stages, setup::TESTS)?;
    let result = all(arguments, &mut stages);
    stages.summary();
    result?;
    // The runner's own summary comes last.
    tests()
}

fn all(arguments: &Arguments, stages: &mut Stages) -> Result<()> {
    if !arguments.fast {
        stages.stage("cargo fmt --check", || execute(&mut cargo(&["fmt", "--all", "--check"])))?;
        stages.stage("cargo fmt --check, firmware", || execute(&mut firmware(&FIRMWARE_FMT)))?;
        let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
        stages.stage("cargo clippy", || execute(&mut cargo(&clippy)))?;
        let features = ["clippy", "-p", "milligrad", "--all-features", "--quiet", "--", "-D", "warnings"];
        stages.stage("cargo clippy, all features of the device crate", || execute(&mut cargo(&features)))?;
        let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
        stages.stage("cargo doc", || execute(doc.env("RUSTDOCFLAGS", "-D warnings")))?;
    }
    stages.stage("doctests", || execute(&mut cargo(&["test", "--workspace", "--doc", "--quiet"])))?;
    stages.stage("tests with fused multiply-add", || {
        execute(&mut cargo(&["test", "-p", "milligrad", "--features", "fma", "--tests", "--quiet"]))?;
        execute(&mut cargo(&FUSED_KERNELS))
    })?;
    stages.stage("build tests", || execute(&mut cargo(&["test", "--workspace", "--no-run", "--quiet"])))
}

fn tests() -> Result<()> {
    // The plain runner stops at the first suite that fails and has one summary each.
    let arguments: &[&str] = if exists("cargo-nextest") {
        &["nextest", "run", "--workspace", "--no-fail-fast"]
    } else {
        &["test", "--workspace", "--all-targets", "--no-fail-fast"]
    };
    execute(&mut cargo(arguments))
}

/// The kernels of the feature `fma`, on emulated boards and on the desk.
const FUSED_KERNELS: [&str; 8] =
    ["test", "-p", "milligrad-board", "--features", "fma", "--test", "core_kernels", "--quiet"];

/// By name, because `--all` would follow path dependencies into the other workspace.
const FIRMWARE_FMT: [&str; 11] = [
    "fmt",
    "--check",
    "-p",
    "milligrad-firmware",
    "-p",
    "milligrad-protocol",
    "-p",
    "milligrad-firmware-build",
    "-p",
    "milligrad-nrf52840-dk",
    "--quiet",
];

/// cargo in the firmware's own workspace.
fn firmware(arguments: &[&str]) -> Command {
    let mut command = cargo(arguments);
    command.current_dir(root().join("firmware"));
    command
}
