//! Whole runs: what they learn, that they repeat, and how they end.

use super::*;
use crate::builder::Builder;
use crate::error::Error;
use crate::graph::{Graph, Values};
use std::ops::ControlFlow;

/// Two classes of small images: a bright left or a bright right half, with noise.
pub(super) fn halves(samples: usize, seed: u64) -> Samples {
    let mut random = Pcg32::new(seed);
    let (mut inputs, mut classes) = (Vec::new(), Vec::new());
    for _ in 0..samples {
        let class = random.below(2);
        classes.push(class);
        for i in 0..36 {
            let bright = (i % 6 < 3) == (class == 0);
            inputs.push(random.uniform() + if bright { 0.4 } else { 0.0 });
        }
    }
    Samples::new(inputs, vec![6, 6, 1], Targets::Classes(classes)).unwrap()
}

pub(super) fn cnn() -> Graph {
    let body = Builder::new("m", &[6, 6, 1]).conv2d(6, 3).relu().max_pool2d(2).flatten();
    body.dense(20).relu().dropout(0.25).dense(2).softmax().build(1).unwrap()
}

fn batch_norm() -> Graph {
    let body = Builder::new("m", &[6, 6, 1]).conv2d(6, 3).batch_norm().relu().flatten();
    body.dense(2).softmax().build(1).unwrap()
}

/// Branches, noise, regularisation.
fn branches() -> Graph {
    let regularizer = crate::Regularizer { l1: 1e-4, l2: 1e-3 };
    let body = Builder::new("m", &[6, 6, 1]).gaussian_noise(0.1).zero_padding2d(1);
    let body = body.conv2d(4, 3).regularizer(regularizer).hard_swish();
    let left = body.here();
    let body = body.global_avg_pool2d().dense(4).sigmoid().reshape(&[1, 1, 4]).multiply(left).concat(&[left]);
    body.max_pool2d(2)
        .flatten()
        .dense(12)
        .elu(1.0)
        .dense(2)
        .bias_regularizer(regularizer)
        .softmax()
        .build(1)
        .unwrap()
}

pub(super) fn options(threads: usize) -> FitOptions {
    FitOptions {
        epochs: 4,
        batch_size: 100,
        threads,
        seed: 3,
        optimizer: Optimizer::adam(0.01),
        ..FitOptions::default()
    }
}

pub(super) fn bits(graph: &Graph) -> Vec<u32> {
    let values = graph.constants.iter().flat_map(|constant| match &constant.values {
        Values::F32(values) => values.clone(),
        _ => Vec::new(),
    });
    values.map(f32::to_bits).collect()
}

pub(super) fn quiet(_: Event<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn learns_evaluates_predicts() {
    for mut graph in [cnn(), batch_norm()] {
        let (train, test) = (halves(500, 1), halves(200, 2));
        let history = fit(&mut graph, &train, Some(&test), &options(2), &mut quiet).unwrap();
        let last = history.epochs.last().unwrap();
        let result = evaluate(&graph, &test, Loss::SparseCategoricalCrossEntropy).unwrap();
        assert_eq!((last.val_loss, last.val_accuracy), (Some(result.loss), result.accuracy));
        assert!(result.accuracy.unwrap() > 0.97, "{result:?}");
        assert!(last.loss < history.epochs[0].loss);

        let predictions = predict(&graph, test.inputs()).unwrap();
        let Targets::Classes(classes) = test.targets() else { unreachable!() };
        let rows = predictions.chunks_exact(2).zip(classes);
        let right = rows.clone().filter(|(p, class)| (p[1] > p[0]) == (**class == 1)).count();
        assert_eq!(right as f64 / 200.0, result.accuracy.unwrap());
        let loss: f64 = rows.map(|(p, &class)| -f64::from(p[class as usize]).ln()).sum::<f64>() / 200.0;
        assert!((loss - result.loss).abs() < 1e-5);
    }
}

/// A limit that is never reached has all gradients stored, where the optimizer would else form them itself.
#[test]
fn a_stored_gradient_and_a_fused_one_give_the_same_bytes() {
    for optimizer in [Optimizer::adam(0.01), Optimizer::adamw(0.01)] {
        let run = |clip| {
            let body = Builder::new("m", &[6, 6, 1]).flatten().dense(32).relu().dense(48).relu();
            let mut graph = body.dense(2).softmax().build(1).unwrap();
            initialize(&mut graph, Initializer::GlorotUniform, 1).unwrap();
            let options = FitOptions { batch_size: 32, optimizer, clip, ..options(1) };
            fit(&mut graph, &halves(200, 1), None, &options, &mut quiet).unwrap();
            bits(&graph)
        };
        assert!(run(Clip::None) == run(Clip::Value(1e30)));
    }
}

#[test]
fn the_same_bytes_for_any_number_of_threads() {
    let augment = Augment { rotate: 5.0, shift: [0.1; 2], noise: 0.05, ..Augment::default() };
    for (make, clip, augment) in [
        (cnn as fn() -> Graph, Clip::None, None),
        (batch_norm, Clip::None, Some(augment)),
        (branches, Clip::GlobalNorm(0.1), None),
    ] {
        let runs = [1, 2, 3, 7].map(|threads| {
            let mut graph = make();
            let options = FitOptions {
                batch_size: 230,
                per_step: true,
                clip,
                augment: augment.clone(),
                ..options(threads)
            };
            let history = fit(&mut graph, &halves(700, 1), None, &options, &mut quiet).unwrap();
            (bits(&graph), history.steps)
        });
        assert!(runs[1..].iter().all(|run| *run == runs[0]));
        assert_ne!(runs[0].0, bits(&make()));
    }
}

#[test]
fn a_resumed_run_ends_in_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let rmsprop =
        Optimizer::RmsProp { learning_rate: 0.01, rho: 0.9, momentum: 0.5, epsilon: 1e-5, centered: true };
    let optimizers = [
        Optimizer::adam(0.01),
        Optimizer::adamw(0.01),
        rmsprop,
        Optimizer::momentum(0.05, 0.9),
        Optimizer::sgd(0.1),
    ];
    for (optimizer, make) in optimizers.into_iter().flat_map(|o| [(o, cnn as fn() -> Graph), (o, batch_norm)])
    {
        let train = halves(300, 1);
        let schedule = Schedule::Cosine { warmup_epochs: 1.0, floor: 0.1 };
        let options = |threads, resume| FitOptions {
            optimizer,
            schedule,
            resume,
            augment: Some(Augment { flip_vertical: true, noise: 0.1, ..Augment::default() }),
            checkpoint: Some(path.clone()),
            ..options(threads)
        };
        let mut whole = make();
        let history = fit(&mut whole, &train, None, &options(1, None), &mut quiet).unwrap();

        // Interrupted in the middle of the third epoch.
        let mut graph = make();
        let mut batches = 0;
        let stopped = fit(&mut graph, &train, None, &options(2, None), &mut |event| {
            batches += usize::from(matches!(event, Event::Batch(_)));
            if batches == 8 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!((stopped.as_ref().unwrap().epochs.len(), stopped.unwrap().stopped), (2, true));
        let checkpoint = Checkpoint::read(&path).unwrap();
        assert_eq!(checkpoint.epochs(), 2);
        let mut fresh = make();
        let resumed = fit(&mut fresh, &train, None, &options(2, Some(checkpoint)), &mut quiet).unwrap();
        assert_eq!(bits(&fresh), bits(&whole));
        let losses = |history: &History| history.epochs.iter().map(|e| e.loss).collect::<Vec<_>>();
        assert_eq!(losses(&resumed), losses(&history));
    }
}

#[test]
fn a_checkpoint_refuses_another_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let train = halves(100, 1);
    let first = FitOptions { epochs: 1, checkpoint: Some(path.clone()), ..options(1) };
    fit(&mut cnn(), &train, None, &first, &mut quiet).unwrap();
    let checkpoint = Checkpoint::read(&path).unwrap();
    assert_eq!(Checkpoint::from_bytes(&checkpoint.to_bytes().unwrap()).unwrap(), checkpoint);
    assert_eq!(checkpoint.to_bytes().unwrap(), std::fs::read(&path).unwrap());
    let other = FitOptions { batch_size: 5, resume: Some(checkpoint.clone()), ..options(1) };
    let problem = fit(&mut cnn(), &train, None, &other, &mut quiet).unwrap_err().to_string();
    assert!(problem.contains("batch_size was 100 and is 5"), "{problem}");
    let other = FitOptions { resume: Some(checkpoint.clone()), ..options(1) };
    let problem = fit(&mut batch_norm(), &train, None, &other, &mut quiet).unwrap_err().to_string();
    assert!(problem.contains("does not fit"), "{problem}");

    let bytes = checkpoint.to_bytes().unwrap();
    for length in (0..bytes.len()).step_by(97) {
        assert!(Checkpoint::from_bytes(&bytes[..length]).is_err());
    }
    let mut poisoned = bytes.clone();
    let end = poisoned.len();
    poisoned[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(Checkpoint::from_bytes(&poisoned).unwrap_err().to_string().contains("not finite"));
    let missing = folder.path().join("missing").join("run.safetensors");
    let problem = checkpoint.write(&missing).unwrap_err().to_string();
    assert!(problem.contains("missing"), "{problem}");
}

#[test]
fn divergence_names_epoch_and_batch_and_leaves_the_graph_sound() {
    let mut graph = cnn();
    let before = bits(&graph);
    let options = FitOptions { optimizer: Optimizer::sgd(1e30), ..options(1) };
    let error = fit(&mut graph, &halves(500, 1), None, &options, &mut quiet).unwrap_err();
    assert!(matches!(error, Error::Diverged { epoch: 1, batch: 2.., .. }), "{error}");
    assert!(error.to_string().contains("lower the learning rate, clip"), "{error}");
    assert_eq!(bits(&graph), before);
}

#[test]
fn divergence_names_the_layer() {
    let cause = |graph: &mut Graph, options: &FitOptions| match fit(
        graph,
        &halves(300, 1),
        None,
        options,
        &mut quiet,
    ) {
        Err(Error::Diverged { cause, .. }) => cause,
        other => panic!("{other:?}"),
    };
    let set = |graph: &mut Graph, constant: &str, value: f32| {
        let id = graph.constants.iter().position(|c| c.name == constant).map(crate::ConstantId).unwrap();
        let len = graph.constant(id).values.len();
        graph.set_values(id, &vec![value; len]).unwrap();
    };
    let named = |batch_norm: bool| {
        let body = Builder::new("m", &[6, 6, 1]).conv2d(6, 3).named("first");
        let body = if batch_norm { body.batch_norm().named("norm") } else { body };
        let body = body.conv2d(4, 3).named("second").flatten().dense(2).named("last");
        body.softmax().build(1).unwrap()
    };
    for augment in [None, Some(Augment { noise: 0.1, ..Augment::default() })] {
        let options = FitOptions { batch_size: 80, augment, ..options(1) };
        // The product overflows in the second convolution, or only in the dense layer.
        let mut graph = named(false);
        set(&mut graph, "first/weights", 1e20);
        set(&mut graph, "second/weights", 1e20);
        assert_eq!(cause(&mut graph, &options), "the output of layer `second` is not finite");
        let mut graph = named(true);
        set(&mut graph, "second/weights", 1e20);
        set(&mut graph, "last/weights", 1e20);
        assert_eq!(cause(&mut graph, &options), "the output of layer `last` is not finite");
    }
    // The rate makes the weights infinite.
    let options = FitOptions { optimizer: Optimizer::sgd(1e300), ..options(1) };
    assert_eq!(cause(&mut named(false), &options), "the weights of layer `last` are not finite");
    // The loss explodes, but everything is finite.
    let mut line = Builder::new("m", &[36]).dense(1).named("only").build(1).unwrap();
    let inputs = halves(300, 1).inputs().to_vec();
    let values = Targets::Values { width: 1, values: vec![1.0; 300] };
    let train = Samples::new(inputs, vec![36], values).unwrap();
    let options =
        FitOptions { optimizer: Optimizer::sgd(1.0), loss: Loss::MeanSquaredError, epochs: 50, ..options };
    let error = fit(&mut line, &train, None, &options, &mut quiet).unwrap_err();
    assert!(error.to_string().contains("the weights of layer `only` are "), "{error}");
    assert!(matches!(error, Error::Diverged { loss, .. } if loss.is_finite()), "{error}");
}

#[test]
fn a_finder_suggests_a_rate_that_learns_and_sees_the_explosion() {
    let train = halves(400, 1);
    let (graph, options) = (cnn(), FitOptions { optimizer: Optimizer::sgd(0.01), ..options(1) });
    let curve = RateFinder::default().find(&graph, &train, &options).unwrap();
    let rate = curve.suggested.unwrap();
    assert!((0.003..3.0).contains(&rate), "{rate}, {}", curve.points.len());
    let rates: Vec<f64> = curve.points.iter().map(|point| point.rate).collect();
    assert!(
        rates[0] == 1e-7
            && rates.windows(2).all(|pair| (pair[1] / pair[0] - rates[1] / rates[0]).abs() < 1e-9)
    );
    assert_eq!(
        RateFinder::default().find(&graph, &train, &FitOptions { threads: 2, ..options.clone() }).unwrap(),
        curve
    );
    let learned = |rate| {
        let mut graph = graph.clone();
        let options = FitOptions { optimizer: Optimizer::sgd(rate), epochs: 20, ..options.clone() };
        fit(&mut graph, &train, None, &options, &mut quiet).unwrap().epochs.last().unwrap().loss
    };
    assert!(learned(rate) < 0.8 * learned(rate / 1000.0), "{} {}", learned(rate), learned(rate / 1000.0));
    // A line explodes for certain, and a network that knows everything has nothing to learn.
    let values = Targets::Values { width: 1, values: vec![1.0; 400] };
    let ones = Samples::new(train.inputs().to_vec(), vec![36], values).unwrap();
    let line = Builder::new("m", &[36]).dense(1).build(1).unwrap();
    let squares = FitOptions { loss: Loss::MeanSquaredError, ..options.clone() };
    let curve = RateFinder::default().find(&line, &ones, &squares).unwrap();
    assert!(
        curve.exploded && curve.points.len() < 200 && curve.suggested.unwrap() < 0.5,
        "{:?}",
        curve.suggested
    );
    let mut known = graph.clone();
    fit(&mut known, &train, None, &FitOptions { epochs: 30, ..options.clone() }, &mut quiet).unwrap();
    let low = RateFinder { highest: 1e-6, ..RateFinder::default() };
    assert_eq!(low.find(&known, &train, &options).unwrap().suggested, None);
    let bad = RateFinder { lowest: 1.0, highest: 0.5, ..RateFinder::default() };
    assert!(bad.find(&graph, &train, &options).unwrap_err().to_string().contains("from 1 to 0.5"));
}

#[test]
fn bad_options_and_samples() {
    let train = halves(10, 1);
    let problem = |options: &FitOptions, samples: &Samples| {
        fit(&mut cnn(), samples, None, options, &mut quiet).unwrap_err().to_string()
    };
    let good = FitOptions::default();
    assert!(problem(&FitOptions { batch_size: 0, ..good.clone() }, &train).contains("batch_size"));
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(
            problem(&FitOptions { optimizer: Optimizer::sgd(rate), ..good.clone() }, &train)
                .contains("learning rate")
        );
    }
    for (options, expected) in [
        (FitOptions { clip: Clip::Norm(0.0), ..good.clone() }, "clipped"),
        (FitOptions { loss: Loss::Huber { delta: -1.0 }, ..good.clone() }, "delta"),
        (FitOptions { loss: Loss::BinaryCrossEntropy { label_smoothing: 1.0 }, ..good.clone() }, "smoothing"),
        (FitOptions { schedule: Schedule::Exponential { factor: 0.0 }, ..good.clone() }, "factor"),
    ] {
        assert!(problem(&options, &train).contains(expected), "{expected}");
    }
    assert!(problem(&FitOptions { frozen: vec!["nose".into()], ..good.clone() }, &train).contains("`nose`"));
    let samples = |width: usize, targets| Samples::new(vec![0.0; width * 2], vec![width], targets).unwrap();
    let problem = |samples| problem(&good, &samples);
    assert!(
        problem(samples(36, Targets::Classes(vec![0, 2]))).contains("label 2 of sample 1 is out of range")
    );
    assert!(problem(samples(35, Targets::Classes(vec![0, 1]))).contains("[35]"));
    assert!(problem(samples(36, Targets::Values { width: 2, values: vec![0.0; 4] })).contains("classes"));
    assert!(
        problem(Samples::new(vec![], vec![36], Targets::Classes(vec![])).unwrap()).contains("no samples")
    );
    assert!(predict(&cnn(), &[0.0; 35]).is_err());
}

#[test]
fn frozen_layers_stay() {
    let mut graph = batch_norm();
    let frozen: Vec<String> = graph.nodes[..3].iter().map(|node| node.name.clone()).collect();
    let before = graph.clone();
    fit(&mut graph, &halves(100, 1), None, &FitOptions { frozen: frozen.clone(), ..options(1) }, &mut quiet)
        .unwrap();
    for node in &graph.nodes {
        for &id in &node.constants {
            let same = graph.constant(id) == before.constant(id);
            assert_eq!(same, frozen.contains(&node.name), "{}", graph.constant(id).name);
        }
    }
}

/// The line of a first lesson: y = w x + b by gradient descent on all samples.
#[test]
fn a_line_is_fitted_to_its_least_squares() {
    let x: Vec<f32> = (0..10).map(|i| i as f32 * 10.0 / 9.0).collect();
    let y = vec![53.047, 56.297, 7.462, 28.460, 53.589, 49.147, 54.175, 94.818, 64.704, 94.859];
    let samples = Samples::new(x, vec![1], Targets::Values { width: 1, values: y }).unwrap();
    let mut graph = Builder::new("line", &[1]).dense(1).build(0).unwrap();
    let [w, b] = [0, 1].map(|i| graph.nodes[0].constants[i]);
    let loss = |graph: &Graph| evaluate(graph, &samples, Loss::MeanSquaredError).unwrap().loss;
    for (weight, expected) in [(8.0, 599.41), (7.0, 703.16), (9.0, 566.05)] {
        graph.set_values(w, &[weight]).unwrap();
        graph.set_values(b, &[3.0]).unwrap();
        assert!((loss(&graph) - expected).abs() < 0.01);
    }
    let options = FitOptions {
        epochs: 3000,
        batch_size: 10,
        optimizer: Optimizer::sgd(0.02),
        loss: Loss::MeanSquaredError,
        ..FitOptions::default()
    };
    let history = fit(&mut graph, &samples, None, &options, &mut quiet).unwrap();
    assert_eq!(history.epochs[0].accuracy, None);
    let value = |id| match &graph.constant(id).values {
        Values::F32(values) => values[0],
        _ => f32::NAN,
    };
    assert!((value(w) - 5.1526).abs() < 1e-3 && (value(b) - 29.893).abs() < 1e-2);
    assert!((loss(&graph) - 356.67).abs() < 0.01);
}
