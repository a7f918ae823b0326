//! The parts of TensorFlow Lite's schema, version 3, that a model of int8 layers has.
//!
//! Source: <https://github.com/tensorflow/tensorflow/blob/master/tensorflow/compiler/mlir/lite/schema/schema.fbs>

use super::ImportError;
use super::bytes::{Bytes, Table, Vector};

type Result<T> = std::result::Result<T, ImportError>;

/// More axes than any operator here can have.
const MOST_AXES: usize = 8;
/// More names than a signature has.
const MOST_NAMES: usize = 64;

macro_rules! dtypes {
    ($($variant:ident = $code:literal, $name:literal, $bytes:literal;)*) => {
        /// Type of a tensor's elements.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum DType { $(#[doc = $name] $variant,)* #[doc = "unknown"] Unknown }

        impl DType {
            fn new(code: u8) -> Self {
                match code { $($code => Self::$variant,)* _ => Self::Unknown }
            }

            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* Self::Unknown => "an unknown type" }
            }

            /// Bytes of an element, 0 where it is no whole number.
            pub(super) fn bytes(self) -> usize {
                match self { $(Self::$variant => $bytes,)* Self::Unknown => 0 }
            }
        }
    };
}
dtypes! {
    Float32 = 0, "float32", 4;
    Float16 = 1, "float16", 2;
    Int32 = 2, "int32", 4;
    UInt8 = 3, "uint8", 1;
    Int64 = 4, "int64", 8;
    String = 5, "string", 0;
    Bool = 6, "bool", 1;
    Int16 = 7, "int16", 2;
    Complex64 = 8, "complex64", 8;
    Int8 = 9, "int8", 1;
    Float64 = 10, "float64", 8;
    Complex128 = 11, "complex128", 16;
    UInt64 = 12, "uint64", 8;
    Resource = 13, "resource", 0;
    Variant = 14, "variant", 0;
    UInt32 = 15, "uint32", 4;
    UInt16 = 16, "uint16", 2;
    Int4 = 17, "int4", 0;
    BFloat16 = 18, "bfloat16", 2;
    Int2 = 19, "int2", 0;
    UInt4 = 20, "uint4", 0;
}

/// A model file with one graph.
#[derive(Debug, Clone, Copy)]
pub(super) struct Model<'a> {
    codes: Vector<'a>,
    buffers: Vector<'a>,
    tensors: Vector<'a>,
    operators: Vector<'a>,
    pub(super) inputs: Vector<'a>,
    pub(super) outputs: Vector<'a>,
    signatures: Vector<'a>,
    pub(super) bytes: usize,
}

impl<'a> Model<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self> {
        if bytes.get(4..8) != Some(b"TFL3") {
            return Err(ImportError::Format("bytes 4 to 7 are not `TFL3`".into()));
        }
        let root = Bytes(bytes).root()?;
        let version = root.u32(0, 0)?;
        if version != 3 {
            return Err(ImportError::Format(format!("its version is {version}")));
        }
        let graphs = root.vector(2, 4)?;
        if graphs.len() != 1 {
            return Err(ImportError::Format(format!(
                "it has {} graphs; models with control flow or several signatures have to be converted one by one",
                graphs.len()
            )));
        }
        if root.vector(9, 4)?.len() > 0 {
            return Err(ImportError::Format(
                "it keeps weights in other files; convert it into one file".into(),
            ));
        }
        let graph = graphs.table(0)?.ok_or(ImportError::Index { what: "graph", index: 0, len: 0 })?;
        Ok(Self {
            codes: root.vector(1, 4)?,
            buffers: root.vector(4, 4)?,
            tensors: graph.vector(0, 4)?,
            operators: graph.vector(3, 4)?,
            inputs: graph.vector(1, 4)?,
            outputs: graph.vector(2, 4)?,
            signatures: root.vector(7, 4)?,
            bytes: bytes.len(),
        })
    }

    /// Tensors and their names in the file's signature, its inputs (field 0) or outputs (field 1). Names are decoration:
    /// a file without or with several signatures gives none.
    pub(super) fn signature(&self, field: usize) -> Result<Vec<(usize, String)>> {
        let mut names = Vec::new();
        if let (1, Some(signature)) = (self.signatures.len(), self.signatures.table(0)?) {
            let list = signature.vector(field, 4)?;
            for position in 0..list.len().min(MOST_NAMES) {
                let Some(entry) = list.table(position)? else { continue };
                names.push((entry.u32(1, 0)? as usize, entry.text(0)?));
            }
        }
        Ok(names)
    }

    pub(super) fn operators(&self) -> usize {
        self.operators.len()
    }

    /// A tensor by an index of the file.
    pub(super) fn tensor(&self, index: i32) -> Result<Tensor<'a>> {
        let missing = ImportError::Index { what: "tensor", index: index.into(), len: self.tensors.len() };
        let index = usize::try_from(index).map_err(|_| missing.clone())?;
        let table = self.tensors.table(index)?.ok_or(missing)?;
        let shape = table.vector(0, 4)?;
        if shape.len() > MOST_AXES {
            return Err(ImportError::Shape(format!(
                "tensor {index} has {} axes, at most {MOST_AXES}",
                shape.len()
            )));
        }
        let buffer = table.u32(2, 0)?;
        let data = self.buffer(buffer)?;
        Ok(Tensor { index, table, shape, dtype: DType::new(table.u8(1, 0)?), buffer, data })
    }

    fn buffer(&self, index: u32) -> Result<&'a [u8]> {
        let missing = ImportError::Index { what: "buffer", index: index.into(), len: self.buffers.len() };
        if index == 0 && self.buffers.len() == 0 {
            return Ok(&[]);
        }
        let table = self.buffers.table(index as usize)?.ok_or(missing)?;
        // Offsets 0 and 1 mean that the bytes are in place.
        if table.u64(1)? > 1 {
            return Err(ImportError::Format(
                "it keeps weights behind the flatbuffer, as models above 2 GB do; convert it without".into(),
            ));
        }
        Ok(table.vector(0, 1)?.raw())
    }

    pub(super) fn operator(&self, index: usize) -> Result<Operator<'a>> {
        let missing = ImportError::Index { what: "operator", index: index as i64, len: self.operators.len() };
        let table = self.operators.table(index)?.ok_or(missing)?;
        let code = table.u32(0, 0)?;
        let missing = ImportError::Index { what: "operator code", index: code.into(), len: self.codes.len() };
        let code = self.codes.table(code as usize)?.ok_or(missing)?;
        // Old files have one byte, new ones have both; 127 there says that the other counts.
        let builtin = code.i32(3, 0)?.max(i32::from(code.u8(0, 0)? as i8));
        let custom = if builtin == 32 { code.text(1)? } else { String::new() };
        Ok(Operator {
            builtin,
            custom,
            inputs: table.vector(1, 4)?,
            outputs: table.vector(2, 4)?,
            options: table.table(4)?,
        })
    }
}

/// A tensor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tensor<'a> {
    pub(super) index: usize,
    table: Table<'a>,
    shape: Vector<'a>,
    pub(super) dtype: DType,
    pub(super) buffer: u32,
    /// Bytes of a constant, else none.
    pub(super) data: &'a [u8],
}

impl<'a> Tensor<'a> {
    pub(super) fn name(&self) -> Result<String> {
        self.table.text(3)
    }

    /// Extents, all of them at least 1.
    pub(super) fn shape(&self) -> Result<Vec<usize>> {
        let extent = |n: i32| match n {
            1.. => Ok(n as usize),
            _ => Err(ImportError::Shape(format!("tensor {} has an extent of {n}", self.index))),
        };
        self.shape.i32s().map(extent).collect()
    }

    /// Elements of a constant; its bytes are all there.
    pub(super) fn constant_len(&self) -> Result<usize> {
        let shape = self.shape()?;
        let len = shape.iter().try_fold(1usize, |len, &n| len.checked_mul(n));
        let bytes = len.and_then(|len| len.checked_mul(self.dtype.bytes()));
        match (len, bytes) {
            (Some(len), Some(bytes)) if bytes > 0 && bytes == self.data.len() => Ok(len),
            _ => Err(ImportError::Buffer(format!(
                "tensor {} is {shape:?} of {}, its buffer {} has {} bytes",
                self.index,
                self.dtype.name(),
                self.buffer,
                self.data.len()
            ))),
        }
    }

    /// Scales, zero points and the axis that they run along.
    pub(super) fn quantization(&self) -> Result<Quantization> {
        let none = Quantization { scales: Vec::new(), zero_points: Vec::new(), axis: 0 };
        let Some(table) = self.table.table(4)? else { return Ok(none) };
        let (scales, zero_points) = (table.vector(2, 4)?, table.vector(3, 8)?);
        if scales.len().max(zero_points.len()) > usize::from(u16::MAX) {
            return Err(ImportError::Quantization(format!("tensor {} has too many scales", self.index)));
        }
        Ok(Quantization {
            scales: scales.f32s().collect(),
            zero_points: zero_points.i64s().collect(),
            axis: table.i32(6, 0)?,
        })
    }
}

/// Scales as they are in the file.
#[derive(Debug, Clone)]
pub(super) struct Quantization {
    pub(super) scales: Vec<f32>,
    pub(super) zero_points: Vec<i64>,
    pub(super) axis: i32,
}

/// An operator.
#[derive(Debug, Clone)]
pub(super) struct Operator<'a> {
    pub(super) builtin: i32,
    /// Name of a custom operator.
    pub(super) custom: String,
    pub(super) inputs: Vector<'a>,
    pub(super) outputs: Vector<'a>,
    options: Option<Table<'a>>,
}

impl Operator<'_> {
    /// An option of one byte: an enumeration or a truth value.
    pub(super) fn u8(&self, field: usize) -> Result<u8> {
        self.options.as_ref().map_or(Ok(0), |options| options.u8(field, 0))
    }

    pub(super) fn bool(&self, field: usize) -> Result<bool> {
        self.options.as_ref().map_or(Ok(false), |options| options.bool(field))
    }

    pub(super) fn i32(&self, field: usize, default: i32) -> Result<i32> {
        self.options.as_ref().map_or(Ok(default), |options| options.i32(field, default))
    }

    pub(super) fn f32(&self, field: usize) -> Result<f32> {
        self.options.as_ref().map_or(Ok(0.0), |options| options.f32(field))
    }

    pub(super) fn i32s(&self, field: usize) -> Result<Vec<i32>> {
        let Some(options) = &self.options else { return Ok(Vec::new()) };
        let list = options.vector(field, 4)?;
        if list.len() > MOST_AXES {
            return Err(ImportError::Shape(format!("a list of {} axes, at most {MOST_AXES}", list.len())));
        }
        Ok(list.i32s().collect())
    }
}
