//! Builds `core` and `alloc` for a target, once, from a compiler that has its library source beside it.

use super::{answer, cargo_program, rustc_program};
use crate::{Error, Result};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A compiler that can build its own library.
pub(super) struct Source {
    rustc: OsString,
    /// `1.96.0`, say.
    pub(super) release: String,
    host: String,
    sysroot: PathBuf,
}

/// The first compiler with library source: the active one, else Debian's.
pub(super) fn source() -> Option<Source> {
    [rustc_program(), "/usr/bin/rustc".into()].into_iter().find_map(|rustc| {
        let version = answer(&rustc, &["-vV"])?;
        let field = |key| version.lines().find_map(|line| line.strip_prefix(key)).map(str::to_owned);
        let sysroot = PathBuf::from(answer(&rustc, &["--print", "sysroot"])?);
        let found = Source { release: field("release: ")?, host: field("host: ")?, rustc, sysroot };
        found.sysroot.join("lib/rustlib/src/rust/library/core").is_dir().then_some(found)
    })
}

/// A linker that can take the place of `rust-lld`: the active toolchain's own, else Debian's.
pub(super) fn lld() -> Option<PathBuf> {
    let own = || {
        let libraries = answer(&rustc_program(), &["--print", "target-libdir"])?;
        Some(Path::new(&libraries).parent()?.join("bin/rust-lld"))
    };
    own().into_iter().chain(["/usr/bin/ld.lld".into()]).find(|path| path.exists())
}

/// The wrapper to use as RUSTC. Builds the target's libraries if they are not there yet.
pub(super) fn prepare(target: &'static str) -> Result<PathBuf> {
    let missing = |reason: &str| Error::NoTarget { target, reason: reason.into() };
    let source = source().ok_or_else(|| missing("no toolchain here can compile for this target"))?;
    let lld = lld().ok_or_else(|| missing("no linker: neither rust-lld nor ld.lld is here"))?;
    let folder = cache()?.join(&source.release);
    let libraries = folder.join("lib/rustlib");
    create(&libraries)?;

    // One builder at a time, whoever asks (tests run in parallel).
    let lock = folder.join("lock");
    let lock =
        fs::File::create(&lock).and_then(|file| file.lock().map(|()| file)).map_err(Error::io(&lock))?;
    let wrapper = folder.join("rustc");
    if !libraries.join(target).join("lib").is_dir() || !wrapper.exists() {
        host_side(&source, &lld, &libraries)?;
        write_wrapper(&source, &folder, &wrapper)?;
        build(&source, &folder, target)?;
    }
    drop(lock);
    Ok(wrapper)
}

/// Where sysroots are kept.
fn cache() -> Result<PathBuf> {
    if let Some(folder) = env::var_os("MILLIGRAD_SYSROOT_DIR") {
        return Ok(folder.into());
    }
    let home = env::home_dir().ok_or_else(|| Error::Io {
        path: "~/.cache".into(),
        source: std::io::Error::other("no home folder; set MILLIGRAD_SYSROOT_DIR"),
    })?;
    Ok(home.join(".cache/milligrad-sysroot"))
}

/// What build scripts and procedural macros need: the host's own `std`, and a linker called rust-lld.
fn host_side(source: &Source, lld: &Path, libraries: &Path) -> Result<()> {
    let host = libraries.join(&source.host);
    create(&host.join("bin"))?;
    link(&source.sysroot.join("lib/rustlib").join(&source.host).join("lib"), &host.join("lib"))?;
    link(lld, &host.join("bin/rust-lld"))
}

fn build(source: &Source, folder: &Path, target: &'static str) -> Result<()> {
    let what = format!("core and alloc for {target}");
    eprintln!("building {what} with rustc {} (once)", source.release);
    let work = folder.join("build");
    create(&work.join("src"))?;
    write(&work.join("src/lib.rs"), "#![no_std]\n")?;
    write(
        &work.join("Cargo.toml"),
        "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n\
         [profile.release]\ncodegen-units = 1\ndebug = 1\n",
    )?;
    let mut cargo = Command::new(cargo_program());
    cargo
        .current_dir(&work)
        .args(["build", "--release", "--quiet", "-Zbuild-std=core,alloc", "--target", target])
        .args(["--target-dir", "target"])
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("RUSTC", &source.rustc)
        .env("RUSTC_BOOTSTRAP", "1")
        // Bitcode too, as in rustup's own libraries, so that the firmware can be optimised as a whole.
        .env("RUSTFLAGS", "-Cembed-bitcode=yes");
    super::run(cargo, what)?;
    let part = folder.join("lib/rustlib").join(format!("{target}.part"));
    let _ = fs::remove_dir_all(&part);
    create(&part.join("lib"))?;
    let built = work.join("target").join(target).join("release/deps");
    for entry in fs::read_dir(&built).map_err(Error::io(&built))? {
        let path = entry.map_err(Error::io(&built))?.path();
        let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else { continue };
        if name.ends_with(".rlib") && !name.starts_with("libempty") {
            fs::copy(&path, part.join("lib").join(name)).map_err(Error::io(&path))?;
        }
    }
    fs::rename(&part, part.with_file_name(target)).map_err(Error::io(&part))?;
    let _ = fs::remove_dir_all(work.join("target"));
    Ok(())
}

fn create(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(Error::io(folder))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(Error::io(path))
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> Result<()> {
    let _ = fs::remove_file(at);
    std::os::unix::fs::symlink(to, at).map_err(Error::io(at))
}

#[cfg(unix)]
fn write_wrapper(source: &Source, folder: &Path, wrapper: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let rustc = Path::new(&source.rustc);
    write(
        wrapper,
        &format!("#!/bin/sh\nexec '{}' --sysroot '{}' \"$@\"\n", rustc.display(), folder.display()),
    )?;
    fs::set_permissions(wrapper, fs::Permissions::from_mode(0o755)).map_err(Error::io(wrapper))
}

#[cfg(not(unix))]
fn link(_: &Path, at: &Path) -> Result<()> {
    Err(unsupported(at))
}

#[cfg(not(unix))]
fn write_wrapper(_: &Source, _: &Path, wrapper: &Path) -> Result<()> {
    Err(unsupported(wrapper))
}

#[cfg(not(unix))]
fn unsupported(path: &Path) -> Error {
    let reason = "a sysroot of one's own needs a Unix system; run `rustup target add` for the board's target";
    Error::Io { path: path.into(), source: std::io::Error::other(reason) }
}
