//! From a graph to a program: kernels are chosen, views are resolved, functions go in place, the way back is
//! laid out, and all is planned.

mod blocks;
mod border;
mod choice;
mod fixed;
mod learn;
mod range;
mod take;
mod thaw;

use crate::error::{Error, Result};
use crate::graph::{self, DType, Graph, Op, TensorId, Values};
use crate::pack;
use crate::plan::{Plan, lower_bound_bytes};
use crate::program::{
    Buffer, BufferId, ElementType, FixedExponents, FixedPoint, Kernel, LossKind, OptimizerKind, ParameterIds,
    Port, Program, Step, Trainable, overlaps,
};
use crate::{ops, optimize};
pub use choice::{Chosen, Layers};
use milligrad::fixed::Limits;
use milligrad::{Core, Rounding};

/// Most bytes that the buffers of a program may need at once: more RAM than boards have, external memory included.
const LARGEST_ARENA: usize = 1 << 25;

/// How a graph becomes a program.
#[derive(Debug, Clone, PartialEq)]
pub struct CompileOptions {
    /// [`Rounding::Double`]: everything as TensorFlow Lite Micro and CMSIS-NN compute it. [`Rounding::Single`]: as
    /// TensorFlow's interpreter with its reference kernels, which rounds once in fully connected int8 layers, and makes its
    /// tables of sigmoid and tanh from floats.
    pub rounding: Rounding,
    /// The core to pack weights and to choose kernels for.
    pub core: Core,
    /// Which layers learn on the device.
    pub learn: Option<Learn>,
}

impl Default for CompileOptions {
    fn default() -> Self {
        Self { rounding: Rounding::Double, core: Core::Portable, learn: None }
    }
}

/// On-device training.
#[derive(Debug, Clone, PartialEq)]
pub struct Learn {
    /// Which layers. From the first of them on all is float: what is int8 there becomes float again.
    pub layers: Layers,
    /// Update rule.
    pub optimizer: OptimizerKind,
    /// Cross entropy after softmax, binary cross entropy after sigmoid, else the mean squared error, unless given.
    pub loss: Option<LossKind>,
    /// Every step is decided on by a [`milligrad::guard`].
    pub guard: bool,
    /// Gradients can be summed over batches.
    pub batches: bool,
    /// In 16-bit fixed point instead of floats: plain descent.
    pub fixed: Option<FixedPoint>,
}

impl Learn {
    /// These layers by this rule, one sample at a time, without a guard.
    pub const fn new(layers: Layers, optimizer: OptimizerKind) -> Self {
        Self { layers, optimizer, loss: None, guard: false, batches: false, fixed: None }
    }

    /// With a guard.
    #[must_use]
    pub fn guarded(mut self) -> Self {
        self.guard = true;
        self
    }

    /// With batches.
    #[must_use]
    pub fn with_batches(mut self) -> Self {
        self.batches = true;
        self
    }

    /// In 16-bit fixed point.
    #[must_use]
    pub fn in_fixed_point(mut self, fixed: FixedPoint) -> Self {
        self.fixed = Some(fixed);
        self
    }

    /// What can't be combined.
    fn check(&self) -> std::result::Result<(), &'static str> {
        if self.fixed.is_none() {
            return Ok(());
        }
        if self.batches && self.fixed.is_some_and(|fixed| fixed.is_dynamic()) {
            return Err(
                "with dynamic exponents layers learn one sample at a time; leave out --batches, or use --exponents static",
            );
        }
        if self.optimizer != OptimizerKind::Sgd {
            return Err(
                "in 16-bit fixed point layers learn by plain descent alone; use --optimizer sgd, or --dtype float32",
            );
        }
        Ok(())
    }
}

/// The graph as it runs on a device where these layers learn.
fn prepared(graph: &Graph, layers: Option<&Layers>) -> Result<Graph> {
    let graph = crate::prepare::for_inference(graph)?;
    let Some(layers) = layers else { return Ok(graph) };
    graph.require_single("learning on the device")?;
    let first = layers.choose(&graph)?[0].node;
    // Activations that were not fused in int8 may be now.
    crate::prepare::for_inference(&thaw::thaw(&graph, first)?)
}

/// The graph that `program` was compiled from, its `layers` with the parameters that a device has learned, in the order of
/// [`Program::parameters`]: what is int8 from the first of them on is float.
///
/// # Errors
/// Those of [`Program::compile`], and if the parameters are not those of the program.
pub fn with_parameters(
    graph: &Graph,
    layers: Option<&Layers>,
    program: &Program,
    parameters: &[Vec<f32>],
) -> Result<Graph> {
    let mut graph = prepared(graph, layers)?;
    for (trainable, values) in program.parameters.iter().zip(parameters) {
        let id = graph.nodes.iter().find_map(|node| {
            let what = trainable.name.strip_prefix(&node.name)?;
            let index = ["/weights", "/bias"].iter().position(|known| *known == what)?;
            node.constants.get(index).copied()
        });
        let id = id.ok_or_else(|| Error::Model {
            model: graph.name.clone(),
            problem: format!("it has no `{}`: the program is of another model", trainable.name),
        })?;
        graph.set_values(id, values)?;
    }
    Ok(graph)
}

impl Program {
    /// Compiles and plans a graph. Batch norm is folded, activations are fused and dropout is removed first.
    ///
    /// # Errors
    /// If layers are to learn that can't, or through layers that have no way back.
    pub fn compile(graph: &Graph, options: &CompileOptions) -> Result<Self> {
        let layers = options.learn.as_ref().map(|learn| &learn.layers);
        if let Some(Err(problem)) = options.learn.as_ref().map(Learn::check) {
            return Err(Error::Model { model: graph.name.clone(), problem: problem.into() });
        }
        let graph = prepared(graph, layers)?;
        let trained = match layers {
            Some(layers) => layers.choose(&graph)?,
            None => Vec::new(),
        };
        let mut lowering = Lowering::new(&graph, trained, options.learn.as_ref());
        for (index, node) in graph.nodes.iter().enumerate() {
            let kernel =
                ops::lower(&graph, node, options.rounding).map_err(|problem| graph.error(node, problem))?;
            match kernel {
                Some(kernel) if !lowering.is_in_reader(node) => lowering.step(index, kernel)?,
                _ => lowering.buffer_of[node.output.0] = lowering.buffer_of[node.inputs[0].0],
            }
        }
        let program = lowering.finish(options)?;
        let (largest, limit) = (program.largest_in_fixed_point(), u32::from(Limits::DEFAULT.max_parameter));
        if program.fixed_point().is_some()
            && program.learning.as_ref().is_some_and(|l| l.guard)
            && largest > limit
        {
            let scale = f64::from(1 << milligrad::WEIGHT_BITS);
            let problem = format!(
                "a parameter that learns is ±{:.3}, the guard refuses steps beyond ±{:.3} in fixed point: leave --guard out, or \
                 use --dtype float32",
                f64::from(largest) / scale,
                f64::from(limit) / scale
            );
            return Err(Error::Model { model: program.name, problem });
        }
        Ok(program)
    }
}

/// A program in the making.
struct Lowering<'a> {
    graph: &'a Graph,
    /// How many layers read each tensor.
    readers: Vec<usize>,
    /// Nodes that learn.
    trained: Vec<Chosen>,
    steps: Vec<Step>,
    buffers: Vec<Buffer>,
    /// The buffer of each tensor that exists already.
    buffer_of: Vec<Option<BufferId>>,
    parameters: Vec<Trainable>,
    /// Step and parameter indices of the layers that learn.
    learners: Vec<(usize, ParameterIds)>,
    /// What is float in the graph is in fixed point here.
    fixed: bool,
    /// With exponents that each step chooses.
    dynamic: bool,
    /// Inputs and outputs that are floats all the same, beside the buffers of their blocks.
    real_ports: Vec<(TensorId, BufferId)>,
    /// The loss was chosen to be the mean squared error.
    squares: bool,
}

impl<'a> Lowering<'a> {
    fn new(graph: &'a Graph, trained: Vec<Chosen>, learn: Option<&Learn>) -> Self {
        let mut readers = vec![0; graph.tensors.len()];
        for node in &graph.nodes {
            let distinct = node.inputs.iter().enumerate().filter(|(i, id)| !node.inputs[..*i].contains(id));
            distinct.for_each(|(_, id)| readers[id.0] += 1);
        }
        let mut lowering = Self {
            graph,
            readers,
            trained,
            steps: Vec::new(),
            buffers: Vec::new(),
            buffer_of: vec![None; graph.tensors.len()],
            parameters: Vec::new(),
            learners: Vec::new(),
            fixed: learn.is_some_and(|learn| learn.fixed.is_some()),
            dynamic: learn
                .and_then(|learn| learn.fixed)
                .is_some_and(|fixed| fixed.exponents == FixedExponents::Dynamic),
            real_ports: Vec::new(),
            squares: learn.is_some_and(|learn| learn.loss == Some(LossKind::MeanSquaredError)),
        };
        for port in &graph.inputs {
            if lowering.dynamic && graph.tensor(port.tensor).dtype == DType::F32 {
                lowering.block_of_input(port);
            } else {
                lowering.buffer_of[port.tensor.0] = Some(lowering.tensor_buffer(&port.name, port.tensor, 0));
            }
        }
        lowering
    }

    fn new_buffer(
        &mut self,
        name: impl Into<String>,
        dtype: ElementType,
        len: usize,
        time: usize,
    ) -> BufferId {
        self.buffers.push(Buffer { name: name.into(), dtype, len, align: 1, first: time, last: time });
        BufferId(self.buffers.len() - 1)
    }

    fn tensor_buffer(&mut self, name: &str, tensor: TensorId, time: usize) -> BufferId {
        let info = self.graph.tensor(tensor);
        self.new_buffer(name, self.dtype(tensor), info.len(), time)
    }

    /// The type of a tensor on the device.
    fn dtype(&self, tensor: TensorId) -> ElementType {
        match self.graph.tensor(tensor).dtype {
            DType::F32 if self.fixed => ElementType::I16,
            dtype => dtype.into(),
        }
    }

    /// Notes that an action at `time` needs the buffer.
    fn touch(&mut self, id: BufferId, time: usize) {
        let buffer = &mut self.buffers[id.0];
        buffer.last = buffer.last.max(time);
    }

    fn step(&mut self, index: usize, mut kernel: Kernel) -> Result<()> {
        let (graph, time) = (self.graph, self.steps.len());
        let node = &graph.nodes[index];
        let float = |id: &TensorId| graph.tensor(*id).dtype == DType::F32;
        if self.fixed && node.inputs.iter().chain([&node.output]).any(float) {
            kernel = match self.dynamic {
                true => fixed::dynamic_kernel(kernel, graph.is_output(node.output), self.squares),
                false => fixed::kernel(kernel, graph.is_output(node.output), self.squares),
            }
            .map_err(|problem| graph.error(node, problem))?;
        }
        kernel = self.over_border(node, kernel);
        self.take_range(node, &mut kernel);
        let inputs: Vec<_> =
            node.inputs.iter().map(|id| self.buffer_of[id.0].expect("verified order of layers")).collect();
        inputs.iter().for_each(|&id| self.touch(id, time));
        let info = graph.tensor(node.output);
        let output = if kernel.in_place() && self.may_overwrite(inputs[0]) {
            inputs[0]
        } else {
            self.tensor_buffer(&node.name, node.output, time)
        };
        self.buffer_of[node.output.0] = Some(output);
        let scratch = (kernel.scratch() > 0).then(|| {
            let dtype = self.dtype(node.inputs[0]);
            self.new_buffer(format!("{} patch", node.name), dtype, kernel.scratch(), time)
        });
        let sums = matches!(&kernel, Kernel::Fixed(kernel) if kernel.keeps_sums())
            .then(|| self.new_buffer(format!("{} sums", node.name), ElementType::I32, info.len(), time));
        let parameters = node.constants.iter().map(|&id| graph.constant(id).values.len()).sum();
        if let Some(&chosen) = self.trained.iter().find(|chosen| chosen.node == index) {
            self.move_to_ram(node.name.as_str(), time, &mut kernel, chosen.weights)
                .map_err(|problem| graph.error(node, problem))?;
        }
        self.steps.push(Step {
            name: node.name.clone(),
            op: graph.op_name(node),
            macs: macs(graph, node),
            kernel,
            inputs,
            scratch,
            sums,
            output,
            shape: info.shape.clone(),
            parameters,
        });
        Ok(())
    }

    /// A function may replace its input if nobody else needs it: no other layer, and not the way back, on which a
    /// layer with a range activation or a maximum needs its own output.
    fn may_overwrite(&self, buffer: BufferId) -> bool {
        if self.is_shared(buffer) {
            return false;
        }
        if self.trained.is_empty() || self.buffers[buffer.0].dtype == ElementType::I8 {
            return true;
        }
        let producer = self.steps.iter().rfind(|step| step.output == buffer);
        producer.and_then(|step| step.kernel.trains()).is_some_and(|layer| layer.weights && !layer.masks)
    }

    /// `true` if several layers read a buffer, or it is given out.
    fn is_shared(&self, buffer: BufferId) -> bool {
        let mut views = (0..self.buffer_of.len()).filter(|&t| self.buffer_of[t] == Some(buffer));
        // A view counts as one reader of what it views.
        views.any(|t| self.readers[t] > 1 || self.graph.is_output(TensorId(t)))
    }

    /// Removes what no output needs.
    fn optimize(&mut self, inputs: &[Port], outputs: &[Port]) -> Vec<String> {
        let ports = inputs.iter().chain(outputs).map(|port| port.buffer).collect();
        optimize::run(optimize::Draft { steps: &mut self.steps, buffers: &mut self.buffers, ports })
    }

    /// Inputs or outputs with their buffers.
    fn ports(&self, ports: &[graph::Port]) -> Vec<Port> {
        let port = |port: &graph::Port| {
            let info = self.graph.tensor(port.tensor);
            let real = self.real_ports.iter().rfind(|(tensor, _)| *tensor == port.tensor).map(|real| real.1);
            let buffer =
                real.or(self.buffer_of[port.tensor.0]).expect("a verified graph has and writes its ports");
            Port {
                name: port.name.clone(),
                buffer,
                shape: info.shape.clone(),
                quantization: info.quantization,
            }
        };
        ports.iter().map(port).collect()
    }

    /// Chooses kernels for a core, and gives each the scratch that it needs.
    fn pack(&mut self, core: Core) {
        for time in 0..self.steps.len() {
            let kernel = std::mem::replace(&mut self.steps[time].kernel, Kernel::Softmax);
            let kernel = pack::choose(kernel, core);
            let len = kernel.scratch();
            let scratch = match (self.steps[time].scratch, len) {
                (_, 0) => None,
                (Some(scratch), _) => Some(scratch),
                (None, _) => {
                    let name = format!("{} scratch", self.steps[time].name);
                    Some(self.new_buffer(name, ElementType::I8, len, time))
                }
            };
            if let Some(unused) = self.steps[time].scratch {
                self.buffers[unused.0].len = len;
            }
            if let Some(scratch) = scratch {
                self.buffers[scratch.0].align = if let Kernel::Packed(_) = kernel { 4 } else { 1 };
            }
            let step = &mut self.steps[time];
            (step.kernel, step.scratch) = (kernel, scratch);
        }
    }

    fn finish(mut self, options: &CompileOptions) -> Result<Program> {
        let graph = self.graph;
        if self.dynamic {
            graph.outputs.iter().for_each(|port| self.reals_of_output(port));
        }
        let (inputs, outputs) = (self.ports(&graph.inputs), self.ports(&graph.outputs));
        outputs.iter().for_each(|port| self.touch(port.buffer, self.steps.len()));
        let removed = match &options.learn {
            None => self.optimize(&inputs, &outputs),
            Some(_) => Vec::new(),
        };
        self.pack(options.core);
        let learning =
            options.learn.as_ref().map(|learn| self.learning(learn, outputs[0].buffer)).transpose()?;
        let needed = lower_bound_bytes(&self.buffers);
        if needed > LARGEST_ARENA {
            let problem = format!(
                "its layers need {needed} bytes of RAM at once, at most {LARGEST_ARENA} are planned; use smaller inputs or \
                 fewer channels"
            );
            return Err(Error::Model { model: graph.name.clone(), problem });
        }
        let program = Program {
            name: graph.name.clone(),
            labels: graph.labels.clone(),
            normalize: graph.normalize,
            features: graph.features.clone(),
            target: graph.target,
            core: options.core,
            plan: Plan::new(&self.buffers, &overlaps(&self.steps, &self.buffers)),
            steps: self.steps,
            buffers: self.buffers,
            inputs,
            outputs,
            parameters: self.parameters,
            learning,
            removed,
        };
        crate::plan::check::check(&program)
            .map_err(|problem| Error::Model { model: program.name.clone(), problem })?;
        Ok(program)
    }
}

/// Multiply-accumulate operations of a node, padded taps included.
fn macs(graph: &Graph, node: &crate::Node) -> u64 {
    let weights = node.constants.first().map_or(0, |&id| graph.constant(id).values.len());
    let output = graph.tensor(node.output);
    let positions = match node.op {
        Op::Conv2d { .. } | Op::DepthwiseConv2d { .. } => {
            output.len() / output.shape.last().copied().unwrap_or(1)
        }
        Op::Dense { .. } => output.len() / output.shape.last().copied().unwrap_or(1),
        Op::TransposeConv2d { .. } => {
            let input = graph.tensor(node.inputs[0]);
            input.shape[0] * input.shape[1]
        }
        _ => 0,
    };
    (weights * positions) as u64
}

/// Bytes of a graph's weights and biases as they are in flash.
pub fn weight_bytes(graph: &Graph) -> usize {
    graph.constants.iter().map(|c| c.values.bytes()).sum()
}

/// The float values of a constant; verified float layers have no others.
pub(crate) fn floats(values: &Values) -> &[f32] {
    match values {
        Values::F32(values) => values,
        _ => &[],
    }
}
