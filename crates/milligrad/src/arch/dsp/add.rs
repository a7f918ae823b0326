//! Add: 12 instructions for each element.

use crate::packed::PackedAdd;

/// See [`PackedAdd`]; the caller checked that all three places have `len` elements.
#[inline(always)]
pub(crate) fn add(layer: &PackedAdd, arena: &mut [i8], other: usize, larger: usize, y: usize, len: usize) {
    let base = arena.as_mut_ptr();
    // A copy in registers.
    let layer = *layer;
    for i in 0..len {
        // SAFETY: within the arena, as the caller checked.
        unsafe { *base.add(y + i) = layer.element(*base.add(other + i), *base.add(larger + i)) };
    }
}
