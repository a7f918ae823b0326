//! Transfer learning: parameters of a trained model in another that shares layers with it.

use crate::error::{Error, Result};
use crate::graph::{Graph, Values};

/// What came of it, by names of layers with parameters, in the order of the model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transfer {
    /// Those that have the parameters of the trained model.
    pub loaded: Vec<String>,
    /// Those that start anew, and why.
    pub new: Vec<(String, String)>,
    /// Those of the trained model that have no place.
    pub unused: Vec<String>,
    /// Whether the trained model took its inputs in another way: other factors or other features.
    pub other_inputs: bool,
}

/// Gives the layers of a model the parameters of those of equal names and shapes of a trained one. All others keep what they have;
/// with `replace_head` the last layer with parameters does in any case.
///
/// # Errors
/// [`Error::Model`] if the trained model is quantised, or no layer has a name and a shape in common with it.
pub fn transfer(graph: &mut Graph, trained: &Graph, replace_head: bool) -> Result<Transfer> {
    let problem = |problem: String| Err(Error::Model { model: trained.name.clone(), problem });
    let mut done = Transfer {
        other_inputs: (graph.normalize, &graph.features) != (trained.normalize, &trained.features),
        ..Transfer::default()
    };
    let nodes: Vec<_> = graph.nodes.iter().filter(|node| !node.constants.is_empty()).cloned().collect();
    for (place, node) in nodes.iter().enumerate() {
        if replace_head && place + 1 == nodes.len() {
            done.new.push((node.name.clone(), "the head is replaced".into()));
            continue;
        }
        let mut values = Vec::new();
        let mut why = None;
        for &id in &node.constants {
            let constant = graph.constant(id);
            match trained.constants.iter().find(|other| other.name == constant.name) {
                None => why = why.or(Some("the trained model has no such layer".to_string())),
                Some(other) if other.shape != constant.shape => {
                    let (there, here) = (&other.shape, &constant.shape);
                    why = why.or(Some(format!("`{}` was {there:?} and is {here:?}", constant.name)));
                }
                Some(other) => match &other.values {
                    Values::F32(numbers) => values.push((id, numbers)),
                    _ => {
                        return problem(
                            "it is quantised; learn from the float model that it was made of".into(),
                        );
                    }
                },
            }
        }
        match why {
            Some(why) => done.new.push((node.name.clone(), why)),
            None => {
                values.into_iter().try_for_each(|(id, numbers)| graph.set_values(id, numbers))?;
                done.loaded.push(node.name.clone());
            }
        }
    }
    let known = trained.nodes.iter().filter(|node| !node.constants.is_empty()).map(|node| &node.name);
    done.unused = known.filter(|name| !done.loaded.contains(name)).cloned().collect();
    if done.loaded.is_empty() {
        let names = |names: &mut dyn Iterator<Item = &String>| names.cloned().collect::<Vec<_>>().join(", ");
        return problem(format!(
            "nothing can be taken from it: its layers are {}, those of `{}` {}; layers go by name and shape",
            names(&mut done.unused.iter()),
            graph.name,
            names(&mut done.new.iter().map(|(name, _)| name))
        ));
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::Builder;

    fn model(seed: u64, width: usize, classes: usize) -> Graph {
        let body = Builder::new("m", &[4]).dense(width).named("body").relu().dense(classes).named("head");
        body.softmax().build(seed).unwrap()
    }

    #[test]
    fn layers_go_by_name_and_shape() {
        let trained = model(1, 3, 10);
        let mut graph = model(2, 3, 2);
        let fresh = graph.clone();
        let done = transfer(&mut graph, &trained, false).unwrap();
        assert_eq!((done.loaded, done.unused), (vec!["body".to_string()], vec!["head".to_string()]));
        assert_eq!(done.new, [("head".into(), "`head/weights` was [10, 3] and is [2, 3]".to_string())]);
        assert_eq!(graph.constants[..2], trained.constants[..2]);
        assert_eq!(graph.constants[2..], fresh.constants[2..]);

        let mut graph = model(2, 3, 10);
        let done = transfer(&mut graph, &trained, true).unwrap();
        assert_eq!(done.new, [("head".into(), "the head is replaced".to_string())]);
        assert_eq!(graph.constants[2..], model(2, 3, 10).constants[2..]);
        assert!(transfer(&mut graph, &trained, false).unwrap().new.is_empty());
        assert_eq!(graph.constants, trained.constants);

        let problem = transfer(&mut model(2, 5, 2), &trained, false).unwrap_err().to_string();
        assert!(
            problem.contains("its layers are body, head") && problem.contains("name and shape"),
            "{problem}"
        );
    }
}
