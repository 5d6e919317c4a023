//! What a span says of what was asked: who, in one word what, and never with which values.

use std::borrow::Cow;

use super::span::{Attribute, Kind, number, text};

/// What is asked of the host, or of somebody by way of it.
#[derive(Debug)]
pub struct Operation {
    pub(super) name: Cow<'static, str>,
    pub(super) kind: Kind,
    pub(super) attributes: Vec<Attribute>,
}

impl Operation {
    /// Of the host itself.
    #[must_use]
    pub fn internal(name: &'static str) -> Self {
        Self { name: name.into(), kind: Kind::Internal, attributes: Vec::new() }
    }

    fn of_store(system: &'static str, operation: impl Into<Cow<'static, str>>) -> Self {
        let operation = operation.into();
        Self {
            name: format!("{system} {operation}").into(),
            kind: Kind::Client,
            attributes: vec![text("db.system.name", system), text("db.operation.name", operation)],
        }
    }

    /// A statement of SQL. Its text stays here, for it may hold anything; its first word does not.
    #[must_use]
    pub fn sql(system: &'static str, statement: &str) -> Self {
        Self::of_store(system, first_word(statement))
    }

    /// A command to Redis, without its arguments.
    #[must_use]
    pub fn redis(command: &str) -> Self {
        Self::of_store("redis", first_word(command))
    }

    /// A call of the key-value store, without key and value.
    #[must_use]
    pub fn key_value(call: &'static str) -> Self {
        Self::of_store("key-value", call)
    }

    /// A call of the blob store, without its key.
    #[must_use]
    pub fn blob(call: &'static str) -> Self {
        Self::of_store("blob-store", call)
    }

    /// A request to somebody else: to whom, and not for what, for a path and a query may be a secret.
    #[must_use]
    pub fn request(method: &http::Method, uri: &http::Uri) -> Self {
        let method = first_word(method.as_str());
        let mut attributes = vec![
            text("http.request.method", method.clone()),
            text("server.address", uri.host().unwrap_or_default().to_owned()),
        ];
        if let Some(port) = uri.port_u16() {
            attributes.push(number("server.port", port));
        }
        Self { name: method.into(), kind: Kind::Client, attributes }
    }
}

/// In capitals and no longer than any command is; what begins otherwise is nobody's name.
fn first_word(text: &str) -> String {
    const MAX_WORD_BYTES: usize = 32;
    let word = text
        .trim_start()
        .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')))
        .next();
    let word = word.filter(|word| (1..=MAX_WORD_BYTES).contains(&word.len())).unwrap_or("OTHER");
    word.to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_names_no_value() {
        let shown = |operation: Operation| format!("{operation:?}");
        for told in [
            shown(Operation::sql("postgresql", "  insert into keys values ('hunter2')")),
            shown(Operation::redis("GET hunter2")),
            shown(Operation::redis(&"hunter2".repeat(9))),
            shown(Operation::request(
                &http::Method::GET,
                &"https://me:hunter2@a.example:8443/hunter2?key=hunter2".parse().unwrap(),
            )),
        ] {
            assert!(!told.to_ascii_lowercase().contains("hunter2"), "{told}");
        }
        assert_eq!(Operation::sql("postgresql", "  insert into keys").name, "postgresql INSERT");
        assert_eq!(Operation::sql("sqlite", "/* x */ select").name, "sqlite OTHER");
    }
}
