//! The digits that the host crate ships: 8x8 images and their labels.

use std::io::Read;
use std::path::Path;

/// All 1,797 images, with pixels from 0 to 1.
pub(crate) fn samples() -> Vec<(Vec<f32>, usize)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../milligrad-host/data/digits.csv.gz");
    let file = std::fs::File::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let sample = |line: &str| {
        let mut numbers: Vec<usize> = line.split(',').map(|n| n.parse().unwrap()).collect();
        let label = numbers.pop().unwrap();
        (numbers.into_iter().map(|n| n as f32 / 16.0).collect(), label)
    };
    text.lines().map(sample).collect()
}
