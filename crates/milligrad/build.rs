//! Chooses the core whose kernels are compiled: the target features `dsp` and `mve` are unknown to stable compilers, the
//! triple, `target-cpu` and the setting are not.

use std::env;

fn main() {
    println!(
        "cargo::rustc-check-cfg=cfg(milligrad_dsp, milligrad_fpu, milligrad_mve, milligrad_thumb, milligrad_thumb2, milligrad_vfp)"
    );
    println!("cargo::rerun-if-env-changed=MILLIGRAD_CORE");
    let target = env::var("TARGET").unwrap_or_default();
    // Every Armv7E-M core has the DSP instructions, and no other core is known to want them.
    let has_dsp = target.starts_with("thumbv7em");
    let dsp = match env::var("MILLIGRAD_CORE").as_deref() {
        Ok("portable") => false,
        Ok("armv7e-m") | Err(_) => has_dsp,
        Ok(other) => panic!("MILLIGRAD_CORE={other}: it is `portable` or `armv7e-m`"),
    };
    if dsp {
        println!("cargo::rustc-cfg=milligrad_dsp");
        if target.ends_with("eabihf") {
            println!("cargo::rustc-cfg=milligrad_fpu");
        }
    }
    let cortex_m = ["thumbv6m", "thumbv7m", "thumbv7em", "thumbv8m"].iter().any(|m| target.starts_with(m));
    if cortex_m && target.ends_with("eabihf") {
        println!("cargo::rustc-cfg=milligrad_vfp");
    }
    // Every Cortex-M has the instructions of the smallest.
    if cortex_m && env::var("MILLIGRAD_CORE").as_deref() != Ok("portable") {
        println!("cargo::rustc-cfg=milligrad_thumb");
        if target.starts_with("thumbv7") || target.starts_with("thumbv8m.main") {
            println!("cargo::rustc-cfg=milligrad_thumb2");
        }
    }
    // The M33 has the same triple as the M55, but no vectors.
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    if flags.contains("target-cpu=cortex-m55") {
        println!("cargo::rustc-cfg=milligrad_mve");
    }
}
