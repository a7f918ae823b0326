//! NumPy's NPZ archives (and the NPY files within): data sets and golden vectors.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

pub use super::npy::{Array, Element};

use super::npy::MAGIC;
use super::{Dataset, Targets, Task, file};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// An archive of named arrays.
#[derive(Debug, Clone, PartialEq)]
pub struct Npz {
    path: PathBuf,
    arrays: BTreeMap<String, Array>,
}

impl Npz {
    /// Reads an archive, or a lone NPY file as an archive of `x`.
    ///
    /// # Errors
    /// If the file can't be read, is damaged, or holds something else than arrays of numbers.
    pub fn read(path: &Path) -> Result<Self> {
        Self::from_bytes(path, &file::read(path)?, file::LIMIT)
    }

    /// As [`read`](Self::read), of the bytes of a file, which may unpack to `limit` bytes.
    ///
    /// # Errors
    /// Those of [`read`](Self::read); they name `path`.
    pub fn from_bytes(path: &Path, bytes: &[u8], limit: u64) -> Result<Self> {
        let error = |problem: String| Error::file(path, problem);
        let mut arrays = BTreeMap::new();
        if bytes.starts_with(MAGIC) {
            arrays.insert("x".into(), Array::parse(bytes).map_err(error)?);
            return Ok(Self { path: path.to_owned(), arrays });
        }
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes))
            .map_err(|e| error(format!("this is no NPZ archive, or it is truncated ({e})")))?;
        let mut room = limit;
        for index in 0..archive.len() {
            let member = archive.by_index(index).map_err(|e| error(format!("member {index}: {e}")))?;
            let name = member.name().map_err(|e| error(format!("member {index}: {e}")))?.into_owned();
            let unpacked = file::limited(member, room).map_err(|e| error(format!("`{name}`: {e}")))?;
            room -= unpacked.len() as u64;
            let array = Array::parse(&unpacked).map_err(|problem| error(format!("`{name}`: {problem}")))?;
            arrays.insert(name.strip_suffix(".npy").unwrap_or(&name).to_owned(), array);
        }
        Ok(Self { path: path.to_owned(), arrays })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names of the arrays, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.arrays.keys().map(String::as_str)
    }

    /// An array.
    ///
    /// # Errors
    /// If there is none of this name; lists those that there are.
    pub fn get(&self, name: &str) -> Result<&Array> {
        self.arrays.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.names().collect();
            Error::file(&self.path, format!("there is no array `{name}`, only {}", known.join(", ")))
        })
    }

    /// Samples from two arrays: features `[samples, ...]`, and targets `[samples]` (classes or numbers) or
    /// `[samples, numbers]`.
    ///
    /// # Errors
    /// If an array is missing or they don't belong together.
    pub fn dataset(&self, features: &str, target: &str, task: &Task) -> Result<Dataset> {
        let error = |problem: String| Error::file(&self.path, problem);
        let (x, y) = (self.get(features)?, self.get(target)?);
        let ([samples, shape @ ..], [targets, width @ ..]) = (&x.shape[..], &y.shape[..]) else {
            return Err(error(format!("`{features}` and `{target}` have a first axis, the samples")));
        };
        if samples != targets {
            return Err(error(format!("`{features}` has {samples} samples, `{target}` {targets}")));
        }
        let shape = if shape.is_empty() { &[1] } else { shape };
        let (targets, classes) = match task {
            Task::Regress => (
                Targets::Values { width: width.iter().product::<usize>().max(1), values: y.to_f32() },
                vec![],
            ),
            Task::Classify { classes } => {
                let labels = class_indices(y, width).ok_or_else(|| {
                    error(format!(
                        "`{target}` is {:?} of {:?}, not one class index a sample, nor one-hot rows",
                        y.shape, y.element
                    ))
                })?;
                let mut indices = Vec::with_capacity(labels.len());
                for (sample, label) in labels.into_iter().enumerate() {
                    let index = u16::try_from(label)
                        .map_err(|_| error(format!("`{target}`: the label of sample {sample} is {label}")))?;
                    indices.push(u32::from(index));
                }
                let largest = indices.iter().max().map_or(0, |largest| largest + 1);
                let count = largest.max(one_hot_width(width).unwrap_or(0) as u32);
                let classes = if classes.is_empty() {
                    (0..count).map(|i| i.to_string()).collect()
                } else {
                    classes.clone()
                };
                (Targets::Classes(indices), classes)
            }
        };
        Dataset::new(self.path.display().to_string(), shape, x.to_f32(), targets, classes)
    }
}

/// Number of columns of one-hot rows; `width` is the extents of a target.
fn one_hot_width(width: &[usize]) -> Option<usize> {
    match width {
        &[columns] if (2..=1 << 16).contains(&columns) => Some(columns),
        _ => None,
    }
}

/// The class of each sample: whole numbers (of any type) as they are, one-hot rows as the place of their 1; `None` if these
/// targets are neither.
fn class_indices(y: &Array, width: &[usize]) -> Option<Vec<i64>> {
    let whole = |&x: &f32| (x.fract() == 0.0).then_some(x as i64);
    if let Some(columns) = one_hot_width(width) {
        let one = |row: &[f32]| {
            let place = row.iter().position(|&x| x == 1.0)?;
            (row.iter().filter(|&&x| x != 0.0).count() == 1).then_some(place as i64)
        };
        return y.to_f32().chunks_exact(columns).map(one).collect();
    }
    let single = width.is_empty() || width == [1];
    single.then(|| y.to_i64().or_else(|| y.to_f32().iter().map(whole).collect())).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::npy::tests::npy;
    use std::io::Write;

    fn archive(members: &[(&str, Vec<u8>)]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.npz");
        let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
        for (name, bytes) in members {
            let options =
                zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
            zip.start_file(format!("{name}.npy"), options).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap();
        (folder, path)
    }

    #[test]
    fn reads_a_data_set() {
        let x: Vec<u8> = [1.0f32, 2.0, 3.0, 4.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let y = [0u8, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0].to_vec();
        let (_folder, path) = archive(&[("x", npy("<f4", "(2, 2)", &x)), ("y", npy("<i8", "(2,)", &y))]);
        let npz = Npz::read(&path).unwrap();
        let classify =
            |classes: &[&str]| Task::Classify { classes: classes.iter().map(|c| c.to_string()).collect() };
        let data = npz.dataset("x", "y", &classify(&[])).unwrap();
        assert_eq!(
            (data.labels().unwrap(), data.classes.len(), data.input(1)),
            (&[0, 2][..], 3, &[3.0, 4.0][..])
        );
        let numbers = npz.dataset("x", "y", &Task::Regress).unwrap();
        assert_eq!(numbers.targets, Targets::Values { width: 1, values: vec![0.0, 2.0] });
        let error = npz.dataset("x", "y", &classify(&["a", "b"])).unwrap_err().to_string();
        assert!(error.contains("label of sample 1 is 2"), "{error}");
        assert!(npz.dataset("x", "z", &Task::Regress).unwrap_err().to_string().contains("only x, y"));
        assert!(npz.dataset("y", "x", &classify(&[])).unwrap_err().to_string().contains("class index"));
    }

    #[test]
    fn classes_are_whole_numbers_or_one_hot_rows() {
        let floats = |values: &[f32]| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
        let labels = |shape: &str, y: &[f32]| {
            let x = npy("<f4", "(2,)", &floats(&[1.0, 2.0]));
            let (_folder, path) = archive(&[("x", x), ("y", npy("<f4", shape, &floats(y)))]);
            let data = Npz::read(&path).unwrap().dataset("x", "y", &Task::Classify { classes: vec![] })?;
            Ok::<_, Error>((data.labels().unwrap().to_vec(), data.classes.len()))
        };
        assert_eq!(labels("(2,)", &[2.0, 0.0]).unwrap(), (vec![2, 0], 3));
        assert_eq!(labels("(2, 3)", &[0.0, 1.0, 0.0, 1.0, 0.0, 0.0]).unwrap(), (vec![1, 0], 3));
        for (shape, y) in [
            ("(2,)", &[0.5, 0.0][..]),
            ("(2,)", &[f32::NAN, 0.0]),
            ("(2, 2)", &[1.0, 1.0, 0.0, 1.0]),
            ("(2, 2)", &[0.0, 0.0, 0.0, 1.0]),
            ("(2, 2)", &[0.0, 2.0, 0.0, 1.0]),
        ] {
            let error = labels(shape, y).unwrap_err().to_string();
            assert!(error.contains("nor one-hot rows"), "{error}");
        }
    }

    #[test]
    fn no_damage_makes_it_panic() {
        let (_folder, path) =
            archive(&[("x", npy("<f4", "(2, 2)", &[1; 16])), ("y", npy("|u1", "(2,)", &[0, 1]))]);
        let good = std::fs::read(&path).unwrap();
        let mut random = crate::train::Pcg32::new(1);
        for round in 0..2000 {
            let mut bad = good.clone();
            for _ in 0..=round % 3 {
                let at = random.below(bad.len() as u32) as usize;
                bad[at] = random.bits() as u8;
            }
            bad.truncate(if round % 4 == 0 { random.below(bad.len() as u32) as usize } else { bad.len() });
            std::fs::write(&path, &bad).unwrap();
            if let Ok(npz) = Npz::read(&path) {
                let _ = npz.dataset("x", "y", &Task::Classify { classes: vec![] });
            }
        }
    }
}
