//! A network that goes wrong as its first input says: 1 panics, 2 faults, 3 never ends, else all is well.

use milligrad::{Elements, ElementsMut, Model, Port};

/// Name given at export.
pub const NAME: &str = "broken";
/// Names of the outputs.
pub const LABELS: [&str; 1] = ["a"];

/// All the RAM of the model.
pub struct Network([i8; 1]);

impl Network {
    /// A network with an input of zero.
    pub const fn new() -> Self {
        Self([0])
    }
}

impl Model for Network {
    const NAME: &'static str = NAME;
    const LAYERS: &'static [&'static str] = &["only"];
    const INPUTS: &'static [Port] = &[Port { name: "input", shape: &[1] }];
    const OUTPUTS: &'static [Port] = &[Port { name: "output", shape: &[1] }];

    fn input_at(&mut self, index: usize) -> ElementsMut<'_> {
        ElementsMut::I8(if index == 0 { &mut self.0 } else { &mut [] })
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        Elements::I8(if index == 0 { &self.0 } else { &[] })
    }

    fn run_with(&mut self, mut done: impl FnMut(usize)) {
        match self.0[0] {
            1 => panic!("the model says {}", self.0[0]),
            // SAFETY: an undefined instruction, which faults: the very thing wanted.
            #[cfg(target_arch = "arm")]
            2 => unsafe { core::arch::asm!("udf #0") },
            // SAFETY: as above.
            #[cfg(target_arch = "riscv32")]
            2 => unsafe { core::arch::asm!("unimp") },
            3 => loop {
                core::hint::black_box(());
            },
            _ => done(0),
        }
    }
}
