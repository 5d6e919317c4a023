//! Which part of a picture `gravity=attention` keeps: the box with the most edges, striking colours and skin in it. Integer
//! arithmetic only, so that every machine crops alike. Faces are not recognised; that a portrait keeps its face is the work
//! of the skin and of the detail around eyes and mouth.

use crate::raster::Raster;

/// The picture is judged in at most this many cells along its longer side: finer detail is noise, and the time is bounded.
const MAX_CELLS: u32 = 256;

/// Differences of brightness up to this are grain or compression, not edges (of 255).
const MAX_NOISE: i64 = 6;
/// Colour counts by how far it is from that of the whole picture, so that neither a blue sky nor a meadow outweighs what
/// stands before it; differences up to this (of some 500) are none.
const MAX_COMMON: i64 = 24;
/// What a cell of skin counts, about as much as a strong edge. The more of the picture has its colour the less: where half of it has,
/// that is an evening sky, sand or wood, or a face so near that any box has some of it.
const SKIN: i64 = 96;
/// The outermost box must have this share more (in 1024ths) than one in the middle.
const CENTRE_BIAS: i64 = 64;

/// The left and top edge of the box of `width` x `height` pixels to keep, both sides at most the raster's (larger ones count
/// as these). Where nothing stands out, the middle.
#[must_use]
pub fn offset(raster: &Raster, width: u32, height: u32) -> (u32, u32) {
    let cell = raster.width().max(raster.height()).div_ceil(MAX_CELLS).max(1);
    let scores = Scores::of(&Cells::of(raster, cell));
    let columns = Slide::new(raster.width(), width, cell, scores.columns);
    let rows = Slide::new(raster.height(), height, cell, scores.rows);
    let mut best = (i64::MIN, i64::MAX, 0, 0);
    for row in 0..=rows.places {
        for column in 0..=columns.places {
            let sum = scores.sum(column, row, columns.cells, rows.cells);
            let (across, down) = (columns.eccentricity(column), rows.eccentricity(row));
            let score = sum * (2 * 1024 - CENTRE_BIAS * (across * across + down * down) / (1024 * 1024));
            let stray = across + down;
            if score > best.0 || (score == best.0 && stray < best.1) {
                best = (score, stray, column, row);
            }
        }
    }
    (columns.pixels(best.2), rows.pixels(best.3))
}

/// How a box moves along one axis.
struct Slide {
    /// Of the box, in cells.
    cells: usize,
    /// The last place it can take, in cells from the first.
    places: usize,
    /// The same in pixels.
    slack: u32,
}

impl Slide {
    fn new(side: u32, boxed: u32, cell: u32, all_cells: usize) -> Self {
        let boxed = boxed.clamp(1, side);
        let slack = side - boxed;
        // A picture with room to move has at least one place to move to.
        let places = if slack == 0 { 0 } else { (slack.div_ceil(cell) as usize).min(all_cells - 1) };
        Self { cells: all_cells - places, places, slack }
    }

    /// 0 in the middle to 1024 at either end.
    fn eccentricity(&self, place: usize) -> i64 {
        let (place, places) = (place as i64, self.places as i64);
        (2 * place - places).abs() * 1024 / places.max(1)
    }

    fn pixels(&self, place: usize) -> u32 {
        let share = u64::from(self.slack) * place as u64 / (self.places as u64).max(1);
        u32::try_from(share).unwrap_or(self.slack).min(self.slack)
    }
}

/// Mean colours of square cells, laid over black.
struct Cells {
    columns: usize,
    rows: usize,
    colours: Vec<[i64; 3]>,
}

impl Cells {
    fn of(raster: &Raster, cell: u32) -> Self {
        let (columns, rows) =
            (raster.width().div_ceil(cell) as usize, raster.height().div_ceil(cell) as usize);
        let cell = cell as usize;
        let mut sums = vec![[0i64; 4]; columns * rows];
        for (y, line) in raster.rgba().chunks_exact(raster.width() as usize * 4).enumerate() {
            let Some(sums) = sums.chunks_exact_mut(columns).nth(y / cell) else { continue };
            for (run, sum) in line.chunks(cell * 4).zip(sums) {
                for &[red, green, blue, alpha] in run.as_chunks::<4>().0 {
                    for (sum, channel) in sum.iter_mut().zip([red, green, blue]) {
                        *sum += i64::from(channel) * i64::from(alpha);
                    }
                    sum[3] += 255;
                }
            }
        }
        let mean = |[red, green, blue, weight]: [i64; 4]| [red, green, blue].map(|sum| sum / weight.max(1));
        Self { columns, rows, colours: sums.into_iter().map(mean).collect() }
    }

    /// The nearest cell, for places beyond the border too.
    fn luma(&self, column: usize, row: usize) -> i64 {
        let place = row.min(self.rows - 1) * self.columns + column.min(self.columns - 1);
        self.colours.get(place).map_or(0, |[red, green, blue]| (red * 77 + green * 150 + blue * 29) / 256)
    }
}

/// How much each cell draws the eye, summed up from the upper left corner.
struct Scores {
    columns: usize,
    rows: usize,
    /// `(columns + 1) * (rows + 1)` sums of all that is above and to the left.
    sums: Vec<i64>,
}

impl Scores {
    fn of(cells: &Cells) -> Self {
        let (columns, rows) = (cells.columns, cells.rows);
        let count = cells.colours.len() as i64;
        let common = [0, 1]
            .map(|axis| cells.colours.iter().map(|&colour| hue(colour)[axis]).sum::<i64>() / count.max(1));
        let skins = cells.colours.iter().filter(|&&colour| is_skin(colour)).count() as i64;
        let of_skin = SKIN * (count - 2 * skins).max(0) / count.max(1);
        let mut sums = vec![0i64; columns + 1];
        sums.reserve((columns + 1) * rows);
        for (row, colours) in cells.colours.chunks_exact(columns).enumerate() {
            let mut line = 0;
            sums.push(0);
            for (column, &colour) in colours.iter().enumerate() {
                let skin = if is_skin(colour) { of_skin } else { 0 };
                let here = cells.luma(column, row);
                let edge = |other: i64| ((here - other).abs() - MAX_NOISE).max(0);
                let draw = edge(cells.luma(column + 1, row))
                    + edge(cells.luma(column, row + 1))
                    + strikingness(colour, common)
                    + skin;
                // Squared: one spot that glows outweighs a wide area that is merely lively.
                line += draw * draw;
                let above = sums.get(row * (columns + 1) + column + 1).copied().unwrap_or(0);
                sums.push(above + line);
            }
        }
        Self { columns, rows, sums }
    }

    fn sum(&self, column: usize, row: usize, columns: usize, rows: usize) -> i64 {
        let at = |column: usize, row: usize| {
            let place = row.min(self.rows) * (self.columns + 1) + column.min(self.columns);
            self.sums.get(place).copied().unwrap_or(0)
        };
        let (right, bottom) = (column + columns, row + rows);
        at(right, bottom) - at(column, bottom) - at(right, row) + at(column, row)
    }
}

/// Redness against green, and blueness against both: what is left of a colour without its brightness.
fn hue([red, green, blue]: [i64; 3]) -> [i64; 2] {
    [red - green, blue - (red + green) / 2]
}

/// Both saturated and unlike the rest: a cloud is unlike the sky but does not glow.
fn strikingness(colour: [i64; 3], common: [i64; 2]) -> i64 {
    let [a, b] = hue(colour);
    let unlike = (a - common[0]).abs() + (b - common[1]).abs() - MAX_COMMON;
    let [red, green, blue] = colour;
    let saturation = red.max(green).max(blue) - red.min(green).min(blue);
    unlike.min(saturation).max(0)
}

/// From dark to fair, skin is red before green before blue, by proportions that light changes little.
fn is_skin([red, green, blue]: [i64; 3]) -> bool {
    red > 60
        && red > green
        && green * 10 >= blue * 9
        && (red - green) * 100 > red * 8
        && (red - green) * 100 < red * 45
        && (red - blue) * 100 > red * 15
        && (red - blue) * 100 < red * 70
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn raster(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Raster {
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let rgba = places.flat_map(|(x, y)| {
            let [red, green, blue] = pixel(x, y);
            [red, green, blue, 255]
        });
        Raster::new(width, height, rgba.collect()).unwrap()
    }

    /// Grey, with something in the square of 60 pixels at (left, top).
    fn with_patch(
        width: u32,
        height: u32,
        (left, top): (u32, u32),
        patch: impl Fn(u32, u32) -> [u8; 3],
    ) -> Raster {
        raster(width, height, |x, y| {
            let inside = (left..left + 60).contains(&x) && (top..top + 60).contains(&y);
            if inside { patch(x, y) } else { [120; 3] }
        })
    }

    #[test]
    fn finds_what_stands_out() {
        let checks = |x: u32, y: u32| if (x / 6 + y / 6).is_multiple_of(2) { [30; 3] } else { [220; 3] };
        let red = |_: u32, _: u32| [220, 20, 20];
        let skin = |_: u32, _: u32| [205, 150, 120];
        let dark_skin = |_: u32, _: u32| [95, 65, 48];
        type Paint<'p> = (&'p str, &'p dyn Fn(u32, u32) -> [u8; 3]);
        let patches: [Paint<'_>; 4] =
            [("checks", &checks), ("red", &red), ("skin", &skin), ("dark skin", &dark_skin)];
        for (name, patch) in patches {
            for corner in [(0, 0), (340, 0), (0, 240), (340, 240), (170, 120)] {
                let (left, top) = offset(&with_patch(400, 300, corner, patch), 100, 100);
                assert!(
                    left <= corner.0
                        && corner.0 + 60 <= left + 100
                        && top <= corner.1
                        && corner.1 + 60 <= top + 100,
                    "{name} at {corner:?}: the box is at {left}, {top}"
                );
            }
        }
    }

    #[test]
    fn what_half_of_the_picture_looks_like_is_not_skin() {
        // An evening sky of skin's colour, and a boat on grey water.
        let picture = raster(400, 100, |x, y| match (x, y) {
            (..230, _) => [205, 150, 120],
            (300..360, 20..80) if (x / 6 + y / 6).is_multiple_of(2) => [30; 3],
            (300..360, 20..80) => [220; 3],
            _ => [120; 3],
        });
        let (left, _) = offset(&picture, 100, 100);
        assert!(left <= 300 && 360 <= left + 100, "{left}");
    }

    #[test]
    fn a_uniform_or_evenly_busy_picture_keeps_its_middle() {
        assert_eq!(offset(&raster(400, 300, |_, _| [90, 90, 90]), 300, 300), (50, 0));
        assert_eq!(offset(&raster(400, 300, |_, _| [200, 30, 30]), 100, 100), (150, 100));
        let (left, top) =
            offset(&raster(300, 400, |x, y| [((x / 10 + y / 10) % 2 * 255) as u8; 3]), 300, 300);
        assert!(left == 0 && top.abs_diff(50) <= 10, "{left}, {top}");
    }

    #[test]
    fn grain_does_not_beat_an_object() {
        let picture = raster(600, 100, |x, y| {
            let grain = ((x * 31 + y * 17) % 5) as u8;
            if (500..540).contains(&x) && (30..70).contains(&y) { [250, 240, 10] } else { [80 + grain; 3] }
        });
        let (left, _) = offset(&picture, 100, 100);
        assert!(left <= 500 && left + 100 >= 540, "{left}");
    }

    #[test]
    fn large_pictures_are_judged_coarsely_and_cropped_finely() {
        let picture = raster(3000, 600, |x, y| if x >= 2990 { [(x * y) as u8; 3] } else { [90; 3] });
        assert_eq!(offset(&picture, 600, 600), (2400, 0));
    }

    #[test]
    fn invisible_pixels_do_not_draw_the_eye() {
        let mut rgba = vec![];
        for x in 0..200u32 {
            rgba.extend(if x < 100 {
                [(x * 97) as u8, 200, 10, 0]
            } else {
                [(x % 2 * 200) as u8, 90, 20, 255]
            });
        }
        // The border of the visible part is an edge, the noise left of it is none.
        let (left, _) = offset(&Raster::new(200, 1, rgba).unwrap(), 100, 1);
        assert!(left >= 99, "{left}");
    }

    proptest! {
        #[test]
        fn the_box_is_always_inside(
            width in 1u32..700, height in 1u32..40, boxed in (0u32..800, 0u32..50), seed in any::<u32>(),
        ) {
            let picture = raster(width, height, |x, y| {
                let [a, b, c, _] = (x * 7919 + y * 104_729).wrapping_mul(seed | 1).to_le_bytes();
                [a, b, c]
            });
            let (left, top) = offset(&picture, boxed.0, boxed.1);
            prop_assert!(left + boxed.0.clamp(1, width) <= width);
            prop_assert!(top + boxed.1.clamp(1, height) <= height);
        }
    }
}
