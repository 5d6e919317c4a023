//! Rows of samples as rows of pixels: palettes looked up, samples of fewer than 8 bits and colours that
//! are declared transparent spelt out.

use crate::error::Error;
use crate::format::Format;
use crate::header::Palette;
use crate::row::{Depth, Layout};

/// What is done to a row.
#[derive(Debug)]
pub(crate) struct Expander {
    layout: Layout,
    how: How,
}

#[derive(Debug)]
enum How {
    /// Nothing.
    AsStored,
    /// Indices, or grey, of 1, 2, 4 or 8 bits.
    Table { bits: u8, pixels: Box<[[u8; 4]; 256]> },
    /// One colour is transparent.
    Key { colour: Vec<u8>, sample_bytes: usize },
}

impl Expander {
    pub(crate) fn new(format: &Format, palette: &Palette<'_>) -> Result<Self, Error> {
        let depth = if format.depth == 16 { Depth::Sixteen } else { Depth::Eight };
        let channels = format.channels();
        match (format.colour_type, format.depth) {
            (3, bits) => Self::indexed(bits, palette),
            (0, bits @ (1 | 2 | 4)) => Ok(Self::small_grey(bits, palette)),
            (4 | 6, _) => {
                Ok(Self { layout: Layout { channels, depth, has_alpha: true }, how: How::AsStored })
            }
            _ => Ok(match palette.transparency.and_then(|body| body.get(..2 * channels)) {
                None => Self { layout: Layout { channels, depth, has_alpha: false }, how: How::AsStored },
                Some(words) => {
                    // Samples stand in 16 bits each, whatever their depth.
                    let (colour, sample_bytes) = match depth {
                        Depth::Eight => (words.iter().copied().skip(1).step_by(2).collect(), 1),
                        Depth::Sixteen => (words.to_vec(), 2),
                    };
                    let layout = Layout { channels: channels + 1, depth, has_alpha: true };
                    Self { layout, how: How::Key { colour, sample_bytes } }
                }
            }),
        }
    }

    fn indexed(bits: u8, palette: &Palette<'_>) -> Result<Self, Error> {
        if palette.colours.len() < 3 {
            return Err(Error::Malformed("there is no palette"));
        }
        // Indices beyond the palette are black, as everywhere.
        let mut pixels = Box::new([[0, 0, 0, 255]; 256]);
        for (pixel, &[red, green, blue]) in pixels.iter_mut().zip(palette.colours.as_chunks::<3>().0) {
            *pixel = [red, green, blue, 255];
        }
        let alphas = palette.transparency.unwrap_or_default();
        for (pixel, &alpha) in pixels.iter_mut().zip(alphas) {
            pixel[3] = alpha;
        }
        let opaque = pixels.iter().all(|pixel| pixel[3] == 255);
        let layout = if opaque { Layout::RGBX } else { Layout::RGBA };
        Ok(Self { layout, how: How::Table { bits, pixels } })
    }

    fn small_grey(bits: u8, palette: &Palette<'_>) -> Self {
        let most = (1u16 << bits) - 1;
        let mut pixels = Box::new([[0, 0, 0, 255]; 256]);
        for (pixel, level) in pixels.iter_mut().zip(0..=most) {
            let grey = (level * 255 / most) as u8;
            *pixel = [grey, grey, grey, 255];
        }
        let key =
            palette.transparency.and_then(|body| body.first_chunk()).map(|&word| u16::from_be_bytes(word));
        if let Some(key) = key
            && let Some(pixel) = pixels.get_mut(usize::from(key & most))
        {
            pixel[3] = 0;
        }
        let layout = if key.is_some() { Layout::RGBA } else { Layout::RGBX };
        Self { layout, how: How::Table { bits, pixels } }
    }

    /// Of the rows that [`Expander::expand`] gives.
    pub(crate) const fn layout(&self) -> Layout {
        self.layout
    }

    /// The row as pixels, which are either the samples themselves or put into `pixels`.
    pub(crate) fn expand<'r>(&self, samples: &'r [u8], pixels: &'r mut Vec<u8>) -> &'r [u8] {
        match &self.how {
            How::AsStored => return samples,
            How::Table { bits, pixels: table } => {
                pixels.clear();
                match bits {
                    8 => pixels.extend(samples.iter().flat_map(|&index| table[usize::from(index)])),
                    // Bits that fill the last byte come out as pixels beyond the row, which nobody reads.
                    &bits => {
                        let mask = (1 << bits) - 1;
                        let shifts = (0..8 / bits).rev().map(|place| place * bits);
                        for &byte in samples {
                            pixels.extend(
                                shifts.clone().flat_map(|shift| table[usize::from(byte >> shift & mask)]),
                            );
                        }
                    }
                }
            }
            How::Key { colour, sample_bytes } => {
                pixels.clear();
                for pixel in samples.chunks_exact(colour.len()) {
                    let alpha = if pixel == colour { 0 } else { 255 };
                    pixels.extend_from_slice(pixel);
                    pixels.extend_from_slice(&[alpha, alpha][..*sample_bytes]);
                }
            }
        }
        pixels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(colour_type: u8, depth: u8, palette: &Palette<'_>, samples: &[u8]) -> (Layout, Vec<u8>) {
        let format = Format { width: 1, height: 1, depth, colour_type, interlaced: false };
        let expander = Expander::new(&format, palette).unwrap();
        let mut pixels = Vec::new();
        let row = expander.expand(samples, &mut pixels).to_vec();
        (expander.layout(), row)
    }

    #[test]
    fn small_samples_are_spelt_out() {
        let plain = Palette::default();
        let first = |bits, byte| {
            let (layout, row) = expand(0, bits, &plain, &[byte]);
            assert_eq!(layout, Layout::RGBX);
            row.as_chunks::<4>().0.iter().map(|pixel| pixel[0]).collect::<Vec<_>>()
        };
        assert_eq!(first(1, 0b1010_0000), [255, 0, 255, 0, 0, 0, 0, 0]);
        assert_eq!(first(2, 0b0001_1011), [0, 85, 170, 255]);
        assert_eq!(first(4, 0x1F), [17, 255]);
    }

    #[test]
    fn palettes_are_looked_up_with_their_alpha() {
        let palette = Palette { colours: &[1, 2, 3, 4, 5, 6], transparency: Some(&[9]) };
        let (layout, row) = expand(3, 8, &palette, &[0, 1, 200]);
        assert_eq!((layout, row), (Layout::RGBA, vec![1, 2, 3, 9, 4, 5, 6, 255, 0, 0, 0, 255]));
        let opaque = Palette { colours: &[1, 2, 3], transparency: Some(&[255]) };
        assert_eq!(expand(3, 8, &opaque, &[0]).0, Layout::RGBX);
    }

    #[test]
    fn the_transparent_colour_is_found_at_its_depth() {
        let key = Palette { colours: &[], transparency: Some(&[0, 7, 0, 8, 0, 9]) };
        let (layout, row) = expand(2, 8, &key, &[7, 8, 9, 7, 8, 8]);
        assert_eq!((layout, row), (Layout::RGBA, vec![7, 8, 9, 0, 7, 8, 8, 255]));
        let (layout, row) = expand(0, 16, &key, &[0, 7, 1, 7]);
        assert_eq!(
            (layout.channels, layout.depth, row),
            (2, Depth::Sixteen, vec![0, 7, 0, 0, 1, 7, 255, 255])
        );
        let (layout, row) =
            expand(0, 4, &Palette { colours: &[], transparency: Some(&[0xFF, 0xF2]) }, &[0x23]);
        assert_eq!((layout, row), (Layout::RGBA, vec![34, 34, 34, 0, 51, 51, 51, 255]));
    }

    #[test]
    fn indices_need_a_palette() {
        let format = Format { width: 1, height: 1, depth: 8, colour_type: 3, interlaced: false };
        assert!(Expander::new(&format, &Palette::default()).is_err());
    }
}
