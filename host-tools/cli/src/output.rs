//! What goes where: results to standard output, everything else to standard error.

use crate::failure::Failure;
use crate::table::Table;
use console::Term;
use milligrad_host::plot::Canvas;
use serde_json::{Value, json};
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

/// Where a command prints.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    verbose: bool,
}

impl Output {
    pub(crate) fn new(json: bool, quiet: bool, verbose: bool) -> Self {
        Self { json, quiet, verbose }
    }

    /// `true` if progress may be shown.
    pub(crate) fn talks(&self) -> bool {
        !self.quiet
    }

    /// How far it has come, what was written: for people who look on.
    pub(crate) fn note(&self, text: impl Display) {
        if !self.quiet {
            print(std::io::stderr(), text);
        }
    }

    /// What few people want to know.
    pub(crate) fn detail(&self, text: impl Display) {
        if self.verbose {
            print(std::io::stderr(), text);
        }
    }

    /// What a firmware logs.
    pub(crate) fn log(&self) -> impl Fn(&milligrad_board::LogLine) + Send + Sync + 'static {
        let output = *self;
        move |line| output.detail(line)
    }

    /// The result for people.
    pub(crate) fn result(&self, text: impl Display) {
        if self.json {
            self.note(text);
        } else {
            print(std::io::stdout(), text);
        }
    }

    /// The result for people, as a table.
    pub(crate) fn table(&self, table: &Table) {
        self.result(table.to_string().trim_end());
    }

    /// What charts among the results are drawn on: a terminal's width in colours, or ASCII.
    pub(crate) fn canvas(&self) -> Canvas {
        let term = if self.json { Term::stderr() } else { Term::stdout() };
        let coloured = term.features().colors_supported() && std::env::var_os("NO_COLOR").is_none();
        match term.size_checked().filter(|_| coloured) {
            Some((rows, columns)) => {
                Canvas::terminal(usize::from(columns).min(120), (usize::from(rows) / 2).clamp(12, 24))
            }
            None => Canvas::plain(80, 18),
        }
    }

    /// The result for programs: `object` with `"schema": 1` in front.
    pub(crate) fn object(&self, object: Value) {
        if !self.json {
            return;
        }
        let mut map = serde_json::Map::from_iter([("schema".to_string(), json!(1))]);
        if let Value::Object(entries) = object {
            map.extend(entries);
        }
        print(std::io::stdout(), Value::Object(map));
    }

    /// Why a check failed, where the object on standard output says it too.
    pub(crate) fn problem(&self, text: impl Display) {
        print(std::io::stderr(), format_args!("error: {text}"));
    }

    /// The end of a failed command.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        if !failure.message.is_empty() {
            print(std::io::stderr(), format_args!("error: {failure}"));
            self.object(json!({ "error": failure.message }));
        }
        ExitCode::from(failure.code)
    }
}

/// Prints a line. A reader that has gone away is no reason to fail.
fn print(mut to: impl Write, text: impl Display) {
    let _ = writeln!(to, "{text}");
}
