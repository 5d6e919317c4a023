//! A colour, as the `background` option names it.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An opaque sRGB colour; `#rrggbb` as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rgb {
    /// 0 to 255.
    pub red: u8,
    /// 0 to 255.
    pub green: u8,
    /// 0 to 255.
    pub blue: u8,
}

/// The text is neither `rrggbb` nor `rgb` in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a colour like ffffff or #fff")]
pub struct NotAColour;

impl Rgb {
    /// What shows through where nobody asked for another colour.
    pub const WHITE: Self = Self { red: 255, green: 255, blue: 255 };

    /// Reads `rrggbb` or `rgb`, with or without `#`, in either case of letters (CSS Color 4, section 5.2, without alpha).
    ///
    /// # Errors
    /// [`NotAColour`] for anything else.
    pub fn parse(text: &str) -> Result<Self, NotAColour> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        let nibbles = digits
            .chars()
            .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()).ok_or(NotAColour))
            .collect::<Result<Vec<u8>, _>>()?;
        match *nibbles.as_slice() {
            [r, g, b] => Ok(Self { red: r * 17, green: g * 17, blue: b * 17 }),
            [r1, r0, g1, g0, b1, b0] => {
                Ok(Self { red: r1 << 4 | r0, green: g1 << 4 | g0, blue: b1 << 4 | b0 })
            }
            _ => Err(NotAColour),
        }
    }
}

impl std::fmt::Display for Rgb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

impl TryFrom<String> for Rgb {
    type Error = NotAColour;

    fn try_from(text: String) -> Result<Self, NotAColour> {
        Self::parse(&text)
    }
}

impl From<Rgb> for String {
    fn from(colour: Rgb) -> Self {
        colour.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_short_and_long_forms() {
        for (text, colour) in [
            ("ffffff", Rgb::WHITE),
            ("#FFF", Rgb::WHITE),
            ("#102030", Rgb { red: 0x10, green: 0x20, blue: 0x30 }),
            ("1a9", Rgb { red: 0x11, green: 0xaa, blue: 0x99 }),
        ] {
            assert_eq!(Rgb::parse(text), Ok(colour), "{text}");
            assert_eq!(Rgb::parse(&colour.to_string()), Ok(colour));
        }
    }

    #[test]
    fn refuses_other_texts() {
        for text in
            ["", "#", "ff", "ffff", "fffff", "fffffff", "##ffffff", "white", "fffffg", "+fffff", "é12345"]
        {
            assert_eq!(Rgb::parse(text), Err(NotAColour), "{text}");
        }
    }
}
