//! Parameters that learn leave flash for RAM.

use super::Lowering;
use crate::program::{ElementType, FixedKernel, Kernel, Layer, ParameterIds, Source, Trainable};
use milligrad::fixed::dynamic::Exponents;
use milligrad::{Arithmetic, fixed as real};

impl Lowering<'_> {
    /// Takes the parameters of a layer out of flash.
    pub(super) fn move_to_ram(
        &mut self,
        name: &str,
        step: usize,
        kernel: &mut Kernel,
        with_weights: bool,
    ) -> std::result::Result<(), String> {
        let mut take = Take { name, with_weights, parameters: &mut self.parameters };
        let ids = match kernel {
            Kernel::F32(layer) | Kernel::Dequantized { layer, .. } => {
                take.layer(layer, (ElementType::F32, 0, &|w| *w), (ElementType::F32, 0, &|b| *b))
            }
            Kernel::Fixed(FixedKernel::Layer(layer)) => {
                let (weights, biases) = (-(milligrad::WEIGHT_BITS as i16), -(milligrad::SUM_BITS as i16));
                take.layer(
                    layer,
                    (ElementType::I16, weights, &|w| real::from_weight(*w)),
                    (ElementType::I32, biases, &|b| real::from_bias(*b)),
                )
            }
            Kernel::Fixed(FixedKernel::Dynamic(layer, exponents)) => {
                let Exponents { weights, biases } = *exponents;
                take.layer(
                    layer,
                    (ElementType::I16, weights, &|w| real::dynamic::real((*w).into(), weights)),
                    (ElementType::I32, biases, &|b| real::dynamic::real(*b, biases)),
                )
            }
            _ => return Err("it is int8 and can't learn".into()),
        };
        self.learners.push((step, ids));
        Ok(())
    }
}

/// The type of a parameter, the exponent of its unit, and what a number stands for.
type Format<'f, T> = (ElementType, i16, &'f dyn Fn(&T) -> f32);

/// Moves parameters of a layer into RAM.
struct Take<'a> {
    name: &'a str,
    with_weights: bool,
    parameters: &'a mut Vec<Trainable>,
}

impl Take<'_> {
    fn layer<A: Arithmetic>(
        &mut self,
        layer: &mut Layer<A>,
        weights: Format<'_, A::Weight>,
        biases: Format<'_, A::Channel>,
    ) -> ParameterIds {
        let parameters = layer.parameters_mut().expect("a layer with weights was chosen");
        ParameterIds {
            weights: self.with_weights.then(|| self.source("weights", &mut parameters.weights, weights)),
            biases: self.source("bias", &mut parameters.channels, biases),
        }
    }

    fn source<T>(
        &mut self,
        what: &str,
        source: &mut Source<T>,
        (dtype, exponent, real): Format<'_, T>,
    ) -> usize {
        let index = self.parameters.len();
        if let Source::Flash(values) = std::mem::replace(source, Source::Ram(index)) {
            let values = values.iter().map(real).collect();
            self.parameters.push(Trainable {
                name: format!("{}/{what}", self.name),
                values,
                dtype,
                exponent,
            });
        }
        index
    }
}
