//! Builds the hand-written models of `firmware/tests-models` into firmware and asks it questions in QEMU.

mod common;

use common::{bytes, firmware, pattern_inputs, pattern_outputs, softmax_samples, softmax_training, source};
use milligrad_board::{Error, Firmware, ModelSource, TrainPlan, board};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn predicts_as_the_desk(board: &str) {
    let inputs = pattern_inputs(100);
    let predictions = firmware(board, "pattern").predict("pattern", &inputs).unwrap();
    assert_eq!(predictions.samples, 100);
    assert_eq!(predictions.outputs, pattern_outputs(&inputs));
    // 576 multiplications, and no more than what surrounds them.
    let cost = predictions.cost;
    assert!((2 * 576..20 * 576).contains(&cost.instructions), "{cost:?}");
    assert!(cost.most_instructions - cost.instructions < 20, "{cost:?}");
    assert!((40..400).contains(&cost.stack_bytes) && cost.network_bytes == 52, "{cost:?}");
}

#[test]
fn cortex_m4_predicts_as_the_desk() {
    predicts_as_the_desk("mps2-an386");
}

#[test]
fn cortex_m3_predicts_as_the_desk() {
    predicts_as_the_desk("mps2-an385");
}

#[test]
fn cortex_m0_with_16_kb_predicts_as_the_desk() {
    predicts_as_the_desk("microbit");
}

#[test]
fn a_few_samples_need_one_run() {
    let firmware = firmware("mps2-an386", "pattern");
    for samples in 0..=3 {
        let inputs = pattern_inputs(samples);
        let predictions = firmware.predict("pattern", &inputs).unwrap();
        assert_eq!((predictions.samples, predictions.outputs), (samples, pattern_outputs(&inputs)));
    }
}

#[test]
fn many_samples_stream_fast() {
    let inputs = pattern_inputs(245_000);
    let firmware = firmware("mps2-an386", "pattern");
    let start = Instant::now();
    let outputs = firmware.outputs("pattern", &inputs).unwrap();
    assert_eq!(outputs.len(), 4 * 245_000);
    eprintln!("{} bytes of input in {:?}", inputs.len(), start.elapsed());
}

#[test]
fn two_runs_agree_to_the_instruction() {
    let firmware = firmware("mps2-an386", "pattern");
    let inputs = pattern_inputs(4);
    assert_eq!(firmware.predict("pattern", &inputs).unwrap(), firmware.predict("pattern", &inputs).unwrap());
}

#[test]
fn training_gives_the_bits_of_the_desk() {
    let samples = softmax_samples(60);
    let steps: Vec<u8> =
        samples.iter().flat_map(|(input, label)| [bytes(input), vec![*label]].concat()).collect();
    let tests = bytes(&samples[0].0);
    let plan = TrainPlan { steps: &steps, learning_rate: 0.3, tests: &tests, ..TrainPlan::default() };
    let firmware = firmware("mps2-an386", "softmax");
    let training = firmware.train("softmax", &plan).unwrap();
    let (losses, parameters) = softmax_training(&samples, 0.3);
    assert_eq!(bytes(&training.losses), bytes(&losses));
    assert_eq!(training.parameters, parameters);
    assert_eq!(training.refused, 0);
    assert!(losses[59] < losses[0] / 2.0);
    assert_eq!(training.before, bytes(&[1.0 / 3.0; 3]));
    assert!(training.after != training.before && training.after.len() == 12);
    assert!((50..2000).contains(&training.cost.instructions), "{:?}", training.cost);
    assert_eq!(firmware.train("softmax", &plan).unwrap(), training);
}

#[test]
fn a_refused_step_is_reported() {
    let steps = [bytes(&[1.0; 4]), vec![3], bytes(&[1.0; 4]), vec![2]].concat();
    let plan = TrainPlan { steps: &steps, learning_rate: 0.1, ..TrainPlan::default() };
    let training = firmware("mps2-an386", "softmax").train("softmax", &plan).unwrap();
    assert_eq!(training.refused, 1);
    assert!(training.losses[0].is_nan() && training.losses[1].is_finite());
}

#[test]
fn a_panic_is_told_with_its_message() {
    let error = firmware("mps2-an386", "broken").predict("broken", &[1]).unwrap_err();
    let Error::Panic { log, board: "mps2-an386", .. } = &error else { panic!("{error}") };
    assert!(log.contains("the model says 1") && log.contains("broken.rs"), "{log}");
}

#[test]
fn a_fault_is_told_with_its_place() {
    for board in ["mps2-an386", "microbit"] {
        let error = firmware(board, "broken").predict("broken", &[2]).unwrap_err();
        let Error::Fault { log, fault: "HardFault", .. } = &error else { panic!("{error}") };
        assert!(log.contains("HardFault at 0x0000"), "{log}");
    }
    let error = firmware("riscv32-virt", "broken").predict("broken", &[2]).unwrap_err();
    let Error::Fault { log, fault: "exception", .. } = &error else { panic!("{error}") };
    assert!(log.contains("exception 2 at 0x8000"), "{log}");
}

#[test]
fn a_hang_is_ended() {
    let firmware = firmware("mps2-an386", "broken").with_limit(Duration::from_secs(1));
    let error = firmware.predict("broken", &[3]).unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    // Nothing is left over that would disturb the next run.
    assert_eq!(firmware.outputs("broken", &[0, 4]).unwrap(), [0, 4]);
}

#[test]
fn the_log_reaches_its_listener() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let listener = lines.clone();
    let firmware = firmware("mps2-an386", "broken")
        .with_log(move |line| listener.lock().unwrap().push(format!("{line}")));
    firmware.hello().unwrap();
    let lines = lines.lock().unwrap();
    assert_eq!(*lines, ["info: milligrad on mps2-an386: 1 models", "info: model broken"]);
}

#[test]
fn wrong_questions_get_clear_answers() {
    let board = board("mps2-an386").unwrap();
    let firmware = firmware(board.name, "pattern");
    let message = firmware.predict("digits", &[]).unwrap_err().to_string();
    assert!(message.contains("digits") && message.contains("built with: pattern"), "{message}");
    let error = firmware.predict("pattern", &[0; 33]).unwrap_err();
    assert!(matches!(&error, Error::PartialRecord { log, .. } if log.contains("32 elements")), "{error}");
    let plan = TrainPlan { steps: &[], learning_rate: 0.1, ..TrainPlan::default() };
    assert!(matches!(firmware.train("pattern", &plan), Err(Error::NotALearner { .. })));
    assert!(matches!(Firmware::build(board, &[source("pattern"), source("pattern")]), Err(Error::Models(_))));
}

/// The model `broken` with some of its text replaced, for the board with 16 KB of RAM.
fn altered(replace: &[(&str, &str)]) -> Result<Firmware, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("altered.rs");
    let text = std::fs::read_to_string(source("broken").path).unwrap();
    let text = replace.iter().fold(text, |text, (from, to)| text.replace(from, to));
    std::fs::write(&path, text).unwrap();
    Firmware::build(board("microbit").unwrap(), &[ModelSource::new("altered", path)])
}

#[test]
fn a_model_that_is_too_large_for_its_board_is_told() {
    let large =
        [("Network([i8; 1])", "Network([i8; 1], [i8; 20_000])"), ("Self([0])", "Self([0], [0; 20_000])")];
    let Error::DoesNotFit { reason, ram: 16384, .. } = altered(&large).unwrap_err() else { panic!() };
    assert!(reason.contains("RAM"), "{reason}");
}

#[test]
fn a_stack_overflow_is_told() {
    let used = |bytes| format!("_ => {{ core::hint::black_box(&mut [0u8; {bytes}]); done(0) }}");
    // The first ends within the static variables, the second below the RAM.
    let (over, below) = (used(15_700), used(17_000));
    let error =
        |text: &str| altered(&[("_ => done(0),", text)]).unwrap().predict("altered", &[0]).unwrap_err();
    assert!(matches!(error(&over), Error::StackOverflow { .. } | Error::Fault { .. }), "{}", error(&over));
    assert!(matches!(error(&below), Error::Fault { .. }), "{}", error(&below));
}
