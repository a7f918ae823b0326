//! Dynamic exponents: they learn where static ranges refuse or saturate, as well as floats do, and their gradients are those of
//! the same numbers in `f64`, but for what rounding takes.

use milligrad::{PowerOfTwoSgd, Sgd, Target, TargetKind};
use milligrad_host::graph::Values;
use milligrad_host::{
    Builder, CompileOptions, FixedExponents, FixedPoint, Graph, Layers, Learn, OptimizerKind, Program, Rule,
};
use milligrad_tests::{binary, image, mlp, noise, ramps};

fn compile(graph: &Graph, fixed: Option<FixedPoint>) -> milligrad_host::Result<Program> {
    let learn = Learn { fixed, ..Learn::new(Layers::All, OptimizerKind::Sgd) };
    Program::compile(graph, &CompileOptions { learn: Some(learn), ..Default::default() })
}

/// Static or dynamic ones, rounded to nearest.
fn point(exponents: FixedExponents) -> Option<FixedPoint> {
    Some(FixedPoint { exponents, ..FixedPoint::default() })
}

/// A graph whose parameters of these names are scaled.
fn scaled(graph: &Graph, name: &str, factor: f32) -> Graph {
    let mut graph = graph.clone();
    let mut ids = graph.nodes.iter().flat_map(|node| &node.constants);
    let id = *ids.find(|&&id| graph.constant(id).name == name).unwrap();
    let Values::F32(values) = &graph.constant(id).values else { panic!("a float graph") };
    let values: Vec<f32> = values.iter().map(|value| factor * value).collect();
    graph.set_values(id, &values).unwrap();
    graph
}

/// What is left of the variance of a sensor's target after learning from so many samples, inputs within `±reach`.
fn left(program: &Program, reach: f32, gain: f32, rule: &Rule, steps: u32) -> f64 {
    let sample = |seed: u32| -> (Vec<u8>, f32) {
        let x: Vec<f32> = noise(seed, 6).iter().map(|x| reach * x).collect();
        let target = gain * (0.7 * x[0] - 0.5 * x[1].abs() + 0.4 * (x[2] + x[3]).max(0.0));
        (program.encode_input(&x), target)
    };
    let mut runner = program.runner();
    for step in 0..steps {
        let (record, target) = sample(step);
        runner.train_step(&record, &[target][..], rule).unwrap();
    }
    let (mut squares, mut errors) = (0.0, 0.0);
    for step in 0..500 {
        let (record, target) = sample(1_000_000 + step);
        let output = program.decode_output(&runner.output(&record).unwrap())[0];
        errors += f64::from(output - target).powi(2);
        squares += f64::from(target).powi(2);
    }
    errors / squares
}

/// 6-16-1 for a sensor.
fn sensor() -> Graph {
    Builder::new("sensor", &[6]).dense(16).relu().dense(1).build(1).unwrap()
}

const STEPS: u32 = 20_000;

fn rules(exponent: u32) -> [Rule; 2] {
    let float = Rule::Sgd(Sgd::new(0.5_f32.powi(exponent as i32)));
    [float, Rule::PowerOfTwo(PowerOfTwoSgd::new(exponent))]
}

/// Inputs and targets of hundreds, where static ranges end at ±128 and rates at 2^-15.
#[test]
fn learns_from_inputs_of_a_thousand() {
    let [float_rule, rule] = rules(24);
    let float = left(&compile(&sensor(), None).unwrap(), 1000.0, 1.0, &float_rule, STEPS);
    let dynamic =
        left(&compile(&sensor(), point(FixedExponents::Dynamic)).unwrap(), 1000.0, 1.0, &rule, STEPS);
    let fixed = left(&compile(&sensor(), point(FixedExponents::Static)).unwrap(), 1000.0, 1.0, &rule, STEPS);
    println!("left of the variance: f32 {float:.5}, dynamic {dynamic:.5}, static {fixed:.5}");
    assert!(dynamic < 0.001 && float < 0.001, "f32 {float}, dynamic {dynamic}");
    assert!(fixed > 0.3, "static ranges are enough: {fixed}");
}

/// Weights up to 22, which static ranges refuse.
#[test]
fn learns_with_weights_beyond_8() {
    let large = scaled(&sensor(), "dense_1/weights", 32.0);
    let error = compile(&large, point(FixedExponents::Static)).unwrap_err().to_string();
    assert!(error.contains("±8") && error.contains("--exponents dynamic"), "{error}");
    let [float_rule, rule] = rules(14);
    let float = left(&compile(&large, None).unwrap(), 1.0, 32.0, &float_rule, STEPS);
    let program = compile(&large, point(FixedExponents::Dynamic)).unwrap();
    let dynamic = left(&program, 1.0, 32.0, &rule, STEPS);
    println!("left of the variance: f32 {float:.5}, dynamic {dynamic:.5}");
    assert!(program.largest_parameter() > 8.0, "weights reach {}", program.largest_parameter());
    assert!(dynamic < 0.001 && float < 0.001, "f32 {float}, dynamic {dynamic}");
}

/// The largest difference.
fn apart(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}

/// A step goes where that of floats goes, whatever the scale of the inputs is, from millionths to thousands.
#[test]
fn steps_follow_the_gradient_of_floats() {
    for (graph, bound) in [(mlp(), 0.004), (image(), 0.03), (ramps(), 0.004), (binary(), 0.004)] {
        let graph = graph.unwrap();
        for power in [-20, -10, -3, 0, 3, 10] {
            let programs =
                [None, point(FixedExponents::Dynamic)].map(|fixed| compile(&graph, fixed).unwrap());
            // So that a step stays small where inputs are large.
            let rules = rules(if power > 0 { 2 * power as u32 } else { 0 });
            let mut moves = Vec::new();
            for sample in 0..20 {
                let raw: Vec<f32> =
                    noise(sample, graph.input_len()).iter().map(|x| x * f32::powi(2.0, power)).collect();
                let values: Vec<f32>;
                let target = match programs[0].target() {
                    TargetKind::Class(classes) => Target::Class(sample as usize % classes),
                    TargetKind::Values(1) => Target::Class(sample as usize % 2),
                    TargetKind::Values(len) => {
                        values = noise(sample + 50, len).iter().map(|t| t.abs()).collect();
                        Target::Values(&values)
                    }
                };
                let [float, fixed] = [0, 1].map(|i| {
                    let (program, mut runner) = (&programs[i], programs[i].runner());
                    let record = program.encode_input(&raw);
                    let loss = runner.train_step(&record, target, &rules[i]).unwrap();
                    (loss, runner.parameters().concat())
                });
                let start = programs[1].runner().parameters().concat();
                let exact = programs[0].runner().parameters().concat();
                let moved = apart(&float.1, &exact);
                // What changed, apart from how the start was rounded; two units of a weight go to rounding, of the start and of the step.
                let change = |end: &[f32], start: &[f32]| {
                    end.iter().zip(start).map(|(a, b)| a - b).collect::<Vec<_>>()
                };
                let off = apart(&change(&float.1, &exact), &change(&fixed.1, &start));
                let unit = programs[1].parameters.iter().filter(|p| p.name.ends_with("weights"));
                let unit = unit.map(|p| f32::from(p.exponent).exp2()).fold(0.0, f32::max);
                moves.push((moved, off, unit));
                // The logarithm of a probability ends at that of 2⁻¹⁵.
                let ends = graph.name != "ramps" && float.0 > 5.0;
                let loss = (float.0 - fixed.0).abs();
                let near = ends || loss <= 0.01 * float.0.max(1.0);
                assert!(near, "{} 2^{power}: {} and {}", graph.name, float.0, fixed.0);
            }
            let worst = moves
                .iter()
                .map(|(moved, off, unit)| off - bound * moved - 2.0 * unit)
                .fold(f32::MIN, f32::max);
            assert!(worst <= 0.0, "{} at 2^{power}, by {worst}: {moves:?}", graph.name);
        }
    }
}
