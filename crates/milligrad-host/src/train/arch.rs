//! What only a processor's own instructions can do: the one place of the trainer with `unsafe` code but for [`team`](super::team).
#![allow(unsafe_code)]

/// Sets flush-to-zero and denormals-are-zero for this thread, which is the pool's and ends with it.
#[cfg(target_arch = "x86_64")]
pub(super) fn flush_denormals() {
    const FLUSH_TO_ZERO: u32 = 1 << 15;
    const DENORMALS_ARE_ZERO: u32 = 1 << 6;
    let mut control = 0u32;
    // SAFETY: both instructions access the local variable alone. They change how this thread rounds numbers below
    // 2^-126, which nothing that runs on it depends on; exceptions stay masked and the rounding mode stays to nearest.
    unsafe {
        std::arch::asm!("stmxcsr [{}]", in(reg) &mut control, options(nostack));
        control |= FLUSH_TO_ZERO | DENORMALS_ARE_ZERO;
        std::arch::asm!("ldmxcsr [{}]", in(reg) &control, options(nostack));
    }
}

/// Other processors compute with denormals at full speed.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn flush_denormals() {}

/// Has number `at` brought near, without waiting for it; there need not be such a number.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn prefetch<T>(numbers: &[T], at: usize) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a prefetch reads nothing that could be seen, and faults at no address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(numbers.as_ptr().wrapping_add(at).cast()) };
}

/// Other processors look ahead themselves.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(super) fn prefetch<T>(_numbers: &[T], _at: usize) {}

/// The same into a larger cache that is farther away.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn prefetch_far<T>(numbers: &[T], at: usize) {
    use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
    // SAFETY: as above.
    unsafe { _mm_prefetch::<_MM_HINT_T1>(numbers.as_ptr().wrapping_add(at).cast()) };
}

/// Other processors look ahead themselves.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(super) fn prefetch_far<T>(_numbers: &[T], _at: usize) {}

/// Asks for large pages for memory that has not been written yet: samples are read in random order, and finding the
/// pages of a large data set, of 4 KiB each, takes longer than reading it. Without them all is as before.
#[cfg(target_os = "linux")]
pub(super) fn large_pages<T>(memory: &mut Vec<T>) {
    const PAGE: usize = 1 << 21;
    let start = memory.as_mut_ptr().cast::<u8>();
    let inside = start.wrapping_add(start.align_offset(PAGE));
    let end = start.wrapping_add(memory.capacity() * size_of::<T>());
    let length = (end as usize).saturating_sub(inside as usize) / PAGE * PAGE;
    if length > 0 {
        // SAFETY: whole pages within the vector's allocation; the advice changes no byte of them.
        unsafe { libc::madvise(inside.cast(), length, libc::MADV_HUGEPAGE) };
    }
}

/// Other systems choose pages themselves.
#[cfg(not(target_os = "linux"))]
pub(super) fn large_pages<T>(_memory: &mut Vec<T>) {}
