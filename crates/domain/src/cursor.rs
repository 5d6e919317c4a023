//! Where a list of jobs goes on: opaque to clients, so that what it holds may change.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;
use uuid::Uuid;

use crate::id::JobId;

/// The last job of a page; the next page begins with the one before it in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(pub JobId);

/// The text is not a cursor that was given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a cursor")]
pub struct NotACursor;

/// Stands before the id, so that another kind of cursor can be told apart one day.
const VERSION: u8 = 1;

impl Cursor {
    /// # Errors
    /// [`NotACursor`] for anything that [`Cursor`] does not write.
    pub fn parse(text: &str) -> Result<Self, NotACursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotACursor)?;
        let (version, id) = bytes.split_first().ok_or(NotACursor)?;
        let uuid = Uuid::from_slice(id).map_err(|_| NotACursor)?;
        if *version != VERSION {
            return Err(NotACursor);
        }
        JobId::from_uuid(uuid).map(Self).map_err(|_| NotACursor)
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(self.0.as_bytes());
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let cursor = Cursor(JobId::parse("01932c07-20a4-7b3c-8d4e-5f6071829304").unwrap());
        let text = cursor.to_string();
        assert_eq!(Cursor::parse(&text), Ok(cursor));
        assert!(
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')),
            "{text}"
        );
    }

    #[test]
    fn refuses_other_texts() {
        let good = Cursor(JobId::parse("01932c07-20a4-7b3c-8d4e-5f6071829304").unwrap()).to_string();
        let wrong_version = URL_SAFE_NO_PAD.encode([2; 17]);
        let not_a_v7 = URL_SAFE_NO_PAD.encode([1; 17]);
        for text in
            ["", "1", "AQ", "01932c07-20a4-7b3c-8d4e-5f6071829304", &good[1..], &wrong_version, &not_a_v7]
        {
            assert_eq!(Cursor::parse(text), Err(NotACursor), "{text}");
        }
    }
}
