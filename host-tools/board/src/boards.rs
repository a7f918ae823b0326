//! The boards that milligrad knows: emulated ones, and real ones with a debug probe.

use crate::{Error, Result};
use std::fmt;

/// A processor core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Core {
    /// Armv6-M: no hardware division, 16-bit instructions.
    CortexM0,
    /// Armv7-M.
    CortexM3,
    /// Armv7E-M: DSP instructions and single-precision floats.
    CortexM4F,
    /// Armv7E-M, dual issue.
    CortexM7,
    /// Armv8-M.
    CortexM33,
    /// Armv8.1-M with the vector extension (Helium).
    CortexM55,
    /// 32-bit RISC-V with multiplication and 16-bit instructions, as in the ESP32-C3: no floats in hardware.
    Rv32imc,
}

impl fmt::Display for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Core::CortexM0 => "Cortex-M0",
            Core::CortexM3 => "Cortex-M3",
            Core::CortexM4F => "Cortex-M4F",
            Core::CortexM7 => "Cortex-M7",
            Core::CortexM33 => "Cortex-M33",
            Core::CortexM55 => "Cortex-M55",
            Core::Rv32imc => "RV32IMC",
        })
    }
}

/// A board.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Board {
    /// Its name on the command line.
    pub name: &'static str,
    /// Other names that are understood.
    pub aliases: &'static [&'static str],
    /// Processor core.
    pub core: Core,
    /// Rust target triple.
    pub target: &'static str,
    /// `-C target-cpu`; `generic` is what a triple means by itself.
    pub target_cpu: &'static str,
    /// Machine of [`qemu`](Self::qemu); `None` for boards that exist only in hardware.
    pub machine: Option<&'static str>,
    /// Chip as probe-rs calls it; `None` for boards that exist only in QEMU.
    pub chip: Option<&'static str>,
    /// Flash for code and constants.
    pub flash_bytes: u32,
    /// RAM for variables and the stack.
    pub ram_bytes: u32,
    /// Virtual nanoseconds, and so instructions under `-icount shift=0`, in one tick of the firmware's timer in QEMU: SysTick,
    /// or `mcycle` on RISC-V.
    pub ns_per_tick: f64,
}

const KB: u32 = 1024;
const MB: u32 = 1024 * KB;

const V6M: &str = "thumbv6m-none-eabi";
const V7M: &str = "thumbv7m-none-eabi";
const V7EM: &str = "thumbv7em-none-eabihf";
const V8M: &str = "thumbv8m.main-none-eabihf";
const RV32IMC: &str = "riscv32imc-unknown-none-elf";

const fn emulated(
    name: &'static str,
    core: Core,
    target: &'static str,
    (flash_bytes, ram_bytes): (u32, u32),
    ns_per_tick: f64,
) -> Board {
    Board {
        name,
        aliases: &[],
        core,
        target,
        target_cpu: "generic",
        machine: Some(name),
        chip: None,
        flash_bytes,
        ram_bytes,
        ns_per_tick,
    }
}

const fn real(
    name: &'static str,
    chip: &'static str,
    core: Core,
    target: &'static str,
    (flash_bytes, ram_bytes): (u32, u32),
) -> Board {
    Board { machine: None, chip: Some(chip), ..emulated(name, core, target, (flash_bytes, ram_bytes), 0.0) }
}

/// Every board. The first is the one that measurements are made on unless another is named.
pub static BOARDS: &[Board] = &[
    Board { aliases: &["qemu"], ..emulated("mps2-an386", Core::CortexM4F, V7EM, (4 * MB, 4 * MB), 40.0) },
    emulated("mps2-an385", Core::CortexM3, V7M, (4 * MB, 4 * MB), 40.0),
    emulated("microbit", Core::CortexM0, V6M, (256 * KB, 16 * KB), 62.5),
    emulated("mps2-an500", Core::CortexM7, V7EM, (4 * MB, 4 * MB), 40.0),
    emulated("mps2-an505", Core::CortexM33, V8M, (4 * MB, 4 * MB), 50.0),
    Board {
        target_cpu: "cortex-m55",
        ..emulated("mps3-an547", Core::CortexM55, V8M, (512 * KB, 512 * KB), 31.25)
    },
    Board {
        machine: Some("virt"),
        ..emulated("riscv32-virt", Core::Rv32imc, RV32IMC, (4 * MB, 4 * MB), 1.0)
    },
    real("nrf52840-dk", "nRF52840_xxAA", Core::CortexM4F, V7EM, (MB, 256 * KB)),
    real("nucleo-f411re", "STM32F411RETx", Core::CortexM4F, V7EM, (512 * KB, 128 * KB)),
];

/// Looks a board up by its name or an alias.
///
/// # Errors
/// [`Error::UnknownBoard`], which lists the names.
pub fn board(name: &str) -> Result<&'static Board> {
    BOARDS
        .iter()
        .find(|board| board.name == name || board.aliases.contains(&name))
        .ok_or_else(|| Error::UnknownBoard { name: name.into() })
}

/// The board that measurements are made on unless another is named: mps2-an386.
#[must_use]
pub fn default_board() -> &'static Board {
    &BOARDS[0]
}

impl Core {
    /// Whether there is a [cycle model](mod@crate::cycles) of this core. For other cores that of the Cortex-M4F ranks, and for
    /// the Cortex-M55 it does not even do that: it does not know vector instructions.
    #[must_use]
    pub fn has_cycle_model(self) -> bool {
        matches!(self, Core::CortexM0 | Core::CortexM3 | Core::CortexM4F | Core::Rv32imc)
    }
}

impl Board {
    /// Whether QEMU has it.
    #[must_use]
    pub fn is_emulated(&self) -> bool {
        self.machine.is_some()
    }

    /// The QEMU that has it.
    #[must_use]
    pub fn qemu(&self) -> Qemu {
        if self.core == Core::Rv32imc { Qemu::RISCV } else { Qemu::ARM }
    }
}

/// An emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Qemu {
    /// The program.
    pub program: &'static str,
    /// Debian's package that has it.
    pub debian: &'static str,
    /// How to get it.
    pub remedy: &'static str,
    /// Arguments that its machines need.
    pub(crate) arguments: &'static [&'static str],
}

impl Qemu {
    /// For Cortex-M.
    pub const ARM: Self = Self {
        program: "qemu-system-arm",
        debian: "qemu-system-arm",
        remedy: "apt-get install qemu-system-arm, brew install qemu, or https://www.qemu.org/download",
        arguments: &[],
    };
    /// For 32-bit RISC-V.
    pub const RISCV: Self = Self {
        program: "qemu-system-riscv32",
        debian: "qemu-system-misc",
        remedy: "apt-get install qemu-system-misc, brew install qemu, or https://www.qemu.org/download",
        arguments: &["-bios", "none"],
    };
}

impl fmt::Display for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.core)
    }
}

/// The names of the boards, for error messages.
pub(crate) fn names() -> String {
    BOARDS.iter().map(|board| board.name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_are_found_by_name_and_alias() {
        assert_eq!(board("qemu").unwrap(), default_board());
        for expected in BOARDS {
            assert_eq!(board(expected.name).unwrap(), expected);
            assert!(expected.machine.is_some() != expected.chip.is_some(), "{expected}");
        }
    }

    #[test]
    fn an_unknown_board_is_answered_with_the_names() {
        let message = board("arduino").unwrap_err().to_string();
        assert!(message.contains("arduino") && message.contains("microbit, mps2-an500"), "{message}");
    }
}
