//! What every exported model offers, so that a firmware, a test or a benchmark can be written once for all.
//!
//! The exporter prints a `Network` struct that holds all the RAM of a model (arena and, where it learns,
//! parameters) and implements [`Model`], and [`Learner`] where training was asked for. Applications
//! usually call the inherent methods of the same names, which take and return arrays instead of slices.

use crate::TrainError;

/// A number as it travels in files and over wires: little-endian.
pub trait Element: Copy + Default + 'static {
    /// Bytes of one element.
    const BYTES: usize;
    /// Reads an element from its first [`BYTES`](Self::BYTES) bytes; missing bytes count as zero.
    fn from_le(bytes: &[u8]) -> Self;
    /// Writes the element; bytes that do not fit are dropped.
    fn to_le(self, bytes: &mut [u8]);
}

macro_rules! element {
    ($($t:ty),*) => {$(
        impl Element for $t {
            const BYTES: usize = size_of::<$t>();
            fn from_le(bytes: &[u8]) -> Self {
                let mut raw = [0; size_of::<$t>()];
                raw.iter_mut().zip(bytes).for_each(|(to, &from)| *to = from);
                <$t>::from_le_bytes(raw)
            }
            fn to_le(self, bytes: &mut [u8]) {
                bytes.iter_mut().zip(self.to_le_bytes()).for_each(|(to, from)| *to = from);
            }
        }
    )*};
}
element!(i8, i16, f32);

/// A network that predicts.
pub trait Model {
    /// Element of the input: `i8` for int8 models, `f32` for float models.
    type Input: Element;
    /// Element of the output.
    type Output: Element;
    /// Name given at export.
    const NAME: &'static str;
    /// Names of the executed layers, in the order in which `predict_with` reports them.
    const LAYERS: &'static [&'static str];
    /// Number of input elements.
    const INPUTS: usize;
    /// Number of output elements.
    const OUTPUTS: usize;

    /// The place where the next input goes, [`INPUTS`](Self::INPUTS) elements in HWC order. Prediction
    /// may overwrite it.
    fn input(&mut self) -> &mut [Self::Input];

    /// Runs the network on what [`input`](Self::input) holds and calls `done(i)` after layer `i`.
    fn predict_with(&mut self, done: impl FnMut(usize)) -> &[Self::Output];

    /// Runs the network on what [`input`](Self::input) holds.
    fn predict(&mut self) -> &[Self::Output] {
        self.predict_with(|_| {})
    }
}

/// A network that also learns, one labelled sample at a time.
pub trait Learner: Model {
    /// The update rule that was chosen at export, [`Sgd`](crate::Sgd) say.
    type Optimizer;

    /// One step of gradient descent on what [`input`](Model::input) holds: forward, deltas, check, apply.
    /// Returns the loss before the update. A step that is refused has changed no parameter.
    ///
    /// # Errors
    /// `LabelOutOfRange` for a label that is no class, `NotFinite` for a loss that is NaN or infinite.
    fn train_step(&mut self, label: usize, optimizer: &Self::Optimizer) -> Result<f32, TrainError>;

    /// Calls `visit(name, values)` for every trainable parameter, in a fixed order.
    fn parameters(&self, visit: impl FnMut(&'static str, &[f32]));
}
