//! Numbers sample by sample into blocks, and back: squares of registers.

use crate::train::kernels::plain;
#[cfg(target_arch = "x86_64")]
use pulp::{Arch, cast, x86};

/// See [`plain::transpose`].
pub(crate) fn transpose(from: (&[f32], usize), columns: usize, to: (&mut [f32], usize)) {
    #[cfg(target_arch = "x86_64")]
    match Arch::new() {
        Arch::V4(simd) => {
            return pulp::Simd::vectorize(
                simd,
                #[inline(always)]
                || squares::<16>(from, columns, to, |square| swap_16(simd, square)),
            );
        }
        Arch::V3(simd) => {
            return pulp::Simd::vectorize(
                simd,
                #[inline(always)]
                || squares::<8>(from, columns, to, |square| swap_8(simd, square)),
            );
        }
        _ => {}
    }
    plain::transpose(from, columns, to);
}

/// Squares of `T` rows and `T` columns, and what is left one by one.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn squares<const T: usize>(
    (from, length): (&[f32], usize),
    columns: usize,
    (to, stride): (&mut [f32], usize),
    swap: impl Fn([[f32; T]; T]) -> [[f32; T]; T],
) {
    let rows = from.len() / length;
    for column in (0..columns).step_by(T) {
        for row in (0..rows).step_by(T) {
            if row + T > rows || column + T > columns {
                let part = &from[row * length + column..rows.min(row + T) * length];
                for (r, part) in part.chunks(length).enumerate() {
                    for (c, &value) in part[..T.min(columns - column)].iter().enumerate() {
                        to[(column + c) * stride + row + r] = value;
                    }
                }
                continue;
            }
            let mut square = [[0.0; T]; T];
            for (r, numbers) in square.iter_mut().enumerate() {
                numbers.copy_from_slice(&from[(row + r) * length + column..][..T]);
            }
            for (c, numbers) in swap(square).iter().enumerate() {
                to[(column + c) * stride + row..][..T].copy_from_slice(numbers);
            }
        }
    }
}

/// Swaps rows and columns: pairs, pairs of pairs, then quarters of registers twice.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn swap_16(simd: x86::V4, square: [[f32; 16]; 16]) -> [[f32; 16]; 16] {
    let avx = simd.avx512f;
    let mut rows = [avx._mm512_setzero_ps(); 16];
    // Loops, as what `map` calls is not compiled for these processors.
    for (row, numbers) in rows.iter_mut().zip(square) {
        *row = cast(numbers);
    }
    let mut pairs = rows;
    for i in (0..16).step_by(2) {
        pairs[i] = avx._mm512_unpacklo_ps(rows[i], rows[i + 1]);
        pairs[i + 1] = avx._mm512_unpackhi_ps(rows[i], rows[i + 1]);
    }
    let mut doubles = [avx._mm512_setzero_pd(); 16];
    for (double, pair) in doubles.iter_mut().zip(pairs) {
        *double = avx._mm512_castps_pd(pair);
    }
    let mut fours = rows;
    for i in (0..16).step_by(4) {
        for j in [0, 1] {
            let (a, b) = (doubles[i + j], doubles[i + j + 2]);
            fours[i + 2 * j] = avx._mm512_castpd_ps(avx._mm512_unpacklo_pd(a, b));
            fours[i + 2 * j + 1] = avx._mm512_castpd_ps(avx._mm512_unpackhi_pd(a, b));
        }
    }
    let mut columns = rows;
    for j in 0..4 {
        let [a, b, c, d] = [fours[j], fours[4 + j], fours[8 + j], fours[12 + j]];
        let even = [avx._mm512_shuffle_f32x4::<0x88>(a, b), avx._mm512_shuffle_f32x4::<0x88>(c, d)];
        let odd = [avx._mm512_shuffle_f32x4::<0xdd>(a, b), avx._mm512_shuffle_f32x4::<0xdd>(c, d)];
        columns[j] = avx._mm512_shuffle_f32x4::<0x88>(even[0], even[1]);
        columns[8 + j] = avx._mm512_shuffle_f32x4::<0xdd>(even[0], even[1]);
        columns[4 + j] = avx._mm512_shuffle_f32x4::<0x88>(odd[0], odd[1]);
        columns[12 + j] = avx._mm512_shuffle_f32x4::<0xdd>(odd[0], odd[1]);
    }
    let mut square = square;
    for (numbers, column) in square.iter_mut().zip(columns) {
        *numbers = cast(column);
    }
    square
}

/// The same with registers of half the size.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn swap_8(simd: x86::V3, square: [[f32; 8]; 8]) -> [[f32; 8]; 8] {
    let avx = simd.avx;
    let mut rows = [avx._mm256_setzero_ps(); 8];
    for (row, numbers) in rows.iter_mut().zip(square) {
        *row = cast(numbers);
    }
    let mut pairs = rows;
    for i in (0..8).step_by(2) {
        pairs[i] = avx._mm256_unpacklo_ps(rows[i], rows[i + 1]);
        pairs[i + 1] = avx._mm256_unpackhi_ps(rows[i], rows[i + 1]);
    }
    let mut doubles = [avx._mm256_setzero_pd(); 8];
    for (double, pair) in doubles.iter_mut().zip(pairs) {
        *double = avx._mm256_castps_pd(pair);
    }
    let mut columns = rows;
    for j in [0, 1] {
        for (k, [a, b]) in
            [[doubles[j], doubles[j + 2]], [doubles[4 + j], doubles[6 + j]]].into_iter().enumerate()
        {
            columns[4 * k + 2 * j] = avx._mm256_castpd_ps(avx._mm256_unpacklo_pd(a, b));
            columns[4 * k + 2 * j + 1] = avx._mm256_castpd_ps(avx._mm256_unpackhi_pd(a, b));
        }
    }
    let fours = columns;
    for j in 0..4 {
        columns[j] = avx._mm256_permute2f128_ps::<0x20>(fours[j], fours[4 + j]);
        columns[4 + j] = avx._mm256_permute2f128_ps::<0x31>(fours[j], fours[4 + j]);
    }
    let mut square = square;
    for (numbers, column) in square.iter_mut().zip(columns) {
        *numbers = cast(column);
    }
    square
}
