//! The result: a table for people, an object for programs.

use crate::Result;
use serde::Serialize;
use std::fmt;

/// Everything that the demo measured.
#[derive(Serialize)]
pub(crate) struct Report {
    schema: u32,
    data: &'static str,
    pub(crate) models: Vec<ModelFigures>,
    pub(crate) learning: Option<LearningFigures>,
}

#[derive(Serialize)]
pub(crate) struct ModelFigures {
    pub(crate) name: String,
    pub(crate) parameters: usize,
    pub(crate) macs: u64,
    pub(crate) accuracy: Accuracy,
    pub(crate) board: Option<BoardFigures>,
}

/// Shares of the test part.
#[derive(Serialize)]
pub(crate) struct Accuracy {
    pub(crate) f32: f64,
    pub(crate) int8_desk: f64,
    pub(crate) int8_board: Option<f64>,
}

#[derive(Serialize)]
pub(crate) struct BoardFigures {
    pub(crate) name: &'static str,
    pub(crate) values_compared: usize,
    pub(crate) mismatches: usize,
    pub(crate) instructions_per_inference: u64,
    pub(crate) code_bytes: u64,
    pub(crate) constant_bytes: u64,
    pub(crate) weight_bytes: usize,
    pub(crate) arena_bytes: usize,
    pub(crate) stack_bytes: u64,
    pub(crate) panics: Vec<String>,
}

/// Accuracies are shares of the test part.
#[derive(Serialize)]
pub(crate) struct LearningFigures {
    pub(crate) from_scratch_accuracy: f64,
    pub(crate) from_scratch_steps: usize,
    pub(crate) instructions_per_training_step: u64,
    pub(crate) training_ram_bytes: usize,
    pub(crate) training_stack_bytes: u64,
    pub(crate) training_code_bytes: u64,
    pub(crate) drift: &'static str,
    pub(crate) drift_before: f64,
    pub(crate) drift_dropped: f64,
    pub(crate) drift_recovered: f64,
    pub(crate) drift_original_after: f64,
    pub(crate) samples: usize,
    pub(crate) instructions_per_adaptation_step: u64,
    pub(crate) parameters_differing_from_desk: usize,
    pub(crate) panics: Vec<String>,
}

impl Report {
    pub(crate) fn new(data: &'static str) -> Self {
        Self { schema: 1, data, models: Vec::new(), learning: None }
    }

    /// An error if board and desk differ, or a path can panic: what milligrad promises is then not so.
    pub(crate) fn verdict(&self) -> Result<()> {
        for (model, board) in self.models.iter().filter_map(|model| Some((model, model.board.as_ref()?))) {
            if board.mismatches > 0 {
                return Err(format!(
                    "{}: {} values differ between board and desk",
                    model.name, board.mismatches
                )
                .into());
            }
            if !board.panics.is_empty() {
                return Err(format!("{}: predict can panic: {}", model.name, board.panics.join(", ")).into());
            }
        }
        match &self.learning {
            Some(learning) if learning.parameters_differing_from_desk > 0 => {
                let count = learning.parameters_differing_from_desk;
                Err(format!("{count} parameters differ between board and desk after training").into())
            }
            Some(learning) if !learning.panics.is_empty() => {
                Err(format!("train_step can panic: {}", learning.panics.join(", ")).into())
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| format!("{:.2} %", 100.0 * share);
        let mut rows: Vec<(&str, Vec<String>)> =
            vec![("", self.models.iter().map(|m| m.name.clone()).collect())];
        let mut row = |name, cell: &dyn Fn(&ModelFigures) -> String| {
            rows.push((name, self.models.iter().map(cell).collect()));
        };
        row("parameters", &|m| thousands(m.parameters as u64));
        row("multiply-accumulates", &|m| thousands(m.macs));
        row("test accuracy f32, desk", &|m| percent(m.accuracy.f32));
        row("test accuracy int8, desk", &|m| percent(m.accuracy.int8_desk));
        row("test accuracy int8, board", &|m| m.accuracy.int8_board.map_or("-".into(), percent));
        let mut board_row = |name, cell: &dyn Fn(&BoardFigures) -> String| {
            let cells = self.models.iter().map(|m| m.board.as_ref().map_or("-".into(), cell));
            rows.push((name, cells.collect()));
        };
        board_row("output values compared", &|b| thousands(b.values_compared as u64));
        board_row("mismatches", &|b| thousands(b.mismatches as u64));
        board_row("instructions per inference", &|b| thousands(b.instructions_per_inference));
        board_row("flash: code", &|b| format!("{} B", thousands(b.code_bytes)));
        board_row("flash: weights and biases", &|b| format!("{} B", thousands(b.weight_bytes as u64)));
        board_row("flash: all constants", &|b| format!("{} B", thousands(b.constant_bytes)));
        board_row("RAM: arena", &|b| format!("{} B", thousands(b.arena_bytes as u64)));
        board_row("RAM: stack of predict", &|b| format!("{} B", thousands(b.stack_bytes)));
        let board = self.models.iter().find_map(|m| m.board.as_ref()).map_or("no board", |b| b.name);
        writeln!(f, "{} on {board} (reference build: opt-level 3, generic target-cpu)\n", self.data)?;
        for (name, cells) in rows {
            writeln!(f, "{name:30}{}", cells.iter().map(|cell| format!("{cell:>16}")).collect::<String>())?;
        }
        let Some(learning) = &self.learning else { return Ok(()) };
        let lines = [
            (
                format!("64-32-10 from scratch, {} steps", learning.from_scratch_steps),
                percent(learning.from_scratch_accuracy),
            ),
            ("instructions per step".into(), thousands(learning.instructions_per_training_step)),
            ("RAM beyond parameters".into(), format!("{} B", thousands(learning.training_ram_bytes as u64))),
            ("stack of train_step".into(), format!("{} B", thousands(learning.training_stack_bytes))),
            (
                "code of predict and train_step".into(),
                format!("{} B", thousands(learning.training_code_bytes)),
            ),
            (format!("drift: {}", learning.drift), String::new()),
            ("accuracy before".into(), percent(learning.drift_before)),
            ("accuracy with drift".into(), percent(learning.drift_dropped)),
            (format!("after {} labelled samples", learning.samples), percent(learning.drift_recovered)),
            ("then, without drift".into(), percent(learning.drift_original_after)),
            (
                "parameters unlike the desk's".into(),
                thousands(learning.parameters_differing_from_desk as u64),
            ),
        ];
        writeln!(f, "\nlearning on the board, batch 1, plain SGD in f32\n")?;
        for (name, value) in lines {
            writeln!(f, "{name:46}{value:>16}")?;
        }
        Ok(())
    }
}

/// `1234567` as `1,234,567`.
fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
