//! Picks the memory map and the models; see `milligrad-firmware-build`.

fn main() {
    milligrad_firmware_build::linker("nrf52840-dk");
    milligrad_firmware_build::models("");
}
