//! What a body is by its Content-Type. A client that means a form and misspells it is told so, instead of that its form is no
//! image.

use http::header::CONTENT_TYPE;
use multer::Error;

use super::malformed;
use crate::http::{Failed, Request};

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
        let cause = match multer::parse_boundary(content_type) {
            Ok(boundary) => return Ok(Self::Form { boundary }),
            Err(cause) => cause,
        };
        let family = content_type.split('/').next().unwrap_or_default();
        if !family.trim().eq_ignore_ascii_case("multipart") {
            return Ok(Self::Image);
        }
        Err(malformed(match cause {
            Error::NoBoundary => {
                "The form has no boundary. Let the HTTP client set the Content-Type of the form."
            }
            Error::NoMultipart => {
                "The body is multipart, but no form. Send multipart/form-data, or the image alone."
            }
            _ => {
                "The Content-Type of the form can't be read. Put its boundary in quotes, or let the HTTP client set it."
            }
        }))
    }
}
