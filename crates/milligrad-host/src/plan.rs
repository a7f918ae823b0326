//! The memory plan: which buffer lies where in the arena.
//!
//! Buffers that are needed at the same time must not overlap, with one exception: the output of a step may lie over an
//! input that nobody needs afterwards, where the step's kernel has read what it writes over ([`Overlap`]). Without
//! that, the arena can't be smaller than what is needed at the worst moment, the *liveness lower bound*. A greedy
//! placement is tried in several orders, and the smallest result is kept. [`check`] proves a plan without knowing
//! how it was made.

pub mod check;

use crate::program::{Buffer, BufferId, ElementType};

/// How the output of a step may lie over its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// Not at all.
    Never,
    /// Exactly over it.
    Same,
    /// Wherever the input starts so many elements after the output, or later.
    Behind(isize),
}

/// Offsets of all buffers, in elements of the arena of their type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// One for each buffer.
    pub offsets: Vec<usize>,
    /// Elements of the int8 arena.
    pub int8: usize,
    /// Elements of the f32 arena.
    pub f32: usize,
    /// Elements of the arena in 16-bit fixed point.
    pub int16: usize,
    /// Elements of the arena of sums in fixed point.
    pub int32: usize,
}

impl Plan {
    /// Bytes of all arenas.
    pub fn bytes(&self) -> usize {
        ElementType::ALL.into_iter().map(|dtype| dtype.bytes() * self.len(dtype)).sum()
    }

    /// Elements of the arena of a type.
    pub fn len(&self, dtype: ElementType) -> usize {
        match dtype {
            ElementType::I8 => self.int8,
            ElementType::F32 => self.f32,
            ElementType::I16 => self.int16,
            ElementType::I32 => self.int32,
        }
    }

    /// `true` if there is nothing to place.
    pub fn is_empty(&self) -> bool {
        self.bytes() == 0
    }

    fn len_mut(&mut self, dtype: ElementType) -> &mut usize {
        match dtype {
            ElementType::I8 => &mut self.int8,
            ElementType::F32 => &mut self.f32,
            ElementType::I16 => &mut self.int16,
            ElementType::I32 => &mut self.int32,
        }
    }

    /// Places the buffers. `overlaps` are inputs and outputs of steps that may lie over each other.
    pub fn new(buffers: &[Buffer], overlaps: &[(BufferId, BufferId, Overlap)]) -> Self {
        let mut plan = Self { offsets: vec![0; buffers.len()], ..Self::default() };
        for dtype in ElementType::ALL {
            *plan.len_mut(dtype) = place(buffers, overlaps, dtype, &mut plan.offsets);
        }
        plan
    }

    /// Every buffer in memory of its own: nothing can overwrite anything. The reference for tests of plans.
    pub fn separate(buffers: &[Buffer]) -> Self {
        let mut plan = Self::default();
        for buffer in buffers {
            let end = plan.len_mut(buffer.dtype);
            let start = end.next_multiple_of(buffer.align);
            *end = start + buffer.len;
            plan.offsets.push(start);
        }
        plan
    }
}

/// The most bytes that are needed at the same time, each type for itself: no plan without overlaps is smaller.
pub fn lower_bound_bytes(buffers: &[Buffer]) -> usize {
    ElementType::ALL.into_iter().map(|dtype| dtype.bytes() * lower_bound(buffers, dtype)).sum()
}

/// The most elements that are needed at the same time: no plan without overlaps is smaller.
pub fn lower_bound(buffers: &[Buffer], dtype: ElementType) -> usize {
    let end = buffers.iter().map(|b| b.last + 2).max().unwrap_or(0);
    // What comes into use and what is no longer needed at each time.
    let (mut born, mut gone) = (vec![0usize; end], vec![0usize; end]);
    for buffer in buffers.iter().filter(|b| b.dtype == dtype) {
        born[buffer.first] += buffer.len;
        gone[buffer.last + 1] += buffer.len;
    }
    let needed = born.iter().zip(&gone).scan(0, |alive, (born, gone)| {
        *alive = *alive + born - gone;
        Some(*alive)
    });
    needed.max().unwrap_or(0)
}

/// Orders that are tried at random after the promising ones.
const RANDOM_ORDERS: usize = 300;
/// Pairs of buffers that are looked at in all of them: networks of thousands of layers get fewer orders.
const RANDOM_PAIRS: usize = 1 << 26;

/// Places the buffers of one type and returns the arena's length.
fn place(
    buffers: &[Buffer],
    overlaps: &[(BufferId, BufferId, Overlap)],
    dtype: ElementType,
    offsets: &mut [usize],
) -> usize {
    let ids: Vec<usize> = (0..buffers.len()).filter(|&i| buffers[i].dtype == dtype).collect();
    // Nothing can be smaller than this, whatever may overlap.
    let bound = if overlaps.is_empty() {
        lower_bound(buffers, dtype)
    } else {
        ids.iter().map(|&i| buffers[i].len).max().unwrap_or(0)
    };
    let mut search = Search { buffers, overlaps, best: None };
    let lifetime = |i: usize| buffers[i].last - buffers[i].first;
    type Key<'a> = Box<dyn Fn(usize) -> (usize, usize, usize) + 'a>;
    let orders: [Key<'_>; 5] = [
        Box::new(|i| (usize::MAX - buffers[i].len, buffers[i].first, i)),
        Box::new(|i| (usize::MAX - lifetime(i), usize::MAX - buffers[i].len, i)),
        Box::new(|i| (usize::MAX - buffers[i].len * (lifetime(i) + 1), buffers[i].first, i)),
        Box::new(|i| (buffers[i].first, usize::MAX - buffers[i].len, i)),
        Box::new(|i| (usize::MAX - buffers[i].last, usize::MAX - buffers[i].len, i)),
    ];
    for order in orders {
        let mut sorted = ids.clone();
        sorted.sort_by_key(|&i| order(i));
        search.place(&sorted);
    }
    // Small changes to the best order so far, the same ones on every machine.
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let tries = if ids.len() > 1 { RANDOM_ORDERS.min(RANDOM_PAIRS / ids.len().pow(2)) } else { 0 };
    for _ in 0..tries {
        let Some((len, mut order, _)) = search.best.clone() else { break };
        if len == bound {
            break;
        }
        for _ in 0..1 + random.below(3) {
            let from = order.remove(random.below(ids.len()));
            order.insert(random.below(ids.len()), from);
        }
        search.place(&order);
    }
    let Some((len, _, best)) = search.best else { return 0 };
    ids.iter().for_each(|&i| offsets[i] = best[i]);
    len
}

/// The smallest placement so far: its length, the order that led to it, and the offsets.
struct Search<'a> {
    buffers: &'a [Buffer],
    overlaps: &'a [(BufferId, BufferId, Overlap)],
    best: Option<(usize, Vec<usize>, Vec<usize>)>,
}

impl Search<'_> {
    /// Each buffer in turn goes to the lowest place that its contemporaries leave.
    fn place(&mut self, order: &[usize]) {
        let limit = self.best.as_ref().map_or(usize::MAX, |best| best.0);
        let mut offsets = vec![0; self.buffers.len()];
        let mut end = 0;
        for (done, &id) in order.iter().enumerate() {
            let buffer = &self.buffers[id];
            let rivals: Vec<Rival> = order[..done]
                .iter()
                .filter(|&&other| {
                    let other = &self.buffers[other];
                    other.first <= buffer.last && buffer.first <= other.last
                })
                .map(|&other| self.rival(id, other, offsets[other]))
                .collect();
            // The lowest offset is 0, or right after something that forbids what lies below, or exactly over an input.
            let starts = rivals.iter().flat_map(|rival| [Some(rival.until), rival.exactly]).flatten();
            let at = std::iter::once(0)
                .chain(starts.map(|start| start.next_multiple_of(buffer.align)))
                .filter(|&at| rivals.iter().all(|rival| rival.admits(at)))
                .min();
            offsets[id] = at.expect("the place after all rivals is free");
            end = end.max(offsets[id] + buffer.len);
            if end >= limit {
                return;
            }
        }
        self.best = Some((end, order.to_vec(), offsets));
    }

    /// Where `id` can't go because `other` lies at `at`.
    fn rival(&self, id: usize, other: usize, at: usize) -> Rival {
        let (own, len) = (self.buffers[id].len as isize, self.buffers[other].len as isize);
        let at = at as isize;
        let (mut above, mut until) = (at - own, at + len);
        let mut exactly = None;
        for &(x, y, overlap) in self.overlaps {
            match overlap {
                Overlap::Same if (x.0, y.0) == (id, other) || (y.0, x.0) == (id, other) => {
                    exactly = Some(at as usize)
                }
                // The output may go up to `distance` before the input, ...
                Overlap::Behind(distance) if (x.0, y.0) == (other, id) => above = above.max(at - distance),
                // ... the input from so far after the output on.
                Overlap::Behind(distance) if (x.0, y.0) == (id, other) => until = until.min(at + distance),
                _ => {}
            }
        }
        Rival { above, until: until.max(0) as usize, exactly }
    }
}

/// Offsets between these two are taken, but for one.
struct Rival {
    /// Offsets up to this one are free.
    above: isize,
    /// Offsets from this one on are free.
    until: usize,
    exactly: Option<usize>,
}

impl Rival {
    fn admits(&self, at: usize) -> bool {
        at as isize <= self.above || at >= self.until || self.exactly == Some(at)
    }
}

/// Xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}
