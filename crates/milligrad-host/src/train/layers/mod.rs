//! The layers, forward and backward: one layer, one file.
//!
//! A layer sees one block of samples: `x[i][n]` is element `i` (in the order of the graph's tensor, `HWC`) of sample
//! `n`. `δy` is the derivative of the batch's loss by the layer's output.

mod activation;
mod add;
mod batch_norm;
mod concat;
mod conv2d;
mod dense;
mod depthwise_conv2d;
mod dropout;
mod fake_quantize;
mod gaussian_noise;
mod multiply;
mod pad;
mod pool2d;
mod softmax;

pub(crate) use activation::{Elementwise, Function, mask_clamped};
pub(crate) use add::Add;
pub(crate) use batch_norm::{BatchNorm, Moments};
pub(crate) use concat::Concat;
pub(crate) use conv2d::Conv2d;
pub(crate) use dense::{Dense, Share};
pub(crate) use depthwise_conv2d::DepthwiseConv2d;
pub(crate) use dropout::Dropout;
pub(crate) use fake_quantize::FakeQuantize;
pub(crate) use gaussian_noise::GaussianNoise;
pub(crate) use multiply::Multiply;
pub(crate) use pad::Pad;
pub(crate) use pool2d::{AvgPool2d, MaxPool2d};
pub(crate) use softmax::{Softmax, softmax};

use super::kernels::vectorized;
use super::real::Real;
use std::ops::Range;

/// What a layer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Outputs, nothing random.
    Inference,
    /// Outputs that will be differentiated.
    Training {
        /// Differs for each step of a training run, and for each run with another seed.
        key: u64,
        /// Place of the block's first sample in the batch.
        first: usize,
    },
}

/// What a layer reads.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a, F, const N: usize> {
    /// All parameters of the network.
    pub(crate) parameters: &'a [F],
    /// The inputs. An image is followed by one pixel of zeros, which stands for padding.
    pub(crate) inputs: &'a [&'a [[F; N]]],
    /// If the layer reads the network's input: the same numbers sample by sample, in rows of [`row_len`].
    pub(crate) rows: Option<&'a [F]>,
    /// Training or inference.
    pub(crate) mode: Mode,
}

impl<'a, F, const N: usize> Pass<'a, F, N> {
    /// The only input.
    pub(crate) fn x(&self) -> &'a [[F; N]] {
        self.inputs[0]
    }
}

/// The gradient of the parameters, over one or more blocks.
pub(crate) struct Gradient<'a, F> {
    /// As long as the trainable parameters.
    pub(crate) values: &'a mut [F],
    /// For each of the layer's constants: add to what is there, or overwrite it.
    pub(crate) accumulate: [bool; 2],
    /// For each of the layer's constants: is it trained?
    pub(crate) wanted: [bool; 2],
}

/// Where a layer puts the derivative by one of its inputs.
pub(crate) struct Delta<'a, F, const N: usize> {
    values: &'a mut [[F; N]],
    accumulate: bool,
    /// For a layer that [masks](Layer::masks): the range of the input's fused activation.
    clamp: Option<(F, F)>,
}

impl<'a, F: Real, const N: usize> Delta<'a, F, N> {
    pub(crate) fn new(values: &'a mut [[F; N]], accumulate: bool) -> Self {
        Self { values, accumulate, clamp: None }
    }

    /// The derivative is to be zero where the range limited the input.
    pub(crate) fn masked(self, clamp: Option<(F, F)>) -> Self {
        Self { clamp, ..self }
    }

    /// The first `len` elements.
    pub(crate) fn limited(self, len: usize) -> Self {
        Self { values: &mut self.values[..len], ..self }
    }

    /// To add to: zeros unless other layers have added already.
    pub(crate) fn sum(self) -> &'a mut [[F; N]] {
        if !self.accumulate {
            self.values.as_flattened_mut().fill(F::ZERO);
        }
        self.values
    }

    /// Adds `f(i)(n)` for each element `i` of sample `n`, or puts it there.
    #[inline(always)]
    pub(crate) fn put<G: Fn(usize) -> F>(self, f: impl Fn(usize) -> G) {
        let len = self.values.len();
        self.put_channels(len, |_, i| f(i));
    }

    /// Adds `f(c, i)(n)` for each element `i`, which is of channel `c`, of sample `n`, or puts it there.
    #[inline(always)]
    pub(crate) fn put_channels<G: Fn(usize) -> F>(self, channels: usize, f: impl Fn(usize, usize) -> G) {
        for (pixel, values) in self.values.chunks_exact_mut(channels).enumerate() {
            for (c, dx) in values.iter_mut().enumerate() {
                let f = f(c, pixel * channels + c);
                if self.accumulate {
                    (0..N).for_each(|n| dx[n] += f(n));
                } else {
                    (0..N).for_each(|n| dx[n] = f(n));
                }
            }
        }
    }
}

/// A layer with its shapes, which knows where its parameters lie.
pub(crate) trait Layer<F: Real, const N: usize>: Send + Sync {
    /// The output `y`.
    fn forward(&self, pass: Pass<'_, F, N>, y: &mut [[F; N]]);

    /// The derivative by the parameters; `scratch` has [`scratch_len`](Self::scratch_len) numbers.
    fn backward_parameters(
        &self,
        _pass: Pass<'_, F, N>,
        _dy: &[[F; N]],
        _gradient: Gradient<'_, F>,
        _scratch: &mut [F],
    ) {
    }

    /// The derivative by input number `input`. `y` is the output of the forward pass.
    fn backward_input(
        &self,
        pass: Pass<'_, F, N>,
        y: &[[F; N]],
        dy: &[[F; N]],
        input: usize,
        dx: Delta<'_, F, N>,
    );

    /// Numbers that [`backward_parameters`](Self::backward_parameters) needs for itself.
    fn scratch_len(&self) -> usize {
        0
    }

    /// `true` if [`backward_input`](Self::backward_input) itself applies the derivative of the input's fused activation,
    /// where that is asked for.
    fn masks(&self) -> bool {
        false
    }

    /// The layer, if it is one whose gradient can be [fused](Dense::shares) with the optimizer's step.
    fn dense(&self) -> Option<&Dense<F>> {
        None
    }

    /// Multiplications of one sample's forward pass.
    fn multiplications(&self) -> usize {
        0
    }
}

/// Numbers in a row of inputs, of which the last are zero: whole pairs of the widest vectors.
pub(crate) fn row_len(inputs: usize) -> usize {
    inputs.next_multiple_of(32)
}

/// Where the constants of a layer with weights and bias lie in the parameters.
#[derive(Debug, Clone)]
pub(crate) struct WeightsAndBias {
    pub(crate) weights: Range<usize>,
    pub(crate) bias: Range<usize>,
}

/// `db[o] = Σ[p, n] δy[p, o][n]`
pub(crate) fn bias_gradient<F: Real, const N: usize>(dy: &[[F; N]], db: &mut [F], accumulate: bool) {
    let outputs = db.len();
    vectorized!({
        for (o, db) in db.iter_mut().enumerate() {
            let mut sum = [F::ZERO; N];
            for dy in dy.iter().skip(o).step_by(outputs) {
                sum.iter_mut().zip(dy).for_each(|(sum, &dy)| *sum += dy);
            }
            let sum = sum.into_iter().fold(F::ZERO, |a, b| a + b);
            *db = if accumulate { *db + sum } else { sum };
        }
    });
}
