//! A palette and the search for its nearest entry. Which colours are in it is decided by `census` (all there are) or
//! `quantise` (the best few).

use thumbs_lanes::F32x4;

/// Where colours are compared: sRGB-encoded (so that a step in the dark counts as the eye counts it), premultiplied, and
/// weighted, as an error in green is seen before one in red or blue.
pub(crate) type Point = [f32; 4];

const WEIGHTS: Point = [0.6, 1.0, 0.45, 0.8];

/// The place of a colour among the others.
pub(crate) fn point(pixel: [u8; 4]) -> Point {
    let [red, green, blue, alpha] = pixel.map(f32::from);
    // The same without a division, in the one case that is frequent.
    let cover = if pixel[3] == u8::MAX { 1.0 } else { alpha / 255.0 };
    [red * cover * WEIGHTS[0], green * cover * WEIGHTS[1], blue * cover * WEIGHTS[2], alpha * WEIGHTS[3]]
}

/// The colour at a place, rounded to 8 bits.
pub(crate) fn pixel(point: Point) -> [u8; 4] {
    let byte = |value: f32| (value + 0.5) as u8;
    let alpha = point[3] / WEIGHTS[3];
    if alpha < 0.5 {
        return [0; 4];
    }
    let channel = |index: usize| byte(point[index] / WEIGHTS[index] * 255.0 / alpha);
    [channel(0), channel(1), channel(2), byte(alpha)]
}

/// The square of the distance, with a fixed order of additions: the same on every machine.
pub(crate) fn distance(a: Point, b: Point) -> f32 {
    let [dr, dg, db, da] = [a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3]];
    (dr * dr + dg * dg) + (db * db + da * da)
}

/// Neither is NaN, which `f32::min` would ask for by a call on wasm.
fn lesser(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// As [`lesser`].
fn greater(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// Finds the nearest of at most 256 points without looking at all of them.
#[derive(Clone, Debug)]
pub(crate) struct Nearest {
    /// Sorted by `key`.
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The projection on the diagonal, of which no two points differ by more than their distance.
    key: f32,
    point: Point,
    index: u8,
}

fn key(point: Point) -> f32 {
    ((point[0] + point[1]) + (point[2] + point[3])) * 0.5
}

impl Nearest {
    pub(crate) fn new(points: impl IntoIterator<Item = Point>) -> Self {
        let mut entries: Vec<Entry> = points
            .into_iter()
            .zip(0..=u8::MAX)
            .map(|(point, index)| Entry { key: key(point), point, index })
            .collect();
        entries.sort_by(|a, b| a.key.total_cmp(&b.key).then(a.index.cmp(&b.index)));
        Self { entries }
    }

    /// Its index among the points given and the squared distance; 0 and infinity if there were none. Of equally near ones
    /// always the same.
    pub(crate) fn find(&self, point: Point) -> (u8, f32) {
        let key = key(point);
        let middle = self.entries.partition_point(|entry| entry.key < key);
        let (below, above) = self.entries.split_at(middle);
        let (mut below, mut above) = (below.iter().rev(), above.iter());
        let (mut best, mut best_distance) = (0, f32::INFINITY);
        let mut look = |entry: Option<&Entry>| -> bool {
            let Some(entry) = entry else { return false };
            let along = entry.key - key;
            if along * along > best_distance {
                return false;
            }
            let distance = distance(entry.point, point);
            if distance < best_distance {
                (best, best_distance) = (entry.index, distance);
            }
            true
        };
        // Alternately, so that the first hits are near and the bound is tight at once.
        let (mut go_up, mut go_down) = (true, true);
        while go_up || go_down {
            go_up = go_up && look(above.next());
            go_down = go_down && look(below.next());
        }
        (best, best_distance)
    }
}

/// At most 256 colours.
#[derive(Clone, Debug)]
pub(crate) struct Palette {
    colours: Vec<[u8; 4]>,
    /// Of the entries that can be seen, in order.
    visible: Vec<Point>,
    nearest: Nearest,
}

impl Palette {
    /// Takes the first 256; an empty list gives one transparent entry.
    pub(crate) fn new(mut colours: Vec<[u8; 4]>) -> Self {
        // Translucent entries first, as tRNS lists alpha for a leading part; then by brightness, which keeps neighbours
        // in the picture near in the palette.
        colours.sort_by_key(|&[red, green, blue, alpha]| {
            let luma = u32::from(red) * 3 + u32::from(green) * 6 + u32::from(blue);
            (alpha, luma, green, red, blue)
        });
        colours.dedup();
        colours.truncate(256);
        if colours.is_empty() {
            colours.push([0; 4]);
        }
        let visible: Vec<Point> = colours.iter().copied().filter(|colour| colour[3] > 0).map(point).collect();
        let nearest = Nearest::new(visible.iter().copied());
        Self { colours, visible, nearest }
    }

    pub(crate) fn colours(&self) -> &[[u8; 4]] {
        &self.colours
    }

    /// The entry that is invisible.
    pub(crate) fn transparent(&self) -> Option<u8> {
        (self.colours.first()?[3] == 0).then_some(0)
    }

    /// `R G B` of each entry.
    pub(crate) fn rgb(&self) -> Vec<u8> {
        self.colours.iter().flat_map(|colour| [colour[0], colour[1], colour[2]]).collect()
    }

    /// Alpha of the entries up to the last that is not opaque.
    pub(crate) fn leading_alpha(&self) -> Option<Vec<u8>> {
        let alpha: Vec<u8> =
            self.colours.iter().map(|colour| colour[3]).take_while(|&alpha| alpha < 255).collect();
        (!alpha.is_empty()).then_some(alpha)
    }

    /// The colour of an index; invisible beyond the last.
    pub(crate) fn colour(&self, index: u8) -> [u8; 4] {
        self.colours.get(usize::from(index)).copied().unwrap_or([0; 4])
    }

    /// How far apart neighbouring entries are, in levels: the median distance of an entry to the nearest other one.
    pub(crate) fn coarseness(&self) -> f32 {
        let gap = |index: usize, entry: Point| {
            let others = self.visible.iter().enumerate().filter(|&(other, _)| other != index);
            others.map(|(_, &other)| distance(entry, other)).fold(f32::INFINITY, lesser)
        };
        let mut gaps: Vec<f32> =
            self.visible.iter().enumerate().map(|(index, &entry)| gap(index, entry)).collect();
        gaps.sort_by(f32::total_cmp);
        gaps.get(gaps.len() / 2).filter(|gap| gap.is_finite()).map_or(0.0, |gap| gap.sqrt())
    }
}

/// Finds the nearest entry for many pixels. Opaque colour space is divided into cubes of which each remembers the few
/// entries that can be nearest to any colour inside.
pub(crate) struct Lookup<'p> {
    palette: &'p Palette,
    /// Candidates of each cube; empty until the cube is first asked for. Most have up to a dozen, for which it takes a MiB; were all 256 near
    /// to everything, it would be 20.
    cubes: Vec<Vec<Four>>,
}

/// Cubes have 16 levels a side.
const CUBE_BITS: u32 = 4;
const CUBES: usize = 1 << (3 * (8 - CUBE_BITS));

/// Four candidates, a channel of all of them at a time.
#[derive(Clone, Copy, Debug)]
struct Four {
    points: [[f32; 4]; 4],
    /// Among the visible entries, 0 to 255.
    places: [f32; 4],
}

impl<'p> Lookup<'p> {
    pub(crate) fn new(palette: &'p Palette) -> Self {
        Self { palette, cubes: vec![Vec::new(); CUBES] }
    }

    pub(crate) fn palette(&self) -> &'p Palette {
        self.palette
    }

    /// The index of the nearest entry. What is more than half opaque never becomes invisible, however poor the palette.
    pub(crate) fn index(&mut self, pixel: [u8; 4]) -> u8 {
        let at = point(pixel);
        let (visible, near) =
            if pixel[3] == 255 { self.among_candidates(pixel, at) } else { self.palette.nearest.find(at) };
        match self.palette.transparent() {
            Some(hole) if near.is_infinite() => hole,
            Some(hole) if pixel[3] < 128 && distance(at, [0.0; 4]) <= near => hole,
            // The invisible entry comes first and is not among the visible ones.
            Some(_) => visible.saturating_add(1),
            None => visible,
        }
    }

    fn among_candidates(&mut self, pixel: [u8; 4], at: Point) -> (u8, f32) {
        let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(|level| usize::from(level >> CUBE_BITS));
        let cube = (red << (2 * (8 - CUBE_BITS))) | (green << (8 - CUBE_BITS)) | blue;
        let Some(candidates) = self.cubes.get_mut(cube) else { return (0, f32::INFINITY) };
        if candidates.is_empty() {
            *candidates = candidates_of(&self.palette.visible, pixel);
        }
        nearest_of(candidates, at)
    }
}

/// The first of the nearest candidates. Each of the four lanes has its own, of which the first is taken in the end.
#[inline(never)]
fn nearest_of(candidates: &[Four], at: Point) -> (u8, f32) {
    let at = at.map(F32x4::splat);
    let mut near = F32x4::splat(f32::INFINITY);
    let mut places = F32x4::splat(0.0);
    for four in candidates {
        let square = |channel: usize| {
            let difference = F32x4::load(&four.points[channel]).sub(at[channel]);
            difference.mul(difference)
        };
        // In the order of `distance`.
        let distance = square(0).add(square(1)).add(square(2).add(square(3)));
        let nearer = distance.is_less(near);
        near = nearer.select(distance, near);
        places = nearer.select(F32x4::load(&four.places), places);
    }
    let mut best = (0.0, f32::INFINITY);
    for (place, near) in places.to_array().into_iter().zip(near.to_array()) {
        if near < best.1 || near == best.1 && place < best.0 {
            best = (place, near);
        }
    }
    (best.0 as u8, best.1)
}

/// The entries whose least distance to the pixel's cube is not beyond the greatest distance of some other entry.
// Seldom called: what calls it often goes without.
#[inline(never)]
fn candidates_of(visible: &[Point], pixel: [u8; 4]) -> Vec<Four> {
    let inside = u8::MAX >> (8 - CUBE_BITS);
    let corner = |level: fn(u8, u8) -> u8| {
        point([level(pixel[0], inside), level(pixel[1], inside), level(pixel[2], inside), 255])
    };
    let (low, high) = (corner(|level, inside| level & !inside), corner(|level, inside| level | inside));
    let bounds = |entry: &Point| {
        let (mut nearest, mut farthest) = ([0.0; 4], [0.0; 4]);
        for axis in 0..4 {
            let (below, above) = (entry[axis] - low[axis], high[axis] - entry[axis]);
            nearest[axis] = greater(greater(0.0, -below), -above);
            farthest[axis] = greater(below.abs(), above.abs());
        }
        (distance(nearest, [0.0; 4]), distance(farthest, [0.0; 4]))
    };
    let reach = visible.iter().map(|entry| bounds(entry).1).fold(f32::INFINITY, lesser);
    let found: Vec<(u8, Point)> =
        (0..=u8::MAX).zip(visible.iter().copied()).filter(|(_, entry)| bounds(entry).0 <= reach).collect();
    found.chunks(4).map(Four::of).collect()
}

impl Four {
    /// Up to four; the last stands for those that are missing.
    fn of(candidates: &[(u8, Point)]) -> Self {
        let candidate = |lane: usize| candidates.get(lane).or(candidates.last()).copied().unwrap_or_default();
        Self {
            points: std::array::from_fn(|channel| std::array::from_fn(|lane| candidate(lane).1[channel])),
            places: std::array::from_fn(|lane| f32::from(candidate(lane).0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn colours_survive_the_way_to_their_point_and_back() {
        for colour in [[0, 0, 0, 255], [255; 4], [200, 100, 50, 255], [200, 100, 50, 128], [0; 4]] {
            assert_eq!(pixel(point(colour)), colour);
        }
    }

    #[test]
    fn alpha_is_listed_for_the_leading_entries_only() {
        let palette = Palette::new(vec![[9, 9, 9, 255], [1, 1, 1, 40], [0; 4]]);
        assert_eq!(palette.leading_alpha(), Some(vec![0, 40]));
        assert_eq!(palette.transparent(), Some(0));
        assert_eq!(Palette::new(vec![[9, 9, 9, 255]]).leading_alpha(), None);
    }

    #[test]
    fn an_opaque_pixel_is_never_made_invisible() {
        let palette = Palette::new(vec![[0; 4], [255; 4]]);
        assert_eq!(Lookup::new(&palette).index([0, 0, 0, 255]), 1);
        assert_eq!(Lookup::new(&palette).index([0, 0, 0, 9]), 0);
        assert_eq!(Lookup::new(&Palette::new(Vec::new())).index([0, 0, 0, 255]), 0);
    }

    proptest! {
        #[test]
        fn finds_what_a_full_search_finds(
            colours in prop::collection::vec(any::<[u8; 4]>(), 1..256),
            wanted in any::<[u8; 4]>(),
        ) {
            let points: Vec<Point> = colours.iter().copied().map(point).collect();
            let (found, _) = Nearest::new(points.iter().copied()).find(point(wanted));
            let least = points.iter().map(|&p| distance(p, point(wanted))).fold(f32::INFINITY, f32::min);
            // The bound along the diagonal is exact up to rounding.
            prop_assert!(distance(points[usize::from(found)], point(wanted)) <= least * 1.0001 + 1e-3);
        }

        #[test]
        fn the_cubes_lose_no_nearer_entry(
            colours in prop::collection::vec(any::<[u8; 3]>(), 1..256),
            wanted in any::<[u8; 3]>(),
        ) {
            let opaque = |[red, green, blue]: [u8; 3]| [red, green, blue, 255];
            let palette = Palette::new(colours.into_iter().map(opaque).collect());
            let found = palette.colour(Lookup::new(&palette).index(opaque(wanted)));
            let least = palette.colours().iter().map(|&colour| distance(point(colour), point(opaque(wanted))));
            prop_assert!(distance(point(found), point(opaque(wanted))) <= least.fold(f32::INFINITY, f32::min));
        }
    }
}
