//! The memory plan: which buffer lies where in the arena.
//!
//! Buffers that are needed at the same time must not overlap; the arena should be little larger than what
//! is needed at the worst moment, the *liveness lower bound*. Several orders of a greedy placement are tried, and
//! the smallest result is kept. [`check`] proves a plan without knowing how it was made.

pub mod check;

use crate::graph::DType;
use crate::program::Buffer;

/// Offsets of all buffers, in elements of the arena of their type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// One for each buffer.
    pub offsets: Vec<usize>,
    /// Elements of the int8 arena.
    pub int8: usize,
    /// Elements of the f32 arena.
    pub f32: usize,
}

impl Plan {
    /// Bytes of both arenas.
    pub fn bytes(&self) -> usize {
        self.int8 + 4 * self.f32
    }

    /// Places the buffers.
    pub fn new(buffers: &[Buffer]) -> Self {
        let mut plan = Self { offsets: vec![0; buffers.len()], int8: 0, f32: 0 };
        plan.int8 = place(buffers, DType::I8, &mut plan.offsets);
        plan.f32 = place(buffers, DType::F32, &mut plan.offsets);
        plan
    }

    /// Every buffer in memory of its own: nothing can overwrite anything. The reference for tests of plans.
    pub fn separate(buffers: &[Buffer]) -> Self {
        let mut plan = Self::default();
        for buffer in buffers {
            let end = match buffer.dtype {
                DType::I8 => &mut plan.int8,
                DType::F32 => &mut plan.f32,
            };
            plan.offsets.push(*end);
            *end += buffer.len;
        }
        plan
    }
}

/// The most elements that are needed at the same time: no plan without overlaps is smaller.
pub fn lower_bound(buffers: &[Buffer], dtype: DType) -> usize {
    let end = buffers.iter().map(|b| b.last + 1).max().unwrap_or(0);
    let needed = |time| {
        let alive = buffers.iter().filter(|b| b.dtype == dtype && (b.first..=b.last).contains(&time));
        alive.map(|b| b.len).sum()
    };
    (0..end).map(needed).max().unwrap_or(0)
}

/// Places the buffers of one type and returns the arena's length.
fn place(buffers: &[Buffer], dtype: DType, offsets: &mut [usize]) -> usize {
    let bound = lower_bound(buffers, dtype);
    let ids: Vec<usize> = (0..buffers.len()).filter(|&i| buffers[i].dtype == dtype).collect();
    let lifetime = |i: usize| buffers[i].last - buffers[i].first;
    type Key<'a> = Box<dyn Fn(usize) -> (usize, usize, usize) + 'a>;
    let orders: [Key<'_>; 4] = [
        Box::new(|i| (usize::MAX - buffers[i].len, buffers[i].first, i)),
        Box::new(|i| (usize::MAX - lifetime(i), usize::MAX - buffers[i].len, i)),
        Box::new(|i| (usize::MAX - buffers[i].len * (lifetime(i) + 1), buffers[i].first, i)),
        Box::new(|i| (buffers[i].first, usize::MAX - buffers[i].len, i)),
    ];
    let mut best: Option<(usize, Vec<usize>)> = None;
    for order in orders {
        let mut sorted = ids.clone();
        sorted.sort_by_key(|&i| order(i));
        let (len, placed) = greedy(buffers, &sorted, best.as_ref().map_or(usize::MAX, |best| best.0));
        if best.as_ref().is_none_or(|best| len < best.0) {
            best = Some((len, placed));
        }
        if len == bound {
            break;
        }
    }
    let (len, best) = best.unwrap_or_default();
    ids.iter().for_each(|&i| offsets[i] = best[i]);
    len
}

/// Each buffer in turn goes into the smallest gap that its contemporaries leave. Gives up at `limit`.
fn greedy(buffers: &[Buffer], order: &[usize], limit: usize) -> (usize, Vec<usize>) {
    let mut offsets = vec![0; buffers.len()];
    let mut placed: Vec<usize> = Vec::new();
    let mut end = 0;
    for &id in order {
        let buffer = &buffers[id];
        let mut rivals: Vec<_> = placed
            .iter()
            .filter(|&&other| buffers[other].first <= buffer.last && buffer.first <= buffers[other].last)
            .map(|&other| (offsets[other], offsets[other] + buffers[other].len))
            .collect();
        rivals.sort_unstable();
        let (mut at, mut gap, mut free) = (None, usize::MAX, 0);
        for (start, stop) in rivals {
            if start >= free && start - free >= buffer.len && start - free < gap {
                (at, gap) = (Some(free), start - free);
            }
            free = free.max(stop);
        }
        offsets[id] = at.unwrap_or(free);
        end = end.max(offsets[id] + buffer.len);
        if end >= limit {
            return (usize::MAX, offsets);
        }
        placed.push(id);
    }
    (end, offsets)
}
