//! A writer of flatbuffers, sound or not, for tests of the reader: .tflite files of a convolution, with anything changed.

/// A value of a field.
#[derive(Debug, Clone)]
pub enum Value {
    /// Bytes in the table itself.
    Scalar(Vec<u8>),
    /// A table, by its fields.
    Table(Vec<(usize, Value)>),
    /// A vector of tables.
    Tables(Vec<Value>),
    /// A vector of elements, by their number and bytes.
    Vector(usize, Vec<u8>),
}

/// A scalar of four bytes.
pub fn int(value: i32) -> Value {
    Value::Scalar(value.to_le_bytes().to_vec())
}

/// A scalar of one byte.
pub fn byte(value: u8) -> Value {
    Value::Scalar(vec![value])
}

/// A vector of 32-bit integers.
pub fn ints(values: &[i32]) -> Value {
    Value::Vector(values.len(), values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

/// A vector of floats.
pub fn floats(values: &[f32]) -> Value {
    Value::Vector(values.len(), values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

/// A vector of 64-bit integers.
pub fn longs(values: &[i64]) -> Value {
    Value::Vector(values.len(), values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

/// A file with this root table.
pub fn file(root: &Value) -> Vec<u8> {
    let mut bytes = b"\0\0\0\0TFL3".to_vec();
    let at = write(&mut bytes, root);
    patch(&mut bytes, 0, at);
    bytes
}

fn patch(bytes: &mut [u8], at: usize, target: usize) {
    bytes[at..at + 4].copy_from_slice(&((target - at) as u32).to_le_bytes());
}

fn write(bytes: &mut Vec<u8>, value: &Value) -> usize {
    while !bytes.len().is_multiple_of(4) {
        bytes.push(0);
    }
    match value {
        Value::Scalar(_) => unreachable!("scalars lie in their table"),
        Value::Vector(len, elements) => {
            let at = bytes.len();
            bytes.extend((*len as u32).to_le_bytes());
            bytes.extend(elements);
            at
        }
        Value::Tables(tables) => {
            let at = bytes.len();
            bytes.extend((tables.len() as u32).to_le_bytes());
            bytes.resize(bytes.len() + 4 * tables.len(), 0);
            for (index, table) in tables.iter().enumerate() {
                let target = write(bytes, table);
                patch(bytes, at + 4 + 4 * index, target);
            }
            at
        }
        Value::Table(fields) => {
            let size = |value: &Value| if let Value::Scalar(bytes) = value { bytes.len() } else { 4 };
            let count = fields.iter().map(|(field, _)| field + 1).max().unwrap_or(0);
            let mut list = vec![0u16; count];
            let mut offset = 4;
            for (field, value) in fields {
                list[*field] = offset;
                offset += size(value) as u16;
            }
            bytes.extend((4 + 2 * count as u16).to_le_bytes());
            bytes.extend(offset.to_le_bytes());
            list.iter().for_each(|entry| bytes.extend(entry.to_le_bytes()));
            let at = bytes.len();
            bytes.extend((4 + 2 * count as i32).to_le_bytes());
            for (_, value) in fields {
                match value {
                    Value::Scalar(scalar) => bytes.extend(scalar),
                    _ => bytes.extend([0; 4]),
                }
            }
            for ((_, value), field) in fields.iter().zip(fields.iter().map(|(field, _)| *field)) {
                if !matches!(value, Value::Scalar(_)) {
                    let target = write(bytes, value);
                    patch(bytes, at + usize::from(list[field]), target);
                }
            }
            at
        }
    }
}

/// A tensor of a file.
#[derive(Debug, Clone)]
pub struct Tensor {
    /// Extents.
    pub shape: Vec<i32>,
    /// Number of its type in the schema.
    pub dtype: u8,
    /// Its buffer.
    pub buffer: i32,
    /// Scales.
    pub scales: Vec<f32>,
    /// Zero points.
    pub zero_points: Vec<i64>,
}

/// An operator of a file.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Its code.
    pub code: i32,
    /// Tensors that it reads.
    pub inputs: Vec<i32>,
    /// Tensors that it writes.
    pub outputs: Vec<i32>,
    /// Its options.
    pub options: Vec<(usize, Value)>,
}

/// A file in parts.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Tensors.
    pub tensors: Vec<Tensor>,
    /// Operators, each with a code of its own.
    pub operators: Vec<Operator>,
    /// Buffers.
    pub buffers: Vec<Vec<u8>>,
    /// The model's inputs.
    pub inputs: Vec<i32>,
    /// The model's outputs.
    pub outputs: Vec<i32>,
    /// Schema version.
    pub version: i32,
}

/// int8 in the schema.
pub const INT8: u8 = 9;
/// int32 in the schema.
pub const INT32: u8 = 2;

impl Tensor {
    /// An int8 activation.
    pub fn int8(shape: &[i32]) -> Self {
        Self { shape: shape.to_vec(), dtype: INT8, buffer: 0, scales: vec![0.1], zero_points: vec![3] }
    }
}

/// A convolution of a 4x4 image of 2 channels by 3 filters of 2x2: it is sound.
pub fn convolution() -> Parts {
    let weights = Tensor {
        shape: vec![3, 2, 2, 2],
        dtype: INT8,
        buffer: 1,
        scales: vec![0.01, 0.02, 0.03],
        zero_points: vec![0; 3],
    };
    let bias =
        Tensor { shape: vec![3], dtype: INT32, buffer: 2, scales: Vec::new(), zero_points: Vec::new() };
    Parts {
        tensors: vec![Tensor::int8(&[1, 4, 4, 2]), weights, bias, Tensor::int8(&[1, 3, 3, 3])],
        operators: vec![Operator {
            code: 3,
            inputs: vec![0, 1, 2],
            outputs: vec![3],
            // VALID, stride 1, no activation, dilation 1.
            options: vec![(0, byte(1)), (1, int(1)), (2, int(1)), (3, byte(0)), (4, int(1)), (5, int(1))],
        }],
        buffers: vec![Vec::new(), (0..24).collect(), vec![7; 12]],
        inputs: vec![0],
        outputs: vec![3],
        version: 3,
    }
}

impl Parts {
    /// The bytes of the file.
    pub fn file(&self) -> Vec<u8> {
        let tensor = |t: &Tensor| {
            let quantization = Value::Table(vec![(2, floats(&t.scales)), (3, longs(&t.zero_points))]);
            let fields = vec![(0, ints(&t.shape)), (1, byte(t.dtype)), (2, int(t.buffer)), (4, quantization)];
            Value::Table(fields)
        };
        let operator = |(index, o): (usize, &Operator)| {
            let fields = vec![
                (0, int(index as i32)),
                (1, ints(&o.inputs)),
                (2, ints(&o.outputs)),
                (4, Value::Table(o.options.clone())),
            ];
            Value::Table(fields)
        };
        let graph = Value::Table(vec![
            (0, Value::Tables(self.tensors.iter().map(tensor).collect())),
            (1, ints(&self.inputs)),
            (2, ints(&self.outputs)),
            (3, Value::Tables(self.operators.iter().enumerate().map(operator).collect())),
        ]);
        let code = |o: &Operator| Value::Table(vec![(0, byte(o.code.min(127) as u8)), (3, int(o.code))]);
        let buffer = |b: &Vec<u8>| Value::Table(vec![(0, Value::Vector(b.len(), b.clone()))]);
        file(&Value::Table(vec![
            (0, int(self.version)),
            (1, Value::Tables(self.operators.iter().map(code).collect())),
            (2, Value::Tables(vec![graph])),
            (4, Value::Tables(self.buffers.iter().map(buffer).collect())),
        ]))
    }
}
