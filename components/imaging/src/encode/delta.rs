//! What changes from one frame to the next: the smallest rectangle, and whether the pixels inside that stay may be left
//! out as transparent ones. Shared by the animated formats; which disposal a format has is not known here.

/// A part of the canvas, in pixels; at least 1x1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Area {
    /// Everything.
    pub(crate) const fn whole(width: u32, height: u32) -> Self {
        Self { left: 0, top: 0, width, height }
    }

    /// The smallest area with both in it.
    pub(crate) fn union(self, other: Self) -> Self {
        let left = self.left.min(other.left);
        let top = self.top.min(other.top);
        let right = (self.left + self.width).max(other.left + other.width);
        let bottom = (self.top + self.height).max(other.top + other.height);
        Self { left, top, width: right - left, height: bottom - top }
    }

    /// Grown up and to the left until its corner has even coordinates, which is all that WebP can store.
    pub(crate) const fn at_even_corner(self) -> Self {
        let (dx, dy) = (self.left % 2, self.top % 2);
        Self { left: self.left - dx, top: self.top - dy, width: self.width + dx, height: self.height + dy }
    }

    /// The area's rows of a canvas `canvas_width` wide, as slices.
    pub(crate) fn rows<T>(self, canvas: &[T], canvas_width: u32) -> impl Iterator<Item = &[T]> {
        let (left, width) = (self.left as usize, self.width as usize);
        canvas
            .chunks_exact(canvas_width.max(1) as usize)
            .skip(self.top as usize)
            .take(self.height as usize)
            .filter_map(move |row| row.get(left..left + width))
    }
}

/// The smallest area outside which `differs(shown, next)` holds nowhere; `None` where it holds nowhere at all.
pub(crate) fn changed_area<T: Copy>(
    shown: &[T],
    next: &[T],
    canvas_width: u32,
    differs: impl Fn(T, T) -> bool,
) -> Option<Area> {
    let width = canvas_width.max(1) as usize;
    let mut bounds: Option<(usize, usize, usize, usize)> = None;
    for (y, (shown, next)) in shown.chunks_exact(width).zip(next.chunks_exact(width)).enumerate() {
        let changed = |x: &usize| differs(shown[*x], next[*x]);
        let Some(first) = (0..width).find(changed) else { continue };
        let last = (first..width).rev().find(changed).unwrap_or(first);
        let (left, top, right, _) = bounds.unwrap_or((first, y, last, y));
        bounds = Some((left.min(first), top, right.max(last), y));
    }
    let (left, top, right, bottom) = bounds?;
    // Rasters have sides of 32 bits.
    Some(Area {
        left: left as u32,
        top: top as u32,
        width: (right - left + 1) as u32,
        height: (bottom - top + 1) as u32,
    })
}

/// How the next frame is drawn over what is shown, for formats whose frames replace or cover (APNG, WebP).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Patch {
    pub(crate) area: Area,
    /// The pixels of `area`, row by row.
    pub(crate) pixels: Vec<[u8; 4]>,
    /// Unchanged pixels are transparent in `pixels` and must be blended over; else `pixels` replace.
    pub(crate) blend: bool,
}

/// Below this share of unchanged pixels inside the area, holes cost more (they break rows that predict well) than they
/// save.
const MIN_UNCHANGED_PERCENT: usize = 25;

/// The cheapest patch from `shown` to `next`. `may_blend`: the format in use can hold transparent pixels.
pub(crate) fn patch(
    shown: &[[u8; 4]],
    next: &[[u8; 4]],
    canvas_width: u32,
    even_corner: bool,
    may_blend: bool,
) -> Patch {
    let area = changed_area(shown, next, canvas_width, |a, b| a != b).unwrap_or(Area {
        left: 0,
        top: 0,
        width: 1,
        height: 1,
    });
    let area = if even_corner { area.at_even_corner() } else { area };
    let pairs = || {
        area.rows(shown, canvas_width)
            .zip(area.rows(next, canvas_width))
            .flat_map(|(shown, next)| shown.iter().copied().zip(next.iter().copied()))
    };
    let (mut unchanged, mut total, mut all_opaque) = (0usize, 0usize, true);
    for (shown, next) in pairs() {
        total += 1;
        if shown == next {
            unchanged += 1;
        } else {
            // Blending over what is there would mix: only opaque pixels come out as they are.
            all_opaque &= next[3] == 255;
        }
    }
    let blend = may_blend && all_opaque && unchanged * 100 >= total * MIN_UNCHANGED_PERCENT;
    let pixels = pairs().map(|(shown, next)| if blend && shown == next { [0; 4] } else { next }).collect();
    Patch { area, pixels, blend }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RED: [u8; 4] = [255, 0, 0, 255];
    const BLUE: [u8; 4] = [0, 0, 255, 255];
    const GLASS: [u8; 4] = [0, 0, 255, 100];

    #[test]
    fn an_unchanged_frame_is_one_pixel() {
        let patch = patch(&[RED; 12], &[RED; 12], 4, false, true);
        assert_eq!(patch.area, Area { left: 0, top: 0, width: 1, height: 1 });
    }

    #[test]
    fn a_changed_pixel_is_cut_out_exactly_or_from_an_even_corner() {
        let mut next = [RED; 20];
        next[2 * 5 + 3] = BLUE;
        assert_eq!(
            patch(&[RED; 20], &next, 5, false, true).area,
            Area { left: 3, top: 2, width: 1, height: 1 }
        );
        assert_eq!(
            patch(&[RED; 20], &next, 5, true, true).area,
            Area { left: 2, top: 2, width: 2, height: 1 }
        );
    }

    #[test]
    fn translucent_changes_replace_instead_of_mixing() {
        let mut next = [RED; 9];
        next[0] = GLASS;
        next[8] = BLUE;
        assert!(!patch(&[RED; 9], &next, 3, false, true).blend);
        next[0] = BLUE;
        assert!(patch(&[RED; 9], &next, 3, false, true).blend);
        assert!(!patch(&[RED; 9], &next, 3, false, false).blend);
    }

    fn pixel() -> impl Strategy<Value = [u8; 4]> {
        prop_oneof![Just(RED), Just(BLUE), Just(GLASS), Just([0; 4])]
    }

    proptest! {
        #[test]
        fn drawing_the_patch_gives_the_next_frame(
            width in 1u32..7,
            cells in prop::collection::vec((pixel(), pixel()), 42),
            even in any::<bool>(),
            blend in any::<bool>(),
        ) {
            let count = width as usize * 6;
            let (shown, next): (Vec<_>, Vec<_>) = cells.into_iter().take(count).unzip();
            let patch = patch(&shown, &next, width, even, blend);
            let mut canvas = shown;
            for (index, &pixel) in patch.pixels.iter().enumerate() {
                let x = patch.area.left as usize + index % patch.area.width as usize;
                let y = patch.area.top as usize + index / patch.area.width as usize;
                if !(patch.blend && pixel[3] == 0) {
                    canvas[y * width as usize + x] = pixel;
                }
            }
            prop_assert_eq!(canvas, next);
        }
    }
}
