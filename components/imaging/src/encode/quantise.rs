//! The best few colours for a clip: variance-minimising cuts of the colour cloud, then k-means. Integer counts and floats
//! in a fixed order, no randomness: the same palette on every machine.

use super::census::visible;
use super::clip::Clip;
use super::palette::{Nearest, Palette, Point, distance, pixel, point};

/// Whether entries may be translucent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alpha {
    /// As in PNG and WebP.
    Full,
    /// As in GIF: opaque, or the one invisible entry.
    OneBit,
}

/// Pixels looked at, evenly spread over all frames: 2^16 pin 256 colours down, more only take longer.
const MAX_SAMPLES: usize = 1 << 16;
/// Distinct colours clustered; beyond, the low bits are dropped first.
const MAX_CLUSTERED: usize = 1 << 12;
/// Slices of a box in which a cut is sought.
const SLICES: usize = 64;
/// Rounds of k-means; the gain of further ones is below what is seen.
const ROUNDS: usize = 5;

/// A distinct colour and how many samples have it.
#[derive(Clone, Copy, Debug)]
struct Weighted {
    point: Point,
    weight: f32,
}

/// At most `max_colours` entries (at least 2, at most 256), the invisible one among them if the clip needs it or
/// `reserve_transparent` asks for it.
pub(crate) fn palette(clip: &Clip<'_>, max_colours: usize, alpha: Alpha) -> Palette {
    let total = clip.len() * clip.width() as usize * clip.height() as usize;
    // An odd stride, lest it keep to a few columns.
    let stride = (total / MAX_SAMPLES) | 1;
    let samples = clip.pixels().step_by(stride).map(|pixel| flattened(pixel, alpha));
    // In an animation unchanged pixels are left out as invisible ones, in most cases for far fewer bytes.
    of_samples(samples.collect(), max_colours, clip.is_animated())
}

/// What is left of a pixel's alpha.
pub(crate) fn flattened(pixel: [u8; 4], alpha: Alpha) -> [u8; 4] {
    match alpha {
        Alpha::Full => visible(pixel),
        Alpha::OneBit if pixel[3] < 128 => [0; 4],
        Alpha::OneBit => [pixel[0], pixel[1], pixel[2], 255],
    }
}

/// See [`palette`].
pub(crate) fn of_samples(
    mut samples: Vec<[u8; 4]>,
    max_colours: usize,
    reserve_transparent: bool,
) -> Palette {
    let max_colours = max_colours.clamp(2, 256);
    let seen = samples.len();
    samples.retain(|sample| sample[3] > 0);
    let transparent = reserve_transparent || samples.len() < seen;
    let wanted = max_colours - usize::from(transparent);
    let mut cloud = histogram(samples);
    let mut centres = cut(&mut cloud, wanted);
    refine(&cloud, &mut centres);
    let mut colours: Vec<[u8; 4]> = centres.into_iter().map(pixel).filter(|colour| colour[3] > 0).collect();
    if transparent {
        colours.push([0; 4]);
    }
    Palette::new(colours)
}

/// Distinct colours with counts, at most [`MAX_CLUSTERED`]; where there are more, near ones are averaged.
fn histogram(samples: Vec<[u8; 4]>) -> Vec<Weighted> {
    // Alpha last in the file, first in the number: sorting groups by it, and no order is better than another.
    let mut keys: Vec<u32> = samples.into_iter().map(u32::from_le_bytes).collect();
    keys.sort_unstable();
    let mut counted: Vec<(u32, u32)> = Vec::new();
    for key in keys {
        match counted.last_mut() {
            Some((last, count)) if *last == key => *count += 1,
            _ => counted.push((key, 1)),
        }
    }
    for kept_bits in [8u32, 7, 6, 5, 4, 3] {
        let mask = u32::from(u8::MAX << (8 - kept_bits)) * 0x0101_0101;
        let mut groups = counted.clone();
        groups.sort_by_key(|&(key, _)| key & mask);
        let cloud: Vec<Weighted> = groups.chunk_by(|a, b| a.0 & mask == b.0 & mask).map(mean_of).collect();
        if cloud.len() <= MAX_CLUSTERED || kept_bits == 3 {
            return cloud;
        }
    }
    Vec::new()
}

fn mean_of(group: &[(u32, u32)]) -> Weighted {
    let mut sum = Sum::default();
    for &(key, count) in group {
        sum.add(Weighted { point: point(key.to_le_bytes()), weight: count as f32 });
    }
    Weighted { point: sum.mean(), weight: sum.weight as f32 }
}

/// Running totals of weighted points, in 64 bits: differences of large sums are compared.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    point: [f64; 4],
    squares: [f64; 4],
    weight: f64,
}

impl Sum {
    fn of(cloud: &[Weighted]) -> Self {
        let mut sum = Self::default();
        cloud.iter().for_each(|&weighted| sum.add(weighted));
        sum
    }

    fn add(&mut self, weighted: Weighted) {
        let weight = f64::from(weighted.weight);
        for (axis, at) in weighted.point.map(f64::from).into_iter().enumerate() {
            self.point[axis] += at * weight;
            self.squares[axis] += at * at * weight;
        }
        self.weight += weight;
    }

    fn join(self, other: Self) -> Self {
        let mut sum = self;
        for axis in 0..4 {
            sum.point[axis] += other.point[axis];
            sum.squares[axis] += other.squares[axis];
        }
        sum.weight += other.weight;
        sum
    }

    fn mean(&self) -> Point {
        self.point.map(|sum| (sum / self.weight.max(f64::MIN_POSITIVE)) as f32)
    }

    /// Squared distances from the mean along each axis.
    fn errors(&self) -> [f64; 4] {
        let weight = self.weight.max(f64::MIN_POSITIVE);
        std::array::from_fn(|axis| self.squares[axis] - self.point[axis] * self.point[axis] / weight)
    }

    fn error(&self) -> f64 {
        let [r, g, b, a] = self.errors();
        (r + g) + (b + a)
    }
}

/// A run of the cloud that shares one palette entry.
struct Part {
    start: usize,
    end: usize,
    error: f64,
}

/// Differences below this are rounding, not colour.
const MIN_ERROR: f64 = 1e-3;

/// Cuts the part with the largest error in two, where that takes most of it away, until there are enough; gives their
/// means. Reorders the cloud.
fn cut(cloud: &mut [Weighted], wanted: usize) -> Vec<Point> {
    if cloud.is_empty() {
        return Vec::new();
    }
    let part = |cloud: &[Weighted], start: usize, end: usize| {
        let error = cloud.get(start..end).map_or(0.0, |run| Sum::of(run).error());
        Part { start, end, error }
    };
    let mut parts = vec![part(cloud, 0, cloud.len())];
    while parts.len() < wanted {
        let Some(worst) =
            parts.iter_mut().filter(|part| part.error > MIN_ERROR).max_by(|a, b| a.error.total_cmp(&b.error))
        else {
            break;
        };
        let middle = cloud.get_mut(worst.start..worst.end).map_or(0, divide);
        if middle == 0 {
            worst.error = 0.0;
            continue;
        }
        let (start, middle, end) = (worst.start, worst.start + middle, worst.end);
        *worst = part(cloud, start, middle);
        parts.push(part(cloud, middle, end));
    }
    parts.iter().filter_map(|part| cloud.get(part.start..part.end)).map(|run| Sum::of(run).mean()).collect()
}

/// Moves the run's lower side, along its widest axis, to the front; gives its length, 0 where there is nothing to divide.
fn divide(run: &mut [Weighted]) -> usize {
    let errors = Sum::of(run).errors();
    let axis = (0..4).max_by(|&a, &b| errors[a].total_cmp(&errors[b])).unwrap_or(0);
    let (low, high) = run.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), weighted| {
        (low.min(weighted.point[axis]), high.max(weighted.point[axis]))
    });
    if low >= high {
        return 0;
    }
    let scale = SLICES as f32 / (high - low);
    let slice = |weighted: &Weighted| (((weighted.point[axis] - low) * scale) as usize).min(SLICES - 1);

    let mut slices = [Sum::default(); SLICES];
    for weighted in run.iter() {
        slices[slice(weighted)].add(*weighted);
    }
    let mut above = [Sum::default(); SLICES];
    let mut sum = Sum::default();
    for (above, slice) in above.iter_mut().zip(slices).rev() {
        sum = sum.join(slice);
        *above = sum;
    }
    let mut below = Sum::default();
    let mut best = (f64::INFINITY, 0);
    for cut in 1..SLICES {
        below = below.join(slices[cut - 1]);
        let error = below.error() + above[cut].error();
        if below.weight > 0.0 && above[cut].weight > 0.0 && error < best.0 {
            best = (error, cut);
        }
    }
    let mut front = 0;
    for index in 0..run.len() {
        if slice(&run[index]) < best.1 {
            run.swap(front, index);
            front += 1;
        }
    }
    front
}

/// Moves each centre to the mean of the points nearest to it, a few times.
fn refine(cloud: &[Weighted], centres: &mut [Point]) {
    for _ in 0..ROUNDS {
        let nearest = Nearest::new(centres.iter().copied());
        let mut sums = vec![Sum::default(); centres.len()];
        for weighted in cloud {
            if let Some(sum) = sums.get_mut(usize::from(nearest.find(weighted.point).0)) {
                sum.add(*weighted);
            }
        }
        let mut moved = 0.0f32;
        for (centre, sum) in centres.iter_mut().zip(&sums).filter(|(_, sum)| sum.weight > 0.0) {
            let mean = sum.mean();
            moved = moved.max(distance(*centre, mean));
            *centre = mean;
        }
        if moved < 0.01 {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_the_colours_when_there_are_few() {
        let colours = [[255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255], [1, 2, 3, 255]];
        let samples = colours.iter().flat_map(|&colour| [colour; 50]).collect();
        let palette = of_samples(samples, 16, false);
        for colour in colours {
            assert!(palette.colours().contains(&colour), "{colour:?} is lost: {:?}", palette.colours());
        }
    }

    #[test]
    fn a_rare_far_colour_gets_an_entry() {
        let mut samples: Vec<[u8; 4]> = (0..=255).flat_map(|grey| [[grey, grey, grey, 255]; 40]).collect();
        samples.extend([[255, 0, 0, 255]; 20]);
        let palette = of_samples(samples, 32, false);
        assert!(palette.colours().iter().any(|c| c[0] > 200 && c[1] < 60 && c[2] < 60));
    }

    #[test]
    fn only_invisible_pixels_make_one_invisible_entry() {
        assert_eq!(of_samples(vec![[0; 4]; 9], 16, false).colours(), [[0; 4]]);
        assert_eq!(of_samples(Vec::new(), 16, false).colours(), [[0; 4]]);
    }

    proptest! {
        // Each case clusters some thousand colours.
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn never_exceeds_the_bound(
            samples in prop::collection::vec(any::<[u8; 4]>(), 0..2000),
            max_colours in 0usize..400,
            reserve in any::<bool>(),
        ) {
            let palette = of_samples(samples, max_colours, reserve);
            prop_assert!((1..=max_colours.clamp(2, 256)).contains(&palette.colours().len()));
            prop_assert!(!reserve || palette.transparent().is_some());
        }

        #[test]
        fn more_colours_are_never_much_worse(samples in prop::collection::vec(any::<[u8; 3]>(), 300..1500)) {
            let samples: Vec<[u8; 4]> = samples.into_iter().map(|[r, g, b]| [r, g, b, 255]).collect();
            let error = |max_colours| -> f64 {
                let palette = of_samples(samples.clone(), max_colours, false);
                let nearest = Nearest::new(palette.colours().iter().copied().map(point));
                samples.iter().map(|&sample| {
                    let entry = palette.colours()[usize::from(nearest.find(point(sample)).0)];
                    f64::from(distance(point(entry), point(sample)))
                }).sum()
            };
            prop_assert!(error(128) < error(16));
        }
    }
}
