//! A thumbnail as an answer, with the headers that keep a browser from taking it for anything else.

use std::cmp::Ordering;

use http::HeaderValue;
use http::header::{
    ACCEPT, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
};
use thumbs_domain::accept;
use thumbs_domain::event::Event;
use thumbs_domain::id::JobId;
use thumbs_domain::job::{Job, Status, Thumbnail};
use thumbs_domain::object_key::ObjectKey;
use thumbs_domain::problem::ProblemKind;

use super::{Failed, Request, Response};
use crate::blobs::{BlobError, Blobs};
use crate::log::Log;

/// An image needs nothing, so nothing is what it may load, run or frame.
const NOTHING_ALLOWED: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");

/// What the job made.
///
/// # Errors
/// [`Failed::Problem`] where it made nothing, or nothing yet.
pub fn made(job: &Job) -> Result<&Thumbnail, Failed> {
    match (job.status, &job.thumbnail) {
        (Status::Succeeded, Some(thumbnail)) => Ok(thumbnail),
        (Status::Succeeded, None) => Err(Failed::Internal("a succeeded job has no thumbnail".to_owned())),
        (Status::Processing, _) => {
            let detail =
                "The thumbnail is still being made. Ask again shortly, or for as long as \"wait\" says.";
            Err(Failed::problem(ProblemKind::NotReady, detail))
        }
        (Status::Failed, _) => {
            let reason = job.failure.as_ref().map_or("", |failure| failure.message.as_ref());
            Err(Failed::problem(
                ProblemKind::JobFailed,
                format!("There is no thumbnail: the job failed. {reason}"),
            ))
        }
    }
}

/// Its representation for this client: of WebP, where there is one and the client takes it, and the other that which it wants more; of stills that
/// it takes alike the smaller one, and of animations WebP, for there are clients to which APNG is its first frame. Who does not take WebP gets the other
/// whatever it takes, for a picture is better than 406.
pub fn choose<'a>(request: &Request, thumbnail: &'a Thumbnail) -> &'a Thumbnail {
    let Some(webp) = thumbnail.webp.as_deref().filter(|webp| webp.format != thumbnail.format) else {
        return thumbnail;
    };
    let values = request.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let accept = values.collect::<Vec<_>>().join(",");
    // What gave something up, for a bound on bytes, is small for that.
    let weight = |thumbnail: &Thumbnail| (!thumbnail.concessions.is_empty(), thumbnail.bytes);
    let is_better = thumbnail.frames == 1 && weight(thumbnail) < weight(webp);
    match accept::webp_beside(&accept, thumbnail.format.content_type()) {
        Some(Ordering::Greater) => webp,
        Some(Ordering::Equal) if !is_better => webp,
        _ => thumbnail,
    }
}

/// Its bytes.
///
/// # Errors
/// [`Failed`].
pub fn read(blobs: &dyn Blobs, job: &JobId, thumbnail: &Thumbnail, log: &Log) -> Result<Vec<u8>, Failed> {
    let key = ObjectKey::thumbnail(job, &thumbnail.sha256);
    blobs.get(&key, thumbnail.bytes).map_err(|error| match error {
        BlobError::NotFound => {
            log.clone().with_job(*job).event(Event::ThumbnailGone { key: key.as_str() });
            let detail = "The thumbnail is no longer stored. Upload the image again.";
            Failed::problem(ProblemKind::ThumbnailGone, detail)
        }
        other => other.into(),
    })
}

/// Its strong ETag: the bytes, by their name.
///
/// # Errors
/// [`Failed::Internal`] never happens; a digest is visible ASCII.
pub fn etag(thumbnail: &Thumbnail) -> Result<HeaderValue, Failed> {
    header(&format!("\"{}\"", thumbnail.sha256))
}

/// The answer with these bytes; none where it is to HEAD. `name`: of the thumbnail, where it is a variant. How long it may be kept is for the
/// caller to say.
///
/// # Errors
/// [`Failed::Internal`] never happens; all values are visible ASCII.
pub fn response(
    job: &JobId,
    name: Option<&str>,
    thumbnail: &Thumbnail,
    data: Vec<u8>,
) -> Result<Response, Failed> {
    let variant = name.map(|name| format!("-{name}")).unwrap_or_default();
    let extension = thumbnail.format.extension();
    let name = format!("inline; filename=\"thumbnail-{job}{variant}.{extension}\"");
    let mut response = Response::new(data);
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(thumbnail.bytes));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(thumbnail.format.content_type()));
    headers.insert(CONTENT_DISPOSITION, header(&name)?);
    headers.insert(CONTENT_SECURITY_POLICY, NOTHING_ALLOWED);
    headers.insert(ETAG, etag(thumbnail)?);
    Ok(response)
}

fn header(text: &str) -> Result<HeaderValue, Failed> {
    HeaderValue::from_str(text).map_err(|error| Failed::Internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use thumbs_domain::format::OutputFormat;
    use thumbs_domain::job::Concession;

    use super::*;
    use crate::testing::{request, thumbnail_of};

    /// The format that who takes both alike gets, where the PNG has so many bytes and the WebP six.
    fn chosen(
        png: &'static [u8],
        png_gave: &[Concession],
        webp_gave: &[Concession],
        frames: u32,
    ) -> OutputFormat {
        let asked = request("GET", "/", &[("accept", "image/webp,image/*")]);
        let of = |bytes, concessions: &[Concession]| Thumbnail {
            concessions: concessions.to_vec(),
            frames,
            format: OutputFormat::Png,
            ..thumbnail_of(bytes)
        };
        let webp = Thumbnail { format: OutputFormat::Webp, ..of(b"middle", webp_gave) };
        choose(&asked, &Thumbnail { webp: Some(Box::new(webp)), ..of(png, png_gave) }).format
    }

    #[test]
    fn a_picture_is_not_preferred_for_bytes_that_it_gave_up() {
        let gave = [Concession::Colours(8)];
        assert_eq!(chosen(b"small", &[], &[], 1), OutputFormat::Png);
        assert_eq!(chosen(b"small", &gave, &[], 1), OutputFormat::Webp);
        assert_eq!(chosen(b"the larger", &[], &[], 1), OutputFormat::Webp);
        assert_eq!(chosen(b"the larger", &[], &gave, 1), OutputFormat::Png);
        assert_eq!(chosen(b"the larger", &gave, &gave, 1), OutputFormat::Webp);
    }

    #[test]
    fn an_animation_is_webp_for_who_takes_both_alike() {
        assert_eq!(chosen(b"small", &[], &[], 2), OutputFormat::Webp);
    }
}
