//! The folder that a run works in, and the binary files there.

use crate::{Error, Result};
use milligrad_protocol::{REFUSED, files};
use std::ffi::CStr;
use std::fs;
use std::path::{Path, PathBuf};

/// A temporary folder, removed when dropped.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("milligrad-").tempdir();
        folder.map(Self).map_err(Error::io(std::env::temp_dir()))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn read(&self, name: &CStr) -> Result<Vec<u8>> {
        let path = self.file(name);
        fs::read(&path).map_err(Error::io(&path))
    }

    pub(crate) fn write(&self, name: &CStr, bytes: &[u8]) -> Result<()> {
        let path = self.file(name);
        fs::write(&path, bytes).map_err(Error::io(&path))
    }

    fn file(&self, name: &CStr) -> PathBuf {
        self.path().join(name.to_str().expect("names of the protocol are ASCII"))
    }
}

/// Little-endian floats.
pub(super) fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&raw| f32::from_le_bytes(raw)).collect()
}

/// Samples of each batch's update; none where it was refused.
pub(super) fn batches(bytes: &[u8]) -> Vec<Option<u32>> {
    let batches = bytes.as_chunks().0.iter().map(|&raw| u32::from_le_bytes(raw));
    batches.map(|samples| (samples != REFUSED).then_some(samples)).collect()
}

/// The parameters: name and values of each, both with their lengths before them.
pub(super) fn parameters(mut bytes: &[u8]) -> Result<Vec<super::Parameter>> {
    let short = || Error::Report {
        file: files::PARAMETERS.to_str().unwrap_or_default(),
        reason: "ends within a parameter".into(),
    };
    let mut all: Vec<super::Parameter> = Vec::new();
    while !bytes.is_empty() {
        let name = take(&mut bytes, 1).ok_or_else(short)?;
        let values = take(&mut bytes, 4).ok_or_else(short)?;
        let (name, values) = (String::from_utf8_lossy(name).into_owned(), floats(values));
        match all.last_mut().filter(|(last, _)| *last == name) {
            Some((_, part)) => part.extend(values),
            None => all.push((name, values)),
        }
    }
    Ok(all)
}

/// Takes a number and so many elements from the front.
fn take<'a>(bytes: &mut &'a [u8], size: usize) -> Option<&'a [u8]> {
    let (count, rest) = bytes.split_first_chunk()?;
    let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
    let (elements, rest) = rest.split_at_checked(count.checked_mul(size)?)?;
    *bytes = rest;
    Some(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_whole_or_not_at_all() {
        let mut bytes = Vec::new();
        for (name, values) in [("w", &[1.5f32, -2.0][..]), ("w", &[0.5]), ("bias", &[])] {
            bytes.extend((name.len() as u32).to_le_bytes());
            bytes.extend(name.as_bytes());
            bytes.extend((values.len() as u32).to_le_bytes());
            values.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
        }
        let expected = vec![("w".into(), vec![1.5, -2.0, 0.5]), ("bias".into(), vec![])];
        assert_eq!(parameters(&bytes).unwrap(), expected);
        for end in (1..bytes.len()).filter(|&end| end != 17 && end != 30) {
            assert!(parameters(&bytes[..end]).is_err(), "{end}");
        }
    }
}
