//! Weights of classes: Keras' `class_weight`, scikit-learn's "balanced".

use crate::error::{Error, Result};

/// How much the samples of each class count in the loss.
#[derive(Debug, Clone, PartialEq)]
pub enum ClassWeights {
    /// As scikit-learn has it: `samples / (classes · samples of the class)`, so that every class counts the same.
    Balanced,
    /// One for each class, in order.
    All(Vec<f32>),
    /// Of classes by name or index; the others count 1.
    Some(Vec<(String, f32)>),
}

impl ClassWeights {
    /// The weight of each class, given their names and the labels of the training samples.
    ///
    /// # Errors
    /// [`Error::Data`] if a class is unknown, or there is not one weight for each.
    pub fn of(&self, classes: &[String], labels: &[u32]) -> Result<Vec<f32>> {
        match self {
            Self::Balanced => {
                let mut counts = vec![0usize; classes.len()];
                for &label in labels {
                    counts.iter_mut().skip(label as usize).take(1).for_each(|count| *count += 1);
                }
                let present = counts.iter().filter(|&&count| count > 0).count();
                let weight = |&count: &usize| labels.len() as f64 / (present * count.max(1)) as f64;
                Ok(counts.iter().map(|count| weight(count) as f32).collect())
            }
            Self::All(weights) if weights.len() == classes.len() => Ok(weights.clone()),
            Self::All(weights) => Err(Error::Data(format!(
                "class_weight has {} weights, but there are {} classes: {}",
                weights.len(),
                classes.len(),
                classes.join(", ")
            ))),
            Self::Some(some) => {
                let mut weights = vec![1.0; classes.len()];
                for (name, weight) in some {
                    let place = classes.iter().position(|class| class == name);
                    let place = place.or_else(|| name.parse().ok()).filter(|&place| place < classes.len());
                    let Some(place) = place else {
                        let known = classes.join(", ");
                        return Err(Error::Data(format!(
                            "class_weight names `{name}`, but the classes are {known}"
                        )));
                    };
                    weights[place] = *weight;
                }
                Ok(weights)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_by_number_name_and_count() {
        let names = ["cat", "dog", "owl"].map(String::from);
        let labels = [0, 0, 0, 1];
        // scikit-learn's `compute_class_weight("balanced", classes=[0, 1], y=labels)`.
        let balanced = ClassWeights::Balanced.of(&names, &labels).unwrap();
        assert_eq!(balanced[..2], [4.0 / 6.0, 2.0]);
        let some = ClassWeights::Some(vec![("dog".into(), 3.0), ("2".into(), 0.5)]);
        assert_eq!(some.of(&names, &labels).unwrap(), [1.0, 3.0, 0.5]);
        let problem = |weights: ClassWeights| weights.of(&names, &labels).unwrap_err().to_string();
        assert!(problem(ClassWeights::All(vec![1.0])).contains("1 weights, but there are 3 classes"));
        assert!(problem(ClassWeights::Some(vec![("cow".into(), 1.0)])).contains("`cow`"));
        assert!(problem(ClassWeights::Some(vec![("3".into(), 1.0)])).contains("cat, dog, owl"));
    }
}
