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
        (&rows("1,2,same\n"), "there are 1 classes"),
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
