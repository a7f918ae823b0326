//! The sources that firmware is built from: a checkout, or the copy that this program carries.

use crate::{Error, Result};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Component, Path, PathBuf, absolute};
use std::{env, process};

/// What `build.rs` has packed.
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sources.bin"));

/// Members of the copy's workspace, instead of those of the checkout's.
const MEMBERS: &str = r#"members = ["crates/milligrad", "host-tools/qemu-profile"]"#;

/// The folder with milligrad's sources: `MILLIGRAD_ROOT`; else the checkout that this program was built in; else, or where
/// `MILLIGRAD_ROOT` is empty, the copy that it carries, unpacked into the user's cache.
///
/// # Errors
/// [`Error::NoSources`] if there is no firmware in it, [`Error::Io`] if the cache can't be written.
pub fn root() -> Result<PathBuf> {
    let has_firmware = |path: &Path| path.join("firmware/Cargo.toml").is_file();
    let named = env::var_os("MILLIGRAD_ROOT").map(PathBuf::from);
    match named {
        Some(path) if !path.as_os_str().is_empty() => {
            let path = normal(&path)?;
            if has_firmware(&path) { Ok(path) } else { Err(Error::NoSources { path }) }
        }
        named => {
            let checkout = normal(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))?;
            if named.is_none() && has_firmware(&checkout) { Ok(checkout) } else { unpacked(&checkout) }
        }
    }
}

/// The path without `..`.
fn normal(path: &Path) -> Result<PathBuf> {
    let path = absolute(path).map_err(Error::io(path))?;
    Ok(path.components().fold(PathBuf::new(), |mut path, part| {
        if part == Component::ParentDir {
            path.pop();
        } else {
            path.push(part);
        }
        path
    }))
}

/// Where the copy is kept: `MILLIGRAD_CACHE`, else `milligrad` in the user's cache.
fn cache() -> Result<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = set("MILLIGRAD_CACHE") {
        return absolute(&folder).map_err(Error::io(&folder));
    }
    let user = set("XDG_CACHE_HOME").or_else(|| Some(env::home_dir()?.join(".cache")));
    let none = || std::io::Error::other("no home folder; set MILLIGRAD_CACHE");
    Ok(user.ok_or_else(none).map_err(Error::io("~/.cache"))?.join("milligrad"))
}

/// The copy, unpacked. Its folder has the name of its contents, and appears whole or not at all.
fn unpacked(checkout: &Path) -> Result<PathBuf> {
    if PACKED.is_empty() {
        return Err(Error::NoSources { path: checkout.into() });
    }
    let mut hasher = DefaultHasher::new();
    (PACKED, MEMBERS).hash(&mut hasher);
    let cache = cache()?;
    let folder = cache.join(format!("sources-{}-{:016x}", env!("CARGO_PKG_VERSION"), hasher.finish()));
    if folder.is_dir() {
        return Ok(folder);
    }
    let part = cache.join(format!(".sources-{}", process::id()));
    let written = files(PACKED).try_for_each(|(name, bytes)| {
        let path = part.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&part)).map_err(Error::io(&path))?;
        let bytes = if name == "Cargo.toml" { workspace(bytes) } else { bytes.to_vec() };
        fs::write(&path, bytes).map_err(Error::io(&path))
    });
    // Somebody else may have been faster: then theirs is there, and is the same.
    let placed = written.and_then(|()| fs::rename(&part, &folder).map_err(Error::io(&folder)));
    if placed.is_err() {
        let _ = fs::remove_dir_all(&part);
    }
    if folder.is_dir() { Ok(folder) } else { placed.map(|()| folder) }
}

/// The manifest of the workspace, with those members that are here.
fn workspace(manifest: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(manifest);
    let lines = text.lines().map(|line| if line.starts_with("members = ") { MEMBERS } else { line });
    lines.flat_map(|line| [line, "\n"]).collect::<String>().into_bytes()
}

/// Names and bytes of the packed files.
fn files(mut packed: &[u8]) -> impl Iterator<Item = (&str, &[u8])> {
    let mut next = move || {
        let (len, rest) = packed.split_first_chunk()?;
        let (bytes, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        packed = rest;
        Some(bytes)
    };
    std::iter::from_fn(move || {
        let (name, bytes) = (next()?, next()?);
        Some((std::str::from_utf8(name).ok()?, bytes))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_is_complete() {
        let root = normal(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap();
        let names: Vec<_> = files(PACKED).map(|(name, _)| name).collect();
        for name in [
            "Cargo.toml",
            "Cargo.lock",
            "firmware/Cargo.lock",
            "firmware/src/main.rs",
            "firmware/boards/mps2-an386.x",
        ] {
            assert!(names.contains(&name), "{name}");
        }
        for (name, bytes) in files(PACKED) {
            assert!(fs::read(root.join(name)).unwrap() == bytes, "{name}");
        }
        let manifest = files(PACKED).find(|(name, _)| *name == "Cargo.toml").unwrap().1;
        assert!(String::from_utf8(workspace(manifest)).unwrap().contains(MEMBERS));
    }
}
