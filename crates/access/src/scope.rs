//! What a key may do.

/// One thing that a key may do. They are independent: a key that is `admin` alone shows who runs the service its numbers, and no job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// To read jobs and thumbnails: those of its own name.
    Read,
    /// To make jobs, and to change or delete those of its own name.
    Write,
    /// To read the service's numbers and details of its health; and what it may read or write, it may of everybody's.
    Admin,
}

impl Scope {
    /// All, in the order in which texts list them.
    pub const ALL: &'static [Self] = &[Self::Read, Self::Write, Self::Admin];

    /// As lists of keys and clients spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.name() == name)
    }
}

/// What stands between two scopes.
const BETWEEN: char = '+';

/// The scopes of a key, one at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Reads names with `+` between them, each once. Returns none for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut scopes = Vec::new();
        for name in text.split(BETWEEN) {
            let scope = Scope::from_name(name)?;
            if scopes.contains(&scope) {
                return None;
            }
            scopes.push(scope);
        }
        Some(Self(scopes))
    }

    /// Whether this is among them.
    pub fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }
}

impl std::fmt::Display for Scopes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.0.iter().map(|scope| scope.name()).collect();
        f.write_str(&names.join("+"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_names_with_a_plus_between_them() {
        let scopes = Scopes::parse("read+write").unwrap();
        assert_eq!(
            Scope::ALL.iter().map(|scope| scopes.has(*scope)).collect::<Vec<_>>(),
            [true, true, false]
        );
        assert_eq!(scopes.to_string(), "read+write");
        for bad in ["", "+", "read+", "Read", "read,write", "read+read", "all"] {
            assert_eq!(Scopes::parse(bad), None, "{bad:?}");
        }
    }
}
