//! BatchNorm: trained as a layer, folded into the layer before for inference.

use super::float_only;
use crate::graph::{Constant, TensorInfo, Values};

pub(super) fn infer(
    epsilon: f32,
    momentum: f32,
    input: &TensorInfo,
    constants: &[&Constant],
) -> Result<Vec<usize>, String> {
    float_only(input)?;
    if !(epsilon > 0.0 && epsilon.is_finite()) {
        return Err(format!("epsilon {epsilon} is not positive"));
    }
    if !(0.0..1.0).contains(&momentum) {
        return Err(format!("momentum {momentum} is not within 0 to 1"));
    }
    let channels = input.shape.last().copied().unwrap_or(0);
    if constants.len() != 4 {
        return Err(format!("it has gamma, beta, mean and variance, {} parameters given", constants.len()));
    }
    for constant in constants {
        if constant.shape != [channels] || !matches!(constant.values, Values::F32(_)) {
            return Err(format!("`{}` is {:?}, expected [{channels}] floats", constant.name, constant.shape));
        }
    }
    if let Values::F32(variance) = &constants[3].values
        && variance.iter().any(|&v| v < 0.0)
    {
        return Err("a variance is negative".into());
    }
    Ok(input.shape.clone())
}
