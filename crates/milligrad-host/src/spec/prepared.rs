//! A specification made ready for training: features fitted, a trained model taken over, samples as the loss wants them.

use super::Spec;
use crate::data::Dataset;
use crate::graph::Graph;
use crate::train::{Samples, Transfer, transfer};
use crate::{Error, Result, model_file};

/// What [`fit`](crate::train::fit) takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The model before its training.
    pub graph: Graph,
    /// What it learns from, with the weights of classes.
    pub train: Samples,
    /// What it is measured on meanwhile.
    pub validation: Option<Samples>,
    /// What was taken over from a trained model.
    pub transfer: Option<Transfer>,
}

impl Spec {
    /// The model with its samples. The data are those of [`load_data`](Self::load_data), or parts of them.
    ///
    /// # Errors
    /// [`Error::Data`] if the data don't fit the features or the weights of classes; as for [`model_file::load`] and
    /// [`transfer`] if a trained model is to be taken over.
    pub fn prepare(&self, train: Dataset, validation: Option<Dataset>, seed: u64) -> Result<Prepared> {
        let mut graph = self.fit_features(self.graph(&train.classes, seed)?, &train)?;
        let taken = match &self.train.from {
            None => None,
            Some(path) => {
                let trained = model_file::load(path)?;
                let taken = transfer(&mut graph, &trained, self.train.replace_head);
                Some(taken.map_err(|problem| Error::file(path, problem.to_string()))?)
            }
        };
        let train = match &self.train.class_weight {
            Some(weights) => train.class_weighted(weights)?,
            None => train,
        };
        let train = self.samples(train, &graph)?;
        let validation = validation.map(|data| self.samples(data, &graph)).transpose()?;
        Ok(Prepared { graph, train, validation, transfer: taken })
    }

    /// Samples as this model takes them and the loss of the specification wants them.
    ///
    /// # Errors
    /// [`Error::Data`] if they don't fit.
    pub fn samples(&self, data: Dataset, graph: &Graph) -> Result<Samples> {
        data.prepared(graph)?.into_samples(graph.normalize, self.train.loss, graph.output_len())
    }
}
