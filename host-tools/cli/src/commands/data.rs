//! `milligrad data`

use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Table, grouped, percent};
use clap::Args;
use milligrad_host::data::report::{Column, Raw, Report, Statistics, Target, parts, read};
use milligrad_host::data::{Split, Task};
use milligrad_host::spec::{DataSpec, Source, Spec};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Report on data before anything is learned from them: samples, ranges, missing values, classes and their imbalance, each
/// column with its correlation with the target, and the parts that training would use.
#[derive(Debug, Args)]
pub(crate) struct Data {
    /// A specification (.toml), digits, fashion-mnist, a folder of IDX files, or a file: CSV, NPZ, NPY, IDX. Of what has a
    /// training part, the statistics are those of this part.
    data: PathBuf,
    /// What is to be learned: a column of a CSV file (the last unless given) or an array of an NPZ file (y unless given).
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
}

/// Columns that people are shown.
const SHOWN: usize = 40;

impl Data {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let (raw, split) = self.raw(output)?;
        let report = Report::of(&raw);
        if report.samples == 0 {
            return Err(Failure::usage(format!("{}: there are no samples in it", self.data.display())));
        }
        let parts = split.as_ref().map(parts);
        show(&report, parts.as_deref(), output);
        let mut object = json!(report);
        if let (Some(split), Some(parts)) = (&split, &parts) {
            object["parts"] = json!({
                "train": split.train.len(),
                "validation": split.validation.as_ref().map_or(0, |part| part.len()),
                "test": split.test.len(),
            });
            if let Some(classes) = object["target"]["classes"].as_array_mut() {
                for (class, [train, validation, test]) in classes.iter_mut().zip(parts) {
                    class["parts"] = json!({ "train": train, "validation": validation, "test": test });
                }
            }
        }
        output.object(object);
        Ok(())
    }

    /// The data, and their parts if they come with any.
    fn raw(&self, output: &Output) -> Result<(Raw, Option<Split>), Failure> {
        let of_source = |source| -> Result<Split, Failure> {
            let spec = DataSpec::new(source);
            Ok(spec.parts(&Task::Classify { classes: Vec::new() })?.split(spec.validation, spec.seed)?)
        };
        let (split, dtype) = match self.data.to_str() {
            Some("digits") => (of_source(Source::Digits)?, "uint8"),
            Some("fashion-mnist") => (of_source(Source::FashionMnist(None))?, "uint8"),
            _ if self.data.is_dir() => (of_source(Source::Idx(self.data.clone()))?, "idx"),
            _ if self.data.extension().is_some_and(|extension| extension == "toml") => {
                let spec = Spec::read(&self.data)?;
                let dtype = match spec.data.source {
                    Source::Digits | Source::FashionMnist(_) => "uint8",
                    Source::Idx(_) => "idx",
                    Source::Csv { .. } => "text",
                    Source::Npz { .. } => "npz",
                };
                if let Some(caution) = spec.data.caution() {
                    output.note(caution);
                }
                (spec.load_data()?, dtype)
            }
            _ => return Ok((read(Path::new(&self.data), self.target.as_deref())?, None)),
        };
        if self.target.is_some() {
            return Err(Failure::usage(
                "--target is for single files; this source says itself what is to be learned",
            ));
        }
        Ok((Raw::of(&split.train, dtype), Some(split)))
    }
}

fn show(report: &Report, parts: Option<&[[usize; 3]]>, output: &Output) {
    let shape: Vec<String> = report.shape.iter().map(usize::to_string).collect();
    let what = if parts.is_some() { "samples to learn from" } else { "samples" };
    output.result(format!(
        "{}: {} {what}, each ({}) of {}; {}",
        report.name,
        grouped(report.samples),
        shape.join(", "),
        report.dtype,
        range(&report.inputs)
    ));
    let named =
        report.columns.iter().any(|column| column.correlation.is_some() || column.categories.is_some());
    if report.columns.len() > 1 || named {
        output.table(&columns(&report.columns));
        if report.columns.len() > SHOWN {
            output.result(format!("and {} more columns", report.columns.len() - SHOWN));
        }
    }
    let constant: Vec<&str> =
        report.columns.iter().filter(|column| column.constant).map(|column| column.name.as_str()).collect();
    if !constant.is_empty() {
        let more = if constant.len() > 10 { ", .." } else { "" };
        let first = constant.iter().take(10).copied().collect::<Vec<_>>().join(", ");
        output.result(format!("{} columns never change: {first}{more}", constant.len()));
    }
    if let Some(target) = &report.target {
        show_target(target, parts, output);
    }
    if let (Some(parts), true) = (parts, report.target.as_ref().is_none_or(|t| t.classes.is_empty())) {
        let [train, validation, test] = parts.first().copied().unwrap_or_default().map(grouped);
        output.result(format!(
            "parts: {train} to learn from, {validation} for validation, {test} for the test"
        ));
    }
}

fn show_target(target: &Target, parts: Option<&[[usize; 3]]>, output: &Output) {
    let what = if target.name == "target" { "target".into() } else { format!("target {}", target.name) };
    if target.classes.is_empty() {
        output.result(format!("{what}: {}", range(&target.statistics)));
        return;
    }
    let mut header = vec!["class", "samples", "share"];
    if parts.is_some() {
        header.extend(["training", "validation", "test"]);
    }
    let mut table = Table::new(&header);
    for (index, class) in target.classes.iter().enumerate() {
        let mut row = vec![class.name.clone(), grouped(class.samples), percent(class.share)];
        row.extend(
            parts.and_then(|parts| parts.get(index)).into_iter().flatten().map(|&count| grouped(count)),
        );
        table.row(row);
    }
    output.table(&table);
    if target.statistics.missing > 0 {
        output.result(format!("{what}: {} missing", grouped(target.statistics.missing)));
    }
    if let Some(imbalance) = target.imbalance {
        output.result(format!(
            "{what}: the largest class has {imbalance:.2} times the samples of the smallest"
        ));
    }
    let absent: Vec<&str> = target.absent().map(|class| class.name.as_str()).collect();
    if !absent.is_empty() {
        output.result(format!("without a sample: {}", absent.join(", ")));
    }
}

fn columns(columns: &[Column]) -> Table {
    let mut table = Table::new(&[
        "column",
        "minimum",
        "maximum",
        "mean",
        "deviation",
        "missing",
        "categories",
        "correlation",
    ]);
    for column in columns.iter().take(SHOWN) {
        let Statistics { missing, min, max, mean, deviation } = column.statistics;
        let moments = [min, max, mean, deviation].map(shown);
        let correlation = column.correlation.map_or("-".into(), |r| format!("{r:.3}"));
        table.row([column.name.clone()].into_iter().chain(moments).chain([
            grouped(missing),
            column.categories.map_or("-".into(), grouped),
            correlation,
        ]));
    }
    table
}

/// Four significant digits.
fn shown(value: Option<f64>) -> String {
    match value {
        None => "-".into(),
        Some(0.0) => "0".into(),
        Some(value) if !(1e-3..1e7).contains(&value.abs()) => format!("{value:.3e}"),
        Some(value) => {
            let decimals = (3.0 - value.abs().max(1e-3).log10().floor()).clamp(0.0, 6.0) as usize;
            format!("{value:.decimals$}")
        }
    }
}

fn range(statistics: &Statistics) -> String {
    let Statistics { missing, min, max, mean, deviation } = *statistics;
    let [min, max, mean, deviation] = [min, max, mean, deviation].map(shown);
    let missing =
        if missing > 0 { format!(", {} missing or not finite", grouped(missing)) } else { String::new() };
    format!("{min} to {max}, mean {mean}, deviation {deviation}{missing}")
}
