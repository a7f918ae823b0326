//! Models in a few lines of Rust.
//!
//! ```
//! use milligrad_host::builder::Builder;
//!
//! let graph = Builder::new("digits-cnn", &[8, 8, 1])
//!     .conv2d(8, 3).same().relu()
//!     .max_pool2d(2)
//!     .flatten()
//!     .dense(10).softmax()
//!     .build(0)?;
//! assert_eq!(graph.parameters(), (8 * 9 + 8) + (128 * 10 + 10));
//! # Ok::<(), milligrad_host::Error>(())
//! ```
//!
//! Layers follow each other. [`Builder::here`] keeps a handle of the tensor made last, to [add](Builder::add) it
//! later (a residual connection) or to [go on from it](Builder::from) (a branch):
//!
//! ```
//! # use milligrad_host::builder::Builder;
//! let block = Builder::new("residual", &[8, 8, 4]);
//! let skip = block.here();
//! let graph = block.conv2d(4, 3).same().relu().conv2d(4, 3).same().add(skip).relu().build(0)?;
//! # Ok::<(), milligrad_host::Error>(())
//! ```

mod assemble;
mod layer;

pub use layer::{Border, Extent};

use crate::Result;
use crate::graph::{Activation, Graph, Normalize, Regularizer, Window};
use crate::train::Initializer;
use layer::{Kind, Layer, Options};
use milligrad::Padding;

/// A tensor of a model in the making: the input, or the output of a layer. Valid in the builder that gave it and
/// its continuations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Handle(usize);

/// Collects layers; [`build`](Self::build) checks them and makes the graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Builder {
    name: String,
    input: Vec<usize>,
    classes: Vec<String>,
    normalize: Normalize,
    layers: Vec<Layer>,
    at: Handle,
}

impl Builder {
    /// A model that takes inputs of this shape: `[height, width, channels]`, `[length, channels]` or `[features]`.
    pub fn new(name: impl Into<String>, input: &[usize]) -> Self {
        Self {
            name: name.into(),
            input: input.to_vec(),
            classes: Vec::new(),
            normalize: Normalize::default(),
            layers: Vec::new(),
            at: Handle(0),
        }
    }

    /// Names of the classes, one for each output.
    pub fn classes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.classes = names.into_iter().map(Into::into).collect();
        self
    }

    /// What raw inputs are multiplied with, and what is then added.
    pub fn normalize(mut self, scale: f32, offset: f32) -> Self {
        self.normalize = Normalize { scale, offset };
        self
    }

    // Layers

    /// `W x + b` with `units` outputs. Takes an image flat.
    pub fn dense(self, units: usize) -> Self {
        self.layer(Kind::Dense { units })
    }

    /// Convolution; without padding and with stride 1 unless told otherwise.
    pub fn conv2d(self, filters: usize, kernel: impl Into<Extent>) -> Self {
        self.over(3, Kind::Conv2d { filters, window: window(kernel, 1) })
    }

    /// Convolution over `[length, channels]`; without padding and with stride 1 unless told otherwise.
    pub fn conv1d(self, filters: usize, kernel: usize) -> Self {
        self.over(2, Kind::Conv2d { filters, window: window([1, kernel], 1) })
    }

    /// Convolution of each channel by itself.
    pub fn depthwise_conv2d(self, kernel: impl Into<Extent>) -> Self {
        self.over(3, Kind::DepthwiseConv2d { multiplier: 1, window: window(kernel, 1) })
    }

    /// Convolution of each channel of `[length, channels]` by itself.
    pub fn depthwise_conv1d(self, kernel: usize) -> Self {
        self.over(2, Kind::DepthwiseConv2d { multiplier: 1, window: window([1, kernel], 1) })
    }

    /// The pointwise half of a separable convolution, after its depthwise half, which has no bias:
    /// `depthwise_conv2d(kernel).without_bias().pointwise(filters)`.
    pub fn pointwise(self, filters: usize) -> Self {
        let rank = self.layers.last().and_then(|layer| layer.rank).unwrap_or(3);
        self.over(rank, Kind::Conv2d { filters, window: window(1, 1) })
    }

    /// Separable convolution: each channel by itself, without bias, then a mixture of them. Options that follow are those
    /// of the mixture; for a stride or padding write both halves (see [`pointwise`](Self::pointwise)).
    pub fn separable_conv2d(self, filters: usize, kernel: impl Into<Extent>) -> Self {
        self.depthwise_conv2d(kernel).without_bias().pointwise(filters)
    }

    /// The same over `[length, channels]`.
    pub fn separable_conv1d(self, filters: usize, kernel: usize) -> Self {
        self.depthwise_conv1d(kernel).without_bias().pointwise(filters)
    }

    /// Largest element of each window; the windows lie side by side unless strides are given.
    pub fn max_pool2d(self, kernel: impl Into<Extent>) -> Self {
        let kernel = kernel.into();
        self.over(3, Kind::MaxPool2d { window: window(kernel, kernel) })
    }

    /// Largest element of each window over `[length, channels]`.
    pub fn max_pool1d(self, size: usize) -> Self {
        self.over(2, Kind::MaxPool2d { window: window([1, size], [1, size]) })
    }

    /// Mean of each window; the windows lie side by side unless strides are given.
    pub fn avg_pool2d(self, kernel: impl Into<Extent>) -> Self {
        let kernel = kernel.into();
        self.over(3, Kind::AvgPool2d { window: window(kernel, kernel) })
    }

    /// Mean of each window over `[length, channels]`.
    pub fn avg_pool1d(self, size: usize) -> Self {
        self.over(2, Kind::AvgPool2d { window: window([1, size], [1, size]) })
    }

    /// Mean of each channel: `[1, 1, channels]`.
    pub fn global_avg_pool2d(self) -> Self {
        self.over(3, Kind::GlobalAvgPool2d)
    }

    /// Mean of each channel of `[length, channels]`: `[1, channels]`.
    pub fn global_avg_pool1d(self) -> Self {
        self.over(2, Kind::GlobalAvgPool2d)
    }

    /// Largest element of each channel: `[1, 1, channels]`.
    pub fn global_max_pool2d(self) -> Self {
        self.over(3, Kind::GlobalMaxPool2d)
    }

    /// Largest element of each channel of `[length, channels]`: `[1, channels]`.
    pub fn global_max_pool1d(self) -> Self {
        self.over(2, Kind::GlobalMaxPool2d)
    }

    /// A border of zeros around an image: a number for all sides, `[rows, columns]`, or `[[top, bottom], [left, right]]`.
    pub fn zero_padding2d(self, border: impl Into<Border>) -> Self {
        self.over(3, Kind::ZeroPadding { border: border.into() })
    }

    /// Zeros before and after `[length, channels]`.
    pub fn zero_padding1d(self, [before, after]: [usize; 2]) -> Self {
        self.over(2, Kind::ZeroPadding { border: Border([[0; 2], [before, after]]) })
    }

    /// The same values with other extents.
    pub fn reshape(self, shape: &[usize]) -> Self {
        self.layer(Kind::Reshape { shape: shape.to_vec() })
    }

    /// The same values as one axis.
    pub fn flatten(self) -> Self {
        self.layer(Kind::Flatten)
    }

    /// Batch normalisation with Keras' defaults, epsilon 0.001 and momentum 0.99.
    pub fn batch_norm(self) -> Self {
        self.batch_norm_with(1e-3, 0.99)
    }

    /// Batch normalisation; `momentum` is how much of the moving statistics a batch keeps.
    pub fn batch_norm_with(self, epsilon: f32, momentum: f32) -> Self {
        self.layer(Kind::BatchNorm { epsilon, momentum })
    }

    /// Drops this share of the values while training.
    pub fn dropout(self, rate: f32) -> Self {
        self.layer(Kind::Dropout { rate })
    }

    /// Adds normal noise of this standard deviation while training.
    pub fn gaussian_noise(self, stddev: f32) -> Self {
        self.layer(Kind::GaussianNoise { stddev })
    }

    /// Multiplies by a tensor that was made before, of the same shape or repeated along axes where it has extent 1.
    pub fn multiply(self, other: Handle) -> Self {
        let inputs = vec![self.at, other];
        self.layer_of(Kind::Multiply, inputs, None)
    }

    /// Puts tensors that were made before behind this one, along the last axis.
    pub fn concat(self, others: &[Handle]) -> Self {
        let inputs = [&[self.at], others].concat();
        self.layer_of(Kind::Concat { axis: None }, inputs, None)
    }

    /// Puts tensors that were made before behind this one, along this axis.
    pub fn concat_along(self, axis: usize, others: &[Handle]) -> Self {
        let inputs = [&[self.at], others].concat();
        self.layer_of(Kind::Concat { axis: Some(axis) }, inputs, None)
    }

    /// Adds a tensor that was made before, of the same shape.
    #[expect(clippy::should_implement_trait, reason = "the layer is called so")]
    pub fn add(self, other: Handle) -> Self {
        let inputs = vec![self.at, other];
        self.layer_of(Kind::Add, inputs, None)
    }

    /// `e^x[i] / Σ e^x[j]`
    pub fn softmax(self) -> Self {
        self.layer(Kind::Softmax)
    }

    /// An activation. A range (ReLU, ReLU6) becomes part of the Dense, convolution or Add before it if nothing else
    /// reads that layer's output; others are layers of their own.
    pub fn activation(self, activation: Activation) -> Self {
        self.layer(Kind::Activation(activation))
    }

    /// `max(x, 0)`
    pub fn relu(self) -> Self {
        self.activation(Activation::Relu)
    }

    /// `min(max(x, 0), 6)`
    pub fn relu6(self) -> Self {
        self.activation(Activation::Relu6)
    }

    /// `x` where positive, else `alpha x`
    pub fn leaky_relu(self, alpha: f32) -> Self {
        self.activation(Activation::LeakyRelu { alpha })
    }

    /// `1 / (1 + e⁻ˣ)`
    pub fn sigmoid(self) -> Self {
        self.activation(Activation::Sigmoid)
    }

    /// `tanh x`
    pub fn tanh(self) -> Self {
        self.activation(Activation::Tanh)
    }

    /// `x` where positive, else `alpha (eˣ - 1)`
    pub fn elu(self, alpha: f32) -> Self {
        self.activation(Activation::Elu { alpha })
    }

    /// `x min(max(x + 3, 0), 6) / 6`
    pub fn hard_swish(self) -> Self {
        self.layer(Kind::HardSwish)
    }

    // Options of the layer made last

    /// How the weights start; Glorot's uniform unless given.
    pub fn init(self, init: Initializer) -> Self {
        self.with_options("init", |options| options.init = init)
    }

    /// How the bias starts; zeros unless given.
    pub fn bias_init(self, init: Initializer) -> Self {
        self.with_options("bias_init", |options| options.bias_init = init)
    }

    /// What the weights add to the loss.
    pub fn regularizer(self, regularizer: Regularizer) -> Self {
        self.with_options("regularizer", |options| options.regularizer = regularizer)
    }

    /// What the bias adds to the loss.
    pub fn bias_regularizer(self, regularizer: Regularizer) -> Self {
        self.with_options("bias_regularizer", |options| options.bias_regularizer = regularizer)
    }

    /// No bias: it stays 0.
    pub fn without_bias(self) -> Self {
        self.with_options("use_bias", |options| options.bias = false)
    }

    /// Names the layer; without, layers are called `conv2d`, `conv2d_1`, ...
    pub fn named(mut self, name: impl Into<String>) -> Self {
        if let Some(layer) = self.layers.last_mut() {
            layer.name = Some(name.into());
        }
        self
    }

    /// Pads so that `out = ceil(in / stride)`.
    pub fn same(self) -> Self {
        self.padding(Padding::Same)
    }

    /// Pads in this way.
    pub fn padding(self, padding: Padding) -> Self {
        self.with_window("padding", |window| window.padding = padding)
    }

    /// Moves the window by so many pixels.
    pub fn strides(self, strides: impl Into<Extent>) -> Self {
        let Extent(strides) = strides.into();
        self.with_window("strides", |window| window.stride = strides)
    }

    /// Takes taps that lie so many pixels apart.
    pub fn dilation(self, dilation: impl Into<Extent>) -> Self {
        let Extent(dilation) = dilation.into();
        self.with_window("dilation", |window| window.dilation = dilation)
    }

    /// Output channels for each input channel of a depthwise convolution; 1 unless given.
    pub fn multiplier(mut self, channels: usize) -> Self {
        match self.layers.last_mut() {
            Some(Layer { kind: Kind::DepthwiseConv2d { multiplier, .. }, .. }) => *multiplier = channels,
            Some(layer) => layer.misuse = Some("`multiplier` is an option of DepthwiseConv2d".into()),
            None => {}
        }
        self
    }

    // Branches

    /// The tensor made last.
    pub fn here(&self) -> Handle {
        self.at
    }

    /// The next layer reads this tensor.
    pub fn from(mut self, tensor: Handle) -> Self {
        self.at = tensor;
        self
    }

    /// Checks the layers and makes the graph, whose initial weights (Glorot's uniform ones and zero biases, unless told otherwise) depend on
    /// the seed alone.
    ///
    /// # Errors
    /// [`Error::Graph`](crate::Error::Graph) names the layer whose geometry or options are wrong.
    pub fn build(&self, seed: u64) -> Result<Graph> {
        assemble::assemble(self, seed)
    }

    /// The output of the layer that the graph will call so.
    pub fn position(&self, name: &str) -> Option<Handle> {
        let names = assemble::names(&self.layers);
        names.iter().position(|candidate| candidate.as_deref() == Some(name)).map(|index| Handle(index + 1))
    }

    fn layer(self, kind: Kind) -> Self {
        let inputs = vec![self.at];
        self.layer_of(kind, inputs, None)
    }

    /// A layer over an image (3 axes) or a series (2).
    fn over(self, rank: usize, kind: Kind) -> Self {
        let inputs = vec![self.at];
        self.layer_of(kind, inputs, Some(rank))
    }

    fn layer_of(mut self, kind: Kind, inputs: Vec<Handle>, rank: Option<usize>) -> Self {
        self.layers.push(Layer { name: None, kind, inputs, options: Options::default(), rank, misuse: None });
        self.at = Handle(self.layers.len());
        self
    }

    fn with_options(mut self, option: &str, change: impl FnOnce(&mut Options)) -> Self {
        if let Some(layer) = self.layers.last_mut() {
            if layer.kind.has_parameters() {
                change(&mut layer.options);
            } else {
                layer.misuse = Some(format!("`{option}` is an option of layers with weights"));
            }
        }
        self
    }

    fn with_window(mut self, option: &str, change: impl FnOnce(&mut Window)) -> Self {
        if let Some(layer) = self.layers.last_mut() {
            match layer.kind.window() {
                Some(window) => change(window),
                None => layer.misuse = Some(format!("`{option}` is an option of convolutions and pooling")),
            }
        }
        self
    }
}

fn window(kernel: impl Into<Extent>, stride: impl Into<Extent>) -> Window {
    let (Extent(kernel), Extent(stride)) = (kernel.into(), stride.into());
    Window { kernel, stride, dilation: [1, 1], padding: Padding::Valid }
}
