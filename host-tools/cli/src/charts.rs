//! Charts that a command may draw, in the terminal and as files.

use crate::failure::Failure;
use crate::output::Output;
use clap::Args;
use milligrad_host::model_file::write_atomically;
use milligrad_host::plot::{Canvas, HeatMap, LineChart, Series, lines};
use milligrad_host::train::{EpochRecord, History};
use std::path::PathBuf;

/// Where charts go.
#[derive(Debug, Clone, Args)]
pub(crate) struct Charts {
    /// Draw charts in the terminal (in ASCII where the output is none).
    #[arg(long)]
    plot: bool,
    /// Write charts as SVG files into this folder.
    #[arg(long, value_name = "DIR")]
    svg: Option<PathBuf>,
}

/// Something to draw.
pub(crate) trait Chart {
    fn text(&self, canvas: &Canvas) -> String;
    fn svg(&self) -> String;
}

impl Chart for LineChart {
    fn text(&self, canvas: &Canvas) -> String {
        self.text(canvas)
    }
    fn svg(&self) -> String {
        self.svg()
    }
}

impl Chart for HeatMap {
    fn text(&self, canvas: &Canvas) -> String {
        self.text(canvas)
    }
    fn svg(&self) -> String {
        self.svg()
    }
}

impl Charts {
    /// Makes the folder; so that it is found out before the work if it can't be written.
    pub(crate) fn prepare(&self) -> Result<(), Failure> {
        match &self.svg {
            Some(folder) => Ok(std::fs::create_dir_all(folder).map_err(milligrad_host::Error::io(folder))?),
            None => Ok(()),
        }
    }

    /// Draws what was asked for; `name` becomes the file's.
    pub(crate) fn show(&self, output: &Output, name: &str, chart: &impl Chart) -> Result<(), Failure> {
        if self.plot {
            output.result(chart.text(&output.canvas()));
        }
        if let Some(folder) = &self.svg {
            let path = folder.join(name).with_extension("svg");
            write_atomically(&path, chart.svg().as_bytes())?;
            output.note(format!("wrote {}", path.display()));
        }
        Ok(())
    }
}

/// The curves of a run, each with the name of its file: loss, accuracy, and whatever else was asked for.
pub(crate) fn curves(name: &str, history: &History, unit: &str) -> Vec<(String, LineChart)> {
    let series = |name: &str, value: &dyn Fn(&EpochRecord) -> Option<f64>| {
        let points = history.epochs.iter().filter_map(|record| Some((record.epoch as f64, value(record)?)));
        Some(Series::new(name, points)).filter(|series| !series.points.is_empty())
    };
    let chart = |title: &str, label: &str, series: Vec<Series>| {
        (!series.is_empty()).then(|| {
            (title.to_owned(), lines(name, series).x_label("epoch").y_label(format!("{title}{label}")))
        })
    };
    let loss = [series("loss", &|record| Some(record.loss)), series("val_loss", &|record| record.val_loss)];
    let accuracy = [
        series("accuracy", &|record| record.accuracy),
        series("val_accuracy", &|record| record.val_accuracy),
    ];
    let mut charts = vec![
        chart("loss", unit, loss.into_iter().flatten().collect()),
        chart("accuracy", "", accuracy.into_iter().flatten().collect()),
    ];
    let metrics = history.epochs.iter().flat_map(|record| record.val_metrics.keys());
    for metric in metrics.collect::<std::collections::BTreeSet<_>>() {
        let value = |record: &EpochRecord| record.val_metrics.get(metric).copied();
        charts.push(chart(metric, "", series(&format!("val_{metric}"), &value).into_iter().collect()));
    }
    charts.into_iter().flatten().collect()
}
