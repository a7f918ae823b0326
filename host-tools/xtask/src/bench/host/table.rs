//! The table, on stdout and in docs/benchmarks.md.

use super::Row;
use super::peers::Framework;
use super::scaling::Scaling;
use crate::Result;
use crate::command::root;
use milligrad_host::model_file::write_atomically;
use std::fmt::Write as _;

const START: &str = "<!-- cargo xtask bench host -->\n";
const END: &str = "<!-- end of cargo xtask bench host -->\n";

/// How many programs want a processor, the mean of a minute.
pub(super) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned()
}

/// All rows, and how this trainer stands beside each; what more threads bring.
pub(super) fn markdown(
    rows: &[Row],
    scalings: &[Scaling],
    versions: &[String],
    loads: &[String; 2],
) -> String {
    let mut text = format!(
        "{}; {}, load {} at the start and {} at the end.\n\n\
         | network | batch | threads | trainer | CPU s an epoch | s an epoch | milligrad's CPU s / its | test accuracy |\n\
         |---|---|---|---|---|---|---|---|\n",
        versions.join("; "),
        processor(),
        loads[0],
        loads[1]
    );
    for row in rows {
        let ours = rows.iter().find(|ours| {
            (ours.framework, ours.name, ours.batch, ours.threads)
                == (Framework::Milligrad, row.name, row.batch, row.threads)
        });
        let ratio = match ours {
            Some(ours) if row.framework != Framework::Milligrad => {
                format!("**{:.2}**", ours.cpu_seconds_per_epoch / row.cpu_seconds_per_epoch)
            }
            _ => String::new(),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {:.3} | {:.3} | {ratio} | {:.2} % |",
            row.name,
            row.batch,
            row.threads,
            row.framework,
            row.cpu_seconds_per_epoch,
            row.seconds_per_epoch,
            100.0 * row.test_accuracy
        );
    }
    if !scalings.is_empty() {
        text += "\nTimes as fast as milligrad on one thread:\n\n\
                 | network | batch | threads | so many processes of one thread at once | milligrad on so many threads |\n\
                 |---|---|---|---|---|\n";
    }
    for Scaling { name, batch, threads, possible, reached } in scalings {
        let _ = writeln!(text, "| {name} | {batch} | {threads} | {possible:.2} | **{reached:.2}** |");
    }
    text
}

/// The processor's name and how many there are.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let vector = if text.contains("avx512f") { "AVX-512" } else { "no AVX-512" };
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{count} cores of {} ({vector})", name.map_or("an unknown processor", |(_, name)| name))
}

/// Puts the table between its marks in docs/benchmarks.md.
pub(super) fn write(table: &str) -> Result<()> {
    let path = root().join("docs/benchmarks.md");
    let page = std::fs::read_to_string(&path)?;
    let place = page.split_once(START).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = place.ok_or("docs/benchmarks.md has no marks for this table")?;
    write_atomically(&path, format!("{before}{START}{table}{END}{after}").as_bytes())?;
    Ok(())
}
