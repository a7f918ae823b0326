//! Line charts.

use super::Series;
use super::axis::Axis;
use super::svg::{BLACK, COLOURS, GREY, Svg};
use super::text::{Canvas, Grid, Style};
use std::iter::repeat_n;

/// Curves over a common axis.
#[derive(Debug, Clone, PartialEq)]
pub struct LineChart {
    title: String,
    x_label: String,
    y_label: String,
    logarithmic: [bool; 2],
    series: Vec<Series>,
}

/// A chart of these curves; axes have no names and are linear unless told.
pub fn lines(title: impl Into<String>, series: impl IntoIterator<Item = Series>) -> LineChart {
    LineChart {
        title: title.into(),
        x_label: String::new(),
        y_label: String::new(),
        logarithmic: [false; 2],
        series: series.into_iter().collect(),
    }
}

impl LineChart {
    /// Names the horizontal axis.
    #[must_use]
    pub fn x_label(self, label: impl Into<String>) -> Self {
        Self { x_label: label.into(), ..self }
    }

    /// Names the vertical axis.
    #[must_use]
    pub fn y_label(self, label: impl Into<String>) -> Self {
        Self { y_label: label.into(), ..self }
    }

    /// With a logarithmic horizontal axis.
    #[must_use]
    pub fn log_x(self) -> Self {
        Self { logarithmic: [true, self.logarithmic[1]], ..self }
    }

    /// With a logarithmic vertical axis.
    #[must_use]
    pub fn log_y(self) -> Self {
        Self { logarithmic: [self.logarithmic[0], true], ..self }
    }

    fn axes(&self) -> [Axis; 2] {
        let shown = || self.series.iter().flat_map(|series| &series.points);
        let [log_x, log_y] = self.logarithmic;
        [
            Axis::over(shown().filter(|(_, y)| y.is_finite()).map(|&(x, _)| x), log_x),
            Axis::over(shown().map(|&(_, y)| y), log_y),
        ]
    }

    /// Each series as runs of places from 0 to 1, without what can't be shown.
    fn runs(&self, [x_axis, y_axis]: &[Axis; 2]) -> Vec<Vec<Vec<(f64, f64)>>> {
        let place = |&(x, y): &(f64, f64)| Some((x_axis.place(x)?, y_axis.place(y)?));
        let runs = |series: &Series| {
            let places: Vec<Option<(f64, f64)>> = series.points.iter().map(place).collect();
            let runs = places.split(Option::is_none).filter(|run| !run.is_empty());
            runs.map(|run| run.iter().flatten().copied().collect()).collect()
        };
        self.series.iter().map(runs).collect()
    }

    /// The chart for a terminal or a log, lines without trailing space.
    pub fn text(&self, canvas: &Canvas) -> String {
        let axes = self.axes();
        let legend: Vec<String> =
            self.series.iter().enumerate().map(|(i, series)| canvas.legend(i, &series.name)).collect();
        let y_ticks = axes[1].ticks((canvas.height / 2).clamp(2, 8));
        let margin = y_ticks.iter().map(|(_, label)| label.chars().count()).max().unwrap_or(0);
        let (columns, rows) =
            (canvas.width.saturating_sub(margin + 2).max(8), canvas.height.saturating_sub(3).max(3));
        let mut grid = Grid::new(columns, rows, canvas.style);
        for (i, runs) in self.runs(&axes).iter().enumerate() {
            runs.iter().for_each(|run| grid.curve(i, run));
        }
        let mut lines = vec![[self.title.as_str(), &legend.join("  ")].join("  ").trim().to_string()];
        let (corner, wall, tick, floor) = match canvas.style {
            Style::Terminal => ('└', '│', '┤', "─"),
            Style::Plain => ('+', '|', '+', "-"),
        };
        if !self.y_label.is_empty() {
            lines.push(format!(
                "{}{}",
                " ".repeat(margin.saturating_sub(self.y_label.chars().count())),
                self.y_label
            ));
        }
        let row_of = |place: f64| ((1.0 - place) * (rows - 1) as f64).round() as usize;
        for (row, line) in grid.lines().into_iter().enumerate() {
            let label =
                y_ticks.iter().find(|(place, _)| row_of(*place) == row).map(|(_, label)| label.as_str());
            let edge = if label.is_some() { tick } else { wall };
            lines.push(format!("{:>margin$} {edge}{line}", label.unwrap_or_default()));
        }
        lines.push(format!("{} {corner}{}", " ".repeat(margin), floor.repeat(columns)));
        let below = self.x_lines(&axes[0], columns);
        lines.extend(below.iter().map(|line| format!("{}{line}", " ".repeat(margin + 2))));
        lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
    }

    /// Labels of the horizontal axis, those left out that would touch another, and its name: at the right end, below the
    /// labels where it would touch them.
    fn x_lines(&self, axis: &Axis, columns: usize) -> Vec<String> {
        let (mut line, mut used) = (String::new(), 0);
        for (place, label) in axis.ticks(columns / 6) {
            let at = (place * (columns - 1) as f64).round() as usize;
            let start = at.saturating_sub(label.len() / 2).min(columns.saturating_sub(label.len()));
            if used == 0 || start > used {
                line.extend(repeat_n(' ', start - used));
                line += &label;
                used = start + label.len();
            }
        }
        let name = self.x_label.chars().count();
        if used + 1 + name <= columns {
            line.extend(repeat_n(' ', columns - used - name));
            return vec![line + &self.x_label];
        }
        vec![line, format!("{:>columns$}", self.x_label)]
    }

    /// The chart as a file of its own.
    pub fn svg(&self) -> String {
        let (width, height) = (760.0, 460.0);
        let (left, top, right, bottom) = (72.0, 44.0, 16.0, 52.0);
        let (inner, tall) = (width - left - right, height - top - bottom);
        let at = |(x, y): (f64, f64)| (left + x * inner, top + (1.0 - y) * tall);
        let axes = self.axes();
        let mut svg = Svg::new(width, height, &self.title);
        svg.text((left, 18.0), "start", BLACK, &self.title);
        for (place, label) in axes[1].ticks(8) {
            svg.line(at((0.0, place)), at((1.0, place)), GREY);
            svg.text((left - 8.0, at((0.0, place)).1 + 4.0), "end", BLACK, &label);
        }
        for (place, label) in axes[0].ticks(10) {
            svg.line(at((place, 0.0)), at((place, 1.0)), GREY);
            svg.text((at((place, 0.0)).0, height - bottom + 18.0), "middle", BLACK, &label);
        }
        svg.line(at((0.0, 0.0)), at((1.0, 0.0)), BLACK);
        svg.line(at((0.0, 0.0)), at((0.0, 1.0)), BLACK);
        svg.text((left + inner / 2.0, height - 10.0), "middle", BLACK, &self.x_label);
        svg.upright((16.0, top + tall / 2.0), &self.y_label);
        let mut legend = left;
        for (i, (series, runs)) in self.series.iter().zip(self.runs(&axes)).enumerate() {
            let colour = COLOURS[i % COLOURS.len()];
            for run in runs {
                svg.polyline(run.into_iter().map(at), colour, i >= COLOURS.len());
            }
            svg.line((legend, 32.0), (legend + 18.0, 32.0), colour);
            svg.text((legend + 22.0, 36.0), "start", BLACK, &series.name);
            legend += 40.0 + 7.5 * series.name.chars().count() as f64;
        }
        svg.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> LineChart {
        let falling = Series::new("loss", (1..=10).map(|i| (f64::from(i), 1.0 / f64::from(i))));
        let rising = Series::new("accuracy", (1..=10).map(|i| (f64::from(i), f64::from(i) / 10.0)));
        lines("run <1>", [falling, rising]).x_label("epoch").y_label("share")
    }

    #[test]
    fn plain_text_is_what_it_should_be() {
        let expected = "\
run <1>  * loss  + accuracy
share
1.0 +*                          ++
    | *                      +++
0.8 + *                    ++
    |  *                +++
0.6 +  *             +++
    |   *         +++
    |   ***    +++
0.4 +     ** ++
    |     +++***
0.2 +  +++      ********
    |++                 **********
    +-----------------------------
                 5              10
                             epoch";
        let text = chart().text(&Canvas::plain(34, 14));
        assert_eq!(text, expected);
    }

    #[test]
    fn it_keeps_to_the_width() {
        for (width, height) in [(20, 5), (60, 12), (200, 40), (0, 0)] {
            for canvas in [Canvas::plain(width, height), Canvas::terminal(width, height)] {
                for line in chart().text(&canvas).lines().skip(1) {
                    let visible = line.split('\u{1b}').map(|part| part.split_once('m').map_or(part, |p| p.1));
                    let visible: usize = visible.map(|part| part.chars().count()).sum();
                    assert!(visible <= width.max(16), "{visible} of {width}: {line}");
                }
            }
        }
        assert!(chart().text(&Canvas::plain(60, 12)).is_ascii());
        assert!(!chart().text(&Canvas::plain(60, 12)).contains('\u{1b}'));
    }

    #[test]
    fn nothing_to_show_is_no_reason_to_fail() {
        for points in
            [vec![], vec![(f64::NAN, 1.0)], vec![(1.0, f64::INFINITY), (2.0, 1.0)], vec![(0.0, 0.0)]]
        {
            let chart = lines("", [Series::new("s", points)]).log_x().log_y();
            assert!(chart.text(&Canvas::terminal(40, 10)).lines().count() >= 8);
            let svg = chart.svg();
            assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
        assert!(lines("", []).svg().starts_with("<svg"));
    }

    #[test]
    fn a_gap_cuts_the_curve() {
        let points = [(0.0, 0.0), (1.0, 1.0), (2.0, f64::NAN), (3.0, 1.0), (4.0, 0.0)];
        let svg = lines("gap", [Series::new("s", points)]).svg();
        assert_eq!(svg.matches("<polyline").count(), 2);
    }

    #[test]
    fn svg_is_escaped() {
        let svg = chart().svg();
        assert!(svg.contains("run &lt;1&gt;") && !svg.contains("run <1>"));
        assert_eq!(svg.matches("<polyline").count(), 2);
    }
}
