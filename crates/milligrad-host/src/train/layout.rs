//! Where the constants of a graph lie in one flat vector of parameters.

use super::buffer::Buffer;
use super::penalty::Penalty;
use super::real::Real;
use crate::error::Result;
use crate::graph::{ConstantId, Graph, Values};
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

/// The order of all parameters: first those that are trained, then the others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    places: Vec<Place>,
    by_constant: HashMap<ConstantId, usize>,
    penalties: Vec<Penalty>,
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
                if let Some(rule) = graph.training.get(&graph.constant(constant).name)
                    && !rule.regularizer.is_none()
                {
                    let (range, regularizer) = (layout.len..layout.len + len, rule.regularizer);
                    layout.penalties.push(Penalty { range, regularizer, trainable });
                }
                layout.places.push(Place { constant, range: layout.len..layout.len + len, trainable });
                layout.len = (layout.len + len).next_multiple_of(ALIGNMENT);
            }
            if pass {
                layout.trainable = layout.len;
            }
        }
        layout
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
