//! ResizeNearest: an image at another size, each pixel taken from the nearest one.

/// `y[r, c] = x[rows[r], columns[c]]`, pixel by pixel, over HWC images.
#[derive(Debug, Clone, Copy)]
pub struct ResizeNearest<'a> {
    rows: &'a [u16],
    columns: &'a [u16],
    width: usize,
    depth: usize,
}

impl<'a> ResizeNearest<'a> {
    /// From an image of `input` (height, width, channels), these rows and columns.
    ///
    /// # Panics
    /// If one of them lies outside the image, or there are none; in a `const` or `static` that is a compile error.
    pub const fn new(input: [usize; 3], rows: &'a [u16], columns: &'a [u16]) -> Self {
        let [height, width, depth] = input;
        assert!(!rows.is_empty() && !columns.is_empty() && depth > 0, "an image has no extent of zero");
        let mut i = 0;
        while i < rows.len() {
            assert!((rows[i] as usize) < height, "a row lies within the image");
            i += 1;
        }
        i = 0;
        while i < columns.len() {
            assert!((columns[i] as usize) < width, "a column lies within the image");
            i += 1;
        }
        Self { rows, columns, width, depth }
    }

    /// Resizes `x` into `y`.
    #[inline]
    pub fn forward<T: Copy>(&self, x: &[T], y: &mut [T]) {
        let mut pixels = y.chunks_exact_mut(self.depth.max(1));
        for &row in self.rows {
            for &column in self.columns {
                let from = (usize::from(row) * self.width + usize::from(column)) * self.depth;
                let x = x.get(from..).unwrap_or_default();
                pixels.next().unwrap_or_default().iter_mut().zip(x).for_each(|(y, &x)| *y = x);
            }
        }
    }
}
