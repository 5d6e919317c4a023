//! What a client asks a thumbnail to be: one row an option of `POST /jobs`, from which come its parser, its default, the sentence
//! that refuses a wrong value, the job's `parameters` and the table of docs/api.md.
//!
//! Two steps, because options arrive one by one (form fields, query) and some defaults depend on the image: a [`Draft`]
//! collects texts into typed values, [`Draft::finish`] fills in the rest.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::background::Background;
use crate::callback::CallbackUrl;
use crate::format::OutputFormat;
use crate::framing::{Fit, Gravity};
use crate::preset::{self, Preset};

/// The largest `max_bytes` that can be asked for: more than any thumbnail has.
pub const MAX_MAX_BYTES: u64 = 64 * 1024 * 1024;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// As forms, queries and the job's `parameters` spell it.
    pub name: &'static str,
    /// What values it takes.
    pub takes: Takes,
    /// What it does.
    pub meaning: &'static str,
    /// A value that it takes.
    pub example: &'static str,
}

/// What values an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A whole number from 1 to the largest side of a thumbnail, which is configured.
    Side,
    /// A whole number from 1 to this.
    UpTo(u64),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// What [`Background::parse`] reads.
    Background,
    /// What [`CallbackUrl::parse`] reads.
    Url,
}

impl Takes {
    const fn within(self, max_output_side: u32) -> Self {
        match self {
            Self::Side => Self::UpTo(max_output_side as u64),
            other => other,
        }
    }
}

impl std::fmt::Display for Takes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Side => f.write_str("a whole number from 1 to the largest side"),
            Self::UpTo(max) => write!(f, "a whole number from 1 to {max}"),
            Self::OneOf(words) => write!(f, "one of: {}", words.join(", ")),
            Self::Background => f.write_str("transparent, or a colour like ffffff or #fff"),
            Self::Url => write!(
                f,
                "an address like https://hooks.example.com/thumbs, without user, password and fragment, of at most {} bytes",
                CallbackUrl::MAX_BYTES
            ),
        }
    }
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
    /// The option does not take this value.
    #[error("The option \"{name}\" takes {takes}.")]
    Invalid {
        /// The option.
        name: &'static str,
        /// What it takes instead.
        takes: Takes,
    },
}

macro_rules! options {
    ($($name:ident: $kind:ty = $default:expr, $takes:expr, $meaning:literal, $example:literal;)+) => {
        /// All options of one job, complete and within their ranges. As JSON it is the job's `parameters`, in the row and to
        /// clients; an option that is newer than a row has its default there.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct Options {
            $(#[doc = concat!($meaning, ".")] pub $name: $kind,)+
            /// Frames that the thumbnail has at most; none is no bound. Only a preset sets it.
            pub max_frames: Option<u32>,
        }

        impl Default for Options {
            /// What a client gets that asks for nothing.
            fn default() -> Self {
                Self { $($name: $default,)+ max_frames: None }
            }
        }

        /// All options, in the order of the documentation.
        pub const TABLE: &[Row] = &[
            $(Row { name: stringify!($name), takes: $takes, meaning: $meaning, example: $example },)+
        ];

        /// Options as far as they are given; whatever is in it is within its range.
        #[derive(Clone, Debug)]
        pub struct Draft {
            max_output_side: u32,
            callback: Option<CallbackUrl>,
            $($name: Option<$kind>,)+
        }

        impl Draft {
            /// Nothing given yet. `max_output_side` is the largest `width` and `height`, in pixels.
            pub const fn new(max_output_side: u32) -> Self {
                Self { max_output_side, callback: None, $($name: None,)+ }
            }

            fn has(&self, name: &str) -> bool {
                match name {
                    $(stringify!($name) => self.$name.is_some(),)+
                    name if name == CALLBACK.name => self.callback.is_some(),
                    _ => false,
                }
            }

            /// False where the value is not one that the option takes.
            fn put(&mut self, row: &Row, value: &str) -> bool {
                match row.name {
                    $(stringify!($name) => {
                        self.$name = <$kind>::read(value, row.takes);
                        self.$name.is_some()
                    })+
                    name if name == CALLBACK.name => {
                        self.callback = CallbackUrl::parse(value);
                        self.callback.is_some()
                    }
                    _ => false,
                }
            }

            fn forget(&mut self, row: &Row) {
                match row.name {
                    $(stringify!($name) => self.$name = None,)+
                    name if name == CALLBACK.name => self.callback = None,
                    _ => {}
                }
            }

            /// What is given replaces what is there.
            fn override_in(self, options: Options) -> Options {
                Options { $($name: self.$name.unwrap_or(options.$name),)+ ..options }
            }
        }
    };
}

options! {
    width: u32 = 100, Takes::Side,
        "Pixels from left to right", "320";
    height: u32 = 100, Takes::Side,
        "Pixels from top to bottom", "240";
    fit: Fit = Fit::Cover, Takes::OneOf(Fit::WORDS),
        "How the image meets the box: `cover` fills it and cuts, `contain` fits inside and pads, `fill` stretches", "contain";
    format: OutputFormat = OutputFormat::Png, Takes::OneOf(OutputFormat::WORDS),
        "What the thumbnail is encoded as", "webp";
    gravity: Gravity = Gravity::Center, Takes::OneOf(Gravity::WORDS),
        "Which part of the image `cover` keeps; `attention` is the part that draws the eye", "north-east";
    animated: bool = true, Takes::OneOf(&["true", "false"]),
        "Whether an animation stays one where the format can hold it", "false";
    background: Background = Background::Transparent, Takes::Background,
        "What `contain` pads with; in JPEG, which has no transparency, also what shows through it, white for `transparent`", "#1e90ff";
    quality: Option<u8> = None, Takes::UpTo(100),
        "How faithful JPEG and WebP are, 85 where it is not given; 100 is a lossless WebP", "85";
    lossless: bool = false, Takes::OneOf(&["true", "false"]),
        "Whether every pixel is kept as it is, also under `max_bytes`, which then costs frames and size alone: for WebP, and for PNG, which is so in any case but under a budget; not beside a `quality` below 100", "true";
    max_bytes: Option<u64> = None, Takes::UpTo(MAX_MAX_BYTES),
        "Bytes that the thumbnail has at most; what was given up for it is in the job", "20000";
    preset: Option<Preset> = None, Takes::OneOf(Preset::WORDS),
        "Defaults of other options that make a custom emoji of this platform; an option beside it wins", "slack";
}

/// Who is told when the job ends. It is no row of [`TABLE`], for no thumbnail follows from it: it is not among a job's `parameters`, and what was
/// made with another is the same.
pub const CALLBACK: Row = Row {
    name: "callback_url",
    takes: Takes::Url,
    meaning: "Who is told when the job ends, of the hosts that the operator allows (docs/WEBHOOKS.md)",
    example: "https://hooks.example.com/thumbs",
};

impl Draft {
    /// Who is told when the job ends.
    pub const fn callback(&self) -> Option<&CallbackUrl> {
        self.callback.as_ref()
    }

    /// The option of this name, if it may still be given: asked before its value is read.
    ///
    /// # Errors
    /// [`OptionError::Unknown`], [`OptionError::Repeated`].
    pub fn option(&self, name: &str) -> Result<Row, OptionError> {
        let row = self.known(name)?;
        if self.has(name) {
            return Err(OptionError::Repeated(row.name));
        }
        Ok(row)
    }

    /// The option of this name, given or not.
    ///
    /// # Errors
    /// [`OptionError::Unknown`].
    pub fn known(&self, name: &str) -> Result<Row, OptionError> {
        // Only the head of what the client sent goes back to it.
        let unknown = || OptionError::Unknown(name.chars().take(40).collect());
        let row = TABLE.iter().chain([&CALLBACK]).find(|row| row.name == name).ok_or_else(unknown)?;
        Ok(Row { takes: row.takes.within(self.max_output_side), ..*row })
    }

    /// Takes one option in, whether or not it was given before; an empty value takes it back.
    ///
    /// # Errors
    /// [`OptionError`] where no option has this name, or the value is not one it takes.
    pub fn set_anew(&mut self, name: &str, value: &str) -> Result<(), OptionError> {
        let row = self.known(name)?;
        self.forget(&row);
        if value.is_empty() || self.put(&row, value) { Ok(()) } else { Err(row.refusal()) }
    }

    /// Takes one option in.
    ///
    /// # Errors
    /// [`OptionError`] where no option has this name, the value is not one it takes, or the option is there already.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), OptionError> {
        let row = self.option(name)?;
        if self.put(&row, value) { Ok(()) } else { Err(row.refusal()) }
    }

    /// Fills in the defaults: those of the preset, then those of the service. `source_frames` is 1 for a still image.
    ///
    /// A preset's emoji of an animation is a GIF unless a format is asked for: the one animated format that each of the
    /// platforms takes.
    pub fn finish(self, source_frames: u32) -> Options {
        let mut options = Options::default();
        if let Some(preset) = self.preset.flatten() {
            let preset::Row { side, max_bytes, max_frames, .. } = *preset.row();
            options =
                Options { width: side, height: side, max_bytes: Some(max_bytes), max_frames, ..options };
            if source_frames > 1 && self.animated.unwrap_or(options.animated) {
                options.format = OutputFormat::Gif;
            }
        }
        options.width = options.width.min(self.max_output_side);
        options.height = options.height.min(self.max_output_side);
        self.override_in(options)
    }
}

impl Row {
    /// No value of it is longer than this many bytes; a reader of forms may stop there.
    pub const fn max_value_bytes(&self) -> usize {
        match self.takes {
            Takes::Url => CallbackUrl::MAX_BYTES,
            _ => 64,
        }
    }

    /// For a value that the option does not take.
    pub const fn refusal(&self) -> OptionError {
        OptionError::Invalid { name: self.name, takes: self.takes }
    }
}

/// Reads a value of an option.
trait Value: Sized {
    /// None where the option does not take this.
    fn read(text: &str, takes: Takes) -> Option<Self>;
}

impl<T: Value> Value for Option<T> {
    fn read(text: &str, takes: Takes) -> Option<Self> {
        T::read(text, takes).map(Some)
    }
}

macro_rules! read_words {
    ($($kind:ty),+) => {
        $(impl Value for $kind {
            fn read(text: &str, _: Takes) -> Option<Self> {
                Self::from_name(text)
            }
        })+
    };
}

macro_rules! read_numbers {
    ($($kind:ty),+) => {
        $(impl Value for $kind {
            fn read(text: &str, takes: Takes) -> Option<Self> {
                number(text, takes).and_then(|number| Self::try_from(number).ok())
            }
        })+
    };
}

read_words!(Fit, Gravity, OutputFormat, Preset);
read_numbers!(u8, u32, u64);

impl Value for bool {
    fn read(text: &str, _: Takes) -> Option<Self> {
        text.parse().ok()
    }
}

impl Value for Background {
    fn read(text: &str, _: Takes) -> Option<Self> {
        Self::parse(text).ok()
    }
}

/// Digits only: `parse` alone would take "+5".
fn number(text: &str, takes: Takes) -> Option<u64> {
    let Takes::UpTo(max) = takes else { return None };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && (1..=max).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rgb::Rgb;

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
            background: Background::Transparent,
            quality: None,
            lossless: false,
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
            background: Background::Colour(Rgb { red: 0x11, green: 0x22, blue: 0x33 }),
            quality: Some(100),
            lossless: true,
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
            ("lossless", "true"),
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
                let error = draft(&[(name, value)]).unwrap_err().to_string();
                let expected = format!("The option \"{name}\" takes a whole number from 1 to {max}.");
                assert_eq!(error, expected, "{name}={value}");
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
            ("lossless", "true, false"),
            ("preset", "slack, discord, mastodon"),
        ] {
            for value in ["x", "", "COVER", "png ", "1"] {
                let error = draft(&[(name, value)]).unwrap_err().to_string();
                assert_eq!(error, format!("The option \"{name}\" takes one of: {listed}."), "{name}={value}");
            }
        }
        assert!(draft(&[("gravity", "centre")]).is_err());
        assert_eq!(
            draft(&[("background", "red")]).unwrap_err().to_string(),
            "The option \"background\" takes transparent, or a colour like ffffff or #fff."
        );
    }

    #[test]
    fn every_option_takes_its_words_and_its_example() {
        for row in TABLE {
            let words = if let Takes::OneOf(words) = row.takes { words } else { &[] };
            for value in words.iter().chain([&row.example]) {
                let given = draft(&[(row.name, value)]).unwrap().finish(1);
                assert_eq!(given == Options::default(), is_default(row.name, value), "{}={value}", row.name);
                assert!(value.len() <= row.max_value_bytes(), "{}={value}", row.name);
            }
            assert!(!is_default(row.name, row.example), "{}: an example changes something", row.name);
        }
    }

    fn is_default(name: &str, value: &str) -> bool {
        let defaults = serde_json::to_value(Options::default()).unwrap();
        defaults[name].as_str().map_or_else(|| defaults[name].to_string(), str::to_owned) == value
    }

    #[test]
    fn refuses_unknown_and_repeated_names() {
        assert_eq!(draft(&[("hieght", "5")]).unwrap_err(), OptionError::Unknown("hieght".into()));
        assert_eq!(draft(&[("width", "5"), ("width", "5")]).unwrap_err(), OptionError::Repeated("width"));
        let long = "x".repeat(1000);
        assert_eq!(draft(&[(&long, "5")]).unwrap_err(), OptionError::Unknown("x".repeat(40)));
    }

    #[test]
    fn an_option_that_is_set_anew_replaces_the_one_before_and_an_empty_value_takes_it_back() {
        let mut draft = draft(&[("width", "5"), ("quality", "50")]).unwrap();
        draft.set_anew("width", "7").unwrap();
        draft.set_anew("quality", "").unwrap();
        assert_eq!(draft.clone().finish(1), options(&[("width", "7")]));
        assert_eq!(draft.set_anew("hieght", "5").unwrap_err(), OptionError::Unknown("hieght".into()));
        assert!(draft.set_anew("width", "0").is_err());
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
    fn a_row_that_is_older_than_an_option_has_its_default() {
        assert_eq!(
            serde_json::from_str::<Options>("{\"width\":50}").unwrap(),
            Options { width: 50, ..Options::default() }
        );
    }
}
