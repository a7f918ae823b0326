//! One layer and a loss, as the gradient tests see them: forward and backward over flat vectors, in any float.

use milligrad::layers::{self, AvgPool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, dense};
use milligrad::{Clamp, Window2d, loss, math::Float};

/// Every layer that has a backward pass.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Layer {
    Dense { inputs: usize, outputs: usize },
    Conv2d { window: Window2d, filters: usize },
    DepthwiseConv2d { window: Window2d, multiplier: usize },
    MaxPool2d(Window2d),
    AvgPool2d(Window2d),
    Add(usize),
    LeakyRelu(usize, f64),
    Elu(usize, f64),
    Sigmoid(usize),
    Tanh(usize),
    Softmax(usize),
}

/// The four losses, with the activation that they expect.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Loss {
    MeanSquaredError,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    SparseCategoricalCrossEntropy,
}

/// Numbers of elements: inputs, weights, biases, outputs.
pub(crate) struct Sizes {
    pub(crate) x: usize,
    pub(crate) weights: usize,
    pub(crate) biases: usize,
    pub(crate) y: usize,
}

/// The input and the parameters, or the loss by each of them.
#[derive(Debug, Clone)]
pub(crate) struct Values<R> {
    pub(crate) x: Vec<R>,
    pub(crate) weights: Vec<R>,
    pub(crate) biases: Vec<R>,
}

impl<R> Values<R> {
    pub(crate) fn map<T>(&self, f: impl Fn(&R) -> T) -> Values<T> {
        let map = |values: &[R]| values.iter().map(&f).collect();
        Values { x: map(&self.x), weights: map(&self.weights), biases: map(&self.biases) }
    }
}

impl Layer {
    pub(crate) fn sizes(&self) -> Sizes {
        let sizes = |x, weights, biases, y| Sizes { x, weights, biases, y };
        match *self {
            Layer::Dense { inputs, outputs } => sizes(inputs, inputs * outputs, outputs, outputs),
            Layer::Conv2d { window: w, filters } => {
                sizes(w.input_len(), w.patch_len() * filters, filters, w.positions() * filters)
            }
            Layer::DepthwiseConv2d { window: w, multiplier } => {
                let outputs = w.input()[2] * multiplier;
                sizes(w.input_len(), w.taps() * outputs, outputs, w.positions() * outputs)
            }
            Layer::MaxPool2d(w) | Layer::AvgPool2d(w) => {
                sizes(w.input_len(), 0, 0, w.positions() * w.input()[2])
            }
            Layer::Add(n) => sizes(2 * n, 0, 0, n),
            Layer::LeakyRelu(n, _)
            | Layer::Elu(n, _)
            | Layer::Sigmoid(n)
            | Layer::Tanh(n)
            | Layer::Softmax(n) => sizes(n, 0, 0, n),
        }
    }

    pub(crate) fn forward<R: Float>(&self, v: &Values<R>, clamp: Clamp<f64>) -> Vec<R> {
        let output = convert(clamp);
        let mut y = vec![R::from_f64(f64::NAN); self.sizes().y];
        match *self {
            Layer::Dense { inputs, .. } => {
                Dense::<R>::new(inputs, &v.weights, &v.biases, output).forward(&v.x, &mut y);
            }
            Layer::Conv2d { window, .. } => {
                let layer = Conv2d::<R>::new(window, &v.weights, &v.biases, output, R::ZERO);
                layer.forward(&v.x, &mut patch(window), &mut y);
                if window.is_pointwise() {
                    let mut direct = y.clone();
                    layer.forward_pointwise(&v.x, &mut direct);
                    assert!(direct == y, "a pointwise convolution sums in the same order");
                }
            }
            Layer::DepthwiseConv2d { window, .. } => {
                let layer = DepthwiseConv2d::<R>::new(window, &v.weights, &v.biases, output, R::ZERO);
                layer.forward(&v.x, &mut patch(window), &mut y);
            }
            Layer::MaxPool2d(window) => MaxPool2d::<R>::new(window, output).forward(&v.x, &mut y),
            Layer::AvgPool2d(window) => AvgPool2d::<R>::new(window, output).forward(&v.x, &mut y),
            Layer::Add(n) => layers::add(&v.x[..n], &v.x[n..], &output, &mut y),
            Layer::LeakyRelu(_, alpha) => {
                y.copy_from_slice(&v.x);
                layers::leaky_relu(R::from_f64(alpha), &mut y);
            }
            Layer::Elu(_, alpha) => {
                y.copy_from_slice(&v.x);
                layers::elu(R::from_f64(alpha), &mut y);
            }
            Layer::Sigmoid(_) => {
                y.copy_from_slice(&v.x);
                layers::sigmoid(&mut y);
            }
            Layer::Tanh(_) => {
                y.copy_from_slice(&v.x);
                layers::tanh(&mut y);
            }
            Layer::Softmax(_) => {
                y.copy_from_slice(&v.x);
                layers::softmax(&mut y);
            }
        }
        y
    }

    /// The loss by input and parameters, from `delta`, the loss by the output `y`.
    pub(crate) fn backward<R: Float>(
        &self,
        v: &Values<R>,
        clamp: Clamp<f64>,
        y: &[R],
        mut delta: Vec<R>,
    ) -> Values<R> {
        let (output, sizes) = (convert(clamp), self.sizes());
        // Deltas start as NaN: a backward pass that forgets an element is seen.
        let mut dx = vec![R::from_f64(f64::NAN); sizes.x];
        let (mut dw, mut db) = (vec![R::ZERO; sizes.weights], vec![R::ZERO; sizes.biases]);
        match *self {
            Layer::Dense { inputs, .. } => {
                let layer = Dense::<R>::new(inputs, &v.weights, &v.biases, output);
                layer.backward_activation(y, &mut delta);
                layer.backward_input(&delta, &mut dx);
                dense::accumulate::<R>(&v.x, &delta, &mut dw, &mut db);
            }
            Layer::Conv2d { window, .. } => {
                let layer = Conv2d::<R>::new(window, &v.weights, &v.biases, output, R::ZERO);
                layer.backward_activation(y, &mut delta);
                layer.backward_input(&delta, &mut patch(window), &mut dx);
                layer.accumulate(&v.x, &delta, &mut patch(window), &mut dw, &mut db);
            }
            Layer::DepthwiseConv2d { window, .. } => {
                let layer = DepthwiseConv2d::<R>::new(window, &v.weights, &v.biases, output, R::ZERO);
                layer.backward_activation(y, &mut delta);
                layer.backward_input(&delta, &mut patch(window), &mut dx);
                layer.accumulate(&v.x, &delta, &mut patch(window), &mut dw, &mut db);
            }
            Layer::MaxPool2d(window) => {
                MaxPool2d::<R>::new(window, output).backward_input(&v.x, y, &delta, &mut dx);
            }
            Layer::AvgPool2d(window) => {
                let layer = AvgPool2d::<R>::new(window, output);
                layer.backward_activation(y, &mut delta);
                layer.backward_input(&delta, &mut dx);
            }
            Layer::Add(n) => {
                layers::clamp_backward(&output, y, &mut delta);
                dx[..n].copy_from_slice(&delta);
                dx[n..].copy_from_slice(&delta);
            }
            Layer::LeakyRelu(_, alpha) => layers::leaky_relu_backward(R::from_f64(alpha), y, &mut delta),
            Layer::Elu(_, alpha) => layers::elu_backward(R::from_f64(alpha), y, &mut delta),
            Layer::Sigmoid(_) => layers::sigmoid_backward(y, &mut delta),
            Layer::Tanh(_) => layers::tanh_backward(y, &mut delta),
            Layer::Softmax(_) => layers::softmax_backward(y, &mut delta),
        }
        if matches!(
            *self,
            Layer::LeakyRelu(..) | Layer::Elu(..) | Layer::Sigmoid(_) | Layer::Tanh(_) | Layer::Softmax(_)
        ) {
            dx = delta;
        }
        Values { x: dx, weights: dw, biases: db }
    }
}

impl Loss {
    pub(crate) const ALL: [Self; 4] = [
        Self::MeanSquaredError,
        Self::BinaryCrossEntropy,
        Self::CategoricalCrossEntropy,
        Self::SparseCategoricalCrossEntropy,
    ];

    /// The loss of the layer's outputs `y`; leaves the loss by each of them in their place. The label is the
    /// first number of `target`.
    pub(crate) fn apply<R: Float>(&self, y: &mut [R], target: &[f64]) -> R {
        let targets: Vec<R> = target.iter().map(|&t| R::from_f64(t)).collect();
        match self {
            Self::MeanSquaredError => loss::mean_squared_error(y, &targets),
            Self::BinaryCrossEntropy => {
                layers::sigmoid(y);
                loss::binary_cross_entropy(y, &targets)
            }
            Self::CategoricalCrossEntropy => {
                layers::softmax(y);
                // A distribution that sums to 1.3: its sum counts.
                let scale = R::from_f64(1.3 / target.iter().sum::<f64>());
                let targets: Vec<R> = targets.iter().map(|&t| t * scale).collect();
                loss::categorical_cross_entropy(y, &targets)
            }
            Self::SparseCategoricalCrossEntropy => {
                layers::softmax(y);
                let label = (target[0] * y.len() as f64) as usize;
                loss::sparse_categorical_cross_entropy(y, label.min(y.len() - 1)).unwrap()
            }
        }
    }
}

fn patch<R: Float>(window: Window2d) -> Vec<R> {
    vec![R::from_f64(f64::NAN); window.patch_len()]
}

fn convert<R: Float>(clamp: Clamp<f64>) -> Clamp<R> {
    Clamp { min: R::from_f64(clamp.min), max: R::from_f64(clamp.max) }
}
