//! Whole runs against Keras 3: the specifications under `tests/golden/keras/`, whose losses and weights `keras_runs.py`
//! beside them wrote to `keras.npz`, and those under `fit/` with weights of classes and samples and with frozen layers, by `fit.py`.

use super::*;
use crate::data::npz::Npz;
use crate::data::{self, Dataset};
use crate::graph::{Graph, Values};
use crate::spec::Spec;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// What a loss and a tensor may be away from Keras', relative to its value and its norm.
const TOLERANCE: f64 = 1e-4;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden")
}

/// The digits with the targets that `keras_runs.py` describes.
fn samples(digits: &Dataset, graph: &Graph, loss: Loss) -> Samples {
    let Targets::Classes(labels) = &digits.targets else { panic!("digits have labels") };
    let inputs: Vec<f32> = digits.inputs.iter().map(|x| x / 16.0).collect();
    let outputs = graph.output_len();
    let rows = |of: fn(f32) -> f32| Targets::Values {
        width: outputs,
        values: inputs
            .chunks_exact(64)
            .flat_map(|image| image.chunks_exact(8).take(outputs))
            .map(|row| of(row.iter().sum()))
            .collect(),
    };
    let targets = match loss {
        Loss::SparseCategoricalCrossEntropy => Targets::Classes(labels.clone()),
        Loss::BinaryCrossEntropy { .. } if outputs == 1 => {
            Targets::Classes(labels.iter().map(|label| label % 2).collect())
        }
        Loss::BinaryCrossEntropy { .. } => rows(|sum| f32::from(u8::from(sum > 2.4))),
        _ if outputs == 10 => Targets::Values {
            width: 10,
            values: labels.iter().flat_map(|&l| (0..10).map(move |i| f32::from(u8::from(i == l)))).collect(),
        },
        _ => rows(|sum| sum / 8.0),
    };
    Samples::new(inputs, graph.tensor(graph.input()).shape.clone(), targets).unwrap()
}

/// The same samples with the weights that `fit.py` describes.
fn weighted(samples: Samples, digits: &Dataset, spec: &Spec) -> Samples {
    if let Some(weights) = &spec.train.class_weight {
        let weights = digits.clone().class_weighted(weights).unwrap().weights;
        return samples.weighted(weights).unwrap();
    }
    if spec.name.starts_with("weighted_") {
        return samples.weighted((0..digits.len()).map(|i| (i * 7 % 5) as f32 / 2.0).collect()).unwrap();
    }
    samples
}

/// The net's tensors in the file: name, shape and values.
fn expected(golden: &Npz, name: &str) -> Option<(Vec<usize>, Vec<f32>)> {
    golden.get(name).ok().map(|array| (array.shape.clone(), array.to_f32()))
}

/// The largest relative deviations of a loss and of a tensor.
fn compare(golden: &Npz, digits: &Dataset, set: &str, name: &str) -> (f64, f64) {
    let spec = Spec::read(folder().join(set).join(name).with_extension("toml")).unwrap();
    let mut graph = spec.graph(&[], 0).unwrap();
    let constants: Vec<_> =
        (0..graph.constants.len()).map(|i| (crate::ConstantId(i), graph.constants[i].name.clone())).collect();
    let mut compared = Vec::new();
    for (id, constant) in constants {
        match expected(golden, &format!("{name}.init.{constant}")) {
            Some((shape, values)) => {
                assert_eq!(graph.constant(id).shape, shape, "{name}: {constant}");
                graph.set_values(id, &values).unwrap();
                compared.push((id, constant));
            }
            // Keras has no such tensor: a bias that stays 0.
            None => assert!(graph.training[&constant].fixed, "{name}: {constant}"),
        }
    }
    let samples = weighted(samples(digits, &graph, spec.train.loss), digits, &spec);
    let before = graph.clone();
    let options = FitOptions { per_step: true, threads: 1, ..spec.train.fit_options(0) };
    let history = fit(&mut graph, &samples, None, &options, &mut |_| ControlFlow::Continue(())).unwrap();
    let (_, losses) = expected(golden, &format!("{name}.loss")).unwrap();
    assert_eq!(history.steps.len(), losses.len(), "{name}");
    assert_eq!(losses.len(), spec.train.epochs * digits.len() / spec.train.batch, "{name}");
    let apart = |(a, b): (&f32, &f32)| (f64::from(*a) - f64::from(*b)).abs() / f64::from(*b).abs();
    let worst_loss = history.steps.iter().zip(&losses).map(apart).fold(0.0, f64::max);
    let mut worst_tensor = 0.0f64;
    for (id, constant) in compared {
        let Values::F32(values) = &graph.constant(id).values else { unreachable!() };
        let (_, expected) = expected(golden, &format!("{name}.final.{constant}")).unwrap();
        let layer = constant.split('/').next().unwrap_or_default();
        if spec.train.freeze.iter().any(|pattern| means(pattern, layer)) {
            assert_eq!(graph.constant(id), before.constant(id), "{constant} is frozen");
        }
        let norm = |of: &mut dyn Iterator<Item = f64>| of.map(|x| x * x).sum::<f64>().sqrt();
        let away = norm(&mut values.iter().zip(&expected).map(|(a, b)| f64::from(*a) - f64::from(*b)));
        let error = away / norm(&mut expected.iter().map(|&x| f64::from(x)));
        worst_tensor = worst_tensor.max(error);
    }
    (worst_loss, worst_tensor)
}

#[test]
fn runs_are_those_of_keras() {
    compare_all("keras", 400, 20);
}

#[test]
fn runs_with_weights_and_frozen_layers_are_those_of_keras() {
    compare_all("fit", 320, 10);
}

fn compare_all(set: &str, samples: usize, least: usize) {
    let golden = Npz::read(&folder().join(set).with_extension("npz")).unwrap();
    let digits = data::digits::all().unwrap().take(samples);
    let mut names: Vec<String> = std::fs::read_dir(folder().join(set))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert!(names.len() >= least, "{names:?}");
    let report: Vec<_> =
        names.into_iter().map(|name| (compare(&golden, &digits, set, &name), name)).collect();
    for ((loss, tensor), name) in &report {
        println!("{name:20} loss {loss:.1e}, tensor {tensor:.1e}");
    }
    let far = |((loss, tensor), _): &&((f64, f64), String)| !(*loss <= TOLERANCE && *tensor <= TOLERANCE);
    assert!(report.iter().find(far).is_none(), "{:?} is away", report.iter().find(far));
}
