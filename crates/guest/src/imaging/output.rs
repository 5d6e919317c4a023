//! One thumbnail of a job, as imaging is asked for it: in one format, or where each client is to get the one that it takes, in several, of which
//! those are kept that are worth it. They show the same picture, which is made once.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thumbs_domain::format::{AskedFormat, OutputFormat};
use thumbs_domain::limits::ImageLimits;
use thumbs_domain::options::Options;
use thumbs_domain::variant::VariantName;

use super::{Encoded, ImagingError, translation};
use crate::bindings::thumbs::imaging::thumbnailer as wit;

/// What is asked for, and in which formats it is tried.
pub(super) struct Output<'a> {
    name: Option<&'a VariantName>,
    options: &'a Options,
    formats: &'static [OutputFormat],
}

impl<'a> Output<'a> {
    /// As [`Options::outputs`] gives it, for an image that is animated or not.
    pub(super) fn new((name, options): (Option<&'a VariantName>, &'a Options), is_animated: bool) -> Self {
        use OutputFormat::{Gif, Jpeg, Png, Webp};
        let formats: &[_] = match options.format {
            AskedFormat::Png => &[Png],
            AskedFormat::Jpeg => &[Jpeg],
            AskedFormat::Webp => &[Webp],
            AskedFormat::Gif => &[Gif],
            // What a JPEG can't hold.
            AskedFormat::Auto if options.lossless || is_animated && options.animated => &[Webp, Png],
            AskedFormat::Auto => &[Webp, Jpeg, Png],
        };
        Self { name, options, formats }
    }

    /// One for each format.
    pub(super) fn asked(&self) -> impl Iterator<Item = wit::Options> {
        self.formats.iter().map(|format| translation::options(self.options, *format))
    }

    /// How many these are.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.formats.len()).unwrap_or(u32::MAX)
    }

    /// Has it encoded by `task`, where those that were asked for it begin with this number. Also what the task has cost by then.
    pub(super) fn encode(&self, task: &wit::Task, first: u32) -> Result<(Encoded, wit::Cost), wit::Error> {
        match self.formats {
            [_] => task.encode(first).map(encoded),
            [_, _] => {
                let webp = task.encode(first)?;
                Ok(with_webp(webp, task.encode(first + 1)?))
            }
            _ => {
                let webp = task.encode(first)?;
                let other = match webp.is_opaque {
                    true => smaller(task.encode(first + 1), task.encode(first + 2))?,
                    false => task.encode(first + 2)?,
                };
                Ok(with_webp(webp, other))
            }
        }
    }

    /// With the name of the thumbnail, where it has one.
    pub(super) fn refusal(&self, error: wit::Error, limits: &ImageLimits) -> ImagingError {
        let error = translation::error(error, limits, Some(self.options));
        match self.name {
            Some(name) => ImagingError::OfVariant(name.clone(), Box::new(error)),
            None => error,
        }
    }
}

/// The PNG where it is smaller, and lost nothing to be so.
fn smaller(
    jpeg: Result<wit::Thumbnail, wit::Error>,
    png: Result<wit::Thumbnail, wit::Error>,
) -> Result<wit::Thumbnail, wit::Error> {
    match (jpeg, png) {
        (Ok(jpeg), Ok(png)) if png.data.len() > jpeg.data.len() || !png.concessions.is_empty() => Ok(jpeg),
        (Ok(jpeg), Err(_)) => Ok(jpeg),
        (_, png) => png,
    }
}

fn with_webp(webp: wit::Thumbnail, other: wit::Thumbnail) -> (Encoded, wit::Cost) {
    let (other, cost) = encoded(other);
    (Encoded { webp: Some(Box::new(encoded(webp).0)), ..other }, cost)
}

fn encoded(thumbnail: wit::Thumbnail) -> (Encoded, wit::Cost) {
    let encoded = Encoded {
        data: thumbnail.data,
        format: translation::output_format(thumbnail.format),
        width: thumbnail.width,
        height: thumbnail.height,
        frames: thumbnail.frames,
        placeholder: STANDARD.encode(thumbnail.placeholder),
        warnings: thumbnail.warnings.into_iter().map(translation::warning).collect(),
        concessions: thumbnail.concessions.into_iter().map(translation::concession).collect(),
        webp: None,
    };
    (encoded, thumbnail.cost)
}
