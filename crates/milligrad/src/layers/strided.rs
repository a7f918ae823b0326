//! Strided moves: Transpose, StridedSlice and Split read every so-manieth element, Pad and Concat write so.

/// Elements of a larger tensor in the order of four nested loops: `start + Σ i[axis] steps[axis]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Strided {
    extents: [u32; 4],
    steps: [i32; 4],
    start: u32,
}

impl Strided {
    /// Of a tensor of `len` elements, those from `start` on, along axes of these extents and steps, outermost first.
    ///
    /// # Panics
    /// If one of them lies outside the tensor or an extent is zero; in a `const` or `static` that is a compile error.
    pub const fn new(len: usize, extents: [usize; 4], steps: [isize; 4], start: usize) -> Self {
        assert!(len < 1 << 31, "a tensor has less than 2^31 elements");
        let (mut low, mut high) = (start as i64, start as i64);
        let mut this = Self { extents: [0; 4], steps: [0; 4], start: start as u32 };
        let mut axis = 0;
        while axis < 4 {
            assert!(extents[axis] > 0 && extents[axis] < 1 << 31, "a tensor has no extent of zero");
            let step = steps[axis] as i64;
            assert!(step > i32::MIN as i64 && step <= i32::MAX as i64, "steps fit 32 bits");
            let reach = (extents[axis] as i64 - 1) * steps[axis] as i64;
            if reach < 0 {
                low += reach
            } else {
                high += reach
            }
            this.extents[axis] = extents[axis] as u32;
            this.steps[axis] = steps[axis] as i32;
            axis += 1;
        }
        assert!(low >= 0 && high < len as i64, "all elements lie within the tensor");
        this
    }

    /// Calls `visit` with the index of each element, in order.
    #[inline(always)]
    pub fn each(&self, mut visit: impl FnMut(usize)) {
        let [n0, n1, n2, n3] = self.extents;
        let [s0, s1, s2, s3] = self.steps;
        let mut at0 = self.start as i32;
        for _ in 0..n0 {
            let mut at1 = at0;
            for _ in 0..n1 {
                let mut at2 = at1;
                for _ in 0..n2 {
                    let mut at3 = at2;
                    for _ in 0..n3 {
                        visit(at3 as usize);
                        at3 = at3.wrapping_add(s3);
                    }
                    at2 = at2.wrapping_add(s2);
                }
                at1 = at1.wrapping_add(s1);
            }
            at0 = at0.wrapping_add(s0);
        }
    }

    /// `y[i] = x[index(i)]`
    #[inline]
    pub fn gather<T: Copy>(&self, x: &[T], y: &mut [T]) {
        let mut y = y.iter_mut();
        self.each(|at| {
            if let (Some(y), Some(&x)) = (y.next(), x.get(at)) {
                *y = x;
            }
        });
    }

    /// `y[index(i)] = x[i]`
    #[inline]
    pub fn scatter<T: Copy>(&self, x: &[T], y: &mut [T]) {
        let mut x = x.iter();
        self.each(|at| {
            if let (Some(y), Some(&x)) = (y.get_mut(at), x.next()) {
                *y = x;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposes_and_reverses() {
        const TRANSPOSE: Strided = Strided::new(6, [1, 1, 3, 2], [0, 0, 1, 3], 0);
        let mut y = [0; 6];
        TRANSPOSE.gather(&[1, 2, 3, 4, 5, 6], &mut y);
        assert_eq!(y, [1, 4, 2, 5, 3, 6]);
        let mut back = [0; 6];
        TRANSPOSE.scatter(&y, &mut back);
        assert_eq!(back, [1, 2, 3, 4, 5, 6]);
        const REVERSE: Strided = Strided::new(6, [1, 1, 1, 6], [0, 0, 0, -1], 5);
        REVERSE.gather(&back, &mut y);
        assert_eq!(y, [6, 5, 4, 3, 2, 1]);
    }

    #[test]
    #[should_panic(expected = "within the tensor")]
    fn refuses_what_lies_outside() {
        let _ = Strided::new(6, [1, 1, 3, 2], [0, 0, 1, 4], 0);
    }
}
