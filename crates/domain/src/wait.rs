//! How long a client would wait for a job to be done: the parameter `wait`, or the preference of that name in the header `Prefer`
//! (RFC 7240, section 4.3). Both are whole seconds.

/// The longest that a request is held, whatever it asks for.
pub const MAX_WAIT_SECS: u64 = 30;

/// Digits are seconds, [`MAX_WAIT_SECS`] at most; what is longer than any number too. None where it is something else.
pub fn seconds(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(MAX_WAIT_SECS).min(MAX_WAIT_SECS))
}

/// The `wait` of a header `Prefer`. A preference that makes no sense is passed over, and of several the first counts (RFC 7240,
/// section 2).
pub fn preferred_seconds(prefer: &str) -> Option<u64> {
    let mut preferences = prefer.split(',').filter_map(|preference| {
        // What follows a semicolon are parameters, of which `wait` has none.
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        name.trim().eq_ignore_ascii_case("wait").then_some(value.trim())
    });
    let value = preferences.next()?;
    seconds(value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_seconds_are_taken_up_to_the_bound() {
        for (text, expected) in [
            ("0", Some(0)),
            ("1", Some(1)),
            ("030", Some(30)),
            ("31", Some(30)),
            ("99999999999999999999999", Some(30)),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            (" 1", None),
            ("x", None),
        ] {
            assert_eq!(seconds(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_preference_to_wait_is_found_among_others() {
        for (prefer, expected) in [
            ("wait=10", Some(10)),
            ("respond-async, wait=10", Some(10)),
            ("return=minimal;foo=\"some parameter\",Wait = \"7\"", Some(7)),
            ("wait=10; why", Some(10)),
            ("wait=10, wait=20", Some(10)),
            ("wait=600", Some(30)),
            ("", None),
            ("wait", None),
            ("wait=", None),
            ("wait=soon", None),
            ("awaits=5", None),
        ] {
            assert_eq!(preferred_seconds(prefer), expected, "{prefer:?}");
        }
    }
}
