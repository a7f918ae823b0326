use super::*;
use crate::builder::Builder;
use crate::graph::{Activation, ConstantId, DType, Node, Op, Port, TensorId, TensorInfo};
use milligrad::Quantization;

fn float() -> Graph {
    let builder = Builder::new("t", &[4, 4, 1]).classes(["a", "b"]).normalize(0.1, -0.3);
    builder.conv2d(2, 3).relu().batch_norm().leaky_relu(0.1).dense(2).softmax().build(3).unwrap()
}

fn int8() -> Graph {
    let tensor = |shape: &[usize], scale, zero_point| TensorInfo {
        shape: shape.to_vec(),
        dtype: DType::I8,
        quantization: Some(Quantization { scale, zero_point }),
    };
    let constant = |name: &str, shape: &[usize], values, scales| Constant {
        name: name.into(),
        shape: shape.to_vec(),
        values,
        scales,
    };
    Graph::verify(Draft {
        training: Default::default(),
        name: "t".into(),
        labels: vec![],
        normalize: Default::default(),
        features: None,
        target: None,
        tensors: vec![tensor(&[3], 0.1, -3), tensor(&[2], 1.0 / 3.0, 7)],
        constants: vec![
            constant("dense/weights", &[2, 3], Values::I8(vec![1, -2, 3, -4, 5, -128]), vec![0.1, 0.2]),
            constant("dense/bias", &[2], Values::I32(vec![70_000, 12]), vec![]),
        ],
        nodes: vec![Node {
            name: "dense".into(),
            op: Op::Dense { activation: Activation::Linear },
            inputs: vec![TensorId(0)],
            constants: vec![ConstantId(0), ConstantId(1)],
            output: TensorId(1),
        }],
        inputs: vec![Port::input(TensorId(0))],
        outputs: vec![Port::output(TensorId(1))],
    })
    .unwrap()
}

#[test]
fn comes_back_as_it_was() {
    for graph in [float(), int8()] {
        let bytes = to_bytes(&graph).unwrap();
        assert_eq!(from_bytes(&bytes).unwrap(), graph);
        assert_eq!(to_bytes(&from_bytes(&bytes).unwrap()).unwrap(), bytes);
    }
}

#[test]
fn saves_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    save(&float(), &path).unwrap();
    assert_eq!(load(&path).unwrap(), float());
    save(&int8(), &path).unwrap();
    assert_eq!(load(&path).unwrap(), int8());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let error = save(&float(), folder.path().join("none").join("m")).unwrap_err().to_string();
    assert!(error.contains("none"), "{error}");
    assert!(load(folder.path().join("none")).is_err());
    assert!(save(&float(), "/").is_err());
}

#[test]
fn parameters_of_another_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let builder = |units| Builder::new("t", &[3]).dense(units);
    save(&builder(2).build(1).unwrap(), &path).unwrap();
    let mut graph = builder(2).build(2).unwrap();
    load_parameters(&mut graph, &path).unwrap();
    assert_eq!(graph, builder(2).build(1).unwrap());
    let error = |graph: Graph| load_parameters(&mut graph.clone(), &path).unwrap_err().to_string();
    assert!(error(builder(3).build(0).unwrap()).contains("`dense/weights` is [2, 3], the model has [3, 3]"));
    assert!(error(builder(2).dense(1).build(0).unwrap()).contains("`dense_1/weights` is missing"));
    save(&int8(), &path).unwrap();
    assert!(load_parameters(&mut graph, &path).unwrap_err().to_string().contains("not F32"));
}

/// A safetensors file with this header and these bytes.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

#[test]
fn refuses_what_is_no_model() {
    let good = to_bytes(&int8()).unwrap();
    for end in 0..good.len() {
        assert!(from_bytes(&good[..end]).is_err(), "{end} bytes");
    }
    let length = u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    let (header, data) = good[8..].split_at(length);
    let header = std::str::from_utf8(header).unwrap().trim_end();
    let with = |from: &str, to: &str| {
        assert!(header.contains(from), "{header}");
        from_bytes(&file(&header.replacen(from, to, 1), data)).unwrap_err()
    };
    for (error, problem) in [
        (with("milligrad", "otherthing"), "no milligrad model"),
        (with(r#"\"format\":2"#, r#"\"format\":3"#), "format 3"),
        (with(r#""dense/bias":"#, r#""dense/bia":"#), "`dense/bias` is missing"),
        (with(r#""dtype":"I32""#, r#""dtype":"U32""#), "`dense/bias` is of type U32"),
        (with(r#""dtype":"I32""#, r#""dtype":"F32""#), "layer `dense`"),
        (with(r#""dtype":"I8","shape":[2,3]"#, r#""dtype":"I8","shape":[3,2]"#), "layer `dense`"),
        (with(r#"\"dense/weights\",\"dense/bias\""#, r#"\"dense/bias\",\"dense/bias\""#), "twice"),
        (with(r#"[2,3]"#, r#"[2,4]"#), "damaged"),
        (with(r#"\"output\",\"tensor\":1}"#, r#"\"output\",\"tensor\":9}"#), "9"),
        (with(r#"\"nodes\""#, r#"\"node\""#), "nodes"),
        (from_bytes(&file("{}", &[])).unwrap_err(), "no milligrad model"),
        (from_bytes(b"PK\x03\x04 something else entirely").unwrap_err(), "no safetensors"),
        (from_bytes(&u64::MAX.to_le_bytes()).unwrap_err(), "no safetensors"),
    ] {
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn reads_files_of_format_1() {
    let graph = int8();
    let bytes = to_bytes(&graph).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let (header, data) = bytes[8..].split_at(length);
    let old = std::str::from_utf8(header).unwrap().trim_end().replace(r#"\"format\":2"#, r#"\"format\":1"#);
    let old = old.replace(r#"\"inputs\":[{\"name\":\"input\",\"tensor\":0}]"#, r#"\"input\":0"#);
    let old = old.replace(r#"\"outputs\":[{\"name\":\"output\",\"tensor\":1}]"#, r#"\"output\":1"#);
    assert!(old.contains(r#"\"input\":0,\"output\":1"#), "{old}");
    assert_eq!(from_bytes(&file(&old, data)).unwrap(), graph);
}

#[test]
fn no_damage_makes_it_panic() {
    let mut random = crate::train::Pcg32::new(5);
    for good in [to_bytes(&float()).unwrap(), to_bytes(&int8()).unwrap()] {
        for _ in 0..20_000 {
            let mut bad = good.clone();
            for _ in 0..1 + random.below(3) {
                let at = random.below(bad.len() as u32) as usize;
                // Digits and brackets reach further than noise.
                let text = b"0123456789-[]{},:\"nul";
                bad[at] = match random.below(3) {
                    0 => random.bits() as u8,
                    _ => text[random.below(text.len() as u32) as usize],
                };
            }
            if let Ok(graph) = from_bytes(&bad) {
                assert_eq!(from_bytes(&to_bytes(&graph).unwrap()).unwrap(), graph);
            }
        }
    }
}
