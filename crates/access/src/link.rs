//! Links that are good without a key, for a while: for pages that show a picture (`<img>`), which can send no header.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};
use thiserror::Error;

/// What is signed begins with this, so that no signature is ever good for anything else.
const PURPOSE: &str = "thumbs-link-1";

/// The shortest secret, in characters: of 32 hexadecimal digits, which hold 128 bits.
const MIN_CHARS: usize = 32;

/// What links are signed with. The first signs; links of the others are good as well, so that a secret can be followed by another.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct LinkSecrets(Vec<String>);

impl std::fmt::Debug for LinkSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LinkSecrets({})", self.0.len())
    }
}

/// The text holds what is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not secrets of {MIN_CHARS} characters or more")]
pub struct NotSecrets;

/// What makes a link good up to a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The last second, since 1970, in which it is.
    pub expires: i64,
    /// HMAC-SHA256 over the path and that second, in base64url.
    pub text: String,
}

impl Signature {
    /// As the link has it behind its path.
    pub fn query(&self) -> String {
        format!("?expires={}&signature={}", self.expires, self.text)
    }
}

impl LinkSecrets {
    /// Reads secrets with white space between them; an empty text is none.
    ///
    /// # Errors
    /// [`NotSecrets`] where one is too short, or not of visible ASCII characters.
    pub fn parse(text: &str) -> Result<Self, NotSecrets> {
        let secrets: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let is_one =
            |secret: &String| secret.len() >= MIN_CHARS && secret.bytes().all(|byte| byte.is_ascii_graphic());
        let is_meant = !secrets.is_empty() || text.is_empty();
        if is_meant && secrets.iter().all(is_one) { Ok(Self(secrets)) } else { Err(NotSecrets) }
    }

    /// Makes a link to this path, without a query, good through the second `expires`. None where there is no secret.
    pub fn sign(&self, path: &str, expires: i64) -> Option<Signature> {
        let secret = self.0.first()?;
        Some(Signature { expires, text: URL_SAFE_NO_PAD.encode(mac(secret, path, expires)) })
    }

    /// Whether one of the secrets signed this, whenever it ends. Takes the same time however much of a wrong signature is right.
    pub fn have_signed(&self, path: &str, signature: &Signature) -> bool {
        let Ok(given) = URL_SAFE_NO_PAD.decode(&signature.text) else { return false };
        let is_one = self.0.iter().fold(Choice::from(0), |is_one, secret| {
            is_one | mac(secret, path, signature.expires).ct_eq(given.as_slice())
        });
        is_one.into()
    }
}

/// The request's method is no part of it: who may see a picture may see how large it is.
fn mac(secret: &str, path: &str, expires: i64) -> [u8; 32] {
    // HMAC takes keys of any length.
    let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return [0; 32] };
    hmac.update(format!("{PURPOSE}\n{path}\n{expires}").as_bytes());
    hmac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "0123456789abcdef0123456789abcdef";
    const SECOND: &str = "fedcba9876543210fedcba9876543210";

    #[test]
    fn a_link_is_signed_for_one_path_and_one_end() {
        let secrets = LinkSecrets::parse(FIRST).unwrap();
        let signature = secrets.sign("/thumbnails/x", 1_800_000_000).unwrap();
        assert!(secrets.have_signed("/thumbnails/x", &signature));
        assert!(!secrets.have_signed("/thumbnails/y", &signature));
        assert!(
            !secrets.have_signed("/thumbnails/x", &Signature { expires: 1_800_000_001, ..signature.clone() })
        );
        for text in [
            "",
            "AAAA",
            "!",
            &signature.text[1..],
            &format!("{}=", signature.text),
            &signature.text.to_lowercase(),
        ] {
            let forged = Signature { text: text.to_owned(), ..signature.clone() };
            assert!(!secrets.have_signed("/thumbnails/x", &forged), "{text}");
        }
        assert_eq!(signature.query(), format!("?expires=1800000000&signature={}", signature.text));
    }

    /// By `printf 'thumbs-link-1\n/thumbnails/x\n1800000000' | openssl dgst -sha256 -hmac 0123... -binary | basenc --base64url`.
    #[test]
    fn others_can_sign_as_well() {
        let signature = LinkSecrets::parse(FIRST).unwrap().sign("/thumbnails/x", 1_800_000_000).unwrap();
        assert_eq!(signature.text, "o_G_9FG5Vw2ix9iu4R_Bes0v30aoqOKqy_Pz1JxCojE");
    }

    #[test]
    fn a_secret_is_followed_by_another() {
        let old = LinkSecrets::parse(FIRST).unwrap().sign("/x", 1).unwrap();
        let both = LinkSecrets::parse(&format!("{SECOND}\n{FIRST}")).unwrap();
        assert!(both.have_signed("/x", &old));
        assert_eq!(both.sign("/x", 1), LinkSecrets::parse(SECOND).unwrap().sign("/x", 1));
        assert!(!LinkSecrets::parse(SECOND).unwrap().have_signed("/x", &old));
    }

    #[test]
    fn a_short_secret_is_none() {
        assert_eq!(LinkSecrets::parse("").unwrap().sign("/x", 1), None);
        for bad in [" ", "hunter2", &FIRST[1..], &format!("{FIRST} hunter2"), &"é".repeat(32)] {
            assert_eq!(LinkSecrets::parse(bad), Err(NotSecrets), "{bad:?}");
        }
        assert_eq!(format!("{:?}", LinkSecrets::parse(FIRST).unwrap()), "LinkSecrets(1)");
    }
}
