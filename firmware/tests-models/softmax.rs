//! A float network that learns, written by hand: one dense layer from 4 inputs to 3 classes and a softmax.

use milligrad::{
    Elements, ElementsMut, Evaluation, Learner, Model, Port, Sgd, Target, TargetKind, TrainError, argmax,
};

/// Name given at export.
pub const NAME: &str = "softmax";
/// Names of the outputs.
pub const LABELS: [&str; 3] = ["a", "b", "c"];

const INPUTS: usize = 4;
const OUTPUTS: usize = 3;

/// All the RAM of the model.
pub struct Network {
    input: [f32; INPUTS],
    output: [f32; OUTPUTS],
    weights: [[f32; INPUTS]; OUTPUTS],
    bias: [f32; OUTPUTS],
}

impl Network {
    /// A network with weights of zero.
    pub const fn new() -> Self {
        Self {
            input: [0.0; INPUTS],
            output: [0.0; OUTPUTS],
            weights: [[0.0; INPUTS]; OUTPUTS],
            bias: [0.0; OUTPUTS],
        }
    }
}

impl Model for Network {
    const NAME: &'static str = NAME;
    const LAYERS: &'static [&'static str] = &["dense", "softmax"];
    const INPUTS: &'static [Port] = &[Port { name: "input", shape: &[INPUTS] }];
    const OUTPUTS: &'static [Port] = &[Port { name: "output", shape: &[OUTPUTS] }];

    fn input_at(&mut self, index: usize) -> ElementsMut<'_> {
        ElementsMut::F32(if index == 0 { &mut self.input } else { &mut [] })
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        Elements::F32(if index == 0 { &self.output } else { &[] })
    }

    fn run_with(&mut self, mut done: impl FnMut(usize)) {
        for ((y, row), bias) in self.output.iter_mut().zip(&self.weights).zip(&self.bias) {
            *y = row.iter().zip(&self.input).fold(*bias, |sum, (w, x)| sum + w * x);
        }
        done(0);
        let greatest = self.output.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
        let mut total = 0.0;
        for y in &mut self.output {
            *y = exp(*y - greatest);
            total += *y;
        }
        for y in &mut self.output {
            *y /= total;
        }
        done(1);
    }
}

impl Learner for Network {
    type Optimizer = Sgd;

    const TARGET: TargetKind = TargetKind::Class(OUTPUTS);

    fn train_step(&mut self, target: Target<'_>, optimizer: &Sgd) -> Result<f32, TrainError> {
        let label = target.class(OUTPUTS)?;
        self.run();
        let chosen = *self.output.get(label).ok_or(TrainError::LabelOutOfRange)?;
        if !chosen.is_finite() {
            return Err(TrainError::NotFinite);
        }
        let rows = self.weights.iter_mut().zip(&mut self.bias);
        for (class, ((row, bias), y)) in rows.zip(&self.output).enumerate() {
            let step = optimizer.learning_rate * (y - if class == label { 1.0 } else { 0.0 });
            row.iter_mut().zip(&self.input).for_each(|(w, x)| *w -= step * x);
            *bias -= step;
        }
        Ok(1.0 - chosen)
    }

    fn evaluate(&mut self, target: Target<'_>) -> Result<Evaluation, TrainError> {
        let label = target.class(OUTPUTS)?;
        self.run();
        let chosen = *self.output.get(label).ok_or(TrainError::LabelOutOfRange)?;
        Ok(Evaluation { loss: 1.0 - chosen, hit: Some(argmax(&self.output) == label) })
    }

    fn parameters(&self, mut visit: impl FnMut(&'static str, &[f32])) {
        visit("dense.weights", self.weights.as_flattened());
        visit("dense.bias", &self.bias);
    }
}

/// `exp(x)` for `x <= 0`, by halving and a polynomial: good enough for a test.
fn exp(x: f32) -> f32 {
    let t = x.max(-20.0) / 64.0;
    let mut y = 1.0 + t * (1.0 + t * (0.5 + t * (1.0 / 6.0)));
    for _ in 0..6 {
        y *= y;
    }
    y
}
