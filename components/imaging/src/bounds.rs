//! What a caller allows, checked before anything is allocated.

use crate::error::{Error, Limit};
use crate::header::Header;
use crate::options::{Limits, Options};

/// # Errors
/// [`Error::LimitExceeded`] with the first limit that is exceeded.
pub(crate) fn check_source(header: &Header<'_>, limits: &Limits) -> Result<(), Error> {
    let pixels = u64::from(header.width) * u64::from(header.height);
    let total = pixels.saturating_mul(u64::from(header.frames)).saturating_add(header.hidden_pixels);
    let checks = [
        (header.width.max(header.height) > limits.max_side, Limit::Side),
        (pixels > limits.max_pixels, Limit::Pixels),
        (header.frames > limits.max_frames, Limit::Frames),
        (total > limits.max_total_pixels, Limit::TotalPixels),
    ];
    first(checks)
}

/// # Errors
/// [`Error::InvalidOptions`], and [`Error::LimitExceeded`] for the sides of the thumbnail.
pub(crate) fn check_options(options: &Options, limits: &Limits) -> Result<(), Error> {
    let invalid = |what: &str| Err(Error::InvalidOptions(what.to_owned()));
    if options.width == 0 || options.height == 0 {
        return invalid("width and height are at least 1");
    }
    if options.quality.is_some_and(|quality| !(1..=100).contains(&quality)) {
        return invalid("quality is from 1 to 100");
    }
    if options.max_output_frames == Some(0) {
        return invalid("a thumbnail has at least 1 frame");
    }
    first([(options.width.max(options.height) > limits.max_output_side, Limit::OutputSide)])
}

/// Of [`Limits::max_total_pixels`], one in this many may be held at once of an animation: its canvases and its thumbnails. With the defaults
/// that is 200 MB, which a sandbox of 256 MiB has beside a file of 32 MiB that stands in it twice.
const HELD_SHARE: u64 = 2;
/// One in this many may be thumbnails: the file that is made of them may take as much again.
const FILM_SHARE: u64 = 4;

/// Thumbnails of `film_pixels` over all `frames` have to be allowed. Those of an animation are all held until they are encoded, and until
/// they are made its canvases, together of `canvas_pixels`.
///
/// # Errors
/// [`Error::LimitExceeded`] with [`Limit::TotalPixels`].
pub(crate) fn check_film(
    film_pixels: u64,
    canvas_pixels: u64,
    frames: u32,
    limits: &Limits,
) -> Result<(), Error> {
    let counted = if frames > 1 {
        let held = film_pixels.saturating_add(canvas_pixels).saturating_mul(HELD_SHARE);
        held.max(film_pixels.saturating_mul(FILM_SHARE))
    } else {
        film_pixels
    };
    first([(counted > limits.max_total_pixels, Limit::TotalPixels)])
}

fn first<const N: usize>(checks: [(bool, Limit); N]) -> Result<(), Error> {
    match checks.into_iter().find(|(exceeded, _)| *exceeded) {
        Some((_, limit)) => Err(Error::LimitExceeded(limit)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::{Colour, Model};
    use crate::options::SourceFormat;
    use crate::orientation::Orientation;

    const LIMITS: Limits =
        Limits { max_pixels: 100, max_side: 20, max_frames: 3, max_total_pixels: 200, max_output_side: 50 };

    fn source(width: u32, height: u32, frames: u32) -> Result<(), Error> {
        source_with_hidden(width, height, frames, 0)
    }

    fn source_with_hidden(width: u32, height: u32, frames: u32, hidden_pixels: u64) -> Result<(), Error> {
        let header = Header {
            format: SourceFormat::Gif,
            width,
            height,
            frames,
            hidden_pixels,
            orientation: Orientation::UPRIGHT,
            has_alpha: false,
            model: Model::Rgb,
            colour: Colour::Srgb,
        };
        check_source(&header, &LIMITS)
    }

    #[test]
    fn limits_are_inclusive_and_named() {
        assert_eq!(source(10, 10, 2), Ok(()));
        assert_eq!(source(20, 5, 1), Ok(()));
        assert_eq!(source(21, 1, 1), Err(Error::LimitExceeded(Limit::Side)));
        assert_eq!(source(1, 21, 1), Err(Error::LimitExceeded(Limit::Side)));
        assert_eq!(source(11, 10, 1), Err(Error::LimitExceeded(Limit::Pixels)));
        assert_eq!(source(1, 1, 4), Err(Error::LimitExceeded(Limit::Frames)));
        assert_eq!(source(10, 10, 3), Err(Error::LimitExceeded(Limit::TotalPixels)));
        assert_eq!(source(u32::MAX, u32::MAX, u32::MAX), Err(Error::LimitExceeded(Limit::Side)));
        assert_eq!(source_with_hidden(10, 10, 1, 100), Ok(()));
        assert_eq!(source_with_hidden(10, 10, 1, 101), Err(Error::LimitExceeded(Limit::TotalPixels)));
    }

    #[test]
    fn options_out_of_range_are_refused() {
        let good = Options { width: 50, height: 1, quality: Some(100), ..Options::default() };
        assert_eq!(check_options(&good, &LIMITS), Ok(()));
        for bad in [
            Options { width: 0, ..good },
            Options { height: 0, ..good },
            Options { quality: Some(0), ..good },
            Options { quality: Some(101), ..good },
            Options { max_output_frames: Some(0), ..good },
        ] {
            assert!(matches!(check_options(&bad, &LIMITS), Err(Error::InvalidOptions(_))));
        }
        for bad in [Options { width: 51, ..good }, Options { height: 51, ..good }] {
            assert_eq!(check_options(&bad, &LIMITS), Err(Error::LimitExceeded(Limit::OutputSide)));
        }
    }

    #[test]
    fn an_animation_may_hold_half_of_what_it_may_have_and_half_of_that_as_thumbnails() {
        let over = Err(Error::LimitExceeded(Limit::TotalPixels));
        assert_eq!(check_film(20, 80, 2, &LIMITS), Ok(()));
        assert_eq!(check_film(21, 80, 2, &LIMITS), over);
        assert_eq!(check_film(20, 81, 2, &LIMITS), over);
        assert_eq!(check_film(50, 0, 2, &LIMITS), Ok(()));
        assert_eq!(check_film(51, 0, 2, &LIMITS), over);
        assert_eq!(check_film(u64::MAX, u64::MAX, 2, &LIMITS), over);
    }

    #[test]
    fn a_still_is_made_row_by_row() {
        assert_eq!(check_film(200, u64::MAX, 1, &LIMITS), Ok(()));
        assert_eq!(check_film(201, 0, 1, &LIMITS), Err(Error::LimitExceeded(Limit::TotalPixels)));
    }
}
