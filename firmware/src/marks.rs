//! Marks for the profiler: the plugin in QEMU sees the store of a mark and counts into its section from there.

use core::cell::UnsafeCell;
use milligrad::Model;
use milligrad_protocol::sections;

/// One byte for each section; only their addresses matter.
struct Table(UnsafeCell<[u8; sections::COUNT]>);

// SAFETY: nothing ever reads the bytes, and a store of one byte can't be torn.
unsafe impl Sync for Table {}

// SAFETY: no other symbol has this name: the prefix is ours.
#[unsafe(no_mangle)]
static MG_MARKS: Table = Table(UnsafeCell::new([0; sections::COUNT]));

/// From here on, what runs belongs to `section`.
// SAFETY: no other symbol has this name: the prefix is ours.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn mg_mark(section: u8) {
    // SAFETY: there is a byte for every value of a `u8`; nothing else accesses it.
    unsafe { MG_MARKS.0.get().cast::<u8>().add(section.into()).write_volatile(1) }
}

/// See [`mg_mark`].
#[inline(always)]
pub(crate) fn mark(section: u8) {
    mg_mark(section);
}

/// What the entry functions run: in the reference build `predict` as it is; in the build for layer profiles the
/// same with a mark at the end of every layer.
#[inline(always)]
pub(crate) fn predict<M: Model>(network: &mut M) {
    #[cfg(marks)]
    network.run_with(|layer| mark(sections::CALL.wrapping_add(1).wrapping_add(layer as u8)));
    #[cfg(not(marks))]
    network.run();
}
