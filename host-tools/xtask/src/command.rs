//! Running other programs.

use crate::Result;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Runs to the end; the program's own output goes to stderr, so that stdout stays for results.
pub(crate) fn execute(command: &mut Command) -> Result<()> {
    let shown = format!("{} {}", command.get_program().display(), words(command));
    let status = command.stdout(Stdio::from(std::io::stderr())).stdin(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` ended with {status}").into()),
        Err(error) => Err(format!("`{shown}`: {error}").into()),
    }
}

fn words(command: &Command) -> String {
    command.get_args().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// The cargo that runs this task.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    let manifest = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).expect("xtask lives two folders below the root").to_owned()
}

/// `true` if a program is on the path.
pub(crate) fn exists(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}
