//! What every exported model offers, so that a firmware, a test or a benchmark can be written once for all.
//!
//! The exporter prints a `Network` struct that holds all the RAM of a model (arena and, where it learns,
//! parameters) and implements [`Model`], [`Learner`] where training was asked for, and [`BatchLearner`] where batches were. Applications
//! usually call the inherent methods, which take and return arrays: `input()` and `predict()` of a model with one of
//! each, an accessor for each input and a struct of outputs where there are several.

use crate::{Evaluation, Target, TargetKind, TrainError};

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

/// An input or output of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Port {
    /// `input` and `output` where there is one of each, else what tells it from the others.
    pub name: &'static str,
    /// Extents of one sample: `[height, width, channels]` or `[features]`.
    pub shape: &'static [usize],
}

impl Port {
    /// Number of elements.
    pub const fn len(&self) -> usize {
        let (mut len, mut axis) = (1, 0);
        while axis < self.shape.len() {
            len *= self.shape[axis];
            axis += 1;
        }
        len
    }

    /// `true` if an extent is zero.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Elements of an input or output of any type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Elements<'a> {
    /// Of an int8 model.
    I8(&'a [i8]),
    /// Of a model in 16-bit fixed point.
    I16(&'a [i16]),
    /// Of a float model.
    F32(&'a [f32]),
}

/// As [`Elements`], to write to.
#[derive(Debug, PartialEq)]
pub enum ElementsMut<'a> {
    /// Of an int8 model.
    I8(&'a mut [i8]),
    /// Of a model in 16-bit fixed point.
    I16(&'a mut [i16]),
    /// Of a float model.
    F32(&'a mut [f32]),
}

impl Elements<'_> {
    /// Number of elements.
    pub const fn len(&self) -> usize {
        match self {
            Self::I8(elements) => elements.len(),
            Self::I16(elements) => elements.len(),
            Self::F32(elements) => elements.len(),
        }
    }

    /// `true` if there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the elements, little-endian; what does not fit is dropped. Returns the bytes that they take.
    pub fn to_le(&self, bytes: &mut [u8]) -> usize {
        match self {
            Self::I8(elements) => write(elements, bytes),
            Self::I16(elements) => write(elements, bytes),
            Self::F32(elements) => write(elements, bytes),
        }
    }
}

impl ElementsMut<'_> {
    /// Number of elements.
    pub const fn len(&self) -> usize {
        match self {
            Self::I8(elements) => elements.len(),
            Self::I16(elements) => elements.len(),
            Self::F32(elements) => elements.len(),
        }
    }

    /// `true` if there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads the elements from little-endian bytes; those for which there are no bytes stay. Returns the bytes that all of
    /// them take.
    pub fn set_le(&mut self, bytes: &[u8]) -> usize {
        match self {
            Self::I8(elements) => read(bytes, elements),
            Self::I16(elements) => read(bytes, elements),
            Self::F32(elements) => read(bytes, elements),
        }
    }
}

fn write<E: Element>(elements: &[E], bytes: &mut [u8]) -> usize {
    bytes.chunks_mut(E::BYTES).zip(elements).for_each(|(bytes, element)| element.to_le(bytes));
    size_of_val(elements)
}

fn read<E: Element>(bytes: &[u8], elements: &mut [E]) -> usize {
    elements.iter_mut().zip(bytes.chunks(E::BYTES)).for_each(|(element, bytes)| *element = E::from_le(bytes));
    size_of_val(elements)
}

/// A network that predicts.
pub trait Model {
    /// Name given at export.
    const NAME: &'static str;
    /// Names of the executed layers, in the order in which `predict_with` reports them.
    const LAYERS: &'static [&'static str];
    /// What goes in.
    const INPUTS: &'static [Port];
    /// What comes out.
    const OUTPUTS: &'static [Port];

    /// The place where the next input of this number goes, in HWC order; nothing from [`INPUTS`](Self::INPUTS)`.len()` on.
    /// Prediction may overwrite it.
    fn input_at(&mut self, index: usize) -> ElementsMut<'_>;

    /// The output of this number, as the last prediction left it; nothing from [`OUTPUTS`](Self::OUTPUTS)`.len()` on.
    fn output_at(&self, index: usize) -> Elements<'_>;

    /// Runs the network on what its inputs hold and calls `done(i)` after layer `i`.
    fn run_with(&mut self, done: impl FnMut(usize));

    /// Runs the network on what its inputs hold.
    fn run(&mut self) {
        self.run_with(|_| {});
    }
}

/// A network that also learns, one labelled sample at a time.
pub trait Learner: Model {
    /// The update rule that was chosen at export, [`Sgd`](crate::Sgd) say.
    type Optimizer;
    /// The target that it takes.
    const TARGET: TargetKind;

    /// One step of gradient descent on what the input holds: forward, deltas, check, apply. Returns the loss before the
    /// update. A step that is refused has changed no parameter.
    ///
    /// # Errors
    /// `LabelOutOfRange`, `Unlabelled` and `WrongTarget` for a target that is none, `NotFinite` for a loss that is NaN or
    /// infinite; of a network with a guard, what the guard says.
    fn train_step(&mut self, target: Target<'_>, optimizer: &Self::Optimizer) -> Result<f32, TrainError>;

    /// How well it does on what the input holds. Changes no parameter.
    ///
    /// # Errors
    /// Those of [`train_step`](Self::train_step) for the target.
    fn evaluate(&mut self, target: Target<'_>) -> Result<Evaluation, TrainError>;

    /// Calls `visit(name, values)` for every trainable parameter, in a fixed order. Those in fixed point come as floats, a part of
    /// a parameter at a time: several calls of the same name, one after the other.
    fn parameters(&self, visit: impl FnMut(&'static str, &[f32]));
}

/// A learner that was exported with batches: it can take one step for several samples, by the mean of their gradients.
pub trait BatchLearner: Learner {
    /// Adds the gradients of what the input holds to those of the batch; returns the loss.
    ///
    /// # Errors
    /// Those of [`train_step`](Learner::train_step), and `NotFinite` for an input or a delta. Nothing is added then.
    fn accumulate(&mut self, target: Target<'_>) -> Result<f32, TrainError>;

    /// Updates by the mean of the batch and begins a new one. Returns how many samples there were.
    ///
    /// # Errors
    /// Of a network with a guard, what the guard says: no parameter has changed then, and the batch is dropped.
    fn apply(&mut self, optimizer: &Self::Optimizer) -> Result<usize, TrainError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_travel_as_bytes() {
        let (mut int8, mut float) = ([0_i8; 2], [0.0_f32, 7.0]);
        assert_eq!(ElementsMut::I8(&mut int8).set_le(&[255, 3, 9]), 2);
        assert_eq!(ElementsMut::F32(&mut float).set_le(&1.5_f32.to_le_bytes()), 8);
        assert_eq!((int8, float), ([-1, 3], [1.5, 7.0]));
        let mut bytes = [0; 5];
        assert_eq!(Elements::F32(&float).to_le(&mut bytes), 8);
        assert_eq!((&bytes[..4], bytes[4]), (&1.5_f32.to_le_bytes()[..], 0));
        assert_eq!(Port { name: "image", shape: &[2, 3, 4] }.len(), 24);
    }
}
