//! `examples/two-models`: a firmware that exports its models in its `build.rs` and runs them in one arena.

use milligrad_board::qemu::{self, Run};
use milligrad_board::{board, build_package};
use milligrad_host::{CompileOptions, Program, import};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn program(file: &str) -> Program {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/tflite").join(file);
    Program::compile(&import::load(path).unwrap(), &CompileOptions::default()).unwrap()
}

/// The input of a round, as the firmware makes it.
fn fill(len: usize, round: u8) -> Vec<u8> {
    let mut value = round.wrapping_mul(89);
    let next = || {
        value = value.wrapping_mul(37).wrapping_add(11);
        value
    };
    std::iter::repeat_with(next).take(len).collect()
}

#[test]
fn two_models_in_one_arena_give_the_bits_of_the_desk() {
    let board = board("mps2-an386").unwrap();
    let elf = build_package(board, "examples/two-models", "two-models").unwrap();
    let (folder, lines) = (std::env::temp_dir(), Arc::new(Mutex::new(Vec::new())));
    let run = Run {
        board,
        elf: &elf,
        words: &[],
        folder: &folder,
        icount: false,
        extra: &[],
        limit: Duration::from_secs(120),
    };
    qemu::run(&run, &|line| lines.lock().unwrap().push(line.text.clone())).unwrap();

    let (residual, sensors) = (program("keras-residual-1-7.tflite"), program("ports-two_sensors.tflite"));
    let mut expected = Vec::new();
    for round in 0..3 {
        let predict = |program: &Program| {
            let ports = program.inputs.iter().flat_map(|port| fill(program.port_bytes(port), round));
            let output = program.runner().predict(&ports.collect::<Vec<_>>()).unwrap();
            output.into_iter().map(|y| y as i8).collect::<Vec<_>>()
        };
        expected.push(format!("residual {round} {:?}", predict(&residual)));
        let outputs = predict(&sensors);
        let (place, scores) = outputs.split_at(sensors.port_bytes(sensors.output()));
        expected.push(format!("sensors {round} {place:?} {scores:?}"));
    }
    assert_eq!(*lines.lock().unwrap(), expected);
}
