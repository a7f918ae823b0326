//! Degrees Fahrenheit from degrees Celsius: nobody tells the network the formula `F = 1.8 C + 32`.

use crate::course::{Course, Result, curve, train};
use crate::house_price::line;
use milligrad_host::train::{
    FitOptions, Initializer, Loss, Optimizer, Samples, Targets, initialize, predict,
};
use milligrad_host::{Builder, Program};

const CELSIUS: [f32; 7] = [-40.0, -10.0, 0.0, 8.0, 15.0, 22.0, 38.0];
const FAHRENHEIT: [f32; 7] = [-40.0, 14.0, 32.0, 46.0, 59.0, 72.0, 100.0];

pub(crate) fn run(course: &mut Course) -> Result<()> {
    let targets = Targets::Values { width: 1, values: FAHRENHEIT.to_vec() };
    let samples = Samples::new(CELSIUS.to_vec(), vec![1], targets)?;
    let mut graph = Builder::new("celsius", &[1]).dense(1).build(0)?;
    initialize(&mut graph, Initializer::GlorotUniform, 0)?;
    let options = FitOptions {
        epochs: 500,
        optimizer: Optimizer::adam(0.1),
        loss: Loss::MeanSquaredError,
        ..FitOptions::default()
    };
    let history = train(&mut graph, &samples, None, &options)?;
    println!("     loss {}", curve(history.epochs.iter().map(|epoch| epoch.loss)));
    let (w, b) = line(&graph)?;
    course.figure("w", w, 1.8, 0.05);
    course.figure("b", b, 32.0, 4.0);
    course.figure("100 °C in °F", f64::from(predict(&graph, &[100.0])?[0]), 212.0, 2.0);

    let program = Program::compile(&graph, &Default::default())?;
    let records: Vec<u8> = CELSIUS.iter().flat_map(|&celsius| program.encode_input(&[celsius])).collect();
    course.board("celsius", &program, &records)
}
