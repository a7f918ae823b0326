//! NPY files: one NumPy array.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

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

pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

impl Array {
    /// The elements as floats.
    pub fn to_f32(&self) -> Vec<f32> {
        match self.element {
            Element::F32 => self.decode(f32::from_le_bytes, f32::from_be_bytes),
            Element::F64 => self.decode(|x| f64::from_le_bytes(x) as f32, |x| f64::from_be_bytes(x) as f32),
            Element::U64 => self.decode(|x| u64::from_le_bytes(x) as f32, |x| u64::from_be_bytes(x) as f32),
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

    /// An NPY file of values whose bytes are these; `descr` is NumPy's name of their type, such as `<f4`. Its head is a
    /// multiple of 64 bytes.
    pub fn file(descr: &str, shape: &[usize], values: &[u8]) -> Vec<u8> {
        let extents: String = shape.iter().map(|extent| format!("{extent}, ")).collect();
        let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({extents})}}");
        let padded = (10 + text.len() + 1).next_multiple_of(64) - 11;
        let mut bytes = [MAGIC, b"\x01\x00"].concat();
        bytes.extend(((padded + 1) as u16).to_le_bytes());
        bytes.extend(format!("{text:<padded$}\n").into_bytes());
        bytes.extend(values);
        bytes
    }

    fn decode<const N: usize, T>(&self, little: impl Fn([u8; N]) -> T, big: impl Fn([u8; N]) -> T) -> Vec<T> {
        let (values, _) = self.bytes.as_chunks::<N>();
        values.iter().map(|&x| if self.big_endian { big(x) } else { little(x) }).collect()
    }

    /// Understands an NPY file.
    pub(super) fn parse(bytes: &[u8]) -> std::result::Result<Self, String> {
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
pub(super) mod tests {
    use super::*;

    /// An NPY file.
    pub(in crate::data) fn npy(descr: &str, shape: &str, body: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(body);
        bytes
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
}
