//! Loops that stay as they are written.

/// In the body of a loop: the compiler does not unroll it. It makes a loop of a few instructions four to eight times as long,
/// which is worth its code in a loop over weights, and not in one over outputs. No instruction: LLVM unrolls no loop of
/// these cores that holds assembly, be it none.
#[inline(always)]
pub(crate) fn rolled() {
    #[cfg(any(target_arch = "arm", target_arch = "riscv32"))]
    // SAFETY: nothing.
    unsafe {
        core::arch::asm!("", options(nomem, nostack, preserves_flags));
    }
}
