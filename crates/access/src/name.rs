//! The name of a key.

/// Names a key to people: in the operator's list, in the log, and in the rows of the jobs that it made, whose owner it is. Keys of the
/// same name have the same jobs, so that one can follow another.
///
/// Invariant: 1 to 40 of `a-z 0-9 . _ -`, and not what a key begins with, so that a key is never taken for a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName(String);

/// The longest name, in characters.
const MAX_CHARS: usize = 40;

impl KeyName {
    /// Returns none where the invariant is not met.
    pub fn parse(text: &str) -> Option<Self> {
        let is_usable =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        let fits = (1..=MAX_CHARS).contains(&text.len()) && text.bytes().all(is_usable);
        (fits && !text.starts_with(crate::key::PREFIX)).then(|| Self(text.to_owned()))
    }

    /// As rows and the log hold it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for KeyName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        let long = "n".repeat(41);
        for good in ["shop", "a", "ci-2", "x.y_z", &long[1..]] {
            assert_eq!(KeyName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "Shop", "a b", "a:b", "é", "a\n", &long, "thumbs_x"] {
            assert_eq!(KeyName::parse(bad), None, "{bad:?}");
        }
    }
}
