//! Raw inputs without targets, as a model takes them.

use super::csv::problem;
use super::npz::Npz;
use super::{file, idx};
use crate::graph::Graph;
use crate::metrics::raw_len;
use crate::{Error, Result};
use csv::{ReaderBuilder, Trim};
use std::path::Path;

/// Where in a file the inputs are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Place {
    /// The array of an NPZ archive; `x`, or the only one, unless given.
    pub array: Option<String>,
    /// Columns of a CSV file, in the model's order; those that the model was fitted to, or all but the next, unless given.
    pub columns: Option<Vec<String>>,
    /// Columns of a CSV file that are no inputs, such as the target.
    pub left_out: Vec<String>,
}

/// The raw inputs for a model in an NPY, NPZ, IDX or CSV file (with a header; plain or gzip), sample after sample. Rows of a
/// CSV file are samples, or points in time if a model takes several of them: then each sample has the rows after those of the
/// sample before.
///
/// # Errors
/// [`Error::File`] if it is none of these or damaged, or its inputs are not as the model's are; says what it takes.
pub fn read(path: &Path, graph: &Graph, place: &Place) -> Result<Vec<f32>> {
    let bytes = file::read(path)?;
    let error = |problem: String| Error::file(path, problem);
    let raw = if bytes.starts_with(b"\x93NUMPY") || bytes.starts_with(b"PK") {
        let npz = Npz::from_bytes(path, &bytes, file::LIMIT)?;
        let names: Vec<&str> = npz.names().collect();
        let usual = if let [only] = names[..] { only } else { "x" };
        let name = place.array.as_deref().unwrap_or(usual);
        let array = npz.get(name)?;
        samples(graph, &array.shape).map_err(|problem| error(format!("`{name}` {problem}")))?;
        array.to_f32()
    } else if bytes.starts_with(&[0, 0]) {
        let idx = idx::read(path)?;
        samples(graph, &idx.shape).map_err(|problem| error(format!("it {problem}")))?;
        idx.values
    } else {
        table(&bytes, graph, place).map_err(error)?
    };
    if raw.is_empty() {
        return Err(error("it has no samples".into()));
    }
    Ok(raw)
}

/// Is this the shape of samples, or of one sample?
fn samples(graph: &Graph, shape: &[usize]) -> std::result::Result<(), String> {
    let width = raw_len(graph);
    let product = |extents: &[usize]| extents.iter().try_fold(1usize, |n, &extent| n.checked_mul(extent));
    if shape.get(1..).and_then(product) == Some(width) || product(shape) == Some(width) {
        return Ok(());
    }
    let one = &graph.tensor(graph.input()).shape;
    let what = match (&graph.features, graph.inputs.len()) {
        (Some(features), _) => {
            format!("columns {}", names(features.columns.iter().map(|column| &column.name)))
        }
        (None, 1) => format!("shape {one:?}"),
        (None, inputs) => format!("{inputs} inputs"),
    };
    Err(format!(
        "is of shape {shape:?}, but a sample of `{}` has {width} values ({what}): give it as [samples, {width}], or with the \
         axes of a sample after the first",
        graph.name
    ))
}

fn names<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// Rows of a CSV file.
fn table(bytes: &[u8], graph: &Graph, place: &Place) -> std::result::Result<Vec<f32>, String> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(bytes);
    let unreadable = |e: csv::Error| format!("this is no NPY, NPZ, IDX or CSV file ({e})");
    let header: Vec<String> = reader.headers().map_err(unreadable)?.iter().map(str::to_owned).collect();
    if header.iter().all(String::is_empty) {
        return Err("it is empty; the first line of a CSV file names its columns".into());
    }
    let (width, fitted) = (raw_len(graph), graph.features.as_ref().map(|features| &features.columns));
    let wanted: Vec<&String> = match (&place.columns, fitted) {
        (Some(chosen), _) => chosen.iter().collect(),
        (None, Some(columns)) => columns.iter().map(|column| &column.name).collect(),
        (None, None) => header.iter().filter(|name| !place.left_out.contains(name)).collect(),
    };
    let row = fitted.map_or_else(
        || graph.tensor(graph.input()).shape.last().copied().unwrap_or(width),
        |columns| columns.len(),
    );
    if wanted.len() != width && wanted.len() != row {
        let columns = if row == width { width.to_string() } else { format!("{row}, or {width}") };
        return Err(format!(
            "{} columns ({}), but `{}` takes {columns}; name them with --columns, in the order of training",
            wanted.len(),
            names(wanted.into_iter()),
            graph.name
        ));
    }
    let find = |name: &&String| {
        header
            .iter()
            .position(|column| column == *name)
            .ok_or_else(|| format!("there is no column `{name}`; the header names {}", names(header.iter())))
    };
    let places: Vec<usize> = wanted.iter().map(find).collect::<std::result::Result<_, String>>()?;
    let mut values = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| problem(&e))?;
        let line = record.position().map_or(0, csv::Position::line);
        for (index, &place) in places.iter().enumerate() {
            let cell = record.get(place).unwrap_or_default();
            let categories = fitted.and_then(|columns| columns.get(index)).map_or(&[][..], |c| &c.categories);
            let value = match categories.iter().position(|category| category == cell) {
                Some(category) => Some(category as f32),
                None if categories.is_empty() => cell.parse().ok().filter(|x: &f32| x.is_finite()),
                None => None,
            };
            values.push(value.ok_or_else(|| {
                let (name, start) = (&header[place], cell.chars().take(40).collect::<String>());
                match categories {
                    [] => format!("line {line}: `{start}` in column `{name}` is no finite number"),
                    _ => format!(
                        "line {line}: `{start}` in column `{name}` is none of the categories of training: {}",
                        names(categories.iter())
                    ),
                }
            })?);
        }
    }
    if values.len() % width != 0 {
        let (rows, needed) = (values.len() / row, width / row);
        return Err(format!("its {rows} rows are no whole samples of {needed} rows each"));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::Builder;
    use crate::features::{Feature, Features, RawColumn, Term};

    fn plain() -> Graph {
        Builder::new("m", &[2, 2]).flatten().dense(1).build(0).unwrap()
    }

    /// Of columns `size` and `kind` (big or small).
    fn fitted() -> Graph {
        let mut draft = Builder::new("f", &[2]).dense(1).build(0).unwrap().into_draft();
        let column = |name: &str, categories: &[&str]| RawColumn {
            name: name.into(),
            categories: categories.iter().map(|c| c.to_string()).collect(),
        };
        draft.features = Some(Features {
            columns: vec![column("size", &[]), column("kind", &["big", "small"])],
            features: vec![Feature::new("size", Term::Column(0)), Feature::new("small", Term::OneHot(1, 1))],
        });
        Graph::verify(draft).unwrap()
    }

    fn of(graph: &Graph, bytes: &[u8], place: &Place) -> std::result::Result<Vec<f32>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        std::fs::write(&path, bytes).unwrap();
        let read = read(&path, graph, place).map_err(|error| error.to_string());
        read.inspect_err(|error| assert!(error.contains("data"), "{error}"))
    }

    #[test]
    fn rows_are_samples_or_points_in_time() {
        let usual = Place::default();
        assert_eq!(of(&plain(), b"a,b\n1,2\n3,4\n", &usual).unwrap(), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(of(&plain(), b"a,b,c,d\n1,2,3,4\n", &usual).unwrap(), [1.0, 2.0, 3.0, 4.0]);
        let chosen = Place { columns: Some(vec!["d".into(), "a".into()]), ..Place::default() };
        assert_eq!(of(&plain(), b"a,y,d\n1,0,3\n5,0,7\n", &chosen).unwrap(), [3.0, 1.0, 7.0, 5.0]);
        let rest = Place { left_out: vec!["y".into()], ..Place::default() };
        assert_eq!(of(&plain(), b"a,y,d\n1,0,3\n5,0,7\n", &rest).unwrap(), [1.0, 3.0, 5.0, 7.0]);
        assert_eq!(
            of(&fitted(), b"kind,y,size\nsmall,0,3\nbig,0,4\n", &usual).unwrap(),
            [3.0, 1.0, 4.0, 0.0]
        );
    }

    #[test]
    fn what_does_not_fit_is_explained() {
        let chosen = |names: &[&str]| Place {
            columns: Some(names.iter().map(|name| name.to_string()).collect()),
            ..Place::default()
        };
        let usual = Place::default();
        for (graph, bytes, place, problem) in [
            (plain(), &b""[..], &usual, "it is empty"),
            (plain(), b"a,b\n", &usual, "no samples"),
            (plain(), b"a,b\n1,2\n3,4\n5,6\n", &usual, "its 3 rows are no whole samples of 2 rows each"),
            (
                plain(),
                b"a,b,c\n1,2,3\n",
                &usual,
                "3 columns (a, b, c), but `m` takes 2, or 4; name them with --columns",
            ),
            (plain(), b"a,b\n1,2\n3\n", &usual, "line 3: 1 fields"),
            (plain(), b"a,b\n1,nan\n", &usual, "line 2: `nan` in column `b` is no finite number"),
            (plain(), b"a,b\n1,2\n", &chosen(&["a", "z"]), "there is no column `z`; the header names a, b"),
            (plain(), b"\x00\x00\x08\x01\x00\x00\x00\x05", &usual, "its header promises"),
            (
                plain(),
                b"\x00\x00\x08\x01\x00\x00\x00\x02\x01\x01",
                &usual,
                "it is of shape [2], but a sample of `m` has 4",
            ),
            (plain(), b"PK\x03\x04", &usual, "no NPZ archive"),
            (plain(), b"a,b\n\xff\xfe,2\n", &usual, "UTF-8"),
            (
                fitted(),
                b"size,kind\n3,huge\n",
                &usual,
                "`huge` in column `kind` is none of the categories of training: big, small",
            ),
            (fitted(), b"kind\nbig\n", &usual, "no column `size`"),
        ] {
            let error = of(&graph, bytes, place).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }
}
