//! A palette and the search for its nearest entry. Which colours are in it is decided by `census` (all there are) or
//! `quantise` (the best few).

/// Where colours are compared: sRGB-encoded (so that a step in the dark counts as the eye counts it), premultiplied, and
/// weighted, as an error in green is seen before one in red or blue.
pub(crate) type Point = [f32; 4];

const WEIGHTS: Point = [0.6, 1.0, 0.45, 0.8];

/// The place of a colour among the others.
pub(crate) fn point(pixel: [u8; 4]) -> Point {
    let [red, green, blue, alpha] = pixel.map(f32::from);
    let cover = alpha / 255.0;
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
    visible: Nearest,
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
        let visible = Nearest::new(colours.iter().copied().filter(|colour| colour[3] > 0).map(point));
        Self { colours, visible }
    }

    pub(crate) fn colours(&self) -> &[[u8; 4]] {
        &self.colours
    }

    /// The entry that is invisible.
    pub(crate) fn transparent(&self) -> Option<u8> {
        (self.colours.first()?[3] == 0).then_some(0)
    }

    /// What is more than half opaque never becomes invisible, however poor the palette.
    fn find(&self, pixel: [u8; 4]) -> u8 {
        let (index, near) = self.visible.find(point(pixel));
        match self.transparent() {
            Some(hole) if near.is_infinite() => hole,
            Some(hole) if pixel[3] < 128 && distance(point(pixel), [0.0; 4]) <= near => hole,
            // The invisible entry comes first and is not among the visible ones.
            Some(_) => index.saturating_add(1),
            None => index,
        }
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

    /// A search that remembers what it found: pictures repeat their colours.
    pub(crate) fn lookup(&self) -> Lookup<'_> {
        Lookup { palette: self, found: vec![None; 1 << CACHE_BITS] }
    }
}

const CACHE_BITS: u32 = 12;

/// See [`Palette::lookup`].
pub(crate) struct Lookup<'p> {
    palette: &'p Palette,
    found: Vec<Option<([u8; 4], u8)>>,
}

impl Lookup<'_> {
    /// The index of the nearest entry.
    pub(crate) fn index(&mut self, pixel: [u8; 4]) -> u8 {
        let hash = u32::from_le_bytes(pixel).wrapping_mul(0x9E37_79B1) >> (32 - CACHE_BITS);
        match self.found.get_mut(hash as usize) {
            Some(Some((known, index))) if *known == pixel => *index,
            slot => {
                let index = self.palette.find(pixel);
                if let Some(slot) = slot {
                    *slot = Some((pixel, index));
                }
                index
            }
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
        assert_eq!(palette.lookup().index([0, 0, 0, 255]), 1);
        assert_eq!(palette.lookup().index([0, 0, 0, 9]), 0);
        assert_eq!(Palette::new(Vec::new()).lookup().index([0, 0, 0, 255]), 0);
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
    }
}
