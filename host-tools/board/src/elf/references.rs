//! The relocations that the linker left in an ELF file.

use crate::isa::Isa;
use object::elf::{R_ARM_ABS32, R_ARM_REL32, R_ARM_THM_MOVT_ABS, R_ARM_THM_MOVW_ABS_NC};
use object::elf::{R_RISCV_32, R_RISCV_HI20, R_RISCV_PCREL_HI20};
use object::{File, Object, ObjectSection, ObjectSymbol, Relocation, RelocationFlags, RelocationTarget};

/// The places that hold addresses, and the addresses, of code and data.
pub(super) fn references<'a>(isa: Isa, file: &'a File<'a>) -> impl Iterator<Item = (u32, u32)> + 'a {
    let sections =
        file.sections().filter(|section| matches!(section.name(), Ok(".text" | ".rodata" | ".data")));
    sections.flat_map(move |section| {
        let (base, data) = (section.address() as u32, section.data().unwrap_or_default());
        section.relocations().filter_map(move |(at, relocation)| {
            let at = at as u32;
            // What the linker has written there.
            let written = || Some(*data.get(at.checked_sub(base)? as usize..)?.first_chunk()?);
            let RelocationFlags::Elf { r_type } = relocation.flags() else { return None };
            let to = match (isa, r_type) {
                (Isa::Thumb, R_ARM_ABS32) => written().map(u32::from_le_bytes),
                // The two halves of an address: the symbol says which.
                (Isa::Thumb, R_ARM_REL32 | R_ARM_THM_MOVW_ABS_NC | R_ARM_THM_MOVT_ABS) => {
                    symbol(file, &relocation)
                }
                // Of an address in two halves the second refers to the first.
                (Isa::RiscV, R_RISCV_32 | R_RISCV_HI20 | R_RISCV_PCREL_HI20) => {
                    Some(symbol(file, &relocation)?.wrapping_add(relocation.addend() as u32))
                }
                _ => None,
            };
            Some((at, to?))
        })
    })
}

/// The address of the symbol that a relocation names.
fn symbol(file: &File<'_>, relocation: &Relocation) -> Option<u32> {
    let RelocationTarget::Symbol(symbol) = relocation.target() else { return None };
    Some(file.symbol_by_index(symbol).ok()?.address() as u32)
}
