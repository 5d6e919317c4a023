//! A table of the file that is being read: keys are taken out one by one, and what is left at the end is an unknown key.
//!
//! serde could read the file in fewer lines, but its errors name neither the component nor the fix.

use std::{ops::Range, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{ManifestError, Template};

/// The file, for errors.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// An error at a place in the text.
    pub(super) fn error(self, span: Range<usize>, place: &str, reason: impl Into<String>) -> ManifestError {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        ManifestError::Invalid {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            place: if place.is_empty() { String::new() } else { format!("{place}: ") },
            reason: reason.into(),
        }
    }
}

/// A value and where it stands.
pub(super) struct Value<'a> {
    pub(super) source: Source<'a>,
    pub(super) place: String,
    pub(super) key: String,
    pub(super) span: Range<usize>,
    value: DeValue<'a>,
}

impl<'a> Value<'a> {
    pub(super) fn error(&self, reason: impl Into<String>) -> ManifestError {
        self.source.error(self.span.clone(), &self.place, reason)
    }

    fn wrong_type(&self, wanted: &str) -> ManifestError {
        self.error(format!("`{}` must be {wanted}, not {}", self.key, article(self.value.type_str())))
    }

    pub(super) fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub(super) fn string(self) -> Result<String, ManifestError> {
        match self.value {
            DeValue::String(text) => Ok(text.into_owned()),
            _ => Err(self.wrong_type("a string")),
        }
    }

    pub(super) fn boolean(self) -> Result<bool, ManifestError> {
        match self.value {
            DeValue::Boolean(value) => Ok(value),
            _ => Err(self.wrong_type("true or false")),
        }
    }

    pub(super) fn integer(self) -> Result<u64, ManifestError> {
        match &self.value {
            DeValue::Integer(value) if value.radix() == 10 => {
                value.as_str().parse().map_err(|_| self.wrong_type("a whole number that is not negative"))
            }
            _ => Err(self.wrong_type("a whole number")),
        }
    }

    pub(super) fn template(self) -> Result<Template, ManifestError> {
        let (source, span, place, key) =
            (self.source, self.span.clone(), self.place.clone(), self.key.clone());
        Template::parse(&self.string()?)
            .map_err(|reason| source.error(span, &place, format!("`{key}`: {reason}")))
    }

    pub(super) fn array(self) -> Result<Vec<Value<'a>>, ManifestError> {
        match self.value {
            DeValue::Array(items) => Ok(items
                .into_iter()
                .map(|item| Value {
                    source: self.source,
                    place: self.place.clone(),
                    key: self.key.clone(),
                    span: item.span(),
                    value: item.into_inner(),
                })
                .collect()),
            _ => Err(self.wrong_type("a list")),
        }
    }

    /// As a table that errors name as `place`.
    pub(super) fn table(self, place: impl Into<String>) -> Result<Table<'a>, ManifestError> {
        match self.value {
            DeValue::Table(entries) => {
                Ok(Table { source: self.source, place: place.into(), span: self.span, entries })
            }
            _ => Err(self.wrong_type("a table")),
        }
    }
}

fn article(type_name: &str) -> String {
    let vowel = type_name.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {type_name}", if vowel { "an" } else { "a" })
}

/// A table whose keys are taken out one by one.
pub(super) struct Table<'a> {
    pub(super) source: Source<'a>,
    pub(super) place: String,
    pub(super) span: Range<usize>,
    entries: DeTable<'a>,
}

impl<'a> Table<'a> {
    /// The whole file.
    pub(super) fn root(source: Source<'a>) -> Result<Self, ManifestError> {
        let root = DeTable::parse(source.text).map_err(|error| {
            source.error(error.span().unwrap_or_default(), "", format!("not valid TOML: {}", error.message()))
        })?;
        Ok(Self { source, place: String::new(), span: root.span(), entries: root.into_inner() })
    }

    pub(super) fn error(&self, reason: impl Into<String>) -> ManifestError {
        self.source.error(self.span.clone(), &self.place, reason)
    }

    fn value(&self, key: Spanned<toml::de::DeString<'a>>, value: Spanned<DeValue<'a>>) -> Value<'a> {
        Value {
            source: self.source,
            place: self.place.clone(),
            span: key.span(),
            key: key.into_inner().into_owned(),
            value: value.into_inner(),
        }
    }

    /// Takes a key that may be missing.
    pub(super) fn take(&mut self, key: &str) -> Option<Value<'a>> {
        let (key, value) = self.entries.remove_entry(key)?;
        Some(self.value(key, value))
    }

    /// Takes a key that must be there.
    pub(super) fn require(&mut self, key: &str) -> Result<Value<'a>, ManifestError> {
        self.take(key).ok_or_else(|| self.error(format!("`{key}` is missing")))
    }

    /// Takes all keys, for tables whose keys are names.
    pub(super) fn into_values(mut self) -> Vec<Value<'a>> {
        let entries = std::mem::take(&mut self.entries);
        entries.into_iter().map(|(key, value)| self.value(key, value)).collect()
    }

    /// Refuses what was not taken.
    pub(super) fn finish(mut self, known: &[&str], hint: &str) -> Result<(), ManifestError> {
        let entries = std::mem::take(&mut self.entries);
        match entries.into_iter().next() {
            None => Ok(()),
            Some((key, _)) => Err(self.source.error(
                key.span(),
                &self.place,
                format!("unknown key `{}`; remove it (known here: {}){hint}", key.as_ref(), known.join(", ")),
            )),
        }
    }
}
