//! What requests are signed with, checked. None of it is ever repeated in a sentence or shown by a `Debug`.

use std::fmt;

use crate::settings::InvalidSetting;

/// An identity at the server, and what proves it.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Who asks.
    pub access_key_id: String,
    /// What proves it.
    pub secret_access_key: String,
    /// Comes with the two where they are lent for a time, as to a role.
    pub session_token: Option<String>,
}

impl Credentials {
    /// Reads the variables; none of them set is nobody.
    pub(crate) fn read<E: From<InvalidSetting>>(
        mut variable: impl FnMut(&str) -> Result<String, E>,
    ) -> Result<Option<Self>, E> {
        let mut read = |name: &'static str| variable(name).map(|value| (name, value));
        let (id, secret, token) =
            (read("s3_access_key_id")?, read("s3_secret_access_key")?, read("s3_session_token")?);
        if [&id, &secret, &token].iter().all(|(_, value)| value.is_empty()) {
            return Ok(None);
        }
        let session_token = if token.1.is_empty() { None } else { Some(checked(token)?) };
        Ok(Some(Self { access_key_id: checked(id)?, secret_access_key: checked(secret)?, session_token }))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials([redacted])")
    }
}

fn checked((variable, value): (&str, String)) -> Result<String, InvalidSetting> {
    if value.is_empty() {
        return Err(InvalidSetting::unset(variable));
    }
    // A newline at the end is what `echo` leaves in a secret's file; the server would only say that the signature is wrong.
    if value.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(value)
    } else {
        Err(InvalidSetting::rule(variable, "printable ASCII without spaces or line ends"))
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::tests::{ANONYMOUS, read};

    #[test]
    fn each_wrong_variable_is_named_and_not_repeated() {
        for (variable, value) in [
            ("s3_access_key_id", ""),
            ("s3_access_key_id", "hunter2 "),
            ("s3_secret_access_key", ""),
            ("s3_secret_access_key", "hunter2\n"),
            ("s3_session_token", "hunter2\n"),
        ] {
            let error = read("s3://blobs", &[(variable, value)]).unwrap_err().to_string();
            assert!(error.contains(variable), "{variable}={value:?}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn without_any_requests_are_anonymous() {
        assert_eq!(read("s3://blobs", ANONYMOUS).unwrap().credentials(), None);
        let token_alone = [ANONYMOUS[0], ANONYMOUS[1], ("s3_session_token", "token")];
        let error = read("s3://blobs", &token_alone).unwrap_err();
        assert!(error.to_string().contains("s3_access_key_id is not set"), "{error}");
    }

    #[test]
    fn debug_shows_none() {
        let settings = read("s3://blobs", &[("s3_session_token", "hunter2")]).unwrap();
        let shown = format!("{settings:?} {:?}", settings.credentials());
        assert!(shown.contains("blobs") && !shown.contains("hunter2") && !shown.contains("AKIA"), "{shown}");
    }
}
