//! The forward and the backward pass over a part of a batch.

use super::buffer::Buffer;
use super::kernels::{Adam, Remembered};
use super::layers::{Delta, Gradient, Mode, Moments, Pass, Share, mask_clamped, row_len};
use super::network::{Kind, Network, Step};
use super::real::Real;
use super::row::Row;
use super::threads;
use std::mem;

/// What a block is computed in. Lanes whose turns come one after the other share it, so that it stays in the near caches.
#[derive(Debug, Default)]
pub(crate) struct Workspace<F> {
    /// Activations by slot.
    values: Vec<Buffer<F>>,
    /// Derivatives by slot.
    deltas: Vec<Buffer<F>>,
    scratch: Buffer<F>,
}

/// The memory of one part of the batch. Lanes share nothing, so that each may have a thread of its own.
pub(crate) struct Lane<F, const N: usize> {
    /// Empty between the lane's turns if those of others may come meanwhile.
    pub(crate) work: Workspace<F>,
    /// The derivative by the trained parameters.
    pub(crate) gradient: Buffer<F>,
    /// This lane's part of each batch norm's sums, forward and backward.
    pub(crate) moments: Vec<Moments<F>>,
    pub(crate) sums: Vec<Moments<F>>,
    /// The inputs sample by sample.
    rows: Buffer<F>,
    /// The same of each [fused](Step::fused) step that has other inputs.
    fused_rows: Vec<Buffer<F>>,
    /// The derivative by the output of each fused step.
    fused_deltas: Vec<Buffer<F>>,
    /// Samples in the block.
    valid: usize,
    /// Leave the gradient of [fused](Step::fused) weights to [`Network::update_fused`].
    pub(crate) fused: bool,
}

/// What all lanes know of the batch's statistics when they meet, for each batch norm.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meeting<F> {
    pub(crate) moments: Vec<Moments<F>>,
    pub(crate) sums: Vec<Moments<F>>,
}

impl<F: Real, const N: usize> Lane<F, N> {
    /// What a slot holds.
    pub(crate) fn values(&self, slot: usize) -> &[[F; N]] {
        self.work.values[slot].blocks()
    }
}

impl<F: Real, const N: usize> Network<F, N> {
    /// Memory for one part of a batch, with a workspace of its own; without `training` for the forward pass alone.
    pub(crate) fn lane(&self, training: bool) -> Lane<F, N> {
        Lane { work: self.workspace(training), ..self.bare_lane(training) }
    }

    /// The same without a workspace.
    pub(crate) fn bare_lane(&self, training: bool) -> Lane<F, N> {
        let empty = || vec![Moments::default(); self.meetings.len()];
        let fused = |step: &Step<F, N>, len: usize| if training && step.fused.is_some() { len } else { 0 };
        let rows = self.steps.iter().map(|step| fused(step, self.rows_len(step)));
        let deltas = self.steps.iter().map(|step| fused(step, self.slots[step.output].room * N));
        Lane {
            work: Workspace::default(),
            gradient: Buffer::zeros(if training { self.layout.trainable() } else { 0 }),
            moments: empty(),
            sums: empty(),
            fused_rows: rows.map(Buffer::zeros).collect(),
            fused_deltas: deltas.map(Buffer::zeros).collect(),
            rows: Buffer::zeros(row_len(self.slots[self.input].len) * N),
            valid: 0,
            fused: false,
        }
    }

    /// What a lane's turn needs.
    pub(crate) fn workspace(&self, training: bool) -> Workspace<F> {
        let buffers = || self.slots.iter().map(|slot| Buffer::zeros(slot.room * N)).collect();
        let scratch = self.steps.iter().map(|step| step.kind.layer().scratch_len()).max().unwrap_or(0);
        Workspace {
            values: buffers(),
            deltas: if training { buffers() } else { Vec::new() },
            scratch: Buffer::zeros(if training { scratch } else { 0 }),
        }
    }

    /// Numbers in the rows that a step keeps for [`update_fused`](Self::update_fused): the network's input is kept anyway.
    fn rows_len(&self, step: &Step<F, N>) -> usize {
        if step.inputs[0].slot == self.input { 0 } else { step.kind.layer().scratch_len() }
    }

    /// The steps between two meetings; those that meet are the first of each segment but segment 0.
    fn segment(&self, segment: usize) -> std::ops::Range<usize> {
        let start = if segment == 0 { 0 } else { self.meetings[segment - 1] };
        start..self.meetings.get(segment).copied().unwrap_or(self.steps.len())
    }

    /// Puts samples (rows of `width` numbers) into the block; what is left of the block is zero.
    pub(crate) fn load<'a>(&self, lane: &mut Lane<F, N>, rows: impl ExactSizeIterator<Item = Row<'a>>) {
        self.load_ahead(lane, rows, std::iter::empty());
    }

    /// The same, while the rows that a later block will need come near.
    pub(crate) fn load_ahead<'a>(
        &self,
        lane: &mut Lane<F, N>,
        rows: impl ExactSizeIterator<Item = Row<'a>>,
        mut ahead: impl Iterator<Item = Row<'a>>,
    ) {
        let len = self.slots[self.input].len;
        let length = row_len(len);
        lane.valid = rows.len().min(N);
        // Row by row first: that is how the memory delivers them.
        for (to, row) in lane.rows.chunks_exact_mut(length).zip(rows) {
            ahead.next().into_iter().for_each(Row::prefetch);
            row.write(to);
        }
        lane.rows[lane.valid * length..].fill(F::ZERO);
        F::transpose((&lane.rows, length), len, (&mut lane.work.values[self.input], N));
    }

    /// All layers, with the moving statistics in batch norms.
    pub(crate) fn infer(&self, lane: &mut Lane<F, N>, parameters: &[F]) {
        for step in &self.steps {
            self.forward_step(step, lane, parameters, Mode::Inference);
        }
    }

    /// The layers of a segment; then this lane's part of the statistics that the next segment needs.
    pub(crate) fn forward(
        &self,
        lane: &mut Lane<F, N>,
        parameters: &[F],
        mode: Mode,
        segment: usize,
        meeting: &Meeting<F>,
    ) {
        for (i, step) in self.steps[self.segment(segment)].iter().enumerate() {
            match &step.kind {
                Kind::BatchNorm(layer) if i == 0 => {
                    let mut y = mem::take(&mut lane.work.values[step.output]);
                    let x = lane.work.values[step.inputs[0].slot].blocks();
                    let y_blocks = &mut y.blocks_mut::<N>()[..layer.len];
                    layer.normalize(parameters, x, &meeting.moments[segment - 1], y_blocks);
                    lane.work.values[step.output] = y;
                }
                _ => self.forward_step(step, lane, parameters, mode),
            }
        }
        if let Some(Kind::BatchNorm(layer)) = self.meetings.get(segment).map(|&step| &self.steps[step].kind) {
            let x = lane.work.values[self.steps[self.meetings[segment]].inputs[0].slot].blocks::<N>();
            lane.moments[segment] = layer.moments(x, lane.valid);
        }
    }

    fn forward_step(&self, step: &Step<F, N>, lane: &mut Lane<F, N>, parameters: &[F], mode: Mode) {
        let mut y = mem::take(&mut lane.work.values[step.output]);
        let inputs: Vec<&[[F; N]]> = step.inputs.iter().map(|i| lane.work.values[i.slot].blocks()).collect();
        let pass = Pass { parameters, inputs: &inputs, rows: None, mode };
        step.kind.layer().forward(pass, &mut y.blocks_mut()[..self.slots[step.output].len]);
        lane.work.values[step.output] = y;
    }

    /// The outputs of the block, and where their derivatives belong.
    pub(crate) fn outputs<'a>(&self, lane: &'a mut Lane<F, N>) -> (&'a [[F; N]], &'a mut [[F; N]]) {
        let len = self.slots[self.output].len;
        let deltas = match lane.work.deltas.get_mut(self.output) {
            Some(delta) => &mut delta.blocks_mut()[..len],
            None => &mut [],
        };
        (&lane.work.values[self.output].blocks()[..len], deltas)
    }

    /// The layers of a segment backwards; then this lane's part of the sums that the segment before needs.
    ///
    /// `first_lane` gets the gradients that belong to the whole batch; `accumulate` adds to the gradient of an
    /// earlier block.
    pub(crate) fn backward(
        &self,
        lane: &mut Lane<F, N>,
        parameters: &[F],
        mode: Mode,
        segment: usize,
        meeting: &Meeting<F>,
        (first_lane, accumulate): (bool, bool),
    ) {
        let mut steps = self.segment(segment);
        if let Some(&step) = self.meetings.get(segment) {
            self.backward_batch_norm(&self.steps[step], lane, parameters, segment, meeting, first_lane);
        }
        if segment > 0 {
            steps.start += 1;
        }
        for step in self.steps[steps].iter().rev() {
            self.backward_step(step, lane, parameters, mode, accumulate);
        }
        if segment > 0 {
            let step = &self.steps[self.meetings[segment - 1]];
            if let Kind::BatchNorm(layer) = &step.kind {
                let x = lane.work.values[step.inputs[0].slot].blocks::<N>();
                let dy = lane.work.deltas[step.output].blocks();
                lane.sums[segment - 1] = layer.delta_sums(x, dy, &meeting.moments[segment - 1]);
            }
        }
    }

    /// Keeps what [`update_fused`](Self::update_fused) needs of this block: the inputs sample by sample, and `δy`.
    pub(crate) fn keep_factors(&self, lane: &mut Lane<F, N>) {
        for (i, step) in self.steps.iter().enumerate().filter(|(_, step)| step.fused.is_some()) {
            let rows = &mut lane.fused_rows[i];
            if let Some(layer) = step.kind.layer().dense().filter(|_| !rows.is_empty()) {
                layer.rows::<N>(lane.work.values[step.inputs[0].slot].blocks(), None, rows);
            }
            mem::swap(&mut lane.fused_deltas[i], &mut lane.work.deltas[step.output]);
        }
    }

    /// A step of Adam for the weights whose gradient the backward pass left out; each lane has one block.
    ///
    /// Threads share the outputs of all layers; each weight's gradient is summed in the order of the samples.
    pub(crate) fn update_fused(
        &self,
        lanes: &[Lane<F, N>],
        adam: Adam<F>,
        parameters: &mut [F],
        [m, v]: [&mut [F]; 2],
    ) {
        let fused = self.steps.iter().enumerate().filter_map(|(i, step)| {
            let (layer, place) = (step.kind.layer().dense()?, step.fused.clone()?);
            let (of_network, outputs) = (step.inputs[0].slot == self.input, self.slots[step.output].len);
            let blocks = lanes.iter().map(|lane| {
                let rows = if of_network { &lane.rows } else { &lane.fused_rows[i] };
                (&rows[..], &lane.fused_deltas[i].blocks()[..outputs])
            });
            Some((layer, place, blocks.collect::<Vec<_>>()))
        });
        let mut fused: Vec<_> = fused.collect();
        fused.sort_by_key(|(_, place, _)| place.start);
        let (mut left, mut end) = (Remembered { w: parameters, m, v }, 0);
        let mut shares = Vec::new();
        for (layer, place, blocks) in &fused {
            let weights;
            (weights, left) = left.split_at(place.start - end).1.split_at(place.len());
            shares.extend(layer.shares(blocks, weights));
            end = place.end;
        }
        let update = |share: Share<'_, F, N>| share.update(adam);
        // No layer is worth a second thread: nor are all together.
        if shares.len() == fused.len() {
            return shares.into_iter().for_each(update);
        }
        threads::each(shares, update);
    }

    fn backward_batch_norm(
        &self,
        step: &Step<F, N>,
        lane: &mut Lane<F, N>,
        parameters: &[F],
        meeting: usize,
        batch: &Meeting<F>,
        first_lane: bool,
    ) {
        let Kind::BatchNorm(layer) = &step.kind else { return };
        let (moments, sums) = (&batch.moments[meeting], &batch.sums[meeting]);
        if first_lane {
            let gradient =
                Gradient { values: &mut lane.gradient, accumulate: step.accumulate, wanted: step.wanted };
            layer.gradient(sums, gradient);
        }
        let input = step.inputs[0];
        if input.wanted {
            let mut dx = mem::take(&mut lane.work.deltas[input.slot]);
            let (x, dy) = (lane.work.values[input.slot].blocks(), lane.work.deltas[step.output].blocks());
            let delta = Delta::new(dx.blocks_mut::<N>(), input.accumulate);
            layer.backward(parameters, (x, dy), (moments, sums), lane.valid, delta);
            lane.work.deltas[input.slot] = dx;
        }
    }

    fn backward_step(
        &self,
        step: &Step<F, N>,
        lane: &mut Lane<F, N>,
        parameters: &[F],
        mode: Mode,
        accumulate: bool,
    ) {
        if !step.wanted.contains(&true) && !step.inputs.iter().any(|input| input.wanted) {
            return;
        }
        let len = self.slots[step.output].len;
        let mut delta = mem::take(&mut lane.work.deltas[step.output]);
        let dy = &mut delta.blocks_mut::<N>()[..len];
        let y = &lane.work.values[step.output].blocks()[..len];
        if let Some(clamp) = step.clamp.filter(|_| !step.masked) {
            mask_clamped(y, dy, clamp);
        }
        let inputs: Vec<&[[F; N]]> = step.inputs.iter().map(|i| lane.work.values[i.slot].blocks()).collect();
        let rows = (step.inputs[0].slot == self.input).then_some(&lane.rows[..]);
        let pass = Pass { parameters, inputs: &inputs, rows, mode };
        let wanted = [step.wanted[0] && !(lane.fused && step.fused.is_some()), step.wanted[1]];
        if wanted.contains(&true) {
            let gradient = Gradient {
                values: &mut lane.gradient,
                accumulate: step.accumulate.map(|a| a || accumulate),
                wanted,
            };
            let scratch = step.kind.layer().scratch_len();
            step.kind.layer().backward_parameters(pass, dy, gradient, &mut lane.work.scratch[..scratch]);
        }
        for (i, input) in step.inputs.iter().enumerate().filter(|(_, input)| input.wanted) {
            let dx =
                Delta::new(lane.work.deltas[input.slot].blocks_mut(), input.accumulate).masked(input.clamp);
            step.kind.layer().backward_input(pass, y, dy, i, dx);
        }
        lane.work.deltas[step.output] = delta;
    }
}
