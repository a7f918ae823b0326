//! Reading of files that may be damaged, hostile or simply huge.

use crate::{Error, Result};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Largest data file that is taken into memory, unpacked.
pub(super) const LIMIT: u64 = 1 << 30;

/// A file's bytes, unpacked if they are gzip (which the content tells, not the name).
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    let mut start = Vec::new();
    file.by_ref().take(2).read_to_end(&mut start).map_err(Error::io(path))?;
    let rest = start.as_slice().chain(file);
    if start == [0x1f, 0x8b] {
        limited(MultiGzDecoder::new(rest), LIMIT)
            .map_err(|e| Error::file(path, format!("the gzip stream is damaged or truncated ({e})")))
    } else {
        limited(rest, LIMIT).map_err(Error::io(path))
    }
}

/// Everything that a reader yields, in memory that grows with what has arrived.
pub(super) fn limited(reader: impl Read, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
            format!("it holds more than {limit} bytes"),
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn plain_packed_truncated_and_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&[7; 10_000]).unwrap();
        let packed = encoder.finish().unwrap();
        std::fs::write(&path, &packed).unwrap();
        assert_eq!(read(&path).unwrap(), [7; 10_000]);
        std::fs::write(&path, &packed[..packed.len() - 9]).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("truncated"));
        std::fs::write(&path, []).unwrap();
        assert!(read(&path).unwrap().is_empty());
        assert!(read(&folder.path().join("none")).is_err());
        assert!(limited(&[0u8; 11][..], 10).is_err());
    }
}
