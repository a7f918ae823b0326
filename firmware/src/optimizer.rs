//! Optimizers from the numbers of the command line.

use milligrad::{Momentum, Sgd};

/// The hyperparameters that the host chooses at run time.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// Step size.
    pub(crate) learning_rate: f32,
    /// Share of the last update that is added to the next; optimizers without momentum ignore it.
    pub(crate) momentum: f32,
}

/// An optimizer that a plan can configure.
pub(crate) trait FromPlan {
    /// The optimizer with the plan's hyperparameters.
    fn from_plan(plan: Plan) -> Self;
}

impl FromPlan for Sgd {
    fn from_plan(plan: Plan) -> Self {
        Sgd::new(plan.learning_rate)
    }
}

impl FromPlan for Momentum {
    fn from_plan(plan: Plan) -> Self {
        Momentum::new(plan.learning_rate, plan.momentum)
    }
}
