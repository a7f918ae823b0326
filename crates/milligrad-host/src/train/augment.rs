//! Augmentation: every epoch sees each training sample a little changed.
//!
//! What happens to a sample depends on the seed, the epoch and the sample's index alone, so that a run gives the same
//! bytes with any number of threads, in any order of samples, interrupted and resumed or not. Values are those that
//! the network takes: brightness, noise and fill are in units of normalised inputs.
//!
//! Geometry of images is one affine map about the centre (as in Keras' `ImageDataGenerator`), read backwards with
//! bilinear interpolation; series are stretched along their first axis.

use super::random::{Pcg32, key};
use super::samples::Samples;
use super::threads;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// What lies beyond the edge of an image or series.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// The value at the edge.
    #[default]
    Nearest,
    /// This value.
    Constant(f32),
}

/// Largest changes; each sample draws its own, uniformly between minus and plus these. Zero changes nothing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Augment {
    /// Images: shift down and to the right, as a fraction of height and width.
    pub shift: [f32; 2],
    /// Images: rotation in degrees.
    pub rotate: f32,
    /// Images: shear in degrees.
    pub shear: f32,
    /// Images: magnification of `1 - zoom` to `1 + zoom`.
    pub zoom: f32,
    /// Images: left and right change places in half of all cases.
    pub flip_horizontal: bool,
    /// Images: top and bottom change places in half of all cases.
    pub flip_vertical: bool,
    /// Images: added to all values.
    pub brightness: f32,
    /// Images: distance from the mean is multiplied by `1 - contrast` to `1 + contrast`.
    pub contrast: f32,
    /// Images: side of a square that is blanked out, as a fraction of height and width.
    pub cut_out: f32,
    /// Standard deviation of normal noise on every value.
    pub noise: f32,
    /// Series: all values of a channel are multiplied by `1 - scale` to `1 + scale`.
    pub scale: f32,
    /// Series: shift in time, as a fraction of the length.
    pub time_shift: f32,
    /// Series: the middle is moved in time by up to this fraction of the length, both halves stretch.
    pub time_warp: f32,
    /// What lies beyond the edge.
    pub fill: Fill,
}

impl Augment {
    /// Checks that these changes make sense for samples of this shape.
    ///
    /// # Errors
    /// [`Error::Spec`] names the key.
    pub fn check(&self, shape: &[usize]) -> Result<()> {
        let amounts = [
            ("shift", self.shift[0].max(self.shift[1]), 1.0),
            ("shift", -self.shift[0].min(self.shift[1]), 0.0),
            ("rotate", self.rotate, 180.0),
            ("shear", self.shear, 80.0),
            ("zoom", self.zoom, 0.95),
            ("brightness", self.brightness, f32::MAX),
            ("contrast", self.contrast, 1.0),
            ("cut_out", self.cut_out, 1.0),
            ("noise", self.noise, f32::MAX),
            ("scale", self.scale, 1.0),
            ("time_shift", self.time_shift, 1.0),
            ("time_warp", self.time_warp, 0.45),
        ];
        for (name, amount, most) in amounts {
            let negative = amount < 0.0 && most != 0.0;
            if negative || amount > most || amount.is_nan() {
                return Err(Error::Spec(format!(
                    "augmentation `{name}` is {amount}; it must lie from 0 to {most}"
                )));
            }
        }
        if let Fill::Constant(x) = self.fill
            && !x.is_finite()
        {
            return Err(Error::Spec(format!("augmentation `fill` is {x}; it must be finite")));
        }
        if self.is_spatial() && (shape.len() != 3 || shape[0] < 2 || shape[1] < 2) {
            return Err(Error::Spec(format!(
                "shift, rotate, shear, zoom, flips and cut_out change images; inputs of shape {shape:?} are none \
                 (for series there are time_shift, time_warp, scale and noise)"
            )));
        }
        if (self.time_shift > 0.0 || self.time_warp > 0.0) && shape.first().is_none_or(|&time| time < 2) {
            return Err(Error::Spec(format!("inputs of shape {shape:?} have no time to shift or warp")));
        }
        Ok(())
    }

    fn is_affine(&self) -> bool {
        self.shift != [0.0; 2]
            || [self.rotate, self.shear, self.zoom] != [0.0; 3]
            || self.flip_horizontal
            || self.flip_vertical
    }

    fn is_spatial(&self) -> bool {
        self.is_affine() || self.cut_out > 0.0
    }

    /// The batch of these samples as this epoch sees it, in this order.
    ///
    /// # Panics
    /// If there is no such sample.
    pub fn batch(&self, samples: &Samples, indices: &[u32], seed: u64, epoch: usize) -> Samples {
        let order: Vec<usize> = indices.iter().map(|&i| i as usize).collect();
        let mut batch = samples.select(&order);
        let (width, shape) = (batch.width(), batch.shape().to_vec());
        let rows = batch.inputs_mut().chunks_exact_mut(width).zip(indices);
        threads::each(rows, |(row, &sample)| {
            let key = key(&[seed, epoch as u64, u64::from(sample), 2]);
            self.apply(row, &shape, &mut Pcg32::new(key));
        });
        batch
    }

    /// Changes one sample. What is drawn from `random` does not depend on the values.
    pub fn apply(&self, row: &mut [f32], shape: &[usize], random: &mut Pcg32) {
        if let [h, w, c] = *shape {
            if self.is_affine() {
                self.affine(row, [h, w, c], random);
            }
            if self.cut_out > 0.0 {
                self.cut_out(row, [h, w, c], random);
            }
        }
        if self.time_shift > 0.0 || self.time_warp > 0.0 {
            self.time(row, shape, random);
        }
        if self.scale > 0.0 {
            let channels = if shape.len() > 1 { shape[shape.len() - 1] } else { 1 };
            let factors: Vec<f32> = (0..channels).map(|_| 1.0 + between(random, self.scale)).collect();
            row.chunks_mut(channels).for_each(|row| row.iter_mut().zip(&factors).for_each(|(x, f)| *x *= f));
        }
        if self.contrast > 0.0 {
            let mean = (row.iter().map(|&x| f64::from(x)).sum::<f64>() / row.len().max(1) as f64) as f32;
            let factor = 1.0 + between(random, self.contrast);
            row.iter_mut().for_each(|x| *x = (*x - mean) * factor + mean);
        }
        if self.brightness > 0.0 {
            let more = between(random, self.brightness);
            row.iter_mut().for_each(|x| *x += more);
        }
        if self.noise > 0.0 {
            row.iter_mut().for_each(|x| *x += self.noise * random.normal());
        }
    }

    fn affine(&self, row: &mut [f32], [h, w, c]: [usize; 3], random: &mut Pcg32) {
        let down = between(random, self.shift[0]) * h as f32;
        let right = between(random, self.shift[1]) * w as f32;
        let (sin, cos) = between(random, self.rotate).to_radians().sin_cos();
        let shear = between(random, self.shear).to_radians().tan();
        let zoom = 1.0 + between(random, self.zoom);
        let mut flip = |wanted| if wanted && random.bits() >> 31 == 1 { -1.0 } else { 1.0 };
        let (flip_x, flip_y) = (flip(self.flip_horizontal), flip(self.flip_vertical));
        let (mid_y, mid_x) = ((h - 1) as f32 / 2.0, (w - 1) as f32 / 2.0);
        let from = row.to_vec();
        let at = |y: isize, x: isize, channel: usize| match self.fill {
            Fill::Constant(fill) if y < 0 || x < 0 || y >= h as isize || x >= w as isize => fill,
            _ => {
                let (y, x) = (y.clamp(0, h as isize - 1) as usize, x.clamp(0, w as isize - 1) as usize);
                from[(y * w + x) * c + channel]
            }
        };
        for (index, pixel) in row.chunks_exact_mut(c).enumerate() {
            // Where this pixel of the result comes from.
            let y = (index / w) as f32 - mid_y - down;
            let x = (index % w) as f32 - mid_x - right;
            let (y, x) = ((cos * y - sin * x) / zoom, (sin * y + cos * x) / zoom);
            let x = x + shear * y;
            let (y, x) = (y * flip_y + mid_y, x * flip_x + mid_x);
            let (top, left) = (y.floor(), x.floor());
            let (below, beside) = (y - top, x - left);
            let (top, left) = (top as isize, left as isize);
            for (channel, value) in pixel.iter_mut().enumerate() {
                let upper = mix(at(top, left, channel), at(top, left + 1, channel), beside);
                let lower = mix(at(top + 1, left, channel), at(top + 1, left + 1, channel), beside);
                *value = mix(upper, lower, below);
            }
        }
    }

    fn cut_out(&self, row: &mut [f32], [h, w, c]: [usize; 3], random: &mut Pcg32) {
        let side = |extent: usize| ((self.cut_out * extent as f32).round() as usize).clamp(1, extent);
        let (height, width) = (side(h), side(w));
        let top = random.below((h - height + 1) as u32) as usize;
        let left = random.below((w - width + 1) as u32) as usize;
        let fill = if let Fill::Constant(fill) = self.fill { fill } else { 0.0 };
        for line in row.chunks_exact_mut(w * c).skip(top).take(height) {
            line[left * c..(left + width) * c].fill(fill);
        }
    }

    /// Reads the series at other times: the middle moved, then all of it.
    fn time(&self, row: &mut [f32], shape: &[usize], random: &mut Pcg32) {
        let length = shape[0];
        let width = row.len() / length;
        let shift = between(random, self.time_shift) * length as f32;
        let middle = 0.5 + between(random, self.time_warp);
        let from = row.to_vec();
        let last = (length - 1) as f32;
        let at = |time: isize, column: usize| match self.fill {
            Fill::Constant(fill) if time < 0 || time >= length as isize => fill,
            _ => from[time.clamp(0, length as isize - 1) as usize * width + column],
        };
        for (time, values) in row.chunks_exact_mut(width).enumerate() {
            let t = time as f32 / last;
            let warped = if t < 0.5 { t * 2.0 * middle } else { middle + (t - 0.5) * 2.0 * (1.0 - middle) };
            let source = warped * last - shift;
            let before = source.floor();
            let part = source - before;
            for (column, value) in values.iter_mut().enumerate() {
                *value = mix(at(before as isize, column), at(before as isize + 1, column), part);
            }
        }
    }
}

/// Uniform between minus and plus `most`.
fn between(random: &mut Pcg32, most: f32) -> f32 {
    (2.0 * random.uniform() - 1.0) * most
}

fn mix(a: f32, b: f32, part: f32) -> f32 {
    a + (b - a) * part
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Targets;

    fn images(n: usize) -> Samples {
        let inputs = (0..n * 48).map(|i| (i * 7 % 31) as f32).collect();
        Samples::new(inputs, vec![4, 6, 2], Targets::Classes(vec![0; n])).unwrap()
    }

    fn everything() -> Augment {
        Augment {
            shift: [0.2, 0.1],
            rotate: 20.0,
            shear: 5.0,
            zoom: 0.2,
            flip_horizontal: true,
            flip_vertical: true,
            brightness: 0.1,
            contrast: 0.2,
            cut_out: 0.3,
            noise: 0.05,
            ..Augment::default()
        }
    }

    #[test]
    fn depends_on_seed_epoch_and_sample_alone() {
        let (augment, images) = (everything(), images(5));
        augment.check(&[4, 6, 2]).unwrap();
        let all = augment.batch(&images, &[0, 1, 2, 3, 4], 7, 3);
        let some = augment.batch(&images, &[4, 1], 7, 3);
        assert_eq!((some.input(0), some.input(1)), (all.input(4), all.input(1)));
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(one.install(|| augment.batch(&images, &[0, 1, 2, 3, 4], 7, 3)), all);
        assert_ne!(augment.batch(&images, &[0], 7, 4).input(0), all.input(0));
        assert_ne!(augment.batch(&images, &[0], 8, 3).input(0), all.input(0));
        assert_eq!(Augment::default().batch(&images, &[2], 7, 3).input(0), images.input(2));
    }

    #[test]
    fn images_move_as_they_should() {
        let image: Vec<f32> = (0..9).map(|x| x as f32).collect();
        let mut seen = std::collections::BTreeSet::new();
        let flip = Augment { flip_horizontal: true, ..Augment::default() };
        for seed in 0..20 {
            let mut row = image.clone();
            flip.apply(&mut row, &[3, 3, 1], &mut Pcg32::new(seed));
            seen.insert(row.iter().map(|&x| x as u32).collect::<Vec<_>>());
        }
        let mirrored = vec![2, 1, 0, 5, 4, 3, 8, 7, 6];
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [(0..9).collect(), mirrored]);
        // A shift by whole pixels, with constant fill, loses what it shifts out.
        let shift = Augment { shift: [1.0, 0.0], fill: Fill::Constant(-1.0), ..Augment::default() };
        let lost = |seed| {
            let mut row = image.clone();
            shift.apply(&mut row, &[3, 3, 1], &mut Pcg32::new(seed));
            let whole = |row: &[f32]| row.iter().all(|&x| x == -1.0);
            whole(&row[..3]) != whole(&row[6..])
        };
        assert!((0..20).any(lost));
        let hole = Augment { cut_out: 0.34, ..Augment::default() };
        let mut row = vec![1.0; 9];
        hole.apply(&mut row, &[3, 3, 1], &mut Pcg32::new(3));
        assert_eq!(row.iter().sum::<f32>(), 8.0);
        // A quarter turn and back again is what it was.
        let angle = Augment { rotate: 180.0, ..Augment::default() };
        let mut flat = vec![5.0; 9];
        angle.apply(&mut flat, &[3, 3, 1], &mut Pcg32::new(1));
        assert!(flat.iter().all(|&x| (x - 5.0).abs() < 1e-5));
    }

    #[test]
    fn series_stretch_and_keep_their_ends() {
        let series: Vec<f32> = (0..11).flat_map(|t| [t as f32, 10.0 - t as f32]).collect();
        let warp = Augment { time_warp: 0.3, ..Augment::default() };
        warp.check(&[11, 2]).unwrap();
        let mut row = series.clone();
        warp.apply(&mut row, &[11, 2], &mut Pcg32::new(5));
        assert_ne!(row, series);
        assert!(f32::abs(row[20] - 10.0) < 1e-5 && row[0] == 0.0 && (row[10] + row[11] - 10.0).abs() < 1e-4);
        assert!(
            row.chunks(2).zip(row[2..].chunks(2)).all(|(a, b)| a[0] < b[0]),
            "time runs backwards: {row:?}"
        );
        let scale = Augment { scale: 0.5, ..Augment::default() };
        let mut row = series.clone();
        scale.apply(&mut row, &[11, 2], &mut Pcg32::new(5));
        let factor = row[2] / series[2];
        assert!(row.chunks(2).zip(series.chunks(2)).all(|(a, b)| (a[0] - factor * b[0]).abs() < 1e-4));
    }

    #[test]
    fn nonsense_is_refused() {
        for (augment, shape, problem) in [
            (Augment { zoom: 1.0, ..Augment::default() }, &[4, 4, 1][..], "`zoom`"),
            (Augment { noise: f32::NAN, ..Augment::default() }, &[4], "`noise`"),
            (Augment { shift: [-0.1, 0.0], ..Augment::default() }, &[4, 4, 1], "`shift`"),
            (Augment { rotate: 5.0, ..Augment::default() }, &[64], "images"),
            (Augment { time_warp: 0.1, ..Augment::default() }, &[1, 3], "no time"),
        ] {
            let error = augment.check(shape).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }
}
