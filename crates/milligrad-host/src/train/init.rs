//! Initial values of parameters.

use super::random::Pcg32;
use crate::error::Result;
use crate::graph::{Graph, Node, Op};
use serde::{Deserialize, Serialize};

/// How a constant starts. Fans are the numbers of connections into and out of a neuron.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Initializer {
    /// Uniform in `±√(6 / (fan_in + fan_out))` (Glorot and Bengio, 2010): Keras' default.
    #[default]
    GlorotUniform,
    /// Normal with standard deviation `√(2 / (fan_in + fan_out))`, cut off at two of them.
    GlorotNormal,
    /// Uniform in `±√(6 / fan_in)` (He et al., 2015), for ReLU.
    HeUniform,
    /// Normal with standard deviation `√(2 / fan_in)`, cut off at two of them.
    HeNormal,
    /// Uniform in `±√(3 / fan_in)` (LeCun et al., 1998).
    LecunUniform,
    /// Normal with standard deviation `√(1 / fan_in)`, cut off at two of them.
    LecunNormal,
    /// 0
    Zeros,
    /// 1
    Ones,
    /// This number.
    Constant(f32),
}

/// Connections into and out of a neuron.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fans {
    /// Numbers that an output depends on.
    pub fan_in: usize,
    /// Numbers that an input has a part in.
    pub fan_out: usize,
}

impl Fans {
    /// Of dense weights `[outputs, inputs]`.
    pub fn dense([outputs, inputs]: [usize; 2]) -> Self {
        Self { fan_in: inputs, fan_out: outputs }
    }

    /// Of convolution weights `[outputs, height, width, channels]`.
    pub fn conv2d([outputs, height, width, channels]: [usize; 4]) -> Self {
        Self { fan_in: height * width * channels, fan_out: height * width * outputs }
    }

    /// Of depthwise weights `[height, width, channels * multiplier]`, by Keras' rule for its layout `[height, width,
    /// channels, multiplier]`.
    pub fn depthwise_conv2d([height, width, outputs]: [usize; 3], channels: usize) -> Self {
        let multiplier = outputs / channels.max(1);
        Self { fan_in: height * width * channels, fan_out: height * width * multiplier }
    }
}

impl Initializer {
    /// `len` values. They depend on the seed and the constant's name alone, so that another layer in the model
    /// leaves them as they are.
    pub fn values(self, len: usize, fans: Fans, seed: u64, name: &str) -> Vec<f32> {
        let mut random = Pcg32::named(seed, name);
        let fan_in = fans.fan_in.max(1) as f32;
        let sum = (fans.fan_in + fans.fan_out).max(1) as f32;
        let mut uniform = |limit: f32| (0..len).map(|_| (2.0 * random.uniform() - 1.0) * limit).collect();
        match self {
            Self::GlorotUniform => uniform((6.0 / sum).sqrt()),
            Self::HeUniform => uniform((6.0 / fan_in).sqrt()),
            Self::LecunUniform => uniform((3.0 / fan_in).sqrt()),
            Self::LecunNormal => truncated_normal(&mut random, len, (1.0 / fan_in).sqrt()),
            Self::GlorotNormal => truncated_normal(&mut random, len, (2.0 / sum).sqrt()),
            Self::HeNormal => truncated_normal(&mut random, len, (2.0 / fan_in).sqrt()),
            Self::Zeros => vec![0.0; len],
            Self::Ones => vec![1.0; len],
            Self::Constant(value) => vec![value; len],
        }
    }
}

/// Gives all parameters of a float graph their initial values: `weights` to weights; 0 to biases, betas and means; 1 to
/// gammas and variances.
///
/// # Errors
/// If a layer is quantised.
pub fn initialize(graph: &mut Graph, weights: Initializer, seed: u64) -> Result<()> {
    for node in graph.nodes.clone() {
        for (i, &id) in node.constants.iter().enumerate() {
            let constant = graph.constant(id);
            let initializer = match (&node.op, i) {
                (Op::BatchNorm { .. }, 0 | 3) => Initializer::Ones,
                (Op::BatchNorm { .. }, _) => Initializer::Zeros,
                (_, 0) => weights,
                _ => Initializer::Zeros,
            };
            let fans = fans(graph, &node, &constant.shape);
            let values = initializer.values(constant.values.len(), fans, seed, &constant.name);
            graph.set_values(id, &values)?;
        }
    }
    Ok(())
}

fn fans(graph: &Graph, node: &Node, shape: &[usize]) -> Fans {
    match (&node.op, shape) {
        (Op::DepthwiseConv2d { .. }, &[height, width, outputs]) => {
            let channels = graph.tensor(node.inputs[0]).shape.last().copied().unwrap_or(1);
            Fans::depthwise_conv2d([height, width, outputs], channels)
        }
        (_, &[outputs, height, width, channels]) => Fans::conv2d([outputs, height, width, channels]),
        (_, &[outputs, inputs]) => Fans::dense([outputs, inputs]),
        _ => Fans { fan_in: 1, fan_out: 1 },
    }
}

/// Normal values within two standard deviations; what is beyond is drawn again. `deviation` is that of the result.
fn truncated_normal(random: &mut Pcg32, len: usize, deviation: f32) -> Vec<f32> {
    /// Standard deviation of a normal distribution cut off at two.
    const CUT: f32 = 0.879_625_7;
    let mut draw = || loop {
        let x = random.normal();
        if x.abs() <= 2.0 {
            return x * deviation / CUT;
        }
    };
    (0..len).map(|_| draw()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_is_as_documented() {
        let fans = Fans::conv2d([16, 3, 3, 8]);
        assert_eq!(fans, Fans { fan_in: 72, fan_out: 144 });
        let cases = [
            (Initializer::GlorotUniform, 2.0 / 216.0),
            (Initializer::GlorotNormal, 2.0 / 216.0),
            (Initializer::HeUniform, 2.0 / 72.0),
            (Initializer::HeNormal, 2.0 / 72.0),
            (Initializer::LecunUniform, 1.0 / 72.0),
            (Initializer::LecunNormal, 1.0 / 72.0),
        ];
        for (initializer, variance) in cases {
            let values = initializer.values(40_000, fans, 1, "conv/weights");
            let measured = values.iter().map(|x| x * x).sum::<f32>() / 40_000.0;
            assert!((measured / variance - 1.0).abs() < 0.03, "{initializer:?}: {measured} and {variance}");
        }
        assert_eq!(Initializer::Constant(0.5).values(2, fans, 1, "b"), [0.5, 0.5]);
        assert_eq!(Fans::depthwise_conv2d([3, 3, 16], 8), Fans { fan_in: 72, fan_out: 18 });
    }
}
