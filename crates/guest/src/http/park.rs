//! Waiting without an instance, where the host offers it (our runtime, for a component that asks for it in spin.toml).
//!
//! The offer is in the environment, where no client can put it. A guest that takes it answers at once, and says in a header of the
//! response for how long and for which message the host is to keep the request; a fresh instance gets it then. No client sees the header.
//! On Spin there is no offer, and a guest waits by itself.

use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::Response;
use super::response::Failed;

/// The variable of the environment that makes the offer: how many milliseconds the request has been kept so far.
const PARKED_MS: &str = "PARKED_MS";
/// The variable in which an instance finds what the one before left for it, whose work it goes on with.
const PARKED_NOTE: &str = "PARKED_NOTE";
/// The variable that offers it for a request that nobody can be asked once more as it was.
const PARK_BY_NOTE: &str = "PARK_BY_NOTE";
const PARK: HeaderName = HeaderName::from_static("thumbs-park");
const PARK_NOTE: HeaderName = HeaderName::from_static("thumbs-park-note");

/// What the host offers for one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// How long the host has kept the request; none where it can't, or only by a note, of which there is none yet.
    pub age: Option<Duration>,
    /// What the instance before left for this one.
    pub note: Option<String>,
    /// The host can keep the request by a note of what was done ([`hand_over`]), and no other way: it has a body, or its method does something.
    pub by_note: bool,
}

impl Offer {
    /// By the environment.
    pub fn of_host() -> Self {
        Self::read(|name| std::env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        // More than fits is for ever: the host has no more time to give.
        let age = variable(PARKED_MS).map(|text| Duration::from_millis(text.parse().unwrap_or(u64::MAX)));
        Self { age, note: variable(PARKED_NOTE), by_note: variable(PARK_BY_NOTE).is_some() }
    }

    /// Whether another instance had this request before.
    pub fn is_kept(&self) -> bool {
        self.age.is_some_and(|age| !age.is_zero())
    }
}

/// Has the host keep the request until a message with this key comes, for so long at most, instead of sending this response.
///
/// # Errors
/// [`Failed::Internal`] where the key can't stand in a header.
pub fn ask_again(response: &mut Response, key: &str, within: Duration) -> Result<(), Failed> {
    let value = HeaderValue::from_str(&format!("{} {key}", within.as_millis()));
    response.headers_mut().insert(PARK, value.map_err(|error| Failed::Internal(error.to_string()))?);
    Ok(())
}

/// Has the host send this response now and keep it open: the body of what a fresh instance answers, asked likewise, follows in it. That one finds the
/// note, of at most 1,024 bytes, in its environment. An answer with another status, or that does not ask for more, is the end.
///
/// # Errors
/// As [`ask_again`], and where the note can't stand in a header.
pub fn go_on(response: &mut Response, key: &str, within: Duration, note: &str) -> Result<(), Failed> {
    with_note(response, key, within, note)
}

/// As [`ask_again`], for a request that can be kept by a note alone ([`Offer::by_note`], or that was handed over already): the fresh instance finds
/// the note, of at most 1,024 bytes, and no body.
///
/// # Errors
/// As [`go_on`].
pub fn hand_over(response: &mut Response, key: &str, within: Duration, note: &str) -> Result<(), Failed> {
    with_note(response, key, within, note)
}

fn with_note(response: &mut Response, key: &str, within: Duration, note: &str) -> Result<(), Failed> {
    ask_again(response, key, within)?;
    let value = HeaderValue::from_str(note).map_err(|error| Failed::Internal(error.to_string()))?;
    response.headers_mut().insert(PARK_NOTE, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offer_says_how_long_the_request_has_been_kept_and_by_what() {
        let offer = |name: &'static str, value: &str| {
            let value = value.to_owned();
            Offer::read(move |asked| Some(value.clone()).filter(|_| asked == name))
        };
        assert_eq!(Offer::read(|_| None), Offer::default());
        assert_eq!(offer(PARKED_MS, "1500").age, Some(Duration::from_millis(1500)));
        let beyond = u128::MAX.to_string();
        for much in [beyond.as_str(), "what is this"] {
            assert_eq!(offer(PARKED_MS, much).age, Some(Duration::from_millis(u64::MAX)), "{much}");
        }
        assert!(offer(PARKED_MS, "1").is_kept() && !offer(PARKED_MS, "0").is_kept());
        assert_eq!(offer(PARKED_NOTE, "n").note.as_deref(), Some("n"));
        assert!(offer(PARK_BY_NOTE, "1").by_note);
    }
}
