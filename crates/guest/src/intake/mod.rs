//! From a request's body to what a job is made of: one image, handed on as it comes, and options in the form, the query or both.
//!
//! Nothing is stored here and no image is looked into. Names and types that the client gives its file are not believed.

mod batch;
mod content_type;
mod disposition;
mod form;
mod multipart;

use futures::StreamExt;
use http::header::CONTENT_LENGTH;
use thumbs_domain::limits::UploadLimits;
use thumbs_domain::options::{Draft, OptionError};
use thumbs_domain::problem::ProblemKind;

use crate::http::{Body, BodyError, Failed, Request};
use crate::wait;
pub use batch::{BatchForm, ImagePart};
use content_type::BodyKind;
pub(crate) use form::FORM_OVERHEAD_BYTES;

/// Names the job whose image is meant, in the query of a request that brings none.
pub const SOURCE_PARAMETER: &str = "source";

/// Takes the bytes of an image as they come.
pub trait Sink {
    /// The next bytes, at least one.
    ///
    /// # Errors
    /// Why no more are to come: the request is answered with it.
    fn take(&mut self, piece: &[u8]) -> Result<(), Failed>;
}

/// Reads the query and the body: a form (RFC 7578), or where it is none, the image itself, of which each piece goes to `image` as it
/// comes. The options that were given are returned. Nothing is held but a piece, and reading stops at the bounds.
///
/// # Errors
/// [`Failed::Problem`] for whatever the client did wrong, and what `image` says.
pub async fn receive(
    request: &Request,
    body: Body,
    limits: &UploadLimits,
    image: &mut dyn Sink,
) -> Result<Draft, Failed> {
    let mut options = in_query(request, limits, &[wait::PARAMETER])?;
    let announced_bytes = request.header(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    let mut image = Bounded { image, bytes: 0, max_bytes: limits.max_upload_bytes };
    match BodyKind::of(request)? {
        BodyKind::Form { boundary } => {
            form::receive(body, &boundary, announced_bytes, &mut image, &mut options).await?;
        }
        BodyKind::Image => alone(body, announced_bytes, &mut image).await?,
    }
    if image.bytes == 0 {
        return Err(malformed("The image is empty. Send the bytes of an image file."));
    }
    Ok(options)
}

/// The options of a request that brings no image, for that of a job is meant.
///
/// # Errors
/// [`Failed::Problem`] where an option is wrong, or there is a body all the same.
pub async fn receive_nothing(
    request: &Request,
    mut body: Body,
    limits: &UploadLimits,
) -> Result<Draft, Failed> {
    let options = in_query(request, limits, &[wait::PARAMETER, SOURCE_PARAMETER])?;
    while let Some(piece) = body.next().await {
        if !piece.map_err(|BodyError::Broken(_)| broken_off())?.is_empty() {
            return Err(malformed(
                "With \"source\" the image is that of a job, and options stand in the query. Send no body.",
            ));
        }
    }
    Ok(options)
}

/// The options in the query. What the request is about beside them, as how long the client waits for the job, is no option of it.
fn in_query(request: &Request, limits: &UploadLimits, others: &[&str]) -> Result<Draft, Failed> {
    let mut options = Draft::new(limits.image.max_output_side).with_max_variants(limits.max_variants);
    for (name, value) in
        request.query_pairs().into_iter().filter(|(name, _)| !others.contains(&name.as_ref()))
    {
        options.set(&name, &value).map_err(wrong_option)?;
    }
    Ok(options)
}

/// A body that is the image.
async fn alone(mut body: Body, announced_bytes: Option<u64>, image: &mut Bounded<'_>) -> Result<(), Failed> {
    if announced_bytes.is_some_and(|announced| announced > image.max_bytes) {
        return Err(too_large());
    }
    while let Some(piece) = body.next().await {
        image.take(&piece.map_err(|BodyError::Broken(_)| broken_off())?)?;
    }
    Ok(())
}

/// An image of which no more is taken than a bound.
struct Bounded<'a> {
    image: &'a mut dyn Sink,
    bytes: u64,
    max_bytes: u64,
}

impl Bounded<'_> {
    fn take(&mut self, piece: &[u8]) -> Result<(), Failed> {
        self.bytes = self.bytes.saturating_add(piece.len() as u64);
        if self.bytes > self.max_bytes {
            return Err(too_large());
        }
        if piece.is_empty() { Ok(()) } else { self.image.take(piece) }
    }
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
