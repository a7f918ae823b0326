//! CSV with a header: a column for each feature and one for the target.

use super::{Dataset, Targets, Task, file};
use crate::features::RawColumn;
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
    /// Feature columns that hold categories: their indices in alphabetical order become the values.
    pub categorical: Vec<String>,
    /// Columns that are left out.
    pub ignore: Vec<String>,
    /// The column that tells groups apart, such as persons or recordings; it is no feature.
    pub group: Option<String>,
    /// The column that says how much a sample counts in the loss; it is no feature.
    pub weight: Option<String>,
    /// What stands for empty fields of numbers; `None` refuses them.
    pub missing: Option<f32>,
}

impl Columns {
    /// All columns but the target are numbers.
    pub fn new(target: impl Into<String>, task: Task) -> Self {
        Self {
            target: target.into(),
            features: None,
            task,
            categorical: Vec::new(),
            ignore: Vec::new(),
            group: None,
            weight: None,
            missing: None,
        }
    }
}

/// Reads a file, plain or gzip.
///
/// # Errors
/// [`Error::File`] with the line for ragged rows, fields that are not finite numbers, unknown columns, unknown classes.
pub fn read(path: &Path, columns: &Columns) -> Result<Dataset> {
    let bytes = file::read(path)?;
    let name = path.display().to_string();
    parse(&bytes, columns, &name).map_err(|error| match error {
        // What is wrong with the samples names the file already.
        Error::Data(problem) => {
            let prefix = format!("{name}: ");
            Error::file(path, problem.strip_prefix(&prefix).unwrap_or(&problem))
        }
        other => other,
    })
}

/// Understands the bytes of a file; `name` is for messages.
///
/// # Errors
/// As for [`read`], as [`Error::Data`].
pub fn parse(bytes: &[u8], columns: &Columns, name: &str) -> Result<Dataset> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(bytes);
    let header = reader.headers().map_err(explain)?.clone();
    if header.iter().all(str::is_empty) {
        return Err(Error::Data("it is empty; its first line names the columns".into()));
    }
    let find = |column: &str| {
        header.iter().position(|name| name == column).ok_or_else(|| {
            let known: Vec<&str> = header.iter().collect();
            Error::Data(format!("there is no column `{column}`; the header names {}", known.join(", ")))
        })
    };
    if header.len() > MOST_COLUMNS {
        return Err(Error::Data(format!("it has {} columns, more than {MOST_COLUMNS}", header.len())));
    }
    for (index, column) in header.iter().enumerate() {
        if header.iter().take(index).any(|name| name == column) {
            return Err(Error::Data(format!("the header names `{column}` twice")));
        }
    }
    let target = find(&columns.target)?;
    let group = columns.group.as_deref().map(find).transpose()?;
    let weight = columns.weight.as_deref().map(find).transpose()?;
    columns.ignore.iter().try_for_each(|name| find(name).map(|_| ()))?;
    let features: Vec<usize> = match &columns.features {
        Some(names) => names.iter().map(|name| find(name)).collect::<Result<_>>()?,
        None => (0..header.len())
            .filter(|&column| column != target && Some(column) != group && Some(column) != weight)
            .filter(|&column| columns.ignore.iter().all(|name| header.get(column) != Some(name)))
            .collect(),
    };
    if features.is_empty() {
        return Err(Error::Data("no column is left to learn from".into()));
    }
    if let Some(name) =
        columns.categorical.iter().find(|name| find(name).map_or(true, |column| !features.contains(&column)))
    {
        find(name)?;
        return Err(Error::Data(format!("the categorical column `{name}` is no feature")));
    }
    let is_category: Vec<bool> = features
        .iter()
        .map(|&f| columns.categorical.iter().any(|name| header.get(f) == Some(name)))
        .collect();
    // Categories in order of appearance; their alphabetical order comes last.
    let mut categories = vec![Interner::default(); features.len()];
    let (mut inputs, mut cells) = (Vec::new(), Vec::new());
    let (mut groups, mut group_names) = (Vec::new(), Interner::default());
    let mut weights = Vec::new();
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(explain)? {
        let line = record.position().map_or(0, csv::Position::line);
        for (place, &column) in features.iter().enumerate() {
            let cell = record.get(column).unwrap_or_default();
            inputs.push(match (is_category[place], columns.missing) {
                (true, _) if cell.is_empty() => {
                    let name = header.get(column).unwrap_or_default();
                    return Err(Error::Data(format!("line {line}: column `{name}` is empty")));
                }
                (true, _) => categories[place].index(cell) as f32,
                (false, Some(missing)) if is_missing(cell) => missing,
                (false, _) => number(&record, &header, column, line)?,
            });
        }
        if let Some(group) = group {
            groups.push(group_names.index(record.get(group).unwrap_or_default()));
        }
        if let Some(weight) = weight {
            let x = number(&record, &header, weight, line)?;
            if x < 0.0 {
                let name = header.get(weight).unwrap_or_default();
                return Err(Error::Data(format!(
                    "line {line}: a weight of {x} in column `{name}`; it is 0 or more"
                )));
            }
            weights.push(x);
        }
        cells.push((line, record.get(target).unwrap_or_default().to_owned()));
    }
    let width = features.len();
    let mut described = Vec::with_capacity(width);
    for (place, (&column, interner)) in features.iter().zip(&categories).enumerate() {
        let (names, rank) = interner.sorted();
        if names.len() > MOST_CATEGORIES {
            let name = header.get(column).unwrap_or_default();
            return Err(Error::Data(format!(
                "column `{name}` has {} categories, more than {MOST_CATEGORIES}; is it a number or a name?",
                names.len()
            )));
        }
        if is_category[place] {
            inputs.iter_mut().skip(place).step_by(width).for_each(|x: &mut f32| *x = rank[*x as usize]);
        }
        let name = header.get(column).unwrap_or_default().to_owned();
        described.push(RawColumn { name, categories: names });
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
    let data = Dataset::new(name, &[width], inputs, targets, classes)?;
    let data = Dataset { columns: described, ..data };
    let data = if weight.is_some() { data.weighted(weights)? } else { data };
    if group.is_some() { data.grouped(groups) } else { Ok(data) }
}

/// What stands for a missing field in the files of this world.
const MISSING: [&str; 8] = ["", "na", "n/a", "nan", "null", "none", "?", "-"];

/// Does this field say that there is none?
pub(super) fn is_missing(cell: &str) -> bool {
    MISSING.iter().any(|word| cell.eq_ignore_ascii_case(word))
}

/// Most columns of a file, and categories of a column.
const MOST_COLUMNS: usize = 4096;
const MOST_CATEGORIES: usize = 256;

/// Numbers for texts, in order of appearance.
#[derive(Debug, Clone, Default)]
struct Interner(std::collections::HashMap<String, u32>);

impl Interner {
    fn index(&mut self, text: &str) -> u32 {
        if let Some(&index) = self.0.get(text) {
            return index;
        }
        let index = self.0.len() as u32;
        self.0.insert(text.to_owned(), index);
        index
    }

    /// The texts in alphabetical order, and the place there of each number.
    fn sorted(&self) -> (Vec<String>, Vec<f32>) {
        let mut texts: Vec<(&String, u32)> = self.0.iter().map(|(text, &index)| (text, index)).collect();
        texts.sort_unstable();
        let mut rank = vec![0.0; texts.len()];
        texts.iter().enumerate().for_each(|(place, &(_, index))| rank[index as usize] = place as f32);
        (texts.into_iter().map(|(text, _)| text.clone()).collect(), rank)
    }
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

/// The start of a field, for messages.
fn shown(cell: &str) -> String {
    const MOST: usize = 40;
    let start: String = cell.chars().take(MOST).collect();
    if start.len() < cell.len() { start + "..." } else { start }
}

fn label(cell: &str, classes: &[String], column: &str, line: u64) -> Result<u32> {
    if let Some(index) = classes.iter().position(|class| class == cell) {
        return Ok(index as u32);
    }
    match cell.parse::<u32>() {
        Ok(index) if (index as usize) < classes.len() => Ok(index),
        _ => Err(Error::Data(format!(
            "line {line}: `{}` in column `{column}` is no class; there are {} classes: {}",
            shown(cell),
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
        _ => {
            let cell = shown(cell);
            Err(Error::Data(format!("line {line}: `{cell}` in column `{column}` is not a finite number")))
        }
    }
}

fn explain(error: csv::Error) -> Error {
    Error::Data(problem(&error))
}

/// What is wrong with a row.
pub(super) fn problem(error: &csv::Error) -> String {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("line {line}: {len} fields, but the header has {expected_len}")
        }
        ErrorKind::Utf8 { .. } => format!("line {line}: this is not UTF-8 text"),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classify(classes: &[&str]) -> Columns {
        let classes = classes.iter().map(|class| class.to_string()).collect();
        Columns::new("kind", Task::Classify { classes })
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
        let columns = Columns { features: Some(vec!["a".into()]), ..Columns::new("b", Task::Regress) };
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
        assert!(error("", &any).contains("it is empty"));
        let long = error(&format!("a,kind\n{},x\n", "9".repeat(100_000)), &any);
        assert!(long.len() < 200 && long.contains("99..."), "{long}");
        assert!(error("a,kind\n", &any).contains("no samples"));
        assert!(error("kind\n1\n", &any).contains("no column is left"));
        assert!(parse(b"a,kind\n\xff,1\n", &any, "t").is_err());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, "a,kind\n").unwrap();
        let empty = read(&path, &any).unwrap_err().to_string();
        assert_eq!(empty.matches("t.csv").count(), 1, "{empty}");
        assert!(read(Path::new("/nowhere.csv"), &any).unwrap_err().to_string().contains("/nowhere.csv"));
    }

    #[test]
    fn categories_groups_gaps() {
        let text = "id,city,area,who,price\n1,b,10,x,1\n2,a,,y,2\n3,b,30,x,3\n";
        let columns = Columns {
            categorical: vec!["city".into()],
            ignore: vec!["id".into()],
            group: Some("who".into()),
            missing: Some(-1.0),
            ..Columns::new("price", Task::Regress)
        };
        let data = parse(text.as_bytes(), &columns, "t").unwrap();
        assert_eq!(data.inputs, [1.0, 10.0, 0.0, -1.0, 1.0, 30.0]);
        let word = text.replace("a,,y", "a,N/A,y");
        assert_eq!(parse(word.as_bytes(), &columns, "t").unwrap().inputs, data.inputs);
        let never = Columns { missing: None, ..columns.clone() };
        assert!(error(&word, &never).contains("line 3: `N/A` in column `area`"));
        assert_eq!(
            (data.groups.as_slice(), data.columns[0].categories.as_slice()),
            (&[0, 1, 0][..], &["a".to_string(), "b".into()][..])
        );
        let weighted = Columns { weight: Some("id".into()), ignore: vec![], ..columns.clone() };
        let data = parse(text.as_bytes(), &weighted, "t").unwrap();
        assert_eq!((data.weights, data.shape), (vec![1.0, 2.0, 3.0], vec![2]));
        assert!(
            error(&text.replace("2,a", "-2,a"), &weighted).contains("line 3: a weight of -2 in column `id`")
        );
        let refuse = Columns { missing: None, ..columns.clone() };
        assert!(error(text, &refuse).contains("line 3: column `area` is empty"));
        let unknown = Columns { ignore: vec!["nr".into()], ..columns.clone() };
        assert!(error(text, &unknown).contains("no column `nr`"));
        let target = Columns { categorical: vec!["price".into()], ..columns };
        assert!(error(text, &target).contains("`price` is no feature"));
        assert!(error("a,a,kind\n1,2,x\n", &classify(&[])).contains("names `a` twice"));
    }
}
