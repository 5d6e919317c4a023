//! Who may, where the operator lists keys. Whether one does is not in the document: it is the same on every service, so each operation
//! also goes without a key.

use serde_json::{Value, json};
use thumbs_domain::problem::ProblemKind::{
    self, KeyNeeded, LinkRefused, NotFound, ScopeMissing, TooManyRequests,
};
use thumbs_domain::route::{Needs, Scope};

/// The ways to show a key, and a signed link.
pub(crate) fn schemes() -> Value {
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, where the service needs one: `Authorization: Bearer thumbs_...`.",
        },
        "api-key": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Api-Key",
            "description": "The same key, for clients that have a header of this name.",
        },
        "signed-link": {
            "type": "apiKey",
            "in": "query",
            "name": "signature",
            "description": "With `expires`, what `links.signed_thumbnail` of a job holds: good without a key, for that thumbnail, until then.",
        },
    })
}

/// The ways of an operation.
pub(crate) fn requirements(needs: Needs) -> Value {
    match needs {
        Needs::Nothing => json!([]),
        Needs::Key(_) | Needs::Anything(_) => json!([{}, { "bearer": [] }, { "api-key": [] }]),
        Needs::KeyAlways(_) => json!([{ "bearer": [] }, { "api-key": [] }]),
        Needs::KeyOrLink(_) => json!([{}, { "bearer": [] }, { "api-key": [] }, { "signed-link": [] }]),
    }
}

/// What an operation says of it; empty where it needs nothing.
pub(crate) fn about(needs: Needs) -> String {
    match needs {
        Needs::Nothing => String::new(),
        Needs::Key(scope) => {
            format!("Where the service has keys, it takes one with the scope `{}`.", scope.name())
        }
        Needs::KeyOrLink(scope) => {
            format!(
                "Where the service has keys, it takes one with the scope `{}`, or a signed link.",
                scope.name()
            )
        }
        Needs::KeyAlways(scope) => {
            format!(
                "Takes a key with the scope `{}`; where the service has no keys, there is nothing here.",
                scope.name()
            )
        }
        Needs::Anything(scope) => {
            format!("Where the service has keys, details are for one with the scope `{}`.", scope.name())
        }
    }
}

/// How it may be refused.
pub(crate) fn problems(needs: Needs) -> &'static [ProblemKind] {
    match needs {
        Needs::Nothing => &[],
        Needs::Key(Scope::Admin) => &[KeyNeeded, ScopeMissing],
        Needs::Key(_) => &[KeyNeeded, ScopeMissing, TooManyRequests],
        Needs::KeyOrLink(_) => &[KeyNeeded, ScopeMissing, LinkRefused, TooManyRequests],
        Needs::KeyAlways(_) => &[KeyNeeded, ScopeMissing, NotFound],
        Needs::Anything(_) => &[KeyNeeded],
    }
}
