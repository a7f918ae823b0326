//! How much stack a call uses: the free RAM below the stack pointer is painted before it, and what has lost its
//! paint afterwards was used.

use core::arch::asm;

const PAINT: u32 = 0x5afe_57ac;

/// The painted RAM.
pub(crate) struct Paint {
    bottom: *const u32,
    top: *const u32,
}

/// Stack that a call used.
pub(crate) struct Use {
    /// Bytes used, from the deepest to the stack pointer at the call.
    pub(crate) bytes: usize,
    /// Bytes that were free for it.
    pub(crate) free: usize,
}

unsafe extern "C" {
    /// End of the static variables; the linker scripts of cortex-m-rt and riscv-rt set it.
    static mut __sheap: u32;
}

/// Paints from the end of the static variables to the stack pointer of the caller, into which this is inlined.
#[inline(always)]
pub(crate) fn paint() -> Paint {
    let bottom = (&raw mut __sheap).cast_const();
    let top: *const u32;
    // SAFETY: there is no heap, so the RAM between the static variables and the stack pointer belongs to
    // nobody, and both of its ends are aligned to words.
    #[cfg(target_arch = "arm")]
    unsafe {
        asm!(
            "mov {top}, sp",
            "2:",
            "cmp {at}, {top}",
            "bhs 3f",
            "str {paint}, [{at}]",
            "adds {at}, #4",
            "b 2b",
            "3:",
            at = inout(reg) bottom => _,
            top = out(reg) top,
            paint = in(reg) PAINT,
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "riscv32")]
    unsafe {
        asm!(
            "mv {top}, sp",
            "2:",
            "bgeu {at}, {top}, 3f",
            "sw {paint}, 0({at})",
            "addi {at}, {at}, 4",
            "j 2b",
            "3:",
            at = inout(reg) bottom => _,
            top = out(reg) top,
            paint = in(reg) PAINT,
        );
    }
    Paint { bottom, top }
}

impl Paint {
    /// What has lost its paint.
    #[inline(always)]
    pub(crate) fn used(&self) -> Use {
        let mut deepest = self.bottom;
        // SAFETY: stays between `bottom` and `top`, which are words of RAM; volatile, because the compiler knows
        // of no object there.
        while deepest < self.top && unsafe { deepest.read_volatile() } == PAINT {
            deepest = deepest.wrapping_add(1);
        }
        Use { bytes: self.top.addr() - deepest.addr(), free: self.top.addr() - self.bottom.addr() }
    }
}
