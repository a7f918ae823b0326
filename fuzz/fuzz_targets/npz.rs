//! No bytes make the reader of NPZ and NPY panic, or take more memory than they hold and the limit allows.
//!
//! `cargo +nightly fuzz run npz -- -rss_limit_mb=512 -timeout=10`
#![no_main]

use libfuzzer_sys::fuzz_target;
use milligrad_host::data::Task;
use milligrad_host::data::npz::Npz;
use std::path::Path;

/// Bytes that an archive may unpack to here; files may unpack to more.
const LIMIT: u64 = 1 << 22;

fuzz_target!(|bytes: &[u8]| {
    let Ok(npz) = Npz::from_bytes(Path::new("fuzz"), bytes, LIMIT) else { return };
    let names: Vec<String> = npz.names().map(str::to_owned).collect();
    for x in &names {
        let array = npz.get(x).expect("it is listed");
        assert_eq!(array.to_f32().len(), array.shape.iter().product::<usize>());
        for y in names.iter().take(4) {
            for task in [Task::Regress, Task::Classify { classes: Vec::new() }] {
                if let Ok(data) = npz.dataset(x, y, &task) {
                    assert_eq!(data.inputs.len(), data.len() * data.input_len());
                }
            }
        }
    }
});
