//! `milligrad summary`

use crate::context::is_int8;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Table, grouped};
use clap::Args;
use milligrad_host::spec::Spec;
use milligrad_host::{Analysis, CompileOptions, Graph, Node, Op, Program, QuantizeOptions, import, quantize};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Show the layers of a model as Keras does, and what each costs on a device.
#[derive(Debug, Args)]
pub(crate) struct Summary {
    /// The model, or a specification (.toml), whose data are not looked at.
    model: PathBuf,
}

impl Summary {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let graph = if self.model.extension().is_some_and(|extension| extension == "toml") {
            let spec = Spec::read(&self.model)?;
            spec.graph(&[], spec.train.seed)?
        } else {
            import::load(&self.model)?
        };
        let costs = costs(&graph)?;
        let total: usize =
            graph.nodes.iter().map(|node| parameters(&graph, node).iter().sum::<usize>()).sum();
        let trainable: usize = graph.nodes.iter().map(|node| parameters(&graph, node)[0]).sum();
        let macs = costs.first().map_or(0, |(_, analysis)| analysis.macs);
        output.result(format!("Model: {}", graph.name));
        output.table(&table(&graph, &costs, total));
        output.result(format!(
            "Total parameters: {}\nTrainable: {}\nNot trainable: {}",
            grouped(total),
            grouped(trainable),
            grouped(total - trainable)
        ));
        for (dtype, analysis) in &costs {
            output.result(format!(
                "{dtype}: {} B of flash beside code, {} B of arena, {} multiply-accumulates",
                grouped(analysis.constant_bytes),
                grouped(analysis.arena_bytes),
                grouped(analysis.macs)
            ));
        }
        let layer = |node: &Node| {
            let [trainable, fixed] = parameters(&graph, node);
            let mut layer = json!({
                "name": node.name,
                "type": graph.op_name(node),
                "shape": graph.tensor(node.output).shape,
                "parameters": trainable + fixed,
                "trainable": trainable,
                "macs": cost(&costs[0].1, node).map_or(0, |(macs, ..)| macs),
            });
            for (dtype, analysis) in &costs {
                let (_, flash, arena) = cost(analysis, node).unwrap_or((0, 0, 0));
                layer[dtype] = json!({ "constant_bytes": flash, "live_bytes": arena });
            }
            layer
        };
        let mut object = json!({
            "name": graph.name,
            "input": graph.tensor(graph.input()).shape,
            "parameters": total,
            "trainable": trainable,
            "not_trainable": total - trainable,
            "macs": macs,
            "layers": graph.nodes.iter().map(layer).collect::<Vec<Value>>(),
        });
        for (dtype, analysis) in &costs {
            let cost = json!({
                "constant_bytes": analysis.constant_bytes,
                "weight_bytes": analysis.weight_bytes,
                "arena_bytes": analysis.arena_bytes,
            });
            object[dtype] = cost;
        }
        output.object(object);
        Ok(())
    }
}

/// The model's cost as it is, and of a float model also as int8. Ranges of activations, which data would show, do not
/// change what int8 costs.
fn costs(graph: &Graph) -> Result<Vec<(&'static str, Analysis)>, Failure> {
    let analysis = |graph: &Graph| -> Result<Analysis, Failure> {
        Ok(Program::compile(graph, &CompileOptions::default())?.analysis())
    };
    if is_int8(graph) {
        return Ok(vec![("int8", analysis(graph)?)]);
    }
    let mut costs = vec![("f32", analysis(graph)?)];
    // What can't be quantised has no such column.
    if let Ok(int8) = quantize(graph, &vec![0.0; graph.input_len()], &QuantizeOptions::default()) {
        costs.push(("int8", analysis(&int8)?));
    }
    Ok(costs)
}

/// MACs, constant bytes and live bytes of the step that a layer became; `None` if it is no step of its own.
fn cost(analysis: &Analysis, node: &Node) -> Option<(u64, usize, usize)> {
    let layer = analysis.layers.iter().find(|layer| layer.name == node.name)?;
    Some((layer.macs, layer.constant_bytes, layer.live_bytes))
}

/// Parameters that training changes, and those that it does not (statistics of a batch norm). A bias that a layer does not
/// have, which is a constant of zeros here, does not count.
fn parameters(graph: &Graph, node: &Node) -> [usize; 2] {
    let mut counts = [0; 2];
    for (index, &id) in node.constants.iter().enumerate() {
        let constant = graph.constant(id);
        let statistic = matches!(node.op, Op::BatchNorm { .. }) && index >= 2;
        if graph.training.get(&constant.name).is_some_and(|rule| rule.fixed) {
            continue;
        }
        counts[usize::from(statistic)] += constant.values.len();
    }
    counts
}

fn table(graph: &Graph, costs: &[(&'static str, Analysis)], total: usize) -> Table {
    let mut header =
        vec!["layer (type)".to_string(), "output shape".into(), "parameters".into(), "MACs".into()];
    for (dtype, _) in costs {
        header.extend([format!("{dtype} flash B"), format!("{dtype} arena B")]);
    }
    let mut table = Table::new(&header.iter().map(String::as_str).collect::<Vec<_>>());
    let shape = |shape: &[usize]| {
        let extents: Vec<String> = shape.iter().map(usize::to_string).collect();
        format!("({})", extents.join(", "))
    };
    let input = &graph.tensor(graph.input()).shape;
    table.row(["input".into(), shape(input), "0".into(), "0".into()]);
    for node in &graph.nodes {
        let macs = cost(&costs[0].1, node).map_or(0, |(macs, ..)| macs);
        let mut row = vec![
            format!("{} ({})", node.name, graph.op_name(node)),
            shape(&graph.tensor(node.output).shape),
            grouped(parameters(graph, node).iter().sum::<usize>()),
            grouped(macs),
        ];
        for (_, analysis) in costs {
            // Fused into another, or gone after training.
            let (flash, arena) = cost(analysis, node)
                .map_or(("-".into(), "-".into()), |(_, flash, arena)| (grouped(flash), grouped(arena)));
            row.extend([flash, arena]);
        }
        table.row(row);
    }
    table.rule();
    let mut row = vec!["total".into(), String::new(), grouped(total), grouped(costs[0].1.macs)];
    for (_, analysis) in costs {
        row.extend([grouped(analysis.constant_bytes), grouped(analysis.arena_bytes)]);
    }
    table.row(row);
    table
}
