//! What a caller allows, checked before anything is allocated.

use crate::error::{Error, Limit};
use crate::look::{self, Look};
use crate::options::{Limits, Options, OutputFormat, SourceFormat};
use crate::orientation::Orientation;
use crate::plan::Plan;
use crate::selection::Selection;
use crate::task::SourceInfo;

/// Whether such thumbnails may be made of the image, all at once: the pictures that they are, each of which of its frames, and which of these
/// each thumbnail is.
///
/// # Errors
/// [`Error::InvalidOptions`], and [`Error::LimitExceeded`] with the first limit that is exceeded.
pub(crate) fn check(
    source: &SourceInfo,
    outputs: &[Options],
    limits: &Limits,
) -> Result<(Vec<Look>, Vec<usize>), Error> {
    if outputs.is_empty() {
        return Err(Error::InvalidOptions("there is no thumbnail to be made".to_owned()));
    }
    outputs.iter().try_for_each(|options| check_options(options, limits))?;
    check_frame(source, limits)?;
    // Of these, only first frames are decoded.
    let is_still = matches!(source.format, SourceFormat::Heic | SourceFormat::Avif);
    let (looks, of_outputs) = look::distinct(outputs, if is_still { 1 } else { source.frames });
    let times = times_encoded(outputs, &of_outputs, looks.len());
    let pixels = looks.iter().zip(times).map(|(look, times)| area(look.width, look.height) * times);
    let pixels = pixels.fold(0, u64::saturating_add);
    first([(pixels > limits.max_output_pixels, Limit::OutputPixels)])?;
    let select = |options: &Options| Selection::new(source.frames, options, pixels, limits);
    let looks: Vec<_> =
        looks.into_iter().map(|options| Look { options, selection: select(&options) }).collect();
    looks.iter().try_for_each(|look| check_frames(source, look.selection.decoded(), limits))?;
    let film = looks.iter().map(|look| film_pixels(source, look)).fold(0, u64::saturating_add);
    let frames = looks.iter().map(|look| look.selection.kept()).max().unwrap_or(1);
    check_film(film, canvases(source.format) * area(source.width, source.height), frames, limits)?;
    Ok((looks, of_outputs))
}

/// How many pictures each of so many counts as, by what it is encoded into: one in two or three formats, as a client that takes whichever it can
/// has it, is about the work of one.
fn times_encoded(outputs: &[Options], of_outputs: &[usize], pictures: usize) -> impl Iterator<Item = u64> {
    const FORMATS_OF_ONE: usize = 3;
    let of_picture = move |picture: usize| {
        outputs
            .iter()
            .zip(of_outputs)
            .filter(move |(_, of)| **of == picture)
            .map(|(options, _)| options.format)
    };
    (0..pictures).map(move |picture| {
        let in_one_format = of_picture(picture)
            .map(|format| of_picture(picture).filter(|other| *other == format).count())
            .max()
            .unwrap_or(0);
        in_one_format.max(of_picture(picture).count().div_ceil(FORMATS_OF_ONE)) as u64
    })
}

/// Of all frames of a picture, before they are cut or padded and afterwards whichever are more.
fn film_pixels(source: &SourceInfo, look: &Look) -> u64 {
    // Turned or not, it has as many pixels.
    let plan = Plan::new(source.width, source.height, Orientation::UPRIGHT, &look.options);
    // What is padded is larger than the picture in it, what is chosen from larger than its box.
    let thumbnail = area(plan.width, plan.height).max(area(plan.box_width, plan.box_height));
    thumbnail.saturating_mul(look.selection.kept().into())
}

/// Of one frame, or the canvas of all.
///
/// # Errors
/// [`Error::LimitExceeded`].
pub(crate) fn check_frame(source: &SourceInfo, limits: &Limits) -> Result<(), Error> {
    first([
        (source.width.max(source.height) > limits.max_side, Limit::Side),
        (area(source.width, source.height) > limits.max_pixels, Limit::Pixels),
    ])
}

/// Of so many frames that have to be decoded.
///
/// # Errors
/// [`Error::LimitExceeded`].
fn check_frames(source: &SourceInfo, decoded: u32, limits: &Limits) -> Result<(), Error> {
    // The first frame hides nothing, for the screen grows with it.
    let hidden = if decoded > 1 { source.hidden_pixels } else { 0 };
    let total = area(source.width, source.height).saturating_mul(decoded.into()).saturating_add(hidden);
    first([
        (decoded > limits.max_frames, Limit::Frames),
        (total > limits.max_total_pixels, Limit::TotalPixels),
    ])
}

/// Full-size canvases that are held at most while an animation is decoded: one, and what of it a frame restores afterwards.
const fn canvases(format: SourceFormat) -> u64 {
    match format {
        SourceFormat::Jpeg | SourceFormat::Heic | SourceFormat::Avif => 0,
        SourceFormat::Webp => 1,
        SourceFormat::Png | SourceFormat::Gif => 2,
    }
}

/// Whether a still may be looked for among all frames, on a canvas, where the first is not to be had alone.
pub(crate) fn may_search(source: &SourceInfo, limits: &Limits) -> bool {
    let canvases = canvases(source.format) * area(source.width, source.height);
    let held = canvases.saturating_mul(HELD_SHARE);
    held <= limits.max_total_pixels && check_frames(source, source.frames, limits).is_ok()
}

fn area(width: u32, height: u32) -> u64 {
    u64::from(width) * u64::from(height)
}

/// # Errors
/// [`Error::InvalidOptions`], and [`Error::LimitExceeded`] for the size of the thumbnail.
fn check_options(options: &Options, limits: &Limits) -> Result<(), Error> {
    let invalid = |what: &str| Err(Error::InvalidOptions(what.to_owned()));
    if options.width == 0 || options.height == 0 {
        return invalid("width and height are at least 1");
    }
    if options.quality.is_some_and(|quality| !(1..=100).contains(&quality)) {
        return invalid("quality is from 1 to 100");
    }
    if options.lossless && matches!(options.format, OutputFormat::Jpeg | OutputFormat::Gif) {
        return invalid("JPEG and GIF have no lossless kind, ask for webp or png or leave lossless out");
    }
    if options.lossless && options.quality.is_some_and(|quality| quality < 100) {
        return invalid("what is lossless has no quality below 100, leave one of the two out");
    }
    if options.max_output_frames == Some(0) {
        return invalid("a thumbnail has at least 1 frame");
    }
    first([
        (options.width.max(options.height) > limits.max_output_side, Limit::OutputSide),
        (area(options.width, options.height) > limits.max_output_pixels, Limit::OutputPixels),
    ])
}

/// Of [`Limits::max_total_pixels`], one in this many may be held at once of an animation: its canvases and its thumbnails. With the defaults
/// that is 200 MB, which a sandbox of 256 MiB has beside a file of 32 MiB that stands in it twice.
const HELD_SHARE: u64 = 2;
/// One in this many may be thumbnails: the file that is made of them may take as much again.
const FILM_SHARE: u64 = 4;

/// Thumbnails of `film_pixels` over all `frames` that are kept. Those of an animation are all held until they are encoded, and until they
/// are made its canvases, together of `canvas_pixels`.
///
/// # Errors
/// [`Error::LimitExceeded`] with [`Limit::HeldPixels`].
fn check_film(film_pixels: u64, canvas_pixels: u64, frames: u32, limits: &Limits) -> Result<(), Error> {
    let counted = if frames > 1 {
        let held = film_pixels.saturating_add(canvas_pixels).saturating_mul(HELD_SHARE);
        held.max(film_pixels.saturating_mul(FILM_SHARE))
    } else {
        film_pixels
    };
    first([(counted > limits.max_total_pixels, Limit::HeldPixels)])
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

    const LIMITS: Limits = Limits {
        max_pixels: 100,
        max_side: 20,
        max_frames: 3,
        max_total_pixels: 200,
        max_output_side: 50,
        max_output_pixels: 1000,
    };
    const SMALL: Options = Options { width: 1, height: 1, ..Options::DEFAULT };

    fn source(width: u32, height: u32, frames: u32) -> SourceInfo {
        SourceInfo {
            format: SourceFormat::Webp,
            width,
            height,
            frames,
            orientation: 1,
            has_alpha: false,
            hidden_pixels: 0,
        }
    }

    fn checked(source: &SourceInfo, options: &Options) -> Result<(), Error> {
        check(source, &[*options], &LIMITS).map(drop)
    }

    #[test]
    fn the_pixels_of_all_thumbnails_count_together() {
        let of = |sides: &[(u32, u32)], frames| {
            let outputs: Vec<_> =
                sides.iter().map(|&(width, height)| Options { width, height, ..SMALL }).collect();
            check(&source(5, 5, frames), &outputs, &LIMITS)
        };
        let over = |limit| Err(Error::LimitExceeded(limit));
        assert!(of(&[(50, 2), (50, 1), (50, 1)], 1).is_ok());
        assert_eq!(of(&[(50, 20), (1, 1)], 1), over(Limit::OutputPixels));
        assert_eq!(of(&[(6, 4), (4, 1)], 2), over(Limit::HeldPixels));
        let (looks, _) = of(&[(2, 3), (2, 2)], 2).unwrap();
        assert_eq!(looks.iter().map(|look| look.selection.kept()).collect::<Vec<_>>(), [2, 2]);
        assert!(matches!(of(&[], 1), Err(Error::InvalidOptions(_))));
    }

    #[test]
    fn a_picture_counts_as_often_as_it_is_encoded_in_one_format() {
        use OutputFormat::{Gif, Jpeg, Png, Webp};
        let of = |formats: &[OutputFormat]| {
            let half = Options { width: 50, height: 10, ..SMALL };
            let outputs: Vec<_> = formats.iter().map(|&format| Options { format, ..half }).collect();
            let limits = Limits { max_total_pixels: 1000, ..LIMITS };
            check(&source(5, 5, 1), &outputs, &limits).map(drop)
        };
        for formats in [&[Webp, Jpeg, Png][..], &[Webp, Webp], &[Webp, Jpeg, Png, Gif]] {
            assert_eq!(of(formats), Ok(()), "{formats:?}");
        }
        for formats in [&[Webp, Webp, Webp][..], &[Webp, Png, Webp, Webp]] {
            assert_eq!(of(formats), Err(Error::LimitExceeded(Limit::OutputPixels)), "{formats:?}");
        }
    }

    #[test]
    fn limits_are_inclusive_and_named() {
        let over = |limit| Err(Error::LimitExceeded(limit));
        for (width, height, frames, expected) in [
            (10, 10, 1, Ok(())),
            (20, 5, 2, over(Limit::HeldPixels)),
            (7, 7, 2, Ok(())),
            (21, 1, 1, over(Limit::Side)),
            (1, 21, 1, over(Limit::Side)),
            (11, 10, 1, over(Limit::Pixels)),
            (1, 1, 4, over(Limit::Frames)),
            (10, 10, 3, over(Limit::TotalPixels)),
            (u32::MAX, u32::MAX, u32::MAX, over(Limit::Side)),
        ] {
            assert_eq!(
                checked(&source(width, height, frames), &SMALL),
                expected,
                "{width}x{height}x{frames}"
            );
        }
    }

    #[test]
    fn hidden_pixels_count_where_frames_that_hide_some_are_decoded() {
        let hiding = |frames, hidden_pixels| SourceInfo { hidden_pixels, ..source(5, 5, frames) };
        assert_eq!(checked(&hiding(2, 150), &SMALL), Ok(()));
        assert_eq!(checked(&hiding(2, 151), &SMALL), Err(Error::LimitExceeded(Limit::TotalPixels)));
        assert_eq!(checked(&hiding(2, u64::MAX), &Options { animated: false, ..SMALL }), Ok(()));
    }

    #[test]
    fn a_still_of_an_animation_counts_as_one_frame() {
        let long = source(10, 10, 1000);
        assert_eq!(checked(&long, &SMALL), Err(Error::LimitExceeded(Limit::Frames)));
        assert_eq!(checked(&long, &Options { animated: false, ..SMALL }), Ok(()));
        assert_eq!(checked(&long, &Options { max_output_frames: Some(1), ..SMALL }), Ok(()));
        assert!(probed(&long).is_ok() && probed(&source(11, 10, 1)).is_err());
    }

    fn probed(source: &SourceInfo) -> Result<(), Error> {
        check_frame(source, &LIMITS)
    }

    #[test]
    fn frames_behind_the_last_that_is_kept_do_not_count() {
        // Kept are those of number 0 and 2.
        assert_eq!(checked(&source(1, 1, 4), &Options { max_output_frames: Some(2), ..SMALL }), Ok(()));
    }

    #[test]
    fn options_out_of_range_are_refused() {
        let good = Options { width: 50, height: 1, quality: Some(100), ..Options::default() };
        assert_eq!(check_options(&good, &LIMITS), Ok(()));
        for format in [OutputFormat::Png, OutputFormat::Webp] {
            assert_eq!(check_options(&Options { lossless: true, format, ..good }, &LIMITS), Ok(()));
        }
        for bad in [
            Options { width: 0, ..good },
            Options { height: 0, ..good },
            Options { quality: Some(0), ..good },
            Options { quality: Some(101), ..good },
            Options { max_output_frames: Some(0), ..good },
            Options { lossless: true, format: OutputFormat::Jpeg, ..good },
            Options { lossless: true, format: OutputFormat::Gif, ..good },
            Options { lossless: true, quality: Some(99), ..good },
        ] {
            assert!(matches!(check_options(&bad, &LIMITS), Err(Error::InvalidOptions(_))));
        }
        for bad in [Options { width: 51, ..good }, Options { height: 51, ..good }] {
            assert_eq!(check_options(&bad, &LIMITS), Err(Error::LimitExceeded(Limit::OutputSide)));
        }
        let large = |height| check_options(&Options { height, ..good }, &LIMITS);
        assert_eq!((large(20), large(21)), (Ok(()), Err(Error::LimitExceeded(Limit::OutputPixels))));
    }

    #[test]
    fn an_animation_may_hold_half_of_what_it_may_have_and_half_of_that_as_thumbnails() {
        let over = Err(Error::LimitExceeded(Limit::HeldPixels));
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
        assert_eq!(check_film(201, 0, 1, &LIMITS), Err(Error::LimitExceeded(Limit::HeldPixels)));
    }
}
