//! CSV with a header: a column for each feature and one for the target.

use super::{Dataset, Targets, Task, file};
use crate::{Error, Result};
use csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};
use std::path::Path;

/// Which columns mean what.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    /// Name of the target column.
    pub target: String,
    /// Names of the feature columns; `None` takes all others, in the order of the file.
    pub features: Option<Vec<String>>,
    /// Whether the target is a class or a number.
    pub task: Task,
}

/// Reads a file, plain or gzip.
///
/// # Errors
/// [`Error::File`] with the line for ragged rows, fields that are not finite numbers, unknown columns, unknown classes.
pub fn read(path: &Path, columns: &Columns) -> Result<Dataset> {
    let bytes = file::read(path)?;
    parse(&bytes, columns, &path.display().to_string()).map_err(|error| match error {
        Error::Data(problem) => Error::file(path, problem),
        other => other,
    })
}

fn parse(bytes: &[u8], columns: &Columns, name: &str) -> Result<Dataset> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(bytes);
    let header = reader.headers().map_err(explain)?.clone();
    let find = |column: &str| {
        header.iter().position(|name| name == column).ok_or_else(|| {
            let known: Vec<&str> = header.iter().collect();
            Error::Data(format!("there is no column `{column}`; the header names {}", known.join(", ")))
        })
    };
    let target = find(&columns.target)?;
    let features: Vec<usize> = match &columns.features {
        Some(names) => names.iter().map(|name| find(name)).collect::<Result<_>>()?,
        None => (0..header.len()).filter(|&column| column != target).collect(),
    };
    let (mut inputs, mut cells) = (Vec::new(), Vec::new());
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(explain)? {
        let line = record.position().map_or(0, csv::Position::line);
        for &column in &features {
            inputs.push(number(&record, &header, column, line)?);
        }
        cells.push((line, record.get(target).unwrap_or_default().to_owned()));
    }
    let (targets, classes) = match &columns.task {
        Task::Regress => {
            let number = |(line, cell): &(u64, String)| finite(cell, &columns.target, *line);
            (Targets::Values { width: 1, values: cells.iter().map(number).collect::<Result<_>>()? }, vec![])
        }
        Task::Classify { classes } => {
            let classes = if classes.is_empty() { classes_in(&cells) } else { classes.clone() };
            let label = |(line, cell): &(u64, String)| label(cell, &classes, &columns.target, *line);
            (Targets::Classes(cells.iter().map(label).collect::<Result<_>>()?), classes)
        }
    };
    Dataset::new(name, &[features.len()], inputs, targets, classes)
}

/// Indices as they are, `0..=largest`; else the names in alphabetical order.
fn classes_in(cells: &[(u64, String)]) -> Vec<String> {
    let indices: Option<Vec<u16>> = cells.iter().map(|(_, cell)| cell.parse().ok()).collect();
    match indices.and_then(|indices| indices.into_iter().max()) {
        Some(largest) => (0..=largest).map(|class| class.to_string()).collect(),
        None => {
            let names: std::collections::BTreeSet<&String> = cells.iter().map(|(_, cell)| cell).collect();
            names.into_iter().cloned().collect()
        }
    }
}

fn label(cell: &str, classes: &[String], column: &str, line: u64) -> Result<u32> {
    if let Some(index) = classes.iter().position(|class| class == cell) {
        return Ok(index as u32);
    }
    match cell.parse::<u32>() {
        Ok(index) if (index as usize) < classes.len() => Ok(index),
        _ => Err(Error::Data(format!(
            "line {line}: `{cell}` in column `{column}` is no class; there are {} classes: {}",
            classes.len(),
            classes.join(", ")
        ))),
    }
}

fn number(record: &StringRecord, header: &StringRecord, column: usize, line: u64) -> Result<f32> {
    finite(record.get(column).unwrap_or_default(), header.get(column).unwrap_or_default(), line)
}

fn finite(cell: &str, column: &str, line: u64) -> Result<f32> {
    match cell.parse::<f32>() {
        Ok(x) if x.is_finite() => Ok(x),
        _ if cell.is_empty() => Err(Error::Data(format!("line {line}: column `{column}` is empty"))),
        _ => Err(Error::Data(format!("line {line}: `{cell}` in column `{column}` is not a finite number"))),
    }
}

fn explain(error: csv::Error) -> Error {
    let line = error.position().map_or(0, csv::Position::line);
    Error::Data(match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("line {line}: {len} fields, but the header has {expected_len}")
        }
        ErrorKind::Utf8 { .. } => format!("line {line}: this is not UTF-8 text"),
        _ => error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classify(classes: &[&str]) -> Columns {
        let classes = classes.iter().map(|class| class.to_string()).collect();
        Columns { target: "kind".into(), features: None, task: Task::Classify { classes } }
    }

    fn error(text: &str, columns: &Columns) -> String {
        parse(text.as_bytes(), columns, "t").unwrap_err().to_string()
    }

    #[test]
    fn names_indices_and_numbers() {
        let text = "a, kind ,b\n1,x,2\n3,y,4.5\n";
        let data = parse(text.as_bytes(), &classify(&[]), "t").unwrap();
        assert_eq!(
            (data.inputs.as_slice(), data.labels().unwrap()),
            (&[1.0, 2.0, 3.0, 4.5][..], &[0, 1][..])
        );
        assert_eq!(data.classes, ["x", "y"]);
        let given = parse(text.as_bytes(), &classify(&["z", "y", "x"]), "t").unwrap();
        assert_eq!(given.labels().unwrap(), [2, 1]);
        let indices = parse(b"kind,a\n0,1\n2,1\n", &classify(&[]), "t").unwrap();
        assert_eq!((indices.labels().unwrap(), indices.classes.len()), (&[0, 2][..], 3));
        let columns = Columns { target: "b".into(), features: Some(vec!["a".into()]), task: Task::Regress };
        let data = parse(text.as_bytes(), &columns, "t").unwrap();
        assert_eq!(data.targets, Targets::Values { width: 1, values: vec![2.0, 4.5] });
        assert_eq!(data.inputs, [1.0, 3.0]);
    }

    #[test]
    fn says_where_it_is_wrong() {
        let any = classify(&[]);
        assert!(error("a,kind\n1,x\n1,x,3\n", &any).contains("line 3: 3 fields, but the header has 2"));
        assert!(error("a,kind\n1,x\nNaN,x\n", &any).contains("line 3: `NaN` in column `a`"));
        assert!(error("a,kind\n1e40,x\n", &any).contains("`1e40`"));
        assert!(error("a,kind\n,x\n", &any).contains("line 2: column `a` is empty"));
        assert!(error("a,b\n1,2\n", &any).contains("no column `kind`; the header names a, b"));
        assert!(
            error("kind,a\n0,1\n5,1\n", &classify(&["x", "y"]))
                .contains("line 3: `5` in column `kind` is no class")
        );
        assert!(error("", &any).contains("no column `kind`"));
        assert!(error("a,kind\n", &any).contains("no samples"));
        assert!(error("kind\n1\n", &any).contains("shape [0]"));
        assert!(parse(b"a,kind\n\xff,1\n", &any, "t").is_err());
        assert!(read(Path::new("/nowhere.csv"), &any).unwrap_err().to_string().contains("/nowhere.csv"));
    }
}
