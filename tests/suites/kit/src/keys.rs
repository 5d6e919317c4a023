//! API keys, one for each number.

use thumbs_access::{Entry, Key, KeyName, LinkSecrets, Scopes};

fn key(seed: u8) -> Key {
    Key::from_random([seed; 24])
}

/// The value of the variable `api_keys` that lists these keys, each with `<name>:<scopes>`.
///
/// # Panics
/// When a name or a scope is none.
#[must_use]
pub fn list(keys: &[(u8, &str)]) -> String {
    let entry = |&(seed, what): &(u8, &str)| {
        let (name, scopes) = what.split_once(':').expect("a name and scopes");
        let name = KeyName::parse(name).expect("a name");
        Entry::new(&key(seed), name, Scopes::parse(scopes).expect("scopes"), None).to_string()
    };
    keys.iter().map(entry).collect::<Vec<_>>().join("\n")
}

/// A value of the variable `link_secret`.
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A link to this path that [`SECRET`] signs, up to this second.
///
/// # Panics
/// Never: the secret is one.
#[must_use]
pub fn signed(path: &str, expires: i64) -> String {
    let secrets = LinkSecrets::parse(SECRET).expect("a secret");
    format!("{path}{}", secrets.sign(path, expires).expect("a secret").query())
}

/// The value of `Authorization` that shows this key.
#[must_use]
pub fn bearer(seed: u8) -> String {
    format!("Bearer {}", key(seed).expose())
}
