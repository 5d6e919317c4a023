//! How a stored image is shown: the eight ways of EXIF (CIPA DC-008, tag 0x0112). Pixels are moved only here, and only
//! after they were resampled, when there are few of them.

use crate::raster::Raster;

/// One of the eight ways. Shown pixel (X, Y) is stored pixel (x, y), where x comes from X, or from Y where the axes are
/// swapped, and counts from the far side where that stored axis is reversed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Orientation(u8);

impl Orientation {
    /// As stored.
    pub(crate) const UPRIGHT: Self = Self(1);

    /// Values other than 1 to 8 are as stored.
    pub(crate) const fn new(exif: u8) -> Self {
        if matches!(exif, 1..=8) { Self(exif) } else { Self::UPRIGHT }
    }

    /// 1 to 8.
    pub(crate) const fn exif(self) -> u8 {
        self.0
    }

    /// Shown rows are stored columns.
    pub(crate) const fn swaps_axes(self) -> bool {
        self.0 >= 5
    }

    /// The stored columns run against the axis of the shown image they end up on.
    pub(crate) const fn reverses_columns(self) -> bool {
        matches!(self.0, 2 | 3 | 7 | 8)
    }

    /// The stored rows run against the axis of the shown image they end up on.
    pub(crate) const fn reverses_rows(self) -> bool {
        matches!(self.0, 3 | 4 | 6 | 7)
    }

    /// From stored to shown sides, or back: both are the same exchange.
    pub(crate) const fn sides(self, width: u32, height: u32) -> (u32, u32) {
        if self.swaps_axes() { (height, width) } else { (width, height) }
    }

    /// The raster as shown.
    pub(crate) fn apply(self, stored: Raster) -> Raster {
        if self == Self::UPRIGHT {
            return stored;
        }
        let (stored_width, stored_height) = (stored.width() as usize, stored.height() as usize);
        let (width, height) = self.sides(stored.width(), stored.height());
        let mut rgba = Vec::with_capacity(stored.rgba().len());
        for shown_y in 0..height as usize {
            for shown_x in 0..width as usize {
                let (along_columns, along_rows) =
                    if self.swaps_axes() { (shown_y, shown_x) } else { (shown_x, shown_y) };
                let x =
                    if self.reverses_columns() { stored_width - 1 - along_columns } else { along_columns };
                let y = if self.reverses_rows() { stored_height - 1 - along_rows } else { along_rows };
                let at = 4 * (y * stored_width + x);
                rgba.extend_from_slice(&stored.rgba()[at..at + 4]);
            }
        }
        Raster::new(width, height, rgba).unwrap_or(stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3x2, each pixel its own letter: `abc` over `def`.
    fn letters() -> Raster {
        Raster::new(3, 2, b"abcdef".iter().flat_map(|&letter| [letter; 4]).collect()).unwrap()
    }

    fn shown(exif: u8) -> (u32, String) {
        let raster = Orientation::new(exif).apply(letters());
        (raster.width(), raster.rgba().chunks_exact(4).map(|pixel| char::from(pixel[0])).collect())
    }

    #[test]
    fn all_eight_are_shown_as_the_specification_draws_them() {
        let expected = [
            (1, 3, "abcdef"),
            (2, 3, "cbafed"),
            (3, 3, "fedcba"),
            (4, 3, "defabc"),
            (5, 2, "adbecf"),
            (6, 2, "daebfc"),
            (7, 2, "fcebda"),
            (8, 2, "cfbead"),
        ];
        for (exif, width, pixels) in expected {
            assert_eq!(shown(exif), (width, pixels.to_owned()), "orientation {exif}");
        }
    }

    #[test]
    fn other_values_are_upright() {
        for exif in [0, 9, 255] {
            assert_eq!(Orientation::new(exif), Orientation::UPRIGHT);
        }
    }
}
