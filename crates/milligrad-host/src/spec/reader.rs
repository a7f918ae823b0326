//! Reads tables of a TOML file key by key, and points at what is wrong.

use crate::{Error, Result};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The file, for messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document<'d> {
    pub(super) name: &'d str,
    pub(super) text: &'d str,
}

impl Document<'_> {
    /// What is wrong, the line, a caret under the place, and what to do.
    pub(super) fn error(&self, at: Range<usize>, problem: impl std::fmt::Display, help: &str) -> Error {
        let start = self.text.floor_char_boundary(at.start);
        let before = &self.text[..start];
        let number = before.matches('\n').count() + 1;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        let column = before[line_start..].chars().count();
        let end = self.text.floor_char_boundary(at.end.max(start)).min(line_start + line.len()).max(start);
        let carets = "^".repeat(self.text[start..end].chars().count().max(1));
        // A tab before the caret is as wide as the one above it.
        let indent: String =
            before[line_start..].chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let margin = " ".repeat(number.to_string().len());
        let help = if help.is_empty() { String::new() } else { format!("\n{margin} = {help}") };
        Error::Spec(format!(
            "{problem}\n{margin}--> {}:{number}:{}\n{margin} |\n{number} | {line}\n{margin} | {indent}{carets}{help}",
            self.name,
            column + 1
        ))
    }
}

/// A table, and how to speak of it.
#[derive(Debug, Clone)]
pub(super) struct Table<'a, 'd> {
    pub(super) document: &'a Document<'d>,
    title: String,
    entries: &'a DeTable<'d>,
    span: Range<usize>,
}

impl<'a, 'd> Table<'a, 'd> {
    /// The file's own table.
    pub(super) fn root(document: &'a Document<'d>, root: &'a Spanned<DeTable<'d>>) -> Self {
        Self { document, title: "this file".into(), entries: root.get_ref(), span: 0..0 }
    }

    fn new(document: &'a Document<'d>, title: String, value: &'a Spanned<DeValue<'d>>) -> Result<Self> {
        match value.get_ref() {
            DeValue::Table(entries) => Ok(Self { document, title, entries, span: value.span() }),
            other => Err(document.error(
                value.span(),
                format!("expected a table, found {}", type_name(other)),
                &format!("write {title} with its keys below"),
            )),
        }
    }

    /// Refuses keys that aren't among these.
    pub(super) fn allow(&self, keys: &[&str]) -> Result<()> {
        match self.entries.keys().find(|key| !keys.contains(&key.get_ref().as_ref())) {
            None => Ok(()),
            Some(key) => Err(self.document.error(
                key.span(),
                format!("unknown key `{}` in {}", key.get_ref(), self.title),
                &format!("allowed: {}", keys.join(", ")),
            )),
        }
    }

    /// Whichever of these spellings of a key is there, or the first.
    pub(super) fn key<'k>(&self, spellings: &[&'k str]) -> &'k str {
        spellings.iter().find(|key| self.has(key)).unwrap_or(&spellings[0])
    }

    /// `true` if the key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The value of a key, if it is there.
    pub(super) fn optional<T: FromValue>(&self, key: &str) -> Result<Option<T>> {
        let Some(value) = self.entries.get(key) else { return Ok(None) };
        let wrong = || {
            let found = match value.get_ref() {
                DeValue::Array(_) | DeValue::Table(_) => type_name(value.get_ref()).to_string(),
                _ => format!("`{}`", &self.document.text[value.span()]),
            };
            self.document.error(value.span(), format!("`{key}` is {}, found {found}", T::EXPECTED), "")
        };
        T::from_value(value.get_ref()).map(Some).ok_or_else(wrong)
    }

    /// The value of a key that must be there.
    pub(super) fn required<T: FromValue>(&self, key: &str) -> Result<T> {
        self.optional(key)?.ok_or_else(|| self.missing(key, T::EXPECTED))
    }

    /// The value of a key, or what stands for it.
    pub(super) fn or<T: FromValue>(&self, key: &str, default: T) -> Result<T> {
        Ok(self.optional(key)?.unwrap_or(default))
    }

    /// One of some words.
    pub(super) fn choice<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Result<Option<T>> {
        let Some(word) = self.optional::<String>(key)? else { return Ok(None) };
        match words.iter().find(|(name, _)| fold(name).eq(fold(&word))) {
            Some((_, meaning)) => Ok(Some(*meaning)),
            None => {
                let words: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
                let help = format!("allowed: {}", words.join(", "));
                Err(self.fail(key, format!("`{word}` is no {key} that {} can have", self.title), &help))
            }
        }
    }

    /// A table within this one.
    pub(super) fn table(&self, key: &str) -> Result<Option<Self>> {
        let title = if self.span == (0..0) { format!("[{key}]") } else { format!("{}, `{key}`", self.title) };
        self.entries.get(key).map(|value| Self::new(self.document, title, value)).transpose()
    }

    /// A list of tables, `[[key]]`.
    pub(super) fn tables(&self, key: &str) -> Result<Vec<Self>> {
        let Some(value) = self.entries.get(key) else { return Ok(Vec::new()) };
        let DeValue::Array(array) = value.get_ref() else {
            let help = format!("write [[{key}]], once for each");
            return Err(self.fail(key, format!("`{key}` is a list of tables"), &help));
        };
        array.iter().map(|value| Self::new(self.document, format!("[[{key}]]"), value)).collect()
    }

    /// Speaks of this table by another name.
    pub(super) fn titled(self, title: impl Into<String>) -> Self {
        Self { title: title.into(), ..self }
    }

    /// An error that points at a key's value.
    pub(super) fn fail(&self, key: &str, problem: impl std::fmt::Display, help: &str) -> Error {
        let span = self.entries.get(key).map_or(self.span.clone(), Spanned::span);
        self.document.error(span, problem, help)
    }

    /// An error about the table as a whole.
    pub(super) fn fail_here(&self, problem: impl std::fmt::Display, help: &str) -> Error {
        self.document.error(self.span.clone(), problem, help)
    }

    /// An error about a key that isn't there.
    pub(super) fn missing(&self, key: &str, expected: &str) -> Error {
        self.fail_here(format!("`{key}` is missing in {}", self.title), &format!("it is {expected}"))
    }

    /// Where a key's value is.
    pub(super) fn span(&self, key: &str) -> Option<Range<usize>> {
        self.entries.get(key).map(Spanned::span)
    }
}

/// A word without case and underscores, so that `MaxPooling2D` is `max_pooling2d`.
fn fold(word: &str) -> impl Iterator<Item = char> {
    word.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase())
}

/// What a key's value can be.
pub(super) trait FromValue: Sized {
    /// `key is ...`
    const EXPECTED: &'static str;
    fn from_value(value: &DeValue<'_>) -> Option<Self>;
}

impl FromValue for String {
    const EXPECTED: &'static str = "a text in quotes";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        value.as_str().filter(|text| !text.is_empty()).map(Into::into)
    }
}

impl FromValue for bool {
    const EXPECTED: &'static str = "true or false";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        value.as_bool()
    }
}

impl FromValue for u64 {
    const EXPECTED: &'static str = "a whole number from 0";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        let integer = value.as_integer()?;
        // TOML's integers are those of an i64.
        i64::from_str_radix(integer.as_str(), integer.radix()).ok()?.try_into().ok()
    }
}

/// A whole number from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count(pub(super) usize);

impl FromValue for Count {
    const EXPECTED: &'static str = "a whole number from 1";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        u64::from_value(value).filter(|&n| n > 0).and_then(|n| n.try_into().ok()).map(Self)
    }
}

impl FromValue for i64 {
    const EXPECTED: &'static str = "a whole number";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        let integer = value.as_integer()?;
        Self::from_str_radix(integer.as_str(), integer.radix()).ok()
    }
}

impl FromValue for f64 {
    const EXPECTED: &'static str = "a finite number";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        let number = match value {
            DeValue::Float(float) => float.as_str().parse().ok(),
            DeValue::Integer(integer) => {
                i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|n| n as f64)
            }
            _ => None,
        };
        number.filter(|x| x.is_finite())
    }
}

impl FromValue for f32 {
    const EXPECTED: &'static str = f64::EXPECTED;
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        f64::from_value(value).map(|x| x as f32).filter(|x| x.is_finite())
    }
}

impl FromValue for crate::data::Share {
    const EXPECTED: &'static str = "a fraction from 0.0 to below 1.0, or a whole number of samples";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        if value.is_integer() {
            u64::from_value(value).and_then(|n| n.try_into().ok()).map(Self::Count)
        } else {
            f64::from_value(value).filter(|x| (0.0..1.0).contains(x)).map(Self::Fraction)
        }
    }
}

/// Height and width.
impl FromValue for [usize; 2] {
    const EXPECTED: &'static str = "a whole number from 1, or two of them: [height, width]";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        match value {
            DeValue::Array(_) => Vec::<usize>::from_value(value)?.try_into().ok(),
            _ => Count::from_value(value).map(|Count(n)| [n; 2]),
        }
    }
}

impl FromValue for Vec<usize> {
    const EXPECTED: &'static str = "a list of whole numbers from 1";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        let extents: Option<Self> =
            value.as_array()?.iter().map(|n| Count::from_value(n.get_ref()).map(|Count(n)| n)).collect();
        extents.filter(|extents| !extents.is_empty())
    }
}

impl FromValue for Vec<String> {
    const EXPECTED: &'static str = "a list of texts in quotes";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        let texts: Option<Self> = value.as_array()?.iter().map(|n| String::from_value(n.get_ref())).collect();
        texts.filter(|texts| !texts.is_empty())
    }
}

/// A name, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names(pub(super) Vec<String>);

impl FromValue for Names {
    const EXPECTED: &'static str = "the name of a layer in quotes, or a list of such names";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        String::from_value(value)
            .map(|name| vec![name])
            .or_else(|| Vec::<String>::from_value(value))
            .map(Self)
    }
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
