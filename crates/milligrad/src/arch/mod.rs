//! Code for one core family each. `unsafe` and assembly live here and nowhere else; every function gives the
//! same bits as its portable twin.

#[cfg(all(target_arch = "arm", target_abi = "eabihf"))]
pub(crate) mod arm_fpu;
