//! Batches in 16-bit fixed point as the exported `accumulate` and `apply` do them.

use super::{Memory, Remembers};
use crate::run::Runner;
use milligrad::fixed::{self, Reach};
use milligrad::{Target, TrainError};

impl Runner<'_> {
    pub(in crate::run) fn fixed_accumulate(
        &mut self,
        record: &[u8],
        target: Target<'_>,
    ) -> Result<f32, TrainError> {
        let learning = self.learning();
        let before = self.fixed.saturation;
        let loss = match self.fixed_deltas(record, target) {
            Err(reason) if learning.guard => return Err(self.fixed.guard.refuse(reason)),
            loss => loss?,
        };
        let Memory { int32, saturation, saturated, .. } = &mut self.fixed;
        if self.samples == 0 {
            *saturated = 0;
            learning.batch_sums().for_each(|id| int32[self.program.range(id)].fill(0));
        }
        *saturated = saturated.saturating_add(saturation.since(&before));
        self.samples += 1;
        for apply in &learning.apply {
            self.fixed_sum(apply, apply.batch.expect("a program with batches"));
        }
        Ok(loss)
    }

    pub(in crate::run) fn fixed_apply<R: Remembers>(&mut self, rule: &R) -> Result<usize, TrainError> {
        let learning = self.learning();
        let samples = std::mem::take(&mut self.samples);
        if samples == 0 {
            return Ok(0);
        }
        let Memory { int32, learned, saturation, guard, saturated, .. } = &mut self.fixed;
        let (before, mut reach) = (*saturation, Reach::new());
        for id in learning.batch_sums() {
            let sums = &mut int32[self.program.range(id)];
            fixed::mean(samples as u32, sums, saturation);
            reach.gradient(sums);
        }
        let mut rule = *rule;
        if learning.guard {
            let mean = saturated.checked_div(samples as u32).unwrap_or(0);
            let saturated = mean.saturating_add(saturation.since(&before));
            rule = guard.decide(reach, saturated, &rule, || learned.extent())?;
        }
        for apply in &learning.apply {
            self.fixed_update_by(apply, apply.batch.expect("a program with batches"), &rule);
        }
        Ok(samples)
    }
}
