//! Why there is no thumbnail, as imaging sees it, and what the client is told: at once (a problem) or in the job (a failure).

use std::borrow::Cow;

use thumbs_domain::failure::{Failure, JobCode};
use thumbs_domain::problem::{Problem, ProblemKind};

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
    /// Width or height of the thumbnail.
    OutputSide,
}

/// The image's fault, or the options': calling again changes nothing. The texts are clauses for people, and safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImagingError {
    /// The first bytes are of no known format.
    UnsupportedFormat,
    /// A known format, with a feature that is not decoded.
    UnsupportedFeature(String),
    /// The image breaks its format's rules, or less than half of it is there.
    Malformed(String),
    /// Larger than it may be.
    OverLimit(Bound),
    /// An option is out of its range.
    InvalidOptions(String),
    /// Not even the smallest thumbnail has at most `max_bytes`.
    BudgetUnreachable,
}

impl ImagingError {
    /// For a client that is still waiting for its answer.
    pub fn problem(&self) -> Problem {
        let kind = match self {
            Self::UnsupportedFormat => ProblemKind::UnsupportedImage,
            Self::UnsupportedFeature(_) | Self::Malformed(_) | Self::BudgetUnreachable => {
                ProblemKind::UndecodableImage
            }
            Self::OverLimit(_) => ProblemKind::ImageOverLimit,
            Self::InvalidOptions(_) => ProblemKind::InvalidOption,
        };
        Problem::new(kind, self.sentence())
    }

    /// For the job, once the client was told that it is accepted.
    pub fn failure(&self) -> Failure {
        let code = match self {
            Self::UnsupportedFormat => JobCode::UnsupportedImage,
            Self::UnsupportedFeature(_) => JobCode::UnsupportedFeature,
            Self::Malformed(_) => JobCode::MalformedImage,
            Self::OverLimit(_) => JobCode::ImageOverLimit,
            Self::InvalidOptions(_) => JobCode::InvalidOption,
            Self::BudgetUnreachable => JobCode::BudgetUnreachable,
        };
        Failure::new(code, self.sentence())
    }

    /// Names what was hit and what helps, and no configured number: who probes for the limits must work for them.
    fn sentence(&self) -> Cow<'static, str> {
        match self {
            Self::UnsupportedFormat => {
                "The first bytes are not those of a JPEG, PNG, GIF or WebP image. Send one of these.".into()
            }
            Self::UnsupportedFeature(what) => {
                format!("The image can't be decoded: {what}. Save it in another way.").into()
            }
            Self::Malformed(how) => {
                format!("The image can't be decoded: {how}. Check the file or save it anew.").into()
            }
            Self::OverLimit(Bound::Pixels) => "The image has too many pixels. Send a smaller one.".into(),
            Self::OverLimit(Bound::Side) => "The image is too wide or too high. Send a smaller one.".into(),
            Self::OverLimit(Bound::Frames) => "The animation has too many frames. Send a shorter one.".into(),
            Self::OverLimit(Bound::TotalPixels) => {
                "The animation has too many pixels over all its frames. Send a smaller or shorter one, or ask for smaller thumbnails or \
                 a still."
                    .into()
            }
            Self::OverLimit(Bound::OutputSide) => {
                "The thumbnail is too wide or too high. Ask for a smaller one.".into()
            }
            Self::InvalidOptions(what) => format!("An option is wrong: {what}.").into(),
            Self::BudgetUnreachable => "No thumbnail is as small as max_bytes asks. Allow more bytes.".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [fn() -> ImagingError; 10] = [
        || ImagingError::UnsupportedFormat,
        || ImagingError::UnsupportedFeature("arithmetic coding".into()),
        || ImagingError::Malformed("the file ends in the header".into()),
        || ImagingError::OverLimit(Bound::Pixels),
        || ImagingError::OverLimit(Bound::Side),
        || ImagingError::OverLimit(Bound::Frames),
        || ImagingError::OverLimit(Bound::TotalPixels),
        || ImagingError::OverLimit(Bound::OutputSide),
        || ImagingError::InvalidOptions("the width is 0".into()),
        || ImagingError::BudgetUnreachable,
    ];

    #[test]
    fn every_error_is_a_4xx_with_a_sentence() {
        for error in ALL.map(|error| error()) {
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
            (ImagingError::UnsupportedFormat, 415),
            (ImagingError::UnsupportedFeature("x".into()), 422),
            (ImagingError::Malformed("x".into()), 422),
            (ImagingError::OverLimit(Bound::Pixels), 422),
            (ImagingError::InvalidOptions("x".into()), 400),
        ] {
            assert_eq!(error.problem().kind.row().status, status, "{error:?}");
        }
    }
}
