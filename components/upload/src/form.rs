//! What an upload brings: one image, and options in the form, the query or both.
//!
//! The image is the part `image` of a multipart form (RFC 7578), or the whole body where it is no such form. Names and types
//! that the client gives it are not looked at. Nothing is held beyond the bound: reading stops there.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use multer::{Constraints, Field, Multipart, SizeLimit};
use send_wrapper::SendWrapper;
use thumbs_domain::limits::Limits;
use thumbs_domain::options::{Draft, OptionError};
use thumbs_domain::problem::ProblemKind;
use thumbs_guest::http::{Body, BodyError, Failed, Request, body};

use crate::paced::Paced;

const IMAGE_FIELD: &str = "image";

/// What may surround the image in a form: headers of parts, boundaries, options.
const FORM_OVERHEAD_BYTES: u64 = 64 * 1024;

/// An upload, read.
pub(crate) struct Received {
    /// As sent; never empty.
    pub(crate) image: Vec<u8>,
    /// The options that were given.
    pub(crate) options: Draft,
}

/// Reads the query and the body.
///
/// # Errors
/// [`Failed::Problem`] for whatever the client did wrong.
pub(crate) async fn receive(request: &Request, body: Body, limits: &Limits) -> Result<Received, Failed> {
    let mut options = Draft::new(limits.max_output_side);
    for (name, value) in request.query_pairs() {
        options.set(&name, &value).map_err(wrong_option)?;
    }
    let announced_bytes = request.header(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    let image = match multer::parse_boundary(request.header(CONTENT_TYPE).unwrap_or_default()) {
        Ok(boundary) => {
            if announced_bytes.is_some_and(|announced| announced > max_form_bytes(limits)) {
                return Err(too_large());
            }
            let (body, pace) = Paced::new(body);
            pace.run(from_form(body, boundary, limits, announced_bytes, &mut options)).await?
        }
        Err(multer::Error::NoBoundary) => {
            return Err(malformed(
                "The form has no boundary. Let the HTTP client set the Content-Type of the form.",
            ));
        }
        Err(_) => body::read_all(body, limits.max_upload_bytes, announced_bytes).await.map_err(unreadable)?,
    };
    if image.is_empty() {
        return Err(malformed("The image is empty. Send the bytes of an image file."));
    }
    Ok(Received { image, options })
}

fn max_form_bytes(limits: &Limits) -> u64 {
    limits.max_upload_bytes.saturating_add(FORM_OVERHEAD_BYTES)
}

async fn from_form(
    body: Paced,
    boundary: String,
    limits: &Limits,
    announced_bytes: Option<u64>,
    options: &mut Draft,
) -> Result<Vec<u8>, Failed> {
    let sizes = SizeLimit::new()
        .whole_stream(max_form_bytes(limits))
        .per_field(Draft::MAX_VALUE_BYTES as u64)
        .for_field(IMAGE_FIELD, limits.max_upload_bytes);
    // The reader asks for a stream that may change threads. An instance has one thread, and never gives the stream away.
    let mut form =
        Multipart::with_constraints(SendWrapper::new(body), boundary, Constraints::new().size_limit(sizes));
    let mut image = None;
    while let Some(field) = form.next_field().await.map_err(broken_form)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == IMAGE_FIELD {
            if image.is_some() {
                return Err(malformed(
                    "The form has more than one part \"image\". Send one image per request.",
                ));
            }
            image = Some(image_bytes(field, announced_bytes).await?);
        } else {
            let value = field.text().await.map_err(broken_form)?;
            options.set(&name, &value).map_err(wrong_option)?;
        }
    }
    image.ok_or_else(|| malformed("The form has no part \"image\". Send the image under this name."))
}

/// `announced_bytes` is the length of the whole form, checked before: the image is nearly all of it.
async fn image_bytes(mut field: Field<'_>, announced_bytes: Option<u64>) -> Result<Vec<u8>, Failed> {
    let announced_len = announced_bytes.and_then(|announced| usize::try_from(announced).ok()).unwrap_or(0);
    let mut image = Vec::with_capacity(announced_len);
    while let Some(piece) = field.chunk().await.map_err(broken_form)? {
        image.extend_from_slice(&piece);
    }
    Ok(image)
}

fn malformed(detail: &'static str) -> Failed {
    Failed::problem(ProblemKind::MalformedRequest, detail)
}

fn wrong_option(error: OptionError) -> Failed {
    Failed::problem(ProblemKind::InvalidOption, error.to_string())
}

fn too_large() -> Failed {
    Failed::problem(ProblemKind::UploadTooLarge, "The image has too many bytes. Send a smaller file.")
}

fn unreadable(error: BodyError) -> Failed {
    match error {
        BodyError::TooLarge { .. } => too_large(),
        BodyError::Broken(_) => malformed("The body broke off before its end. Send it again."),
    }
}

fn broken_form(error: multer::Error) -> Failed {
    match error {
        multer::Error::FieldSizeExceeded { field_name, .. } if field_name.as_deref() != Some(IMAGE_FIELD) => {
            Failed::problem(
                ProblemKind::InvalidOption,
                "An option is longer than any that the service knows.",
            )
        }
        multer::Error::FieldSizeExceeded { .. } | multer::Error::StreamSizeExceeded { .. } => too_large(),
        multer::Error::StreamReadFailed(_) => malformed("The body broke off before its end. Send it again."),
        _ => malformed("The form can't be read. Send multipart/form-data as RFC 7578 has it."),
    }
}
