//! Forms, whatever they say: read in pieces of any size they give the same, and one that was written is read back.

#![no_main]

use futures::executor::block_on;
use thumbs_domain::batch::BatchBounds;
use thumbs_domain::limits::UploadLimits;
use thumbs_guest::config;
use thumbs_guest::http::Failed;
use thumbs_guest::intake::{BatchForm, Sink, receive};
use thumbs_guest::testing::FixedVariables;
use thumbs_guests_fuzz::message::Message;

/// No image in an input is longer, so that a bound which pieces come to sooner or later is never met.
const MAX_BYTES: usize = 32 << 10;

libfuzzer_sys::fuzz_target!(|input: &[u8]| -> libfuzzer_sys::Corpus {
    if input.len() > MAX_BYTES {
        return libfuzzer_sys::Corpus::Reject;
    }
    let Some(message) = Message::read(input) else { return libfuzzer_sys::Corpus::Reject };
    let limits = limits();
    let whole = one(&message, usize::MAX, &limits);
    assert_eq!(one(&message, message.piece, &limits), whole, "in pieces of {}", message.piece);
    let all = several(&message, usize::MAX, &limits);
    assert_eq!(several(&message, message.piece, &limits), all, "in pieces of {}", message.piece);
    written(&message, &limits);
    libfuzzer_sys::Corpus::Keep
});

fn limits() -> UploadLimits {
    config::limits(&FixedVariables::with(&[("max_upload_bytes", "40000")])).expect("limits")
}

/// The options and the image of a request for one job, or how it is refused.
fn one(message: &Message<'_>, piece: usize, limits: &UploadLimits) -> Result<(String, Vec<u8>), String> {
    let bytes = message.headers.iter().map(|(_, value)| value.len()).sum::<usize>() + message.body.len();
    let read = || {
        let mut image = Image::default();
        let read = block_on(receive(&message.request(), message.body(piece), limits, &mut image));
        let draft = read.map_err(told)?;
        Ok((format!("{:?} {:?}", draft.callback().cloned(), draft.finish(1)), image.0))
    };
    let held = (64 << 10) + 16 * message.body.len();
    let ((read, asked_for), _) = thumbs_fuzz_memory::within(held, || thumbs_fuzz_memory::asked_for(read));
    // Nothing is copied again and again, though each byte may come alone, in a buffer of its own.
    assert!(asked_for <= (64 << 10) + 512 * bytes, "{asked_for} bytes were asked for to read {bytes}");
    read
}

/// All that a batch has: of each image the number, the name, why it is refused, options and bytes; at last how it ends.
fn several(message: &Message<'_>, piece: usize, limits: &UploadLimits) -> Vec<String> {
    let bounds = BatchBounds { max_parts: 8, max_bytes: 100_000 };
    let mut seen = Vec::new();
    let mut form = match BatchForm::of(&message.request(), message.body(piece), limits, bounds) {
        Ok(form) => form,
        Err(failed) => return vec![told(failed)],
    };
    loop {
        match block_on(form.next_image()) {
            Ok(None) => return seen,
            Err(failed) => {
                assert!(form.is_broken());
                seen.push(told(failed));
                return seen;
            }
            Ok(Some(part)) => {
                seen.push(format!("{part:?}"));
                assert!(part.number <= bounds.max_parts);
                // One that is refused, and each third, is passed over.
                if part.refused.is_some() || part.number % 3 == 0 {
                    continue;
                }
                let mut image = Image::default();
                let read = block_on(form.read(&mut image)).map(|draft| format!("{:?}", draft.finish(1)));
                seen.push(format!("{:?} {:?}", read.map_err(told), image.0));
                if form.is_broken() {
                    return seen;
                }
            }
        }
    }
}

/// The body as an image in a form of ours, behind an option, comes out as it went in.
fn written(message: &Message<'_>, limits: &UploadLimits) {
    const BOUNDARY: &str = "-- a'b";
    let (image, delimiter) = (message.body, format!("\r\n--{BOUNDARY}"));
    let holds_it = image.windows(delimiter.len()).any(|window| window == delimiter.as_bytes());
    if image.is_empty() || holds_it {
        return;
    }
    let part =
        |name: &str| format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
    let head = format!("{}320\r\n{}", part("width"), part("image"));
    let form = [head.as_bytes(), image, delimiter.as_bytes(), b"--\r\n"].concat();
    let mut headers = http::HeaderMap::new();
    let kind = format!("multipart/form-data; boundary=\"{BOUNDARY}\"");
    headers.insert("content-type", kind.parse().expect("a header"));
    let form = Message { target: "/jobs", headers, body: &form, ..message.clone() };
    let (options, read) = one(&form, message.piece, limits).expect("a form");
    assert!(options.contains("width: 320") && read == image);
}

#[derive(Default)]
struct Image(Vec<u8>);

impl Sink for Image {
    fn take(&mut self, piece: &[u8]) -> Result<(), Failed> {
        assert!(!piece.is_empty(), "a piece has bytes");
        self.0.extend_from_slice(piece);
        Ok(())
    }
}

fn told(failed: Failed) -> String {
    match failed {
        Failed::Problem(problem) => format!("{:?}: {}", problem.kind, problem.detail),
        other => panic!("not the client's fault: {other}"),
    }
}
