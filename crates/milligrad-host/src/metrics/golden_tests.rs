//! All metrics against scikit-learn's: `tests/golden/metrics.json`, made by `metrics.py` beside it.

use super::{ClassRule, Classification, Regression, Scores};
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
struct Golden {
    classes: Vec<ClassCase>,
    numbers: Vec<NumberCase>,
}

#[derive(Deserialize)]
struct ClassCase {
    outputs: usize,
    threshold: f32,
    scores: Vec<f32>,
    labels: Vec<u32>,
    accuracy: f64,
    top_3: Option<f64>,
    r#macro: Expected,
    weighted: Expected,
    classes: Vec<Expected>,
    confusion: Vec<Vec<u64>>,
    auc: Vec<Option<f64>>,
}

#[derive(Deserialize)]
struct Expected {
    precision: f64,
    recall: f64,
    f1: f64,
}

#[derive(Deserialize)]
struct NumberCase {
    outputs: usize,
    predictions: Vec<f32>,
    targets: Vec<f32>,
    mae: f64,
    mse: f64,
    rmse: f64,
    r2: f64,
}

fn golden() -> Golden {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/metrics.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[track_caller]
fn near(actual: f64, expected: f64, what: &str) {
    assert!((actual - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{what}: {actual}, not {expected}");
}

#[track_caller]
fn same(actual: Scores, expected: &Expected, what: &str) {
    near(actual.precision, expected.precision, &format!("{what}, precision"));
    near(actual.recall, expected.recall, &format!("{what}, recall"));
    near(actual.f1, expected.f1, &format!("{what}, f1"));
}

#[track_caller]
fn same_area(actual: Option<f64>, expected: Option<f64>, what: &str) {
    assert_eq!(actual.is_some(), expected.is_some(), "{what}: {actual:?}, not {expected:?}");
    actual.zip(expected).inspect(|&(actual, expected)| near(actual, expected, what));
}

#[test]
fn classes_are_scored_as_scikit_learn_scores_them() {
    let cases = golden().classes;
    assert!(cases.len() >= 28);
    for (index, case) in cases.iter().enumerate() {
        let rule = if case.outputs == 1 { ClassRule::Above(case.threshold) } else { ClassRule::Largest };
        let report = Classification::of(rule, &case.scores, case.outputs, &case.labels);
        let name = |what: &str| format!("case {index}, {what}");
        near(report.accuracy, case.accuracy, &name("accuracy"));
        near(report.confusion.accuracy(), case.accuracy, &name("accuracy of the matrix"));
        assert_eq!(report.confusion.rows(), case.confusion, "{}", name("confusion matrix"));
        if let Some(top_3) = report.top_3 {
            near(top_3, case.top_3.unwrap(), &name("top 3"));
        }
        same(report.macro_average, &case.r#macro, &name("macro"));
        same(report.weighted, &case.weighted, &name("weighted"));
        assert_eq!(report.classes.len(), case.classes.len());
        for (class, (actual, expected)) in report.classes.iter().zip(&case.classes).enumerate() {
            same(actual.scores, expected, &name(&format!("class {class}")));
            same_area(actual.auc, case.auc[class], &name(&format!("AUC of class {class}")));
        }
        let known: Vec<f64> = case.auc.iter().copied().flatten().collect();
        let mean = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
        same_area(report.auc, if case.auc.len() == 2 { case.auc[1] } else { mean }, &name("AUC"));
    }
}

#[test]
fn numbers_are_scored_as_scikit_learn_scores_them() {
    let cases = golden().numbers;
    assert!(cases.len() >= 7);
    for (index, case) in cases.iter().enumerate() {
        let report = Regression::of(&case.predictions, &case.targets, case.outputs);
        let expected = [case.mae, case.mse, case.rmse, case.r2];
        for ((actual, expected), what) in [report.mae, report.mse, report.rmse, report.r2]
            .into_iter()
            .zip(expected)
            .zip(["mae", "mse", "rmse", "r2"])
        {
            near(actual, expected, &format!("case {index}, {what}"));
        }
    }
}
