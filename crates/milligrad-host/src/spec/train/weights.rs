//! `class_weight`: how much the samples of each class count.

use crate::spec::reader::FromValue;
use crate::train::ClassWeights;
use toml::de::DeValue;

impl FromValue for ClassWeights {
    const EXPECTED: &'static str =
        "\"balanced\", a list with a weight from 0 for each class, or a table of classes and weights";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        let weight = |value: &DeValue<'_>| f32::from_value(value).filter(|weight| *weight >= 0.0);
        match value {
            DeValue::String(text) => (text == "balanced").then_some(Self::Balanced),
            DeValue::Array(weights) => {
                weights.iter().map(|value| weight(value.get_ref())).collect::<Option<_>>().map(Self::All)
            }
            DeValue::Table(weights) => {
                let pair = |(class, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
                    let class: &std::borrow::Cow<'_, str> = class.get_ref();
                    Some((class.to_string(), weight(value.get_ref())?))
                };
                weights.iter().map(pair).collect::<Option<_>>().map(Self::Some)
            }
            _ => None,
        }
    }
}
