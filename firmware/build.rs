//! Picks the board's memory map and the models; see `milligrad-firmware-build`.

fn main() {
    milligrad_firmware_build::linker("mps2-an386");
    milligrad_firmware_build::models("");
}
