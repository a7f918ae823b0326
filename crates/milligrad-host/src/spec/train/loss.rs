//! `loss`: what is made small.

use crate::Result;
use crate::graph::{Activation, Graph, Op};
use crate::spec::reader::Table;
use crate::train::Loss;

/// Keras' spelling is understood too.
const LOSSES: &[(&str, Loss)] = &[
    ("sparse_categorical_cross_entropy", Loss::SparseCategoricalCrossEntropy),
    ("categorical_cross_entropy", Loss::CATEGORICAL_CROSS_ENTROPY),
    ("binary_cross_entropy", Loss::BINARY_CROSS_ENTROPY),
    ("mean_squared_error", Loss::MeanSquaredError),
    ("mean_absolute_error", Loss::MeanAbsoluteError),
    ("huber", Loss::Huber { delta: 1.0 }),
    // Keras' names.
    ("sparse_categorical_crossentropy", Loss::SparseCategoricalCrossEntropy),
    ("categorical_crossentropy", Loss::CATEGORICAL_CROSS_ENTROPY),
    ("binary_crossentropy", Loss::BINARY_CROSS_ENTROPY),
    ("mse", Loss::MeanSquaredError),
    ("mae", Loss::MeanAbsoluteError),
];

/// The loss that fits the last layer.
pub(super) fn usual(graph: &Graph) -> Loss {
    match graph.nodes.last().map(|node| node.op) {
        Some(Op::Softmax) => Loss::SparseCategoricalCrossEntropy,
        Some(Op::Activation { activation: Activation::Sigmoid }) => Loss::BINARY_CROSS_ENTROPY,
        _ => Loss::MeanSquaredError,
    }
}

/// `"huber"` or `{ type = "huber", delta = 2.0 }`
pub(super) fn read(train: &Table<'_, '_>, graph: &Graph) -> Result<Option<Loss>> {
    if !train.has("loss") {
        return Ok(None);
    }
    if let Ok(Some(_)) = train.optional::<String>("loss") {
        let Some(loss) = train.choice("loss", LOSSES)? else { return Ok(None) };
        fits(train, "loss", loss, graph)?;
        return Ok(Some(loss));
    }
    let Some(table) = train.table("loss")? else { return Ok(None) };
    let table = table.titled("`loss`");
    let Some(loss) = table.choice("type", LOSSES)? else {
        return Err(table.missing("type", "the name of a loss"));
    };
    fits(&table, "type", loss, graph)?;
    let smoothing = || {
        let smoothing: f32 = table.or("label_smoothing", 0.0)?;
        let fits = (0.0..1.0).contains(&smoothing);
        let fail = || table.fail("label_smoothing", "`label_smoothing` is from 0.0 to below 1.0", "");
        if fits { Ok(smoothing) } else { Err(fail()) }
    };
    Ok(Some(match loss {
        Loss::Huber { .. } => {
            table.allow(&["type", "delta"])?;
            let delta: f32 = table.or("delta", 1.0)?;
            if delta <= 0.0 {
                return Err(table.fail("delta", "`delta` is above 0", ""));
            }
            Loss::Huber { delta }
        }
        Loss::BinaryCrossEntropy { .. } => {
            table.allow(&["type", "label_smoothing", "from_logits"])?;
            from_logits(&table, graph, "sigmoid")?;
            Loss::BinaryCrossEntropy { label_smoothing: smoothing()? }
        }
        Loss::CategoricalCrossEntropy { .. } => {
            table.allow(&["type", "label_smoothing", "from_logits"])?;
            from_logits(&table, graph, "softmax")?;
            Loss::CategoricalCrossEntropy { label_smoothing: smoothing()? }
        }
        Loss::SparseCategoricalCrossEntropy if table.has("label_smoothing") => {
            let help = "take categorical_cross_entropy, which makes probabilities of classes";
            return Err(table.fail(
                "label_smoothing",
                "sparse cross entropy takes classes as they are",
                help,
            ));
        }
        Loss::SparseCategoricalCrossEntropy => {
            table.allow(&["type", "from_logits"])?;
            from_logits(&table, graph, "softmax")?;
            loss
        }
        Loss::MeanSquaredError | Loss::MeanAbsoluteError => {
            table.allow(&["type"])?;
            loss
        }
    }))
}

fn fits(table: &Table<'_, '_>, key: &str, loss: Loss, graph: &Graph) -> Result<()> {
    let softmax = graph.nodes.last().is_some_and(|node| node.op == Op::Softmax);
    if softmax && matches!(loss, Loss::BinaryCrossEntropy { .. }) {
        let help = "end with sigmoid, or take sparse_categorical_cross_entropy";
        return Err(table.fail(key, "binary cross entropy does not go with softmax", help));
    }
    Ok(())
}

/// Whether the model ends in scores or in probabilities is seen from its last layer; what is said must agree.
fn from_logits(table: &Table<'_, '_>, graph: &Graph, function: &str) -> Result<()> {
    let last = graph.nodes.last().map(|node| node.op);
    let probabilities = match function {
        "softmax" => last == Some(Op::Softmax),
        _ => last == Some(Op::Activation { activation: Activation::Sigmoid }),
    };
    match (table.optional::<bool>("from_logits")?, probabilities) {
        (Some(true), true) => {
            let problem = format!("the model ends in {function}: these are no logits");
            Err(table.fail("from_logits", problem, "leave it out"))
        }
        (Some(false), false) => {
            let problem = format!("the model does not end in {function}: its outputs are logits");
            Err(table.fail("from_logits", problem, &format!("end with {function}, or leave it out")))
        }
        _ => Ok(()),
    }
}
