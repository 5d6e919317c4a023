//! The name of some bytes: their SHA-256. It is computed elsewhere (guest); here it is read and written.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A SHA-256 (FIPS 180-4), 64 lower-case hexadecimal digits as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// The text is not 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a SHA-256 in lower-case hexadecimal")]
pub struct NotADigest;

impl Digest {
    /// From the 32 bytes that the hash function gives.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// # Errors
    /// [`NotADigest`] unless the text is 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, NotADigest> {
        let mut bytes = [0; 32];
        match base16ct::lower::decode(text, &mut bytes) {
            Ok(decoded) if decoded.len() == 32 => Ok(Self(bytes)),
            _ => Err(NotADigest),
        }
    }

    /// The first 8 bytes as 16 hexadecimal digits: enough to tell the results of one job apart.
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(16);
        text
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:x}", base16ct::HexDisplay(&self.0))
    }
}

impl TryFrom<String> for Digest {
    type Error = NotADigest;

    fn try_from(text: String) -> Result<Self, NotADigest> {
        Self::parse(&text)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn reads_what_it_writes() {
        let digest = Digest::parse(EMPTY).unwrap();
        assert_eq!(digest.to_string(), EMPTY);
        assert_eq!(digest.short(), "e3b0c44298fc1c14");
    }

    #[test]
    fn refuses_other_texts() {
        let upper = EMPTY.to_uppercase();
        let long = format!("{EMPTY}00");
        for text in
            ["", "e3", &EMPTY[1..], &upper, &long, &EMPTY.replace('e', "g"), &EMPTY.replace("e3", "é")]
        {
            assert_eq!(Digest::parse(text), Err(NotADigest), "{text}");
        }
    }
}
