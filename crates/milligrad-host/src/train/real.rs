//! The two float formats of the trainer: `f32` to train with vector instructions, `f64` to check gradients.

use super::kernels::{Adam, Patches, Remembered, plain, simd};
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// A float format with its elementary functions and the kernels that take nearly all of the time.
///
/// The kernels are documented in [`plain`], which computes them for `f64`; for `f32` see [`simd`].
pub(crate) trait Real:
    Copy
    + Default
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
{
    const ZERO: Self;
    const ONE: Self;
    const INFINITY: Self;

    fn from_f64(x: f64) -> Self;
    fn from_f32(x: f32) -> Self;
    fn to_f64(self) -> f64;
    fn exp(self) -> Self;
    fn ln(self) -> Self;
    fn tanh(self) -> Self;
    fn sqrt(self) -> Self;
    fn round(self) -> Self;

    fn correlate<const N: usize>(
        patches: Patches<'_>,
        weights: &[Self],
        bias: &[Self],
        x: &[[Self; N]],
        y: &mut [[Self; N]],
        clamp: (Self, Self),
    );
    fn correlate_input<const N: usize>(
        patches: Patches<'_>,
        weights: &[Self],
        dy: &[[Self; N]],
        dx: &mut [[Self; N]],
    );
    fn correlate_weights<const N: usize>(
        patches: Patches<'_>,
        x: &[[Self; N]],
        dy: &[[Self; N]],
        dw: &mut [Self],
        accumulate: bool,
    );
    fn outer<const N: usize>(
        rows: &[Self],
        width: usize,
        dy: &[[Self; N]],
        dw: &mut [Self],
        accumulate: bool,
    );
    fn outer_adam<const N: usize>(
        blocks: &[(&[Self], &[[Self; N]])],
        place: (usize, usize),
        adam: Adam<Self>,
        weights: Remembered<'_, Self>,
    );
    fn transpose(from: (&[Self], usize), columns: usize, to: (&mut [Self], usize));
}

macro_rules! common {
    () => {
        const ZERO: Self = 0.0;
        const ONE: Self = 1.0;
        const INFINITY: Self = Self::INFINITY;

        #[inline(always)]
        fn from_f64(x: f64) -> Self {
            x as Self
        }
        #[inline(always)]
        fn from_f32(x: f32) -> Self {
            x as Self
        }
        #[inline(always)]
        fn to_f64(self) -> f64 {
            f64::from(self)
        }
        #[inline(always)]
        fn sqrt(self) -> Self {
            self.sqrt()
        }
        #[inline(always)]
        fn round(self) -> Self {
            self.round()
        }
    };
}

/// The kernels, from one of the two modules.
macro_rules! kernels {
    ($module:ident) => {
        #[inline]
        fn correlate<const N: usize>(
            patches: Patches<'_>,
            weights: &[Self],
            bias: &[Self],
            x: &[[Self; N]],
            y: &mut [[Self; N]],
            clamp: (Self, Self),
        ) {
            $module::correlate(patches, weights, bias, x, y, clamp);
        }
        #[inline]
        fn correlate_input<const N: usize>(
            patches: Patches<'_>,
            weights: &[Self],
            dy: &[[Self; N]],
            dx: &mut [[Self; N]],
        ) {
            $module::correlate_input(patches, weights, dy, dx);
        }
        #[inline]
        fn correlate_weights<const N: usize>(
            patches: Patches<'_>,
            x: &[[Self; N]],
            dy: &[[Self; N]],
            dw: &mut [Self],
            accumulate: bool,
        ) {
            $module::correlate_weights(patches, x, dy, dw, accumulate);
        }
        #[inline]
        fn outer<const N: usize>(
            rows: &[Self],
            width: usize,
            dy: &[[Self; N]],
            dw: &mut [Self],
            accumulate: bool,
        ) {
            $module::outer(rows, width, dy, dw, accumulate);
        }
        #[inline]
        fn outer_adam<const N: usize>(
            blocks: &[(&[Self], &[[Self; N]])],
            place: (usize, usize),
            adam: Adam<Self>,
            weights: Remembered<'_, Self>,
        ) {
            $module::outer_adam(blocks, place, adam, weights);
        }
        #[inline]
        fn transpose(from: (&[Self], usize), columns: usize, to: (&mut [Self], usize)) {
            $module::transpose(from, columns, to);
        }
    };
}

impl Real for f32 {
    common!();
    kernels!(simd);

    #[inline(always)]
    fn exp(self) -> Self {
        milligrad::math::exp(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        milligrad::math::ln(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        milligrad::math::tanh(self)
    }
}

impl Real for f64 {
    common!();
    kernels!(plain);

    fn exp(self) -> Self {
        self.exp()
    }
    fn ln(self) -> Self {
        self.ln()
    }
    fn tanh(self) -> Self {
        self.tanh()
    }
}
