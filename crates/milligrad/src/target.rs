//! What a network is to learn of a sample: its class, or values.

use crate::TrainError;

/// The label of a sample that has none: steps refuse it with [`TrainError::Unlabelled`], and change nothing.
pub const UNLABELLED: usize = usize::MAX;

/// What a sample's outputs should be.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Target<'a> {
    /// The index of the class, for networks that end in softmax, or 0 or 1 for one sigmoid.
    Class(usize),
    /// A value for each output, for all other networks.
    Values(&'a [f32]),
}

/// Which [`Target`] a network takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum TargetKind {
    /// A class below this.
    Class(usize),
    /// So many values.
    Values(usize),
}

impl Target<'_> {
    /// The class, which is below `classes`.
    ///
    /// # Errors
    /// `Unlabelled`, `LabelOutOfRange`, or `WrongTarget` for values.
    #[inline]
    pub fn class(self, classes: usize) -> Result<usize, TrainError> {
        match self {
            Self::Class(UNLABELLED) => Err(TrainError::Unlabelled),
            Self::Class(class) if class < classes => Ok(class),
            Self::Class(_) => Err(TrainError::LabelOutOfRange),
            Self::Values(_) => Err(TrainError::WrongTarget),
        }
    }

    /// The values; a class as 0 or 1 where there is one output.
    ///
    /// # Errors
    /// `Unlabelled`, `LabelOutOfRange` for a class over 1, or `WrongTarget` for another number of values.
    #[inline]
    pub fn values<const N: usize>(self) -> Result<[f32; N], TrainError> {
        match self {
            Self::Values(values) => values.try_into().map_err(|_| TrainError::WrongTarget),
            Self::Class(UNLABELLED) => Err(TrainError::Unlabelled),
            Self::Class(_) if N != 1 => Err(TrainError::WrongTarget),
            Self::Class(class @ (0 | 1)) => Ok([class as f32; N]),
            Self::Class(_) => Err(TrainError::LabelOutOfRange),
        }
    }
}

impl From<usize> for Target<'_> {
    fn from(class: usize) -> Self {
        Self::Class(class)
    }
}

impl From<Option<usize>> for Target<'_> {
    fn from(class: Option<usize>) -> Self {
        Self::Class(class.unwrap_or(UNLABELLED))
    }
}

impl<'a> From<&'a [f32]> for Target<'a> {
    fn from(values: &'a [f32]) -> Self {
        Self::Values(values)
    }
}

/// How well a network does on a sample, without learning from it.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Evaluation {
    /// The loss.
    pub loss: f32,
    /// Whether the class is right; `None` for values.
    pub hit: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_checked() {
        assert_eq!(Target::from(2).class(3), Ok(2));
        assert_eq!(Target::from(3).class(3), Err(TrainError::LabelOutOfRange));
        assert_eq!(Target::from(None).class(3), Err(TrainError::Unlabelled));
        assert_eq!(Target::from(&[1.0][..]).class(3), Err(TrainError::WrongTarget));
        assert_eq!(Target::from(&[1.0, 2.0][..]).values(), Ok([1.0, 2.0]));
        assert_eq!(Target::from(&[1.0][..]).values::<2>(), Err(TrainError::WrongTarget));
        assert_eq!(Target::from(1).values(), Ok([1.0]));
        assert_eq!(Target::from(2).values::<1>(), Err(TrainError::LabelOutOfRange));
        assert_eq!(Target::from(0).values::<2>(), Err(TrainError::WrongTarget));
        assert_eq!(Target::from(UNLABELLED).values::<1>(), Err(TrainError::Unlabelled));
    }
}
