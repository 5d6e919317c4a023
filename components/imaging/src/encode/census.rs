//! What a clip's pixels have in common, found in one pass: decides colour types and whether a palette loses nothing.

use super::clip::{Clip, pixels};

/// More than this and no palette can hold them all.
pub(crate) const MAX_PALETTE: usize = 256;

/// Facts over all frames of a clip, or of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Census {
    /// Every pixel has alpha 255.
    pub(crate) opaque: bool,
    /// Red, green and blue are the same everywhere.
    pub(crate) grey: bool,
    /// More than a quarter of the pixels repeat their left or upper neighbour: drawn rather than photographed.
    pub(crate) flat: bool,
    /// All the colours there are, sorted, if at most [`MAX_PALETTE`]; invisible pixels count as `[0; 4]`.
    pub(crate) colours: Option<Vec<[u8; 4]>>,
}

/// The same pixel to the eye, and one value for all that are invisible.
pub(crate) const fn visible(pixel: [u8; 4]) -> [u8; 4] {
    if pixel[3] == 0 { [0; 4] } else { pixel }
}

impl Census {
    pub(crate) fn of(clip: &Clip<'_>) -> Self {
        Self::over(clip.shots().map(|shot| pixels(&shot.raster)), clip.width())
    }

    /// Of one frame alone, `width` pixels wide.
    pub(crate) fn of_frame(pixels: &[[u8; 4]], width: u32) -> Self {
        Self::over(std::iter::once(pixels), width)
    }

    fn over<'p>(frames: impl Iterator<Item = &'p [[u8; 4]]>, width: u32) -> Self {
        let mut census = Self { opaque: true, grey: true, flat: false, colours: Some(Vec::new()) };
        let (mut repeats, mut total) = (0usize, 0usize);
        let width = width as usize;
        for pixels in frames {
            let mut left = None;
            for (index, &pixel) in pixels.iter().enumerate() {
                let pixel = visible(pixel);
                let upper = index.checked_sub(width).and_then(|upper| pixels.get(upper)).copied();
                if left == Some(pixel) || upper.map(visible) == Some(pixel) {
                    repeats += 1;
                } else {
                    census.opaque &= pixel[3] == 255;
                    census.grey &= pixel[0] == pixel[1] && pixel[1] == pixel[2];
                    census.count(pixel);
                }
                left = Some(pixel);
            }
            total += pixels.len();
        }
        census.flat = repeats > total / 4;
        census
    }

    fn count(&mut self, pixel: [u8; 4]) {
        if self.colours.as_mut().is_some_and(|colours| !insert(colours, pixel, MAX_PALETTE)) {
            self.colours = None;
        }
    }
}

/// The colours there are, sorted, if at most `max_colours`.
pub(crate) fn distinct(
    pixels: impl IntoIterator<Item = [u8; 4]>,
    max_colours: usize,
) -> Option<Vec<[u8; 4]>> {
    let mut colours = Vec::new();
    let mut last = None;
    for pixel in pixels {
        if last != Some(pixel) && !insert(&mut colours, pixel, max_colours) {
            return None;
        }
        last = Some(pixel);
    }
    Some(colours)
}

/// Whether the sorted set still has no more than `max_colours`.
fn insert(colours: &mut Vec<[u8; 4]>, colour: [u8; 4], max_colours: usize) -> bool {
    match colours.binary_search(&colour) {
        Ok(_) => true,
        Err(_) if colours.len() >= max_colours => false,
        Err(place) => {
            colours.insert(place, colour);
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::{Frame, Loops, Picture, Raster};

    fn census(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 4]) -> Census {
        let rgba = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y));
        let raster = Raster::new(width, height, rgba.collect()).unwrap();
        let picture = Picture::new(vec![Frame { raster, delay_ms: 0 }], Loops::Forever).unwrap();
        Census::of(&Clip::of(&picture, true).unwrap())
    }

    #[test]
    fn counts_256_colours_and_gives_up_at_257() {
        let shade = |x: u32, _| [(x % 256) as u8, (x / 256) as u8, 0, 255];
        assert_eq!(census(256, 1, shade).colours.map(|colours| colours.len()), Some(256));
        assert_eq!(census(257, 1, shade).colours, None);
    }

    #[test]
    fn invisible_pixels_are_one_colour() {
        let census = census(9, 9, |x, y| [x as u8, y as u8, 7, 0]);
        assert_eq!(census.colours, Some(vec![[0; 4]]));
        assert!(!census.opaque && census.grey);
    }

    #[test]
    fn a_gradient_is_not_flat_and_a_drawing_is() {
        assert!(!census(16, 16, |x, y| [(x * 16) as u8, (y * 16) as u8, 0, 255]).flat);
        assert!(census(16, 16, |x, _| [if x < 8 { 0 } else { 255 }; 4]).flat);
    }
}
