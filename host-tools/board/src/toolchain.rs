//! Finds a compiler with `core` for a bare-metal target. Two ways, tried in this order:
//!
//! 1. the active toolchain has the target (`rustup target add ...`): nothing to do;
//! 2. a `rustc` has its library source beside it (Debian's rustc-web and rust-web-src, or rustup's component
//!    `rust-src`): `core` and `alloc` are built once into a sysroot in the user's cache, and cargo gets a
//!    wrapper that points `rustc` there. From then on plain cargo works.

mod status;
mod sysroot;

pub use status::{Tool, status};

use crate::{Error, Result};
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian's packages for the second way.
pub(crate) const DEBIAN: &str = "rustc-web rust-web-src lld";

/// A way to compile for a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Toolchain {
    /// The active toolchain has the target.
    Installed,
    /// This wrapper of `rustc` has it.
    Sysroot(PathBuf),
}

/// Finds a toolchain for the target; builds `core` for it first if that is the way, which takes minutes once.
///
/// # Errors
/// [`Error::NoTarget`], which says what to install.
pub fn prepare(target: &'static str) -> Result<Toolchain> {
    if installed(target) {
        return Ok(Toolchain::Installed);
    }
    sysroot::prepare(target).map(Toolchain::Sysroot)
}

impl Toolchain {
    /// A `cargo` that compiles with this toolchain. Nothing of the environment that an outer cargo set for its
    /// own builds leaks into it.
    #[must_use]
    pub fn cargo(&self) -> Command {
        let mut cargo = Command::new(cargo_program());
        for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET"] {
            cargo.env_remove(variable);
        }
        if let Toolchain::Sysroot(wrapper) = self {
            cargo.env("RUSTC", wrapper).env_remove("RUSTC_WRAPPER").env_remove("RUSTC_WORKSPACE_WRAPPER");
        }
        cargo
    }

    /// Version of the compiler, for cache keys and reports.
    #[must_use]
    pub fn version(&self) -> String {
        let rustc = match self {
            Toolchain::Installed => rustc_program(),
            Toolchain::Sysroot(wrapper) => wrapper.into(),
        };
        answer(&rustc, &["-V"]).unwrap_or_default()
    }
}

/// Runs a build to its end.
pub(crate) fn run(mut cargo: Command, what: impl Into<String>) -> Result<()> {
    let output = cargo.output().map_err(|source| Error::Tool {
        tool: "cargo".into(),
        remedy: "install Rust from https://rustup.rs",
        source,
    })?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Build { what: what.into(), output: String::from_utf8_lossy(&output.stderr).into_owned() })
}

fn cargo_program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn rustc_program() -> OsString {
    env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

/// Whether the active toolchain has `core` for the target.
fn installed(target: &str) -> bool {
    answer(&rustc_program(), &["--print", "target-libdir", "--target", target])
        .is_some_and(|folder| Path::new(&folder).is_dir())
}

/// What a program prints, if it can be run and succeeds.
fn answer(program: &OsString, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
