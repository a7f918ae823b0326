//! Set-up: installs what is missing where that is possible, and else says exactly what to do.

use crate::command::{execute, exists};
use crate::{Result, stages::Stages};
use milligrad_board::{BOARDS, toolchain};
use std::process::Command;

/// Debian's packages: the emulator, a compiler with its library's source, a linker, and Fashion-MNIST.
const PACKAGES: [&str; 5] = ["qemu-system-arm", "rustc-web", "rust-web-src", "lld", "dataset-fashion-mnist"];

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

/// `cargo xtask setup`
pub(crate) fn run_stages(stages: &mut Stages) -> Result<()> {
    if !missing().is_empty() || !data_is_here() {
        install(stages)?;
    }
    let mut targets: Vec<_> = BOARDS.iter().filter(|b| b.is_emulated()).map(|b| b.target).collect();
    targets.retain(|target| TESTED.contains(target));
    targets.sort_unstable();
    targets.dedup();
    for target in targets {
        stages.stage(&format!("core library for {target}"), || toolchain::prepare(target).map(drop))?;
    }
    Ok(())
}

/// Targets that the demo and the tests build for.
const TESTED: [&str; 3] = ["thumbv6m-none-eabi", "thumbv7m-none-eabi", "thumbv7em-none-eabihf"];

pub(crate) fn run() -> Result<()> {
    let mut stages = Stages::new();
    let result = run_stages(&mut stages);
    for tool in toolchain::status() {
        let mark = if tool.found.is_some() { "ok" } else { "--" };
        println!("{mark} {:32} {}", tool.name, tool.found.unwrap_or(tool.remedy));
    }
    stages.summary();
    result
}

/// What is not here, with the way to get it.
fn missing() -> Vec<String> {
    // Compilers for other boards are the concern of those who have them.
    let needed = |name: &str| name.strip_prefix("Rust for ").is_none_or(|target| TESTED.contains(&target));
    let tools = toolchain::status().into_iter();
    let tools = tools.filter(|tool| !tool.optional && tool.found.is_none() && needed(&tool.name));
    tools.map(|tool| format!("  {} ({}): {}", tool.name, tool.purpose, tool.remedy)).collect()
}

fn data_is_here() -> bool {
    std::env::var_os("MILLIGRAD_DATA").is_some() || std::path::Path::new(FASHION_MNIST).is_dir()
}

fn install(stages: &mut Stages) -> Result<()> {
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
        words.extend(PACKAGES);
        let installed = stages.stage("apt-get install", || apt(&words));
        if missing().is_empty() {
            return Ok(());
        }
        updated.and(installed)?;
    }
    let missing = missing();
    if missing.is_empty() {
        eprintln!(
            "Fashion-MNIST is not here (`sudo apt-get install dataset-fashion-mnist`, or put the four IDX files in a \
             folder and name it with --path); the digits are part of milligrad."
        );
        return Ok(());
    }
    let mut text = format!("the device part needs what is not on this machine:\n{}", missing.join("\n"));
    if exists("apt-get") {
        text += &format!("\non Debian: sudo apt-get update && sudo apt-get install {}", PACKAGES.join(" "));
    }
    Err(Missing(text).into())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}
