//! The report that the firmware writes of what it measured.

use super::files::Folder;
use crate::{Board, Cost, Error, Firmware, Result};
use milligrad_protocol::{INSTRUCTIONS_PER_POLL, files, keys};

/// A report, read.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Report {
    /// Timer readings of the measured calls: ticks, and polls until the last.
    pub(crate) calls: Vec<[u64; 2]>,
    /// That of the update by the batch of which they are the samples.
    apply: Option<[u64; 2]>,
    empty: [u64; 2],
    stack: u64,
    stack_free: u64,
    network: u64,
    /// Names of the layers.
    pub(crate) layers: Vec<String>,
}

impl Report {
    pub(crate) fn read(folder: &Folder) -> Result<Self> {
        let text = folder.read(files::REPORT)?;
        Self::parse(&String::from_utf8_lossy(&text))
    }

    fn parse(text: &str) -> Result<Self> {
        let mut report = Self::default();
        for line in text.lines() {
            let bad = || Error::Report {
                file: files::REPORT.to_str().unwrap_or_default(),
                reason: format!("what is {line:?}?"),
            };
            let (key, value) = line.split_once(' ').ok_or_else(bad)?;
            let number = |word: &str| word.parse::<u64>().map_err(|_| bad());
            let reading = || -> Result<[u64; 2]> {
                let (ticks, polls) = value.split_once(' ').ok_or_else(bad)?;
                Ok([number(ticks)?, number(polls)?])
            };
            match key {
                keys::CALL => report.calls.push(reading()?),
                keys::APPLY => report.apply = Some(reading()?),
                keys::EMPTY => report.empty = reading()?,
                keys::STACK => report.stack = report.stack.max(number(value)?),
                keys::STACK_FREE => report.stack_free = number(value)?,
                keys::NETWORK => report.network = number(value)?,
                keys::LAYER => report.layers.push(value.into()),
                _ => return Err(bad()),
            }
        }
        Ok(report)
    }

    /// Whether an update by a batch was measured.
    pub(crate) fn updates(&self) -> bool {
        self.apply.is_some()
    }

    /// The cost of the measured calls.
    pub(crate) fn cost(&self, firmware: &Firmware, model: &str) -> Result<Cost> {
        if self.stack_free > 0 && self.stack >= self.stack_free {
            let board = firmware.board().name;
            return Err(Error::StackOverflow { task: model.into(), board, free: self.stack_free });
        }
        let empty = instructions(firmware.board(), self.empty);
        let count = |&call: &[u64; 2]| (instructions(firmware.board(), call) - empty).round() as u64;
        let calls = self.calls.iter().map(count);
        let batch = self.apply.as_ref().map(|apply| calls.clone().sum::<u64>() + count(apply));
        Ok(Cost {
            instructions: batch.or(calls.clone().next()).unwrap_or(0),
            most_instructions: batch.or(calls.max()).unwrap_or(0),
            stack_bytes: self.stack,
            network_bytes: self.network,
        })
    }
}

/// Instructions from the tick at the start to the end of the call.
fn instructions(board: &Board, [ticks, polls]: [u64; 2]) -> f64 {
    ticks as f64 * board.ns_per_tick - (polls * INSTRUCTIONS_PER_POLL) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read() {
        let report = Report::parse(
            "empty 2 5\nnetwork 100\nlayer dense 1\ncall 10 3\ncall 11 0\nstack 8\napply 7 1\nstack 6\n",
        )
        .unwrap();
        assert_eq!(report.calls, [[10, 3], [11, 0]]);
        assert_eq!((&report.layers[..], report.apply), (&["dense 1".to_owned()][..], Some([7, 1])));
        assert_eq!((report.network, report.stack, report.empty), (100, 8, [2, 5]));
        assert!(Report::parse("call 10").is_err());
        assert!(Report::parse("weather fine").is_err());
    }
}
