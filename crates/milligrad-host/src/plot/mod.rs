//! Charts, in a terminal and as SVG files: curves of named series, and heat maps.
//!
//! ```
//! use milligrad_host::plot::{Canvas, Series, lines};
//!
//! let loss = Series::new("loss", (1..=10).map(|epoch| (f64::from(epoch), 1.0 / f64::from(epoch))));
//! let chart = lines("digits", [loss]).x_label("epoch").y_label("loss");
//! println!("{}", chart.text(&Canvas::plain(72, 16)));
//! assert!(chart.svg().starts_with("<svg"));
//! ```

mod axis;
mod heat_map;
mod lines;
mod svg;
mod text;

pub use heat_map::{HeatMap, heat_map};
pub use lines::{LineChart, lines};
pub use text::Canvas;

/// A named curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What the legend says.
    pub name: String,
    /// `(x, y)`, joined in this order. A number that is not finite (or, on a logarithmic axis, not positive) leaves a gap.
    pub points: Vec<(f64, f64)>,
}

impl Series {
    /// A curve through these points.
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self { name: name.into(), points: points.into_iter().collect() }
    }
}
