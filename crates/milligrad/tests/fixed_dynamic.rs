//! Layers with dynamic exponents against the same numbers in `f64`: outputs, deltas and gradients, whatever the exponents are. What
//! may differ is what rounding takes: a unit of the result, and half a unit of each number that a layer reads in fewer bits.

mod support {
    pub(crate) mod random;
}

use milligrad::fixed::dynamic::{self, Block, Conv2d, Dense, DepthwiseConv2d, Exponents};
use milligrad::fixed::{PowerOfTwoSgd, Rule, StochasticSgd};
use milligrad::layers::{self, dense};
use milligrad::{Clamp, Padding, Window2d};
use support::random::Random;

const WINDOW: Window2d = Window2d::new([5, 4, 3], [3, 2], [2, 1], [1, 1], Padding::Same);

fn power(exponent: i32) -> f64 {
    libm::exp2(exponent.into())
}

/// Mantissas with an exponent, of any magnitude up to 15 bits.
#[derive(Clone)]
struct Tensor {
    mantissas: Vec<i16>,
    exponent: i16,
}

impl Tensor {
    fn new(random: &mut Random, len: usize) -> Self {
        let reach = power(random.within(3, 15) as i32) - 1.0;
        let mantissas = random.reals(len).iter().map(|r| (r * reach).round() as i16).collect();
        Self { mantissas, exponent: random.within(-40, 10) as i16 }
    }

    fn block(&self) -> Block<'_> {
        Block::new(&self.mantissas, self.exponent)
    }

    fn reals(&self) -> Vec<f64> {
        self.mantissas.iter().map(|&m| f64::from(m) * power(self.exponent.into())).collect()
    }

    fn magnitudes(&self) -> (u64, u64) {
        let magnitudes = || self.mantissas.iter().map(|m| u64::from(m.unsigned_abs()));
        (magnitudes().sum(), magnitudes().max().unwrap_or(0))
    }

    /// Half a unit of what is read of it where so many terms are summed; nothing where all of it is.
    fn room(&self, terms: usize) -> f64 {
        let (sum, largest) = self.magnitudes();
        let bits = 64 - sum.min(largest * terms as u64).leading_zeros() as i32;
        if bits > 15 { power(i32::from(self.exponent) + bits - 15 - 1) } else { 0.0 }
    }
}

/// A layer's parameters.
struct Parameters {
    weights: Vec<i16>,
    biases: Vec<i32>,
    exponents: Exponents,
}

impl Parameters {
    fn new(random: &mut Random, weights: usize, biases: usize) -> Self {
        let mut of =
            |len: usize, reach: f64| -> Vec<f64> { random.reals(len).iter().map(|r| r * reach).collect() };
        let weights: Vec<i16> = of(weights, 32_767.0).iter().map(|&w| w as i16).collect();
        let biases = of(biases, power(25)).iter().map(|&b| b as i32).collect();
        let exponent = random.within(-30, 0) as i16;
        let exponents = Exponents::new(exponent, exponent - random.within(-20, 30) as i16);
        Self { weights, biases, exponents }
    }

    fn reals(&self) -> [Vec<f64>; 2] {
        [
            self.weights.iter().map(|&w| f64::from(w) * power(self.exponents.weights.into())).collect(),
            self.biases.iter().map(|&b| f64::from(b) * power(self.exponents.biases.into())).collect(),
        ]
    }

    /// The most that an error of 1 in each input makes in a sum of so many of them.
    fn gain(&self, terms: usize) -> f64 {
        terms as f64 * power(i32::from(self.exponents.weights) + 15)
    }
}

/// Compares mantissas with reals: within `units` of their own, and `room`.
fn near<M: Copy + Into<f64>>(
    name: &str,
    mantissas: &[M],
    exponent: i16,
    exact: &[f64],
    units: f64,
    room: f64,
) {
    let unit = power(exponent.into());
    assert_eq!(mantissas.len(), exact.len());
    for (i, (&m, exact)) in mantissas.iter().zip(exact).enumerate() {
        let got = m.into() * unit;
        assert!(
            (got - exact).abs() <= units * unit + room + 1e-9 * exact.abs(),
            "{name} {i}: {got}, not {exact}"
        );
    }
}

#[test]
fn dense_layers() {
    for seed in 0..300 {
        let random = &mut Random::new(seed);
        let (inputs, outputs) = (random.size(1, 120), random.size(1, 11));
        let (x, delta) = (Tensor::new(random, inputs), Tensor::new(random, outputs));
        let parameters = Parameters::new(random, inputs * outputs, outputs);
        let Parameters { weights, biases, exponents } = &parameters;
        let [w, b] = parameters.reals();
        let layer = Dense::new(inputs, weights, biases, *exponents, Clamp::<i16>::LINEAR);
        let float = layers::Dense::<f64>::new(inputs, &w, &b, Clamp::<f64>::LINEAR);

        let (mut scratch, mut sums, mut y) = (vec![0; inputs], vec![0; outputs], vec![0; outputs]);
        let exponent = layer.forward(x.block(), &mut scratch, &mut sums, &mut y);
        let mut exact = vec![0.0; outputs];
        float.forward(&x.reals(), &mut exact);
        near("y", &y, exponent, &exact, 2.0, x.room(inputs) * parameters.gain(inputs));

        let (mut scratch, mut sums, mut delta_x) = (vec![0; outputs], vec![0; inputs], vec![0; inputs]);
        let exponent = layer.backward_input(delta.block(), &mut scratch, &mut sums, &mut delta_x);
        let mut exact = vec![0.0; inputs];
        float.backward_input(&delta.reals(), &mut exact);
        near("δx", &delta_x, exponent, &exact, 1.0, delta.room(outputs) * parameters.gain(outputs));
    }
}

#[test]
fn convolutions() {
    let positions = WINDOW.positions();
    for seed in 0..200 {
        let random = &mut Random::new(seed);
        let x = Tensor::new(random, 60);
        for depthwise in [false, true] {
            let (outputs, fan_in) = if depthwise { (6, WINDOW.taps()) } else { (4, WINDOW.patch_len()) };
            let delta = Tensor::new(random, outputs * positions);
            let parameters = Parameters::new(random, outputs * fan_in, outputs);
            let Parameters { weights, biases, exponents } = &parameters;
            let [w, b] = parameters.reals();
            let (x_real, delta_real) = (x.reals(), delta.reals());
            let (mut patch, mut sums) = (vec![0; WINDOW.patch_len()], vec![0; 60 + outputs * positions]);
            let (mut y, mut delta_x, mut scratch) =
                (vec![0; outputs * positions], vec![0; 60], vec![0; outputs]);
            let (mut gw, mut gb) = (vec![7; outputs * fan_in], vec![7; outputs]);
            let (mut y64, mut patch64, mut delta_x64) =
                (vec![0.0; outputs * positions], vec![0.0; WINDOW.patch_len()], vec![0.0; 60]);
            let (mut gw64, mut gb64) = (vec![0.0; outputs * fan_in], vec![0.0; outputs]);
            // Outputs that an element of the input reaches.
            let back = if depthwise { WINDOW.taps() * 2 } else { WINDOW.taps() * outputs };
            macro_rules! run {
                ($fixed:ident, $float:ident) => {{
                    let layer = $fixed::new(WINDOW, weights, biases, *exponents, Clamp::<i16>::LINEAR);
                    let float = layers::$float::<f64>::new(WINDOW, &w, &b, Clamp::<f64>::LINEAR, 0.0);
                    float.forward(&x_real, &mut patch64, &mut y64);
                    float.backward_input(&delta_real, &mut patch64, &mut delta_x64);
                    float.accumulate(&x_real, &delta_real, &mut patch64, &mut gw64, &mut gb64);
                    let y_exponent = layer.forward(x.block(), &mut patch, &mut sums, &mut y);
                    let delta_exponent =
                        layer.backward_input(delta.block(), &mut scratch, &mut sums, &mut delta_x);
                    (
                        y_exponent,
                        delta_exponent,
                        layer.gradients(x.block(), delta.block(), &mut patch, &mut gw, &mut gb),
                    )
                }};
            }
            let (y_exponent, delta_exponent, [gw_exponent, gb_exponent]) =
                if depthwise { run!(DepthwiseConv2d, DepthwiseConv2d) } else { run!(Conv2d, Conv2d) };
            near("y", &y, y_exponent, &y64, 2.0, x.room(fan_in) * parameters.gain(fan_in));
            let room = delta.room(back) * parameters.gain(back);
            near("δx", &delta_x, delta_exponent, &delta_x64, 1.0, room);
            // Half of a unit of each position's δ, where bits of it fall off.
            let room = positions as f64 * 0.5 * power(gb_exponent.into());
            let exact = gb_exponent == delta.exponent;
            near("δb", &gb, gb_exponent, &gb64, 0.0, if exact { 0.0 } else { room });
            let most = x.magnitudes().1 as f64 * power(x.exponent.into());
            near("δW", &gw, gw_exponent, &gw64, 0.0, if exact { 0.0 } else { room * most });
            let mut alone = vec![7; outputs];
            let exponent = dynamic::accumulate_biases(delta.block(), &mut alone);
            near("δb alone", &alone, exponent, &gb64, 0.5 * positions as f64, 0.0);
        }
    }
}

/// The largest and the smallest numbers there are: no sum wraps.
#[test]
fn no_sum_wraps() {
    for (x, w) in [(i16::MAX, i16::MIN), (i16::MIN, i16::MIN), (i16::MIN, i16::MAX)] {
        for inputs in [1, 2, 3, 100, 4096, 32_768] {
            let (weights, biases) = (vec![w; 3 * inputs], [i32::MIN, i32::MAX, 0]);
            let exponents = Exponents::new(-15, -31);
            let layer = Dense::new(inputs, &weights, &biases, exponents, Clamp::<i16>::LINEAR);
            let (mut scratch, mut sums, mut y) = (vec![0; inputs], [0; 3], [0; 3]);
            let exponent = layer.forward(Block::new(&vec![x; inputs], -15), &mut scratch, &mut sums, &mut y);
            let product = inputs as f64 * f64::from(x) * f64::from(w) * power(-30);
            let exact = [product - 1.0, product + 1.0, product];
            let x_all = Tensor { mantissas: vec![x; inputs], exponent: -15 };
            near("y", &y, exponent, &exact, 2.0, x_all.room(inputs) * inputs as f64);
            let (mut scratch, mut sums, mut delta_x) = ([0; 3], vec![0; inputs], vec![0; inputs]);
            let exponent =
                layer.backward_input(Block::new(&[x; 3], 0), &mut scratch, &mut sums, &mut delta_x);
            let exact = vec![3.0 * f64::from(x) * f64::from(w) * power(-15); inputs];
            near("δx", &delta_x, exponent, &exact, 1.0, f64::from(w).abs() * power(-15) * 12.0);
        }
    }
}

/// `w -= 2^-k δ x` for units from far below a weight's to far beyond: the sum along a row is right to a unit, and stochastic
/// rounding is right in the mean.
#[test]
fn updates_are_the_gradient() {
    for seed in 0..300 {
        let random = &mut Random::new(seed);
        let (x, delta) = (Tensor::new(random, 20), Tensor::new(random, 3));
        let (rate, weight_exponent) = (random.within(0, 30) as u32, random.within(-40, 10) as i16);
        let exponents = Exponents::new(weight_exponent, weight_exponent - 8);
        let (mut weights, mut biases) = (vec![0_i16; 60], vec![0_i32; 3]);
        let rule = PowerOfTwoSgd::new(rate);
        let count =
            dynamic::apply(x.block(), delta.block(), &mut weights, &mut biases, exponents, &rule, &mut ());
        let mut gradient = (vec![0.0; 60], vec![0.0; 3]);
        dense::accumulate::<f64>(&x.reals(), &delta.reals(), &mut gradient.0, &mut gradient.1);
        let in_units =
            |gradient: &f64, exponent: i16| -gradient * power(-(rate as i32) - i32::from(exponent));
        let exact: Vec<f64> = gradient.0.iter().map(|g| in_units(g, weight_exponent)).collect();
        // Where steps are below 2^-15 of a unit in all, bits of δ fall off.
        let shift =
            i32::from(x.exponent) + i32::from(delta.exponent) - i32::from(weight_exponent) - rate as i32;
        let lost = if shift < -30 { 0.5 * f64::from(20 * i32::from(i16::MAX)) * power(-30) } else { 0.0 };
        let far = gradient.1.iter().any(|g| in_units(g, exponents.biases).abs() > 2_147_483_647.5);
        if exact.iter().all(|step| step.abs() < 32_000.0) {
            assert_eq!(count > 0, far, "seed {seed}");
            for (row, exact) in weights.chunks(20).zip(exact.chunks(20)) {
                let (mut moved, mut sum) = (0.0, 0.0);
                for (&w, step) in row.iter().zip(exact) {
                    (moved, sum) = (moved + f64::from(w), sum + step);
                    assert!((moved - sum).abs() <= 0.5 + lost + 1e-9, "seed {seed}: {moved}, not {sum}");
                }
            }
        }
        let exact = gradient.1.iter().map(|g| in_units(g, exponents.biases));
        for (&bias, exact) in biases.iter().zip(exact) {
            let exact = exact.clamp(f64::from(i32::MIN), f64::from(i32::MAX));
            // At the end of the range to a unit.
            let room = if exact.abs() < 2e9 { 0.5 } else { 1.0 };
            assert!((f64::from(bias) - exact).abs() <= room, "seed {seed}: {bias}, not {exact}");
        }
    }
    // A step of a thousandth of a unit, 100,000 times.
    let rule = StochasticSgd::new(10);
    let (mut memory, mut moved) = (StochasticSgd::memory(4), 0);
    for _ in 0..100_000 {
        let mut weights = [0_i16; 2];
        rule.update_rows_by(&mut memory, &mut weights, &[-4], &[8, 16], -5);
        moved += i32::from(weights[1]);
    }
    let exact = 100_000.0 * 64.0 / 32_768.0;
    assert!((f64::from(moved) - exact).abs() < 60.0, "{moved}, not {exact}");
}
