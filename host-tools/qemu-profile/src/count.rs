//! Blocks and their counts.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed};

/// A block of code. The counts are atomic to be shared, not to be exact under contention: there is one CPU.
pub(crate) struct Block {
    address: u32,
    /// Address after its last instruction.
    end: u32,
    code: Vec<Vec<u8>>,
    count: AtomicU64,
    taken: AtomicU64,
}

/// The block that ran last, to see whether the jump to the next was taken.
static LAST: AtomicPtr<Block> = AtomicPtr::new(ptr::null_mut());

impl Block {
    /// Counts a run of this block.
    pub(crate) fn executed(&'static self) {
        // SAFETY: only this function stores here, and what it stores are references that live for ever.
        if let Some(last) = unsafe { LAST.load(Relaxed).as_ref() }
            && last.end != self.address
        {
            add(&last.taken, 1);
        }
        add(&self.count, 1);
        LAST.store(ptr::from_ref(self).cast_mut(), Relaxed);
    }
}

/// Quicker than `fetch_add`, which locks the bus.
fn add(counter: &AtomicU64, n: u64) {
    counter.store(counter.load(Relaxed) + n, Relaxed);
}

/// Where a block is, and how many instructions it has: QEMU translates some places more than once, to different
/// lengths.
type Key = (u32, usize);

/// All blocks, and what was counted in the sections that are over.
pub(crate) struct Counts {
    section: u8,
    blocks: BTreeMap<Key, &'static Block>,
    /// Count and taken of each block and section.
    done: BTreeMap<(u8, Key), (u64, u64)>,
}

impl Counts {
    pub(crate) const fn new() -> Self {
        Self { section: 0, blocks: BTreeMap::new(), done: BTreeMap::new() }
    }

    /// The block with this code, which is kept for ever: QEMU holds on to it.
    pub(crate) fn block(&mut self, address: u32, code: Vec<Vec<u8>>) -> &'static Block {
        self.blocks.entry((address, code.len())).or_insert_with(|| {
            let end = address + code.iter().map(|bytes| bytes.len() as u32).sum::<u32>();
            let (count, taken) = Default::default();
            Box::leak(Box::new(Block { address, end, code, count, taken }))
        })
    }

    /// From here on, counts belong to `section`.
    pub(crate) fn enter(&mut self, section: u8) {
        for (&key, block) in &self.blocks {
            let (count, taken) = (block.count.swap(0, Relaxed), block.taken.swap(0, Relaxed));
            if (count, taken) != (0, 0) {
                let done = self.done.entry((self.section, key)).or_default();
                done.0 += count;
                done.1 += taken;
            }
        }
        self.section = section;
    }

    /// The text of the file.
    pub(crate) fn report(&mut self) -> String {
        self.enter(self.section);
        let mut text = String::new();
        for (&(section, key), (count, taken)) in &self.done {
            let block = self.blocks[&key];
            let opcodes: Vec<_> = block.code.iter().map(|bytes| opcode(bytes)).collect();
            let _ = writeln!(text, "{section} {:x} {count} {taken} {}", block.address, opcodes.join(","));
        }
        text
    }
}

/// The half-words of an instruction in hexadecimal, the first first.
fn opcode(bytes: &[u8]) -> String {
    bytes.chunks_exact(2).map(|half| format!("{:02x}{:02x}", half[1], half[0])).collect()
}
