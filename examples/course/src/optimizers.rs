//! Four ways to go downhill, from the same weights through the same batches.

use crate::course::{Course, Result, train};
use crate::digits;
use milligrad_host::plot::{Canvas, Series, lines};
use milligrad_host::train::{FitOptions, Optimizer};

pub(crate) fn run(course: &mut Course) -> Result<()> {
    let data = digits::load()?;
    let samples = digits::samples(&data.train)?;
    let start = digits::build(&digits::network("digits").dense(32).relu().dense(10).softmax())?;
    let momentum = Optimizer::Sgd { learning_rate: 0.01, momentum: 0.9, nesterov: false };
    let rms_prop =
        Optimizer::RmsProp { learning_rate: 0.001, rho: 0.9, momentum: 0.0, epsilon: 1e-7, centered: false };
    let optimizers = [
        ("SGD", Optimizer::sgd(0.01)),
        ("momentum", momentum),
        ("RMSProp", rms_prop),
        ("Adam", Optimizer::adam(0.001)),
    ];
    let (mut curves, mut losses, mut best) = (Vec::new(), Vec::new(), start.clone());
    for (name, optimizer) in optimizers {
        let mut graph = start.clone();
        let options = FitOptions { epochs: 20, optimizer, ..FitOptions::default() };
        let history = train(&mut graph, &samples, None, &options)?;
        curves.push(Series::new(name, history.epochs.iter().map(|epoch| (epoch.epoch as f64, epoch.loss))));
        losses.push(history.epochs.last().map_or(f64::NAN, |epoch| epoch.loss));
        best = graph;
    }
    let chart = lines("training loss", curves).x_label("epoch").log_y();
    println!("{}", chart.text(&Canvas::plain(80, 20)));
    for (i, name) in ["momentum", "RMSProp", "Adam"].into_iter().enumerate() {
        course.at_most(
            &format!("{name}, loss after 20 epochs; half of SGD's"),
            losses[i + 1],
            losses[0] / 2.0,
        );
    }
    digits::deploy(course, "optimizers", &best, &data.train, &data.test)
}
