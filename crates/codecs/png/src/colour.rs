//! What a file says of the colours that its numbers mean. Handed out as it stands: nothing here converts a colour.

use crate::chunks::be32;

/// The one statement that counts, of those that a file may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour<'a> {
    /// Nothing, or that they are sRGB.
    Srgb,
    /// iCCP: an ICC profile, as a zlib stream.
    DeflatedProfile(&'a [u8]),
    /// Something is there that can't be read.
    Broken,
    /// gAMA, and cHRM where there is one, both in fractions of 100,000: white, red, green and blue, x and y each.
    Gamma {
        /// Of the encoding: 45,455 is 1/2.2.
        exponent: u32,
        /// sRGB's where there are none.
        chromaticities: Option<[u32; 8]>,
    },
    /// cICP (ITU-T H.273), where it is about full-range RGB.
    Codes {
        /// Colour primaries.
        primaries: u8,
        /// Transfer characteristics.
        transfer: u8,
    },
}

/// The chunks about colour, each in its turn.
#[derive(Debug, Default)]
pub(crate) struct ColourChunks<'a> {
    srgb: bool,
    profile: Option<Colour<'a>>,
    codes: Option<Colour<'a>>,
    exponent: Option<u32>,
    chromaticities: Option<[u32; 8]>,
}

impl<'a> ColourChunks<'a> {
    /// Takes one up, the first of each kind; others leave it as it is.
    pub(crate) fn take(&mut self, kind: [u8; 4], body: &'a [u8]) {
        match &kind {
            b"sRGB" => self.srgb = true,
            b"iCCP" if self.profile.is_none() => self.profile = Some(deflated_profile(body)),
            b"cICP" if self.codes.is_none() => {
                self.codes = match *body {
                    // Only RGB (matrix 0) with the full range can stand in a PNG.
                    [primaries, transfer, 0, 1] => Some(Colour::Codes { primaries, transfer }),
                    _ => Some(Colour::Broken),
                }
            }
            b"gAMA" if self.exponent.is_none() => self.exponent = be32(body, 0),
            b"cHRM" if self.chromaticities.is_none() => {
                self.chromaticities = body.as_chunks::<4>().0.get(..8).and_then(|values| {
                    <[[u8; 4]; 8]>::try_from(values).ok().map(|values| values.map(u32::from_be_bytes))
                });
            }
            _ => {}
        }
    }

    /// In the order of precedence of section 4.3.
    pub(crate) fn colour(&self) -> Colour<'a> {
        if let Some(said) = self.codes.or(self.profile) {
            return said;
        }
        match self.exponent {
            Some(exponent) if !self.srgb => Colour::Gamma { exponent, chromaticities: self.chromaticities },
            _ => Colour::Srgb,
        }
    }
}

/// iCCP: a name, 0, the compression method (0), a zlib stream.
fn deflated_profile(body: &[u8]) -> Colour<'_> {
    let name = body.iter().take(80).position(|&byte| byte == 0);
    match name.and_then(|end| body.get(end + 1..)) {
        Some([0, stream @ ..]) => Colour::DeflatedProfile(stream),
        _ => Colour::Broken,
    }
}
