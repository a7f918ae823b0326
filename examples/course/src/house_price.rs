//! One neuron, `price = w · size + b`, and the loss that says how wrong it is.

use crate::course::{Course, Result, train};
use milligrad_host::train::{FitOptions, Initializer, Loss, Optimizer, Samples, Targets, evaluate, predict};
use milligrad_host::{Builder, Graph, Program};

/// Sizes 0 to 10 in ten equal steps.
fn sizes() -> Vec<f32> {
    (0..10).map(|i| i as f32 * 10.0 / 9.0).collect()
}

/// Prices of the houses on the course's slides.
const PRICES: [f32; 10] = [53.047, 56.297, 7.462, 28.460, 53.589, 49.147, 54.175, 94.818, 64.704, 94.859];

pub(crate) fn houses() -> Result<Samples> {
    Ok(Samples::new(sizes(), vec![1], Targets::Values { width: 1, values: PRICES.to_vec() })?)
}

/// A neuron with this weight and bias.
pub(crate) fn neuron(w: f32, b: f32) -> Result<Graph> {
    let model = Builder::new("neuron", &[1]).dense(1);
    Ok(model.init(Initializer::Constant(w)).bias_init(Initializer::Constant(b)).build(0)?)
}

/// All ten houses in each step: plain gradient descent.
pub(crate) fn descent(learning_rate: f64, epochs: usize) -> FitOptions {
    FitOptions {
        epochs,
        batch_size: 10,
        shuffle: false,
        optimizer: Optimizer::sgd(learning_rate),
        loss: Loss::MeanSquaredError,
        ..FitOptions::default()
    }
}

/// Weight and bias of a neuron, from what it says to 0 and 1.
pub(crate) fn line(neuron: &Graph) -> Result<(f64, f64)> {
    let y = predict(neuron, &[0.0, 1.0])?;
    Ok((f64::from(y[1] - y[0]), f64::from(y[0])))
}

pub(crate) fn run(course: &mut Course) -> Result<()> {
    let houses = houses()?;
    // The loss is a landscape over w and b. Three places in it:
    for (w, loss) in [(7.0, 703.16), (8.0, 599.41), (9.0, 566.05)] {
        let found = evaluate(&neuron(w, 3.0)?, &houses, Loss::MeanSquaredError)?.loss;
        course.figure(&format!("loss at w = {w}, b = 3"), found, loss, 0.01);
    }
    // Gradient descent goes downhill, and ends at the lowest place, which can also be computed.
    let mut graph = neuron(8.0, 3.0)?;
    train(&mut graph, &houses, None, &descent(0.02, 2000))?;
    let (w, b) = line(&graph)?;
    course.figure("w after gradient descent", w, 5.1526, 0.0005);
    course.figure("b after gradient descent", b, 29.893, 0.005);
    course.figure("lowest loss", evaluate(&graph, &houses, Loss::MeanSquaredError)?.loss, 356.67, 0.005);
    on_board(course, "house-price", &graph)
}

/// The neuron's prices of all houses, from the board.
pub(crate) fn on_board(course: &mut Course, name: &str, neuron: &Graph) -> Result<()> {
    let program = Program::compile(neuron, &Default::default())?;
    let records: Vec<u8> = sizes().iter().flat_map(|&size| program.encode_input(&[size])).collect();
    course.board(name, &program, &records)
}
