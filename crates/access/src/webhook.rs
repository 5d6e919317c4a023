//! Signatures of what the service sends by itself, as Standard Webhooks has them (1.0.0, "Signature scheme").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use thiserror::Error;

/// What a secret begins with, so that nobody takes it for anything else.
const PREFIX: &str = "whsec_";

/// How many bytes a secret has, as the standard says.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// What callbacks are signed with: by each of them, so that a receiver that has the old secret or the new one finds a signature that it
/// can check, while one follows the other.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CallbackSecrets(Vec<Vec<u8>>);

impl std::fmt::Debug for CallbackSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CallbackSecrets({})", self.0.len())
    }
}

/// The text holds what is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not secrets of the form {PREFIX}<base64 of 24 to 64 bytes>")]
pub struct NotCallbackSecrets;

impl CallbackSecrets {
    /// Reads secrets with white space between them; an empty text is none.
    ///
    /// # Errors
    /// [`NotCallbackSecrets`] where one is of another form, or too short or too long.
    pub fn parse(text: &str) -> Result<Self, NotCallbackSecrets> {
        let secrets: Option<Vec<_>> = text.split_whitespace().map(secret).collect();
        secrets.filter(|secrets| !secrets.is_empty() || text.is_empty()).map(Self).ok_or(NotCallbackSecrets)
    }

    /// Whether there is none, so that nothing can be signed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of `webhook-signature`: a signature for each secret. `timestamp_secs` is since 1970, as `webhook-timestamp` has it.
    pub fn sign(&self, id: &str, timestamp_secs: i64, body: &[u8]) -> String {
        let signatures = self.0.iter().map(|secret| {
            // HMAC takes keys of any length.
            let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
            hmac.update(format!("{id}.{timestamp_secs}.").as_bytes());
            hmac.update(body);
            format!("v1,{}", STANDARD.encode(hmac.finalize().into_bytes()))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

fn secret(text: &str) -> Option<Vec<u8>> {
    let secret = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
    SECRET_BYTES.contains(&secret.len()).then_some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
    const SECOND: &str = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";

    /// By `printf '%s' 'a-1.1800000000.{"type":"x"}' | openssl dgst -sha256 -hmac 0123456789abcdef01234567 -binary | base64`.
    #[test]
    fn others_can_check_a_signature() {
        let signed = CallbackSecrets::parse(FIRST).unwrap().sign("a-1", 1_800_000_000, br#"{"type":"x"}"#);
        assert_eq!(signed, "v1,ALAUgNvN2USjqTgFvkmB3CSYreRnorTU0HSEEQmWU8I=");
    }

    #[test]
    fn a_signature_is_of_one_message_at_one_moment() {
        let secrets = CallbackSecrets::parse(FIRST).unwrap();
        let signed = secrets.sign("a", 1, b"x");
        assert_eq!(signed, secrets.sign("a", 1, b"x"));
        for other in [secrets.sign("b", 1, b"x"), secrets.sign("a", 2, b"x"), secrets.sign("a", 1, b"y")] {
            assert_ne!(signed, other);
        }
    }

    #[test]
    fn while_secrets_change_each_signs() {
        let (first, second) =
            (CallbackSecrets::parse(FIRST).unwrap(), CallbackSecrets::parse(SECOND).unwrap());
        let both = CallbackSecrets::parse(&format!("{SECOND}\n {FIRST}")).unwrap();
        let expected = format!("{} {}", second.sign("a", 1, b"x"), first.sign("a", 1, b"x"));
        assert_eq!(both.sign("a", 1, b"x"), expected);
    }

    #[test]
    fn what_is_no_secret_is_refused_and_none_is_shown() {
        assert!(CallbackSecrets::parse("").unwrap().is_empty());
        let short = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY=";
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        for bad in
            [" ", "hunter2", &FIRST[6..], "whsec_", "whsec_!", short, &long, &format!("{FIRST} hunter2")]
        {
            assert_eq!(CallbackSecrets::parse(bad), Err(NotCallbackSecrets), "{bad:?}");
        }
        assert_eq!(format!("{:?}", CallbackSecrets::parse(FIRST).unwrap()), "CallbackSecrets(1)");
    }
}
