//! No text makes the reader of CSV panic, and what it accepts is sound: finite, complete, categories in range.
//!
//! `cargo +nightly fuzz run csv -- -rss_limit_mb=256 -timeout=10`
#![no_main]

use libfuzzer_sys::fuzz_target;
use milligrad_host::data::csv::{Columns, parse};
use milligrad_host::data::{Task, WindowLabel, Windows};

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, text)) = bytes.split_first() else { return };
    // Names of columns are short, so that the fuzzer can guess them.
    let classify = Task::Classify { classes: Vec::new() };
    let columns = Columns {
        categorical: if choice & 1 == 0 { vec![] } else { vec!["c".into()] },
        ignore: if choice & 2 == 0 { vec![] } else { vec!["i".into()] },
        group: (choice & 4 != 0).then(|| "g".into()),
        missing: (choice & 8 != 0).then_some(0.5),
        ..Columns::new("y", if choice & 16 == 0 { Task::Regress } else { classify })
    };
    let Ok(data) = parse(text, &columns, "fuzz") else { return };
    assert_eq!(data.inputs.len(), data.len() * data.columns.len());
    assert!(data.inputs.iter().all(|x| x.is_finite()));
    for row in data.inputs.chunks(data.columns.len()) {
        for (x, column) in row.iter().zip(&data.columns) {
            assert!(column.categories.is_empty() || (*x as usize) < column.categories.len());
        }
    }
    let windows = Windows { length: 3, stride: 2, label: WindowLabel::Majority };
    if let Ok(windows) = windows.of(&data) {
        assert!(windows.len() <= data.len());
    }
});
