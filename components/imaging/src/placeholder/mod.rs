//! What a page shows until the thumbnail has arrived: its ThumbHash (evanw.github.io/thumbhash), some 25 bytes that decode to
//! a blurred likeness with the right proportions, average colour and alpha. The format is the crate's; here the picture is
//! made small enough for it.

mod hash;

use crate::raster::Raster;

/// A hash holds at most three whole waves to a side, of which means of a 32nd of the side lose less than 2 %; the crate's own bound is
/// 100 pixels, at ten times the work.
const MAX_SIDE: u32 = 32;

/// At most 25 bytes.
#[must_use]
pub fn thumb_hash(raster: &Raster) -> Vec<u8> {
    let longer = u64::from(raster.width().max(raster.height()));
    let bound = u64::from(MAX_SIDE).min(longer);
    // At least 1, and at most MAX_SIDE: no truncation.
    let shrunk = |side: u32| ((u64::from(side) * bound / longer) as usize).max(1);
    let (width, height) = (shrunk(raster.width()), shrunk(raster.height()));
    hash::encode(width, height, &averaged(raster, width, height))
}

/// The mean of the pixels under each smaller one, weighted by alpha. `width` and `height` are at most the raster's.
fn averaged(raster: &Raster, width: usize, height: usize) -> Vec<u8> {
    let (full_width, full_height) = (raster.width() as usize, raster.height() as usize);
    let mut averaged = Vec::with_capacity(width * height * 4);
    for y in 0..height {
        let rows = raster
            .rgba()
            .chunks_exact(full_width * 4)
            .take((y + 1) * full_height / height)
            .skip(y * full_height / height);
        for x in 0..width {
            let columns = (x * full_width / width * 4)..((x + 1) * full_width / width * 4);
            let pixels = rows
                .clone()
                .filter_map(|row| row.get(columns.clone()))
                .flat_map(|run| run.as_chunks::<4>().0);
            averaged.extend_from_slice(&mean(pixels));
        }
    }
    averaged
}

fn mean<'p>(pixels: impl Iterator<Item = &'p [u8; 4]>) -> [u8; 4] {
    let (mut colour, mut cover, mut count) = ([0u64; 3], 0u64, 0u64);
    for &[red, green, blue, alpha] in pixels {
        let alpha = u64::from(alpha);
        for (sum, channel) in colour.iter_mut().zip([red, green, blue]) {
            *sum += u64::from(channel) * alpha;
        }
        cover += alpha;
        count += 1;
    }
    // Means of bytes are bytes.
    let [red, green, blue] = colour.map(|sum| ((sum + cover / 2) / cover.max(1)) as u8);
    [red, green, blue, ((cover + count / 2) / count.max(1)) as u8]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn raster(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 4]) -> Raster {
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Raster::new(width, height, places.flat_map(|(x, y)| pixel(x, y)).collect()).unwrap()
    }

    #[test]
    fn holds_the_average_colour_and_the_proportions() {
        let hash = thumb_hash(&raster(200, 100, |_, _| [200, 100, 50, 255]));
        let (red, green, blue, alpha) = thumbhash::thumb_hash_to_average_rgba(&hash).unwrap();
        for (found, meant) in [(red, 200.0), (green, 100.0), (blue, 50.0), (alpha, 255.0)] {
            assert!((found * 255.0 - meant).abs() < 6.0, "{red} {green} {blue} {alpha}");
        }
        let proportion = thumbhash::thumb_hash_to_approximate_aspect_ratio(&hash).unwrap();
        assert!((1.5..2.5).contains(&proportion), "{proportion}");
    }

    #[test]
    fn is_nearly_that_of_the_full_picture() {
        let picture = raster(100, 100, |x, y| [(x * 2) as u8, (y * 2) as u8, ((x * y) / 40) as u8, 255]);
        let decode = |hash: &[u8]| thumbhash::thumb_hash_to_rgba(hash).unwrap().2;
        let ours = decode(&thumb_hash(&picture));
        let full = decode(&thumbhash::rgba_to_thumb_hash(100, 100, picture.rgba()));
        // A hash stores waves in 16 steps: a rounding that falls the other way moves whole areas a little.
        let total: u32 = ours.iter().zip(&full).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        assert_eq!(ours.len(), full.len());
        assert!(total as usize <= 10 * ours.len(), "{} on average", total as usize / ours.len());
    }

    #[test]
    fn invisible_colours_do_not_count() {
        let half = raster(60, 60, |x, _| if x < 30 { [255, 0, 0, 255] } else { [0, 255, 0, 0] });
        let (_, green, _, alpha) = thumbhash::thumb_hash_to_average_rgba(&thumb_hash(&half)).unwrap();
        assert!(green < 0.1 && (0.4..0.6).contains(&alpha), "{green} {alpha}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_picture_has_a_short_hash(width in 1u32..130, height in 1u32..130, seed in any::<u32>()) {
            let noise = |x: u32, y: u32| (x * 7919 + y * 104_729).wrapping_mul(seed | 1).to_le_bytes();
            let hash = thumb_hash(&raster(width, height, noise));
            prop_assert!((5..=25).contains(&hash.len()));
        }
    }

    #[test]
    fn extreme_shapes_have_one_too() {
        for (width, height) in [(1, 1), (2048, 1), (1, 2048), (2048, 3)] {
            assert!(!thumb_hash(&raster(width, height, |x, _| [x as u8, 0, 0, 255])).is_empty());
        }
    }
}
