//! A reader of flatbuffers that trusts nothing: every offset is added and every length multiplied with a check, every
//! byte is fetched with a check, and no alignment is assumed. It follows offsets only where the schema has a field, so
//! that no file makes it loop or recurse; and it copies nothing, so that no file makes it allocate.
//!
//! Format: <https://flatbuffers.dev/internals/>

use super::ImportError;

type Result<T> = std::result::Result<T, ImportError>;

/// Bytes of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    fn slice(self, at: usize, len: usize) -> Result<&'a [u8]> {
        let beyond = ImportError::Truncated { at, len, file: self.0.len() };
        at.checked_add(len).and_then(|end| self.0.get(at..end)).ok_or(beyond)
    }

    fn array<const N: usize>(self, at: usize) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.slice(at, N)?);
        Ok(array)
    }

    fn u16(self, at: usize) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array(at)?))
    }

    fn u32(self, at: usize) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array(at)?))
    }

    /// The place that an offset, stored at `at`, leads to.
    fn follow(self, at: usize) -> Result<usize> {
        let offset = self.u32(at)? as usize;
        let target = at.checked_add(offset).filter(|&target| offset > 0 && target < self.0.len());
        target.ok_or(ImportError::Truncated { at, len: offset, file: self.0.len() })
    }

    /// The table that the file begins with.
    pub(super) fn root(self) -> Result<Table<'a>> {
        Table::new(self, self.follow(0)?)
    }
}

/// A table: fields by their number in the schema, all optional.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    bytes: Bytes<'a>,
    at: usize,
    /// The list of places of fields, and its length in bytes.
    fields: usize,
    len: usize,
}

impl<'a> Table<'a> {
    fn new(bytes: Bytes<'a>, at: usize) -> Result<Self> {
        let beyond = ImportError::Truncated { at, len: 4, file: bytes.0.len() };
        let back = i64::from(i32::from_le_bytes(bytes.array(at)?));
        let fields = i64::try_from(at).ok().and_then(|at| usize::try_from(at - back).ok()).ok_or(beyond)?;
        let len = usize::from(bytes.u16(fields)?);
        if len < 4 {
            return Err(ImportError::Format(format!("the table at byte {at} has no list of fields")));
        }
        bytes.slice(fields, len)?;
        Ok(Self { bytes, at, fields, len })
    }

    /// Where a field lies, if the file has it.
    fn place(&self, field: usize) -> Result<Option<usize>> {
        let entry = 4 + 2 * field;
        if entry + 2 > self.len {
            return Ok(None);
        }
        let offset = usize::from(self.bytes.u16(self.fields + entry)?);
        Ok((offset > 0).then(|| self.at + offset))
    }

    pub(super) fn u8(&self, field: usize, default: u8) -> Result<u8> {
        self.place(field)?.map_or(Ok(default), |at| Ok(self.bytes.array::<1>(at)?[0]))
    }

    pub(super) fn bool(&self, field: usize) -> Result<bool> {
        Ok(self.u8(field, 0)? != 0)
    }

    pub(super) fn u32(&self, field: usize, default: u32) -> Result<u32> {
        self.place(field)?.map_or(Ok(default), |at| self.bytes.u32(at))
    }

    pub(super) fn i32(&self, field: usize, default: i32) -> Result<i32> {
        Ok(self.u32(field, default as u32)? as i32)
    }

    pub(super) fn u64(&self, field: usize) -> Result<u64> {
        self.place(field)?.map_or(Ok(0), |at| Ok(u64::from_le_bytes(self.bytes.array(at)?)))
    }

    pub(super) fn f32(&self, field: usize) -> Result<f32> {
        Ok(f32::from_bits(self.u32(field, 0)?))
    }

    pub(super) fn table(&self, field: usize) -> Result<Option<Table<'a>>> {
        self.place(field)?.map(|at| Table::new(self.bytes, self.bytes.follow(at)?)).transpose()
    }

    /// A vector of elements of `size` bytes; an absent one is empty.
    pub(super) fn vector(&self, field: usize, size: usize) -> Result<Vector<'a>> {
        let Some(at) = self.place(field)? else {
            return Ok(Vector { bytes: self.bytes, at: 0, len: 0, size });
        };
        let at = self.bytes.follow(at)?;
        let len = self.bytes.u32(at)? as usize;
        let bytes =
            len.checked_mul(size).ok_or(ImportError::Truncated { at, len, file: self.bytes.0.len() })?;
        self.bytes.slice(at + 4, bytes)?;
        Ok(Vector { bytes: self.bytes, at: at + 4, len, size })
    }

    /// Text, its first 256 bytes; what is no UTF-8 is replaced.
    pub(super) fn text(&self, field: usize) -> Result<String> {
        let bytes = self.vector(field, 1)?.raw();
        Ok(String::from_utf8_lossy(&bytes[..bytes.len().min(256)]).into_owned())
    }
}

/// A vector whose bytes are all there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vector<'a> {
    bytes: Bytes<'a>,
    at: usize,
    len: usize,
    size: usize,
}

impl<'a> Vector<'a> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn raw(&self) -> &'a [u8] {
        self.bytes.slice(self.at, self.len * self.size).unwrap_or_default()
    }

    /// The `index`-th element of a vector of 32-bit numbers.
    pub(super) fn i32(&self, index: usize) -> Option<i32> {
        let (chunks, _) = self.raw().as_chunks::<4>();
        chunks.get(index).map(|&bytes| i32::from_le_bytes(bytes))
    }

    pub(super) fn i32s(&self) -> impl Iterator<Item = i32> + use<'a> {
        let (chunks, _) = self.raw().as_chunks::<4>();
        chunks.iter().map(|&bytes| i32::from_le_bytes(bytes))
    }

    pub(super) fn i64s(&self) -> impl Iterator<Item = i64> + use<'a> {
        let (chunks, _) = self.raw().as_chunks::<8>();
        chunks.iter().map(|&bytes| i64::from_le_bytes(bytes))
    }

    pub(super) fn f32s(&self) -> impl Iterator<Item = f32> + use<'a> {
        self.i32s().map(|bits| f32::from_bits(bits as u32))
    }

    /// The `index`-th element of a vector of tables.
    pub(super) fn table(&self, index: usize) -> Result<Option<Table<'a>>> {
        if index >= self.len {
            return Ok(None);
        }
        Table::new(self.bytes, self.bytes.follow(self.at + 4 * index)?).map(Some)
    }
}
