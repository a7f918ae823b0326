//! What all labs do: compare figures with expected ones, draw curves, and end on the board.

use milligrad_board::{Board, Firmware, ModelSource};
use milligrad_host::train::{Event, FitOptions, History, Samples, fit};
use milligrad_host::{Graph, Program, export};
use std::ops::ControlFlow;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A run through the course.
pub(crate) struct Course {
    board: Option<&'static Board>,
    pub(crate) checked: usize,
    pub(crate) failures: Vec<String>,
}

impl Course {
    /// With a board at the end of every lab, or without.
    pub(crate) fn new(board: Option<&'static Board>) -> Self {
        Self { board, checked: 0, failures: Vec::new() }
    }

    /// A figure that is known.
    pub(crate) fn figure(&mut self, what: &str, value: f64, expected: f64, tolerance: f64) {
        let good = (value - expected).abs() <= tolerance;
        self.judge(good, format!("{what}: {value:.4}, expected {expected} (within {tolerance})"));
    }

    /// A figure of which the order is known: it must be at least this.
    pub(crate) fn at_least(&mut self, what: &str, value: f64, least: f64) {
        self.judge(value >= least, format!("{what}: {value:.4}, expected at least {least:.4}"));
    }

    /// It must be at most this.
    pub(crate) fn at_most(&mut self, what: &str, value: f64, most: f64) {
        self.judge(value <= most, format!("{what}: {value:.4}, expected at most {most:.4}"));
    }

    fn judge(&mut self, good: bool, line: String) {
        println!("{} {line}", if good { "  ok " } else { "FAIL" });
        self.checked += 1;
        if !good {
            self.failures.push(line);
        }
    }

    /// Puts a model on the emulated board and compares every bit of its outputs with the desk's.
    pub(crate) fn board(&mut self, name: &str, program: &Program, records: &[u8]) -> Result<()> {
        let Some(board) = self.board else { return Ok(()) };
        let folder = tempfile::tempdir()?;
        let path = folder.path().join(name).with_extension("rs");
        std::fs::write(&path, export::rust(program)?)?;
        let firmware = Firmware::build(board, &[ModelSource::new(name, path)])?;
        let answers = firmware.predict(name, records)?;
        let desk = program.outputs(records)?;
        let equal = desk.iter().zip(&answers.outputs).filter(|(desk, board)| desk == board).count();
        println!("     {}: {} instructions for a prediction", board.name, answers.cost.instructions);
        self.figure(
            "bytes of the board's answers that equal the desk's",
            equal as f64,
            desk.len() as f64,
            0.0,
        );
        self.figure("bytes of the board's answers", answers.outputs.len() as f64, desk.len() as f64, 0.0);
        Ok(())
    }
}

/// Trains without a word.
pub(crate) fn train(
    graph: &mut Graph,
    train: &Samples,
    validation: Option<&Samples>,
    options: &FitOptions,
) -> milligrad_host::Result<History> {
    fit(graph, train, validation, options, &mut |_: Event<'_>| ControlFlow::Continue(()))
}

/// A curve in one line of text, from its smallest to its largest value.
pub(crate) fn curve(values: impl Iterator<Item = f64>) -> String {
    const WIDTH: usize = 50;
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let values: Vec<f64> = values.collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shown = values.iter().step_by(values.len().div_ceil(WIDTH).max(1));
    let heights = shown.map(|value| {
        let height = (value - least) / (most - least).max(f64::MIN_POSITIVE) * 7.0;
        HEIGHTS[(height.round() as usize).min(7)]
    });
    format!("{}  {least:.3} to {most:.3}", heights.collect::<String>())
}
