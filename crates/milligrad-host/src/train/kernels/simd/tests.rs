//! Against the formulas.

use super::input::CorrelateInput;
use super::outer::Outer;
use super::outer_adam::OuterAdam;
use super::output::{Correlate, correlate};
use super::weights::CorrelateWeights;
use crate::train::buffer::Buffer;
use crate::train::kernels::{Adam, Patches, Remembered, plain};
use crate::train::random::Pcg32;
use pulp::Arch;

fn random(random: &mut Pcg32, len: usize) -> Buffer<f32> {
    let mut buffer = Buffer::zeros(len);
    buffer.iter_mut().for_each(|x| *x = 2.0 * random.uniform() - 1.0);
    buffer
}

fn remembered([w, m, v]: &mut [Buffer<f32>; 3]) -> Remembered<'_, f32> {
    Remembered { w, m, v }
}

fn close(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() < 1e-4 * (1.0 + b.abs()), "{i}: {a} and {b}");
    }
}

/// What this machine has, and what most others have.
fn architectures() -> Vec<Arch> {
    let mut all = vec![Arch::new(), Arch::Scalar];
    #[cfg(target_arch = "x86_64")]
    all.extend(pulp::x86::V3::try_new().map(Arch::V3));
    all
}

/// All sizes of tiles and rests, against the formulas.
fn check<const N: usize>(arch: Arch, seed: u64) {
    let r = &mut Pcg32::new(seed);
    let mut draw = |from: u32, to: u32| (from + r.below(to - from)) as usize;
    let (positions, taps, channels, outputs) = (draw(1, 6), draw(1, 6), draw(1, 30), draw(1, 40));
    let count = draw(1, 9);
    let pixels: Vec<u32> = (0..positions * taps).map(|_| draw(0, count as u32 + 1) as u32).collect();
    let patches = Patches { pixels: &pixels, taps, channels };
    let weights = random(r, outputs * patches.len());
    let bias = random(r, outputs);
    let x = random(r, (count + 1) * channels * N);
    let dy = random(r, positions * outputs * N);
    let clamp = (-0.5, 0.75);

    let mut y = [Buffer::zeros(positions * outputs * N), Buffer::zeros(positions * outputs * N)];
    let (x, dy) = (x.blocks::<N>(), dy.blocks::<N>());
    let (weights, bias) = (&weights[..], &bias[..]);
    arch.dispatch(Correlate { patches, weights, bias, x, y: y[0].blocks_mut(), clamp });
    plain::correlate(patches, weights, bias, x, y[1].blocks_mut(), clamp);
    close(&y[0], &y[1]);

    let mut dx = [x.to_vec(), x.to_vec()];
    arch.dispatch(CorrelateInput { patches, weights, dy, dx: &mut dx[0] });
    plain::correlate_input(patches, weights, dy, &mut dx[1]);
    close(dx[0].as_flattened(), dx[1].as_flattened());

    for accumulate in [false, true] {
        let mut dw = [weights.to_vec(), weights.to_vec()];
        arch.dispatch(CorrelateWeights { patches, x, dy, dw: &mut dw[0], accumulate });
        plain::correlate_weights(patches, x, dy, &mut dw[1], accumulate);
        close(&dw[0], &dw[1]);

        let rows = random(r, patches.len().next_multiple_of(32) * N);
        let (dy, width) = (&dy[..outputs], patches.len());
        arch.dispatch(Outer { rows: &rows, width, dy, dw: &mut dw[0], accumulate });
        plain::outer(&rows, width, dy, &mut dw[1], accumulate);
        close(&dw[0], &dw[1]);
    }
}

/// The same of the product that is fused with Adam, for a part of the outputs.
fn check_adam<const N: usize>(arch: Arch, seed: u64) {
    let r = &mut Pcg32::new(seed);
    let width = r.below(80) as usize + 1;
    let width = if seed.is_multiple_of(4) { width } else { width.next_multiple_of(16) };
    let (first, outputs, blocks) = (r.below(3) as usize, r.below(40) as usize + 1, r.below(3) as usize + 1);
    let data: Vec<_> = (0..blocks)
        .map(|_| (random(r, width.next_multiple_of(32) * N), random(r, (first + outputs) * N)))
        .collect();
    let blocks: Vec<_> = data.iter().map(|(rows, dy)| (&rows[..], dy.blocks::<N>())).collect();
    let mut here = [random(r, outputs * width), random(r, outputs * width), random(r, outputs * width)];
    here[2].iter_mut().for_each(|v| *v = v.abs());
    let mut there = here.clone();
    let decay = seed.is_multiple_of(2).then_some(1e-2);
    let adam = Adam { rate: 0.1, first: 0.1, second: 0.01, epsilon: 1e-3, decay };
    let (blocks, place) = (&blocks[..], (width, first));
    arch.dispatch(OuterAdam { blocks, place, adam, weights: remembered(&mut here) });
    plain::outer_adam(blocks, place, adam, remembered(&mut there));
    here.iter().zip(&there).for_each(|(here, there)| close(here, there));
}

#[test]
fn vectors_agree_with_the_formulas() {
    for arch in architectures() {
        for seed in 0..60 {
            check::<16>(arch, seed);
            check::<32>(arch, seed);
            check::<4>(arch, seed);
            check_adam::<32>(arch, seed);
            check_adam::<4>(arch, seed);
        }
    }
}

#[test]
fn nan_stays_nan() {
    let mut y = [[0.0; 16]];
    correlate::<16>(Patches::dense(1), &[1.0], &[0.0], &[[f32::NAN; 16]], &mut y, (0.0, 6.0));
    assert!(y[0].iter().all(|y| y.is_nan()));
}

#[test]
fn transpose_of_all_sizes() {
    let r = &mut Pcg32::new(1);
    for (rows, columns, room) in [(1, 1, 0), (32, 784, 16), (40, 32, 3), (7, 50, 0), (33, 17, 5), (16, 16, 0)]
    {
        let from = random(r, rows * (columns + room));
        let mut to = [vec![0.0; columns * (rows + 2)], vec![0.0; columns * (rows + 2)]];
        super::transpose((&from, columns + room), columns, (&mut to[0], rows + 2));
        plain::transpose((&from, columns + room), columns, (&mut to[1], rows + 2));
        assert_eq!(to[0], to[1], "{rows} x {columns}");
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            to[0].fill(0.0);
            let swap = |square| super::transpose::swap_8(simd, square);
            super::transpose::squares::<8>((&from, columns + room), columns, (&mut to[0], rows + 2), swap);
            assert_eq!(to[0], to[1], "{rows} x {columns}");
        }
    }
}
