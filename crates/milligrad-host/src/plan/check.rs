//! Proof of a plan, independent of how it was made: it replays the program and watches every element of the
//! arena.

mod replay;

use crate::program::{Apply, Backward, BufferId, ElementType, Gradients, Kernel, Program};

/// Replays all actions of `program` under its plan: each write takes possession of elements, each read must find
/// them still possessed. Packed kernels are replayed element by element.
///
/// # Errors
/// The first read of an element that another buffer has overwritten or that nobody wrote.
pub fn check(program: &Program) -> Result<(), String> {
    let mut memory = Memory::new(program);
    program.inputs.iter().try_for_each(|port| memory.write(port.buffer))?;
    let learning = program.learning.as_ref();
    // Sums over a batch are there from the step before.
    let batch: Vec<_> = learning.iter().flat_map(|l| &l.apply).filter_map(|a| a.batch).collect();
    batch.iter().flat_map(|sums| sums.buffers()).try_for_each(|id| memory.write(id))?;
    for step in &program.steps {
        if let Kernel::Packed(packed) = &step.kernel {
            replay::packed(&mut memory, step, packed)?;
            continue;
        }
        step.inputs.iter().try_for_each(|&id| memory.read(id, &step.name))?;
        if let Some(scratch) = step.scratch {
            memory.write(scratch)?;
            // The kernel reads its inputs and fills the scratch in turns.
            step.inputs.iter().try_for_each(|&id| memory.read(id, &step.name))?;
        }
        if let Some(sums) = step.sums {
            memory.write(sums)?;
        }
        memory.write(step.output)?;
        for scratch in step.scratch.into_iter().chain(step.sums) {
            memory.read(scratch, &step.name)?;
        }
        if !step.inputs.contains(&step.output) {
            // It writes outputs while it still reads inputs.
            step.inputs.iter().try_for_each(|&id| memory.read(id, &step.name))?;
        }
    }
    program.outputs.iter().try_for_each(|port| memory.read(port.buffer, &port.name))?;
    let Some(learning) = learning else { return Ok(()) };
    memory.write(learning.delta)?;
    for action in &learning.backward {
        match *action {
            Backward::Activation { y, delta, .. } => {
                memory.read(y, "activation")?;
                memory.read(delta, "activation")?;
            }
            Backward::Input { delta, patch, sums, values, delta_x, .. } => {
                let values = values.into_iter().flat_map(|(x, y)| [x, y]);
                let read: Vec<_> = values.chain([delta]).collect();
                memory.write(delta_x)?;
                let scratch = || patch.into_iter().chain(sums);
                scratch().try_for_each(|id| memory.write(id))?;
                memory.read(delta_x, "delta")?;
                scratch().try_for_each(|id| memory.read(id, "delta"))?;
                read.into_iter().try_for_each(|id| memory.read(id, "delta"))?;
            }
            Backward::Join { from, into, first } => {
                memory.read(from, "sum of deltas")?;
                if first {
                    memory.write(into)?;
                }
                memory.read(into, "sum of deltas")?;
                memory.read(from, "sum of deltas")?;
            }
        }
    }
    let dequantizes = |apply: &Apply| program.steps[apply.step].kernel.dequantizes().is_some();
    for apply in &learning.apply {
        let name = &program.steps[apply.step].name;
        let stored = apply.gradients.into_iter().flat_map(Gradients::buffers);
        let patch = apply.patch.filter(|_| !(learning.guard && dequantizes(apply)));
        let written: Vec<_> = stored.chain(patch).collect();
        written.iter().try_for_each(|&id| memory.write(id))?;
        let x = apply.parameters.weights.map(|_| apply.x);
        written.into_iter().chain(x).chain([apply.delta]).try_for_each(|id| memory.read(id, name))?;
    }
    // With a guard all updates come after all gradients.
    for apply in learning.apply.iter().filter(|_| learning.guard) {
        let name = &program.steps[apply.step].name;
        match apply.gradients {
            Some(gradients) => gradients.buffers().try_for_each(|id| memory.read(id, name))?,
            None => {
                // Floats are made of an int8 input for the update, and for a batch's sums, which come in the same order.
                let block = apply.patch.filter(|_| dequantizes(apply));
                block.iter().try_for_each(|&id| memory.write(id))?;
                let read = [apply.x, apply.delta].into_iter().chain(block);
                read.into_iter().try_for_each(|id| memory.read(id, name))?;
            }
        }
    }
    batch.iter().flat_map(|sums| sums.buffers()).try_for_each(|id| memory.read(id, "batch"))
}

/// A buffer's number, from 1 on; 0 is nobody. Half of the bytes of an `Option`, of which there is one for each byte of RAM.
type Owner = u32;

fn owner(id: BufferId) -> Owner {
    u32::try_from(id.0 + 1).expect("a program has at most a few thousand buffers")
}

/// Who wrote each element last.
struct Memory<'a> {
    program: &'a Program,
    /// In the order of [`ElementType::ALL`].
    arenas: [Vec<Owner>; 4],
}

impl<'a> Memory<'a> {
    fn new(program: &'a Program) -> Self {
        Self { program, arenas: ElementType::ALL.map(|dtype| vec![0; program.plan.len(dtype)]) }
    }

    fn elements(&mut self, id: BufferId) -> Result<&mut [Owner], String> {
        let (range, buffer) = (self.program.range(id), self.program.buffer(id));
        let of = ElementType::ALL.into_iter().zip(&mut self.arenas).find(|(dtype, _)| *dtype == buffer.dtype);
        let (_, arena) = of.expect("there is an arena of each type");
        let len = arena.len();
        if !range.start.is_multiple_of(buffer.align) {
            return Err(format!("`{}` at {range:?} is not aligned to {}", buffer.name, buffer.align));
        }
        arena
            .get_mut(range.clone())
            .ok_or_else(|| format!("`{}` at {range:?} lies outside the arena of {len}", buffer.name))
    }

    fn write(&mut self, id: BufferId) -> Result<(), String> {
        self.elements(id)?.fill(owner(id));
        Ok(())
    }

    fn write_at(&mut self, id: BufferId, index: usize) -> Result<(), String> {
        self.elements(id)?[index] = owner(id);
        Ok(())
    }

    fn read_at(&mut self, id: BufferId, index: usize, reader: &str) -> Result<(), String> {
        match self.elements(id)?[index] {
            found if found == owner(id) => Ok(()),
            other => Err(self.gone(id, other, reader)),
        }
    }

    fn read(&mut self, id: BufferId, reader: &str) -> Result<(), String> {
        match self.elements(id)?.iter().find(|&&found| found != owner(id)).copied() {
            None => Ok(()),
            Some(other) => Err(self.gone(id, other, reader)),
        }
    }

    fn gone(&self, id: BufferId, other: Owner, reader: &str) -> String {
        let name = |id: BufferId| &self.program.buffer(id).name;
        let by = match other {
            0 => "nobody wrote it",
            other => name(BufferId(other as usize - 1)),
        };
        format!("`{reader}` reads `{}`, of which a part is gone: {by}", name(id))
    }
}
