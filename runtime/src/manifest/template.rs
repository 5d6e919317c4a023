//! Texts with `{{ variable }}` in them.
//!
//! A template is taken apart when the manifest is read, so that a wrong one fails the start and not a request. There is no way to
//! write a literal `{{`: Spin has none either.

use std::collections::BTreeMap;

/// A text with variables in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable(String),
}

impl Template {
    /// Takes a text apart.
    ///
    /// # Errors
    /// A clause that says what is wrong: a `{{` without end, or a name that can't be a variable's.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, tail)) = rest.split_once("{{") {
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            let (name, tail) =
                tail.split_once("}}").ok_or_else(|| format!("`{{{{` has no `}}}}` after it in {text:?}"))?;
            let name = name.trim();
            if !is_variable_name(name) {
                return Err(format!(
                    "`{{{{ {name} }}}}` does not name a variable (lower snake case) in {text:?}"
                ));
            }
            parts.push(Part::Variable(name.to_owned()));
            rest = tail;
        }
        if rest.contains("}}") {
            return Err(format!("`}}}}` has no `{{{{` before it in {text:?}"));
        }
        if !rest.is_empty() || parts.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// The variables it names.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// The text with each variable's value in its place. A variable without a value counts as empty: whether all have one is asked
    /// before.
    #[must_use]
    pub fn resolve<V: AsRef<str>>(&self, values: &BTreeMap<String, V>) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.as_str(),
                Part::Variable(name) => values.get(name).map_or("", AsRef::as_ref),
            })
            .collect()
    }
}

/// Lower snake case, beginning with a letter, words not empty (Spin's rule for names of variables).
#[must_use]
pub(super) fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.split('_').all(|word| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> BTreeMap<String, String> {
        [("host", "db"), ("port_number", "5432")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    #[test]
    fn variables_are_put_in_their_places() {
        for (text, resolved) in [
            ("", ""),
            ("plain", "plain"),
            ("{{ host }}", "db"),
            ("postgres://{{host}}:{{  port_number  }}", "postgres://db:5432"),
            ("{{ host }}{{ host }}/x", "dbdb/x"),
            ("{ host } }", "{ host } }"),
        ] {
            assert_eq!(Template::parse(text).unwrap().resolve(&values()), resolved, "{text}");
        }
    }

    #[test]
    fn a_broken_template_is_refused() {
        for text in [
            "{{ host",
            "host }}",
            "{{ }}",
            "{{ Host }}",
            "{{ a-b }}",
            "{{ a__b }}",
            "{{ _a }}",
            "{{ a {{ b }}",
        ] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_that_looks_like_a_template_is_left_alone() {
        let values = [("a".to_owned(), "{{ b }}".to_owned())].into();
        assert_eq!(Template::parse("{{ a }}").unwrap().resolve(&values), "{{ b }}");
    }
}
