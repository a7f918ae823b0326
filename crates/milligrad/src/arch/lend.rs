//! Memory that several networks use by turns.

use crate::arena::{Arena, Bytes};

/// Types that are words of plain numbers, without padding: any bits are a value.
///
/// # Safety
/// No padding, no invalid bit patterns, an alignment of at most four bytes, and a size that is a multiple of four.
pub unsafe trait Plain: Sized + 'static {
    /// Words that it takes.
    const WORDS: usize = size_of::<Self>() / 4;
}

// SAFETY: words.
unsafe impl<const WORDS: usize> Plain for Bytes<WORDS> {}
// SAFETY: any 32 bits are a float.
unsafe impl<const LEN: usize> Plain for [f32; LEN] {}

impl<const WORDS: usize> Arena<WORDS> {
    /// The memory as something plain, for as long as it is borrowed; it holds whatever was left there. An arena that is too
    /// small does not compile.
    #[inline(always)]
    pub const fn lend<T: Plain>(&mut self) -> &mut T {
        const {
            assert!(
                WORDS >= T::WORDS,
                "the arena is too small: it needs the ARENA_WORDS of its largest network"
            )
        };
        // SAFETY: the words are enough and aligned, and belong to the borrower alone; `T` is plain.
        unsafe { &mut *(&raw mut self.0).cast() }
    }
}

/// Defines the struct of a network that can be lent its memory: fields are [`Plain`], which this checks.
#[macro_export]
macro_rules! lendable {
    ($(#[$doc:meta])* pub struct $name:ident { $($field:ident: $type:ty,)+ }) => {
        $(#[$doc])*
        #[repr(C)]
        pub struct $name { $($field: $type,)+ }

        // SAFETY: all fields are plain, and so are multiples of words: there is no padding between them.
        #[allow(unsafe_code)]
        unsafe impl $crate::arena::Plain for $name
        where
            $($type: $crate::arena::Plain,)+
        {}
    };
}
