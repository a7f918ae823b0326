//! Random numbers whose sequence is part of the format: the same seed gives the same training run in every version.

/// PCG32 (XSH-RR 64/32; O'Neill, 2014): 64 bits of state, period 2^64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pcg32 {
    state: u64,
}

const MULTIPLIER: u64 = 6_364_136_223_846_793_005;
const INCREMENT: u64 = 1_442_695_040_888_963_407;

impl Pcg32 {
    /// A generator for this seed. Seeds that differ in any bit give sequences that have nothing in common.
    pub fn new(seed: u64) -> Self {
        Self { state: split_mix(seed) }
    }

    /// A generator for this seed and purpose, such as the name of a constant.
    pub fn named(seed: u64, name: &str) -> Self {
        let hash = name.bytes().fold(seed, |hash, byte| split_mix(hash ^ u64::from(byte)));
        Self::new(hash)
    }

    /// The next 32 bits.
    pub fn bits(&mut self) -> u32 {
        let state = self.state;
        self.state = state.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT);
        let mixed = (((state >> 18) ^ state) >> 27) as u32;
        mixed.rotate_right((state >> 59) as u32)
    }

    /// Uniform in `0.0..1.0`, a multiple of 2^-24.
    pub fn uniform(&mut self) -> f32 {
        (self.bits() >> 8) as f32 / 16_777_216.0
    }

    /// Normal with mean 0 and standard deviation 1 (Box and Muller).
    pub fn normal(&mut self) -> f32 {
        let radius = (-2.0 * f64::from(1.0 - self.uniform()).ln()).sqrt();
        (radius * (std::f64::consts::TAU * f64::from(self.uniform())).cos()) as f32
    }

    /// Uniform in `0..bound`, without bias (Lemire, 2019). 0 if there is nothing to choose from.
    pub fn below(&mut self, bound: u32) -> u32 {
        if bound == 0 {
            return 0;
        }
        loop {
            let product = u64::from(self.bits()) * u64::from(bound);
            if product as u32 >= bound.wrapping_neg() % bound {
                return (product >> 32) as u32;
            }
        }
    }

    /// A random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let bound = u32::try_from(last + 1).unwrap_or(u32::MAX);
            items.swap(last, self.below(bound) as usize);
        }
    }
}

/// One number for all of these.
pub(crate) fn key(parts: &[u64]) -> u64 {
    parts.iter().fold(0, |key, &part| split_mix(key ^ part))
}

/// The step of SplitMix64 (Steele, Lea and Flood, 2014): a bijection that flips half of the bits for each that differs.
fn split_mix(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The same for 32 bits (Wellons' `lowbias32`), in operations that vectorise.
#[inline(always)]
pub(crate) fn mix(mut x: u32) -> u32 {
    x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_fixed() {
        let mut random = Pcg32::new(42);
        let bits: [u32; 4] = std::array::from_fn(|_| random.bits());
        assert_eq!(bits, FIRST);
        let mut order: Vec<u32> = (0..8).collect();
        random.shuffle(&mut order);
        assert_eq!(order, ORDER);
    }

    const FIRST: [u32; 4] = [3_344_234_869, 1_768_956_483, 4_001_043_839, 743_431_577];
    const ORDER: [u32; 8] = [7, 6, 0, 5, 1, 3, 2, 4];

    #[test]
    fn distributions() {
        let mut random = Pcg32::named(7, "dense/weights");
        let (mut sum, mut squares, mut counts) = (0.0, 0.0, [0; 6]);
        for _ in 0..60_000 {
            let x = f64::from(random.normal());
            (sum, squares) = (sum + x, squares + x * x);
            counts[random.below(6) as usize] += 1;
            assert!((0.0..1.0).contains(&random.uniform()));
        }
        assert!(f64::abs(sum / 60_000.0) < 0.02 && f64::abs(squares / 60_000.0 - 1.0) < 0.02);
        assert!(counts.iter().all(|&count| (9_600..10_400).contains(&count)), "{counts:?}");
        assert_ne!(Pcg32::named(7, "dense/weights"), Pcg32::named(7, "dense/bias"));
    }
}
