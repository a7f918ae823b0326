//! Files as they are, with whatever is missing in them.

use super::{Raw, RawTarget, distinct};
use crate::data::csv::{is_missing, problem};
use crate::data::npz::{Array, Npz};
use crate::data::{file, idx};
use crate::{Error, Result};
use csv::{ReaderBuilder, Trim};
use std::collections::BTreeSet;
use std::path::Path;

/// Whole numbers from 0 below this are taken for classes.
const MOST_CLASSES: usize = 20;

/// Reads an NPY, NPZ, IDX or CSV file (plain or gzip), whatever is missing in it. `target` names what is to be learned: an array of
/// an NPZ archive (`y` unless given) or a column of a CSV file (the last unless given).
///
/// # Errors
/// [`Error::File`] if it is none of these, is damaged, or has no such target.
pub fn read(path: &Path, target: Option<&str>) -> Result<Raw> {
    let bytes = file::read(path)?;
    let name = path.display().to_string();
    let none = |raw: Raw| match target {
        Some(target) => Err(Error::file(path, format!("it has no `{target}`: it is one array"))),
        None => Ok(raw),
    };
    if bytes.starts_with(b"PK") {
        return archive(&name, &Npz::from_bytes(path, &bytes, file::LIMIT)?, target);
    }
    if bytes.starts_with(b"\x93NUMPY") {
        return none(array(&name, Npz::from_bytes(path, &bytes, file::LIMIT)?.get("x")?));
    }
    if bytes.starts_with(&[0, 0]) {
        let idx = idx::read(path)?;
        let shape = sample(&idx.shape);
        return none(Raw {
            name,
            dtype: "idx".into(),
            shape,
            inputs: idx.values,
            columns: vec![],
            target: None,
        });
    }
    table(&name, &bytes, target).map_err(|problem| Error::file(path, problem))
}

/// Extents of a sample, of an array of samples.
fn sample(shape: &[usize]) -> Vec<usize> {
    if shape.len() < 2 { vec![1] } else { shape[1..].to_vec() }
}

fn array(name: &str, array: &Array) -> Raw {
    Raw {
        name: name.into(),
        dtype: format!("{:?}", array.element).to_lowercase(),
        shape: sample(&array.shape),
        inputs: array.to_f32(),
        columns: vec![],
        target: None,
    }
}

fn archive(name: &str, npz: &Npz, target: Option<&str>) -> Result<Raw> {
    let names: Vec<&str> = npz.names().collect();
    let target = target.or_else(|| names.contains(&"y").then_some("y"));
    let inputs = names.iter().copied().find(|name| *name == "x").or_else(|| {
        let others: Vec<&str> = names.iter().copied().filter(|name| Some(*name) != target).collect();
        if let [only] = others[..] { Some(only) } else { None }
    });
    let raw = array(name, npz.get(inputs.unwrap_or("x"))?);
    let Some(target) = target else { return Ok(raw) };
    let y = npz.get(target)?;
    let samples = y.shape.first().copied().unwrap_or(0);
    if samples != raw.samples() {
        let problem = format!("`{target}` has {samples} rows, the inputs {}", raw.samples());
        return Err(Error::file(npz.path(), problem));
    }
    let values = y.to_f32();
    let width = values.len() / samples.max(1);
    let classes = if width == 1 && y.to_i64().is_some() { indices(&values) } else { None };
    Ok(Raw { target: Some(RawTarget { name: target.into(), values, width, classes }), ..raw })
}

/// `0..=largest`, if these are whole numbers below [`MOST_CLASSES`], and most of those up to the largest.
fn indices(values: &[f32]) -> Option<Vec<String>> {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let few = finite().all(|value| value.fract() == 0.0 && (0.0..MOST_CLASSES as f32).contains(&value));
    let largest = finite().fold(0.0, f32::max) as usize;
    let dense = few && 2 * distinct(values, MOST_CLASSES) > largest;
    (dense && finite().next().is_some()).then(|| (0..=largest).map(|class| class.to_string()).collect())
}

/// A column of texts as numbers: as they are, or the indices of the texts in alphabetical order.
fn column(cells: &[String]) -> (Vec<f32>, Option<Vec<String>>) {
    let numeric = cells.iter().all(|cell| is_missing(cell) || cell.parse::<f32>().is_ok());
    if numeric {
        let number = |cell: &String| cell.parse().ok().filter(|x: &f32| x.is_finite()).unwrap_or(f32::NAN);
        return (cells.iter().map(number).collect(), None);
    }
    let texts: BTreeSet<&String> = cells.iter().filter(|cell| !is_missing(cell)).collect();
    let texts: Vec<String> = texts.into_iter().cloned().collect();
    let index = |cell: &String| texts.binary_search(cell).map_or(f32::NAN, |index| index as f32);
    (cells.iter().map(index).collect(), Some(texts))
}

fn table(name: &str, bytes: &[u8], target: Option<&str>) -> std::result::Result<Raw, String> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(bytes);
    let unreadable = |e: csv::Error| format!("this is no NPY, NPZ, IDX or CSV file ({e})");
    let header: Vec<String> = reader.headers().map_err(unreadable)?.iter().map(str::to_owned).collect();
    if header.iter().all(String::is_empty) {
        return Err("it is empty; the first line of a CSV file names its columns".into());
    }
    let target = match target {
        // A single column is a series, from which nothing else is to be told.
        None => (header.len() > 1).then(|| header.len() - 1),
        Some(target) => Some(header.iter().position(|column| column == target).ok_or_else(|| {
            format!("there is no column `{target}`; the header names {}", header.join(", "))
        })?),
    };
    let others: Vec<usize> = (0..header.len()).filter(|&index| Some(index) != target).collect();
    if others.is_empty() {
        return Err("it has no column beside the target".into());
    }
    let mut cells = vec![Vec::new(); header.len()];
    for record in reader.records() {
        let record = record.map_err(|e| problem(&e))?;
        cells.iter_mut().zip(record.iter()).for_each(|(cells, cell)| cells.push(cell.to_owned()));
    }
    let target = target.map(|index| {
        let (values, texts) = column(&cells[index]);
        let classes = texts.or_else(|| indices(&values));
        RawTarget { name: header[index].clone(), values, width: 1, classes }
    });
    let mut columns = Vec::new();
    let mut inputs = vec![0.0; cells[0].len() * others.len()];
    for (place, &index) in others.iter().enumerate() {
        let (values, texts) = column(&cells[index]);
        let places = inputs.iter_mut().skip(place).step_by(others.len());
        places.zip(values).for_each(|(input, value)| *input = value);
        columns.push((header[index].clone(), texts.map(|texts| texts.len())));
    }
    Ok(Raw { name: name.into(), dtype: "text".into(), shape: vec![others.len()], inputs, columns, target })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8], target: Option<&str>) -> std::result::Result<Raw, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        std::fs::write(&path, bytes).unwrap();
        read(&path, target).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_missing_is_nan_and_texts_are_indices() {
        let raw = of(b"size,kind,y\n1,b,0\n,a,1\nNaN,?,1\n4,b,0\n", None).unwrap();
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let nan = f32::NAN;
        assert_eq!(bits(&raw.inputs), bits(&[1.0, 1.0, nan, 0.0, nan, nan, 4.0, 1.0]));
        assert_eq!(raw.columns, [("size".to_owned(), None), ("kind".to_owned(), Some(2))]);
        let target = raw.target.unwrap();
        assert_eq!((target.name.as_str(), target.classes.unwrap().len()), ("y", 2));
        let raw = of(b"size,kind,y\n1,b,0.5\n2,a,1\n", Some("kind")).unwrap();
        assert_eq!(raw.target.unwrap().classes.unwrap(), ["a", "b"]);
        assert_eq!(of(b"x,y\n1,0.5\n2,1\n", None).unwrap().target.unwrap().classes, None);
        assert_eq!(of(b"x,y\n1,10\n2,20\n3,31\n", None).unwrap().target.unwrap().classes, None);
        assert_eq!(of(b"x,y\n1,0\n2,1\n3,19\n", None).unwrap().target.unwrap().classes, None);
        let series = of(b"x\n1\n2\n", None).unwrap();
        assert_eq!((series.inputs, series.target), (vec![1.0, 2.0], None));
    }

    #[test]
    fn what_is_no_data_is_told() {
        for (bytes, target, problem) in [
            (&b""[..], None, "it is empty"),
            (b"a,b\n1\n", None, "1 field"),
            (b"a\n1\n", Some("a"), "no column beside the target"),
            (b"a,b\n1,2\n", Some("c"), "no column `c`; the header names a, b"),
            (b"\x00\x00\x08\x01\x00\x00\x00\x05", None, "its header promises"),
            (b"PK", None, "no NPZ archive"),
            (b"\x93NUMPY\x01", None, "ends within its header"),
        ] {
            let error = of(bytes, target).unwrap_err();
            assert!(error.contains(problem) && error.contains("data"), "{error}");
        }
    }
}
