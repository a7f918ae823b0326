//! How sums of products round.
#![allow(dead_code, reason = "each test uses a part")]

/// Whether the device crate was built with fused multiply-add.
pub(crate) const FUSED: bool = cfg!(feature = "fma");

/// `sum + a b`, rounded once or twice.
pub(crate) fn add_product(fused: bool, sum: f32, a: f32, b: f32) -> f32 {
    if fused { a.mul_add(b, sum) } else { sum + a * b }
}
