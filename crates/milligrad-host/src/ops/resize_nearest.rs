//! ResizeNearest: which row and column each pixel comes from, in f32 as TensorFlow Lite computes it.

use super::{Lower, image, int8_only};
use crate::graph::TensorInfo;
use crate::program::Kernel;

pub(super) fn infer(size: [usize; 2], input: &TensorInfo) -> Result<Vec<usize>, String> {
    int8_only(input)?;
    let [height, width, depth] = image(input)?;
    if size.into_iter().chain([height, width]).any(|n| !(1..=usize::from(u16::MAX)).contains(&n)) {
        return Err(format!("from [{height}, {width}] to {size:?}: an extent is not within 1 to 65,535"));
    }
    Ok(vec![size[0], size[1], depth])
}

pub(super) fn lower(node: &Lower<'_>, size: [usize; 2], corners: bool, centers: bool) -> Kernel {
    let input = image(node.input()).expect("a verified resize has an image");
    let [rows, columns] = [0, 1].map(|axis| nearest(input[axis], size[axis], corners, centers));
    Kernel::ResizeNearest { input, rows, columns }
}

fn nearest(input: usize, output: usize, corners: bool, centers: bool) -> Vec<u16> {
    let scale = if corners && output > 1 {
        (input - 1) as f32 / (output - 1) as f32
    } else {
        input as f32 / output as f32
    };
    let offset = if centers { 0.5 } else { 0.0 };
    let from = |to: usize| {
        let at = (to as f32 + offset) * scale;
        let at = if corners { at.round() } else { at.floor() };
        (at as usize).min(input - 1) as u16
    };
    (0..output).map(from).collect()
}
