//! BatchNorm: each channel scaled to zero mean and unit variance over the batch.

use super::{Delta, Gradient, Layer, Pass};
use crate::train::kernels::vectorized;
use crate::train::real::Real;
use std::ops::Range;

/// `y = gamma (x - mean) / √(variance + epsilon) + beta` for each channel, which is the last axis.
///
/// In training mean and variance (biased, as in Keras) are those of the batch, over samples and positions, and
/// the moving statistics become `momentum moving + (1 - momentum) batch`; in inference they are the moving ones.
/// The batch may be spread over several lanes: each gives its part of the sums, and sees the whole.
///
/// With `x̂ = (x - mean) / √(variance + epsilon)`, `m` numbers in a channel: `dgamma = Σ δy x̂`, `dbeta = Σ δy`,
/// `δx = gamma / √(variance + epsilon) (δy - dbeta / m - x̂ dgamma / m)`.
#[derive(Debug, Clone)]
pub(crate) struct BatchNorm {
    pub(crate) len: usize,
    pub(crate) channels: usize,
    pub(crate) epsilon: f32,
    pub(crate) momentum: f32,
    pub(crate) gamma: Range<usize>,
    pub(crate) beta: Range<usize>,
    pub(crate) mean: Range<usize>,
    pub(crate) variance: Range<usize>,
}

/// Two sums for each channel, of one lane or of the whole batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moments<F> {
    /// Numbers in a channel.
    pub(crate) count: F,
    /// Forward: mean. Backward: `Σ δy`.
    pub(crate) first: Vec<F>,
    /// Forward: `Σ (x - mean)²`. Backward: `Σ δy x̂`.
    pub(crate) second: Vec<F>,
}

impl<F: Real> Moments<F> {
    /// The mean and the sum of squares of two parts together (Chan, Golub and LeVeque).
    pub(crate) fn merge(&mut self, other: &Self) {
        let count = self.count + other.count;
        let columns = self.first.iter_mut().zip(&mut self.second);
        for ((mean, squares), (&mean2, &squares2)) in columns.zip(other.first.iter().zip(&other.second)) {
            let apart = mean2 - *mean;
            *mean += apart * other.count / count;
            *squares += squares2 + apart * apart * self.count * other.count / count;
        }
        self.count = count;
    }

    /// Both sums of two parts together.
    pub(crate) fn add(&mut self, other: &Self) {
        self.first.iter_mut().zip(&other.first).for_each(|(a, &b)| *a += b);
        self.second.iter_mut().zip(&other.second).for_each(|(a, &b)| *a += b);
        self.count += other.count;
    }
}

impl BatchNorm {
    /// Mean and sum of squares of this lane's first `valid` samples.
    pub(crate) fn moments<F: Real, const N: usize>(&self, x: &[[F; N]], valid: usize) -> Moments<F> {
        let count = F::from_f64((self.len / self.channels * valid) as f64);
        let total = |sums: &[F; N]| sums[..valid].iter().fold(F::ZERO, |a, &b| a + b);
        let (mut sums, mut squares) = (vec![[F::ZERO; N]; self.channels], vec![[F::ZERO; N]; self.channels]);
        let pixels = || x[..self.len].chunks_exact(self.channels);
        vectorized!({
            for pixel in pixels() {
                for (sums, x) in sums.iter_mut().zip(pixel) {
                    sums.iter_mut().zip(x).for_each(|(sum, &x)| *sum += x);
                }
            }
        });
        let first: Vec<F> = sums.iter().map(|sums| total(sums) / count).collect();
        vectorized!({
            for pixel in pixels() {
                for ((sums, x), &mean) in squares.iter_mut().zip(pixel).zip(&first) {
                    sums.iter_mut().zip(x).for_each(|(sum, &x)| *sum += (x - mean) * (x - mean));
                }
            }
        });
        Moments { count, first, second: squares.iter().map(total).collect() }
    }

    /// `y` with the batch's statistics.
    pub(crate) fn normalize<F: Real, const N: usize>(
        &self,
        parameters: &[F],
        x: &[[F; N]],
        batch: &Moments<F>,
        y: &mut [[F; N]],
    ) {
        let variance: Vec<F> = batch.second.iter().map(|&s| s / batch.count).collect();
        self.apply(parameters, x, &batch.first, &variance, y);
    }

    fn apply<F: Real, const N: usize>(
        &self,
        parameters: &[F],
        x: &[[F; N]],
        mean: &[F],
        variance: &[F],
        y: &mut [[F; N]],
    ) {
        let (gamma, beta) = (&parameters[self.gamma.clone()], &parameters[self.beta.clone()]);
        let factors: Vec<F> = gamma.iter().zip(variance).map(|(&g, &v)| g * self.inverse(v)).collect();
        vectorized!({
            let pixels = x[..self.len].chunks_exact(self.channels).zip(y.chunks_exact_mut(self.channels));
            for (x, y) in pixels {
                let channels = x.iter().zip(y).zip(mean).zip(&factors).zip(beta);
                for ((((x, y), &mean), &factor), &beta) in channels {
                    y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - mean) * factor + beta);
                }
            }
        });
    }

    /// `1 / √(variance + epsilon)`
    fn inverse<F: Real>(&self, variance: F) -> F {
        F::ONE / (variance + F::from_f32(self.epsilon)).sqrt()
    }

    /// `Σ δy` and `Σ δy x̂` of this lane.
    pub(crate) fn delta_sums<F: Real, const N: usize>(
        &self,
        x: &[[F; N]],
        dy: &[[F; N]],
        batch: &Moments<F>,
    ) -> Moments<F> {
        let mut sums = vec![[[F::ZERO; N]; 2]; self.channels];
        let mean = &batch.first;
        vectorized!({
            let pixels = x[..self.len].chunks_exact(self.channels).zip(dy.chunks_exact(self.channels));
            for (x, dy) in pixels {
                for ((([first, second], x), dy), &mean) in sums.iter_mut().zip(x).zip(dy).zip(mean) {
                    for n in 0..N {
                        first[n] += dy[n];
                        second[n] += dy[n] * (x[n] - mean);
                    }
                }
            }
        });
        let total = |sums: &[F; N]| sums.iter().fold(F::ZERO, |a, &b| a + b);
        let inverses = batch.second.iter().map(|&squares| self.inverse(squares / batch.count));
        Moments {
            count: F::ZERO,
            first: sums.iter().map(|[first, _]| total(first)).collect(),
            second: sums.iter().zip(inverses).map(|([_, second], inverse)| total(second) * inverse).collect(),
        }
    }

    /// `δx` of this lane's first `valid` samples; zero for those behind them.
    pub(crate) fn backward<F: Real, const N: usize>(
        &self,
        parameters: &[F],
        (x, dy): (&[[F; N]], &[[F; N]]),
        (batch, sums): (&Moments<F>, &Moments<F>),
        valid: usize,
        dx: Delta<'_, F, N>,
    ) {
        let gamma = &parameters[self.gamma.clone()];
        // `δx = a δy - b - c (x - mean)`
        let factors: Vec<[F; 4]> = (0..self.channels)
            .map(|c| {
                let inverse = self.inverse(batch.second[c] / batch.count);
                let a = gamma[c] * inverse;
                let (first, second) = (sums.first[c] / batch.count, sums.second[c] / batch.count);
                [a, a * first, a * second * inverse, batch.first[c]]
            })
            .collect();
        let mut present = [F::ZERO; N];
        present[..valid].fill(F::ONE);
        vectorized!({
            dx.limited(self.len).put_channels(
                self.channels,
                #[inline(always)]
                |channel, i| {
                    let [a, b, c, mean] = factors[channel];
                    let mut delta = [F::ZERO; N];
                    let numbers = delta.iter_mut().zip(&x[i]).zip(&dy[i]).zip(&present);
                    for (((delta, &x), &dy), &present) in numbers {
                        *delta = (a * dy - b - c * (x - mean)) * present;
                    }
                    delta
                },
            );
        });
    }

    /// The gradients of gamma and beta from the batch's sums, as the first lane's part.
    pub(crate) fn gradient<F: Real>(&self, sums: &Moments<F>, gradient: Gradient<'_, F>) {
        let parts = [(&self.gamma, &sums.second), (&self.beta, &sums.first)];
        for (i, (range, sums)) in parts.into_iter().enumerate() {
            if gradient.wanted[i] {
                for (g, &sum) in gradient.values[range.clone()].iter_mut().zip(sums) {
                    *g = if gradient.accumulate[i] { *g + sum } else { sum };
                }
            }
        }
    }

    /// Moves the moving statistics towards the batch's.
    pub(crate) fn track<F: Real>(&self, parameters: &mut [F], batch: &Moments<F>) {
        let momentum = F::from_f32(self.momentum);
        let keep = |moving: &mut F, batch: F| *moving = *moving * momentum + batch * (F::ONE - momentum);
        let mean = parameters[self.mean.clone()].iter_mut();
        mean.zip(&batch.first).for_each(|(moving, &batch)| keep(moving, batch));
        let variance = parameters[self.variance.clone()].iter_mut();
        variance.zip(&batch.second).for_each(|(moving, &squares)| keep(moving, squares / batch.count));
    }
}

/// With the moving statistics, as constants.
impl<F: Real, const N: usize> Layer<F, N> for BatchNorm {
    fn forward(&self, pass: Pass<'_, F, N>, y: &mut [[F; N]]) {
        let (mean, variance) = (&pass.parameters[self.mean.clone()], &pass.parameters[self.variance.clone()]);
        self.apply(pass.parameters, pass.x(), mean, variance, y);
    }

    fn backward_input(
        &self,
        pass: Pass<'_, F, N>,
        _y: &[[F; N]],
        dy: &[[F; N]],
        _input: usize,
        dx: Delta<'_, F, N>,
    ) {
        let (gamma, variance) =
            (&pass.parameters[self.gamma.clone()], &pass.parameters[self.variance.clone()]);
        let dx = dx.sum();
        for (i, (dx, dy)) in dx.iter_mut().zip(dy).take(self.len).enumerate() {
            let c = i % self.channels;
            let factor = gamma[c] * self.inverse(variance[c]);
            (0..N).for_each(|n| dx[n] += dy[n] * factor);
        }
    }
}
