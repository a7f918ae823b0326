//! Predictions in bulk.

use crate::entry::Entry;
use crate::files::{Records, Results};
use core::ffi::CStr;
use milligrad_protocol::{Exit, files};

/// Predicts every input record and writes the outputs.
pub(crate) fn all<M: Entry>(network: &mut M) -> Result<(), Exit> {
    stream(network, Records::open(files::INPUTS)?, files::OUTPUTS)
}

/// Predicts the records of `inputs` and writes the outputs to the file `outputs`.
pub(crate) fn stream<M: Entry>(
    network: &mut M,
    mut inputs: Records,
    outputs: &'static CStr,
) -> Result<(), Exit> {
    let mut outputs = Results::create(outputs)?;
    while inputs.inputs(network)? {
        network.enter_predict();
        outputs.outputs(network)?;
    }
    Ok(())
}
