//! What a client asks a thumbnail to be: names, ranges and defaults of the options of `POST /jobs`.
//!
//! Two steps, because options arrive one by one (form fields, query) and some defaults depend on the image: a [`Draft`]
//! collects texts into typed values, [`Draft::finish`] fills in the rest.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::format::OutputFormat;
use crate::preset::Preset;
use crate::rgb::Rgb;

/// The side of a thumbnail, in pixels, where none is asked for.
pub const DEFAULT_SIDE: u32 = 100;

/// How the image meets the box of `width` x `height`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Fills the box; what stands over is cut off where `gravity` says.
    #[default]
    Cover,
    /// Fits inside the box; the rest is padded.
    Contain,
    /// Fills the box by stretching.
    Fill,
}

/// Which part of the image `cover` keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gravity {
    /// The middle.
    #[default]
    Center,
    /// The top.
    North,
    /// The top right corner.
    NorthEast,
    /// The right.
    East,
    /// The bottom right corner.
    SouthEast,
    /// The bottom.
    South,
    /// The bottom left corner.
    SouthWest,
    /// The left.
    West,
    /// The top left corner.
    NorthWest,
    /// The part that draws the eye.
    Attention,
}

const FITS: [(&str, Fit); 3] = [("cover", Fit::Cover), ("contain", Fit::Contain), ("fill", Fit::Fill)];

const GRAVITIES: [(&str, Gravity); 10] = [
    ("center", Gravity::Center),
    ("north", Gravity::North),
    ("north-east", Gravity::NorthEast),
    ("east", Gravity::East),
    ("south-east", Gravity::SouthEast),
    ("south", Gravity::South),
    ("south-west", Gravity::SouthWest),
    ("west", Gravity::West),
    ("north-west", Gravity::NorthWest),
    ("attention", Gravity::Attention),
];

const SWITCH: [(&str, bool); 2] = [("true", true), ("false", false)];

/// All options of one job, complete and within their ranges. As JSON it is the job's `parameters`, in the row and to clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Pixels, 1 to the configured largest side.
    pub width: u32,
    /// Pixels, 1 to the configured largest side.
    pub height: u32,
    /// How the image meets the box.
    pub fit: Fit,
    /// What the thumbnail is encoded as.
    pub format: OutputFormat,
    /// Which part `cover` keeps.
    pub gravity: Gravity,
    /// Keep an animation where `format` can hold one.
    pub animated: bool,
    /// What shows through transparency where `format` has none.
    pub background: Rgb,
    /// For lossy formats, 1 to 100; none is imaging's default.
    pub quality: Option<u8>,
    /// Bytes that the thumbnail has at most; none is no bound.
    pub max_bytes: Option<u64>,
    /// Frames that the thumbnail has at most; none is no bound. Only a preset sets it.
    pub max_frames: Option<u32>,
    /// The preset that defaults came from.
    pub preset: Option<Preset>,
}

/// The client's options are wrong. The text is for the client: a sentence that names the option and what it takes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OptionError {
    /// No option has this name.
    #[error("There is no option \"{0}\".")]
    Unknown(String),
    /// The same option came twice, in the form or the query or in both.
    #[error("The option \"{0}\" is given more than once.")]
    Repeated(&'static str),
    /// The option takes only certain words.
    #[error("The option \"{name}\" takes one of: {allowed}.")]
    NotOneOf {
        /// The option.
        name: &'static str,
        /// The words, separated by commas.
        allowed: String,
    },
    /// The option takes whole numbers of a range.
    #[error("The option \"{name}\" takes a whole number from 1 to {max}.")]
    OutOfRange {
        /// The option.
        name: &'static str,
        /// The largest number, inclusive.
        max: u64,
    },
    /// The option takes a colour.
    #[error("The option \"{name}\" takes a colour like ffffff or #fff.")]
    NotAColour {
        /// The option.
        name: &'static str,
    },
}

/// Options as far as they are given; whatever is in it is within its range.
#[derive(Clone, Debug)]
pub struct Draft {
    max_output_side: u32,
    width: Option<u32>,
    height: Option<u32>,
    fit: Option<Fit>,
    format: Option<OutputFormat>,
    gravity: Option<Gravity>,
    animated: Option<bool>,
    background: Option<Rgb>,
    quality: Option<u8>,
    max_bytes: Option<u64>,
    preset: Option<Preset>,
}

impl Draft {
    /// No option is longer than this many bytes; a reader of forms may stop there.
    pub const MAX_VALUE_BYTES: usize = 64;

    /// The largest `max_bytes` that can be asked for: more than any thumbnail has.
    pub const MAX_MAX_BYTES: u64 = 64 * 1024 * 1024;

    /// Nothing given yet. `max_output_side` is the largest `width` and `height`, in pixels.
    pub const fn new(max_output_side: u32) -> Self {
        Self {
            max_output_side,
            width: None,
            height: None,
            fit: None,
            format: None,
            gravity: None,
            animated: None,
            background: None,
            quality: None,
            max_bytes: None,
            preset: None,
        }
    }

    /// Takes one option in.
    ///
    /// # Errors
    /// [`OptionError`] where no option has this name, the value is not one it takes, or the option is there already.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), OptionError> {
        let side = u64::from(self.max_output_side);
        match name {
            "width" => once("width", &mut self.width, |name| number(name, value, side)),
            "height" => once("height", &mut self.height, |name| number(name, value, side)),
            "fit" => once("fit", &mut self.fit, |name| word(name, value, &FITS)),
            "format" => once("format", &mut self.format, |name| {
                word(name, value, &OutputFormat::ALL.map(|format| (format.name(), format)))
            }),
            "gravity" => once("gravity", &mut self.gravity, |name| word(name, value, &GRAVITIES)),
            "animated" => once("animated", &mut self.animated, |name| word(name, value, &SWITCH)),
            "background" => once("background", &mut self.background, |name| {
                Rgb::parse(value).map_err(|_| OptionError::NotAColour { name })
            }),
            "quality" => once("quality", &mut self.quality, |name| number(name, value, 100)),
            "max_bytes" => {
                once("max_bytes", &mut self.max_bytes, |name| number(name, value, Self::MAX_MAX_BYTES))
            }
            "preset" => once("preset", &mut self.preset, |name| {
                word(name, value, &Preset::ALL.map(|preset| (preset.name(), preset)))
            }),
            // Only the head of what the client sent goes back to it.
            unknown => Err(OptionError::Unknown(unknown.chars().take(40).collect())),
        }
    }

    /// Fills in the defaults: those of the preset, then those of the service. `source_frames` is 1 for a still image.
    ///
    /// A preset's emoji of an animation is a GIF unless a format is asked for: the one animated format that each of the
    /// platforms takes.
    pub fn finish(self, source_frames: u32) -> Options {
        let animated = self.animated.unwrap_or(true);
        let side = self.preset.map_or(DEFAULT_SIDE, Preset::side).min(self.max_output_side);
        let format = match self.preset {
            Some(_) if animated && source_frames > 1 => OutputFormat::Gif,
            _ => OutputFormat::Png,
        };
        Options {
            width: self.width.unwrap_or(side),
            height: self.height.unwrap_or(side),
            fit: self.fit.unwrap_or_default(),
            format: self.format.unwrap_or(format),
            gravity: self.gravity.unwrap_or_default(),
            animated,
            background: self.background.unwrap_or(Rgb::WHITE),
            quality: self.quality,
            max_bytes: self.max_bytes.or(self.preset.map(Preset::max_bytes)),
            max_frames: self.preset.and_then(Preset::max_frames),
            preset: self.preset,
        }
    }
}

fn once<T>(
    name: &'static str,
    slot: &mut Option<T>,
    read: impl FnOnce(&'static str) -> Result<T, OptionError>,
) -> Result<(), OptionError> {
    if slot.is_some() {
        return Err(OptionError::Repeated(name));
    }
    *slot = Some(read(name)?);
    Ok(())
}

fn word<T: Copy>(name: &'static str, value: &str, words: &[(&str, T)]) -> Result<T, OptionError> {
    words.iter().find(|(word, _)| *word == value).map(|(_, meaning)| *meaning).ok_or_else(|| {
        let allowed = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        OptionError::NotOneOf { name, allowed }
    })
}

/// Digits only: `parse` alone would take "+5".
fn number<T: TryFrom<u64>>(name: &'static str, value: &str, max: u64) -> Result<T, OptionError> {
    let out_of_range = OptionError::OutOfRange { name, max };
    if !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(out_of_range);
    }
    let number = value.parse::<u64>().ok().filter(|number| (1..=max).contains(number));
    number.and_then(|number| T::try_from(number).ok()).ok_or(out_of_range)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(pairs: &[(&str, &str)]) -> Result<Draft, OptionError> {
        let mut draft = Draft::new(2048);
        pairs.iter().try_for_each(|(name, value)| draft.set(name, value))?;
        Ok(draft)
    }

    fn options(pairs: &[(&str, &str)]) -> Options {
        draft(pairs).unwrap().finish(1)
    }

    #[test]
    fn nothing_asked_is_a_png_of_100_by_100_that_covers() {
        let expected = Options {
            width: 100,
            height: 100,
            fit: Fit::Cover,
            format: OutputFormat::Png,
            gravity: Gravity::Center,
            animated: true,
            background: Rgb::WHITE,
            quality: None,
            max_bytes: None,
            max_frames: None,
            preset: None,
        };
        assert_eq!(options(&[]), expected);
    }

    #[test]
    fn takes_every_option() {
        let expected = Options {
            width: 1,
            height: 2048,
            fit: Fit::Contain,
            format: OutputFormat::Webp,
            gravity: Gravity::NorthWest,
            animated: false,
            background: Rgb { red: 0x11, green: 0x22, blue: 0x33 },
            quality: Some(100),
            max_bytes: Some(9),
            max_frames: Some(50),
            preset: Some(Preset::Slack),
        };
        let given = options(&[
            ("width", "1"),
            ("height", "2048"),
            ("fit", "contain"),
            ("format", "webp"),
            ("gravity", "north-west"),
            ("animated", "false"),
            ("background", "#123"),
            ("quality", "100"),
            ("max_bytes", "9"),
            ("preset", "slack"),
        ]);
        assert_eq!(given, expected);
    }

    #[test]
    fn refuses_what_is_out_of_range_and_says_what_is_in_it() {
        for (name, max) in [("width", 2048), ("height", 2048), ("quality", 100), ("max_bytes", 67_108_864)] {
            let above = (max + 1).to_string();
            for value in
                ["0", "-1", "+1", "", " 1", "1.0", "1e2", "0x10", "٣", "99999999999999999999", above.as_str()]
            {
                let error = draft(&[(name, value)]).unwrap_err();
                assert!(
                    matches!(error, OptionError::OutOfRange { max: m, .. } if m == max),
                    "{name}={value}"
                );
                assert_eq!(
                    error.to_string(),
                    format!("The option \"{name}\" takes a whole number from 1 to {max}.")
                );
            }
            assert!(draft(&[(name, &max.to_string())]).is_ok(), "{name}={max}");
        }
    }

    #[test]
    fn refuses_other_words_and_lists_its_own() {
        for (name, listed) in [
            ("fit", "cover, contain, fill"),
            ("format", "png, jpeg, webp, gif"),
            ("animated", "true, false"),
            ("preset", "slack, discord, mastodon"),
        ] {
            for value in ["x", "", "COVER", "png ", "1"] {
                let error = draft(&[(name, value)]).unwrap_err().to_string();
                assert_eq!(error, format!("The option \"{name}\" takes one of: {listed}."), "{name}={value}");
            }
        }
        assert!(draft(&[("gravity", "centre")]).is_err());
        assert_eq!(
            draft(&[("background", "red")]).unwrap_err(),
            OptionError::NotAColour { name: "background" }
        );
    }

    #[test]
    fn refuses_unknown_and_repeated_names() {
        assert_eq!(draft(&[("hieght", "5")]).unwrap_err(), OptionError::Unknown("hieght".into()));
        assert_eq!(draft(&[("width", "5"), ("width", "5")]).unwrap_err(), OptionError::Repeated("width"));
        let long = "x".repeat(1000);
        assert_eq!(draft(&[(&long, "5")]).unwrap_err(), OptionError::Unknown("x".repeat(40)));
    }

    #[test]
    fn a_preset_is_a_set_of_defaults_and_an_option_beside_it_wins() {
        for (preset, max_bytes, max_frames) in
            [("slack", 128_000, Some(50)), ("discord", 256_000, None), ("mastodon", 256_000, None)]
        {
            let given = options(&[("preset", preset)]);
            assert_eq!((given.width, given.height), (128, 128));
            assert_eq!((given.max_bytes, given.max_frames), (Some(max_bytes), max_frames));
        }
        let given = options(&[("max_bytes", "5000"), ("preset", "slack"), ("width", "64")]);
        assert_eq!((given.width, given.height, given.max_bytes), (64, 128, Some(5000)));
    }

    #[test]
    fn a_preset_never_exceeds_the_largest_side() {
        let mut draft = Draft::new(64);
        draft.set("preset", "slack").unwrap();
        assert_eq!(draft.finish(1).width, 64);
    }

    #[test]
    fn only_an_animation_under_a_preset_becomes_a_gif() {
        for (pairs, frames, format) in [
            (vec![("preset", "slack")], 2, OutputFormat::Gif),
            (vec![("preset", "slack")], 1, OutputFormat::Png),
            (vec![("preset", "slack"), ("animated", "false")], 2, OutputFormat::Png),
            (vec![("preset", "slack"), ("format", "webp")], 2, OutputFormat::Webp),
            (vec![], 2, OutputFormat::Png),
        ] {
            assert_eq!(draft(&pairs).unwrap().finish(frames).format, format, "{pairs:?}");
        }
    }

    #[test]
    fn the_row_gives_back_what_was_put_in() {
        let given = options(&[("preset", "slack"), ("background", "#123"), ("gravity", "south-east")]);
        let json = serde_json::to_string(&given).unwrap();
        assert_eq!(serde_json::from_str::<Options>(&json).unwrap(), given);
    }

    #[test]
    fn the_option_and_the_row_spell_a_word_alike() {
        for (word, fit) in FITS {
            assert_eq!(serde_json::to_string(&fit).unwrap(), format!("\"{word}\""));
        }
        for (word, gravity) in GRAVITIES {
            assert_eq!(serde_json::to_string(&gravity).unwrap(), format!("\"{word}\""));
        }
    }
}
