//! What IHDR says of the samples (PNG specification, section 11.2.1), all checked.

use crate::error::Error;

/// Largest side the format allows.
const MAX_SIDE: u32 = 0x7FFF_FFFF;

/// Size and samples of a picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Format {
    /// In pixels, not 0.
    pub(crate) width: u32,
    /// In pixels, not 0.
    pub(crate) height: u32,
    /// Bits of a sample, or of an index.
    pub(crate) depth: u8,
    /// 0 grey, 2 RGB, 3 indexed, 4 grey with alpha, 6 RGB with alpha.
    pub(crate) colour_type: u8,
    pub(crate) interlaced: bool,
}

impl Format {
    /// From the body of an IHDR chunk.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub(crate) fn read(body: &[u8]) -> Result<Self, Error> {
        let Some(&[a, b, c, d, e, f, g, h, depth, colour_type, compression, filter, interlace]) =
            body.first_chunk()
        else {
            return Err(Error::Malformed("the image header is cut short"));
        };
        let (width, height) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
        if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
            return Err(Error::Malformed("a side is out of range"));
        }
        let depth_is_valid = match colour_type {
            0 => matches!(depth, 1 | 2 | 4 | 8 | 16),
            3 => matches!(depth, 1 | 2 | 4 | 8),
            2 | 4 | 6 => matches!(depth, 8 | 16),
            _ => false,
        };
        if !depth_is_valid {
            return Err(Error::Malformed("the colour type and bit depth do not go together"));
        }
        if compression != 0 || filter != 0 || interlace > 1 {
            return Err(Error::Malformed("the compression, filter or interlace method is unknown"));
        }
        Ok(Self { width, height, depth, colour_type, interlaced: interlace == 1 })
    }

    /// 1 for an index.
    pub(crate) const fn channels(&self) -> usize {
        match self.colour_type {
            2 => 3,
            4 => 2,
            6 => 4,
            _ => 1,
        }
    }

    /// 1 where a byte holds several pixels.
    pub(crate) const fn bytes_per_pixel(&self) -> usize {
        (self.channels() * self.depth as usize).div_ceil(8)
    }

    /// Of a row of `width` pixels, without the filter.
    pub(crate) const fn row_bytes(&self, width: u32) -> usize {
        (self.channels() * self.depth as usize * width as usize).div_ceil(8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(width: u32, height: u32, depth: u8, colour_type: u8) -> Vec<u8> {
        [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, colour_type, 0, 0, 0]].concat()
    }

    #[test]
    fn knows_which_depths_go_with_which_colour_types() {
        for colour_type in 0..=255 {
            for depth in 0..=255 {
                let valid = match colour_type {
                    0 => [1, 2, 4, 8, 16].contains(&depth),
                    3 => [1, 2, 4, 8].contains(&depth),
                    2 | 4 | 6 => [8, 16].contains(&depth),
                    _ => false,
                };
                assert_eq!(Format::read(&body(1, 1, depth, colour_type)).is_ok(), valid);
            }
        }
    }

    #[test]
    fn refuses_sides_out_of_range() {
        for (width, height) in [(0, 1), (1, 0), (0x8000_0000, 1), (1, u32::MAX)] {
            assert!(matches!(Format::read(&body(width, height, 8, 2)), Err(Error::Malformed(_))));
        }
    }
}
