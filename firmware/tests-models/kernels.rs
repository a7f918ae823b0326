//! Not a network: the kernels of floats and of 16-bit fixed point, one for each record, on matrices and vectors that the record
//! holds. What they make of them comes out. So a test compares a core's kernels with the desk's on any shape and any numbers.

use milligrad::{
    Adam, Clamp, Elements, ElementsMut, Fixed16, Model, Momentum, Nesterov, Optimizer, Padding, Port,
    PowerOfTwoSgd, Quantization, RmsProp, Sgd, Window2d, fixed,
    layers::{Conv2d, Dense, MaxPool2d, dense, dense::Dequantized, softmax},
};

/// Name given at export.
pub const NAME: &str = "kernels";
/// Names of the outputs.
pub const LABELS: [&str; 0] = [];

/// The most inputs, and the most outputs.
pub const MOST: usize = 40;
const MATRIX: usize = MOST * MOST;

/// The kernels, by the number that a record starts with.
pub const KERNELS: [&str; 25] = [
    "linear",
    "relu",
    "relu6",
    "columns",
    "outer",
    "sgd",
    "adam",
    "stored gradients",
    "softmax",
    "relu of int8",
    "outer of int8",
    "sgd of int8",
    "adam of int8",
    "windows",
    "momentum",
    "nesterov",
    "rmsprop",
    "wide",
    "small windows",
    "gradients of small windows",
    "max pooling",
    "max pooling back",
    "fixed rows",
    "fixed columns",
    "fixed update",
];

/// Kernel, outputs, inputs; weights; inputs; biases; deltas; means and squares of the weights.
const INPUTS: usize = 3 + MATRIX + 3 * MOST + 2 * MATRIX;
/// A matrix, a vector; means and squares.
const OUTPUTS: usize = MATRIX + MOST + 2 * MATRIX;

/// All the RAM of the model.
pub struct Network {
    input: [f32; INPUTS],
    output: [f32; OUTPUTS],
}

impl Network {
    /// A network with an input of zeros.
    pub const fn new() -> Self {
        Self { input: [0.0; INPUTS], output: [0.0; OUTPUTS] }
    }
}

/// A step of a rule that remembers one number of each parameter.
fn one_state<O: Optimizer<f32, State = f32>>(
    rule: &O,
    [x, delta]: [&[f32]; 2],
    matrix: &mut [f32],
    bias: &mut [f32],
    memory: &mut [f32],
) {
    // Squares, which are not negative, as means of squares have to be.
    memory.iter_mut().for_each(|state| *state = *state * *state);
    let (weights, biases) = memory.split_at_mut(MATRIX);
    let state = (&mut weights[..matrix.len()], &mut biases[..bias.len()]);
    dense::apply::<f32, O>(x, delta, matrix, bias, state, rule);
}

/// Windows of few elements, and one of more: over images of 6 lines of 9 pixels, padded and not.
fn small_window(outputs: usize, inputs: usize) -> Window2d {
    let (kernel, depth) = match inputs % 8 {
        0 | 1 => ([3, 3], 1),
        2 => ([3, 1], 3),
        3 => ([1, 1 + inputs / 4], 1),
        4 => ([1, 3], 3),
        5 => ([2, 2], 2),
        6 => ([1, 2 + inputs / 8 % 4 * 2], 1),
        _ => ([3, 3], 2),
    };
    let padding = if (inputs / 8).is_multiple_of(2) { Padding::Valid } else { Padding::Same };
    let stride = [1 + outputs % 2, 1 + outputs / 2 % 2];
    Window2d::new([6, 9, depth], kernel, stride, [1 + inputs / 16 % 2, 1], padding)
}

/// Numbers from -1 to 1 as all of int16; what has no place there is at its edge, or zero.
fn words<const LEN: usize>(x: &[f32]) -> [i16; LEN] {
    let mut words = [0; LEN];
    words.iter_mut().zip(x).for_each(|(word, &x)| *word = (32_768.0 * x) as i16);
    words
}

/// int16 as floats, exactly.
fn floats(words: &[i16], x: &mut [f32]) {
    x.iter_mut().zip(words).for_each(|(x, &word)| *x = f32::from(word));
}

/// A dense layer in fixed point.
fn fixed_point(
    kernel: &str,
    weights: &[f32],
    x: &[f32],
    delta: &[f32],
    matrix: &mut [f32],
    vector: &mut [f32],
) {
    let (mut weights, x, delta) = (words::<MATRIX>(weights), words::<MOST>(x), words::<MOST>(delta));
    let (inputs, outputs) = (matrix.len() / vector.len(), vector.len());
    let (weights, x, delta) = (&mut weights[..matrix.len()], &x[..inputs], &delta[..outputs]);
    let (mut biases, mut y) = ([7; MOST], [0; MOST]);
    let biases = &mut biases[..outputs];
    match kernel {
        "fixed update" => {
            let rule = PowerOfTwoSgd::new((outputs % 16) as u32);
            vector[0] = fixed::apply(x, delta, weights, biases, &rule, &mut ()) as f32;
            floats(weights, matrix);
        }
        "fixed rows" => {
            let layer = Dense::<Fixed16>::new(inputs, weights, biases, Clamp::<i16>::LINEAR);
            layer.forward(x, &mut y[..outputs]);
            floats(&y, vector);
        }
        _ => {
            let layer = Dense::<Fixed16>::new(inputs, weights, biases, Clamp::<i16>::LINEAR);
            layer.backward_input(delta, &mut y[..inputs]);
            floats(&y[..inputs], matrix);
        }
    }
}

impl Model for Network {
    const NAME: &'static str = NAME;
    const LAYERS: &'static [&'static str] = &["kernel"];
    const INPUTS: &'static [Port] = &[Port { name: "input", shape: &[INPUTS] }];
    const OUTPUTS: &'static [Port] = &[Port { name: "output", shape: &[OUTPUTS] }];

    fn input_at(&mut self, index: usize) -> ElementsMut<'_> {
        ElementsMut::F32(if index == 0 { &mut self.input } else { &mut [] })
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        Elements::F32(if index == 0 { &self.output } else { &[] })
    }

    fn run_with(&mut self, mut done: impl FnMut(usize)) {
        let ([kernel, outputs, inputs], rest) = self.input.split_first_chunk().unwrap();
        let (kernel, outputs, inputs) = (*kernel as usize, *outputs as usize, *inputs as usize);
        let (weights, rest) = rest.split_at(MATRIX);
        let (x, rest) = rest.split_at(MOST);
        let (biases, rest) = rest.split_at(MOST);
        let (delta, states) = rest.split_at(MOST);
        let (weights, x) = (&weights[..outputs * inputs], &x[..inputs]);
        let (biases, delta) = (&biases[..outputs], &delta[..outputs]);

        self.output.fill(0.0);
        let (matrix, rest) = self.output.split_at_mut(MATRIX);
        let (vector, memory) = rest.split_at_mut(MOST);
        matrix[..weights.len()].copy_from_slice(weights);
        vector[..outputs].copy_from_slice(biases);
        memory.copy_from_slice(states);
        let (matrix, bias) = (&mut matrix[..weights.len()], &mut vector[..outputs]);
        let forward = |range, y: &mut [f32]| Dense::<f32>::new(inputs, weights, biases, range).forward(x, y);
        // The same inputs in int8, in blocks of every length.
        let quantization = Quantization::new(0.01, -7);
        let mut int8 = [0; MOST];
        int8.iter_mut().zip(x).for_each(|(q, &x)| *q = quantization.quantize(x));
        let int8 = Dequantized::new(quantization, &int8[..inputs]);
        let block = &mut [0.0; MOST][..1 + (7 * outputs + inputs) % MOST];
        match KERNELS[kernel] {
            "linear" => forward(Clamp::<f32>::LINEAR, bias),
            "relu" => forward(Clamp::<f32>::RELU, bias),
            "relu6" => forward(Clamp::<f32>::RELU6, bias),
            "columns" => {
                let layer = Dense::<f32>::new(inputs, weights, biases, Clamp::<f32>::LINEAR);
                layer.backward_input(delta, &mut vector[..inputs]);
            }
            "outer" => dense::accumulate::<f32>(x, delta, matrix, bias),
            "sgd" => {
                let state = (&mut [(); MATRIX][..weights.len()], &mut [(); MOST][..outputs]);
                dense::apply::<f32, _>(x, delta, matrix, bias, state, &Sgd::new(0.3));
            }
            "adam" => {
                let (mut moments, adam) = ([0.9, 0.99], Adam::new(0.01));
                let adam = adam.begin(&mut moments);
                let (pairs, _) = memory.as_chunks_mut::<2>();
                let state = (&mut pairs[..weights.len()], &mut [[0.0, 0.25]; MOST][..outputs]);
                dense::apply::<f32, _>(x, delta, matrix, bias, state, &adam);
            }
            "relu of int8" => {
                let layer = Dense::<f32>::new(inputs, weights, biases, Clamp::<f32>::RELU);
                layer.forward_dequantized(int8, block, bias);
            }
            "outer of int8" => dense::accumulate_dequantized(int8, block, delta, matrix, bias),
            "sgd of int8" => {
                let state = (&mut [(); MATRIX][..weights.len()], &mut [(); MOST][..outputs]);
                dense::apply_dequantized(int8, block, delta, matrix, bias, state, &Sgd::new(0.3));
            }
            "adam of int8" => {
                let adam = Adam::new(0.01).begin(&mut [0.9, 0.99]);
                let (pairs, _) = memory.as_chunks_mut::<2>();
                let state = (&mut pairs[..weights.len()], &mut [[0.0, 0.25]; MOST][..outputs]);
                dense::apply_dequantized(int8, block, delta, matrix, bias, state, &adam);
            }
            "momentum" => one_state(&Momentum::new(0.3, 0.9), [x, delta], matrix, bias, memory),
            "nesterov" => one_state(&Nesterov::new(0.3, 0.9), [x, delta], matrix, bias, memory),
            "rmsprop" => one_state(&RmsProp::new(0.01), [x, delta], matrix, bias, memory),
            "stored gradients" => {
                Optimizer::<f32>::update_weights(&Sgd::new(0.3), bias, &mut [(); MOST], delta);
                let adam = Adam::new(0.01);
                // As many as there are of the shorter.
                let (pairs, _) = memory.as_chunks_mut::<2>();
                adam.update_weights(&mut matrix[..outputs], &mut pairs[..outputs], delta);
                adam.update_weights(matrix, &mut pairs[MOST..], x);
            }
            // So many inputs that blocks of zeros among them are left out; there are enough of them among the states.
            "wide" => {
                let (inputs, outputs) = (256 + inputs, outputs.min(MATRIX / (256 + inputs)));
                let (weights, x) = (&self.input[3..][..outputs * inputs], &states[..inputs]);
                let layer = Dense::<f32>::new(inputs, weights, &biases[..outputs], Clamp::<f32>::RELU);
                layer.forward(x, &mut bias[..outputs]);
            }
            name @ ("small windows" | "gradients of small windows") => {
                let (window, filters) = (small_window(outputs, inputs), 1 + outputs % 9);
                let len = filters * window.patch_len();
                let (weights, numbers) = self.input[3..].split_at(MATRIX);
                let (image, numbers) = numbers.split_at(window.input_len());
                let range = [Clamp::<f32>::LINEAR, Clamp::<f32>::RELU, Clamp::<f32>::RELU6][outputs % 3];
                let layer = Conv2d::<f32>::new(window, &weights[..len], &numbers[..filters], range, 0.0);
                let (matrix, rest) = self.output.split_at_mut(MATRIX);
                let (vector, patch) = rest.split_at_mut(MOST);
                let outputs = filters * window.positions();
                if name == "small windows" {
                    layer.forward(image, patch, &mut matrix[..outputs]);
                } else {
                    // Two of five deltas are zero, of either sign. A patch of zeros adds nothing, not even times infinity.
                    let (mut delta, mut background) = ([0.0; 9 * 54], [0.0; 6 * 9 * 3]);
                    let is_background = inputs.is_multiple_of(5);
                    for (i, (delta, &x)) in delta.iter_mut().zip(numbers).enumerate() {
                        let x = if is_background { f32::INFINITY } else { x };
                        *delta = [0.0, -0.0, x, x, x][i * 3 % 5];
                    }
                    background.iter_mut().skip(outputs % 2).step_by(2).for_each(|x| *x = -0.0);
                    let image = if is_background { &background[..image.len()] } else { image };
                    matrix.copy_from_slice(weights);
                    layer.accumulate(
                        image,
                        &delta[..outputs],
                        patch,
                        &mut matrix[..len],
                        &mut vector[..filters],
                    );
                }
                // Scratch is nobody's result.
                patch.fill(0.0);
            }
            // Of so many channels; windows that do not touch, that overlap and that reach into padding; in one range they are few.
            name @ ("max pooling" | "max pooling back") => {
                let depth = 1 + inputs % 19;
                let (kernel, stride) =
                    ([1 + outputs % 3, 1 + outputs / 3 % 3], [1 + inputs % 2, 1 + inputs / 2 % 3]);
                let padding = if inputs.is_multiple_of(3) { Padding::Same } else { Padding::Valid };
                let window = Window2d::new([5, 7, depth], kernel, stride, [1, 1], padding);
                let ranges = [
                    Clamp::<f32>::LINEAR,
                    Clamp::<f32>::RELU,
                    Clamp::<f32>::RELU6,
                    Clamp { min: -0.5, max: 0.5 },
                ];
                let layer = MaxPool2d::<f32>::new(window, ranges[(inputs + outputs) % 4]);
                let (x, delta) = self.input[3..].split_at(5 * 7 * depth);
                let (matrix, rest) = self.output.split_at_mut(MATRIX);
                let y = &mut rest[..depth * window.positions()];
                layer.forward(x, y);
                if name == "max pooling back" {
                    layer.backward_input(x, y, &delta[..y.len()], &mut matrix[..x.len()]);
                }
            }
            "softmax" => softmax(&mut vector[..outputs]),
            kernel @ ("fixed rows" | "fixed columns" | "fixed update") => {
                fixed_point(kernel, weights, x, delta, matrix, bias);
            }
            // A convolution of an image of `outputs` pixels of depth `inputs % 4 + 1`, padded and not.
            _ => {
                let (depth, width) = (inputs % 4 + 1, outputs.min(8) + 2);
                let padding = if inputs % 2 == 0 { Padding::Valid } else { Padding::Same };
                let window = Window2d::new([4, width, depth], [3, 2], [1, 2], [1 + inputs % 2, 1], padding);
                let (filters, image) = (3, &self.input[3 + MATRIX..][..4 * width * depth]);
                let kernel = &self.input[3..][..filters * window.patch_len()];
                let layer = Conv2d::<f32>::new(window, kernel, &[0.5, -0.5, 0.0], Clamp::<f32>::RELU, 0.0);
                let (y, patch) = self.output.split_at_mut(MATRIX);
                layer.forward(image, patch, &mut y[..filters * window.positions()]);
            }
        }
        done(0);
    }
}
