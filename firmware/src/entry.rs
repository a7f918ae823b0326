//! The models of this firmware, as the build script lists them, and the functions by which they are entered.
//!
//! Each entry function has a symbol of its own, `mg_predict_<model>`, `mg_train_<model>` and `mg_apply_<model>`, from which the
//! host walks the call graph of the ELF file; the call is never inlined, so that what is measured is what a
//! caller in another firmware gets.

use crate::command::{self, Job};
use crate::optimizer::Plan;
use milligrad::{BatchLearner, Learner, Model, Target, TrainError};
use milligrad_protocol::Exit;

/// A model with an entry function.
pub(crate) trait Entry: Model {
    /// Runs the network on what its inputs hold.
    fn enter_predict(&mut self);
}

/// A learning model with entry functions for its training step.
pub(crate) trait LearningEntry: Entry + Learner {
    /// Whether a step takes several samples.
    const IN_BATCHES: bool;

    /// Takes one training step on what the input holds, or adds it to the batch.
    fn enter_train_step(
        &mut self,
        target: Target<'_>,
        optimizer: &Self::Optimizer,
    ) -> Result<f32, TrainError>;

    /// Updates by the batch; nothing where there are none.
    fn enter_apply(&mut self, optimizer: &Self::Optimizer) -> Result<usize, TrainError>;

    /// Samples of a step.
    fn samples_of_step(plan: Plan) -> u32 {
        if Self::IN_BATCHES { plan.batch } else { 1 }
    }
}

/// No instruction, but a name: without it the compiler makes one function, and one symbol, of models that compute alike.
macro_rules! named {
    ($name:ident) => {
        // SAFETY: a comment.
        unsafe {
            core::arch::asm!(
                concat!("/* ", stringify!($name), " */"),
                options(nomem, nostack, preserves_flags)
            );
        }
    };
}

/// Writes the entry functions of the models and the dispatch by name. The build script calls it.
macro_rules! models {
    ($($kind:ident $name:literal $id:ident $predict:ident $train:ident $apply:ident;)*) => {
        $(
            impl Entry for $id::Network {
                #[inline(always)]
                fn enter_predict(&mut self) {
                    $predict(self);
                }
            }

            // SAFETY: no other symbol has this name: identifiers of models are unique, the prefix is ours.
            #[unsafe(no_mangle)]
            #[inline(never)]
            fn $predict(network: &mut $id::Network) {
                named!($predict);
                $crate::marks::predict(network);
            }

            models!(@$kind $id $train $apply);
        )*

        /// Names of the models.
        pub(crate) const NAMES: &[&str] = &[$($name),*];

        /// Does a job with the model of that name. To be called once.
        pub(crate) fn run(name: &str, job: &Job) -> Result<(), Exit> {
            match name {
                $($name => {
                    static NETWORK: static_cell::ConstStaticCell<$id::Network> =
                        static_cell::ConstStaticCell::new($id::Network::new());
                    models!(@job $kind)(NETWORK.take(), job)
                })*
                _ => {
                    defmt::error!("no model {=str} in this firmware", name);
                    Err(Exit::UnknownModel)
                }
            }
        }
    };
    (@predicts $id:ident $train:ident $apply:ident) => {};
    (@learns $id:ident $train:ident $apply:ident) => {
        impl LearningEntry for $id::Network {
            const IN_BATCHES: bool = false;

            #[inline(always)]
            fn enter_train_step(
                &mut self,
                target: Target<'_>,
                optimizer: &Self::Optimizer,
            ) -> Result<f32, TrainError> {
                $train(self, target, optimizer)
            }

            #[inline(always)]
            fn enter_apply(&mut self, _: &Self::Optimizer) -> Result<usize, TrainError> {
                Ok(0)
            }
        }

        // SAFETY: no other symbol has this name: identifiers of models are unique, the prefix is ours.
        #[unsafe(no_mangle)]
        #[inline(never)]
        fn $train(
            network: &mut $id::Network,
            target: Target<'_>,
            optimizer: &<$id::Network as Learner>::Optimizer,
        ) -> Result<f32, TrainError> {
            named!($train);
            Learner::train_step(network, target, optimizer)
        }
    };
    (@batches $id:ident $train:ident $apply:ident) => {
        impl LearningEntry for $id::Network {
            const IN_BATCHES: bool = true;

            #[inline(always)]
            fn enter_train_step(
                &mut self,
                target: Target<'_>,
                _: &Self::Optimizer,
            ) -> Result<f32, TrainError> {
                $train(self, target)
            }

            #[inline(always)]
            fn enter_apply(&mut self, optimizer: &Self::Optimizer) -> Result<usize, TrainError> {
                $apply(self, optimizer)
            }
        }

        // SAFETY: no other symbol has this name: identifiers of models are unique, the prefix is ours.
        #[unsafe(no_mangle)]
        #[inline(never)]
        fn $train(network: &mut $id::Network, target: Target<'_>) -> Result<f32, TrainError> {
            named!($train);
            BatchLearner::accumulate(network, target)
        }

        // SAFETY: no other symbol has this name: identifiers of models are unique, the prefix is ours.
        #[unsafe(no_mangle)]
        #[inline(never)]
        fn $apply(
            network: &mut $id::Network,
            optimizer: &<$id::Network as Learner>::Optimizer,
        ) -> Result<usize, TrainError> {
            named!($apply);
            BatchLearner::apply(network, optimizer)
        }
    };
    (@job predicts) => { command::predicting };
    (@job learns) => { command::learning };
    (@job batches) => { command::learning };
}

include!(concat!(env!("OUT_DIR"), "/models.rs"));
