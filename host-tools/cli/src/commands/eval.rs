//! `milligrad eval`

use crate::charts::Charts;
use crate::context::{Context, Data};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Table, grouped, percent};
use clap::Args;
use milligrad_host::Graph;
use milligrad_host::metrics::{Classification, Evaluated, Metrics, Scores, evaluate, evaluate_at};
use milligrad_host::plot::heat_map;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Measure a model on the test part: loss and all metrics.
#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// The model, f32 or int8. An int8 model is run by the device's kernels.
    model: PathBuf,
    /// Other data than those that it was trained on.
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// Where a score becomes a yes, instead of 0.5 after a sigmoid and 0 without; for models with one score, or a sigmoid for
    /// each class.
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    threshold: Option<f32>,
    /// `--plot` and `--svg` show the confusion matrix.
    #[command(flatten)]
    charts: Charts,
}

impl Eval {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        if let Some(threshold) = self.threshold.filter(|threshold| !threshold.is_finite()) {
            return Err(Failure::usage(format!("--threshold {threshold}: it is a finite number")));
        }
        self.charts.prepare()?;
        let context = Context::new(&self.model, self.data.as_deref())?;
        let data = context.data()?;
        let (name, samples) = (data.test.name.clone(), data.test.len());
        let evaluated = evaluate_at(&context.graph, &data.test, data.loss, self.threshold)?;
        let labels = &data.test.classes;
        let what =
            format!("{} ({}), {} samples of {name}", context.graph.name, context.dtype(), grouped(samples));
        output.result(format!("{what}: {}", headline(&evaluated)));
        let mut object = json!({
            "name": context.graph.name,
            "dtype": context.dtype(),
            "data": name,
            "samples": samples,
            "accuracy": evaluated.accuracy(),
            "loss": evaluated.loss,
        });
        let mut metrics = match &evaluated.metrics {
            Metrics::Classes(report) => {
                output.table(&table(report, labels));
                let title = format!("{}, confusion matrix", context.graph.name);
                let map = heat_map(title, ["true", "predicted"], labels, report.confusion.rows());
                self.charts.show(output, "confusion", &map)?;
                json!(report)
            }
            Metrics::Numbers(report) => json!(report),
        };
        for (class, name) in metrics["classes"].as_array_mut().into_iter().flatten().zip(labels) {
            class["name"] = json!(name);
        }
        if let (Value::Object(object), Value::Object(metrics)) = (&mut object, metrics) {
            object.extend(metrics);
        }
        output.object(object);
        Ok(())
    }
}

/// Loss and the metrics that are one number.
fn headline(evaluated: &Evaluated) -> String {
    let loss = evaluated.loss;
    match &evaluated.metrics {
        Metrics::Classes(report) => {
            let mut parts = vec![format!("accuracy {}", percent(report.accuracy))];
            parts.extend(loss.map(|loss| format!("loss {loss:.4}")));
            parts.extend(report.top_3.map(|top| format!("top 3 {}", percent(top))));
            parts.extend(report.auc.map(|auc| format!("AUC {auc:.4}")));
            parts.join(", ")
        }
        Metrics::Numbers(report) => format!(
            "loss {:.6}, MAE {:.6}, MSE {:.6}, RMSE {:.6}, R2 {:.4}",
            loss.unwrap_or(f64::NAN),
            report.mae,
            report.mse,
            report.rmse,
            report.r2
        ),
    }
}

/// Scikit-learn's classification report.
fn table(report: &Classification, labels: &[String]) -> Table {
    let mut table = Table::new(&["class", "precision", "recall", "F1", "AUC", "samples"]);
    let row = |name: String, scores: Scores, auc: Option<f64>, samples: u64| {
        let auc = auc.map_or("-".into(), |auc| format!("{auc:.4}"));
        let [precision, recall, f1] =
            [scores.precision, scores.recall, scores.f1].map(|score| format!("{score:.4}"));
        [name, precision, recall, f1, auc, grouped(samples)]
    };
    for (index, class) in report.classes.iter().enumerate() {
        let name = labels.get(index).cloned().unwrap_or_else(|| index.to_string());
        table.row(row(name, class.scores, class.auc, class.support));
    }
    let samples = report.classes.iter().map(|class| class.support).sum();
    table.rule();
    table.row(row("macro average".into(), report.macro_average, report.auc, samples));
    table.row(row("weighted average".into(), report.weighted, None, samples));
    table
}

/// Loss and accuracy on the test part. Of an int8 classifier the accuracy alone, as its scores are coarse.
pub(crate) fn measure(graph: &Graph, data: Data) -> Result<(Option<f64>, Option<f64>), Failure> {
    let evaluated = evaluate(graph, &data.test, data.loss)?;
    Ok((evaluated.loss, evaluated.accuracy()))
}
