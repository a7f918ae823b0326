//! What the suites across crates share: small models of every operator, and golden vectors.

pub mod flatbuffer;
pub mod golden;
pub mod random_models;

use milligrad_host::features::{Feature, Features, RawColumn, TargetScaling, Term};
use milligrad_host::{
    Builder, CompileOptions, FixedExponents, FixedPoint, FixedRounding, Graph, Layers, Learn, LossKind,
    OptimizerKind, Program, QuantizeOptions, Result, import, quantize,
};
use std::path::Path;

/// Pseudo-random floats in `-1..1`, the same on every machine.
pub fn noise(seed: u32, len: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// 6-5-4 with ReLU and softmax.
pub fn mlp() -> Result<Graph> {
    Builder::new("mlp", &[6]).dense(5).relu().dense(4).softmax().build(1)
}

/// 6-7-4: another shape, as two models with the same predictions share one function in a firmware.
pub fn wider() -> Result<Graph> {
    Builder::new("wider", &[6]).dense(7).relu().dense(4).softmax().build(1)
}

/// Every operator once: convolutions with stride, padding and dilation, depthwise, pools, a residual sum, and
/// activations.
pub fn everything() -> Result<Graph> {
    let model = Builder::new("everything", &[8, 8, 2]).conv2d(4, 3).same().relu();
    let skip = model.here();
    model
        .depthwise_conv2d(3)
        .same()
        .relu6()
        .conv2d(4, 1)
        .add(skip)
        .max_pool2d(2)
        .conv2d(6, [2, 3])
        .dilation([2, 1])
        .leaky_relu(0.25)
        .avg_pool2d([2, 1])
        .flatten()
        .dense(7)
        .tanh()
        .dense(6)
        .sigmoid()
        .dense(3)
        .softmax()
        .build(2)
}

/// The layers of branched image models: borders, gates, concatenations, batch norms that no layer takes in.
pub fn branches() -> Result<Graph> {
    let stem =
        Builder::new("branches", &[6, 6, 2]).zero_padding2d([[1, 0], [0, 2]]).separable_conv2d(4, 3).relu();
    let fork = stem.here();
    let wide = stem.conv2d(4, 3).same().without_bias().batch_norm().hard_swish();
    let left = wide.here();
    let narrow = wide.from(fork).conv2d(3, 1).elu(1.0);
    let right = narrow.here();
    let gate =
        narrow.from(left).global_avg_pool2d().dense(4).relu().batch_norm().sigmoid().reshape(&[1, 1, 4]);
    let gate_at = gate.here();
    let joined = gate.from(left).multiply(gate_at).concat(&[right]).batch_norm();
    joined.global_max_pool2d().flatten().dropout(0.2).dense(3).softmax().build(3)
}

/// The layers of a model of time series.
pub fn series() -> Result<Graph> {
    let model = Builder::new("series", &[12, 3]).gaussian_noise(0.1).zero_padding1d([1, 0]);
    let model = model.conv1d(4, 3).strides(2).same().relu().depthwise_conv1d(3).multiplier(2).elu(0.5);
    let left = model.here();
    let model = model.separable_conv1d(8, 3).relu6().conv1d(8, 1).hard_swish();
    let right = model.here();
    let model = model.from(left).avg_pool1d(2).max_pool1d(2).flatten();
    let model_at = model.here();
    let model = model.from(right).global_avg_pool1d().flatten().concat(&[model_at]);
    model.dense(5).tanh().dense(2).build(4)
}

/// 1-D layers and ELU, to learn on the device.
pub fn series_classifier() -> Result<Graph> {
    let model = Builder::new("series_classifier", &[10, 2]).conv1d(4, 3).elu(1.0).depthwise_conv1d(2).same();
    model.elu(1.0).avg_pool1d(2).flatten().dense(5).tanh().dense(3).softmax().build(5)
}

/// A graph as a float program that does not learn.
pub fn float(graph: &Graph) -> Result<Program> {
    Program::compile(graph, &CompileOptions::default())
}

/// A regression of engineered features of a raw row of four columns, the last of them a category.
pub fn engineered() -> Result<Graph> {
    let column = |name: &str| RawColumn { name: name.into(), categories: Vec::new() };
    let kind = RawColumn { name: "kind".into(), categories: ["flat", "house"].map(String::from).to_vec() };
    let feature = |name: &str, term, shift, scale| Feature { scale, shift, ..Feature::new(name, term) };
    let features = Features {
        columns: vec![column("area"), column("age"), column("unused"), kind],
        features: vec![
            feature("area", Term::Column(0), 0.1, 1.75),
            feature("ln(1 + area)", Term::Log1p(0), -0.3, 0.7),
            feature("age^3", Term::Power(1, 3), 0.0, 2.0),
            feature("area / age", Term::Ratio(0, 1), 0.5, 0.01),
            feature("area - age", Term::Difference(0, 1), 0.0, 1.0),
            feature("kind = house", Term::OneHot(3, 1), 0.0, 1.0),
        ],
    };
    let mut draft = Builder::new("engineered", &[6]).dense(5).relu().dense(1).build(4)?.into_draft();
    draft.features = Some(features);
    draft.target = Some(TargetScaling { shift: 250.5, deviation: 31.25 });
    Graph::verify(draft)
}

/// A graph as an int8 program, calibrated on noise.
pub fn int8(graph: &Graph) -> Result<Program> {
    let options = QuantizeOptions::default();
    let int8 = quantize(graph, &noise(7, 32 * graph.input_len()), &options)?;
    Program::compile(&int8, &CompileOptions::default())
}

/// A graph as a float program of which all layers learn.
pub fn learning(graph: &Graph, optimizer: OptimizerKind) -> Result<Program> {
    let learn = Some(Learn::new(Layers::All, optimizer));
    Program::compile(graph, &CompileOptions { learn, ..Default::default() })
}

/// A graph as an int8 program whose last layers are float and learn.
pub fn adapting(graph: &Graph, last: usize) -> Result<Program> {
    let layers = Layers::Last(last);
    let options = QuantizeOptions { trainable: Some(layers.clone()), ..Default::default() };
    let mixed = quantize(graph, &noise(7, 32 * graph.input_len()), &options)?;
    let learn = Some(Learn::new(layers, OptimizerKind::Sgd));
    Program::compile(&mixed, &CompileOptions { learn, ..Default::default() })
}

/// Two inputs and two outputs, imported.
pub fn ports() -> Result<Program> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/tflite/ports-two_sensors.tflite");
    Program::compile(&import::load(path)?, &CompileOptions::default())
}

/// A fully int8 model of which layers become float again, to learn by name, with frozen ones between them; batches.
pub fn thawed(graph: &Graph) -> Result<Program> {
    let int8 = quantize(graph, &noise(7, 32 * graph.input_len()), &QuantizeOptions::default())?;
    let names = ["conv2d_1", "dense_1"].map(String::from).to_vec();
    let learn = Some(Learn::new(Layers::Named(names), OptimizerKind::Sgd).with_batches());
    Program::compile(&int8, &CompileOptions { learn, ..Default::default() })
}

/// A graph as a float program of which these layers learn, with a guard and batches.
pub fn guarded(graph: &Graph, layers: Layers, optimizer: OptimizerKind) -> Result<Program> {
    let learn = Some(Learn::new(layers, optimizer).guarded().with_batches());
    Program::compile(graph, &CompileOptions { learn, ..Default::default() })
}

/// 261-4-3 with ReLU and softmax: so wide that a first layer that learns reads an int8 input block by block.
pub fn wide() -> Result<Graph> {
    Builder::new("wide", &[261]).dense(4).relu().dense(3).softmax().build(8)
}

/// A graph as an int8 model of which all layers are float again and learn.
pub fn thawed_whole(graph: &Graph, learn: Learn) -> Result<Program> {
    let int8 = quantize(graph, &noise(7, 32 * graph.input_len()), &QuantizeOptions::default())?;
    Program::compile(&int8, &CompileOptions { learn: Some(learn), ..Default::default() })
}

/// 6-5-3 with tanh: values, not classes.
pub fn regression() -> Result<Graph> {
    Builder::new("regression", &[6]).dense(5).tanh().dense(3).relu6().build(4)
}

/// Every layer that exists in fixed point: convolutions, depthwise, pools, a residual sum, the ReLU family.
pub fn image() -> Result<Graph> {
    let model = Builder::new("image", &[8, 8, 2]).conv2d(4, 3).same().relu();
    let skip = model.here();
    let model = model.depthwise_conv2d(3).same().relu6().conv2d(4, 1).add(skip).relu().max_pool2d(2);
    let model = model.conv2d(6, [2, 3]).leaky_relu(0.25).avg_pool2d([3, 1]).flatten();
    model.dense(7).relu().dense(3).softmax().build(6)
}

/// 6-5-3 of the ReLU family: values, not classes.
pub fn ramps() -> Result<Graph> {
    Builder::new("ramps", &[6]).dense(5).leaky_relu(0.5).dense(3).relu6().build(7)
}

/// 6-5-4-3 of sigmoids and tanh: values, not classes.
pub fn squashed() -> Result<Graph> {
    Builder::new("squashed", &[6]).dense(5).sigmoid().dense(4).tanh().dense(3).sigmoid().build(9)
}

/// A graph as a program in fixed point of which these layers learn, with a guard or without.
pub fn fixed(graph: &Graph, layers: Layers, rounding: FixedRounding, guard: bool) -> Result<Program> {
    in_fixed_point(graph, Learn { guard, ..Learn::new(layers, OptimizerKind::Sgd) }, rounding)
}

/// The same, that can learn in batches, too.
pub fn batches_in_fixed_point(
    graph: &Graph,
    layers: Layers,
    rounding: FixedRounding,
    guard: bool,
) -> Result<Program> {
    let learn = Learn { guard, ..Learn::new(layers, OptimizerKind::Sgd) };
    in_fixed_point(graph, learn.with_batches(), rounding)
}

/// [`squashed`] in fixed point by the mean squared error, guarded, single samples and batches.
pub fn squashed_in_fixed_point() -> Result<Program> {
    let loss = Some(LossKind::MeanSquaredError);
    let learn = Learn { loss, ..Learn::new(Layers::All, OptimizerKind::Sgd) };
    in_fixed_point(&squashed()?, learn.guarded().with_batches(), FixedRounding::Nearest)
}

fn in_fixed_point(graph: &Graph, learn: Learn, rounding: FixedRounding) -> Result<Program> {
    let learn = Some(learn.in_fixed_point(FixedPoint { rounding, seed: 3, ..Default::default() }));
    Program::compile(graph, &CompileOptions { learn, ..Default::default() })
}

/// A graph as a program in fixed point with dynamic exponents of which these layers learn, with a guard or without.
pub fn dynamic(graph: &Graph, layers: Layers, rounding: FixedRounding, guard: bool) -> Result<Program> {
    let fixed = FixedPoint { rounding, seed: 3, exponents: FixedExponents::Dynamic };
    let learn = Learn { guard, ..Learn::new(layers, OptimizerKind::Sgd) }.in_fixed_point(fixed);
    Program::compile(graph, &CompileOptions { learn: Some(learn), ..Default::default() })
}

/// A graph as an int8 program whose last layer has dynamic exponents and learns.
pub fn adapting_with_dynamic_exponents(graph: &Graph) -> Result<Program> {
    let int8 = quantize(graph, &noise(7, 32 * graph.input_len()), &QuantizeOptions::default())?;
    dynamic(&int8, Layers::Last(2), FixedRounding::Nearest, true)
}

/// A graph as an int8 program whose last layer is in fixed point and learns.
pub fn adapting_in_fixed_point(graph: &Graph) -> Result<Program> {
    let int8 = quantize(graph, &noise(7, 32 * graph.input_len()), &QuantizeOptions::default())?;
    fixed(&int8, Layers::Last(1), FixedRounding::Stochastic, true)
}

/// 6-4-1 with a sigmoid at its end.
pub fn binary() -> Result<Graph> {
    Builder::new("binary", &[6]).dense(4).relu().dense(1).sigmoid().build(5)
}

/// A program that is exported, and compared with its source on disk.
pub struct Case {
    /// Name of the file under `tests/exported/`.
    pub name: &'static str,
    /// The program.
    pub program: Program,
}

/// The programs whose exported source is kept in the repository.
///
/// # Errors
/// None, unless a stage is broken.
pub fn cases() -> Result<Vec<Case>> {
    let case = |name, program| Case { name, program };
    Ok(vec![
        case("ports_int8", ports()?),
        case("mlp_int8", int8(&mlp()?)?),
        case("mlp_sgd", learning(&mlp()?, OptimizerKind::Sgd)?),
        case("everything_int8", int8(&everything()?)?),
        case("everything_momentum", learning(&everything()?, OptimizerKind::Momentum)?),
        case("everything_adapting", adapting(&everything()?, 2)?),
        case("series_sgd", learning(&series_classifier()?, OptimizerKind::Sgd)?),
        case("everything_thawed", thawed(&everything()?)?),
        case("everything_guarded", guarded(&everything()?, Layers::All, OptimizerKind::Momentum)?),
        case("everything_biases", guarded(&everything()?, Layers::Biases, OptimizerKind::Sgd)?),
        case("regression_guarded", guarded(&regression()?, Layers::All, OptimizerKind::Sgd)?),
        case("binary_momentum", learning(&binary()?, OptimizerKind::Momentum)?),
        case("mlp_nesterov", learning(&mlp()?, OptimizerKind::Nesterov)?),
        case("wider_rmsprop", learning(&wider()?, OptimizerKind::RmsProp)?),
        case("mlp_adam", learning(&mlp()?, OptimizerKind::Adam)?),
        case("regression_adamw", guarded(&regression()?, Layers::All, OptimizerKind::AdamW)?),
        case("regression_nesterov", guarded(&regression()?, Layers::All, OptimizerKind::Nesterov)?),
        case("regression_rmsprop", guarded(&regression()?, Layers::All, OptimizerKind::RmsProp)?),
        case("wide_sgd", thawed_whole(&wide()?, Learn::new(Layers::All, OptimizerKind::Sgd))?),
        case(
            "wide_guarded",
            thawed_whole(
                &wide()?,
                Learn::new(Layers::All, OptimizerKind::Momentum).guarded().with_batches(),
            )?,
        ),
        case("mlp_fixed", fixed(&mlp()?, Layers::All, FixedRounding::Nearest, false)?),
        case("image_fixed", fixed(&image()?, Layers::All, FixedRounding::Stochastic, true)?),
        case("image_biases_fixed", fixed(&image()?, Layers::Biases, FixedRounding::Nearest, true)?),
        case("ramps_fixed", fixed(&ramps()?, Layers::All, FixedRounding::Nearest, true)?),
        case("adapting_fixed", adapting_in_fixed_point(&image()?)?),
        case(
            "mlp_batches_fixed",
            batches_in_fixed_point(&mlp()?, Layers::All, FixedRounding::Nearest, false)?,
        ),
        case(
            "image_batches_fixed",
            batches_in_fixed_point(&image()?, Layers::All, FixedRounding::Stochastic, true)?,
        ),
        case(
            "ramps_batches_fixed",
            batches_in_fixed_point(&ramps()?, Layers::Biases, FixedRounding::Nearest, true)?,
        ),
        case("binary_fixed", fixed(&binary()?, Layers::All, FixedRounding::Nearest, true)?),
        case("regression_fixed", fixed(&regression()?, Layers::All, FixedRounding::Stochastic, false)?),
        case("squashed_fixed", squashed_in_fixed_point()?),
        case("mlp_dynamic", dynamic(&mlp()?, Layers::All, FixedRounding::Nearest, false)?),
        case("image_dynamic", dynamic(&image()?, Layers::All, FixedRounding::Stochastic, true)?),
        case("image_biases_dynamic", dynamic(&image()?, Layers::Biases, FixedRounding::Nearest, true)?),
        case("ramps_dynamic", dynamic(&ramps()?, Layers::All, FixedRounding::Nearest, true)?),
        case("binary_dynamic", dynamic(&binary()?, Layers::All, FixedRounding::Stochastic, false)?),
        case("adapting_dynamic", adapting_with_dynamic_exponents(&image()?)?),
        case("branches_int8", int8(&branches()?)?),
        case("branches_f32", float(&branches()?)?),
        case("series_int8", int8(&series()?)?),
        case("series_f32", float(&series()?)?),
        case("engineered_int8", int8(&engineered()?)?),
        case("engineered_f32", float(&engineered()?)?),
    ])
}
