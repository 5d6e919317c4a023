//! What a thumbnail stands on: the option `background`.

use serde::{Deserialize, Serialize};

use crate::rgb::{NotAColour, Rgb};

/// Nothing, or a colour; as text `transparent` or `#rrggbb`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Background {
    /// Padding is transparent, and so stays what is; white in a format without transparency.
    #[default]
    Transparent,
    /// What pads, and what shows through transparency in a format that has none.
    Colour(Rgb),
}

const TRANSPARENT: &str = "transparent";

impl Background {
    /// # Errors
    /// [`NotAColour`] for what is neither `transparent` nor what [`Rgb::parse`] reads.
    pub fn parse(text: &str) -> Result<Self, NotAColour> {
        if text == TRANSPARENT { Ok(Self::Transparent) } else { Rgb::parse(text).map(Self::Colour) }
    }

    /// None where it is transparent.
    pub const fn colour(self) -> Option<Rgb> {
        match self {
            Self::Transparent => None,
            Self::Colour(colour) => Some(colour),
        }
    }
}

impl TryFrom<String> for Background {
    type Error = NotAColour;

    fn try_from(text: String) -> Result<Self, NotAColour> {
        Self::parse(&text)
    }
}

impl From<Background> for String {
    fn from(background: Background) -> Self {
        background.colour().map_or_else(|| TRANSPARENT.to_owned(), Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let blue = Background::Colour(Rgb { red: 0x11, green: 0x22, blue: 0xff });
        for (text, background) in [("transparent", Background::Transparent), ("#1122ff", blue)] {
            assert_eq!(Background::parse(text), Ok(background));
            assert_eq!(String::from(background), text);
        }
        for text in ["", "Transparent", "none", "red"] {
            assert_eq!(Background::parse(text), Err(NotAColour), "{text}");
        }
    }
}
