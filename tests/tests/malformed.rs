//! Files that real parsers of models fell over, one test for each class: each is refused with the right error, none makes
//! the importer panic, loop, or allocate beyond measure. The classes are those of the known holes of model parsers.

use milligrad_host::import::tflite::{self, ImportError};
use milligrad_host::{CompileOptions, Error, Graph, Program};
use milligrad_tests::flatbuffer::{INT8, Operator, Parts, Tensor, Value, byte, convolution, file, int, ints};

fn import(parts: &Parts) -> Result<Graph, Error> {
    tflite::from_bytes("malformed", &parts.file())
}

/// The convolution with a change.
fn changed(change: impl FnOnce(&mut Parts)) -> Result<Graph, Error> {
    let mut parts = convolution();
    change(&mut parts);
    import(&parts)
}

macro_rules! refused {
    ($result:expr, $pattern:pat) => {
        match $result {
            Err(Error::Import { problem: $pattern, .. }) => {}
            other => panic!("{} gives {other:?}", stringify!($result)),
        }
    };
}

/// Not an importer's matter alone: a sound file works, on its way to a result.
#[test]
fn the_sound_file_runs() {
    let program = Program::compile(&import(&convolution()).unwrap(), &CompileOptions::default()).unwrap();
    assert_eq!(program.outputs(&[0; 32]).unwrap().len(), 27);
}

#[test]
fn offsets_beyond_the_end() {
    let bytes = b"\x18\0\0\0TFL3";
    refused!(tflite::from_bytes("m", bytes), ImportError::Truncated { .. });
    refused!(tflite::from_bytes("m", b""), ImportError::Format(_));
    refused!(tflite::from_bytes("m", b"\0\0\0\0TFL3"), ImportError::Truncated { .. });
    let whole = convolution().file();
    // Cut anywhere, with every offset and length that there is made large, and with every byte changed.
    for len in 0..whole.len() {
        if let Ok(graph) = tflite::from_bytes("m", &whole[..len]) {
            assert!(graph.nodes.len() < 2, "cut at {len}");
        }
    }
    for at in 0..whole.len() {
        for value in [0x00, 0x01, 0x7f, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            let _ = tflite::from_bytes("m", &bytes);
            if at + 4 <= bytes.len() {
                bytes[at..at + 4].fill(value);
                let _ = tflite::from_bytes("m", &bytes);
            }
        }
    }
    // Bytes in front: nothing is where alignment would have it.
    let mut shifted = whole.clone();
    shifted.splice(8..8, [0xee]);
    let offset = u32::from_le_bytes(whole[..4].try_into().unwrap()) + 1;
    shifted[..4].copy_from_slice(&offset.to_le_bytes());
    assert!(tflite::from_bytes("m", &shifted).is_ok(), "no alignment is assumed");
}

#[test]
fn indices_out_of_their_table() {
    refused!(changed(|p| p.tensors[1].buffer = 9999), ImportError::Index { what: "buffer", index: 9999, .. });
    refused!(changed(|p| p.operators[0].inputs[0] = 9999), ImportError::Index { what: "tensor", .. });
    refused!(changed(|p| p.operators[0].outputs[0] = -1), ImportError::Index { what: "tensor", .. });
    refused!(changed(|p| p.inputs[0] = -1), ImportError::Index { what: "tensor", .. });
    refused!(changed(|p| p.outputs[0] = i32::MAX), ImportError::Index { what: "tensor", .. });
    // -1 is a missing input: of the bias it may be, of the image not.
    refused!(changed(|p| p.operators[0].inputs[0] = -1), ImportError::Format(_));
    assert!(changed(|p| p.operators[0].inputs[2] = -1).is_ok());
    refused!(changed(|p| p.operators[0].inputs[2] = -2), ImportError::Index { what: "tensor", .. });
    for axis in [-9, 4, i32::MIN, i32::MAX] {
        let concat = changed(|p| {
            p.operators[0].code = 2;
            p.operators[0].inputs = vec![0, 0];
            p.operators[0].options = vec![(0, int(axis))];
        });
        refused!(concat, ImportError::Index { what: "axis", .. });
    }
}

#[test]
fn zeros_that_are_divided_by() {
    // Strides and dilations.
    for field in [1, 2, 4, 5] {
        for value in [0, -1, i32::MIN] {
            refused!(changed(|p| p.operators[0].options[field].1 = int(value)), ImportError::Shape(_));
        }
    }
    for (tensor, axis) in [(0, 3), (0, 1), (1, 0), (1, 1), (1, 3)] {
        let result = changed(|p| p.tensors[tensor].shape[axis] = 0);
        refused!(result, ImportError::Shape(_));
    }
    // A kernel of a pooling, the columns of a dense layer, the block of a dilated convolution, parts of a split.
    let pool = |height: i32| {
        changed(|p| {
            p.operators[0].code = 17;
            p.operators[0].inputs = vec![0];
            p.operators[0].options =
                vec![(0, byte(1)), (1, int(1)), (2, int(1)), (3, int(2)), (4, int(height))];
        })
    };
    refused!(pool(0), ImportError::Shape(_));
    refused!(pool(-5), ImportError::Shape(_));
    let dense = changed(|p| {
        p.operators[0].code = 9;
        p.operators[0].options = Vec::new();
        p.tensors[1].shape = vec![3, 0];
    });
    refused!(dense, ImportError::Shape(_));
    let block = changed(|p| {
        p.operators[0].code = 38;
        p.tensors[1] = Tensor { shape: vec![2], dtype: 2, buffer: 1, scales: vec![], zero_points: vec![] };
        p.tensors[2] = Tensor { shape: vec![2, 2], dtype: 2, buffer: 2, scales: vec![], zero_points: vec![] };
        p.buffers[1] = vec![0; 8];
        p.buffers[2] = vec![0; 16];
    });
    refused!(block, ImportError::Shape(_));
    let split = changed(|p| {
        p.operators[0].code = 49;
        p.operators[0].inputs = vec![1, 0];
        p.operators[0].outputs = Vec::new();
        p.tensors[1] = Tensor { shape: vec![1], dtype: 2, buffer: 1, scales: vec![], zero_points: vec![] };
        p.buffers[1] = vec![0; 4];
    });
    refused!(split, ImportError::Format(_));
    let bias = changed(|p| p.buffers[2].clear());
    refused!(bias, ImportError::Buffer(_));
}

#[test]
fn sizes_that_overflow() {
    for shape in
        [vec![1, 65_535, 65_535, 65_535], vec![1, i32::MAX, i32::MAX, 2], vec![1, 70_000, 1, 1], vec![1; 9]]
    {
        refused!(changed(|p| p.tensors[0].shape = shape), ImportError::Shape(_));
    }
    refused!(
        changed(|p| p.tensors[1].shape = vec![3, i32::MAX, i32::MAX, i32::MAX]),
        ImportError::Buffer(_) | ImportError::Shape(_)
    );
    // A stride and a dilation beyond 16 bits.
    for field in [1, 2, 4, 5] {
        refused!(changed(|p| p.operators[0].options[field].1 = int(i32::MAX)), ImportError::Shape(_));
    }
    // A border of 2^31.
    let pad = changed(|p| {
        p.operators[0].code = 34;
        p.operators[0].inputs = vec![0, 1];
        p.tensors[1] = Tensor { shape: vec![4, 2], dtype: 2, buffer: 1, scales: vec![], zero_points: vec![] };
        p.buffers[1] = [0, 0, i32::MAX, i32::MAX, 0, 0, 0, 0].iter().flat_map(|n| n.to_le_bytes()).collect();
    });
    refused!(pad, ImportError::Shape(_));
}

#[test]
fn buffers_that_lie() {
    for len in [0, 1, 23, 25] {
        let weights = changed(|p| p.buffers[1].resize(len, 0));
        assert!(weights.is_err(), "{len} bytes of weights");
    }
    refused!(changed(|p| p.buffers[1].truncate(23)), ImportError::Buffer(_));
    refused!(changed(|p| p.buffers[2].truncate(11)), ImportError::Buffer(_));
    // The vector says that it has more bytes than the file.
    let mut bytes = convolution().file();
    let pattern: Vec<u8> = (0..24).collect();
    let at = bytes.windows(24).position(|window| window == pattern).unwrap();
    bytes[at - 4..at].copy_from_slice(&u32::MAX.to_le_bytes());
    refused!(tflite::from_bytes("m", &bytes), ImportError::Truncated { .. });
}

#[test]
fn quantisation_that_is_absent_or_odd() {
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        for tensor in [0, 1, 3] {
            refused!(changed(|p| p.tensors[tensor].scales[0] = scale), ImportError::Quantization(_));
        }
    }
    for zero_point in [128, -129, i64::MAX, i64::MIN] {
        refused!(changed(|p| p.tensors[0].zero_points[0] = zero_point), ImportError::Quantization(_));
    }
    refused!(changed(|p| p.tensors[0].scales.clear()), ImportError::Quantization(_));
    refused!(changed(|p| p.tensors[1].scales.clear()), ImportError::Quantization(_));
    refused!(changed(|p| p.tensors[1].scales.truncate(2)), ImportError::Quantization(_));
    refused!(changed(|p| p.tensors[3].scales.push(0.1)), ImportError::Quantization(_));
    refused!(changed(|p| p.tensors[1].zero_points[0] = 1), ImportError::Unsupported(_));
    // Scales of 1 and more, and very small ones, are numbers as any other.
    for scale in [1.0, 1e30, f32::MAX, f32::MIN_POSITIVE, 1e-40] {
        for tensor in [0, 1, 3] {
            let graph = changed(|p| p.tensors[tensor].scales[0] = scale).unwrap();
            for rounding in [milligrad::Rounding::Double, milligrad::Rounding::Single] {
                let program =
                    Program::compile(&graph, &CompileOptions { rounding, ..Default::default() }).unwrap();
                program.outputs(&[0x80; 32]).unwrap();
            }
        }
    }
}

#[test]
fn cycles_and_wrong_order() {
    let reads_itself = changed(|p| p.operators[0].inputs[0] = 3);
    refused!(reads_itself, ImportError::Order(_));
    let writes_its_input = changed(|p| p.operators[0].outputs[0] = 0);
    refused!(writes_its_input, ImportError::Order(_));
    let twice = changed(|p| p.operators.push(p.operators[0].clone()));
    refused!(twice, ImportError::Order(_));
    refused!(changed(|p| p.operators.clear()), ImportError::Order(_));
    let writes_a_constant = changed(|p| {
        p.operators[0].outputs[0] = 1;
        p.outputs[0] = 1;
    });
    assert!(writes_a_constant.is_err());
    // A table that is its own child.
    let mut bytes =
        file(&Value::Table(vec![(0, int(3)), (2, Value::Tables(vec![Value::Table(vec![(0, ints(&[]))])]))]));
    for at in (0..bytes.len() - 4).step_by(4) {
        let mut looped = bytes.clone();
        looped[at..at + 4].copy_from_slice(&0u32.to_le_bytes());
        let _ = tflite::from_bytes("m", &looped);
    }
    bytes.truncate(20);
    assert!(tflite::from_bytes("m", &bytes).is_err());
}

#[test]
fn memory_is_in_proportion_to_the_file() {
    // A thousand convolutions that share one buffer of weights.
    let mut parts = convolution();
    parts.buffers[1] = vec![1; 1 << 20];
    let (weights, output) = (parts.tensors[1].clone(), parts.tensors[3].clone());
    let operator = parts.operators[0].clone();
    parts.operators.clear();
    for index in 0..1000 {
        let at = parts.tensors.len() as i32;
        parts.tensors.push(Tensor {
            shape: vec![1 << 17, 2, 2, 2],
            scales: vec![0.01],
            zero_points: vec![0],
            ..weights.clone()
        });
        parts.tensors.push(output.clone());
        let mut operator = operator.clone();
        operator.inputs = vec![0, at, -1];
        operator.outputs = vec![at + 1];
        parts.operators.push(operator);
        if index == 0 {
            parts.outputs = vec![at + 1];
        }
    }
    let start = std::time::Instant::now();
    assert!(import(&parts).is_err());
    assert!(start.elapsed().as_secs() < 20, "it took {:?}", start.elapsed());
    // A tensor larger than any memory, in a file of a few hundred bytes.
    refused!(changed(|p| p.tensors[0].shape = vec![1, 60_000, 60_000, 2]), ImportError::Shape(_));
}

/// A chain of so many ReLUs between tensors of this shape.
fn chain(layers: usize, shape: &[i32]) -> Parts {
    let mut parts = convolution();
    let mut operator = parts.operators[0].clone();
    (operator.code, operator.options) = (19, Vec::new());
    parts.tensors = vec![Tensor::int8(shape); layers + 1];
    parts.operators = (0..layers as i32)
        .map(|index| Operator { inputs: vec![index], outputs: vec![index + 1], ..operator.clone() })
        .collect();
    parts.outputs = vec![layers as i32];
    parts
}

/// A few hundred bytes ask for gigabytes: they are refused before anything of that size is allocated.
#[test]
fn small_files_with_huge_activations() {
    refused!(import(&chain(2, &[1, 65_535, 32_000])), ImportError::Shape(_));
    refused!(import(&chain(2, &[1, 4096, 4097])), ImportError::Shape(_));
    // Each is within bounds, all that are needed at once are not: the sum of eight tensors that stay alive.
    let mut parts = chain(8, &[1, 4096, 4096]);
    parts.operators.iter_mut().for_each(|operator| operator.inputs[0] = 0);
    let mut sum = 1;
    for other in 2..=8 {
        parts.tensors.push(Tensor::int8(&[1, 4096, 4096]));
        let output = parts.tensors.len() as i32 - 1;
        let add = Operator { code: 0, inputs: vec![sum, other], outputs: vec![output], options: Vec::new() };
        parts.operators.push(add);
        sum = output;
    }
    parts.outputs = vec![sum];
    let graph = import(&parts).unwrap();
    let error = Program::compile(&graph, &CompileOptions::default()).unwrap_err().to_string();
    assert!(error.contains("bytes of RAM at once"), "{error}");
}

#[test]
fn thousands_of_layers() {
    let error = import(&chain(20_000, &[1, 8])).unwrap_err().to_string();
    assert!(error.contains("20000 operators"), "{error}");
    let error = import(&chain(5_000, &[1, 8])).unwrap_err().to_string();
    assert!(error.contains("5000 layers"), "{error}");
    let graph = import(&chain(4_096, &[1, 8])).unwrap();
    let program = Program::compile(&graph, &CompileOptions::default()).unwrap();
    assert_eq!(program.outputs(&[5; 8]).unwrap().len(), 8);
}

#[test]
fn files_outside_the_file() {
    // Weights behind the flatbuffer, or in other files.
    let parts = convolution();
    let buffers = parts.buffers.iter().map(|_| {
        let offset = Value::Scalar(4096u64.to_le_bytes().to_vec());
        Value::Table(vec![(1, offset), (2, Value::Scalar(64u64.to_le_bytes().to_vec()))])
    });
    let tensor = Value::Table(vec![(0, ints(&[1, 4])), (1, byte(INT8)), (2, int(0))]);
    let graph = Value::Table(vec![(0, Value::Tables(vec![tensor])), (1, ints(&[0])), (2, ints(&[0]))]);
    let root = |external: Option<Value>| {
        let mut fields = vec![
            (0, int(3)),
            (2, Value::Tables(vec![graph.clone()])),
            (4, Value::Tables(buffers.clone().collect())),
        ];
        fields.extend(external.map(|external| (9, external)));
        file(&Value::Table(fields))
    };
    refused!(tflite::from_bytes("m", &root(None)), ImportError::Format(_));
    let group = Value::Tables(vec![Value::Table(vec![(0, ints(&[0]))])]);
    refused!(tflite::from_bytes("m", &root(Some(group))), ImportError::Format(_));
    // A name is a name: no path comes of it.
    let graph = tflite::from_bytes("../../etc/passwd", &parts.file()).unwrap();
    assert_eq!(graph.name, "etc_passwd");
}

#[test]
fn unknown_operators_types_and_versions() {
    // All that can't be run is named at once, with what to do.
    let result = changed(|p| {
        let mut custom = p.operators[0].clone();
        custom.code = 32;
        let mut next = |code: i32, input: i32| {
            p.tensors.push(Tensor::int8(&[1, 3, 3, 3]));
            let output = p.tensors.len() as i32 - 1;
            let mut operator = p.operators[0].clone();
            (operator.code, operator.inputs, operator.outputs) = (code, vec![input], vec![output]);
            p.operators.push(operator);
            output
        };
        let a = next(32, 3);
        let b = next(108, a);
        let c = next(9999, b);
        p.outputs = vec![c];
    });
    match result {
        Err(Error::Import { problem: ImportError::Unsupported(list), .. }) => {
            let names: Vec<_> = list.iter().map(|unsupported| unsupported.operator.as_str()).collect();
            assert_eq!(names, ["CUSTOM ``", "COS", "builtin operator 9999"]);
            assert!(
                list.iter()
                    .all(|u| u.dtype == "int8" && !u.layer.is_empty() && u.remedy.contains("milligrad ops"))
            );
        }
        other => panic!("{other:?}"),
    }
    for (dtype, word) in [(0, "float"), (7, "int16x8"), (3, "unsigned"), (99, "only int8")] {
        let all = |p: &mut Parts| [0, 3].into_iter().for_each(|i| p.tensors[i].dtype = dtype);
        let error = changed(all).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    for version in [0, 2, 4] {
        refused!(changed(|p| p.version = version), ImportError::Format(_));
    }
    refused!(tflite::from_bytes("m", b"\x18\0\0\0TFL2"), ImportError::Format(_));
    let fused = changed(|p| p.operators[0].options[3].1 = byte(4));
    refused!(fused, ImportError::Unsupported(_));
    let padding = changed(|p| p.operators[0].options[0].1 = byte(9));
    refused!(padding, ImportError::Format(_));
}
