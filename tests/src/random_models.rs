//! Random int8 models of the layers that have packed kernels.

use crate::noise;
use milligrad::{Core, Rounding};
use milligrad_host::{Builder, CompileOptions, Graph, Program, QuantizeOptions, Result, quantize};

/// Xorshift.
pub struct Random(u64);

impl Random {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// A model of a few convolutions, depthwise convolutions, sums and pools, and a dense layer, of odd sizes.
pub fn graph(seed: u64) -> Result<Graph> {
    let random = &mut Random::new(seed);
    let (mut height, mut width) = (3 + random.below(9), 3 + random.below(9));
    let mut depth = 1 + random.below(9);
    let mut model = Builder::new(format!("random_{seed}"), &[height, width, depth]);
    for _ in 0..1 + random.below(5) {
        let stride = random.pick(&[1, 1, 2]);
        let relu = random.pick(&[0, 1, 1, 2]);
        match random.below(6) {
            0 => {
                depth = 1 + random.below(13);
                model =
                    model.conv2d(depth, [1 + random.below(4), 1 + random.below(4)]).strides(stride).same();
            }
            1 | 2 => {
                depth = 1 + random.below(17);
                model = model.conv2d(depth, 1).strides(stride).same();
            }
            3 => model = model.depthwise_conv2d(3).strides(stride).same(),
            4 => {
                let skip = model.here();
                model = model.conv2d(depth, 3).same().relu().conv2d(depth, 1).add(skip);
            }
            _ => {
                depth = 1 + random.below(6);
                model = model.conv2d(depth, 2).dilation(2).same();
            }
        }
        // Strides apply to the last layer of a block alone; a sum keeps its size.
        let shape = model.build(0)?;
        let shape = &shape.tensor(shape.output()).shape;
        (height, width) = (shape[0], shape[1]);
        model = match relu {
            1 => model.relu(),
            2 => model.relu6(),
            _ => model,
        };
    }
    if random.below(2) == 0 && height * width > 1 {
        model = model.global_avg_pool2d();
    }
    let model = model.flatten().dense(1 + random.below(11));
    let graph = model.build(seed)?;
    quantize(&graph, &noise(seed as u32, 8 * graph.input_len()), &QuantizeOptions::default())
}

/// The model's program for a core.
pub fn program(graph: &Graph, core: Core) -> Result<Program> {
    rounded(graph, core, Rounding::Double)
}

/// The same in either convention.
pub fn rounded(graph: &Graph, core: Core, rounding: Rounding) -> Result<Program> {
    Program::compile(graph, &CompileOptions { core, rounding, learn: None })
}

/// Records of any bytes.
pub fn records(seed: u64, len: usize) -> Vec<u8> {
    let random = &mut Random::new(seed ^ 0x5555);
    (0..len).map(|_| random.below(256) as u8).collect()
}
