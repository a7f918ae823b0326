//! `milligrad lr-find`

use crate::charts::Charts;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::Table;
use clap::Args;
use milligrad_host::plot::{LineChart, Series, lines};
use milligrad_host::spec::Spec;
use milligrad_host::train::{FitOptions, RateCurve, RateFinder};
use serde_json::json;
use std::path::PathBuf;

/// Find a learning rate: let it rise from step to step and watch the loss.
#[derive(Debug, Args)]
pub(crate) struct LrFind {
    /// The specification.
    spec: PathBuf,
    /// Steps, each with a rate that is higher by the same factor.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(10..))]
    steps: u32,
    /// The first rate.
    #[arg(long, value_name = "RATE", default_value_t = 1e-7)]
    from: f64,
    /// The last rate, unless the loss explodes before.
    #[arg(long, value_name = "RATE", default_value_t = 10.0)]
    to: f64,
    #[command(flatten)]
    charts: Charts,
    /// Threads, 0 for as many as there are cores. The result does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
}

/// Rows of the table, at most.
const ROWS: usize = 20;

impl LrFind {
    pub(crate) fn run(&self, output: &Output, seed: Option<u64>) -> Result<(), Failure> {
        let spec = Spec::read(&self.spec)?;
        self.charts.prepare()?;
        let seed = seed.unwrap_or(spec.train.seed);
        let prepared = spec.prepare(spec.load_data()?.train, None, seed)?;
        let options = FitOptions { threads: self.threads, ..spec.train.fit_options(seed) };
        let finder = RateFinder {
            lowest: self.from,
            highest: self.to,
            steps: self.steps as usize,
            ..RateFinder::default()
        };
        let curve = finder.find(&prepared.graph, &prepared.train, &options)?;
        self.charts.show(output, "learning-rate", &chart(&spec.name, &curve))?;
        output.table(&table(&curve));
        if curve.exploded {
            let end = curve.points.last().map_or(self.from, |point| point.rate);
            output.note(format!("the loss exploded at a rate of {end:.1e}"));
        }
        output.result(match curve.suggested {
            Some(rate) => format!(
                "suggested learning rate: {rate:.1e} (where the loss falls most steeply, with a margin)"
            ),
            None => {
                "no learning rate to suggest: the loss hardly falls; search elsewhere with --from and --to"
                    .into()
            }
        });
        let points = curve.points.iter();
        let points = points.map(|p| json!({ "rate": p.rate, "loss": p.loss, "smoothed": p.smoothed }));
        output.object(json!({
            "name": spec.name,
            "seed": seed,
            "points": points.collect::<Vec<_>>(),
            "exploded": curve.exploded,
            "suggested": curve.suggested,
        }));
        Ok(())
    }
}

fn chart(name: &str, curve: &RateCurve) -> LineChart {
    let smoothed =
        Series::new("smoothed loss", curve.points.iter().map(|point| (point.rate, point.smoothed)));
    let chart = lines(format!("{name}: loss by learning rate"), [smoothed]);
    chart.log_x().x_label("learning rate").y_label("loss")
}

/// Some of the steps, evenly.
fn table(curve: &RateCurve) -> Table {
    let mut table = Table::new(&["rate", "loss", "smoothed"]);
    let stride = curve.points.len().div_ceil(ROWS).max(1);
    for point in curve.points.iter().step_by(stride) {
        table.row([
            format!("{:.1e}", point.rate),
            format!("{:.4}", point.loss),
            format!("{:.4}", point.smoothed),
        ]);
    }
    table
}
