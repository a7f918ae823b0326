//! Exports the models, and lays out memory.

use milligrad_build::Model;
use std::path::Path;
use std::{env, fs};

/// Where the models lie. In a firmware of your own: `models/`.
const MODELS: &str = "../../tests/golden/tflite";

fn main() {
    Model::new(format!("{MODELS}/keras-residual-1-7.tflite")).name("residual").build();
    Model::new(format!("{MODELS}/ports-two_sensors.tflite"))
        .name("sensors")
        .weights_section(".rodata.sensors")
        .build();

    // What every cortex-m-rt firmware has.
    let folder = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::copy("memory.x", Path::new(&folder).join("memory.x")).expect("OUT_DIR can be written");
    println!("cargo::rustc-link-search={folder}");
    for argument in ["--nmagic", "-Tlink.x", "-Tdefmt.x"] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    println!("cargo::rerun-if-changed=memory.x");
}
