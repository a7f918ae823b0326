//! How far sums of products with and without the feature `fma` can be apart. The kernels have it or not; the other of the two are
//! plain loops.

mod support {
    pub(crate) mod random;
    pub(crate) mod rounding;
}

use milligrad::layers::{Dense, dense};
use milligrad::{Clamp, Sgd};
use support::random::Random;
use support::rounding::{FUSED, add_product};

/// The unit roundoff.
const U: f64 = 1.0 / (1 << 24) as f64;

fn gamma(k: usize) -> f64 {
    k as f64 * U / (1.0 - k as f64 * U)
}

/// What has been compared.
#[derive(Default)]
struct Found {
    results: usize,
    differing: usize,
    /// The largest share of the bound that a difference has come to.
    most: f64,
    /// Squares of the errors of fused sums, and of the others.
    squares: [f64; 2],
}

impl Found {
    /// A sum as a kernel gave it, from what it starts from and its products.
    fn sum(&mut self, kernel: f32, start: f32, products: impl Iterator<Item = (f32, f32)> + Clone) {
        let both = [true, false]
            .map(|fused| products.clone().fold(start, |sum, (a, b)| add_product(fused, sum, a, b)));
        let [ours, other] = if FUSED { both } else { [both[1], both[0]] };
        assert_eq!(kernel.to_bits(), ours.to_bits(), "the kernel rounds as the feature says");
        let exact_products = || products.clone().map(|(a, b)| f64::from(a) * f64::from(b));
        let magnitude = f64::from(start.abs()) + exact_products().map(f64::abs).sum::<f64>();
        let bound = 2.0 * gamma(products.clone().count() + 1) * magnitude;
        let difference = (f64::from(kernel) - f64::from(other)).abs();
        assert!(difference <= bound, "{difference:e} beyond {bound:e}");
        // Of the order of 2^-53 and so as good as exact.
        let exact = exact_products().fold(f64::from(start), |sum, product| sum + product);
        self.results += 1;
        self.differing += usize::from(kernel != other);
        self.most = self.most.max(difference / bound);
        self.squares =
            [0, 1].map(|i| self.squares[i] + (f64::from(both[i]) - exact) * (f64::from(both[i]) - exact));
    }
}

/// Numbers of which none is zero, so that no block is left out, and no product underflows.
fn numbers(random: &mut Random, n: usize, scale: f64) -> Vec<f32> {
    (0..n).map(|_| (scale * random.real() + 1e-9) as f32).collect()
}

fn shapes() -> impl Iterator<Item = [usize; 2]> {
    let random = &mut Random::new(7);
    let small: Vec<_> = (0..60).map(|_| [random.size(1, 70), random.size(1, 12)]).collect();
    small.into_iter().chain([[256, 3], [300, 8], [784, 20]])
}

#[test]
fn the_two_are_as_near_as_they_are_said_to_be() {
    let random = &mut Random::new(5);
    let mut found = Found::default();
    for [inputs, outputs] in shapes() {
        let scale = random.pick(&[1.0, 1e-3, 1e6]);
        let (x, delta) = (numbers(random, inputs, scale), numbers(random, outputs, 1.0));
        let (weights, biases) = (numbers(random, inputs * outputs, 1.0), numbers(random, outputs, 1.0));
        let layer = Dense::<f32>::new(inputs, &weights, &biases, Clamp::<f32>::LINEAR);

        let mut y = vec![0.0; outputs];
        layer.forward(&x, &mut y);
        for ((&y, &bias), row) in y.iter().zip(&biases).zip(weights.chunks(inputs)) {
            found.sum(y, bias, x.iter().copied().zip(row.iter().copied()));
        }
        let mut delta_x = vec![0.0; inputs];
        layer.backward_input(&delta, &mut delta_x);
        for (column, &sum) in delta_x.iter().enumerate() {
            let column = weights.iter().skip(column).step_by(inputs).copied();
            found.sum(sum, 0.0, column.zip(delta.iter().copied()));
        }
        let (mut w, mut b) = (weights.clone(), biases.clone());
        dense::accumulate::<f32>(&x, &delta, &mut w, &mut b);
        let (mut learned, mut b) = (weights.clone(), biases.clone());
        dense::apply::<f32, _>(&x, &delta, &mut learned, &mut b, (&mut [], &mut []), &Sgd::new(0.3));
        for (i, &start) in weights.iter().enumerate() {
            let (x, delta) = (x[i % inputs], delta[i / inputs]);
            found.sum(w[i], start, std::iter::once((delta, x)));
            found.sum(learned[i], start, std::iter::once((-(0.3 * delta), x)));
        }
    }
    let Found { results, differing, most, .. } = found;
    println!("{differing} of {results} results differ, by {most:.3} of the bound at most");
    assert!(differing > results / 20, "{differing} of {results} results differ");
}

/// What the feature is worth: something in short sums; in long ones the roundings of the sum, which both have, are all that counts.
#[test]
fn errors_of_short_sums_are_smaller() {
    let random = &mut Random::new(11);
    for (inputs, [low, high]) in
        [(2, [0.7, 0.85]), (4, [0.8, 0.95]), (16, [0.9, 1.0]), (64, [0.93, 0.99]), (784, [0.97, 1.02])]
    {
        let mut found = Found::default();
        for _ in 0..1000 {
            let (x, weights) = (numbers(random, inputs, 1.0), numbers(random, inputs * 4, 0.1));
            let mut y = [0.0; 4];
            Dense::<f32>::new(inputs, &weights, &[0.0; 4], Clamp::<f32>::LINEAR).forward(&x, &mut y);
            for (&y, row) in y.iter().zip(weights.chunks(inputs)) {
                found.sum(y, 0.0, x.iter().copied().zip(row.iter().copied()));
            }
        }
        let [fused, plain] = found.squares.map(f64::sqrt);
        println!(
            "sums of {inputs}: root mean square error of fused sums {:.3} of the others'",
            fused / plain
        );
        assert!((low..high).contains(&(fused / plain)), "{inputs} inputs: {}", fused / plain);
    }
}
