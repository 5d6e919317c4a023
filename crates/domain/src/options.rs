//! What a client asks a thumbnail to be: one row an option of `POST /jobs`, from which come its parser, its default, the sentence
//! that refuses a wrong value, the job's `parameters` and the table of docs/api.md.
//!
//! Two steps, because options arrive one by one (form fields, query) and some defaults depend on the image: a [`Draft`]
//! collects texts into typed values, [`Draft::finish`] fills in the rest.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::background::Background;
use crate::callback::CallbackUrl;
use crate::format::AskedFormat;
use crate::framing::{Fit, Gravity};
use crate::preset::{self, Preset};
use crate::variant::{self, Members, Variant, VariantName};

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
    /// At most so many variants, as JSON.
    Variants(u32),
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
            Self::Variants(max) => write!(
                f,
                "a JSON array of 1 to {max} objects, each with a \"name\" of its own (1 to {} of a-z, 0-9 and -) and options",
                VariantName::MAX_CHARS
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
    /// One of several thumbnails is asked for wrongly.
    #[error("In the variant \"{variant}\": {error}")]
    OfVariant {
        /// Its name.
        variant: VariantName,
        /// What is wrong in it.
        error: Box<Self>,
    },
}

/// The option that is for several thumbnails of one image; no row of the table, for it is none of each of them.
pub const VARIANTS: Row = Row {
    name: "variants",
    takes: Takes::Variants(variant::MAX_VARIANTS),
    meaning: "Several thumbnails of the one image, each with a name and options of its own; the other options of the request are the defaults of each",
    example: r#"[{"name":"small","width":64,"height":64},{"name":"card","width":640,"height":360,"format":"webp"}]"#,
};

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
            /// The thumbnails that are to be made instead of the one that the other options are of; none of them has variants itself.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            pub variants: Vec<Variant>,
        }

        impl Default for Options {
            /// What a client gets that asks for nothing.
            fn default() -> Self {
                Self { $($name: $default,)+ max_frames: None, variants: Vec::new() }
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
            /// One of several thumbnails, which has no option that is of the whole job.
            is_variant: bool,
            /// 0 where there are none.
            max_variants: u32,
            variants: Option<Vec<(VariantName, Draft)>>,
            callback: Option<CallbackUrl>,
            $($name: Option<$kind>,)+
        }

        impl Draft {
            /// Nothing given yet. `max_output_side` is the largest `width` and `height`, in pixels.
            pub const fn new(max_output_side: u32) -> Self {
                Self {
                    max_output_side,
                    is_variant: false,
                    max_variants: variant::MAX_VARIANTS,
                    variants: None,
                    callback: None,
                    $($name: None,)+
                }
            }

            fn has(&self, name: &str) -> bool {
                match name {
                    $(stringify!($name) => self.$name.is_some(),)+
                    name if name == CALLBACK.name => self.callback.is_some(),
                    _ => name == VARIANTS.name && self.variants.is_some(),
                }
            }

            /// What the value says, where it is one that the option takes.
            fn put(&mut self, row: &Row, value: &str) -> Result<(), OptionError> {
                match row.name {
                    $(stringify!($name) => {
                        self.$name = Some(<$kind>::read(value, row.takes).ok_or_else(|| row.refusal())?);
                    })+
                    name if name == CALLBACK.name => {
                        self.callback = Some(CallbackUrl::parse(value).ok_or_else(|| row.refusal())?);
                    }
                    _ => self.variants = Some(self.read_variants(row, value)?),
                }
                Ok(())
            }

            fn forget(&mut self, row: &Row) {
                match row.name {
                    $(stringify!($name) => self.$name = None,)+
                    name if name == CALLBACK.name => self.callback = None,
                    _ => self.variants = None,
                }
            }

            /// What is not given is as in `defaults`.
            fn or(self, defaults: &Self) -> Self {
                Self { $($name: self.$name.or(defaults.$name),)+ ..self }
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
    format: AskedFormat = AskedFormat::Png, Takes::OneOf(AskedFormat::WORDS),
        "What the thumbnail is encoded as; `auto` is the smallest that holds the picture of PNG, JPEG and, for clients that say in `Accept` that they take it, WebP", "webp";
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

/// Whether an option has this name, of a thumbnail or of its job.
pub fn is_option(name: &str) -> bool {
    TABLE.iter().chain([&CALLBACK, &VARIANTS]).any(|row| row.name == name)
}

impl Draft {
    /// Who is told when the job ends.
    pub const fn callback(&self) -> Option<&CallbackUrl> {
        self.callback.as_ref()
    }

    /// With so many variants at most; 0 is none, and then there is no such option.
    #[must_use]
    pub fn with_max_variants(self, max_variants: u32) -> Self {
        Self { max_variants, ..self }
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
        if name == VARIANTS.name && self.max_variants > 0 && !self.is_variant {
            return Ok(Row { takes: Takes::Variants(self.max_variants), ..VARIANTS });
        }
        let of_the_job = (!self.is_variant).then_some(&CALLBACK);
        let row = TABLE.iter().chain(of_the_job).find(|row| row.name == name).ok_or_else(unknown)?;
        Ok(Row { takes: row.takes.within(self.max_output_side), ..*row })
    }

    /// Takes one option in, whether or not it was given before; an empty value takes it back.
    ///
    /// # Errors
    /// [`OptionError`] where no option has this name, or the value is not one it takes.
    pub fn set_anew(&mut self, name: &str, value: &str) -> Result<(), OptionError> {
        let row = self.known(name)?;
        self.forget(&row);
        if value.is_empty() { Ok(()) } else { self.put(&row, value) }
    }

    /// Takes one option in.
    ///
    /// # Errors
    /// [`OptionError`] where no option has this name, the value is not one it takes, or the option is there already.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), OptionError> {
        let row = self.option(name)?;
        self.put(&row, value)
    }

    /// Fills in the defaults: those of the preset, then those of the service. `source_frames` is 1 for a still image.
    ///
    /// A preset's emoji of an animation is a GIF unless a format is asked for: the one animated format that each of the
    /// platforms takes.
    pub fn finish(mut self, source_frames: u32) -> Options {
        let variants = self.variants.take().unwrap_or_default().into_iter().map(|(name, draft)| {
            let options = draft.or(&self).finish_one(source_frames);
            Variant { name, options }
        });
        let variants = variants.collect();
        Options { variants, ..self.finish_one(source_frames) }
    }

    fn finish_one(self, source_frames: u32) -> Options {
        let mut options = Options::default();
        if let Some(preset) = self.preset.flatten() {
            let preset::Row { side, max_bytes, max_frames, .. } = *preset.row();
            options =
                Options { width: side, height: side, max_bytes: Some(max_bytes), max_frames, ..options };
            if source_frames > 1 && self.animated.unwrap_or(options.animated) {
                options.format = AskedFormat::Gif;
            }
        }
        options.width = options.width.min(self.max_output_side);
        options.height = options.height.min(self.max_output_side);
        self.override_in(options)
    }
}

impl Draft {
    fn read_variants(&self, row: &Row, text: &str) -> Result<Vec<(VariantName, Self)>, OptionError> {
        let refused = || row.refusal();
        if text.len() > row.max_value_bytes() {
            return Err(refused());
        }
        let objects: Vec<Members> = serde_json::from_str(text).map_err(|_| refused())?;
        let most = usize::try_from(self.max_variants).unwrap_or(usize::MAX);
        if !(1..=most).contains(&objects.len()) {
            return Err(refused());
        }
        let mut variants: Vec<(VariantName, Self)> = Vec::new();
        for Members(members) in objects {
            let (names, options): (Vec<_>, Vec<_>) =
                members.into_iter().partition(|(member, _)| member == "name");
            let [(_, name)] = &names[..] else { return Err(refused()) };
            let name = name.as_str().and_then(VariantName::parse);
            let name = name.filter(|name| !variants.iter().any(|(known, _)| known == name));
            let name = name.ok_or_else(refused)?;
            let mut draft = Self { is_variant: true, ..Self::new(self.max_output_side) };
            for (at, (option, value)) in options.iter().enumerate() {
                let is_repeated = options.iter().take(at).any(|(before, _)| before == option);
                let given = match is_repeated {
                    true => draft.known(option).and_then(|row| Err(OptionError::Repeated(row.name))),
                    false => draft.set_json(option, value),
                };
                given.map_err(|error| OptionError::OfVariant {
                    variant: name.clone(),
                    error: Box::new(error),
                })?;
            }
            variants.push((name, draft));
        }
        Ok(variants)
    }

    /// Takes one option in from JSON, where numbers and truth are themselves; null, as jobs show what has no value, is not given.
    fn set_json(&mut self, name: &str, value: &serde_json::Value) -> Result<(), OptionError> {
        match value {
            serde_json::Value::Null => self.known(name).map(drop),
            serde_json::Value::String(text) => self.set(name, text),
            serde_json::Value::Bool(_) | serde_json::Value::Number(_) => self.set(name, &value.to_string()),
            serde_json::Value::Array(_) | serde_json::Value::Object(_) => Err(self.option(name)?.refusal()),
        }
    }
}

impl Options {
    /// What is to be made: all variants, or where there are none, the one thumbnail that this is of.
    pub fn outputs(&self) -> Vec<(Option<&VariantName>, &Self)> {
        if self.variants.is_empty() {
            return vec![(None, self)];
        }
        self.variants.iter().map(|variant| (Some(&variant.name), &variant.options)).collect()
    }
}

impl Row {
    /// No value of it is longer than this many bytes; a reader of forms may stop there.
    pub const fn max_value_bytes(&self) -> usize {
        match self.takes {
            Takes::Url => CallbackUrl::MAX_BYTES,
            Takes::Variants(_) => variant::MAX_BYTES,
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

read_words!(Fit, Gravity, AskedFormat, Preset);
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
mod tests;
