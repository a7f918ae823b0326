//! Says what is being done, and how long it took.

use std::time::Instant;

/// The stages of a task.
pub(crate) struct Stages {
    start: Instant,
    lines: Vec<(String, f64)>,
}

impl Stages {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), lines: Vec::new() }
    }

    /// Does something and prints its seconds, on stderr.
    pub(crate) fn stage<T, E>(&mut self, name: &str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        eprintln!("\x1b[1m==>\x1b[0m {name}");
        let start = Instant::now();
        let result = work();
        let seconds = start.elapsed().as_secs_f64();
        let mark = if result.is_ok() { "" } else { "  failed" };
        eprintln!("    {seconds:.1} s  {name}{mark}");
        self.lines.push((name.to_owned(), seconds));
        result
    }

    /// All stages with their seconds.
    pub(crate) fn summary(&self) {
        eprintln!("\nseconds  stage");
        for (name, seconds) in &self.lines {
            eprintln!("{seconds:7.1}  {name}");
        }
        eprintln!("{:7.1}  in all\n", self.start.elapsed().as_secs_f64());
    }
}
