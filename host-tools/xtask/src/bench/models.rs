//! The models that are measured.

use crate::Result;
use crate::command::root;
use milligrad_host::import::tflite;
use milligrad_host::{Builder, Graph, QuantizeOptions, quantize};

/// Names of the models.
pub(crate) const NAMES: [&str; 5] = ["kws", "ic", "vww", "ad", "lab01"];

/// A model in int8: the MLPerf Tiny file where there is one beside the checkout, else a model of the same shapes.
pub(crate) fn load(name: &str) -> Result<Graph> {
    let file = root().join("../shared/models/mlperf-tiny").join(name).with_extension("tflite");
    if file.is_file() {
        return Ok(tflite::load(file)?);
    }
    let graph = match name {
        "kws" => kws(),
        "ic" => ic(),
        "vww" => vww(),
        "ad" => ad(),
        "lab01" => lab01(),
        _ => return Err(format!("no model `{name}`; there are {}", NAMES.join(", ")).into()),
    };
    let graph = graph.build(1)?;
    let noise = noise(2 * graph.input_len());
    Ok(quantize(&graph, &noise, &QuantizeOptions::default())?)
}

/// Pseudo-random numbers in `-1..1`.
pub(crate) fn noise(len: usize) -> Vec<f32> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

fn kws() -> Builder {
    let mut model = Builder::new("kws", &[49, 10, 1]).conv2d(64, [10, 4]).strides(2).same().relu();
    for _ in 0..4 {
        model = model.depthwise_conv2d(3).same().relu().conv2d(64, 1).relu();
    }
    model.global_avg_pool2d().flatten().dense(12).softmax()
}

fn ic() -> Builder {
    let mut model = Builder::new("ic", &[32, 32, 3]).conv2d(16, 3).same().relu();
    let skip = model.here();
    model = model.conv2d(16, 3).same().relu().conv2d(16, 3).same().add(skip).relu();
    for filters in [32, 64] {
        let from = model.here();
        model = model.conv2d(filters, 3).strides(2).same().relu().conv2d(filters, 3).same();
        let long = model.here();
        model = model.from(from).conv2d(filters, 1).strides(2).same().add(long).relu();
    }
    model.global_avg_pool2d().flatten().dense(10).softmax()
}

fn vww() -> Builder {
    let mut model = Builder::new("vww", &[96, 96, 3]).conv2d(8, 3).strides(2).same().relu6();
    let blocks = [16, 32, 32, 64, 64, 128, 128, 128, 128, 128, 128, 256, 256];
    for (block, filters) in blocks.into_iter().enumerate() {
        let stride = if [1, 3, 5, 11].contains(&block) { 2 } else { 1 };
        model = model.depthwise_conv2d(3).strides(stride).same().relu6().conv2d(filters, 1).relu6();
    }
    model.global_avg_pool2d().flatten().dense(2).softmax()
}

fn ad() -> Builder {
    let mut model = Builder::new("ad", &[640]);
    for units in [128, 128, 128, 128, 8, 128, 128, 128, 128] {
        model = model.dense(units).relu();
    }
    model.dense(640)
}

fn lab01() -> Builder {
    Builder::new("lab01", &[784]).dense(128).relu().dense(10)
}
