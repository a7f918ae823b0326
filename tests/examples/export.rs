//! Prints the sources under `tests/exported/` anew: `cargo run -p milligrad-tests --example export`, then read the diff.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("exported");
    for case in milligrad_tests::cases()? {
        std::fs::write(
            folder.join(case.name).with_extension("rs"),
            milligrad_host::export::rust(&case.program)?,
        )?;
    }
    Ok(())
}
