//! The kernels of [`plain`](super::plain) for `f32`, with the machine's widest vectors and fused multiply-add.
//!
//! All products are tiles of sums that stay in registers: `M` broadcast numbers times `V` vectors.

mod input;
mod outer;
mod outer_adam;
mod output;
#[cfg(test)]
mod tests;
mod transpose;
mod weights;

pub(crate) use input::correlate_input;
pub(crate) use outer::outer;
pub(crate) use outer_adam::outer_adam;
pub(crate) use output::correlate;
pub(crate) use transpose::transpose;
pub(crate) use weights::correlate_weights;

use pulp::Simd;

/// Numbers of sums in a tile: what the registers hold besides the operands.
const fn budget<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 24 } else { 12 }
}

/// Calls a tile function for strips of `$total` rows, each as high as `$limit` allows; `$M` is the height.
macro_rules! strips {
    ($total:expr, $limit:expr, |$start:ident, $m:ident| $tile:expr) => {{
        let (total, limit) = ($total, $limit);
        let mut $start = 0;
        while $start < total {
            let room = if total - $start < limit { total - $start } else { limit };
            macro_rules! step {
                ($height:literal) => {{
                    const $m: usize = $height;
                    $tile;
                    $start += $height;
                }};
            }
            match room {
                12.. => step!(12),
                8.. => step!(8),
                6.. => step!(6),
                4.. => step!(4),
                2.. => step!(2),
                _ => step!(1),
            }
        }
    }};
}

/// Runs `$run::<S, V>` with the number of vectors of a tile that suits blocks of `N`; the plain kernel without vectors.
macro_rules! by_width {
    ($n:expr, $run:ident, $plain:expr) => {
        match ($n / S::F32_LANES, budget::<S>()) {
            _ if S::F32_LANES == 1 || $n % S::F32_LANES != 0 => $plain,
            (1, _) => $run!(1),
            (2, _) | (_, 12) => $run!(2),
            _ => $run!(4),
        }
    };
}
use {by_width, strips};
