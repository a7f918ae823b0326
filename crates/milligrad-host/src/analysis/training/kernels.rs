//! Instructions of the kernels on a Cortex-M4F. The loops over matrices are those of the device crate's `arch/arm_fpu`,
//! counted; what surrounds them, and all other loops, are means of counts on an emulated board.

use crate::program::OptimizerKind;
use milligrad::Window2d;

/// A call, its loops set up.
pub(super) const CALL: f64 = 40.0;
/// A multiplication of an int8 layer that is not packed.
pub(super) const INT8: f64 = 4.5;
/// In 16-bit fixed point: an input whose magnitude is summed, a part of the inputs for four outputs, and an output; a
/// multiplication and an output of a layer that is not made of rows; a position of a convolution, an element of a softmax and of
/// a sigmoid; a multiplication of a sum of gradients, and of a dense layer on the way back, and a column there; a weight that is
/// updated; a number that a guard looks at.
const FIXED_INPUT: f64 = 7.0;
const FIXED_PART: f64 = 140.0;
const FIXED_OUTPUT: f64 = 57.0;
const FIXED: f64 = 3.6;
const FIXED_ELEMENT: f64 = 45.0;
pub(super) const FIXED_POSITION: f64 = 300.0;
pub(super) const FIXED_SOFTMAX: f64 = 41.0;
pub(super) const FIXED_SIGMOID: f64 = 50.0;
pub(super) const FIXED_BACKWARD: f64 = 5.0;
pub(super) const FIXED_COLUMNS: f64 = 11.0 / 4.0;
pub(super) const FIXED_COLUMN: f64 = 20.0;
pub(super) const FIXED_UPDATE: f64 = 12.3;
pub(super) const FIXED_GUARD: f64 = 8.4;
/// With dynamic exponents: an element that is read in fewer bits, one that is made of a sum, and of a row of weights; a position of a
/// convolution; a float of which a block is made.
pub(super) const BLOCK_INPUT: f64 = 18.0;
pub(super) const BLOCK_OUTPUT: f64 = 25.0;
pub(super) const BLOCK_ROW: f64 = 31.0;
pub(super) const BLOCK_POSITION: f64 = 150.0;
/// The same of an element whose magnitude is looked at alone.
pub(super) const MAGNITUDE: f64 = 11.0;
pub(super) const REAL: f64 = 43.0;
/// A multiplication forward of a layer that is not made of rows, and on the way back.
pub(super) const MULTIPLICATION: f64 = 2.5;
pub(super) const BACKWARD: f64 = 3.0;
/// An element of a tensor: loads, arithmetic, store.
pub(super) const ELEMENT: f64 = 6.5;
/// An int8 input of which a float is made.
pub(super) const DEQUANTIZED: f64 = 5.4;
/// An input that is looked at for blocks of zeros, and from how many on that is done (`layers::matrix::WIDE` of the device crate).
const LOOKED_AT: f64 = 1.1;
const LOOKS_FROM: usize = 256;
/// An element that is cleared.
pub(super) const CLEARED: f64 = 0.7;
/// An element of a softmax, and an exponential elsewhere.
pub(super) const SOFTMAX: f64 = 33.0;
pub(super) const EXPONENTIAL: f64 = 45.0;
/// An element that a max pooling compares, where channels go in eights and where one by one, and looks at on its way back.
const MAXIMUM: [f64; 2] = [5.3, 10.0];
const MAXIMUM_BACK: f64 = 7.4;
/// An element that another pooling adds up, and on its way back.
pub(super) const POOLED: f64 = 7.0;
pub(super) const POOLED_BACK: f64 = 10.5;
/// An element that is added to an image where it was gathered from.
pub(super) const SCATTERED: f64 = 10.0;
/// A bias whose gradient is summed.
pub(super) const BIAS: f64 = 2.2;
/// An element whose square is summed, or that is checked.
pub(super) const SQUARE: f64 = 3.2;

/// Inputs in blocks of 8, and those beyond.
fn blocks(inputs: usize) -> (f64, f64) {
    ((inputs - inputs % 8) as f64, (inputs % 8) as f64)
}

/// The cost of inputs that come in blocks.
pub(super) fn in_blocks(inputs: usize, block: usize, cost: impl Fn(usize) -> f64) -> f64 {
    let rest = inputs % block;
    (inputs / block) as f64 * cost(block) + if rest > 0 { cost(rest) } else { 0.0 }
}

/// `y = W x + b`: four rows take 37 instructions for 8 inputs, 11 for one beyond.
pub(super) fn rows(inputs: usize, outputs: usize) -> f64 {
    let (blocks, rest) = blocks(inputs);
    outputs as f64 * (37.0 / 32.0 * blocks + 11.0 / 4.0 * rest + 10.0) + CALL
}

/// `δx = Wᵀ δ`: a row takes 22 instructions for 16 columns, 6 for one beyond.
pub(super) fn columns(inputs: usize, outputs: usize) -> f64 {
    let (blocks, rest) = blocks(inputs);
    outputs as f64 * (22.0 / 16.0 * blocks + 6.0 * rest + 1.0) + CALL + CLEARED * inputs as f64
}

/// `M += δ xᵀ` where a share of the rows has a `δ` that is not zero: such a row takes 23 instructions for 16 elements, 6 for
/// one beyond. No block of `x` is taken to be zero.
pub(super) fn outer(inputs: usize, outputs: usize, share: f64) -> f64 {
    let (blocks, rest) = blocks(inputs);
    let looking = if inputs < LOOKS_FROM { 0.0 } else { LOOKED_AT * inputs as f64 };
    outputs as f64 * (6.0 + share * (23.0 / 16.0 * blocks + 6.0 * rest + 14.0)) + CALL + looking
}

/// The most elements of a patch that registers hold (`arch::arm_fpu::patches` of the device crate).
const SMALL: usize = 9;

/// A convolution: two filters take 8 + 2n instructions where registers hold a patch, of n elements.
pub(super) fn convolution(window: &Window2d, outputs: usize) -> f64 {
    let inputs = window.patch_len();
    if window.is_pointwise() {
        return window.positions() as f64 * rows(inputs, outputs);
    }
    let position = if inputs <= SMALL && outputs > 1 {
        14.0 + (outputs.div_ceil(2) * (8 + 2 * inputs)) as f64
    } else {
        rows(inputs, outputs)
    };
    walk(window) + window.positions() as f64 * position
}

/// The sum of its gradients, where a share of `δ` is not zero: these take 10 + n instructions where registers hold a patch.
pub(super) fn gradients(window: &Window2d, outputs: usize, share: f64) -> f64 {
    let inputs = window.patch_len();
    let position = if inputs <= SMALL {
        33.0 + outputs as f64 * (2.75 + share * (10 + inputs) as f64)
    } else {
        outer(inputs, outputs, share)
    };
    walk(window) + window.positions() as f64 * position
}

/// A max pooling, forward and back.
pub(super) fn max_pooling(window: &Window2d) -> [f64; 2] {
    let depth = window.input()[2];
    let (eights, rest) = ((depth - depth % 8) as f64, (depth % 8) as f64);
    let taps = (window.positions() * window.taps()) as f64;
    [taps * (MAXIMUM[0] * eights + MAXIMUM[1] * rest), taps * MAXIMUM_BACK * depth as f64]
}

/// The update of a matrix; rules that remember something visit rows whose `δ` is zero too.
pub(super) fn update(optimizer: OptimizerKind, inputs: usize, outputs: usize, share: f64) -> f64 {
    let weight = match optimizer {
        OptimizerKind::Sgd => return outer(inputs, outputs, share),
        OptimizerKind::Momentum => 24.0 / 4.0,
        OptimizerKind::Nesterov => 32.0 / 4.0,
        OptimizerKind::RmsProp => 44.0 / 4.0,
        OptimizerKind::Adam => 44.0 / 4.0,
        OptimizerKind::AdamW => 44.0 / 4.0 + 3.5,
    };
    outputs as f64 * (weight * inputs as f64 + 30.0) + CALL
}

/// Inputs in 16-bit fixed point whose sums are taken to fit 32 bits: pixels, that is, half of them white.
const FIXED_NARROW: usize = 512;

/// `y = W x + b` in 16-bit fixed point: four rows, or what is left of them, take 11 instructions for two inputs. Inputs come in parts
/// whose sums fit 32 bits, and are looked at once for each halving.
pub(super) fn fixed_rows(inputs: usize, outputs: usize) -> f64 {
    let parts = inputs.div_ceil(FIXED_NARROW).next_power_of_two();
    let looks = 1 + parts.ilog2();
    let four = 11.0 / 2.0 * inputs as f64 + if parts > 1 { FIXED_PART * parts as f64 } else { 0.0 };
    let outputs_alone = FIXED_OUTPUT * outputs as f64 + FIXED_INPUT * (looks as usize * inputs) as f64;
    four * outputs.div_ceil(4) as f64 + outputs_alone
}

/// `y = W x` of inputs whose sums fit 32 bits: four rows, or what is left of them, take 11 instructions for two inputs.
pub(super) fn block_rows(inputs: usize, outputs: usize) -> f64 {
    11.0 / 2.0 * inputs as f64 * outputs.div_ceil(4) as f64
}

/// Sums in 16-bit fixed point of a layer that is not made of rows.
pub(super) fn fixed(multiplications: u64, outputs: f64) -> f64 {
    FIXED * multiplications as f64 + FIXED_ELEMENT * outputs
}

/// The walk over all positions of a window, each with its patch.
pub(super) fn patches(window: &Window2d) -> f64 {
    let [height, width] = window.kernel();
    let depth = window.input()[2];
    let (inside, padded) = inside(window);
    let copied = height as f64 * (12.0 + 0.6 * (width * depth) as f64);
    let gathered = gathered(window);
    80.0 * window.positions() as f64 + copied * inside as f64 + gathered * padded as f64
}

/// As [`patches`], where the kernels of small patches load them from the image: those that are a line, or three of three elements.
fn walk(window: &Window2d) -> f64 {
    let ([height, width], [rows, _]) = (window.kernel(), window.output());
    let in_image = height == 1 || (height, width * window.input()[2]) == (3, 3);
    match inside(window) {
        _ if window.patch_len() > SMALL || !in_image => patches(window),
        (_, 0) => 350.0,
        (_, padded) => 350.0 + 120.0 * rows as f64 + (80.0 + gathered(window)) * padded as f64,
    }
}

/// Positions that see no padding, and those that do.
fn inside(window: &Window2d) -> (usize, usize) {
    let is_inside = |&at: &(usize, usize)| {
        let (rows, columns) = window.covered(at);
        window.dilation() == [1, 1] && [rows.len(), columns.len()] == window.kernel()
    };
    let inside = window.each_position().filter(is_inside).count();
    (inside, window.positions() - inside)
}

/// A patch with padding.
fn gathered(window: &Window2d) -> f64 {
    let [height, width] = window.kernel();
    250.0 + height as f64 * (25.0 + 4.0 * (width * window.input()[2]) as f64)
}
