//! Heat maps of square matrices of counts, such as confusion matrices.

use super::svg::{BLACK, Svg};
use super::text::{Canvas, Style};

/// A square matrix, each row shaded by the shares of its sum.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    title: String,
    /// What rows and columns are.
    axes: [String; 2],
    labels: Vec<String>,
    rows: Vec<Vec<u64>>,
}

/// A heat map of counts: `rows[i][j]`, with the labels of both axes; what is missing counts 0. `axes` says what rows and
/// columns are.
pub fn heat_map(title: impl Into<String>, axes: [&str; 2], labels: &[String], rows: &[Vec<u64>]) -> HeatMap {
    let row = |i: usize| {
        let row = rows.get(i).map_or(&[][..], Vec::as_slice);
        (0..labels.len()).map(|j| row.get(j).copied().unwrap_or(0)).collect()
    };
    HeatMap {
        title: title.into(),
        axes: axes.map(str::to_owned),
        labels: labels.to_vec(),
        rows: (0..labels.len()).map(row).collect(),
    }
}

/// Longest label that is shown whole.
const LONGEST: usize = 14;

impl HeatMap {
    /// Share of its row.
    fn share(&self, row: usize, column: usize) -> f64 {
        self.rows[row][column] as f64 / self.rows[row].iter().sum::<u64>().max(1) as f64
    }

    /// The map for a terminal or a log: counts where there is room for them, else one shade for each cell, else a line
    /// that says how wide it would be.
    pub fn text(&self, canvas: &Canvas) -> String {
        let labels: Vec<String> = self.labels.iter().map(|label| shortened(label, LONGEST)).collect();
        let margin = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        let digits = self.rows.iter().flatten().map(|count| count.to_string().len()).max().unwrap_or(1);
        let wide = margin.min(7).max(digits).max(3);
        let title = format!("{}  rows: {}, columns: {}", self.title, self.axes[0], self.axes[1]);
        let mut lines = vec![title.trim().to_string()];
        let room = canvas.width.saturating_sub(margin + 1);
        if labels.len() * (wide + 1) <= room {
            let heads: Vec<String> =
                labels.iter().map(|label| format!(" {:>wide$}", shortened(label, wide))).collect();
            lines.push(format!("{:margin$} {}", "", heads.concat()));
            for (i, label) in labels.iter().enumerate() {
                let cells = (0..labels.len()).map(|j| self.cell(i, j, wide, canvas.style));
                lines.push(format!("{label:>margin$} {}", cells.collect::<String>()));
            }
        } else if labels.len() <= room {
            let shades: &[char] = match canvas.style {
                Style::Terminal => &[' ', '░', '▒', '▓', '█'],
                Style::Plain => &[' ', '.', ':', '=', '#'],
            };
            for (i, label) in labels.iter().enumerate() {
                let shade = |j| shades[(self.share(i, j) * (shades.len() - 1) as f64).ceil() as usize];
                let cells: String = (0..labels.len()).map(shade).collect();
                lines.push(format!("{label:>margin$} {cells}"));
            }
        } else {
            let needed = labels.len() + margin + 1;
            lines.push(format!("{} classes need {needed} columns, here are {}", labels.len(), canvas.width));
        }
        lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
    }

    fn cell(&self, row: usize, column: usize, wide: usize, style: Style) -> String {
        let count = self.rows[row][column];
        let text = if count == 0 { format!(" {:>wide$}", ".") } else { format!(" {count:>wide$}") };
        match style {
            Style::Plain => text,
            // Of the 24 greys of the 256 colours those from nearly black on; the text stays readable on all.
            Style::Terminal => {
                let grey = 233 + (self.share(row, column) * 14.0).round() as u8;
                let colour = if row == column { 120 } else { 222 };
                format!("\u{1b}[38;5;{colour};48;5;{grey}m{text}\u{1b}[0m")
            }
        }
    }

    /// The map as a file of its own.
    pub fn svg(&self) -> String {
        let count = self.labels.len() as f64;
        let labels: Vec<String> = self.labels.iter().map(|label| shortened(label, LONGEST)).collect();
        let longest = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0) as f64;
        let cell = (560.0 / count.max(1.0)).clamp(8.0, 56.0);
        let (left, top) = (44.0 + 7.5 * longest, 48.0 + if longest > 3.0 { 7.5 * longest } else { 20.0 });
        let (width, height) = ((left + cell * count + 16.0).max(320.0), top + cell * count + 16.0);
        let mut svg = Svg::new(width, height, &self.title);
        svg.text((16.0, 18.0), "start", BLACK, &self.title);
        svg.text((left + cell * count / 2.0, 38.0), "middle", BLACK, &self.axes[1]);
        svg.upright((16.0, top + cell * count / 2.0), &self.axes[0]);
        for (i, label) in labels.iter().enumerate() {
            let middle = (i as f64 + 0.5) * cell;
            svg.text((left - 6.0, top + middle + 4.0), "end", BLACK, label);
            if longest > 3.0 {
                svg.slanted((left + middle + 4.0, top - 6.0), label);
            } else {
                svg.text((left + middle, top - 6.0), "middle", BLACK, label);
            }
            for (j, &count) in self.rows[i].iter().enumerate() {
                let (x, y, share) = (left + j as f64 * cell, top + i as f64 * cell, self.share(i, j));
                // From white to a dark blue.
                let mix = |light: f64, dark: f64| (light + (dark - light) * share).round() as u8;
                let colour =
                    format!("#{:02x}{:02x}{:02x}", mix(247.0, 8.0), mix(251.0, 81.0), mix(255.0, 156.0));
                svg.rect((x, y), (cell, cell), &colour);
                if count > 0 && cell >= 24.0 {
                    let ink = if share > 0.5 { "white" } else { BLACK };
                    svg.text((x + cell / 2.0, y + cell / 2.0 + 4.0), "middle", ink, &count.to_string());
                }
            }
        }
        svg.finish()
    }
}

/// At most so many characters; what is left out shows.
fn shortened(text: &str, most: usize) -> String {
    match text.chars().count() {
        count if count <= most => text.to_owned(),
        _ => text.chars().take(most.saturating_sub(1)).chain(['~']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(classes: usize) -> HeatMap {
        let labels: Vec<String> = (0..classes).map(|i| format!("class <{i}>")).collect();
        let rows: Vec<Vec<u64>> = (0..classes)
            .map(|i| (0..classes).map(|j| if i == j { 9 } else { u64::from(j == 0) }).collect())
            .collect();
        heat_map("confusion", ["true", "predicted"], &labels, &rows)
    }

    #[test]
    fn counts_then_shades_then_words() {
        let text = map(2).text(&Canvas::plain(60, 20));
        let expected = "\
confusion  rows: true, columns: predicted
           class ~ class ~
class <0>        9       .
class <1>        1       9";
        assert_eq!(text, expected);
        let text = map(12).text(&Canvas::plain(40, 20));
        assert!(text.contains("class <11> .          #"), "{text}");
        assert!(map(60).text(&Canvas::plain(40, 20)).ends_with("60 classes need 71 columns, here are 40"));
        assert!(map(2).text(&Canvas::terminal(60, 20)).contains("\u{1b}[38;5;120"));
        assert_eq!(heat_map("", ["", ""], &[], &[]).text(&Canvas::plain(10, 10)).lines().count(), 1);
    }

    #[test]
    fn every_cell_is_a_rectangle() {
        let svg = map(3).svg();
        assert_eq!(svg.matches("<rect").count(), 1 + 9);
        assert!(svg.contains("class &lt;0&gt;") && !svg.contains("NaN"));
        assert!(heat_map("", ["", ""], &[], &[]).svg().ends_with("</svg>\n"));
    }
}
