//! Set-up: installs what is missing where that is possible, and else says exactly what to do.

use crate::command::{execute, exists};
use crate::{Result, stages::Stages};
use milligrad_board::{BOARDS, Qemu, toolchain};
use std::process::Command;

/// Targets that the demo, the examples and the benchmarks build for unless told otherwise.
pub(crate) const DEMO: &[&str] = &["thumbv7em-none-eabihf"];

/// Targets that the tests build for.
pub(crate) const TESTS: &[&str] =
    &["thumbv6m-none-eabi", "thumbv7m-none-eabi", "thumbv7em-none-eabihf", "riscv32imc-unknown-none-elf"];

/// Debian's packages beside the emulators: a compiler with its library's source, a linker, and Fashion-MNIST.
const PACKAGES: [&str; 4] = ["rustc-web", "rust-web-src", "lld", "dataset-fashion-mnist"];

/// Where Debian's package puts Fashion-MNIST.
const FASHION_MNIST: &str = "/usr/share/datasets/fashion-mnist";

/// Something that the device part needs is not on this machine.
#[derive(Debug)]
pub(crate) struct Missing(String);

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Missing {}

/// Sets up what building for these targets, and running in QEMU, needs.
pub(crate) fn run_stages(stages: &mut Stages, targets: &[&'static str]) -> Result<()> {
    if !missing(targets).is_empty() || !data_is_here() {
        install(stages, targets)?;
    }
    for target in targets {
        stages.stage(&format!("core library for {target}"), || toolchain::prepare(target).map(drop))?;
    }
    Ok(())
}

/// `cargo xtask setup`
pub(crate) fn run() -> Result<()> {
    let mut stages = Stages::new();
    let result = run_stages(&mut stages, TESTS);
    for tool in toolchain::status() {
        let mark = if tool.found.is_some() { "ok" } else { "--" };
        println!("{mark} {:32} {}", tool.name, tool.found.unwrap_or(tool.remedy));
    }
    stages.summary();
    result
}

/// The emulators of these targets.
fn emulators(targets: &[&str]) -> impl Iterator<Item = Qemu> {
    [Qemu::ARM, Qemu::RISCV].into_iter().filter(|qemu| {
        BOARDS
            .iter()
            .any(|board| board.is_emulated() && board.qemu() == *qemu && targets.contains(&board.target))
    })
}

/// What is not here, with the way to get it.
fn missing(targets: &[&str]) -> Vec<String> {
    // Compilers for other boards are the concern of those who have them.
    let needed = |name: &str| match name.strip_prefix("Rust for ") {
        Some(target) => targets.contains(&target),
        None => !name.starts_with("qemu") || emulators(targets).any(|qemu| qemu.program == name),
    };
    let tools = toolchain::status().into_iter();
    let tools = tools.filter(|tool| !tool.optional && tool.found.is_none() && needed(&tool.name));
    tools.map(|tool| format!("  {} ({}): {}", tool.name, tool.purpose, tool.remedy)).collect()
}

fn data_is_here() -> bool {
    std::env::var_os("MILLIGRAD_DATA").is_some() || std::path::Path::new(FASHION_MNIST).is_dir()
}

fn install(stages: &mut Stages, targets: &[&str]) -> Result<()> {
    let packages: Vec<_> = emulators(targets).map(|qemu| qemu.debian).chain(PACKAGES).collect();
    if exists("apt-get") && is_root() {
        let apt = |words: &[&str]| {
            let mut command = Command::new("apt-get");
            command
                .args(["-q", "-y", "-o", "Dpkg::Use-Pty=0"])
                .args(words)
                .env("DEBIAN_FRONTEND", "noninteractive");
            execute(&mut command)
        };
        // A failed update is no reason to stop: the lists may be recent enough.
        let updated = stages.stage("apt-get update", || apt(&["update"]));
        let mut words = vec!["install", "--no-install-recommends"];
        words.extend(&packages);
        let installed = stages.stage("apt-get install", || apt(&words));
        if missing(targets).is_empty() {
            return Ok(());
        }
        updated.and(installed)?;
    }
    let missing = missing(targets);
    if missing.is_empty() {
        eprintln!(
            "Fashion-MNIST is not here (`sudo apt-get install dataset-fashion-mnist`, or put the four IDX files in a \
             folder and name it with --path); the digits are part of milligrad."
        );
        return Ok(());
    }
    let mut text = format!("the device part needs what is not on this machine:\n{}", missing.join("\n"));
    if exists("apt-get") {
        text += &format!("\non Debian: sudo apt-get update && sudo apt-get install {}", packages.join(" "));
    }
    Err(Missing(text).into())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}
