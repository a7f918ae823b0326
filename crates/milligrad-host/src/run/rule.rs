//! Update rules with their constants, and what they remember.

use crate::program::{FixedPoint, FixedRounding, Program};
use milligrad::guard::Bounded;
use milligrad::{
    Adam, Momentum, Nesterov, Optimizer, PowerOfTwoSgd, RmsProp, Sgd, StochasticSgd, WeightDecay,
};

/// An update rule with its constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Plain descent.
    Sgd(Sgd),
    /// With momentum.
    Momentum(Momentum),
    /// With Nesterov's momentum.
    Nesterov(Nesterov),
    /// RMSProp.
    RmsProp(RmsProp),
    /// Adam.
    Adam(Adam),
    /// Adam with decoupled weight decay.
    AdamW(WeightDecay<Adam>),
    /// Descent in fixed point, rounded to nearest.
    PowerOfTwo(PowerOfTwoSgd),
    /// Descent in fixed point, rounded at random.
    Stochastic(StochasticSgd),
}

impl FixedPoint {
    /// The rule with the greatest power of two that is not above a learning rate, from 1 down to 2^-30, with static ranges to 2^-15.
    pub fn rule(self, learning_rate: f32) -> Rule {
        match self.rounding {
            FixedRounding::Nearest => Rule::PowerOfTwo(PowerOfTwoSgd::at_most(learning_rate)),
            FixedRounding::Stochastic => Rule::Stochastic(StochasticSgd::at_most(learning_rate)),
        }
    }
}

/// What optimizers remember of each parameter, in the order of [`Program::parameters`], and once.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum States {
    Nothing(Vec<Vec<()>>),
    Floats(Vec<Vec<f32>>),
    Pairs(Vec<Vec<[f32; 2]>>, [f32; 2]),
}

impl States {
    pub(super) fn new(program: &Program) -> Self {
        let lens = program.parameters.iter().map(|p| p.values.len());
        match program.learning.as_ref().map_or(0, |l| l.optimizer.state_per_parameter()) {
            0 => Self::Nothing(lens.map(|len| vec![(); len]).collect()),
            1 => Self::Floats(lens.map(|len| vec![0.0; len]).collect()),
            _ => Self::Pairs(lens.map(|len| vec![[0.0; 2]; len]).collect(), <Adam as Optimizer<f32>>::OUTSET),
        }
    }
}

/// A rule's part of [`States`].
pub(super) trait Remembers: Bounded<f32> {
    /// What it remembers of each parameter.
    fn states(states: &mut States) -> &mut [Vec<Self::State>];
    /// The rule for the next step.
    fn begin_with(&self, states: &mut States) -> Self;
}

const OTHER: &str = "the rule is the one that the program was compiled for";

macro_rules! remembers {
    ($($rule:ty: $variant:ident),*) => {$(
        impl Remembers for $rule {
            fn states(states: &mut States) -> &mut [Vec<Self::State>] {
                let States::$variant(states) = states else { unreachable!("{OTHER}") };
                states
            }

            fn begin_with(&self, _: &mut States) -> Self {
                self.begin(&mut ())
            }
        }
    )*};
}
remembers!(Sgd: Nothing, Momentum: Floats, Nesterov: Floats, RmsProp: Floats);

macro_rules! remembers_powers {
    ($($rule:ty),*) => {$(
        impl Remembers for $rule {
            fn states(states: &mut States) -> &mut [Vec<Self::State>] {
                let States::Pairs(states, _) = states else { unreachable!("{OTHER}") };
                states
            }

            fn begin_with(&self, states: &mut States) -> Self {
                let States::Pairs(_, powers) = states else { unreachable!("{OTHER}") };
                self.begin(powers)
            }
        }
    )*};
}
remembers_powers!(Adam, WeightDecay<Adam>);
