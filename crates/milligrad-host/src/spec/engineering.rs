//! Keys `scale`, `target_scale` and `feature` of `[data]`: what is made of raw columns.

use super::reader::{Count, Table};
use crate::data::{Dataset, Targets};
use crate::features::{Feature, Features, MOST_POWER, RawColumn, Scaling, TargetScaling, Term};
use crate::graph::Graph;
use crate::{Error, Result};

/// What is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// The column as it is; of categories the index.
    Value,
    /// One feature for each category.
    OneHot,
    /// `ln x`
    Log,
    /// `ln(1 + x)`
    Log1p,
    /// Powers 2 to `degree`, and the column itself.
    Polynomial,
    /// `a + b`
    Sum,
    /// `a - b`
    Difference,
    /// `a * b`
    Product,
    /// `a / b`
    Ratio,
}

/// `[[data.feature]]`: features that are made of one or two columns.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureSpec {
    /// Names of the columns: two for sum, difference, product and ratio, else one.
    pub columns: Vec<String>,
    /// What is computed.
    pub operation: Operation,
    /// Highest power of a polynomial.
    pub degree: u32,
    /// How it is scaled.
    pub scaling: Scaling,
}

/// How inputs and targets are engineered.
#[derive(Debug, Clone, PartialEq)]
pub struct Engineering {
    /// How features are scaled that don't say so themselves.
    pub scaling: Scaling,
    /// The features; if there are none, every column is one (categories: one for each category).
    pub features: Vec<FeatureSpec>,
    /// Whether targets of a regression are standardised.
    pub target: bool,
    /// Whether inputs are engineered, or targets alone.
    pub inputs: bool,
}

const SCALES: &[(&str, Scaling)] =
    &[("none", Scaling::None), ("standard", Scaling::Standard), ("min_max", Scaling::MinMax)];

const OPERATIONS: &[(&str, Operation)] = &[
    ("value", Operation::Value),
    ("one_hot", Operation::OneHot),
    ("log", Operation::Log),
    ("log1p", Operation::Log1p),
    ("polynomial", Operation::Polynomial),
    ("sum", Operation::Sum),
    ("difference", Operation::Difference),
    ("product", Operation::Product),
    ("ratio", Operation::Ratio),
];

impl Engineering {
    /// Reads the keys; `None` if none is there, and no column is categorical.
    pub(super) fn read(data: &Table<'_, '_>) -> Result<Option<Self>> {
        let scaling = data.choice("scale", SCALES)?;
        let target = data.choice("target_scale", &[("none", false), ("standard", true)])?;
        let tables = data.tables("feature")?;
        if scaling.is_none() && target.is_none() && tables.is_empty() && !data.has("categorical") {
            return Ok(None);
        }
        let inputs = scaling.is_some() || !tables.is_empty() || data.has("categorical");
        let usual = scaling.unwrap_or_default();
        let features = tables.iter().map(|table| feature(table, usual)).collect::<Result<_>>()?;
        Ok(Some(Self { scaling: usual, features, target: target.unwrap_or(false), inputs }))
    }

    /// Fits features and targets to the training part and stores them in the model.
    ///
    /// # Errors
    /// [`Error::Data`] for unknown columns, features that are not finite, and inputs of another size than the model's.
    pub fn fit(&self, graph: Graph, train: &Dataset) -> Result<Graph> {
        let mut draft = graph.into_draft();
        if self.inputs {
            let features = self.features(train)?;
            let rows = train.input_len() / features.columns.len();
            let (made, input) = (rows * features.features.len(), draft.tensors[draft.input().0].len());
            if made != input {
                let names: Vec<&str> =
                    features.features.iter().map(|feature| feature.name.as_str()).collect();
                return Err(Error::Data(format!(
                    "{}: the features make {made} values ({} for each of {rows} rows: {}), but the model's input has \
                     {input}; write `input = [{made}]` in [model]",
                    train.name,
                    names.len(),
                    names.join(", ")
                )));
            }
            draft.features = Some(features);
        }
        if self.target {
            let Targets::Values { values, .. } = &train.targets else {
                return Err(Error::Data(format!(
                    "{}: `target_scale` is for numbers; these targets are classes",
                    train.name
                )));
            };
            draft.target = Some(TargetScaling::fit(values));
        }
        Graph::verify(draft)
    }

    fn features(&self, train: &Dataset) -> Result<Features> {
        let width = train.shape.last().copied().unwrap_or(1);
        let columns = if train.columns.is_empty() {
            (0..width).map(|i| RawColumn { name: i.to_string(), categories: Vec::new() }).collect()
        } else {
            train.columns.clone()
        };
        let mut features = Features { columns, features: Vec::new() };
        let mut scalings = Vec::new();
        let all: Vec<FeatureSpec> = if self.features.is_empty() {
            let spec = |column: &RawColumn| FeatureSpec {
                columns: vec![column.name.clone()],
                operation: if column.categories.is_empty() { Operation::Value } else { Operation::OneHot },
                degree: 1,
                scaling: self.scaling,
            };
            features.columns.iter().map(spec).collect()
        } else {
            self.features.clone()
        };
        for spec in &all {
            for feature in terms(spec, &features.columns)
                .map_err(|problem| Error::Data(format!("{}: {problem}", train.name)))?
            {
                // Zero and one are scaled already.
                let one_hot = matches!(feature.term, Term::OneHot(..));
                scalings.push(if one_hot { Scaling::None } else { spec.scaling });
                features.features.push(feature);
            }
        }
        features.fit(train, &scalings)
    }
}

/// The features of one table.
fn terms(spec: &FeatureSpec, columns: &[RawColumn]) -> std::result::Result<Vec<Feature>, String> {
    let find = |name: &String| {
        columns.iter().position(|column| column.name == *name).ok_or_else(|| {
            let known: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            format!("there is no column `{name}` for a feature; there are {}", known.join(", "))
        })
    };
    let indices: Vec<usize> = spec.columns.iter().map(find).collect::<std::result::Result<_, _>>()?;
    let (a, name) = (indices[0], &spec.columns[0]);
    let b = indices.get(1).copied().unwrap_or(a);
    let numbers = !matches!(spec.operation, Operation::OneHot | Operation::Value);
    if let Some(&column) = indices.iter().find(|&&column| numbers && !columns[column].categories.is_empty()) {
        let name = &columns[column].name;
        return Err(format!("`{name}` holds categories; they can be `one_hot` or `value`"));
    }
    let pair = |sign: &str, term| vec![Feature::new(format!("{name} {sign} {}", columns[b].name), term)];
    Ok(match spec.operation {
        Operation::Value => vec![Feature::new(name, Term::Column(a))],
        Operation::Log => vec![Feature::new(format!("ln {name}"), Term::Log(a))],
        Operation::Log1p => vec![Feature::new(format!("ln(1 + {name})"), Term::Log1p(a))],
        Operation::Sum => pair("+", Term::Sum(a, b)),
        Operation::Difference => pair("-", Term::Difference(a, b)),
        Operation::Product => pair("*", Term::Product(a, b)),
        Operation::Ratio => pair("/", Term::Ratio(a, b)),
        Operation::Polynomial => {
            let powers = (2..=spec.degree).map(|n| Feature::new(format!("{name}^{n}"), Term::Power(a, n)));
            std::iter::once(Feature::new(name, Term::Column(a))).chain(powers).collect()
        }
        Operation::OneHot => {
            let categories = &columns[a].categories;
            if categories.is_empty() {
                return Err(format!("`{name}` holds numbers; list it in `categorical` to make it one-hot"));
            }
            let one =
                |(index, category)| Feature::new(format!("{name} = {category}"), Term::OneHot(a, index));
            (0..).zip(categories).map(one).collect()
        }
    })
}

fn feature(table: &Table<'_, '_>, usual: Scaling) -> Result<FeatureSpec> {
    table.allow(&["column", "columns", "op", "degree", "scale"])?;
    let operation = table.choice("op", OPERATIONS)?.unwrap_or(Operation::Value);
    let two =
        matches!(operation, Operation::Sum | Operation::Difference | Operation::Product | Operation::Ratio);
    let columns = if two {
        let columns: Vec<String> = table.required("columns")?;
        if columns.len() != 2 {
            return Err(table.fail(
                "columns",
                "this operation takes two columns",
                "write columns = [\"a\", \"b\"]",
            ));
        }
        columns
    } else {
        vec![table.required("column")?]
    };
    let Count(degree) = table.or("degree", Count(2))?;
    if !(2..=MOST_POWER as usize).contains(&degree) {
        return Err(table.fail("degree", format!("`degree` is from 2 to {MOST_POWER}"), ""));
    }
    let scaling = table.choice("scale", SCALES)?.unwrap_or(usual);
    Ok(FeatureSpec { columns, operation, degree: degree as u32, scaling })
}
