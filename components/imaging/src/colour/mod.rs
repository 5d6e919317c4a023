//! From what a file's numbers mean to sRGB.
//!
//! - `curve`, `shaper`: a curve for each channel and a matrix, which describe nearly all profiles of photographs
//! - `icc`: profiles (ICC.1), through `shaper` where they are that simple, else through `moxcms`
//! - `declared`: colours by numbers: PNG's gAMA and cHRM, or codes as in cICP and nclx; `hdr`: of these, high dynamic range
//! - `matrix`: luma and colour differences, of HEIC and AVIF
//! - `ink`: cyan, magenta, yellow and black
//!
//! RGB is converted after it was resampled: that is exact up to what averaging in another encoding does, works on few
//! pixels, and on values that still have their fractions. Inks are converted before: means of inks are not inks of means.

mod curve;
mod declared;
mod hdr;
mod icc;
mod ink;
mod matrix;
mod shaper;

use std::sync::Arc;

use crate::header::{Colour, Model};
use crate::resample::Pixel;

use hdr::Hdr;
use icc::Table;
use shaper::Shaper;

pub(crate) use ink::Inks;
pub(crate) use matrix::Matrix;

/// What turns resampled RGB or grey values into bytes of sRGB. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Converter {
    /// They are sRGB.
    Srgb,
    Shaped(Arc<Shaper>),
    Hdr(Arc<Hdr>),
    Table(Arc<Table>),
}

impl Converter {
    /// For pictures of RGB or grey values. The second is whether something the file says could not be used; the colours
    /// are then taken as sRGB.
    pub(crate) fn new(colour: &Colour<'_>, model: Model) -> (Self, bool) {
        let converter = match colour {
            // The inks' profile was used up when they were converted.
            Colour::Srgb => Some(Self::Srgb),
            _ if model == Model::Inks => Some(Self::Srgb),
            Colour::Icc(_) | Colour::DeflatedIcc(_) => {
                icc::profile(colour).and_then(|bytes| icc::converter(&bytes, model))
            }
            Colour::Gamma { exponent, chromaticities } => declared::gamma(*exponent, chromaticities.as_ref()),
            Colour::Codes { primaries, transfer } => declared::codes(*primaries, *transfer),
            Colour::Broken => None,
        };
        match converter {
            Some(converter) => (converter, false),
            None => (Self::Srgb, true),
        }
    }

    /// Where a shaper changes nothing that would be seen, there is none.
    fn shaped(shaper: Shaper) -> Self {
        if shaper.is_identity() { Self::Srgb } else { Self::Shaped(Arc::new(shaper)) }
    }

    /// Appends a row of `R G B A` bytes: alpha divided out, converted, rounded once.
    pub(crate) fn store(&self, row: &[Pixel], rgba: &mut Vec<u8>) {
        match self {
            Self::Srgb => {
                let begin = rgba.len();
                rgba.resize(begin + 4 * row.len(), 0);
                let stored = rgba.get_mut(begin..).unwrap_or_default().as_chunks_mut::<4>().0;
                for (stored, &pixel) in stored.iter_mut().zip(row) {
                    *stored = straight(pixel).map(byte);
                }
            }
            Self::Shaped(shaper) => rgba.extend(row.iter().flat_map(|&pixel| {
                let [red, green, blue, alpha] = straight(pixel);
                let [red, green, blue] = shaper.to_srgb([red, green, blue]).map(byte);
                [red, green, blue, byte(alpha)]
            })),
            Self::Hdr(hdr) => rgba.extend(row.iter().flat_map(|&pixel| {
                let [red, green, blue, alpha] = straight(pixel);
                let [red, green, blue] = hdr.to_srgb([red, green, blue]).map(byte);
                [red, green, blue, byte(alpha)]
            })),
            Self::Table(table) => {
                let straight: Vec<Pixel> = row.iter().map(|&pixel| straight(pixel)).collect();
                let colours = table.to_srgb(&straight);
                rgba.extend(
                    straight
                        .iter()
                        .zip(colours)
                        .flat_map(|(pixel, [red, green, blue])| [red, green, blue, byte(pixel[3])]),
                );
            }
        }
    }
}

impl std::fmt::Debug for Converter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Srgb => "Srgb",
            Self::Shaped(_) => "Shaped",
            Self::Hdr(_) => "Hdr",
            Self::Table(_) => "Table",
        })
    }
}

/// Without alpha multiplied in, all channels 0 to 255; invisible pixels are black.
fn straight(pixel: Pixel) -> Pixel {
    let [red, green, blue, alpha] = pixel;
    if alpha < 0.5 {
        return [0.0; 4];
    }
    let cover = 255.0 / alpha;
    let channel = |value: f32| (value * cover).clamp(0.0, 255.0);
    // Not `min`, which is a function call on wasm.
    [channel(red), channel(green), channel(blue), if alpha < 255.0 { alpha } else { 255.0 }]
}

/// Rounds to the nearest.
fn byte(value: f32) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts of floats saturate")]
    let byte = (value + 0.5) as u8;
    byte
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(pixel: Pixel) -> Vec<u8> {
        let mut rgba = Vec::new();
        Converter::Srgb.store(&[pixel], &mut rgba);
        rgba
    }

    #[test]
    fn divides_alpha_out_and_rounds() {
        assert_eq!(stored([100.4, 100.5, -3.0, 255.0]), [100, 101, 0, 255]);
        assert_eq!(stored([50.0, 127.5, 25.0, 127.5]), [100, 255, 50, 128]);
        assert_eq!(stored([300.0, 9.0, 9.0, 270.0]), [255, 9, 9, 255]);
        assert_eq!(stored([0.3, 0.3, 0.3, 0.4]), [0, 0, 0, 0], "invisible");
    }

    #[test]
    fn what_can_not_be_used_is_said() {
        let unusable = [
            Colour::Broken,
            Colour::Icc(vec![b"not a profile"]),
            Colour::DeflatedIcc(b"not zlib"),
            Colour::Gamma { exponent: 0, chromaticities: None },
            Colour::Codes { primaries: 9, transfer: 17 },
        ];
        for colour in unusable {
            let (converter, ignored) = Converter::new(&colour, Model::Rgb);
            assert!(ignored && matches!(converter, Converter::Srgb), "{colour:?}");
        }
        assert!(!Converter::new(&Colour::Srgb, Model::Rgb).1);
    }
}
