//! Optimizers from the numbers of the command line.

use milligrad::{
    Adam, Momentum, Nesterov, PowerOfTwoSgd, RmsProp, Schedule, Sgd, StochasticSgd, WeightDecay,
};

/// The hyperparameters that the host chooses at run time.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// Step size.
    pub(crate) learning_rate: f32,
    /// Share of the last update that is added to the next, or the weight decay; optimizers with neither ignore it.
    pub(crate) momentum: f32,
    /// Samples of a step, of a model that learns in batches.
    pub(crate) batch: u32,
    /// How the step size changes from step to step.
    pub(crate) schedule: Schedule,
}

/// How far training has come.
#[derive(Default)]
pub(crate) struct Progress {
    step: u32,
    /// Samples of the batch so far.
    samples: u32,
}

impl Progress {
    /// The optimizer of the step.
    pub(crate) fn optimizer<O: FromPlan>(&self, plan: Plan) -> O {
        O::from_plan(Plan { learning_rate: plan.learning_rate * plan.schedule.factor(self.step), ..plan })
    }

    /// Counts a sample, and the step where it was its last, which it returns.
    pub(crate) fn ends_step(&mut self, samples_of_step: u32) -> bool {
        self.samples += 1;
        let ends = self.samples >= samples_of_step;
        if ends {
            self.samples = 0;
            self.step += 1;
        }
        ends
    }
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

impl FromPlan for Nesterov {
    fn from_plan(plan: Plan) -> Self {
        Nesterov::new(plan.learning_rate, plan.momentum)
    }
}

impl FromPlan for RmsProp {
    fn from_plan(plan: Plan) -> Self {
        RmsProp::new(plan.learning_rate)
    }
}

impl FromPlan for Adam {
    fn from_plan(plan: Plan) -> Self {
        Adam::new(plan.learning_rate)
    }
}

impl FromPlan for WeightDecay<Adam> {
    fn from_plan(plan: Plan) -> Self {
        WeightDecay::new(Adam::new(plan.learning_rate), plan.momentum)
    }
}

impl FromPlan for PowerOfTwoSgd {
    fn from_plan(plan: Plan) -> Self {
        PowerOfTwoSgd::at_most(plan.learning_rate)
    }
}

impl FromPlan for StochasticSgd {
    fn from_plan(plan: Plan) -> Self {
        StochasticSgd::at_most(plan.learning_rate)
    }
}
