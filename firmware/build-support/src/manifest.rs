//! The list of models of a firmware: a text file with one model a line.

use std::fmt;
use std::path::PathBuf;

/// What a firmware does with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It predicts.
    Predicts,
    /// It learns, too: it implements `Learner`.
    Learns,
    /// It learns in batches: it implements `BatchLearner`, and each step takes several samples.
    LearnsInBatches,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 3] = [Kind::Predicts, Kind::Learns, Kind::LearnsInBatches];

    /// The word for it in a manifest, and in the list of models of a firmware.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Kind::Predicts => "predicts",
            Kind::Learns => "learns",
            Kind::LearnsInBatches => "batches",
        }
    }

    /// Whether it learns.
    #[must_use]
    pub fn learns(self) -> bool {
        self != Kind::Predicts
    }
}

/// A model of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its name, as the command line of the firmware gives it.
    pub name: String,
    /// The generated Rust file.
    pub path: PathBuf,
    /// What is done with it.
    pub kind: Kind,
}

/// The models of a firmware. Names and identifiers are unique.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    models: Vec<Model>,
}

/// Why a list of models is no manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManifestError {
    /// A name that is empty or has characters other than letters, digits, `-`, `_` and `.`.
    Name(String),
    /// Two names that give the same [`identifier`].
    Twice(String),
    /// A line that is not `predicts|learns|batches NAME PATH`.
    Line(String),
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => {
                write!(
                    f,
                    "model name {name:?}: use letters, digits, `-`, `_` and `.`, with a letter or digit first"
                )
            }
            Self::Twice(name) => {
                write!(
                    f,
                    "model {name:?}: another model of this firmware has the same identifier; rename one"
                )
            }
            Self::Line(line) => write!(f, "{line:?} is not `predicts|learns|batches NAME PATH`"),
        }
    }
}

impl std::error::Error for ManifestError {}

impl Manifest {
    /// Checks the names and makes a manifest of them.
    ///
    /// # Errors
    /// `Name` and `Twice`.
    pub fn new(models: Vec<Model>) -> Result<Self, ManifestError> {
        for (i, model) in models.iter().enumerate() {
            let id = identifier(&model.name).ok_or_else(|| ManifestError::Name(model.name.clone()))?;
            if models[..i].iter().any(|other| identifier(&other.name) == Some(id.clone())) {
                return Err(ManifestError::Twice(model.name.clone()));
            }
        }
        Ok(Self { models })
    }

    /// The models, in the order given.
    #[must_use]
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// Reads what [`Display`](fmt::Display) wrote.
    ///
    /// # Errors
    /// Any [`ManifestError`].
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let model = |line: &str| {
            let mut words = line.splitn(3, ' ');
            let (Some(kind), Some(name), Some(path)) = (words.next(), words.next(), words.next()) else {
                return Err(ManifestError::Line(line.into()));
            };
            let kind = Kind::ALL.into_iter().find(|known| known.word() == kind);
            let kind = kind.ok_or_else(|| ManifestError::Line(line.into()))?;
            Ok(Model { name: name.into(), path: path.into(), kind })
        };
        Self::new(text.lines().map(model).collect::<Result<_, _>>()?)
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.models.iter().try_for_each(|model| {
            writeln!(f, "{} {} {}", model.kind.word(), model.name, model.path.display())
        })
    }
}

/// The name of the module and the end of the names of the entry functions: `model_` and the model's name with `_` in
/// place of `-` and `.`, so that it is no word of the language. `None` for a name with other characters than letters,
/// digits and these, or without a letter or digit at its start.
#[must_use]
pub fn identifier(name: &str) -> Option<String> {
    let sound = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    sound.then(|| format!("model_{}", name.replace(['-', '.'], "_").to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str, kind: Kind) -> Model {
        Model { name: name.into(), path: "a folder/model.rs".into(), kind }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let models = Kind::ALL.map(|kind| model(kind.word(), kind)).to_vec();
        let manifest = Manifest::new(models).unwrap();
        assert_eq!(Manifest::parse(&manifest.to_string()), Ok(manifest));
    }

    #[test]
    fn no_identifier_is_a_word_of_the_language() {
        let names = ["fn", "self", "core", "u8", "1st", "MobileNet-v1.0"];
        let expected =
            ["model_fn", "model_self", "model_core", "model_u8", "model_1st", "model_mobilenet_v1_0"];
        assert_eq!(names.map(|name| identifier(name).unwrap()), expected);
    }

    #[test]
    fn bad_names_are_refused() {
        for name in ["", "_", "a b", "a/b", "ä"] {
            assert_eq!(
                Manifest::new(vec![model(name, Kind::Predicts)]),
                Err(ManifestError::Name(name.into()))
            );
        }
        let twins = vec![model("a-b", Kind::Predicts), model("a_b", Kind::Learns)];
        assert_eq!(Manifest::new(twins), Err(ManifestError::Twice("a_b".into())));
        assert!(matches!(Manifest::parse("knows x y"), Err(ManifestError::Line(_))));
        assert!(matches!(Manifest::parse("learns x"), Err(ManifestError::Line(_))));
    }
}
