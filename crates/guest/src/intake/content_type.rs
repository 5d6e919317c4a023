//! What a body is by its Content-Type. A client that means a form and misspells it is told so, instead of that its form is no
//! image.

use http::header::CONTENT_TYPE;
use mime::Mime;

use super::malformed;
use crate::http::{Failed, Request};

/// The longest boundary (RFC 2046, section 5.1.1). Where the beginning of one ends a piece, so much is held and looked at again with the next.
const MAX_BOUNDARY_CHARS: usize = 70;

/// What a body is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BodyKind {
    /// The image alone.
    Image,
    /// `multipart/form-data`.
    Form {
        /// What stands between its parts.
        boundary: String,
    },
}

impl BodyKind {
    /// # Errors
    /// [`Failed::Problem`] for a multipart type that can't be read, or is no form.
    pub(super) fn of(request: &Request) -> Result<Self, Failed> {
        let content_type = request.header(CONTENT_TYPE).unwrap_or_default();
        let family = content_type.split('/').next().unwrap_or_default();
        if !family.trim().eq_ignore_ascii_case("multipart") {
            return Ok(Self::Image);
        }
        let content_type: Mime = content_type.parse().map_err(|_| {
            malformed(
                "The Content-Type of the form can't be read. Put its boundary in quotes, or let the HTTP client set it.",
            )
        })?;
        if content_type.subtype() != mime::FORM_DATA {
            return Err(malformed(
                "The body is multipart, but no form. Send multipart/form-data, or the image alone.",
            ));
        }
        let boundary = content_type.get_param(mime::BOUNDARY).ok_or_else(|| {
            malformed("The form has no boundary. Let the HTTP client set the Content-Type of the form.")
        })?;
        if !(1..=MAX_BOUNDARY_CHARS).contains(&boundary.as_str().len()) {
            return Err(malformed(
                "The boundary of the form has not 1 to 70 characters. Let the HTTP client set the Content-Type of the form.",
            ));
        }
        Ok(Self::Form { boundary: boundary.as_str().to_owned() })
    }
}
