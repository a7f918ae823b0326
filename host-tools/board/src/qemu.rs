//! Runs a firmware in QEMU, within a limit of real time, and decodes what it logs.

use crate::{Board, Error, Result};
use defmt_decoder::{DecodeError, Table};
use std::fmt;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// A line of the firmware's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: &'static str,
    /// The text.
    pub text: String,
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.level, self.text)
    }
}

/// One run.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The board to emulate.
    pub board: &'static Board,
    /// The firmware.
    pub elf: &'a Path,
    /// The words of its command line, after the program's name.
    pub words: &'a [&'a str],
    /// Where it finds and leaves its files.
    pub folder: &'a Path,
    /// Whether one virtual nanosecond passes for each instruction: slower, and time is a count of instructions.
    pub icount: bool,
    /// More arguments for QEMU.
    pub extra: &'a [&'a str],
    /// Real time after which QEMU is ended.
    pub limit: Duration,
}

/// Runs the firmware to its end; calls `on_log` with each line as it comes.
///
/// # Errors
/// [`Error::Panic`], [`Error::Fault`], [`Error::Failed`], [`Error::Timeout`], [`Error::Tool`] without QEMU.
pub fn run(run: &Run<'_>, on_log: &dyn Fn(&LogLine)) -> Result<()> {
    let task = run.words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
    let elf = fs::read(run.elf).map_err(Error::io(run.elf))?;
    let table = table(run.elf, &elf)?;
    let qemu = run.board.qemu();
    let mut child = Running(command(run)?.spawn().map_err(|source| Error::Tool {
        tool: qemu.program.into(),
        remedy: qemu.remedy,
        source,
    })?);

    // Semihosting's console comes on standard output or on standard error, as QEMU's version likes; QEMU's own
    // words come on standard error. Both are read, and what is not a frame of the log is text.
    let (sender, receiver) = mpsc::channel();
    let streams: [Option<Box<dyn Read + Send>>; 2] = [
        child.0.stdout.take().map(|stream| Box::new(stream) as _),
        child.0.stderr.take().map(|stream| Box::new(stream) as _),
    ];
    for (i, stream) in streams.into_iter().enumerate() {
        let (Some(stream), sender) = (stream, sender.clone()) else { continue };
        thread::spawn(move || forward(stream, i, &sender));
    }
    drop(sender);

    let mut logs = [Log::new(&table), Log::new(&table)];
    let mut lines = Vec::new();
    let end = Instant::now() + run.limit;
    loop {
        match receiver.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok((stream, bytes)) => logs[stream].receive(&bytes, &mut |line| {
                on_log(&line);
                lines.push(line);
            }),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let log = text(&lines, &logs);
                return Err(Error::Timeout { task, board: run.board.name, limit: run.limit, log });
            }
        }
    }
    let status = child.0.wait().map_err(Error::io(qemu.program))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::exit(&task, run.board.name, status.code(), text(&lines, &logs)))
}

/// A QEMU that is ended when nobody waits for it any more.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(run: &Run<'_>) -> Result<Command> {
    let machine = run.board.machine.ok_or(Error::NotEmulated { board: run.board.name })?;
    let words: String = run.words.iter().map(|word| format!(",arg={}", word.replace(',', ",,"))).collect();
    let qemu = run.board.qemu();
    let mut command = Command::new(qemu.program);
    command
        .args([
            "-machine",
            machine,
            "-nographic",
            "-monitor",
            "none",
            "-serial",
            "null",
            "-semihosting-config",
        ])
        .arg(format!("enable=on,target=native,arg=milligrad{words}"))
        .args(if run.icount { &["-icount", "shift=0,sleep=off"][..] } else { &[] })
        .args(qemu.arguments)
        .args(run.extra)
        .arg("-kernel")
        .arg(run.elf)
        .current_dir(run.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok(command)
}

fn forward(mut stream: impl Read, number: usize, sender: &mpsc::Sender<(usize, Vec<u8>)>) {
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = stream.read(&mut buffer) {
        if sender.send((number, buffer[..n].to_vec())).is_err() {
            return;
        }
    }
}

/// The texts of the log, which are in the ELF file and not in the stream.
fn table(path: &Path, elf: &[u8]) -> Result<Table> {
    let error = |reason: String| Error::Elf { path: path.into(), reason };
    Table::parse(elf)
        .map_err(|reason| error(format!("defmt's table can't be read: {reason:#}")))?
        .ok_or_else(|| error("no defmt table: the firmware was linked without defmt.x".into()))
}

/// One stream: frames of the log, or text.
struct Log<'t> {
    decoder: Box<dyn defmt_decoder::StreamDecoder + Send + Sync + 't>,
    raw: Vec<u8>,
}

impl<'t> Log<'t> {
    fn new(table: &'t Table) -> Self {
        Self { decoder: table.new_stream_decoder(), raw: Vec::new() }
    }

    fn receive(&mut self, bytes: &[u8], on_line: &mut dyn FnMut(LogLine)) {
        self.decoder.received(bytes);
        self.raw.extend_from_slice(bytes);
        loop {
            match self.decoder.decode() {
                Ok(frame) => {
                    let level = frame.level().map_or("info", |level| level.as_str());
                    on_line(LogLine { level, text: frame.display_message().to_string() });
                    self.raw.clear();
                }
                Err(DecodeError::Malformed) => {}
                Err(DecodeError::UnexpectedEof) => return,
            }
        }
    }
}

/// The log, and what QEMU itself said, for an error message.
fn text(lines: &[LogLine], logs: &[Log<'_>]) -> String {
    let mut text: Vec<_> = lines.iter().map(LogLine::to_string).collect();
    text.extend(logs.iter().map(|log| String::from_utf8_lossy(&log.raw).trim().to_owned()));
    text.retain(|line| !line.is_empty());
    text.join("\n")
}
