//! A grid of characters to draw on.

/// What text charts are drawn on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canvas {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) style: Style,
}

/// With which characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Dots of Braille characters, series told apart by ANSI colours.
    Terminal,
    /// ASCII, series told apart by their marks.
    Plain,
}

const MARKS: [char; 6] = ['*', '+', 'o', 'x', '#', '@'];
/// ANSI's blue, yellow, green, magenta, cyan, red.
const COLOURS: [u8; 6] = [34, 33, 32, 35, 36, 31];

impl Canvas {
    /// Braille dots in colours, at most so many columns and about so many lines.
    pub fn terminal(width: usize, height: usize) -> Self {
        Self { width, height, style: Style::Terminal }
    }

    /// ASCII alone, for logs and files.
    pub fn plain(width: usize, height: usize) -> Self {
        Self { width, height, style: Style::Plain }
    }

    /// How a series is told in a legend.
    pub(super) fn legend(&self, series: usize, name: &str) -> String {
        match self.style {
            Style::Terminal => format!("{} {name}", coloured(series, "━━")),
            Style::Plain => format!("{} {name}", MARKS[series % MARKS.len()]),
        }
    }
}

fn coloured(series: usize, text: &str) -> String {
    format!("\u{1b}[{}m{text}\u{1b}[0m", COLOURS[series % COLOURS.len()])
}

/// Dots, several for each character.
#[derive(Debug)]
pub(super) struct Grid {
    columns: usize,
    rows: usize,
    style: Style,
    /// For each character its dots, as Braille orders them, and the series that drew last.
    cells: Vec<(u8, usize)>,
}

impl Grid {
    pub(super) fn new(columns: usize, rows: usize, style: Style) -> Self {
        Self { columns, rows, style, cells: vec![(0, 0); columns * rows] }
    }

    /// Dots across and down in a character.
    fn dots(&self) -> (usize, usize) {
        match self.style {
            Style::Terminal => (2, 4),
            Style::Plain => (1, 1),
        }
    }

    /// A curve through places from 0 to 1, y upwards.
    pub(super) fn curve(&mut self, series: usize, places: &[(f64, f64)]) {
        let (across, down) = self.dots();
        let (right, bottom) = ((self.columns * across - 1) as f64, (self.rows * down - 1) as f64);
        let at = |&(x, y): &(f64, f64)| (x * right, (1.0 - y) * bottom);
        if let [place] = places {
            let (x, y) = at(place);
            self.dot(series, x, y);
        }
        for pair in places.windows(2) {
            let ((x0, y0), (x1, y1)) = (at(&pair[0]), at(&pair[1]));
            let steps = (x1 - x0).abs().max((y1 - y0).abs()).ceil().max(1.0);
            for step in 0..=steps as usize {
                let part = step as f64 / steps;
                self.dot(series, x0 + (x1 - x0) * part, y0 + (y1 - y0) * part);
            }
        }
    }

    fn dot(&mut self, series: usize, x: f64, y: f64) {
        let ((across, down), (x, y)) = (self.dots(), (x.round() as usize, y.round() as usize));
        // Braille numbers its dots down the left column, then down the right, and the lowest row last.
        const BITS: [[u8; 2]; 4] = [[0, 3], [1, 4], [2, 5], [6, 7]];
        if let Some(cell) = self.cells.get_mut(y / down * self.columns + x / across) {
            *cell = (cell.0 | 1 << BITS[y % down][x % across], series);
        }
    }

    /// The rows from the top.
    pub(super) fn lines(&self) -> Vec<String> {
        let cell = |&(dots, series): &(u8, usize)| match (dots, self.style) {
            (0, _) => " ".to_string(),
            (_, Style::Plain) => MARKS[series % MARKS.len()].to_string(),
            (_, Style::Terminal) => {
                let braille = char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ');
                coloured(series, &braille.to_string())
            }
        };
        self.cells.chunks(self.columns.max(1)).map(|row| row.iter().map(cell).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braille_dots_lie_where_they_should() {
        let mut grid = Grid::new(2, 1, Style::Terminal);
        grid.curve(0, &[(0.0, 1.0), (1.0, 0.0)]);
        assert_eq!(grid.lines(), ["\u{1b}[34m\u{2811}\u{1b}[0m\u{1b}[34m\u{2884}\u{1b}[0m"]);
        let mut grid = Grid::new(2, 2, Style::Plain);
        grid.curve(1, &[(1.0, 0.0)]);
        assert_eq!(grid.lines(), ["  ", " +"]);
    }
}
