//! From values to places along an axis, and round numbers to label it with.

/// An axis over the range of some values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    logarithmic: bool,
    /// All values are whole numbers, such as epochs; so then are the labels.
    whole: bool,
    /// Ends, as logarithms to base 10 if the axis is logarithmic.
    low: f64,
    high: f64,
}

/// A label: where (0 to 1), and what.
pub(super) type Tick = (f64, String);

impl Axis {
    /// From the smallest to the largest of the values that can be shown; around them if there is but one, 0 to 1 if none.
    pub(super) fn over(values: impl Iterator<Item = f64> + Clone, logarithmic: bool) -> Self {
        let whole = values.clone().all(|value| value.fract() == 0.0);
        let scaled = values.filter_map(|value| scaled(value, logarithmic));
        let (mut low, mut high) =
            scaled.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        if high - low <= f64::EPSILON * low.abs().max(high.abs()) {
            let around = if low == 0.0 || logarithmic { 0.5 } else { low.abs() / 2.0 };
            (low, high) = (low - around, high + around);
        }
        Self { logarithmic, whole, low, high }
    }

    /// Where a value lies, from 0 to 1; `None` if it can't be shown.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        // Halves, as the range itself may overflow.
        scaled(value, self.logarithmic)
            .map(|x| ((x / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0)).clamp(0.0, 1.0))
    }

    /// At most so many labels at round numbers.
    pub(super) fn ticks(&self, most: usize) -> Vec<Tick> {
        let most = most.max(2);
        let values = if self.logarithmic { self.logarithmic_ticks(most) } else { self.linear_ticks(most) };
        values.into_iter().filter_map(|(value, label)| Some((self.place(value)?, label))).collect()
    }

    fn linear_ticks(&self, most: usize) -> Vec<(f64, String)> {
        let step = round_step((self.high / most as f64 - self.low / most as f64).max(f64::MIN_POSITIVE));
        let step = if self.whole { step.max(1.0) } else { step };
        let (first, last) = ((self.low / step).ceil() as i64, (self.high / step).floor() as i64);
        let decimals = (-step.log10().floor()).max(0.0) as usize;
        let large = self.low.abs().max(self.high.abs());
        (first..=last)
            .take(most + 1)
            .map(|i| {
                let value = i as f64 * step;
                let label = match large {
                    1e-3..1e6 => format!("{value:.decimals$}"),
                    _ if i == 0 => "0".into(),
                    _ => format!("{:e}", format!("{value:.2e}").parse().unwrap_or(value)),
                };
                (value, label)
            })
            .collect()
    }

    /// Powers of 10, or 1, 2, 5 times powers of 10 where there are few.
    fn logarithmic_ticks(&self, most: usize) -> Vec<(f64, String)> {
        let decades = self.low.floor() as i32..=self.high.ceil() as i32;
        let steps: &[f64] = if self.high - self.low > 2.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let values: Vec<(f64, String)> = decades
            .flat_map(|decade| steps.iter().map(move |step| (step, decade)))
            .filter_map(|(step, decade)| {
                let label = format!("{step}e{decade}");
                let value: f64 = label.parse().ok()?;
                let inside = (self.low - 1e-9..=self.high + 1e-9).contains(&value.log10());
                let plain = (-3..=4).contains(&decade);
                inside.then(|| (value, if plain { format!("{value}") } else { label }))
            })
            .collect();
        if values.len() < 2 {
            return [self.low, self.high].map(|x| 10f64.powf(x)).map(|x| (x, format!("{x:.2e}"))).into();
        }
        let every = values.len().div_ceil(most);
        values.into_iter().step_by(every).collect()
    }
}

fn scaled(value: f64, logarithmic: bool) -> Option<f64> {
    let value = if logarithmic { value.log10() } else { value };
    value.is_finite().then_some(value)
}

/// The next number of the form 1, 2 or 5 times a power of 10.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let factor = step / power;
    power * [1.0, 2.0, 5.0].into_iter().find(|&round| factor <= round * (1.0 + 1e-9)).unwrap_or(10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(values: &[f64], logarithmic: bool, most: usize) -> Vec<String> {
        let axis = Axis::over(values.iter().copied(), logarithmic);
        axis.ticks(most).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn round_numbers() {
        assert_eq!(labels(&[0.0, 0.5, 1.0], false, 5), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&[1.0, 10.0], false, 5), ["2", "4", "6", "8", "10"]);
        assert_eq!(labels(&[1.0, 3.0], false, 9), ["1", "2", "3"]);
        assert_eq!(labels(&[0.0, 3e7], false, 3), ["0", "1e7", "2e7", "3e7"]);
        assert_eq!(labels(&[1e-5, 1.0], true, 10), ["1e-5", "1e-4", "0.001", "0.01", "0.1", "1"]);
        assert_eq!(labels(&[1.0, 6.0], true, 10), ["1", "2", "5"]);
    }

    #[test]
    fn whatever_the_values_places_are_within_the_axis() {
        for values in [
            &[][..],
            &[0.0],
            &[f64::NAN, 3.0],
            &[-1.0],
            &[f64::MIN, f64::MAX],
            &[5e-324, 1e-323],
            &[f64::INFINITY],
            &[1e300, -1e-300],
        ] {
            for logarithmic in [false, true] {
                let axis = Axis::over(values.iter().copied(), logarithmic);
                for (place, label) in axis.ticks(6) {
                    assert!((0.0..=1.0).contains(&place) && label.len() < 30, "{values:?} {place} {label}");
                }
                assert!(axis.ticks(6).len() <= 8);
                let places = values.iter().filter_map(|&value| axis.place(value));
                places.for_each(|place| assert!((0.0..=1.0).contains(&place), "{values:?} {place}"));
            }
        }
    }
}
