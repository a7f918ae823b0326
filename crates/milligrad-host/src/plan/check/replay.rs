//! Replay of the packed kernels, element by element: in which order they read and write.

use super::Memory;
use crate::pack::Packed;
use crate::program::Step;
use milligrad::Window2d;
use milligrad::packed::PackedConv2d;

/// Replays a step whose output may lie over its input.
pub(super) fn packed(memory: &mut Memory<'_>, step: &Step, packed: &Packed) -> Result<(), String> {
    if let Some(scratch) = step.scratch {
        // It is in use all the time: were it to overlap the input, a read would tell.
        let (scratch_range, y) = (memory.program.range(scratch), memory.program.range(step.output));
        if scratch_range.start < y.end && y.start < scratch_range.end {
            return Err(format!(
                "`{}` has its scratch at {scratch_range:?} and its output at {y:?}",
                step.name
            ));
        }
        memory.write(scratch)?;
    }
    let len = memory.program.buffer(step.output).len;
    match packed {
        Packed::Dense { .. } => {
            memory.write(step.output)?;
            memory.read(step.inputs[0], &step.name)
        }
        Packed::Conv2d { window, .. } => conv2d(memory, step, window, len / window.positions()),
        Packed::Depthwise { window, .. } => depthwise(memory, step, window),
        Packed::Add(_) => (0..len).try_for_each(|i| {
            step.inputs.iter().try_for_each(|&x| memory.read_at(x, i, &step.name))?;
            memory.write_at(step.output, i)
        }),
    }
}

/// Reads four positions, writes four; the last ones one by one.
fn conv2d(memory: &mut Memory<'_>, step: &Step, window: &Window2d, filters: usize) -> Result<(), String> {
    let image: Vec<Option<usize>> = (0..window.input_len()).map(Some).collect();
    let mut patch = vec![None; window.patch_len()];
    let positions: Vec<_> = window.each_position().collect();
    let mut done = 0;
    while done < positions.len() {
        let group = if done + PackedConv2d::GROUP <= positions.len() { PackedConv2d::GROUP } else { 1 };
        for &at in &positions[done..done + group] {
            window.gather(&image, at, None, &mut patch);
            patch.iter().flatten().try_for_each(|&i| memory.read_at(step.inputs[0], i, &step.name))?;
        }
        for i in done * filters..(done + group) * filters {
            memory.write_at(step.output, i)?;
        }
        done += group;
    }
    Ok(())
}

/// Reads a whole channel, then writes it.
fn depthwise(memory: &mut Memory<'_>, step: &Step, window: &Window2d) -> Result<(), String> {
    let [height, width, depth] = window.input();
    for channel in 0..depth {
        for pixel in 0..height * width {
            memory.read_at(step.inputs[0], pixel * depth + channel, &step.name)?;
        }
        for position in 0..window.positions() {
            memory.write_at(step.output, position * depth + channel)?;
        }
    }
    Ok(())
}
