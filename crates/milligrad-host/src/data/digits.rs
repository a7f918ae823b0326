//! The UCI handwritten digits, shipped with this crate: 1,797 images of 8 x 8 pixels, values 0 to 16.
//!
//! E. Alpaydin and C. Kaynak, 1998, <https://doi.org/10.24432/C50P49>, CC BY 4.0; see `data/README.md`.

use super::{Dataset, Parts, Share, Targets, file};
use crate::{Error, Result};

const PACKED: &[u8] = include_bytes!("../../data/digits.csv.gz");
const PIXELS: usize = 64;

/// Samples of the test part, of 1,797.
pub const TEST: usize = 360;

/// What brings the values to `0.0..=1.0`.
pub const SCALE: f32 = 1.0 / 16.0;

/// Training (1,437) and test part (360), stratified with seed 0: the same for everybody.
///
/// # Errors
/// Never: the data are part of the program.
pub fn load() -> Result<Parts> {
    Parts::of(all()?, Share::Count(TEST), 0)
}

/// All 1,797 samples in the order of the file.
///
/// # Errors
/// Never: the data are part of the program.
pub fn all() -> Result<Dataset> {
    let damaged = || Error::Data("the digits inside this program are damaged".into());
    let text = file::limited(flate2::read::GzDecoder::new(PACKED), file::LIMIT).map_err(|_| damaged())?;
    let text = std::str::from_utf8(&text).map_err(|_| damaged())?;
    let (mut inputs, mut labels) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let start = inputs.len();
        for (column, number) in line.split(',').enumerate() {
            let number: u8 = number.parse().map_err(|_| damaged())?;
            if column < PIXELS { inputs.push(f32::from(number)) } else { labels.push(u32::from(number)) }
        }
        if inputs.len() != start + PIXELS {
            return Err(damaged());
        }
    }
    let classes = (0..10).map(|digit| digit.to_string()).collect();
    Dataset::new("digits", &[8, 8, 1], inputs, Targets::Classes(labels), classes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_those_of_scikit_learn() {
        let data = all().unwrap();
        assert_eq!((data.len(), data.shape.as_slice()), (1797, &[8, 8, 1][..]));
        assert_eq!(data.class_counts(), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        assert_eq!(data.input(0)[..8], [0.0, 0.0, 5.0, 13.0, 9.0, 1.0, 0.0, 0.0]);
        assert_eq!(data.inputs.iter().sum::<f32>(), 561_718.0);
    }

    #[test]
    fn the_test_part_is_fixed() {
        let parts = load().unwrap();
        assert_eq!((parts.train.len(), parts.test.len()), (1437, 360));
        assert_eq!(parts.test.class_counts(), [36, 37, 35, 37, 36, 36, 36, 36, 35, 36]);
        // Published figures rest on this very split.
        let sum = parts.test.inputs.iter().zip(1u64..).map(|(&x, i)| x as u64 * (i % 1009)).sum::<u64>();
        assert_eq!(sum, 56_443_560);
    }
}
