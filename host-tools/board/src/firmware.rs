//! Builds firmware: one ELF file for a board and a set of models, built once and found again by its content.

mod cache;

use crate::qemu::LogLine;
use crate::sources::root;
use crate::{Board, Error, Result, toolchain};
use milligrad_firmware_build::{BOARD, Kind, MARKS, MODELS, Manifest, Model};
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;
use std::time::Duration;

/// A generated model file, to be built into a firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelSource {
    /// The name by which the model is asked for: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// The generated Rust file, which includes no others.
    pub path: PathBuf,
    /// What the firmware does with it.
    pub kind: Kind,
}

impl ModelSource {
    /// A model that only predicts.
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), path: path.into(), kind: Kind::Predicts }
    }

    /// A model file as its first line says: `// milligrad model: name=NAME learns=no|yes|batches`.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::NotAModel`] for a file without such a line.
    pub fn read(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        let words = || {
            let line = text.lines().next()?.strip_prefix("// milligrad model:")?;
            Some(line.split_whitespace().filter_map(|word| word.split_once('=')))
        };
        let value = |key| words()?.find_map(|(name, value)| (name == key).then_some(value));
        let kind = match value("learns") {
            Some("no") => Some(Kind::Predicts),
            Some("yes") => Some(Kind::Learns),
            Some("batches") => Some(Kind::LearnsInBatches),
            _ => None,
        };
        match (value("name"), kind) {
            (Some(name), Some(kind)) => Ok(Self { name: name.into(), path, kind }),
            _ => Err(Error::NotAModel { path }),
        }
    }

    /// A model that was exported with training.
    pub fn learning(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { kind: Kind::Learns, ..Self::new(name, path) }
    }

    /// A model that was exported with batches; its steps take [`TrainPlan::batch`](crate::TrainPlan::batch) samples each.
    pub fn learning_in_batches(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { kind: Kind::LearnsInBatches, ..Self::new(name, path) }
    }
}

/// What the compiler optimises for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum OptLevel {
    /// `-O3`, as in the reference build.
    #[default]
    Speed,
    /// `-Os`.
    Size,
}

/// How to build. The default is the reference build, to which every reported size and count refers: `-O3`, fat
/// LTO, one codegen unit, `panic = "abort"`, generic CPU of the target (on the Cortex-M55 the core's own), sums of products as on
/// this desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Options {
    /// What the compiler optimises for.
    pub opt_level: OptLevel,
    /// Whether the end of every layer is marked for the profiler. [`Firmware::profile`] builds with it by itself.
    pub marks: bool,
    /// Whether layers in f32 add up products by fused multiply-add: the feature `fma` of the device crate. A desk whose results
    /// are to be compared has to have it, too.
    pub fma: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { opt_level: OptLevel::default(), marks: false, fma: milligrad::math::FUSED }
    }
}

/// Called with every line of the log.
pub(crate) type OnLog = Arc<dyn Fn(&LogLine) + Send + Sync>;

/// A firmware for an emulated board, with some models in it.
#[derive(Clone)]
pub struct Firmware {
    pub(crate) board: &'static Board,
    pub(crate) elf: PathBuf,
    pub(crate) models: Vec<ModelSource>,
    pub(crate) options: Options,
    pub(crate) limit: Duration,
    pub(crate) on_log: OnLog,
}

impl std::fmt::Debug for Firmware {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Firmware")
            .field("board", &self.board.name)
            .field("elf", &self.elf)
            .finish_non_exhaustive()
    }
}

impl Firmware {
    /// Builds the reference build. An ELF file that was built from the same sources before is used again.
    ///
    /// Figures of a model are the truest from a firmware that holds that model alone: code that two models share
    /// is inlined less.
    ///
    /// # Errors
    /// [`Error::NotEmulated`], [`Error::NoTarget`], [`Error::Models`], [`Error::DoesNotFit`], [`Error::Build`].
    pub fn build(board: &'static Board, models: &[ModelSource]) -> Result<Self> {
        Self::build_with(board, models, Options::default())
    }

    /// Builds with options.
    ///
    /// # Errors
    /// Those of [`build`](Self::build).
    pub fn build_with(board: &'static Board, models: &[ModelSource], options: Options) -> Result<Self> {
        if !board.is_emulated() {
            return Err(Error::NotEmulated { board: board.name });
        }
        let project = Project { folder: "firmware", binary: "milligrad-firmware" };
        let elf = project.build(board, models, options)?;
        Ok(Self {
            board,
            elf,
            models: models.to_vec(),
            options,
            limit: Duration::from_secs(120),
            on_log: Arc::new(|_| {}),
        })
    }

    /// Limits the real time of each run in QEMU; two minutes unless set.
    #[must_use]
    pub fn with_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Calls `on_log` with every line that the firmware logs, as it comes.
    #[must_use]
    pub fn with_log(self, on_log: impl Fn(&LogLine) + Send + Sync + 'static) -> Self {
        Self { on_log: Arc::new(on_log), ..self }
    }

    /// The board that it was built for.
    #[must_use]
    pub fn board(&self) -> &'static Board {
        self.board
    }

    /// The ELF file.
    #[must_use]
    pub fn elf(&self) -> &Path {
        &self.elf
    }

    /// The model of that name.
    pub(crate) fn model(&self, name: &str) -> Result<&ModelSource> {
        self.models.iter().find(|model| model.name == name).ok_or_else(|| Error::UnknownModel {
            model: name.into(),
            board: self.board.name,
            known: self.models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }
}

/// Builds the example firmware of a real board; returns the ELF file. Without models it holds its own.
///
/// # Errors
/// [`Error::NoExample`] for a board without one, else those of [`Firmware::build`].
pub fn build_example(board: &'static Board, models: &[ModelSource]) -> Result<PathBuf> {
    let project = match board.name {
        "nrf52840-dk" => Project { folder: "firmware/nrf52840-dk", binary: "milligrad-nrf52840-dk" },
        _ => return Err(Error::NoExample { board: board.name }),
    };
    project.build(board, models, Options::default())
}

/// Builds a firmware of a package of its own in the checkout, such as `examples/two-models`; returns the ELF file. Its models
/// are its own.
///
/// # Errors
/// Those of [`Firmware::build`].
pub fn build_package(board: &'static Board, folder: &'static str, binary: &'static str) -> Result<PathBuf> {
    Project { folder, binary }.build(board, &[], Options::default())
}

/// A package of the firmware's workspace.
#[derive(Clone, Copy)]
struct Project {
    folder: &'static str,
    binary: &'static str,
}

impl Project {
    /// Builds the package's binary and returns the ELF file, whose name tells what it was built from.
    fn build(self, board: &'static Board, models: &[ModelSource], options: Options) -> Result<PathBuf> {
        let root = root()?;
        let target = root.join("target/firmware");
        let manifest = manifest(models, &target.join("models"))?;
        let toolchain = toolchain::prepare(board.target)?;
        let key = cache::key(
            &root,
            self.folder,
            &manifest,
            &[&format!("{board:?}{self:?}{options:?}"), &toolchain.version()],
        )?;
        let elf = target.join("elf").join(format!("{}-{key:016x}.elf", board.name));
        fs::create_dir_all(target.join("elf")).map_err(Error::io(&target))?;

        // All boards share one target folder, so that dependencies are built once for each target; the lock
        // keeps the program in its place until it is copied.
        let lock = target.join("lock");
        let lock =
            File::create(&lock).and_then(|file| file.lock().map(|()| file)).map_err(Error::io(&lock))?;
        if elf.is_file() {
            return Ok(elf);
        }
        let mut cargo = toolchain.cargo();
        cargo
            .current_dir(root.join(self.folder))
            .args(["rustc", "--release", "--quiet", "--bin", self.binary])
            .args(["--target", board.target, "--target-dir"])
            .arg(&target)
            .args(options.fma.then_some("--features=fma"))
            // Both are for the analysis of the ELF file, and neither changes the code. The first is unstable, so
            // the final crate is allowed unstable flags.
            .args(["--", "-Zemit-stack-sizes", "-Clink-arg=--emit-relocs"])
            .env("RUSTC_BOOTSTRAP", self.binary.replace('-', "_"))
            .env(BOARD, board.name)
            .env(MARKS, if options.marks { "1" } else { "0" });
        if !manifest.models().is_empty() {
            let list = elf.with_extension("models");
            fs::write(&list, manifest.to_string()).map_err(Error::io(&list))?;
            cargo.env(MODELS, list);
        }
        if options.opt_level == OptLevel::Size {
            cargo.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s");
        }
        if board.target_cpu != "generic" {
            let target = board.target.to_uppercase().replace(['-', '.'], "_");
            cargo.env(
                format!("CARGO_TARGET_{target}_RUSTFLAGS"),
                format!("-Ctarget-cpu={}", board.target_cpu),
            );
        }
        let names: Vec<_> = models.iter().map(|model| model.name.as_str()).collect();
        let what = format!("firmware for {} with models [{}]", board.name, names.join(", "));
        toolchain::run(cargo, what).map_err(|error| too_big(board, error))?;
        let built = target.join(board.target).join("release").join(self.binary);
        // Copied under another name first: a file of the final name is always whole.
        let part = elf.with_extension("part");
        fs::copy(&built, &part).map_err(Error::io(&built))?;
        fs::rename(&part, &elf).map_err(Error::io(&elf))?;
        drop(lock);
        Ok(elf)
    }
}

impl std::fmt::Debug for Project {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.folder)
    }
}

/// The list of models, each in a copy in a folder whose name tells what is in it: a file that somebody writes anew while this builds does not
/// get into a firmware that bears the name of another.
fn manifest(models: &[ModelSource], folder: &Path) -> Result<Manifest> {
    let model = |model: &ModelSource| {
        let text = fs::read(&model.path).map_err(Error::io(&model.path))?;
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        // Under its own name, which a panic tells.
        let folder = folder.join(format!("{:016x}", hasher.finish()));
        let path = folder.join(model.path.file_name().unwrap_or("model.rs".as_ref()));
        if fs::read(&path).ok().as_ref() != Some(&text) {
            fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
            let part = tempfile::NamedTempFile::new_in(&folder).map_err(Error::io(&folder))?;
            fs::write(part.path(), &text).map_err(Error::io(part.path()))?;
            part.persist(&path).map_err(|error| Error::io(&path)(error.error))?;
        }
        let path = absolute(&path).map_err(Error::io(&path))?;
        Ok(Model { name: model.name.clone(), path, kind: model.kind })
    };
    Ok(Manifest::new(models.iter().map(model).collect::<Result<_>>()?)?)
}

/// Tells a program that is too big for the board from other failures.
fn too_big(board: &'static Board, error: Error) -> Error {
    let Error::Build { what, output } = error else { return error };
    match output.lines().find(|line| line.contains("will not fit in region")) {
        Some(line) => Error::DoesNotFit {
            what,
            flash: board.flash_bytes,
            ram: board.ram_bytes,
            reason: line.split("error: ").last().unwrap_or(line).trim().into(),
        },
        None => Error::Build { what, output },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_is_written_anew_does_not_get_into_a_build() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.rs");
        let of = |text: &str| {
            fs::write(&path, text).unwrap();
            let list = manifest(&[ModelSource::new("m", &path)], &folder.path().join("copies")).unwrap();
            list.models()[0].path.clone()
        };
        let (first, second) = (of("// one"), of("// two"));
        assert_eq!(fs::read_to_string(&first).unwrap(), "// one");
        assert_eq!(fs::read_to_string(&second).unwrap(), "// two");
        assert_eq!((of("// one"), first.file_name()), (first.clone(), path.file_name()));
    }

    #[test]
    fn a_model_file_says_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.rs");
        fs::write(&path, "// milligrad model: name=xor learns=yes optimizer=Sgd\n").unwrap();
        assert_eq!(ModelSource::read(&path).unwrap(), ModelSource::learning("xor", &path));
        fs::write(&path, "// milligrad model: name=xor learns=batches optimizer=Sgd\n").unwrap();
        assert_eq!(ModelSource::read(&path).unwrap(), ModelSource::learning_in_batches("xor", &path));
        fs::write(&path, "// milligrad model: name=xor learns=no optimizer=none\n").unwrap();
        assert_eq!(ModelSource::read(&path).unwrap(), ModelSource::new("xor", &path));
        for text in
            ["", "fn main() {}", "// milligrad model: learns=no", "// milligrad model: name=x learns=maybe"]
        {
            fs::write(&path, text).unwrap();
            assert!(matches!(ModelSource::read(&path), Err(Error::NotAModel { .. })), "{text}");
        }
    }
}
