//! The application's variables at start: what the operator set, what follows from that, and the manifest's defaults.
//!
//! In this order of precedence: the builder or `--variable`, the environment (`SPIN_VARIABLE_<NAME>`, as on Spin, or a file that
//! `SPIN_VARIABLE_<NAME>_FILE` names), what is derived, the default. Derived is one thing only: a grant follows an address where the
//! manifest says so (`[application.tool.thumbs]`) and the operator set the address alone. Values, and files, are looked at once, here; a
//! secret value is redacted wherever it is printed.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use thiserror::Error;
use url::Url;

use crate::{capabilities::allowed_hosts::well_known_port, manifest::Manifest, secret::Secret};

/// What environment variables that set one begin with.
pub const ENV_PREFIX: &str = "SPIN_VARIABLE_";

/// What the name of a declared variable may be followed by in the environment: the value is then the path of a file that holds it.
const FILE_SUFFIX: &str = "_file";

/// The largest file that a value is read from. An environment holds 128 KiB in one variable at most.
const MAX_FILE_BYTES: u64 = 128 * 1024;

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The operator set it.
    Operator,
    /// It follows from another that the operator set.
    Derived,
    /// It stands in the manifest.
    Default,
}

/// One value.
#[derive(Clone)]
pub struct Resolved {
    text: Secret,
    secret: bool,
    origin: Origin,
}

impl Resolved {
    /// Where it came from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The value itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose()
    }
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: &dyn fmt::Debug = if self.secret { &self.text } else { &self.text.expose() };
        write!(f, "{text:?} ({:?})", self.origin)
    }
}

impl AsRef<str> for Resolved {
    fn as_ref(&self) -> &str {
        self.expose()
    }
}

/// All variables of the application, each with a value.
#[derive(Clone, Debug, Default)]
pub struct Variables(BTreeMap<String, Resolved>);

/// The operator's part is wrong.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum VariableError {
    /// No value, and none is implied.
    #[error("the variable `{name}` is required and has no value; set {ENV_PREFIX}{}", name.to_ascii_uppercase())]
    Missing {
        /// Which.
        name: String,
    },
    /// A value for what is not declared: a misspelt name would else go unnoticed.
    #[error("there is no variable `{name}` in the manifest{}", hint(nearest, declared))]
    Unknown {
        /// Which.
        name: String,
        /// The declared one that is spelled most alike, if one is.
        nearest: Option<String>,
        /// All there are.
        declared: String,
    },
    /// A value, and a file that holds one.
    #[error("the variable `{name}` is set twice: unset {ENV_PREFIX}{0} or {ENV_PREFIX}{0}_FILE", name.to_ascii_uppercase())]
    Twice {
        /// Which.
        name: String,
    },
    /// The file that should hold a value can't be read.
    #[error("{ENV_PREFIX}{}_FILE: {path} {cause}", name.to_ascii_uppercase())]
    File {
        /// The variable.
        name: String,
        /// As it was given.
        path: String,
        /// What is wrong with it.
        cause: FileError,
    },
}

/// Why a file gives no value.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FileError {
    /// The system's reason.
    #[error("can't be read ({0})")]
    Unreadable(String),
    /// More than a value may have.
    #[error("has more than {MAX_FILE_BYTES} bytes, which no value has; is another file meant?")]
    TooLarge,
    /// It is no text.
    #[error("is not UTF-8 text; is another file meant?")]
    NotText,
}

fn hint(nearest: &Option<String>, declared: &str) -> String {
    match nearest {
        Some(nearest) => format!("; is `{nearest}` meant?"),
        None => format!("; it declares: {declared}"),
    }
}

/// From how much alike on, 0 to 1, one name may be meant by another.
const MEANT: f64 = 0.8;

impl VariableError {
    fn unknown(name: String, manifest: &Manifest) -> Self {
        let declared: Vec<&str> = manifest.variables.keys().map(String::as_str).collect();
        let alike = declared.iter().map(|other| (strsim::jaro_winkler(&name, other), *other));
        let nearest = alike.filter(|(alike, _)| *alike >= MEANT).max_by(|(a, _), (b, _)| a.total_cmp(b));
        let nearest = nearest.map(|(_, other)| other.to_owned());
        Self::Unknown { name, nearest, declared: declared.join(", ") }
    }
}

impl Variables {
    /// Gives each variable of the manifest its value. `explicit` comes from the builder or the command line, `environment` is searched for
    /// [`ENV_PREFIX`]. Reads the files that it names; blocks.
    ///
    /// # Errors
    /// A required variable has no value, one that is set is not declared or is set twice, or the file of one can't be read.
    pub fn resolve(
        manifest: &Manifest,
        explicit: &BTreeMap<String, String>,
        environment: &HashMap<String, String>,
    ) -> Result<Self, VariableError> {
        let declared = &manifest.variables;
        let direct = |name: &str| environment.get(&format!("{ENV_PREFIX}{}", name.to_ascii_uppercase()));
        let mut files = BTreeMap::new();
        for (name, path) in environment {
            let Some(name) = name.strip_prefix(ENV_PREFIX).map(str::to_ascii_lowercase) else { continue };
            if declared.contains_key(&name) {
                continue;
            }
            match name.strip_suffix(FILE_SUFFIX).filter(|stem| declared.contains_key(*stem)) {
                None => return Err(VariableError::unknown(name, manifest)),
                Some(stem) if direct(stem).is_some() => {
                    return Err(VariableError::Twice { name: stem.to_owned() });
                }
                Some(stem) => files.insert(stem.to_owned(), path),
            };
        }
        if let Some(name) = explicit.keys().find(|name| !declared.contains_key(*name)) {
            return Err(VariableError::unknown(name.clone(), manifest));
        }
        // Only what counts is read: a variable of the command line needs no file.
        files.retain(|name, _| !explicit.contains_key(name));
        let mut read = BTreeMap::new();
        for (name, path) in files {
            match value_of(Path::new(path)) {
                Ok(text) => read.insert(name, text),
                Err(cause) => return Err(VariableError::File { name, path: path.clone(), cause }),
            };
        }
        let set = |name: &str| explicit.get(name).or_else(|| direct(name)).or_else(|| read.get(name));
        let grants: BTreeMap<&str, &str> = manifest.application.backends.grants().collect();
        let mut values = BTreeMap::new();
        for (name, variable) in declared {
            let derived = || grants.get(name.as_str()).and_then(|url| set(url)).and_then(|url| outbound(url));
            let (text, origin) = match (set(name), derived(), &variable.default) {
                (Some(text), _, _) => (text.clone(), Origin::Operator),
                (None, Some(text), _) => (text, Origin::Derived),
                (None, None, Some(text)) => (text.clone(), Origin::Default),
                (None, None, None) => return Err(VariableError::Missing { name: name.clone() }),
            };
            values
                .insert(name.clone(), Resolved { text: Secret::new(text), secret: variable.secret, origin });
        }
        Ok(Self(values))
    }

    /// Gives a declared variable a value that follows from others, unless the operator set it.
    pub fn derive(&mut self, name: &str, text: &str) {
        if let Some(value) = self.0.get_mut(name).filter(|value| value.origin != Origin::Operator) {
            value.text = Secret::new(text);
            value.origin = Origin::Derived;
        }
    }

    /// All values by name, for templates.
    #[must_use]
    pub fn values(&self) -> &BTreeMap<String, Resolved> {
        &self.0
    }

    /// The value, whoever set it; none where the manifest declares no such variable.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(Resolved::expose)
    }

    /// The value if the operator set it.
    #[must_use]
    pub fn set_by_operator(&self, name: &str) -> Option<&str> {
        self.0.get(name).filter(|value| value.origin == Origin::Operator).map(Resolved::expose)
    }
}

/// What is in a file, without the end of its last line: editors and `echo` put one there, and no value ends with it.
fn value_of(path: &Path) -> Result<String, FileError> {
    let unreadable = |cause: io::Error| FileError::Unreadable(cause.to_string());
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(FileError::TooLarge);
    }
    let mut text = String::from_utf8(bytes).map_err(|_| FileError::NotText)?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

/// The grant that a connection to this URL needs: `scheme://host:port`. None where the URL leads to no host.
fn outbound(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    let port = url.port().or_else(|| well_known_port(url.scheme()))?;
    Some(format!("{}://{host}:{port}", url.scheme()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMED: &str =
        "[application.tool.thumbs]\nredis = { url = \"redis_url\", outbound = \"redis_outbound\" }";

    fn resolve_of(
        named: &str,
        explicit: &[(&str, &str)],
        environment: &[(&str, &str)],
    ) -> Result<Variables, VariableError> {
        let text = format!(
            r#"
            spin_manifest_version = 2
            [application]
            name = "x"
            {named}
            [variables]
            redis_url = {{ default = "redis://localhost:6379", secret = true }}
            redis_outbound = {{ default = "redis://localhost:6379" }}
            token = {{ required = true, secret = true }}
            "#
        );
        let manifest = Manifest::parse(std::path::Path::new("spin.toml"), &text).unwrap();
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Variables::resolve(
            &manifest,
            &explicit.iter().map(owned).collect(),
            &environment.iter().map(owned).collect(),
        )
    }

    fn resolve(explicit: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Variables, VariableError> {
        resolve_of(NAMED, explicit, environment)
    }

    #[test]
    fn the_explicit_wins_over_the_environment_and_that_over_the_default() {
        let environment = [("SPIN_VARIABLE_TOKEN", "env"), ("OTHER", "x"), ("TOKEN", "no")];
        let values = resolve(&[], &environment).unwrap();
        assert_eq!(values.values()["token"].expose(), "env");
        assert_eq!(values.values()["redis_url"].origin(), Origin::Default);
        assert_eq!(values.set_by_operator("redis_url"), None);
        assert_eq!(
            resolve(&[("token", "explicit")], &environment).unwrap().set_by_operator("token"),
            Some("explicit")
        );
    }

    #[test]
    fn a_required_variable_without_a_value_says_how_to_set_it() {
        let error = resolve(&[], &[]).unwrap_err();
        assert!(error.to_string().contains("SPIN_VARIABLE_TOKEN"), "{error}");
    }

    #[test]
    fn a_name_that_nobody_knows_is_refused_with_the_nearest_known_one() {
        for (explicit, environment) in
            [(&[("tokn", "x")][..], &[][..]), (&[], &[("SPIN_VARIABLE_TOKN", "x")])]
        {
            let error = resolve(explicit, environment).unwrap_err().to_string();
            assert_eq!(error, "there is no variable `tokn` in the manifest; is `token` meant?");
        }
        let error = resolve(&[("something_else", "x")], &[]).unwrap_err().to_string();
        assert!(error.contains("it declares: redis_outbound, redis_url, token"), "{error}");
    }

    /// A folder with one file, and the file's path as a value of the environment has it.
    fn file_of(bytes: &[u8]) -> (tempfile::TempDir, String) {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("value");
        std::fs::write(&path, bytes).unwrap();
        let path = path.to_str().unwrap().to_owned();
        (folder, path)
    }

    #[test]
    fn a_value_may_stand_in_a_file() {
        for (bytes, value) in
            [("s3cret", "s3cret"), ("s3cret\n", "s3cret"), ("two\nlines \r\n", "two\nlines ")]
        {
            let (_folder, path) = file_of(bytes.as_bytes());
            let values = resolve(&[], &[("SPIN_VARIABLE_TOKEN_FILE", &path)]).unwrap();
            assert_eq!(values.set_by_operator("token"), Some(value));
            assert!(!format!("{values:?}").contains(value), "it is a secret all the same");
        }
        let (_folder, path) = file_of(b"redis://cache.example");
        let values = resolve(&[("token", "x")], &[("SPIN_VARIABLE_REDIS_URL_FILE", path.as_str())]).unwrap();
        assert_eq!(values.value("redis_outbound"), Some("redis://cache.example:6379"));
    }

    #[test]
    fn a_file_is_not_read_where_its_value_would_not_count() {
        let environment = [("SPIN_VARIABLE_TOKEN_FILE", "/nowhere/token")];
        let values = resolve(&[("token", "explicit")], &environment).unwrap();
        assert_eq!(values.value("token"), Some("explicit"));
    }

    #[test]
    fn a_value_and_a_file_are_one_too_many() {
        let (_folder, path) = file_of(b"x");
        let both = [("SPIN_VARIABLE_TOKEN", "y"), ("SPIN_VARIABLE_TOKEN_FILE", path.as_str())];
        let error = resolve(&[], &both).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the variable `token` is set twice: unset SPIN_VARIABLE_TOKEN or SPIN_VARIABLE_TOKEN_FILE"
        );
    }

    #[test]
    fn a_file_without_a_value_is_named_with_what_is_wrong() {
        let large = vec![b'x'; usize::try_from(MAX_FILE_BYTES).unwrap() + 1];
        for (bytes, reason) in [(&b"\xff"[..], "is not UTF-8"), (&large, "has more than 131072 bytes")] {
            let (_folder, path) = file_of(bytes);
            let error = resolve(&[], &[("SPIN_VARIABLE_TOKEN_FILE", path.as_str())]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("SPIN_VARIABLE_TOKEN_FILE: {path} {reason}")), "{error}");
        }
        let (folder, path) = file_of(b"x");
        drop(folder);
        let error = resolve(&[], &[("SPIN_VARIABLE_TOKEN_FILE", path.as_str())]).unwrap_err().to_string();
        assert!(error.contains("can't be read (No such file"), "{error}");
    }

    #[test]
    fn the_file_of_an_unknown_variable_is_an_unknown_variable() {
        let error = resolve(&[], &[("SPIN_VARIABLE_TOKN_FILE", "/x")]).unwrap_err().to_string();
        assert!(error.starts_with("there is no variable `tokn_file` in the manifest"), "{error}");
    }

    #[test]
    fn a_grant_follows_its_url() {
        for (url, grant) in [
            ("redis://:p%40ss@cache.example/3", "redis://cache.example:6379"),
            ("rediss://u:p@cache:7000", "rediss://cache:7000"),
            ("redis://[::1]", "redis://[::1]:6379"),
        ] {
            let values = resolve(&[("token", "x"), ("redis_url", url)], &[]).unwrap();
            assert_eq!(values.values()["redis_outbound"].expose(), grant);
            assert_eq!(values.values()["redis_outbound"].origin(), Origin::Derived);
        }
        let explicit =
            resolve(&[("token", "x"), ("redis_url", "redis://a"), ("redis_outbound", "redis://b:1")], &[]);
        assert_eq!(explicit.unwrap().values()["redis_outbound"].expose(), "redis://b:1");
    }

    #[test]
    fn no_grant_follows_from_a_name_alone() {
        let values = resolve_of("", &[("token", "x"), ("redis_url", "redis://elsewhere")], &[]).unwrap();
        assert_eq!(values.values()["redis_outbound"].expose(), "redis://localhost:6379");
        assert_eq!(values.values()["redis_outbound"].origin(), Origin::Default);
    }

    #[test]
    fn debug_shows_no_secret() {
        let values = resolve(&[("token", "hunter2")], &[]).unwrap();
        let shown = format!("{values:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("redis_outbound\": \"redis://localhost:6379\" (Default)"), "{shown}");
    }
}
