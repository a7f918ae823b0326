//! The smart-watch recordings of `examples/imu/watch.npz`, cut into windows.

use crate::{Result, command::root};
use milligrad_host::data::{Dataset, npz::Npz};
use milligrad_host::train::Targets;
use std::ops::Range;

/// Two seconds at 50 Hz.
pub(crate) const WINDOW: usize = 100;
/// Windows begin one second apart.
const STRIDE: usize = WINDOW / 2;
/// Acceleration and rotation along three axes each.
pub(crate) const AXES: usize = 6;
/// People.
pub(crate) const SUBJECTS: u8 = 10;
/// Names of the exercises, in the order of their labels.
pub(crate) const EXERCISES: [&str; 7] = ["PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW"];

/// Recordings of ten people at seven exercises, with either arm.
pub(crate) struct Watch {
    samples: Vec<f32>,
    recordings: Vec<Recording>,
}

struct Recording {
    samples: Range<usize>,
    exercise: u32,
    subject: u8,
}

/// Which part of each recording.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    Whole,
    /// What a device learns from.
    FirstHalf,
    /// What it is tested on: no window of one half shares a sample with the other.
    SecondHalf,
}

impl Watch {
    pub(crate) fn read() -> Result<Self> {
        let file = Npz::read(&root().join("examples/imu/watch.npz"))?;
        let integers = |name: &str| -> Result<Vec<i64>> {
            file.get(name)?.to_i64().ok_or_else(|| format!("`{name}` of watch.npz holds no integers").into())
        };
        let mut start = 0;
        let mut recordings = Vec::new();
        let labels = integers("exercise")?.into_iter().zip(integers("subject")?);
        for (length, (exercise, subject)) in integers("lengths")?.into_iter().zip(labels) {
            let end = start + usize::try_from(length)?;
            let (exercise, subject) = (u32::try_from(exercise)?, u8::try_from(subject)?);
            recordings.push(Recording { samples: start..end, exercise, subject });
            start = end;
        }
        Ok(Self { samples: file.get("samples")?.to_f32(), recordings })
    }

    /// Two sets of windows as one.
    pub(crate) fn joined(a: &Dataset, b: &Dataset) -> Result<Dataset> {
        let labels = [a, b].map(|data| data.labels().unwrap_or_default()).concat();
        let inputs = [&a.inputs[..], &b.inputs].concat();
        Ok(Dataset::new(&a.name, &a.shape, inputs, Targets::Classes(labels), a.classes.clone())?)
    }

    /// Windows of these people.
    pub(crate) fn windows(&self, who: impl Fn(u8) -> bool, part: Part) -> Result<Dataset> {
        let (mut inputs, mut labels) = (Vec::new(), Vec::new());
        for recording in self.recordings.iter().filter(|recording| who(recording.subject)) {
            let Range { start, end } = recording.samples;
            let half = start + (end - start) / 2;
            let Range { start, end } = match part {
                Part::Whole => start..end,
                Part::FirstHalf => start..half,
                Part::SecondHalf => half..end,
            };
            for at in (start..=end.saturating_sub(WINDOW)).step_by(STRIDE) {
                inputs.extend_from_slice(&self.samples[at * AXES..(at + WINDOW) * AXES]);
                labels.push(recording.exercise);
            }
        }
        let classes = EXERCISES.map(String::from).to_vec();
        Ok(Dataset::new("watch", &[WINDOW, 1, AXES], inputs, Targets::Classes(labels), classes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_recordings_share_no_window() {
        let watch = Watch::read().unwrap();
        let windows = |subject, part| watch.windows(|who| who == subject, part).unwrap();
        for subject in 1..=SUBJECTS {
            let (first, second) = (windows(subject, Part::FirstHalf), windows(subject, Part::SecondHalf));
            assert!(first.class_counts().iter().chain(&second.class_counts()).all(|&count| count > 0));
            let starts: std::collections::HashSet<_> = first.inputs.chunks_exact(AXES).map(bits).collect();
            let shared = second.inputs.chunks_exact(AXES).filter(|sample| starts.contains(&bits(sample)));
            // A still arm may deliver the same six numbers twice; a shared window would repeat a hundred.
            assert!(shared.count() < WINDOW / 2, "person {subject}");
        }
        let everybody = watch.windows(|_| true, Part::Whole).unwrap();
        assert_eq!(everybody.inputs.len(), everybody.len() * WINDOW * AXES);
    }

    fn bits(sample: &[f32]) -> Vec<u32> {
        sample.iter().map(|x| x.to_bits()).collect()
    }
}
