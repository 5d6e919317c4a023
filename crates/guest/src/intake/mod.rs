//! From a request's body to what a job is made of: one image, and options in the form, the query or both.
//!
//! Nothing is stored here and no image is looked into. Names and types that the client gives its file are not believed.

mod content_type;
mod disposition;
mod form;
mod paced;

use http::header::CONTENT_LENGTH;
use thumbs_domain::limits::UploadLimits;
use thumbs_domain::options::{Draft, OptionError};
use thumbs_domain::problem::ProblemKind;

use crate::http::{Body, BodyError, Failed, Request, body};
use content_type::BodyKind;
pub(crate) use form::FORM_OVERHEAD_BYTES;

/// An upload, read.
pub struct Received {
    /// As sent; never empty.
    pub image: Vec<u8>,
    /// The options that were given.
    pub options: Draft,
}

/// Reads the query and the body: a form (RFC 7578), or where it is none, the image itself. Nothing is held beyond the bounds:
/// reading stops there.
///
/// # Errors
/// [`Failed::Problem`] for whatever the client did wrong.
pub async fn receive(request: &Request, body: Body, limits: &UploadLimits) -> Result<Received, Failed> {
    let mut options = Draft::new(limits.image.max_output_side);
    for (name, value) in request.query_pairs() {
        options.set(&name, &value).map_err(wrong_option)?;
    }
    let announced_bytes = request.header(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    let max_bytes = limits.max_upload_bytes;
    let image = match BodyKind::of(request)? {
        BodyKind::Form { boundary } => {
            form::receive(body, boundary, max_bytes, announced_bytes, &mut options).await?
        }
        BodyKind::Image => body::read_all(body, max_bytes, announced_bytes).await.map_err(unreadable)?,
    };
    if image.is_empty() {
        return Err(malformed("The image is empty. Send the bytes of an image file."));
    }
    Ok(Received { image, options })
}

fn malformed(detail: impl Into<std::borrow::Cow<'static, str>>) -> Failed {
    Failed::problem(ProblemKind::MalformedRequest, detail)
}

fn wrong_option(error: OptionError) -> Failed {
    Failed::problem(ProblemKind::InvalidOption, error.to_string())
}

fn too_large() -> Failed {
    Failed::problem(ProblemKind::UploadTooLarge, "The image has too many bytes. Send a smaller file.")
}

fn broken_off() -> Failed {
    malformed("The body broke off before its end. Send it again.")
}

fn unreadable(error: BodyError) -> Failed {
    match error {
        BodyError::TooLarge { .. } => too_large(),
        BodyError::Broken(_) => broken_off(),
    }
}
