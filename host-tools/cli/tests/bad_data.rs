//! Data files that are damaged, empty, hostile or don't fit: each message says where, and the exit code is 2.

mod support;

use std::fs;
use std::io::Write;
use support::run;

const SPEC: &str = r#"
[model]
name = "m"
input = [2]
[[layer]]
type = "dense"
units = 2
activation = "softmax"
[data]
source = "csv"
path = "data"
target = "y"
[train]
epochs = 1
"#;

/// An NPY file of two columns, or one, whatever its header promises.
fn npy(descr: &str, shape: &str, body: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(body);
    bytes
}

fn npz(x: Vec<u8>, y: Vec<u8>) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in [("x.npy", x), ("y.npy", y)] {
        let stored =
            zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file(name, stored).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn fails(spec: &str, data: &[u8], problem: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (path, out) = (folder.path().join("spec.toml"), folder.path().join("out"));
    fs::write(&path, spec).unwrap();
    fs::write(folder.path().join("data"), data).unwrap();
    let failed = run(["train".as_ref(), path.as_os_str(), "--out".as_ref(), out.as_os_str()]);
    failed.fails(2, problem);
    assert!(!failed.stderr.contains("panicked") && failed.stderr.len() < 2000, "{}", failed.stderr);
    assert!(!out.join("model.safetensors").exists());
}

#[test]
fn csv() {
    let rows = |row: &str| format!("a,b,y\n{}", row.repeat(50));
    let both = "a,b,y\n".to_string() + &"1,2,0\n3,4,1\n".repeat(25);
    let huge = format!("a,b,y\n{},1,0\n", "9".repeat(1_000_000));
    for (data, problem) in [
        ("", "data: it is empty"),
        ("a,b,y\n", "no samples"),
        ("a,b,y\n1,2\n", "line 2: 2 fields, but the header has 3"),
        ("a,b,y\n1,NaN,0\n", "line 2: `NaN` in column `b`"),
        ("a,b,y\n1,,0\n", "line 2: column `b` is empty"),
        ("a,b,z\n1,2,0\n", "no column `y`; the header names a, b, z"),
        ("a,a,y\n1,2,0\n", "names `a` twice"),
        (&rows("1,2,same\n"), "all samples are of one class, `same`"),
        (&(both.clone() + "1,2,2\n"), "no sample of class `2` is in the test part"),
        (&huge, "line 2: `9999"),
    ] {
        fails(SPEC, data.as_bytes(), problem);
    }
    fails(SPEC, b"\x1f\x8b\x08\0\0", "the gzip stream is damaged or truncated");
    fails(SPEC, b"a,b,y\n\xff\xfe,2,0\n", "data");
    for (from, to, problem) in [
        ("target = \"y\"", "target = \"y\"\ncategorical = [\"c\"]", "no column `c`"),
        ("target = \"y\"", "target = \"y\"\ngroup = \"g\"", "no column `g`"),
        ("target = \"y\"", "target = \"y\"\nmissing = nan", "`missing` is a finite number"),
        ("target = \"y\"", "target = \"y\"\nwindow = { length = 100 }", "a window of 100 rows"),
        ("target = \"y\"", "target = \"y\"\ntarget_scale = \"standard\"", "these targets are classes"),
        ("epochs = 1", "optimizer = { type = \"adam\", learning_rate = 0 }", "learning rate is above 0"),
        ("epochs = 1", "optimizer = { type = \"adam\", learning_rate = nan }", "finite number, found `nan`"),
        ("[train]", "[augment]\nrotate = 9\n[train]", "images"),
    ] {
        fails(&SPEC.replacen(from, to, 1), both.as_bytes(), problem);
    }
}

#[test]
fn archives() {
    let spec = SPEC.replacen("\"csv\"", "\"npz\"", 1).replacen("target = \"y\"\n", "", 1);
    let x = || npy("<f4", "(4, 2)", &[0; 32]);
    let y = || npy("|u1", "(4,)", &[0, 1, 0, 1]);
    let good = npz(x(), y());
    for (data, problem) in [
        (vec![], "no NPZ archive, or it is truncated"),
        (good[..good.len() / 2].to_vec(), "no NPZ archive, or it is truncated"),
        (npz(npy("<f4", "(9999999999, 2)", &[0; 32]), y()), "`x.npy`: its header promises"),
        (npz(npy("<U5", "(4, 2)", &[0; 160]), y()), "its elements are `<U5`"),
        (npz(npy("<f4", "(4, 2)", &f32::NAN.to_le_bytes().repeat(8)), y()), "value 0 of sample 0 is NaN"),
        (npz(x(), npy("|u1", "(3,)", &[0, 1, 0])), "`x` has 4 samples, `y` 3"),
        (npz(x(), npy("<f4", "(4,)", &1.5f32.to_le_bytes().repeat(4))), "not one class index a sample"),
        (
            npz(npy("<f4", "(20, 3)", &[0; 240]), npy("|u1", "(20,)", &[0, 1].repeat(10))),
            "which can't be taken as [2]",
        ),
    ] {
        fails(&spec, &data, problem);
    }
}

/// An IDX file of bytes: type, extents, values.
fn idx_bytes(kind: u8, extents: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, kind, extents.len() as u8];
    bytes.extend(extents.iter().flat_map(|extent| extent.to_be_bytes()));
    bytes.extend(values);
    bytes
}

#[test]
fn idx() {
    let spec = SPEC.replacen("\"csv\"", "\"idx\"", 1).replacen("target = \"y\"\n", "", 1).replacen(
        "input = [2]",
        "input = [1, 2, 1]",
        1,
    );
    let images = |count: u32| idx_bytes(8, &[count, 1, 2], &vec![7; 2 * count as usize]);
    let labels = |labels: &[u8]| idx_bytes(8, &[labels.len() as u32], labels);
    let alternate = [0, 1].repeat(20);
    let good = [
        ("train-images-idx3-ubyte", images(40)),
        ("train-labels-idx1-ubyte", labels(&alternate)),
        ("t10k-images-idx3-ubyte", images(4)),
        ("t10k-labels-idx1-ubyte", labels(&[0, 1, 0, 1])),
    ];
    let train = |changed: &str, bytes: Option<Vec<u8>>| {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        for (name, content) in &good {
            match &bytes {
                _ if *name != changed => fs::write(data.join(name), content).unwrap(),
                Some(bytes) => fs::write(data.join(name), bytes).unwrap(),
                None => {}
            }
        }
        let (path, out) = (folder.path().join("spec.toml"), folder.path().join("out"));
        fs::write(&path, &spec).unwrap();
        run(["train".as_ref(), path.as_os_str(), "--out".as_ref(), out.as_os_str()])
    };
    assert_eq!(train("nothing", None).code, 0);
    let nan = f32::NAN.to_be_bytes().repeat(80);
    for (changed, bytes, problem) in [
        ("train-images-idx3-ubyte", None, "neither `train-images-idx3-ubyte` nor"),
        ("train-images-idx3-ubyte", Some(vec![]), "train-images-idx3-ubyte: this is no IDX file"),
        (
            "train-images-idx3-ubyte",
            Some(good[0].1[..9].to_vec()),
            "train-images-idx3-ubyte: it ends within its header",
        ),
        ("train-images-idx3-ubyte", Some(good[0].1[..50].to_vec()), "the file is damaged or truncated"),
        (
            "train-images-idx3-ubyte",
            Some(idx_bytes(8, &[u32::MAX, u32::MAX, u32::MAX], &[])),
            "its header promises",
        ),
        ("train-images-idx3-ubyte", Some(idx_bytes(7, &[40, 1, 2], &[7; 80])), "values are of type 0x07"),
        ("train-images-idx3-ubyte", Some(idx_bytes(13, &[40, 1, 2], &nan)), "value 0 of sample 0 is NaN"),
        ("train-images-idx3-ubyte", Some(images(39)), "[40] labels for the 39 images"),
        ("train-images-idx3-ubyte", Some(idx_bytes(8, &[40], &[7; 40])), "these are no images"),
        ("t10k-images-idx3-ubyte", Some(idx_bytes(8, &[4, 1, 3], &[7; 12])), "test images [1, 3, 1]"),
        ("t10k-labels-idx1-ubyte", Some(labels(&[0, 1, 0, 7])), "label of sample 3 is 7"),
        ("train-labels-idx1-ubyte", Some(labels(&[0; 40])), "1 classes"),
        (
            "train-labels-idx1-ubyte",
            Some(b"\x1f\x8b\x08\0".to_vec()),
            "the gzip stream is damaged or truncated",
        ),
    ] {
        let failed = train(changed, bytes);
        failed.fails(2, problem);
        assert!(!failed.stderr.contains("panicked") && failed.stderr.len() < 2000, "{}", failed.stderr);
    }
}

/// A safetensors file whatever its header promises.
fn safetensors(header: &str, body: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), body].concat()
}

#[test]
fn parameters() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("data"), "a,b,y\n".to_string() + &"1,2,0\n3,4,1\n".repeat(25)).unwrap();
    fs::write(path("spec.toml"), SPEC).unwrap();
    let tensors = |dtype: &str, extents: &str, end: usize| {
        format!(
            "{{\"dense/weights\":{{\"dtype\":\"{dtype}\",\"shape\":{extents},\"data_offsets\":[0,{end}]}},\
             \"dense/bias\":{{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[{end},{}]}}}}",
            end + 8
        )
    };
    let good = safetensors(&tensors("F32", "[2,2]", 16), &[0; 24]);
    let train = |bytes: &[u8]| {
        fs::write(path("w.safetensors"), bytes).unwrap();
        run(["train", &path("spec.toml"), "--out", &path("out"), "--init", &path("w.safetensors")])
    };
    assert_eq!(train(&good).code, 0);
    let nan = [&f32::NAN.to_le_bytes()[..], &[0; 20]].concat();
    for (bytes, problem) in [
        (vec![], "w.safetensors: this is no safetensors file"),
        (good[..good.len() - 1].to_vec(), "w.safetensors: this is no safetensors file"),
        (good[..20].to_vec(), "w.safetensors: this is no safetensors file"),
        ([&[255; 8][..], &good[8..]].concat(), "w.safetensors: this is no safetensors file"),
        (safetensors("{}", &[]), "dense/weights"),
        (safetensors(&tensors("F64", "[2,1]", 16), &[0; 24]), "dense/weights"),
        (safetensors(&tensors("F32", "[4,1]", 16), &[0; 24]), "dense/weights"),
        (safetensors(&tensors("F32", "[99999999999,99999999999]", 16), &[0; 24]), "w.safetensors"),
        (safetensors(&tensors("F32", "[2,2]", 16), &nan), "dense/weights"),
    ] {
        let failed = train(&bytes);
        failed.fails(2, problem);
        assert!(!failed.stderr.contains("panicked") && failed.stderr.len() < 2000, "{}", failed.stderr);
        fs::write(path("m.safetensors"), &bytes).unwrap();
        for verb in ["eval", "predict", "summary"] {
            let data = path("data");
            let arguments = if verb == "predict" { vec![verb, &data] } else { vec![verb] };
            let mut arguments: Vec<&str> = arguments;
            let model = path("m.safetensors");
            arguments.insert(1, &model);
            run(arguments).fails(2, "m.safetensors");
        }
    }
}

/// As in Keras, the batch is all there is; a specification without a sample to learn from is an error.
#[test]
fn batches_larger_than_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("data"), "a,b,y\n".to_string() + &"1,2,0\n3,4,1\n".repeat(25)).unwrap();
    fs::write(path("spec.toml"), SPEC.replacen("epochs = 1", "epochs = 1\nbatch = 1000000000", 1)).unwrap();
    let trained = run(["train", &path("spec.toml"), "--out", &path("out"), "--per-step", "--json"]);
    assert_eq!(trained.json()["steps"].as_array().unwrap().len(), 1);
    let both = "a,b,y\n".to_string() + &"1,2,0\n3,4,1\n".repeat(25);
    fails(&SPEC.replacen("epochs = 1", "batch = 0", 1), both.as_bytes(), "a whole number from 1");
    fails(
        &SPEC.replacen("target = \"y\"", "target = \"y\"\nvalidation = 40", 1),
        both.as_bytes(),
        "leaves none",
    );
}
