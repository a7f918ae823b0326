//! `metrics`: what else training shows of the validation part.

use super::super::reader::Table;
use super::TrainSpec;
use crate::Result;
use crate::data::Task;
use crate::graph::Graph;
use crate::metrics::Metric;

/// `metrics = ["f1", "auc"]`
pub(super) fn read(table: &Table<'_, '_>, graph: &Graph) -> Result<Vec<Metric>> {
    let mut metrics = Vec::new();
    for name in table.optional::<Vec<String>>("metrics")?.unwrap_or_default() {
        let metric: Metric = name.parse().map_err(|problem: String| table.fail("metrics", problem, ""))?;
        if matches!(metric, Metric::TopK(_)) && graph.output_len() < 2 {
            return Err(table.fail(
                "metrics",
                format!("`{name}` needs a score for each class, here is one"),
                "",
            ));
        }
        if !metrics.contains(&metric) {
            metrics.push(metric);
        }
    }
    Ok(metrics)
}

/// Metrics of classes are for classes, those of numbers for numbers.
pub(in crate::spec) fn check(table: &Table<'_, '_>, train: &TrainSpec, classes: &[String]) -> Result<()> {
    let numbers = train.task(classes) == Task::Regress;
    match train.metrics.iter().find(|metric| metric.is_regression() != numbers) {
        None => Ok(()),
        Some(metric) if numbers => Err(table.fail(
            "metrics",
            format!("`{metric}` is a metric of classes, but this model predicts numbers"),
            "allowed: mae, mse, rmse, r2",
        )),
        Some(metric) => Err(table.fail(
            "metrics",
            format!("`{metric}` is a metric of numbers, but this model tells classes apart"),
            "allowed: accuracy, precision, recall, f1, auc, top_2, top_3, ..",
        )),
    }
}

#[cfg(test)]
mod tests {
    use crate::Result;
    use crate::metrics::Metric;
    use crate::spec::Spec;
    use std::path::Path;

    fn metrics(units: usize, train: &str) -> Result<Vec<Metric>> {
        let text = format!(
            "[model]\nname = \"m\"\ninput = [2]\n[[layer]]\ntype = \"dense\"\nunits = {units}\n[data]\nsource = \"csv\"\n\
             path = \"d\"\ntarget = \"y\"\n[train]\n{train}\n"
        );
        Spec::parse(&text, "m.toml", Path::new("")).map(|spec| spec.train.metrics)
    }

    #[test]
    fn metrics_fit_the_task() {
        let classes = "loss = \"sparse_categorical_crossentropy\"";
        assert_eq!(metrics(3, classes).unwrap(), []);
        let chosen = metrics(3, &format!("{classes}\nmetrics = [\"f1\", \"top_2\", \"f1\"]")).unwrap();
        assert_eq!(chosen, [Metric::F1, Metric::TopK(2)]);
        assert_eq!(metrics(1, "loss = \"mse\"\nmetrics = [\"r2\"]").unwrap(), [Metric::R2]);
        for (units, train, problem) in [
            (3, &format!("{classes}\nmetrics = [\"f3\"]")[..], "unknown metric `f3`"),
            (3, &format!("{classes}\nmetrics = [\"mae\"]"), "`mae` is a metric of numbers"),
            (1, "loss = \"mse\"\nmetrics = [\"auc\"]", "`auc` is a metric of classes"),
            (
                1,
                "loss = \"binary_crossentropy\"\nmetrics = [\"top_2\"]",
                "`top_2` needs a score for each class",
            ),
            (1, "loss = \"mse\"\nmetrics = \"mae\"", "a list of texts"),
        ] {
            let error = metrics(units, train).unwrap_err().to_string();
            assert!(error.contains(problem) && error.contains("m.toml:"), "{error}");
        }
    }
}
