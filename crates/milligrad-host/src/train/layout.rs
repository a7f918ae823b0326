//! Where the constants of a graph lie in one flat vector of parameters.

use super::buffer::Buffer;
use super::penalty::Penalty;
use super::real::Real;
use crate::error::Result;
use crate::graph::{Constant, ConstantId, Graph, Values, WeightScales};
use std::collections::HashMap;
use std::ops::Range;

/// Constants start at multiples of this, which is a cache line of `f32`.
const ALIGNMENT: usize = 16;

/// A constant in the vector.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) constant: ConstantId,
    pub(crate) range: Range<usize>,
    pub(crate) trainable: bool,
}

/// Weights that are used as int8 would have them.
#[derive(Debug, Clone)]
struct Rounded {
    range: Range<usize>,
    scales: WeightScales,
    /// Output channels.
    channels: usize,
}

/// The order of all parameters: first those that are trained, then the others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    places: Vec<Place>,
    by_constant: HashMap<ConstantId, usize>,
    penalties: Vec<Penalty>,
    rounded: Vec<Rounded>,
    trainable: usize,
    len: usize,
}

impl Layout {
    /// A layout of these constants, each with whether it is trained. One that several layers use is listed once.
    pub(crate) fn new(graph: &Graph, constants: &[(ConstantId, bool)]) -> Self {
        let mut layout = Self::default();
        for pass in [true, false] {
            for &(constant, trainable) in constants.iter().filter(|c| c.1 == pass) {
                if layout.by_constant.contains_key(&constant) {
                    continue;
                }
                let len = graph.constant(constant).values.len();
                layout.by_constant.insert(constant, layout.places.len());
                let range = layout.len..layout.len + len;
                layout.add_rule(graph.constant(constant), graph, &range, trainable);
                layout.places.push(Place { constant, range, trainable });
                layout.len = (layout.len + len).next_multiple_of(ALIGNMENT);
            }
            if pass {
                layout.trainable = layout.len;
            }
        }
        layout
    }

    fn add_rule(&mut self, constant: &Constant, graph: &Graph, range: &Range<usize>, trainable: bool) {
        let Some(rule) = graph.training.get(&constant.name) else { return };
        if !rule.regularizer.is_none() {
            let (range, regularizer) = (range.clone(), rule.regularizer);
            self.penalties.push(Penalty { range, regularizer, trainable });
        }
        if let Some(scales) = rule.fake_quantize {
            let axis = match scales {
                WeightScales::LastAxis => constant.shape.last(),
                _ => constant.shape.first(),
            };
            let channels = axis.copied().unwrap_or(1);
            self.rounded.push(Rounded { range: range.clone(), scales, channels });
        }
    }

    /// The parameters that layers see, where some are rounded as int8 would have them; `None` if none are. Gradients by
    /// these are taken for gradients by the parameters themselves.
    pub(crate) fn rounded<F: Real>(&self, parameters: &Buffer<F>) -> Option<Buffer<F>> {
        if self.rounded.is_empty() {
            return None;
        }
        let mut seen = parameters.clone();
        for Rounded { range, scales, channels } in &self.rounded {
            let weights = &mut seen[range.clone()];
            let channel_of = || scales.channels(weights.len(), *channels);
            let mut largest = vec![F::ZERO; *channels];
            for (channel, &w) in channel_of().zip(weights.iter()) {
                let size = if w < F::ZERO { -w } else { w };
                if size > largest[channel] {
                    largest[channel] = size;
                }
            }
            let steps = F::from_f32(127.0);
            for (channel, w) in channel_of().zip(weights) {
                let scale = largest[channel] / steps;
                if scale > F::ZERO {
                    *w = (*w / scale).round() * scale;
                }
            }
        }
        Some(seen)
    }

    /// Where this constant lies.
    ///
    /// # Panics
    /// If the layout was made without it.
    pub(crate) fn place(&self, constant: ConstantId) -> &Place {
        &self.places[self.by_constant[&constant]]
    }

    /// All constants.
    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    /// The constants that add to the loss.
    pub(crate) fn penalties(&self) -> &[Penalty] {
        &self.penalties
    }

    /// Length of the part that is trained.
    pub(crate) fn trainable(&self) -> usize {
        self.trainable
    }

    /// The graph's values as one vector; what lies between constants is zero.
    pub(crate) fn read<F: Real>(&self, graph: &Graph) -> Buffer<F> {
        let mut parameters = Buffer::zeros(self.len);
        for place in &self.places {
            if let Values::F32(values) = &graph.constant(place.constant).values {
                let to = parameters[place.range.clone()].iter_mut();
                to.zip(values).for_each(|(to, &value)| *to = F::from_f32(value));
            }
        }
        parameters
    }

    /// Puts the values back into the graph.
    pub(crate) fn write(&self, parameters: &[f32], graph: &mut Graph) -> Result<()> {
        self.places.iter().try_for_each(|p| graph.set_values(p.constant, &parameters[p.range.clone()]))
    }
}
