//! Which core a model was packed for, and which one this build is for.

/// A family of cores with kernels of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Core {
    /// Any core: plain loops over plain weights.
    #[default]
    Portable,
    /// Cortex-M4 and M7, by their DSP instructions. Weights are packed for them.
    Armv7em,
}

impl Core {
    /// The core that this build is for: what the target's triple says, unless `MILLIGRAD_CORE` was set.
    pub const BUILD: Self = if cfg!(milligrad_dsp) { Self::Armv7em } else { Self::Portable };

    /// Checks that a model that was exported for this core runs fast in this build. Every layout has portable
    /// kernels too, so that the desk runs the model that ships; but no microcontroller should run them unseen.
    ///
    /// # Panics
    /// If it doesn't; in a `const` that is a compile error.
    pub const fn require(self) {
        let desk = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));
        assert!(
            desk || matches!((self, Self::BUILD), (Self::Portable, _) | (Self::Armv7em, Self::Armv7em)),
            "this model was exported for another core: export it again for this one, or for `portable`"
        );
    }
}
