//! Code for one core family each. `unsafe` and assembly live here and nowhere else; every function gives the
//! same bits as its portable twin.
#![allow(unsafe_code)]

#[cfg(milligrad_vfp)]
pub(crate) mod arm_fpu;
#[cfg(milligrad_dsp)]
pub(crate) mod dsp;
pub(crate) mod lend;
#[cfg(target_has_atomic = "8")]
pub(crate) mod reserved;
mod rolled;
#[cfg(milligrad_thumb)]
pub(crate) mod thumb;
pub(crate) mod words;

pub(crate) use rolled::rolled;
