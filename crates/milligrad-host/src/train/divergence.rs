//! Where a run broke. All of this runs when it is over, so that training itself pays nothing.

use super::lane::Meeting;
use super::layers::Mode;
use super::layout::{Layout, Place};
use super::network::Network;
use super::real::Real;
use super::samples::Samples;
use super::trainer::Trainer;
use crate::graph::{Graph, Node, Values};

/// A loss that is so many times the first is not going to come back.
const EXPLOSION: f64 = 1e12;

/// Has a step's loss exploded, for a run whose first loss was `first`?
pub(super) fn exploded(loss: f64, first: f64) -> bool {
    !loss.is_finite() || loss > EXPLOSION * first.max(1.0)
}

/// The layer with weights that are not finite. As a gradient comes from behind, the last of them was the first to break.
pub(super) fn broken_weights(graph: &Graph, layout: &Layout, parameters: &[f32]) -> Option<String> {
    let broken = |id| {
        let place = layout.places().iter().find(|place| place.constant == id);
        place.is_some_and(|place| parameters[place.range.clone()].iter().any(|w| !w.is_finite()))
    };
    let node = graph.nodes.iter().rev().find(|node| node.constants.iter().any(|&id| broken(id)))?;
    Some(format!("the weights of layer `{}` are not finite", node.name))
}

/// The layer whose weights have grown most since `graph` had its parameters, if any have; else the one with the largest.
pub(super) fn grown_weights(graph: &Graph, layout: &Layout, parameters: &[f32]) -> Option<String> {
    let squares = |values: &[f32]| values.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>();
    let growth = |node: &Node| {
        let places = layout.places().iter().filter(|p| p.trainable && node.constants.contains(&p.constant));
        let (mut now, mut before) = (0.0, 0.0);
        for place in places {
            now += squares(&parameters[place.range.clone()]);
            if let Values::F32(values) = &graph.constant(place.constant).values {
                before += squares(values);
            }
        }
        // Of a layer that began with zeros any step is a multiple.
        (before > 0.0).then(|| (now / before).sqrt())
    };
    let growths = graph.nodes.iter().filter_map(|node| Some((growth(node)?, &node.name)));
    let (growth, name) = growths.max_by(|a, b| a.0.total_cmp(&b.0))?;
    if growth >= 1.5 {
        return Some(format!(
            "the weights of layer `{name}` are {growth:.1} times what they were before this epoch"
        ));
    }
    // The epoch's first batch: what exploded did so before.
    let largest =
        |place: &Place| parameters[place.range.clone()].iter().fold(0.0f32, |max, w| max.max(w.abs()));
    let sizes =
        layout.places().iter().filter(|place| place.trainable).map(|place| (largest(place), place.constant));
    let (size, constant) = sizes.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let node = graph.nodes.iter().find(|node| node.constants.contains(&constant))?;
    Some(format!("the weights of layer `{}` are the largest, up to {size:.3e}", node.name))
}

impl<const N: usize> Trainer<f32, N> {
    /// The layer whose output is the first that is not finite for these samples, in training.
    pub(super) fn broken_output(&self, samples: &Samples, indices: &[u32], key: u64) -> Option<String> {
        let network = &self.network;
        let step = if network.meetings.is_empty() {
            let lane = &mut network.lane(false);
            let blocks = indices.chunks(N).enumerate().filter_map(|(block, indices)| {
                network.load(lane, indices.iter().map(|&i| samples.row(i as usize)));
                let mode = Mode::Training { key, first: block * N };
                network.forward(lane, &self.parameters, mode, 0, &Meeting::default());
                network.broken_step(|slot| lane.values(slot), indices.len())
            });
            blocks.min()
        } else {
            // With batch norms, every lane still holds the values of its only block.
            let lanes = self.lanes.iter().zip(indices.chunks(N));
            lanes.filter_map(|(lane, i)| network.broken_step(|slot| lane.values(slot), i.len())).min()
        }?;
        Some(format!("the output of layer `{}` is not finite", network.names[step]))
    }
}

impl<F: Real, const N: usize> Network<F, N> {
    /// The first step with an output that is not finite for one of the block's samples.
    fn broken_step<'a>(&self, values: impl Fn(usize) -> &'a [[F; N]], samples: usize) -> Option<usize>
    where
        F: 'a,
    {
        self.steps.iter().position(|step| {
            let y = &values(step.output)[..self.slots[step.output].len];
            y.iter().any(|y| y.iter().take(samples).any(|y| !y.to_f64().is_finite()))
        })
    }
}
