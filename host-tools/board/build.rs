//! Packs what a firmware is built from (the firmware, the device crate, the QEMU plugin) into one file, so that an installed
//! program can build firmware where there is no checkout. `src/sources.rs` unpacks it.
//!
//! Of each file: the length of its path, the path, its length, its bytes; lengths are 32 bits, little-endian.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Files and folders of the checkout.
const SOURCES: [&str; 6] =
    ["Cargo.toml", "Cargo.lock", "README.md", "firmware", "crates/milligrad", "host-tools/qemu-profile"];

fn main() {
    let root = Path::new("../..");
    let mut files = Vec::new();
    // A package without the checkout around it has nothing to pack; its program then asks for MILLIGRAD_ROOT.
    if root.join("firmware/Cargo.toml").is_file() {
        for source in SOURCES {
            println!("cargo::rerun-if-changed={}", root.join(source).display());
            collect(&root.join(source), &mut files);
        }
        files.sort();
    }
    let mut packed = Vec::new();
    for path in files {
        let name = path.strip_prefix(root).expect("it was found under the root");
        let name: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
        for bytes in
            [name.join("/").into_bytes(), fs::read(&path).expect("a file of the checkout can be read")]
        {
            packed.extend(u32::try_from(bytes.len()).expect("sources are small").to_le_bytes());
            packed.extend(bytes);
        }
    }
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(folder.join("sources.bin"), packed).expect("OUT_DIR can be written");
}

/// The files of a folder that a build reads, or the one file.
fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_file() {
        files.push(path.to_owned());
        return;
    }
    for entry in fs::read_dir(path).expect("a folder of the checkout can be read") {
        let path = entry.expect("a folder of the checkout can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let built =
            path.extension().is_some_and(|ext| ext == "rs" || ext == "toml" || ext == "x" || ext == "lock");
        if path.is_dir() && !["target", "tests", "tests-models"].contains(&name.as_str()) {
            collect(&path, files);
        } else if path.is_file() && built {
            files.push(path);
        }
    }
}
