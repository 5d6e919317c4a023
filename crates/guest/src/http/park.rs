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
pub const PARKED_MS: &str = "PARKED_MS";
/// The variable in which an instance finds what the one before left for it, whose answer it goes on with.
pub const PARKED_NOTE: &str = "PARKED_NOTE";
const PARK: HeaderName = HeaderName::from_static("thumbs-park");
const PARK_NOTE: HeaderName = HeaderName::from_static("thumbs-park-note");

/// How long the host has kept this request, by the value of [`PARKED_MS`]; none where it can't keep it.
pub fn parked(parked_ms: Option<&str>) -> Option<Duration> {
    // More than fits is for ever: the host has no more time to give.
    parked_ms.map(|text| Duration::from_millis(text.parse().unwrap_or(u64::MAX)))
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
    ask_again(response, key, within)?;
    let value = HeaderValue::from_str(note).map_err(|error| Failed::Internal(error.to_string()))?;
    response.headers_mut().insert(PARK_NOTE, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offer_says_how_long_the_request_has_been_kept() {
        assert_eq!(parked(None), None);
        assert_eq!(parked(Some("1500")), Some(Duration::from_millis(1500)));
        let beyond = u128::MAX.to_string();
        for much in [beyond.as_str(), "what is this"] {
            assert_eq!(parked(Some(much)), Some(Duration::from_millis(u64::MAX)), "{much}");
        }
    }
}
