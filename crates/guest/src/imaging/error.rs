//! Why there is no thumbnail, as imaging sees it, and what the client is told: at once (a problem) or in the job (a failure).

use std::borrow::Cow;

use thumbs_domain::failure::{Failure, JobCode};
use thumbs_domain::format::AskedFormat;
use thumbs_domain::limits::ImageLimits;
use thumbs_domain::options::Options;
use thumbs_domain::problem::{Problem, ProblemKind};
use thumbs_domain::variant::VariantName;

/// Which bound an image is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Width x height.
    Pixels,
    /// Width or height.
    Side,
    /// Frames of an animation.
    Frames,
    /// Width x height x frames.
    TotalPixels,
    /// What of an animation is in memory at once.
    HeldPixels,
    /// Width or height of the thumbnail.
    OutputSide,
    /// Width x height of the thumbnail, or of all together that are made at once.
    OutputPixels,
}

/// A bound that was exceeded, its value, and whether asking for a still could help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excess {
    bound: Bound,
    most: u64,
    of_animation: bool,
}

impl Excess {
    /// `options` where the image was to be made into something.
    pub fn new(bound: Bound, limits: &ImageLimits, options: Option<&Options>) -> Self {
        let most = match bound {
            Bound::Pixels => limits.max_pixels,
            Bound::Side => limits.max_side.into(),
            Bound::Frames => limits.max_frames.into(),
            Bound::TotalPixels => limits.max_total_pixels,
            Bound::HeldPixels => limits.max_total_pixels / 2,
            Bound::OutputSide => limits.max_output_side.into(),
            Bound::OutputPixels => limits.max_output_pixels,
        };
        let of_animation =
            options.is_some_and(|options| options.animated && options.format != AskedFormat::Jpeg);
        Self { bound, most, of_animation }
    }

    fn sentence(self) -> String {
        let Self { bound, most, of_animation } = self;
        let remedy = match bound {
            Bound::Frames | Bound::TotalPixels | Bound::HeldPixels if of_animation => {
                "Send a smaller or shorter one, or ask for a still with animated=false"
            }
            Bound::OutputSide | Bound::OutputPixels => "Ask for a smaller one",
            _ => "Send a smaller one",
        };
        match bound {
            Bound::Pixels => format!("The image has more than {most} pixels (max_pixels). {remedy}."),
            Bound::Side => format!("The image is wider or higher than {most} pixels (max_side). {remedy}."),
            Bound::Frames => {
                format!(
                    "More than {most} frames of the animation (max_frames) would have to be decoded. {remedy}."
                )
            }
            Bound::TotalPixels => {
                format!(
                    "The frames that have to be decoded have together more than {most} pixels (max_total_pixels). {remedy}."
                )
            }
            Bound::HeldPixels => format!(
                "An animation of this size takes the memory of more than {most} pixels at once (half of max_total_pixels). {remedy}."
            ),
            Bound::OutputSide => {
                format!(
                    "The thumbnail would be wider or higher than {most} pixels (max_output_side). {remedy}."
                )
            }
            Bound::OutputPixels => {
                format!(
                    "The thumbnail, or all variants together, would have more than {most} pixels (max_output_pixels). {remedy}."
                )
            }
        }
    }
}

/// The image's fault, or the options': calling again changes nothing. The texts are clauses for people, and safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImagingError {
    /// The first bytes are of no format that is decoded; with what they are of, where that is known.
    UnsupportedFormat(Option<String>),
    /// A known format, with a feature that is not decoded.
    UnsupportedFeature(String),
    /// The image breaks its format's rules, or less than half of it is there.
    Malformed(String),
    /// Larger than it may be.
    OverLimit(Excess),
    /// An option is out of its range.
    InvalidOptions(String),
    /// Not even the smallest thumbnail has at most `max_bytes`.
    BudgetUnreachable,
    /// One of several thumbnails can't be made, and so none is.
    OfVariant(VariantName, Box<Self>),
}

impl ImagingError {
    /// For a client that is still waiting for its answer.
    pub fn problem(&self) -> Problem {
        let kind = match self {
            Self::UnsupportedFormat(_) => ProblemKind::UnsupportedImage,
            Self::UnsupportedFeature(_) | Self::Malformed(_) | Self::BudgetUnreachable => {
                ProblemKind::UndecodableImage
            }
            Self::OverLimit(_) => ProblemKind::ImageOverLimit,
            Self::InvalidOptions(_) => ProblemKind::InvalidOption,
            Self::OfVariant(_, error) => error.problem().kind,
        };
        Problem::new(kind, self.sentence())
    }

    /// For the job, once the client was told that it is accepted.
    pub fn failure(&self) -> Failure {
        Failure::new(self.code(), self.sentence())
    }

    fn code(&self) -> JobCode {
        match self {
            Self::UnsupportedFormat(_) => JobCode::UnsupportedImage,
            Self::UnsupportedFeature(_) => JobCode::UnsupportedFeature,
            Self::Malformed(_) => JobCode::MalformedImage,
            Self::OverLimit(_) => JobCode::ImageOverLimit,
            Self::InvalidOptions(_) => JobCode::InvalidOption,
            Self::BudgetUnreachable => JobCode::BudgetUnreachable,
            Self::OfVariant(_, error) => error.code(),
        }
    }

    /// Names what was hit and what helps.
    fn sentence(&self) -> Cow<'static, str> {
        match self {
            Self::UnsupportedFormat(Some(kind)) => {
                format!("The file is {kind}, which is not accepted. Save it as JPEG, PNG, GIF or WebP.")
                    .into()
            }
            Self::UnsupportedFormat(None) => {
                "The first bytes are not those of a JPEG, PNG, GIF, WebP, HEIC or AVIF image. Send one of these.".into()
            }
            Self::UnsupportedFeature(what) => {
                format!("The image can't be decoded: {what}. Save it in another way.").into()
            }
            Self::Malformed(how) => {
                format!("The image can't be decoded: {how}. Check the file or save it anew.").into()
            }
            Self::OverLimit(excess) => excess.sentence().into(),
            Self::InvalidOptions(what) => format!("An option is wrong: {what}.").into(),
            Self::BudgetUnreachable => "No thumbnail is as small as max_bytes asks. Allow more bytes.".into(),
            Self::OfVariant(name, error) => format!("In the variant \"{name}\": {}", error.sentence()).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ImageLimits = ImageLimits {
        max_pixels: 11,
        max_side: 12,
        max_frames: 13,
        max_total_pixels: 28,
        max_output_side: 15,
        max_output_pixels: 16,
    };
    /// Each with its value and the variable that sets it.
    const BOUNDS: [(Bound, u64, &str); 7] = [
        (Bound::Pixels, 11, "max_pixels"),
        (Bound::Side, 12, "max_side"),
        (Bound::Frames, 13, "max_frames"),
        (Bound::TotalPixels, 28, "max_total_pixels"),
        (Bound::HeldPixels, 14, "max_total_pixels"),
        (Bound::OutputSide, 15, "max_output_side"),
        (Bound::OutputPixels, 16, "max_output_pixels"),
    ];

    fn all() -> Vec<ImagingError> {
        let over = |(bound, ..): (Bound, u64, &str)| {
            ImagingError::OverLimit(Excess::new(bound, &LIMITS, Some(&Options::default())))
        };
        let others = [
            ImagingError::UnsupportedFormat(None),
            ImagingError::UnsupportedFormat(Some("HEIC".into())),
            ImagingError::UnsupportedFeature("arithmetic coding".into()),
            ImagingError::Malformed("the file ends in the header".into()),
            ImagingError::InvalidOptions("the width is 0".into()),
            ImagingError::BudgetUnreachable,
            ImagingError::OfVariant(
                VariantName::parse("card").unwrap(),
                Box::new(ImagingError::BudgetUnreachable),
            ),
        ];
        BOUNDS.into_iter().map(over).chain(others).collect()
    }

    #[test]
    fn a_bound_is_named_with_its_value_and_a_way_that_helps() {
        let still = Options { animated: false, ..Options::default() };
        let jpeg = Options { format: AskedFormat::Jpeg, ..Options::default() };
        for (bound, most, variable) in BOUNDS {
            let sentence = |options| Excess::new(bound, &LIMITS, options).sentence();
            for options in [None, Some(&still), Some(&jpeg)] {
                let sentence = sentence(options);
                assert!(sentence.contains(&format!(" {most} ")) && sentence.contains(variable), "{sentence}");
                assert!(!sentence.contains("animated"), "who has asked for a still: {sentence}");
            }
            let helps = matches!(bound, Bound::Frames | Bound::TotalPixels | Bound::HeldPixels);
            assert_eq!(sentence(Some(&Options::default())).contains("animated=false"), helps, "{bound:?}");
        }
    }

    #[test]
    fn what_a_file_is_instead_is_named() {
        let problem = ImagingError::UnsupportedFormat(Some("HEIC".into())).problem();
        assert_eq!(
            problem.detail,
            "The file is HEIC, which is not accepted. Save it as JPEG, PNG, GIF or WebP."
        );
    }

    #[test]
    fn every_error_is_a_4xx_with_a_sentence() {
        for error in all() {
            let problem = error.problem();
            assert!((400..500).contains(&problem.kind.row().status), "{error:?}");
            assert!(
                problem.detail.ends_with('.') && problem.detail.starts_with(char::is_uppercase),
                "{error:?}"
            );
            assert_eq!(error.failure().message, problem.detail);
        }
    }

    #[test]
    fn the_kind_of_error_decides_the_status() {
        for (error, status) in [
            (ImagingError::UnsupportedFormat(None), 415),
            (ImagingError::UnsupportedFeature("x".into()), 422),
            (ImagingError::Malformed("x".into()), 422),
            (ImagingError::OverLimit(Excess::new(Bound::Pixels, &LIMITS, None)), 422),
            (ImagingError::InvalidOptions("x".into()), 400),
        ] {
            assert_eq!(error.problem().kind.row().status, status, "{error:?}");
        }
    }
}
