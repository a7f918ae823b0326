//! The mean of gradients over a batch.

use super::Saturation;
use crate::arch::rolled;

/// `g / samples` of sums of gradients in Q8.23, in place, to nearest, half up. Sums saturate at ±256, and those that lie there at the
/// end of the batch are counted among the deltas. Where the number of samples is a power of two nothing is divided, which a
/// Cortex-M0 does in software.
#[inline(never)]
pub fn mean(samples: u32, sums: &mut [i32], saturation: &mut Saturation) {
    let samples = i32::try_from(samples).unwrap_or(i32::MAX).max(1);
    let shift = samples.trailing_zeros();
    let is_power = samples > 1 && samples >> shift == 1;
    let mut at_the_end = 0;
    for sum in sums {
        rolled();
        at_the_end += u32::from(*sum == i32::MAX || *sum == i32::MIN);
        *sum = if is_power {
            // What stays, and the highest bit that falls off.
            sum.wrapping_shr(shift) + (sum.wrapping_shr(shift.wrapping_sub(1)) & 1)
        } else {
            let rest = sum.checked_rem_euclid(samples).unwrap_or(0);
            sum.checked_div_euclid(samples).unwrap_or(0) + i32::from(rest >= samples - rest)
        };
    }
    saturation.add_deltas(at_the_end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_the_nearest() {
        let sums =
            [i32::MIN, i32::MIN + 1, -1000, -17, -3, -2, -1, 0, 1, 2, 3, 17, 1000, i32::MAX - 1, i32::MAX];
        for samples in [1, 2, 3, 4, 5, 6, 7, 8, 10, 32, 100, 1 << 20, (1 << 30) - 1, 1 << 30, u32::MAX] {
            let (mut means, mut saturation) = (sums, Saturation::NONE);
            mean(samples, &mut means, &mut saturation);
            let n = i64::from(samples.min(i32::MAX as u32));
            for (mean, sum) in means.into_iter().zip(sums) {
                let exact = (2 * i64::from(sum) + n).div_euclid(2 * n);
                assert_eq!(i64::from(mean), exact, "{sum} / {samples}");
            }
            assert_eq!(saturation, Saturation { deltas: 2, ..Saturation::NONE });
        }
        let mut none = [5];
        mean(0, &mut none, &mut { Saturation::NONE });
        assert_eq!(none, [5]);
    }
}
