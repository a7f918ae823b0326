//! Keys of built firmware: a hash of everything that goes into it.

use crate::{Error, Result};
use milligrad_firmware_build::Manifest;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// Folders of the checkout that a firmware is built from, beside the models.
const SOURCES: [&str; 3] = ["firmware", "crates/milligrad", "crates/milligrad-store"];
/// And one that exports its models itself.
const EXPORTER: [&str; 2] = ["crates/milligrad-host", "crates/milligrad-build"];

/// A hash of the sources, of the models and of `others`.
pub(super) fn key(root: &Path, project: &str, manifest: &Manifest, others: &[&str]) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    others.hash(&mut hasher);
    for model in manifest.models() {
        (&model.name, model.kind.word()).hash(&mut hasher);
        fs::read(&model.path).map_err(Error::io(&model.path))?.hash(&mut hasher);
    }
    let mut files = vec![root.join("Cargo.toml")];
    for folder in SOURCES {
        collect(&root.join(folder), &mut files)?;
    }
    if !project.starts_with("firmware") {
        for folder in EXPORTER.into_iter().chain([project]) {
            collect(&root.join(folder), &mut files)?;
        }
    }
    files.sort();
    for path in files {
        path.strip_prefix(root).unwrap_or(&path).hash(&mut hasher);
        fs::read(&path).map_err(Error::io(&path))?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// Adds the files of a folder that a build reads. A folder that does not exist has none.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            if name != "target" && name != "tests" && name != "tests-models" {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|ext| ext == "rs" || ext == "toml" || ext == "x") {
            files.push(path);
        }
    }
    Ok(())
}
