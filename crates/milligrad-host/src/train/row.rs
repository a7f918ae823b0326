//! Inputs as training reads them: in random order, faster than memory delivers floats.

use super::arch;
use super::kernels::vectorized;
use super::real::Real;
use crate::graph::Normalize;

/// Inputs of samples that were whole numbers from 0 to 255 before they were normalised: a quarter of the memory's work.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bytes {
    values: Vec<u8>,
    normalize: Normalize,
}

impl Bytes {
    /// `None` if one of the numbers is no byte.
    pub(super) fn of(numbers: &[f32], normalize: Normalize) -> Option<Self> {
        let is_byte = |&x: &f32| f32::from(x as u8).to_bits() == x.to_bits();
        numbers.iter().all(is_byte).then(|| {
            let mut values = Vec::with_capacity(numbers.len());
            arch::large_pages(&mut values);
            values.extend(numbers.iter().map(|&x| x as u8));
            Self { values, normalize }
        })
    }

    /// The samples with these indices, in this order.
    pub(super) fn select(&self, samples: &[usize], width: usize) -> Self {
        let values = samples.iter().flat_map(|s| &self.values[s * width..(s + 1) * width]).copied().collect();
        Self { values, ..*self }
    }

    pub(super) fn row(&self, sample: usize, width: usize) -> Row<'_> {
        Row::Bytes(&self.values[sample * width..(sample + 1) * width], self.normalize)
    }
}

/// A sample's inputs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Row<'a> {
    Floats(&'a [f32]),
    /// Before they were normalised.
    Bytes(&'a [u8], Normalize),
}

impl Row<'_> {
    /// The inputs; the same bits whatever they are kept as.
    #[inline]
    pub(crate) fn write<F: Real>(self, to: &mut [F]) {
        match self {
            Self::Floats(row) => to.iter_mut().zip(row).for_each(|(to, &x)| *to = F::from_f32(x)),
            Self::Bytes(row, normalize) => vectorized!({
                for (to, &byte) in to.iter_mut().zip(row) {
                    *to = F::from_f32(normalize.apply(f32::from(byte)));
                }
            }),
        }
    }

    /// Has them brought near.
    pub(crate) fn prefetch(self) {
        match self {
            Self::Floats(row) => prefetch(row),
            Self::Bytes(row, _) => prefetch(row),
        }
    }
}

fn prefetch<T>(row: &[T]) {
    const LINE: usize = 64;
    (0..row.len()).step_by(LINE / size_of::<T>()).for_each(|at| arch::prefetch_far(row, at));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_give_the_bits_of_floats() {
        let numbers: Vec<f32> = (0..=255u8).map(f32::from).collect();
        for (scale, offset) in [(1.0 / 255.0, 0.0), (1.0, 0.0), (1.0 / 128.0, -1.0), (0.0113, -0.42)] {
            let normalize = Normalize { scale, offset };
            let floats: Vec<f32> = numbers.iter().map(|x| x * scale + offset).collect();
            let bytes = Bytes::of(&numbers, normalize).unwrap();
            let mut read = [[0.0f32; 64]; 2];
            for sample in 0..4 {
                let part = sample * 64..(sample + 1) * 64;
                bytes.row(sample, 64).write(&mut read[0]);
                Row::Floats(&floats[part]).write(&mut read[1]);
                assert_eq!(read[0].map(f32::to_bits), read[1].map(f32::to_bits));
                assert_eq!(bytes.select(&[sample], 64).values, bytes.values[sample * 64..][..64]);
            }
        }
    }

    #[test]
    fn what_is_no_byte_stays_a_float() {
        for number in [0.5, -1.0, -0.0, 256.0, 1e30] {
            assert_eq!(Bytes::of(&[0.0, number], Normalize { scale: 1.0, offset: 0.0 }), None);
        }
    }
}
