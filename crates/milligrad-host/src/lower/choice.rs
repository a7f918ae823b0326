//! Which layers learn on the device.

use crate::error::{Error, Result};
use crate::graph::{Graph, Op};

/// A choice of layers with parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layers {
    /// All of them.
    All,
    /// The last so many.
    Last(usize),
    /// The biases of all, the weights of none.
    Biases,
    /// Those of these names.
    Named(Vec<String>),
}

impl std::str::FromStr for Layers {
    type Err = String;
    fn from_str(s: &str) -> std::result::Result<Self, String> {
        if let Some(n) = s.strip_prefix("last:") {
            let n = n.parse().ok().filter(|&n| n > 0);
            return n.map(Self::Last).ok_or_else(|| format!("`{s}`: N of last:N is a number from 1"));
        }
        let names: Vec<String> = s.split(',').map(|name| name.trim().to_owned()).collect();
        match s {
            "all" => Ok(Self::All),
            "biases" => Ok(Self::Biases),
            _ if names.iter().any(String::is_empty) => Err(format!(
                "`{s}` is neither `all`, `last:N`, `biases` nor names of layers with commas between"
            )),
            _ => Ok(Self::Named(names)),
        }
    }
}

/// A node that learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    /// Its index.
    pub node: usize,
    /// Its weights learn, not its biases alone.
    pub weights: bool,
}

impl Layers {
    /// The chosen nodes of `graph`, in order.
    ///
    /// # Errors
    /// If the graph has no or fewer layers with weights, no layer of a name, or one that has nothing to learn.
    pub fn choose(&self, graph: &Graph) -> Result<Vec<Chosen>> {
        let learns =
            |op: &Op| matches!(op, Op::Dense { .. } | Op::Conv2d { .. } | Op::DepthwiseConv2d { .. });
        let all: Vec<usize> = (0..graph.nodes.len()).filter(|&i| learns(&graph.nodes[i].op)).collect();
        let model = |problem: String| Error::Model { model: graph.name.clone(), problem };
        if all.is_empty() {
            return Err(model("it has no Dense, Conv2d or DepthwiseConv2d: nothing in it can learn".into()));
        }
        let chosen = match self {
            Self::All | Self::Biases => all,
            Self::Last(n) if *n <= all.len() => all[all.len() - n..].to_vec(),
            Self::Last(n) => {
                return Err(model(format!(
                    "it has {} layers with weights, not {n}; choose fewer to train",
                    all.len()
                )));
            }
            Self::Named(names) => {
                let mut nodes = Vec::new();
                for name in names {
                    let Some(node) = graph.nodes.iter().position(|node| node.name == *name) else {
                        let known: Vec<_> = all.iter().map(|&i| graph.nodes[i].name.as_str()).collect();
                        return Err(model(format!(
                            "there is no layer `{name}`; those that can learn are {}",
                            known.join(", ")
                        )));
                    };
                    if !all.contains(&node) {
                        return Err(graph.error(
                            &graph.nodes[node],
                            "it has nothing that can learn on the device; choose Dense, Conv2d and DepthwiseConv2d layers",
                        ));
                    }
                    nodes.push(node);
                }
                nodes.sort_unstable();
                nodes.dedup();
                nodes
            }
        };
        let weights = *self != Self::Biases;
        Ok(chosen.into_iter().map(|node| Chosen { node, weights }).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Builder;

    #[test]
    fn choices_are_read_and_checked() {
        let names = |list: &[&str]| Layers::Named(list.iter().map(|n| n.to_string()).collect());
        for (text, layers) in [
            ("all", Layers::All),
            ("last:2", Layers::Last(2)),
            ("biases", Layers::Biases),
            ("dense_1, conv2d_1", names(&["dense_1", "conv2d_1"])),
        ] {
            assert_eq!(text.parse(), Ok(layers));
        }
        for text in ["", "last:0", "last:x", "a,,b"] {
            assert!(text.parse::<Layers>().is_err(), "{text}");
        }
        let graph = Builder::new("m", &[4, 4, 1]).conv2d(2, 3).flatten().dense(3).softmax().build(0).unwrap();
        let of = |layers: &Layers| -> Vec<(String, bool)> {
            let chosen = layers.choose(&graph).unwrap();
            chosen.iter().map(|c| (graph.nodes[c.node].name.clone(), c.weights)).collect()
        };
        let all = of(&Layers::All);
        assert_eq!(all.len(), 2);
        assert_eq!(of(&Layers::Last(1)), all[1..]);
        assert_eq!(of(&names(&[&all[1].0, &all[0].0])), all);
        assert!(of(&Layers::Biases).iter().all(|(_, weights)| !weights));
        let says = |layers: &Layers, words: &[&str]| {
            let problem = layers.choose(&graph).unwrap_err().to_string();
            words.iter().for_each(|word| assert!(problem.contains(word), "{problem}"));
        };
        says(&Layers::Last(3), &["2 layers"]);
        says(&names(&["head"]), &["`head`", &all[0].0, &all[1].0]);
        says(&names(&[&graph.nodes.last().unwrap().name]), &["Softmax", "Dense"]);
        let bare = Builder::new("bare", &[4]).softmax().build(0).unwrap();
        assert!(Layers::Biases.choose(&bare).is_err());
    }
}
