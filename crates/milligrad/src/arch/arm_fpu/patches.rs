//! The walk of a convolution over its positions. Where patches are so small that registers hold one, positions that need no
//! padding go to a kernel together.

use crate::Window2d;
use crate::layers::Conv2d;
use crate::window::{Inside, Patches};

/// The most elements of a small patch.
const LONGEST: usize = 9;

/// `true` if the kernels of small patches take the window's, of 1 to [`LONGEST`] elements.
pub(super) fn is_small(window: &Window2d) -> bool {
    (1..=LONGEST).contains(&window.patch_len())
}

/// Positions beside each other, with what the kernels know of their patches.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Run {
    /// The first patch.
    image: *const f32,
    /// Bytes from a patch to the next.
    step: usize,
    /// Bytes from a line of a patch to the next where there are three, of three elements, else 0: a patch lies together.
    line: usize,
    /// Patches beside each other, at least one.
    positions: usize,
    /// Elements of a patch.
    len: usize,
    /// Rows of so many patches, at least one; all lie in what `image` points into.
    rows: usize,
    /// Bytes from behind a row to the next.
    down: usize,
}

impl Run {
    /// A patch that was gathered.
    fn of(patch: &[f32]) -> Self {
        Self { image: patch.as_ptr(), step: 0, line: 0, positions: 1, len: patch.len(), rows: 1, down: 0 }
    }

    /// How many positions these are.
    #[inline(always)]
    pub(super) fn count(&self) -> usize {
        self.positions * self.rows
    }
}

/// Calls `visit` with all positions of a convolution, in order: the number of the first, and a run of small patches in the image,
/// if they are for the kernels, or one patch that was gathered. Only positions that are `wanted` are gathered.
#[inline(always)]
pub(super) fn each_run(
    layer: &Conv2d<'_, f32>,
    x: &[f32],
    patch: &mut [f32],
    is_small: bool,
    wanted: impl Fn(usize) -> bool,
    mut visit: impl FnMut(usize, Run, &[f32]),
) {
    let window = &layer.window;
    let len = window.patch_len();
    let Some(patch) = patch.get_mut(..len) else { return };
    let line = match (window.kernel()[0], window.kernel()[1] * window.input()[2]) {
        (1, _) if is_small => Some(0),
        (3, 3) if is_small => Some(4),
        _ => None,
    };
    let patches = Patches::new(window);
    let [height, width] = window.output();
    let mut position = 0;
    for row in patches.rows() {
        let mut column = 0;
        while column < width {
            let inside = line.and_then(|bytes| Some((bytes, row.inside(x, column)?)));
            let mut positions = 1;
            if let Some((bytes, Inside { image, step, line, positions: beside, down })) = inside {
                // Where no position sees padding, all go together.
                let rows =
                    if beside == width && position == 0 && patches.all_inside(image) { height } else { 1 };
                let run = Run {
                    image: image.as_ptr(),
                    step: 4 * step,
                    line: bytes * line,
                    positions: beside,
                    len,
                    rows,
                    down: down.wrapping_sub(beside * step).wrapping_mul(4),
                };
                visit(position, run, &[]);
                if rows > 1 {
                    return;
                }
                positions = beside;
            } else if wanted(position) {
                row.gather::<f32>(x, column, layer.pad, patch);
                visit(position, Run::of(patch), patch);
            }
            position += positions;
            column += positions;
        }
    }
}
