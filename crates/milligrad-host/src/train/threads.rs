//! The threads that training runs on.

use crate::error::{Error, Result};

/// A pool of `threads` threads, 0 for as many as there are cores. Numbers too small to be normal count as zero in
/// them: such denormals, which Adam makes of weights that no longer matter, would halve the speed.
pub(crate) fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("train {i}"))
        .start_handler(|_| flush_denormals())
        .build()
        .map_err(|problem| Error::Data(format!("no threads to train on: {problem}")))
}

/// Sets flush-to-zero and denormals-are-zero for this thread, which is the pool's and ends with it.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
fn flush_denormals() {
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
fn flush_denormals() {}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_arch = "x86_64")]
    fn denormals_are_zero_in_the_pool_alone() {
        let tiny = std::hint::black_box(f32::MIN_POSITIVE);
        let half = || std::hint::black_box(tiny) * std::hint::black_box(0.5);
        assert_eq!(super::pool(1).unwrap().install(half), 0.0);
        assert!(half() > 0.0);
    }
}
