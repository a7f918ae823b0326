//! The same neuron with three learning rates.

use crate::course::{Course, Result, curve, train};
use crate::house_price::{descent, houses, neuron, on_board};
use milligrad_host::Error;

pub(crate) fn run(course: &mut Course) -> Result<()> {
    let houses = houses()?;
    // The landscape is 126 times as steep across the valley as along it. Across, steps of more than
    // 2 / 71.8 = 0.028 times the gradient land higher on the other side than where they came from.
    for (name, rate) in [("too small", 0.0002), ("right", 0.02), ("too large", 0.03)] {
        let mut graph = neuron(8.0, 3.0)?;
        let losses: Vec<f64> = match train(&mut graph, &houses, None, &descent(rate, 200)) {
            Ok(history) => history.epochs.iter().map(|epoch| epoch.loss).collect(),
            Err(error @ Error::Diverged { .. }) => {
                println!("     {name}: {error}");
                vec![f64::INFINITY]
            }
            Err(error) => return Err(error.into()),
        };
        println!("     {rate:<7} {}", curve(losses.iter().map(|loss| loss.ln())));
        let last = losses.last().copied().unwrap_or(f64::NAN);
        match name {
            "too small" => course.figure("too small, loss after 200 steps", last, 555.0, 10.0),
            "right" => {
                course.at_most("right, loss after 200 steps", last, 360.0);
                on_board(course, "learning-rate", &graph)?;
            }
            _ => course.at_least("too large, loss after 200 steps", last, 1e6),
        }
    }
    Ok(())
}
