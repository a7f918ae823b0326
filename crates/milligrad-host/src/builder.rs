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

use crate::Result;
use crate::graph::{Activation, Graph, Normalize, Window};
use milligrad::Padding;

/// A tensor of a model in the making: the input, or the output of a layer. Valid in the builder that gave it and
/// its continuations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Handle(usize);

/// Height and width; a single number stands for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent([usize; 2]);

impl From<usize> for Extent {
    fn from(both: usize) -> Self {
        Self([both; 2])
    }
}

impl From<[usize; 2]> for Extent {
    fn from(height_width: [usize; 2]) -> Self {
        Self(height_width)
    }
}

/// What a layer is; its shapes follow from its input.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Dense { units: usize },
    Conv2d { filters: usize, window: Window },
    DepthwiseConv2d { multiplier: usize, window: Window },
    MaxPool2d { window: Window },
    AvgPool2d { window: Window },
    GlobalAvgPool2d,
    Flatten,
    Activation(Activation),
    Softmax,
    Add,
    BatchNorm { epsilon: f32, momentum: f32 },
    Dropout { rate: f32 },
}

impl Kind {
    fn window(&mut self) -> Option<&mut Window> {
        match self {
            Self::Conv2d { window, .. }
            | Self::DepthwiseConv2d { window, .. }
            | Self::MaxPool2d { window }
            | Self::AvgPool2d { window } => Some(window),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Layer {
    name: Option<String>,
    kind: Kind,
    inputs: Vec<Handle>,
    /// An option was given that this layer does not have.
    misuse: Option<String>,
}

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
    /// A model that takes inputs of this shape: `[height, width, channels]` or `[features]`.
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
        self.layer(Kind::Conv2d { filters, window: window(kernel, 1) })
    }

    /// Convolution of each channel by itself.
    pub fn depthwise_conv2d(self, kernel: impl Into<Extent>) -> Self {
        self.layer(Kind::DepthwiseConv2d { multiplier: 1, window: window(kernel, 1) })
    }

    /// Largest element of each window; the windows lie side by side unless strides are given.
    pub fn max_pool2d(self, kernel: impl Into<Extent>) -> Self {
        let kernel = kernel.into();
        self.layer(Kind::MaxPool2d { window: window(kernel, kernel) })
    }

    /// Mean of each window; the windows lie side by side unless strides are given.
    pub fn avg_pool2d(self, kernel: impl Into<Extent>) -> Self {
        let kernel = kernel.into();
        self.layer(Kind::AvgPool2d { window: window(kernel, kernel) })
    }

    /// Mean of each channel: `[1, 1, channels]`.
    pub fn global_avg_pool2d(self) -> Self {
        self.layer(Kind::GlobalAvgPool2d)
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

    /// Adds a tensor that was made before, of the same shape.
    #[expect(clippy::should_implement_trait, reason = "the layer is called so")]
    pub fn add(self, other: Handle) -> Self {
        let inputs = vec![self.at, other];
        self.layer_of(Kind::Add, inputs)
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

    // Options of the layer made last

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

    /// Checks the layers and makes the graph, whose initial weights (Glorot's uniform ones; biases are zero) depend on
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
        self.layer_of(kind, inputs)
    }

    fn layer_of(mut self, kind: Kind, inputs: Vec<Handle>) -> Self {
        self.layers.push(Layer { name: None, kind, inputs, misuse: None });
        self.at = Handle(self.layers.len());
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
