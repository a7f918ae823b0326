//! Keras' progress bar.

use crate::output::Output;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use milligrad_host::train::{EpochRecord, Progress};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// A bar that follows every batch would cost more than the batch.
const PERIOD: Duration = Duration::from_millis(80);

const TEMPLATE: &str = "{prefix} {pos:>5}/{len} {bar:20} {eta} {msg}";

/// Shows how training goes: a bar on a terminal, a line an epoch elsewhere.
pub(crate) struct TrainingBar {
    output: Output,
    bar: ProgressBar,
    draws: bool,
    epochs: usize,
    drawn: Instant,
    /// When the epoch began, and its steps.
    started: Instant,
    steps: usize,
}

impl TrainingBar {
    pub(crate) fn new(output: Output, epochs: usize) -> Self {
        let draws = output.talks() && std::io::stderr().is_terminal();
        let target =
            if draws { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        // The template is a constant that a test has seen.
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("━╸ "));
        }
        Self { output, bar, draws, epochs, drawn: Instant::now(), started: Instant::now(), steps: 1 }
    }

    pub(crate) fn batch(&mut self, progress: &Progress) {
        let last = progress.batch == progress.batches;
        self.steps = progress.batches;
        if !self.draws || (self.drawn.elapsed() < PERIOD && progress.batch > 1 && !last) {
            return;
        }
        self.drawn = Instant::now();
        if progress.batch == 1 {
            self.bar.reset();
            self.started = Instant::now();
            self.bar.set_length(progress.batches as u64);
            self.bar.set_prefix(format!("Epoch {}/{}", progress.epoch, progress.epochs));
        }
        let step = per_step(self.started.elapsed().as_secs_f64(), progress.batch);
        self.bar.set_message(step + &numbers(progress.loss, progress.accuracy, None, None));
        self.bar.set_position(progress.batch as u64);
    }

    pub(crate) fn epoch(&self, record: &EpochRecord) {
        let time = match record.seconds {
            seconds if seconds < 1.0 => format!("{:.1} ms", 1000.0 * seconds),
            seconds => format!("{seconds:.1} s"),
        };
        let mut numbers = numbers(record.loss, record.accuracy, record.val_loss, record.val_accuracy);
        for (name, value) in &record.val_metrics {
            numbers += &format!(" - val_{name}: {value:.4}");
        }
        let step = per_step(record.seconds, self.steps);
        let line = format!("Epoch {}/{} - {time} {step}{numbers}", record.epoch, self.epochs);
        if self.draws {
            self.bar.suspend(|| self.output.note(line));
        } else {
            self.output.note(line);
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Time of a step, as Keras shows it.
fn per_step(seconds: f64, steps: usize) -> String {
    match seconds / steps.max(1) as f64 {
        step if step < 1e-3 => format!("{:.0}us/step", 1e6 * step),
        step if step < 1.0 => format!("{:.1}ms/step", 1e3 * step),
        step => format!("{step:.1}s/step"),
    }
}

fn numbers(loss: f64, accuracy: Option<f64>, val_loss: Option<f64>, val_accuracy: Option<f64>) -> String {
    let mut text = format!(" - loss: {loss:.4}");
    for (name, value) in [("accuracy", accuracy), ("val_loss", val_loss), ("val_accuracy", val_accuracy)] {
        if let Some(value) = value {
            text += &format!(" - {name}: {value:.4}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keras_names() {
        let line = numbers(0.5, Some(0.25), Some(0.125), None);
        assert_eq!(line, " - loss: 0.5000 - accuracy: 0.2500 - val_loss: 0.1250");
        assert_eq!(
            [per_step(0.5, 1000), per_step(0.5, 100), per_step(9.0, 2)],
            ["500us/step", "5.0ms/step", "4.5s/step"]
        );
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
