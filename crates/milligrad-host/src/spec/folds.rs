//! Cross-validation of a specification.

use super::{Prepared, Spec};
use crate::data::folds;
use crate::metrics;
use crate::train::{Event, FitOptions, evaluate, fit};
use crate::{QuantizeOptions, Result, quantize};
use std::ops::ControlFlow;

/// What the model of one fold is worth on the samples that it never saw.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldScore {
    /// Number of the fold, from 1.
    pub fold: usize,
    /// Samples learned from, and measured on.
    pub samples: [usize; 2],
    /// Epochs trained.
    pub epochs: usize,
    /// Mean loss.
    pub loss: f64,
    /// Share of right answers, if there is such a thing.
    pub accuracy: Option<f64>,
    /// The same by the device's int8 kernels, of classes.
    pub int8_accuracy: Option<f64>,
    /// Mean squared error by the device's int8 kernels, in the unit of the targets, of numbers.
    pub int8_squared_error: Option<f64>,
}

impl Spec {
    /// Trains `k` models, each without one of `k` folds of the training part, and measures each on its fold: stratified by class,
    /// or whole groups where the data have some. The test part has no part in it, and the fold stands for the validation
    /// part. All models start from the same seed. `observer` is told which fold (from 1) an event is of; if it breaks, the
    /// folds that are done are returned.
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data) if the data can't be divided so; else as for [`fit`].
    pub fn cross_validate(
        &self,
        k: usize,
        seed: u64,
        options: &FitOptions,
        observer: &mut (dyn FnMut(usize, &Event<'_>) -> ControlFlow<()> + Send),
    ) -> Result<Vec<FoldScore>> {
        let mut whole = self.clone();
        whole.data.validation = crate::data::Share::Count(0);
        let data = whole.load_data()?.train;
        let mut scores = Vec::new();
        for (fold, parts) in (1..).zip(folds(&data.targets, &data.groups, k, self.data.seed)?) {
            let (train, validation) = (data.select(&parts.train), data.select(&parts.validation));
            let Prepared { mut graph, train: learned, validation: samples, .. } =
                self.prepare(train.clone(), Some(validation.clone()), seed)?;
            let history =
                fit(&mut graph, &learned, samples.as_ref(), options, &mut |event| observer(fold, &event))?;
            if history.stopped {
                break;
            }
            let samples = self.samples(validation.clone(), &graph)?;
            let score = evaluate(&graph, &samples, self.train.loss)?;
            let calibration = train.calibration(&graph, self.quantize.calibration, seed)?;
            let int8 = quantize(&graph, &calibration, &QuantizeOptions::default())?;
            let int8 = metrics::evaluate(&int8, &validation, self.train.loss)?;
            scores.push(FoldScore {
                fold,
                samples: [train.len(), validation.len()],
                epochs: history.epochs.len(),
                loss: score.loss,
                accuracy: score.accuracy,
                int8_accuracy: int8.accuracy(),
                int8_squared_error: int8.squared_error(),
            });
        }
        Ok(scores)
    }
}

/// Mean and standard deviation of some figures (of a sample: divided by one less than there are).
pub fn mean_and_deviation(figures: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let figures: Vec<f64> = figures.into_iter().collect();
    let n = figures.len() as f64;
    let mean = figures.iter().sum::<f64>() / n;
    let squares: f64 = figures.iter().map(|x| (x - mean).powi(2)).sum();
    (!figures.is_empty()).then(|| (mean, (squares / (n - 1.0).max(1.0)).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_sample_is_measured_once() {
        let text = "[model]\nname = \"t\"\ninput = [64]\n[[layer]]\ntype = \"dense\"\nunits = 10\nactivation = \"softmax\"\n\
                    [data]\nsource = \"digits\"\n[train]\nepochs = 4\noptimizer = { type = \"adam\", learning_rate = 0.01 }";
        let spec = Spec::parse(text, "t.toml", Path::new("")).unwrap();
        let options = spec.train.fit_options(1);
        let mut seen = Vec::new();
        let scores = spec
            .cross_validate(4, 1, &options, &mut |fold, event| {
                if let Event::Epoch { record, .. } = event {
                    seen.push((fold, record.epoch));
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(seen.len(), 16);
        let all = Spec {
            data: crate::spec::DataSpec { validation: crate::data::Share::Count(0), ..spec.data.clone() },
            ..spec.clone()
        };
        let samples = all.load_data().unwrap().train.len();
        assert_eq!(scores.iter().map(|score| score.samples[1]).sum::<usize>(), samples);
        for score in &scores {
            assert_eq!(score.samples[0] + score.samples[1], samples);
            let (float, int8) = (score.accuracy.unwrap(), score.int8_accuracy.unwrap());
            assert!(float > 0.85 && (float - int8).abs() < 0.02, "{score:?}");
        }
        assert_eq!(
            spec.cross_validate(4, 1, &options, &mut |_, _| ControlFlow::Continue(())).unwrap(),
            scores
        );
        let stopped = spec.cross_validate(4, 1, &options, &mut |fold, _| {
            if fold == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(stopped.unwrap(), scores[..2]);
        assert!(spec.cross_validate(1, 1, &options, &mut |_, _| ControlFlow::Continue(())).is_err());
    }

    #[test]
    fn spread_of_a_sample() {
        assert_eq!(mean_and_deviation([1.0, 3.0]), Some((2.0, 2f64.sqrt())));
        assert_eq!(mean_and_deviation([5.0]), Some((5.0, 0.0)));
        assert_eq!(mean_and_deviation([]), None);
    }
}
