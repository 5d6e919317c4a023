//! The key itself, which only its holder has.

use sha2::{Digest as _, Sha256};

/// What every key begins with, so that people and scanners know one when they see it.
pub(crate) const PREFIX: &str = "thumbs_";

/// Digits of 192 random bits.
const RANDOM_DIGITS: usize = 33;
/// Digits of a CRC-32.
const CHECK_DIGITS: usize = 6;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// An API key: `thumbs_`, 33 digits in base 62 that hold 192 random bits, and 6 that hold their CRC-32 (of IEEE 802.3), by which a
/// scanner tells a key from what only looks like one, and the service a misspelt key from an unknown one.
///
/// Nobody guesses 192 bits, so the operator's list holds the plain SHA-256 of a key: a slow hash with salt is for what people think up.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// Made of random bytes, which must be of the kind that is for secrets.
    pub fn from_random(bytes: [u8; 24]) -> Self {
        let random = base62(&mut bytes.to_vec(), RANDOM_DIGITS);
        let check = check_digits(&random);
        Self(format!("{PREFIX}{random}{check}"))
    }

    /// Returns none where the text has not the form of a key, which shows nothing of any key.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        let well_formed =
            rest.len() == RANDOM_DIGITS + CHECK_DIGITS && rest.bytes().all(|byte| DIGITS.contains(&byte));
        let (random, check) = rest.split_at_checked(RANDOM_DIGITS).filter(|_| well_formed)?;
        (check == check_digits(random)).then(|| Self(text.to_owned()))
    }

    /// What the operator's list has of it.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// The key, for who is given it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

fn check_digits(random: &str) -> String {
    base62(&mut crc32(random.as_bytes()).to_be_bytes().to_vec(), CHECK_DIGITS)
}

/// The number that these bytes are, most significant first, in so many digits. Uses up the bytes.
fn base62(number: &mut [u8], digits: usize) -> String {
    let mut text: Vec<u8> = (0..digits)
        .map(|_| {
            let rest = number.iter_mut().fold(0_u32, |rest, byte| {
                let part = rest << 8 | u32::from(*byte);
                *byte = (part / 62) as u8;
                part % 62
            });
            DIGITS.get(rest as usize).copied().unwrap_or_default()
        })
        .collect();
    text.reverse();
    text.into_iter().map(char::from).collect()
}

fn crc32(bytes: &[u8]) -> u32 {
    let shifted = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| shifted(crc)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_is_the_crc_32_that_everybody_has() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_key_is_of_one_length_and_is_read_again() {
        for bytes in [[0; 24], [255; 24], *b"24 bytes of randomness!!"] {
            let key = Key::from_random(bytes);
            assert_eq!(key.expose().len(), 46);
            assert_eq!(Key::parse(key.expose()), Some(key));
        }
        assert!(Key::from_random([0; 24]).expose().starts_with("thumbs_000000000000000000000000000000000"));
        assert_ne!(Key::from_random([0; 24]).digest(), Key::from_random([1; 24]).digest());
    }

    #[test]
    fn one_character_off_is_no_key() {
        let good = Key::from_random(*b"24 bytes of randomness!!").expose().to_owned();
        for at in 0..good.len() {
            let mut off = good.clone().into_bytes();
            off[at] = if off[at] == b'a' { b'b' } else { b'a' };
            assert_eq!(Key::parse(&String::from_utf8(off).unwrap()), None, "{at}");
        }
        let (short, long) = (&good[..45], format!("{good}0"));
        for bad in ["", "thumbs_", "hunter2", short, &long, &format!(" {good}"), &good.replace("thumbs_", "")]
        {
            assert_eq!(Key::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_key_is_not_printed_by_accident() {
        assert_eq!(format!("{:?}", Key::from_random([7; 24])), "Key(..)");
    }
}
