//! From pixels to palette indices. Error diffusion for stills, where it looks best; an ordered pattern for animations, as
//! a pixel that does not change then keeps its index from frame to frame and neither flickers nor costs bytes.

use super::palette::{Lookup, Palette};

/// How the error of the nearest entry is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dither {
    /// Not at all: for pixels that are in the palette.
    None,
    /// Floyd and Steinberg's weights, in alternating directions.
    Diffused,
    /// An 8x8 Bayer matrix, as strong as the palette is coarse.
    Ordered,
}

/// Thresholds 0 to 63, each once, neighbours far apart.
#[rustfmt::skip]
const BAYER: [[i32; 8]; 8] = [
    [ 0, 32,  8, 40,  2, 34, 10, 42],
    [48, 16, 56, 24, 50, 18, 58, 26],
    [12, 44,  4, 36, 14, 46,  6, 38],
    [60, 28, 52, 20, 62, 30, 54, 22],
    [ 3, 35, 11, 43,  1, 33,  9, 41],
    [51, 19, 59, 27, 49, 17, 57, 25],
    [15, 47,  7, 39, 13, 45,  5, 37],
    [63, 31, 55, 23, 61, 29, 53, 21],
];

/// An error is hidden only from this many levels in some channel on: below, it is not seen but hiding it costs bytes.
const MIN_ERROR: i32 = 3;
/// What of the error is passed on, in sixteenths. All of it makes noise of every stray colour.
const STRENGTH: i32 = 14;
/// No channel is pushed further than this: an unreachable colour must not smear over the picture.
const MAX_CARRIED: i32 = 48;

/// A way of dithering with a palette, and what has been found out about both.
pub(crate) struct Mapper<'p> {
    dither: Dither,
    lookup: Lookup<'p>,
    /// How much [`Dither::Ordered`] moves a colour, from the least to the most, in levels.
    swing: i32,
}

impl<'p> Mapper<'p> {
    pub(crate) fn new(palette: &'p Palette, dither: Dither) -> Self {
        let swing = if dither == Dither::Ordered { palette.coarseness() as i32 } else { 0 };
        Self { dither, lookup: Lookup::new(palette), swing: swing.min(MAX_CARRIED) }
    }

    /// The search for its palette's colours, with what it has found out.
    pub(crate) const fn lookup(&mut self) -> &mut Lookup<'p> {
        &mut self.lookup
    }

    /// One index for each pixel. Invisible pixels map to the invisible entry where there is one.
    pub(crate) fn indices(&mut self, pixels: &[[u8; 4]], width: u32) -> Vec<u8> {
        let width = width.max(1) as usize;
        match self.dither {
            Dither::None => self.look_up(pixels),
            Dither::Ordered => self.order(pixels, width),
            Dither::Diffused => diffuse(pixels, width, &mut self.lookup),
        }
    }

    /// The colours of [`Self::indices`].
    pub(crate) fn colours(&mut self, pixels: &[[u8; 4]], width: u32) -> Vec<[u8; 4]> {
        let palette = self.lookup.palette();
        self.indices(pixels, width).into_iter().map(|index| palette.colour(index)).collect()
    }

    /// Pictures with few colours are pictures with runs: a pixel like the one before is not looked for again.
    fn look_up(&mut self, pixels: &[[u8; 4]]) -> Vec<u8> {
        let mut last = None;
        let find = |&pixel: &[u8; 4]| match last {
            Some((found, index)) if found == pixel => index,
            _ => {
                let index = self.lookup.index(pixel);
                last = Some((pixel, index));
                index
            }
        };
        pixels.iter().map(find).collect()
    }

    fn order(&mut self, pixels: &[[u8; 4]], width: usize) -> Vec<u8> {
        let palette = self.lookup.palette();
        pixels
            .chunks(width)
            .zip(BAYER.iter().cycle())
            .flat_map(|(row, thresholds)| row.iter().zip(thresholds.iter().cycle()))
            .map(|(&pixel, &threshold)| {
                let index = self.lookup.index(pixel);
                if is_near(error(pixel, palette.colour(index))) {
                    return index;
                }
                // From -swing/2 to +swing/2, in 64 steps around 0.
                self.lookup.index(shifted(pixel, [(2 * threshold - 63) * self.swing / 128; 3]))
            })
            .collect()
    }
}

/// The colour moved by so much, alpha kept; invisible pixels stay.
fn shifted(pixel: [u8; 4], by: [i32; 3]) -> [u8; 4] {
    if pixel[3] == 0 {
        return [0; 4];
    }
    let channel = |index: usize| (i32::from(pixel[index]) + by[index]).clamp(0, 255) as u8;
    [channel(0), channel(1), channel(2), pixel[3]]
}

/// How much a colour is above its entry.
fn error(pixel: [u8; 4], entry: [u8; 4]) -> [i32; 3] {
    std::array::from_fn(|channel| i32::from(pixel[channel]) - i32::from(entry[channel]))
}

fn is_near(error: [i32; 3]) -> bool {
    error.iter().all(|error| error.abs() < MIN_ERROR)
}

fn diffuse(pixels: &[[u8; 4]], width: usize, lookup: &mut Lookup<'_>) -> Vec<u8> {
    let palette = lookup.palette();
    let mut indices = vec![0u8; pixels.len()];
    // In sixteenths of a level; one cell of margin on each side takes what falls off the edge.
    let mut here = vec![[0i32; 3]; width + 2];
    let mut below = vec![[0i32; 3]; width + 2];
    for (y, (row, out)) in pixels.chunks(width).zip(indices.chunks_mut(width)).enumerate() {
        let leftwards = y % 2 == 1;
        for step in 0..row.len() {
            let x = if leftwards { row.len() - 1 - step } else { step };
            let pixel = row[x];
            let carried = here[x + 1].map(|error| (error / 16).clamp(-MAX_CARRIED, MAX_CARRIED));
            let target = shifted(pixel, carried);
            let index = lookup.index(target);
            out[x] = index;
            let entry = palette.colour(index);
            // Errors are those of visible colour; through glass or nothing there is none to hide.
            if entry[3] == 0 || pixel[3] == 0 {
                continue;
            }
            let own = error(pixel, entry);
            let error: [i32; 3] = std::array::from_fn(|channel| own[channel] + carried[channel]);
            if is_near(error) {
                continue;
            }
            let (ahead, behind) = if leftwards { (x, x + 2) } else { (x + 2, x) };
            for channel in 0..3 {
                let error = error[channel] * STRENGTH / 16;
                here[ahead][channel] += error * 7;
                below[behind][channel] += error * 3;
                below[x + 1][channel] += error * 5;
                below[ahead][channel] += error;
            }
        }
        std::mem::swap(&mut here, &mut below);
        below.fill([0; 3]);
    }
    indices
}

#[cfg(test)]
mod tests {
    use super::*;

    fn black_and_white() -> Palette {
        Palette::new(vec![[0, 0, 0, 255], [255, 255, 255, 255], [0; 4]])
    }

    fn mean(indices: &[u8], palette: &Palette) -> u32 {
        let sum: u32 = indices.iter().map(|&index| u32::from(palette.colours()[usize::from(index)][0])).sum();
        sum / u32::try_from(indices.len()).unwrap()
    }

    #[test]
    fn diffusion_keeps_the_mean_brightness_of_grey() {
        let palette = Palette::new(
            (0..=8).map(|step| [(step * 255 / 8) as u8; 3]).map(|[r, g, b]| [r, g, b, 255]).collect(),
        );
        let indices = Mapper::new(&palette, Dither::Diffused).indices(&[[110, 110, 110, 255]; 4096], 64);
        assert!(mean(&indices, &palette).abs_diff(110) <= 4, "{}", mean(&indices, &palette));
    }

    #[test]
    fn an_ordered_index_depends_on_the_place_and_the_pixel_only() {
        let palette =
            Palette::new((0..=8).map(|step| (step * 255 / 8) as u8).map(|v| [v, v, v, 255]).collect());
        let mut pixels = vec![[110, 120, 130, 255]; 256];
        let before = Mapper::new(&palette, Dither::Ordered).indices(&pixels, 16);
        pixels[17] = [250, 0, 0, 255];
        let after = Mapper::new(&palette, Dither::Ordered).indices(&pixels, 16);
        let changed: Vec<usize> = (0..256).filter(|&index| before[index] != after[index]).collect();
        assert!(changed.iter().all(|&index| index == 17));
        assert!(before.iter().any(|&index| index != before[0]), "nothing was dithered");
    }

    #[test]
    fn colours_of_the_palette_stay_as_they_are() {
        let palette = black_and_white();
        let pixels: Vec<[u8; 4]> = (0..100).map(|index| palette.colours()[index % 3]).collect();
        for dither in [Dither::None, Dither::Diffused, Dither::Ordered] {
            let indices = Mapper::new(&palette, dither).indices(&pixels, 10);
            let shown: Vec<[u8; 4]> = indices.iter().map(|&i| palette.colours()[usize::from(i)]).collect();
            assert_eq!(shown, pixels);
        }
    }

    #[test]
    fn invisible_pixels_stay_invisible() {
        let palette = black_and_white();
        let transparent = palette.transparent().unwrap();
        for dither in [Dither::None, Dither::Diffused, Dither::Ordered] {
            assert!(
                Mapper::new(&palette, dither)
                    .indices(&[[90, 90, 90, 0]; 64], 8)
                    .iter()
                    .all(|&index| index == transparent)
            );
        }
    }
}
