//! Options by any query, and variants by any JSON: what comes out is within its bounds, is the same read back from JSON as rows hold it, and
//! given once more in its canonical form it is the same.

#![no_main]

use serde_json::Value;
use thumbs_domain::options::{Draft, Options, TABLE, VARIANTS};
use thumbs_guest::http::Request;
use thumbs_guest::testing::request;

const MAX_OUTPUT_SIDE: u32 = 2048;

libfuzzer_sys::fuzz_target!(|input: &[u8]| -> libfuzzer_sys::Corpus {
    let Ok(text) = str::from_utf8(input) else { return libfuzzer_sys::Corpus::Reject };
    // A query as a host lets it through; or if it is none, a list of variants.
    let target = format!("/jobs?{text}");
    let is_query = target.parse::<http::uri::PathAndQuery>().is_ok();
    let mut draft = Draft::new(MAX_OUTPUT_SIDE);
    let given = if is_query {
        let request: Request = request("POST", &target, &[]);
        request.query_pairs().iter().try_for_each(|(name, value)| draft.set(name, value))
    } else {
        draft.set(VARIANTS.name, text)
    };
    if let Err(error) = given {
        assert!(error.to_string().len() < 1_024, "{error}");
        return libfuzzer_sys::Corpus::Keep;
    }
    for frames in [1, 2] {
        let options = draft.clone().finish(frames);
        check(&options);
        assert!(options.variants.len() <= 8);
        let json = serde_json::to_string(&options).expect("JSON");
        assert_eq!(serde_json::from_str::<Options>(&json).expect("options"), options);
        for (_, output) in options.outputs() {
            check(output);
            assert_eq!(canonical(output, frames), Options { variants: Vec::new(), ..output.clone() });
        }
    }
    libfuzzer_sys::Corpus::Keep
});

fn check(options: &Options) {
    for side in [options.width, options.height] {
        assert!((1..=MAX_OUTPUT_SIDE).contains(&side));
    }
    assert!(options.quality.is_none_or(|quality| (1..=100).contains(&quality)));
    assert!(options.max_bytes.is_none_or(|bytes| bytes >= 1));
}

/// Each option given by name and value, as the job shows them.
fn canonical(options: &Options, frames: u32) -> Options {
    let json = serde_json::to_value(options).expect("JSON");
    let mut draft = Draft::new(MAX_OUTPUT_SIDE);
    for row in TABLE {
        let text = match &json[row.name] {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        draft.set(row.name, &text).expect("a value that was shown is one that is taken");
    }
    draft.finish(frames)
}
