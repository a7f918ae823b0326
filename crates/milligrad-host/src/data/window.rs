//! Windows over a series: what a network sees of a sensor at once.

use super::{Dataset, Targets};
use crate::{Error, Result};

/// Which row's target a window has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WindowLabel {
    /// The class of most rows, the lowest of several; the mean of numbers.
    #[default]
    Majority,
    /// That of the last row.
    Last,
}

/// How a series is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Rows of a window.
    pub length: usize,
    /// Rows from the start of a window to the start of the next.
    pub stride: usize,
    /// Its target.
    pub label: WindowLabel,
}

impl Windows {
    /// Windows `[length, columns]` over rows in order of time. No window spans two groups (recordings): where the group
    /// changes, a series ends, and rows that fill no window are left out.
    ///
    /// # Errors
    /// [`Error::Data`] if no series is as long as a window.
    pub fn of(&self, rows: &Dataset) -> Result<Dataset> {
        let error = |problem: String| Error::Data(format!("{}: {problem}", rows.name));
        if self.length == 0 || self.stride == 0 {
            return Err(error("a window of 0 rows, or windows 0 rows apart".into()));
        }
        let width = rows.input_len();
        let mut starts = Vec::new();
        let mut begin = 0;
        for row in 1..=rows.len() {
            let ends = row == rows.len() || rows.groups.get(row) != rows.groups.get(row - 1);
            if ends {
                starts.extend((begin..row).step_by(self.stride).filter(|start| start + self.length <= row));
                begin = row;
            }
        }
        if starts.is_empty() {
            return Err(error(format!(
                "none of its series is as long as a window of {} rows ({} rows in all)",
                self.length,
                rows.len()
            )));
        }
        let values = starts.len().checked_mul(self.length * width).filter(|&n| n <= LIMIT);
        if values.is_none() {
            return Err(error(format!(
                "{} windows of {} rows are more than {LIMIT} values; take a larger stride",
                starts.len(),
                self.length
            )));
        }
        let inputs = starts.iter().flat_map(|&s| &rows.inputs[s * width..(s + self.length) * width]).copied();
        let last = |start: usize| start + self.length - 1;
        let targets = match &rows.targets {
            Targets::Classes(labels) => {
                let label = |&start: &usize| match self.label {
                    WindowLabel::Last => labels[last(start)],
                    WindowLabel::Majority => majority(&labels[start..=last(start)], rows.classes.len()),
                };
                Targets::Classes(starts.iter().map(label).collect())
            }
            Targets::Values { width, values } => {
                let value = |start: usize, column: usize| match self.label {
                    WindowLabel::Last => values[last(start) * width + column],
                    WindowLabel::Majority => {
                        let all = (start..=last(start)).map(|row| f64::from(values[row * width + column]));
                        (all.sum::<f64>() / self.length as f64) as f32
                    }
                };
                let values = starts.iter().flat_map(|&s| (0..*width).map(move |column| (s, column)));
                Targets::Values {
                    width: *width,
                    values: values.map(|(s, column)| value(s, column)).collect(),
                }
            }
        };
        let shape = [self.length, width];
        let windows =
            Dataset::new(rows.name.clone(), &shape, inputs.collect(), targets, rows.classes.clone())?;
        let groups = starts.iter().filter_map(|&start| rows.groups.get(start).copied()).collect();
        Ok(Dataset { columns: rows.columns.clone(), groups, ..windows })
    }
}

/// Most values of all windows.
const LIMIT: usize = 1 << 28;

fn majority(labels: &[u32], classes: usize) -> u32 {
    let mut counts = vec![0usize; classes];
    labels.iter().for_each(|&label| counts[label as usize] += 1);
    let most = counts.iter().max().copied().unwrap_or(0);
    counts.iter().position(|&count| count == most).unwrap_or(0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Dataset {
        let inputs = (0..20).map(|x| x as f32).collect();
        let labels = Targets::Classes(vec![0, 0, 1, 1, 1, 0, 1, 1, 0, 0]);
        let data = Dataset::new("t", &[2], inputs, labels, vec!["a".into(), "b".into()]).unwrap();
        data.grouped(vec![7, 7, 7, 7, 7, 7, 8, 8, 8, 8]).unwrap()
    }

    #[test]
    fn windows_stay_within_a_recording() {
        let windows = Windows { length: 3, stride: 2, label: WindowLabel::Majority }.of(&rows()).unwrap();
        assert_eq!((windows.shape.as_slice(), windows.len()), (&[3, 2][..], 3));
        assert_eq!(windows.input(1), [4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        assert_eq!(windows.groups, [7, 7, 8]);
        assert_eq!(windows.labels().unwrap(), [0, 1, 1]);
        let last = Windows { length: 3, stride: 2, label: WindowLabel::Last }.of(&rows()).unwrap();
        assert_eq!(last.labels().unwrap(), [1, 1, 0]);
    }

    #[test]
    fn too_long_is_said() {
        let windows = |length, stride| Windows { length, stride, label: WindowLabel::Last }.of(&rows());
        assert!(windows(7, 1).unwrap_err().to_string().contains("a window of 7 rows (10 rows"));
        assert!(windows(0, 1).is_err() && windows(3, 0).is_err());
    }
}
