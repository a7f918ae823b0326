//! Builds the QEMU plugin that counts, and reads its counts.

use crate::elf::Elf;
use crate::isa::Op;
use crate::sources::root;
use crate::{Error, Result, toolchain};
use milligrad_protocol::sections;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};

/// The file that the plugin writes to, in the folder of the run.
const OUT: &str = "profile.txt";

/// How often a block of code ran in a section.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) section: u8,
    pub(crate) address: u32,
    pub(crate) count: u64,
    /// How often it was left other than to the next address.
    pub(crate) taken: u64,
    pub(crate) ops: Vec<Op>,
}

/// Arguments for QEMU that load the plugin.
pub(crate) fn arguments(elf: &Elf) -> Result<[String; 2]> {
    let (mark, size) = elf.require(sections::FUNCTION)?;
    // On Arm, bit 0 of a function's address says that it is Thumb code.
    let (start, end) = (mark & !1, (mark & !1) + size);
    let (table, _) = elf.require(sections::TABLE)?;
    let plugin = build()?;
    let plugin = plugin.display();
    Ok(["-plugin".into(), format!("{plugin},out={OUT},mark={start:x}..{end:x},table={table:x}")])
}

/// The counts of the run that worked in `folder`, within its measured call; there are some.
pub(crate) fn counts(folder: &Path) -> Result<Vec<Block>> {
    let path = folder.join(OUT);
    let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
    let bad = |line| Error::Report { file: OUT, reason: format!("what is {line:?}?") };
    let blocks: Result<Vec<_>> = text.lines().map(|line| parse(line).ok_or_else(|| bad(line))).collect();
    let blocks: Vec<_> = blocks?.into_iter().filter(|block| block.section != sections::OUTSIDE).collect();
    match blocks.is_empty() {
        true => Err(Error::Report { file: OUT, reason: "no block of a marked call was counted".into() }),
        false => Ok(blocks),
    }
}

/// A line of the file: section, address, count, taken, opcodes.
fn parse(line: &str) -> Option<Block> {
    let mut words = line.split(' ');
    let block = Block {
        section: words.next()?.parse().ok()?,
        address: u32::from_str_radix(words.next()?, 16).ok()?,
        count: words.next()?.parse().ok()?,
        taken: words.next()?.parse().ok()?,
        ops: words.next()?.split(',').map(opcode).collect::<Option<_>>()?,
    };
    words.next().is_none().then_some(block)
}

fn opcode(text: &str) -> Option<Op> {
    let half = |text: &str| u16::from_str_radix(text, 16).ok();
    match text.len() {
        4 => Some(Op::narrow(half(text)?)),
        8 => Some(Op::wide(half(text.get(..4)?)?, half(text.get(4..)?)?)),
        _ => None,
    }
}

/// Builds the plugin, which cargo does only if its sources have changed.
fn build() -> Result<PathBuf> {
    let root = root()?;
    let target = root.join("target/firmware/plugin");
    let mut cargo = toolchain::Toolchain::Installed.cargo();
    cargo
        .current_dir(&root)
        .args(["build", "--release", "--quiet", "--package", "milligrad-qemu-profile", "--target-dir"])
        .arg(&target);
    toolchain::run(cargo, "the QEMU plugin")?;
    Ok(target.join("release").join(format!("{DLL_PREFIX}milligrad_qemu_profile{DLL_SUFFIX}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read() {
        let ops = vec![Op::narrow(0xb510), Op::wide(0xf000, 0xf801)];
        let block = Block { section: 2, address: 0x1ce2, count: 10, taken: 9, ops };
        assert_eq!(parse("2 1ce2 10 9 b510,f000f801"), Some(block));
        for bad in ["", "2 1ce2 10 9", "2 1ce2 10 9 b51", "2 xyz 10 9 b510", "2 1ce2 10 9 b510 more"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
