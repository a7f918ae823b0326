//! Picks the memory map and the models; see `milligrad-firmware-build`.

/// The models of this folder. `milligrad-board` can put other ones of the same names in their place.
const MODELS: &str = "\
predicts digits models/digits.rs
learns digits-learning models/digits_learning.rs
";

fn main() {
    milligrad_firmware_build::linker("nrf52840-dk");
    milligrad_firmware_build::models(MODELS);
}
