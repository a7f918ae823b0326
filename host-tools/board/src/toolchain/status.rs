//! What is here of the tools, for `milligrad doctor` and `cargo xtask setup`.

use super::{answer, installed, sysroot};
use crate::boards::{BOARDS, Qemu};

/// A tool, and whether it is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Version or place, where it is here.
    pub found: Option<String>,
    /// What it is needed for.
    pub purpose: &'static str,
    /// Whether milligrad's own checks can do without it.
    pub optional: bool,
    /// How to get it.
    pub remedy: String,
}

/// Looks for every tool that building for boards, running in QEMU and flashing needs. Installs nothing.
#[must_use]
pub fn status() -> Vec<Tool> {
    let emulator = |qemu: Qemu| Tool {
        name: qemu.program.into(),
        found: version(qemu.program),
        purpose: "running firmware on emulated boards",
        optional: false,
        remedy: qemu.remedy.into(),
    };
    let mut tools: Vec<_> = [Qemu::ARM, Qemu::RISCV].map(emulator).into();
    let source = sysroot::source();
    let mut targets: Vec<_> = BOARDS.iter().map(|board| board.target).collect();
    targets.sort_unstable();
    targets.dedup();
    tools.extend(targets.into_iter().map(|target| Tool {
        name: format!("Rust for {target}"),
        found: if installed(target) {
            Some("the active toolchain has it".into())
        } else {
            source.as_ref().map(|source| format!("built from the library source of rustc {}", source.release))
        },
        purpose: "compiling firmware",
        optional: false,
        remedy: format!("rustup target add {target}, or on Debian apt-get install {}", super::DEBIAN),
    }));
    tools.push(Tool {
        name: "rust-lld or ld.lld".into(),
        found: sysroot::lld().map(|path| path.display().to_string()),
        purpose: "linking firmware",
        optional: false,
        remedy: "comes with rustup's toolchains; on Debian apt-get install lld".into(),
    });
    tools.push(Tool {
        name: "probe-rs".into(),
        found: version("probe-rs"),
        purpose: "flashing real boards",
        optional: true,
        remedy: "cargo install probe-rs-tools, or https://probe.rs/docs/getting-started/installation".into(),
    });
    tools
}

fn version(program: &str) -> Option<String> {
    answer(&program.into(), &["--version"])?.lines().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_has_a_remedy() {
        let tools = status();
        assert!(tools.iter().all(|tool| !tool.remedy.is_empty()));
        assert!(tools.iter().any(|tool| tool.name.contains("thumbv6m-none-eabi")));
    }
}
