//! One step of training: a batch in lanes, their gradients, an update.

use super::augment::Augment;
use super::buffer::Buffer;
use super::clip::Clip;
use super::lane::{Lane, Meeting, Workspace};
use super::layers::Mode;
use super::loss::Loss;
use super::network::{Kind, Network};
use super::optimizer::Optimizer;
use super::penalty;
use super::real::Real;
use super::samples::Samples;
use super::threads;
use rayon::prelude::*;
use std::mem;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// Most lanes of a batch.
const MOST_LANES: usize = 8;
/// Parameters of which one thread updates at least so many.
const UPDATE_PART: usize = 1 << 14;

/// Workspaces that no thread is using, with the thread that did.
type Workspaces<F> = Vec<(ThreadId, Workspace<F>)>;

/// A network in training.
///
/// A batch is cut into lanes by the number of its samples and the network's size alone, never by the number of
/// threads; each lane computes its own gradient, and the gradients are added in the order of the lanes. So the bytes
/// that come out do not depend on how many threads there are.
pub(crate) struct Trainer<F, const N: usize> {
    pub(crate) network: Network<F, N>,
    pub(crate) parameters: Buffer<F>,
    /// What the optimizer remembers.
    pub(crate) states: Vec<Buffer<F>>,
    /// Steps made.
    pub(crate) steps: u64,
    loss: Loss,
    optimizer: Optimizer,
    clip: Clip,
    pub(super) lanes: Vec<Lane<F, N>>,
    /// One of each thread that had a lane's turn; only lanes that meet others have their own.
    workspaces: Mutex<Workspaces<F>>,
    meeting: Meeting<F>,
    /// The trained parameters but for [fused](super::network::Step::fused) weights.
    rest: Vec<Range<usize>>,
    /// Samples in a batch.
    batch: usize,
}

/// Sums over samples.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Score {
    pub(crate) samples: usize,
    pub(crate) loss: f64,
    pub(crate) correct: f64,
}

impl Score {
    fn count<F: Real>(&mut self, loss: F, correct: f32) {
        self.samples += 1;
        self.loss += loss.to_f64();
        self.correct += f64::from(correct);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.samples += other.samples;
        self.loss += other.loss;
        self.correct += other.correct;
    }

    /// Adds what regularisation adds to the mean.
    fn penalize(&mut self, penalty: f64) {
        self.loss += penalty * self.samples as f64;
    }

    /// Mean loss.
    pub(crate) fn mean_loss(&self) -> f64 {
        self.loss / self.samples.max(1) as f64
    }

    /// Share of right answers.
    pub(crate) fn accuracy(&self) -> f64 {
        self.correct / self.samples.max(1) as f64
    }
}

impl<F: Real, const N: usize> Trainer<F, N> {
    pub(crate) fn new(
        network: Network<F, N>,
        parameters: Buffer<F>,
        loss: Loss,
        optimizer: Optimizer,
        batch: usize,
    ) -> Self {
        let states = (0..optimizer.states()).map(|_| Buffer::zeros(network.layout.trainable())).collect();
        let rest = rest(&network);
        let trainer = Self {
            network,
            parameters,
            states,
            steps: 0,
            loss,
            optimizer,
            clip: Clip::None,
            lanes: Vec::new(),
            workspaces: Mutex::default(),
            meeting: Meeting::default(),
            rest,
            batch,
        };
        trainer.with_lanes()
    }

    /// With gradients limited.
    pub(crate) fn clipped(self, clip: Clip) -> Self {
        Self { clip, ..self }.with_lanes()
    }

    fn with_lanes(mut self) -> Self {
        // A lane costs passing once over its gradient.
        let trainable = self.network.layout.trainable();
        let stored =
            if self.may_fuse() { self.rest.iter().map(ExactSizeIterator::len).sum() } else { trainable };
        let lanes = lanes(&self.network, stored, self.batch);
        let alone = self.network.meetings.is_empty();
        let lane = || if alone { self.network.bare_lane(true) } else { self.network.lane(true) };
        self.lanes = (0..lanes).map(|_| lane()).collect();
        self
    }

    /// Computes the gradient of the mean loss of the samples `indices`, and leaves a part of it in each lane. Those of `ahead`
    /// come next, and are brought near meanwhile.
    pub(crate) fn gradient(
        &mut self,
        samples: &Samples,
        (indices, ahead): (&[u32], &[u32]),
        key: u64,
    ) -> Score {
        let blocks = indices.len().div_ceil(N);
        let active = self.lanes.len().min(blocks);
        let segments = self.network.meetings.len();
        let rounded = self.network.layout.rounded(&self.parameters);
        let pass = BatchPass {
            network: &self.network,
            parameters: rounded.as_ref().unwrap_or(&self.parameters),
            loss: self.loss,
            samples,
            indices,
            ahead,
            active,
            workspaces: &self.workspaces,
            key,
        };
        self.meeting.moments.clear();
        self.meeting.sums.clear();
        self.meeting.sums.resize_with(segments, Default::default);
        let fused = self.fuses(indices.len());
        let lanes = &mut self.lanes[..active];
        lanes.iter_mut().for_each(|lane| lane.fused = fused);
        for segment in 0..segments {
            each_lane(lanes, |i, lane| pass.forward(i, lane, segment, &self.meeting));
            let mut whole = lanes[0].moments[segment].clone();
            lanes[1..].iter().for_each(|lane| whole.merge(&lane.moments[segment]));
            self.meeting.moments.push(whole);
        }
        let scores = each_lane(lanes, |i, lane| pass.turn(i, lane, &self.meeting));
        for segment in (0..segments).rev() {
            let mut whole = lanes[0].sums[segment].clone();
            lanes[1..].iter().for_each(|lane| whole.add(&lane.sums[segment]));
            self.meeting.sums[segment] = whole;
            each_lane(lanes, |i, lane| pass.backward(i, lane, segment, &self.meeting));
        }
        let mut total = Score::default();
        scores.iter().for_each(|score| total.add(score));
        let penalties = self.network.layout.penalties();
        penalty::add_gradient(penalties, &self.parameters, &mut self.lanes[0].gradient);
        total.penalize(penalty::loss(penalties, &self.parameters));
        total
    }

    /// The same, of samples that are changed before, if they are to be, as of this epoch of a run with this seed.
    pub(crate) fn gradient_of(
        &mut self,
        samples: &Samples,
        (indices, ahead): (&[u32], &[u32]),
        augment: Option<&Augment>,
        (seed, epoch): (u64, usize),
        key: u64,
    ) -> Score {
        let Some(augment) = augment else { return self.gradient(samples, (indices, ahead), key) };
        let changed = augment.batch(samples, indices, seed, epoch);
        let all: Vec<u32> = (0..indices.len() as u32).collect();
        self.gradient(&changed, (&all, &[]), key)
    }

    /// Can the gradient of dense layers be left to the optimizer's step? If nobody else needs it.
    fn may_fuse(&self) -> bool {
        let adam = matches!(self.optimizer, Optimizer::Adam { .. } | Optimizer::AdamW { .. });
        adam && self.clip == Clip::None && self.network.layout.penalties().is_empty()
    }

    /// Is it? The lanes must hold all of the batch at once.
    fn fuses(&self, batch: usize) -> bool {
        self.may_fuse() && batch <= self.lanes.len() * N
    }

    /// A step of the optimizer with the gradient of a batch of this size, the learning rate times `factor`.
    pub(crate) fn update(&mut self, batch: usize, factor: f64) {
        for (&step, moments) in self.network.meetings.iter().zip(&self.meeting.moments) {
            if let Kind::BatchNorm(layer) = &self.network.steps[step].kind {
                layer.track(&mut self.parameters, moments);
            }
        }
        self.steps += 1;
        let (optimizer, step) = (self.optimizer, (self.steps, factor));
        let active = self.lanes.len().min(batch.div_ceil(N));
        let active = if self.clip == Clip::None { active } else { self.clip_gradient(active) };
        let adam = optimizer.adam_step(step).filter(|_| self.fuses(batch));
        let parameters = &mut self.parameters[..self.network.layout.trainable()];
        if let Some(adam) = adam
            && let [m, v] = &mut self.states[..]
        {
            let lanes = &self.lanes[..active];
            self.network.update_fused(lanes, adam, parameters, [&mut *m, &mut *v]);
            for range in &self.rest {
                let mut states = [&mut m[range.clone()], &mut v[range.clone()]];
                let gradients: Vec<_> = lanes.iter().map(|lane| &lane.gradient[range.clone()]).collect();
                optimizer.update(step, &mut parameters[range.clone()], &gradients, &mut states);
            }
            return;
        }
        let gradients: Vec<&[F]> = self.lanes[..active].iter().map(|lane| &lane.gradient[..]).collect();
        let update = |part: usize, parameters: &mut [F], states: &mut [&mut [F]]| {
            let range = part * UPDATE_PART..part * UPDATE_PART + parameters.len();
            let gradients: Vec<&[F]> = gradients.iter().map(|g| &g[range.clone()]).collect();
            optimizer.update(step, parameters, &gradients, states);
        };
        let mut parts: Vec<(&mut [F], Vec<&mut [F]>)> =
            parameters.chunks_mut(UPDATE_PART).map(|part| (part, Vec::new())).collect();
        for state in &mut self.states {
            let chunks = state.chunks_mut(UPDATE_PART);
            parts.iter_mut().zip(chunks).for_each(|((_, states), chunk)| states.push(chunk));
        }
        if parts.len() > 1 && rayon::current_num_threads() > 1 {
            threads::each(parts.into_iter().enumerate(), |(i, (parameters, mut states))| {
                update(i, parameters, &mut states)
            });
        } else {
            let parts = parts.into_iter().enumerate();
            parts.for_each(|(i, (parameters, mut states))| update(i, parameters, &mut states));
        }
    }

    /// Adds the gradients of all lanes up in the first and limits them; returns how many lanes are left, one.
    fn clip_gradient(&mut self, active: usize) -> usize {
        if let Some((first, others)) = self.lanes[..active].split_first_mut() {
            for lane in others {
                first.gradient.iter_mut().zip(&lane.gradient[..]).for_each(|(sum, &g)| *sum += g);
            }
            self.clip.apply(self.network.layout.places(), &mut first.gradient);
        }
        active.min(1)
    }

    /// Loss and accuracy as the network is now.
    pub(crate) fn evaluate(&self, samples: &Samples) -> Score {
        evaluate(&self.network, &self.parameters, self.loss, samples)
    }

    /// The whole gradient.
    #[cfg(test)]
    pub(crate) fn total_gradient(&self, batch: usize) -> Vec<F> {
        let mut total = vec![F::ZERO; self.network.layout.trainable()];
        for lane in &self.lanes[..self.lanes.len().min(batch.div_ceil(N))] {
            total.iter_mut().zip(&lane.gradient[..]).for_each(|(sum, &g)| *sum += g);
        }
        total
    }
}

/// Loss and accuracy of a network.
pub(crate) fn evaluate<F: Real, const N: usize>(
    network: &Network<F, N>,
    parameters: &Buffer<F>,
    loss: Loss,
    samples: &Samples,
) -> Score {
    let rounded = network.layout.rounded(parameters);
    let seen = rounded.as_ref().unwrap_or(parameters);
    let mut answers = vec![(F::ZERO, 0.0f32); samples.len()];
    let width = network.slots[network.output].len;
    each_part::<F, N, _>(network, &mut answers, 1, |lane, first, answers| {
        let indices: Vec<u32> = (first..first + answers.len()).map(|i| i as u32).collect();
        network.load(lane, indices.iter().map(|&i| samples.row(i as usize)));
        network.infer(lane, seen);
        let mut dy = vec![[F::ZERO; N]; width];
        let mut answer = answers.iter_mut();
        let (y, _) = network.outputs(lane);
        loss.block(y, samples, &indices, F::ZERO, &mut dy, |loss, correct| {
            if let Some(answer) = answer.next() {
                *answer = (loss, correct);
            }
        });
    });
    let mut score = Score::default();
    answers.into_iter().for_each(|(loss, correct)| score.count(loss, correct));
    score.penalize(penalty::loss(network.layout.penalties(), parameters));
    score
}

/// Calls `work(lane, first sample, output)` for each block of samples, on all threads; a sample has `width` elements of
/// `output`.
pub(crate) fn each_part<F: Real, const N: usize, T: Send>(
    network: &Network<F, N>,
    output: &mut [T],
    width: usize,
    work: impl Fn(&mut Lane<F, N>, usize, &mut [T]) + Sync,
) {
    let blocks = (output.len() / width.max(1)).div_ceil(N);
    let part = blocks.div_ceil(rayon::current_num_threads()).max(1) * N;
    output.par_chunks_mut(part * width.max(1)).enumerate().for_each(|(i, output)| {
        let mut lane = network.lane(false);
        for (block, output) in output.chunks_mut(N * width.max(1)).enumerate() {
            work(&mut lane, i * part + block * N, output);
        }
    });
}

/// The trained parameters but for fused weights.
fn rest<F: Real, const N: usize>(network: &Network<F, N>) -> Vec<Range<usize>> {
    let mut fused: Vec<_> = network.steps.iter().filter_map(|step| step.fused.clone()).collect();
    fused.sort_by_key(|range| range.start);
    let (mut rest, mut start) = (Vec::new(), 0);
    for range in fused {
        rest.push(start..range.start);
        start = range.end;
    }
    rest.push(start..network.layout.trainable());
    rest
}

/// Into how many lanes a batch is cut: as many as are worth a thread.
/// `stored` is the length of their gradients.
fn lanes<F: Real, const N: usize>(network: &Network<F, N>, stored: usize, batch: usize) -> usize {
    let blocks = batch.div_ceil(N);
    if !network.meetings.is_empty() {
        return blocks;
    }
    // A lane should have far more to compute than to store.
    let work = network.multiplications().saturating_mul(batch);
    let worth = (work / (64 * stored.max(1))).min(work >> 17).max(1);
    let worth = 1 << worth.ilog2();
    worth.min(MOST_LANES).min(blocks)
}

fn each_lane<F: Real, const N: usize, R: Send>(
    lanes: &mut [Lane<F, N>],
    work: impl Fn(usize, &mut Lane<F, N>) -> R + Sync,
) -> Vec<R> {
    if let [lane] = lanes {
        return vec![work(0, lane)];
    }
    let mut results: Vec<Option<R>> = lanes.iter().map(|_| None).collect();
    let items = lanes.iter_mut().zip(&mut results).enumerate();
    threads::each(items, |(i, (lane, result))| *result = Some(work(i, lane)));
    results.into_iter().flatten().collect()
}

/// What the lanes of a batch share.
struct BatchPass<'a, F, const N: usize> {
    network: &'a Network<F, N>,
    parameters: &'a [F],
    loss: Loss,
    samples: &'a Samples,
    indices: &'a [u32],
    /// The samples that come after the batch.
    ahead: &'a [u32],
    active: usize,
    workspaces: &'a Mutex<Workspaces<F>>,
    key: u64,
}

impl<'a, F: Real, const N: usize> BatchPass<'a, F, N> {
    /// The samples of a lane: whole blocks.
    fn range(&self, lane: usize) -> Range<usize> {
        let blocks = self.indices.len().div_ceil(N);
        let start = |lane: usize| (blocks * lane / self.active * N).min(self.indices.len());
        start(lane)..start(lane + 1)
    }

    fn mode(&self, first: usize) -> Mode {
        Mode::Training { key: self.key, first }
    }

    fn load(&self, lane: &mut Lane<F, N>, range: Range<usize>) {
        let rows = |indices: &'a [u32]| indices.iter().map(|&i| self.samples.row(i as usize));
        let ahead = rows(&self.indices[range.end..]).chain(rows(self.ahead));
        self.network.load_ahead(lane, rows(&self.indices[range]), ahead);
    }

    fn forward(&self, i: usize, lane: &mut Lane<F, N>, segment: usize, meeting: &Meeting<F>) {
        let range = self.range(i);
        if segment == 0 {
            self.load(lane, range.clone());
        }
        self.network.forward(lane, self.parameters, self.mode(range.start), segment, meeting);
    }

    /// The last segment forwards, the loss, and the last segment backwards.
    fn turn(&self, i: usize, lane: &mut Lane<F, N>, meeting: &Meeting<F>) -> Score {
        let (range, segment) = (self.range(i), self.network.meetings.len());
        let scale = F::ONE / F::from_f64(self.indices.len() as f64);
        let mut score = Score::default();
        if segment == 0 {
            lane.work = self.workspace();
        }
        for start in range.clone().step_by(N) {
            let block = start..range.end.min(start + N);
            if segment == 0 {
                self.load(lane, block.clone());
            }
            let mode = self.mode(start);
            self.network.forward(lane, self.parameters, mode, segment, meeting);
            let (y, dy) = self.network.outputs(lane);
            let indices = &self.indices[block];
            self.loss.block(y, self.samples, indices, scale, dy, |l, c| score.count(l, c));
            let place = (i == 0, start > range.start);
            self.network.backward(lane, self.parameters, mode, segment, meeting, place);
        }
        if lane.fused {
            self.network.keep_factors(lane);
        }
        if segment == 0 {
            self.workspaces().push((thread::current().id(), mem::take(&mut lane.work)));
        }
        score
    }

    /// This thread's.
    fn workspace(&self) -> Workspace<F> {
        let (mut free, thread) = (self.workspaces(), thread::current().id());
        let own = free.iter().position(|(owner, _)| *owner == thread);
        own.map_or_else(|| self.network.workspace(true), |own| free.swap_remove(own).1)
    }

    fn workspaces(&self) -> MutexGuard<'_, Workspaces<F>> {
        self.workspaces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn backward(&self, i: usize, lane: &mut Lane<F, N>, segment: usize, meeting: &Meeting<F>) {
        let mode = self.mode(self.range(i).start);
        self.network.backward(lane, self.parameters, mode, segment, meeting, (i == 0, false));
    }
}
