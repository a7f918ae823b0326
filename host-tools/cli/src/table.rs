//! Aligned tables.

use std::fmt;

/// A table whose columns are as wide as they must be: text to the left, numbers to the right.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    /// Rows before which a rule is drawn.
    rules: Vec<usize>,
}

impl Table {
    pub(crate) fn new(header: &[&str]) -> Self {
        Self { rows: vec![header.iter().map(|cell| cell.to_string()).collect()], rules: vec![1] }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// A line before the next row.
    pub(crate) fn rule(&mut self) {
        self.rules.push(self.rows.len());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cell = |row: &Vec<String>, column: usize| row.get(column).cloned().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|column| self.rows.iter().map(|row| cell(row, column).chars().count()).max().unwrap_or(0))
            .collect();
        let numeric: Vec<bool> = (0..columns)
            .map(|column| self.rows[1..].iter().all(|row| is_number(&cell(row, column))))
            .collect();
        for (index, row) in self.rows.iter().enumerate() {
            if self.rules.contains(&index) {
                writeln!(f, "{}", "─".repeat(widths.iter().sum::<usize>() + 2 * columns.saturating_sub(1)))?;
            }
            let mut line = String::new();
            for column in 0..columns {
                let (text, width) = (cell(row, column), widths[column]);
                let padding = " ".repeat(width - text.chars().count());
                line += &if numeric[column] { padding + &text } else { text + &padding };
                line += "  ";
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

fn is_number(cell: &str) -> bool {
    cell.chars().all(|c| c.is_ascii_digit() || " ,.%-".contains(c))
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `0.98611` as `98.61 %`.
pub(crate) fn percent(fraction: f64) -> String {
    format!("{:.2} %", 100.0 * fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&["layer", "MACs"]);
        table.row(["conv2d".to_string(), grouped(1_234_567u64)]);
        table.rule();
        table.row(["é".to_string(), grouped(9u64)]);
        let expected =
            "layer        MACs\n─────────────────\nconv2d  1,234,567\n─────────────────\né               9\n";
        assert_eq!(table.to_string(), expected);
        assert_eq!([grouped(0u64), grouped(999u64), grouped(1000u64)], ["0", "999", "1,000"]);
        assert_eq!(percent(0.98611), "98.61 %");
    }
}
