//! NumPy's NPZ archives (and the NPY files within): data sets and golden vectors.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use super::{Dataset, Targets, Task, file};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// Element types of NumPy that are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Element {
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

/// One array.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Extents, outermost first; empty for a single number.
    pub shape: Vec<usize>,
    /// Type of its elements.
    pub element: Element,
    big_endian: bool,
    bytes: Vec<u8>,
}

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
        let bytes = file::read(path)?;
        let error = |problem: String| Error::file(path, problem);
        let mut arrays = BTreeMap::new();
        if bytes.starts_with(MAGIC) {
            arrays.insert("x".into(), Array::parse(&bytes).map_err(error)?);
            return Ok(Self { path: path.to_owned(), arrays });
        }
        let mut archive = zip::ZipArchive::new(Cursor::new(&bytes))
            .map_err(|e| error(format!("this is no NPZ archive, or it is truncated ({e})")))?;
        let mut room = file::LIMIT;
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
                let labels = (y.shape.len() == 1 || width == [1]).then(|| y.to_i64()).flatten();
                let labels = labels.ok_or_else(|| {
                    error(format!(
                        "`{target}` is {:?} of {:?}, not one class index a sample",
                        y.shape, y.element
                    ))
                })?;
                let mut indices = Vec::with_capacity(labels.len());
                for (sample, label) in labels.into_iter().enumerate() {
                    let index = u16::try_from(label)
                        .map_err(|_| error(format!("`{target}`: the label of sample {sample} is {label}")))?;
                    indices.push(u32::from(index));
                }
                let count = indices.iter().max().map_or(0, |largest| largest + 1);
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

const MAGIC: &[u8] = b"\x93NUMPY";

impl Array {
    /// The elements as floats.
    pub fn to_f32(&self) -> Vec<f32> {
        match self.element {
            Element::F32 => self.decode(f32::from_le_bytes, f32::from_be_bytes),
            Element::F64 => self.decode(|x| f64::from_le_bytes(x) as f32, |x| f64::from_be_bytes(x) as f32),
            _ => self.to_i64().unwrap_or_default().into_iter().map(|x| x as f32).collect(),
        }
    }

    /// The elements as integers; `None` if they are floats, or beyond an i64.
    pub fn to_i64(&self) -> Option<Vec<i64>> {
        Some(match self.element {
            Element::Bool | Element::U8 => self.bytes.iter().map(|&x| x.into()).collect(),
            Element::I8 => self.bytes.iter().map(|&x| (x as i8).into()).collect(),
            Element::U16 => self.decode(|x| u16::from_le_bytes(x).into(), |x| u16::from_be_bytes(x).into()),
            Element::I16 => self.decode(|x| i16::from_le_bytes(x).into(), |x| i16::from_be_bytes(x).into()),
            Element::U32 => self.decode(|x| u32::from_le_bytes(x).into(), |x| u32::from_be_bytes(x).into()),
            Element::I32 => self.decode(|x| i32::from_le_bytes(x).into(), |x| i32::from_be_bytes(x).into()),
            Element::I64 => self.decode(i64::from_le_bytes, i64::from_be_bytes),
            Element::U64 => {
                let wide = self.decode(u64::from_le_bytes, u64::from_be_bytes);
                return wide.into_iter().map(|x| i64::try_from(x).ok()).collect();
            }
            Element::F32 | Element::F64 => return None,
        })
    }

    /// The elements as int8; `None` if they are of another type.
    pub fn to_i8(&self) -> Option<Vec<i8>> {
        (self.element == Element::I8).then(|| self.bytes.iter().map(|&x| x as i8).collect())
    }

    /// The elements as they lie in the file: little-endian unless the file says otherwise.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn decode<const N: usize, T>(&self, little: impl Fn([u8; N]) -> T, big: impl Fn([u8; N]) -> T) -> Vec<T> {
        let (values, _) = self.bytes.as_chunks::<N>();
        values.iter().map(|&x| if self.big_endian { big(x) } else { little(x) }).collect()
    }

    /// Understands an NPY file.
    fn parse(bytes: &[u8]) -> std::result::Result<Self, String> {
        let header = bytes.strip_prefix(MAGIC).ok_or("this is no NPY file")?;
        let truncated = "it ends within its header";
        let ([major, _minor], header) = header.split_first_chunk().ok_or(truncated)?;
        let (length, header) = if *major == 1 {
            let (length, rest) = header.split_first_chunk().ok_or(truncated)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        } else {
            let (length, rest) = header.split_first_chunk().ok_or(truncated)?;
            (u32::from_le_bytes(*length) as usize, rest)
        };
        let (header, body) = header.split_at_checked(length).ok_or(truncated)?;
        let header = std::str::from_utf8(header).map_err(|_| "its header is not text")?;
        let (element, width, big_endian) = element(value(header, "descr")?)?;
        if value(header, "fortran_order")?.starts_with("True") {
            return Err("it is in Fortran order; save it with numpy.ascontiguousarray".into());
        }
        let shape = shape(value(header, "shape")?)?;
        let expected = shape.iter().try_fold(width, |n: usize, &extent| n.checked_mul(extent));
        if expected != Some(body.len()) {
            return Err(format!(
                "its header promises {shape:?} values of {width} B, but {} B follow; the file is damaged or truncated",
                body.len()
            ));
        }
        Ok(Self { shape, element, big_endian, bytes: body.to_vec() })
    }
}

/// What follows a key in the header, which is a Python dictionary of three keys.
fn value<'a>(header: &'a str, key: &str) -> std::result::Result<&'a str, String> {
    let quoted = [format!("'{key}'"), format!("\"{key}\"")];
    let found = quoted.iter().find_map(|key| header.split_once(key.as_str()));
    found
        .and_then(|(_, rest)| rest.trim_start().strip_prefix(':'))
        .map(str::trim_start)
        .ok_or_else(|| format!("its header has no `{key}`"))
}

/// Type, bytes of an element, and whether they are big-endian.
fn element(text: &str) -> std::result::Result<(Element, usize, bool), String> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let descr = quote.and_then(|quote| text[1..].split(quote).next());
    let descr = descr.ok_or("its elements are records; arrays of plain numbers are understood")?;
    let (order, kind) = descr.split_at_checked(1).unwrap_or_default();
    let element = match kind {
        "b1" => (Element::Bool, 1),
        "u1" => (Element::U8, 1),
        "i1" => (Element::I8, 1),
        "u2" => (Element::U16, 2),
        "i2" => (Element::I16, 2),
        "u4" => (Element::U32, 4),
        "i4" => (Element::I32, 4),
        "u8" => (Element::U64, 8),
        "i8" => (Element::I64, 8),
        "f4" => (Element::F32, 4),
        "f8" => (Element::F64, 8),
        _ => {
            return Err(format!(
                "its elements are `{descr}`; integers and floats of 32 and 64 bits are understood"
            ));
        }
    };
    Ok((element.0, element.1, order == ">"))
}

fn shape(text: &str) -> std::result::Result<Vec<usize>, String> {
    let inner = text.strip_prefix('(').and_then(|rest| rest.split(')').next());
    let inner = inner.ok_or("the shape in its header is not a tuple")?;
    let extents = inner.split(',').map(str::trim).filter(|extent| !extent.is_empty());
    extents
        .map(|extent| extent.parse().map_err(|_| format!("the shape in its header is ({inner})")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn npy(descr: &str, shape: &str, body: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(body);
        bytes
    }

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
    fn element_types_and_byte_orders() {
        let parse = |descr: &str, body: &[u8]| Array::parse(&npy(descr, "(1,)", body)).unwrap();
        assert_eq!(parse("|i1", &[255]).to_i8(), Some(vec![-1]));
        assert_eq!(parse("|u1", &[255]).to_f32(), [255.0]);
        assert_eq!(parse(">i2", &[1, 2]).to_i64(), Some(vec![258]));
        assert_eq!(parse("<f8", &1.5f64.to_le_bytes()).to_f32(), [1.5]);
        assert_eq!(parse("<u8", &[255; 8]).to_i64(), None);
        assert!(Array::parse(&npy("<f4", "()", &[0; 4])).unwrap().shape.is_empty());
    }

    #[test]
    fn refuses_what_lies() {
        let good = npy("<f4", "(2,)", &[0; 8]);
        for end in 0..good.len() {
            assert!(Array::parse(&good[..end]).is_err(), "{end} bytes");
        }
        for (bytes, problem) in [
            (npy("<f4", "(3,)", &[0; 8]), "8 B follow"),
            (npy("<f4", "(18446744073709551615, 9)", &[0; 8]), "promises"),
            (npy("<f4", "(99999999999999999999,)", &[0; 8]), "shape"),
            (npy("<U5", "(2,)", &[0; 8]), "`<U5`"),
            (npy("", "(2,)", &[0; 8]), "elements are"),
            (npy("é", "(2,)", &[0; 8]), "elements are"),
            (b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec(), "header"),
        ] {
            let error = Array::parse(&bytes).unwrap_err();
            assert!(error.contains(problem), "{error}");
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
