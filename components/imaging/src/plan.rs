//! The arithmetic of sizes, apart from pixels: which part of the stored image becomes how many pixels, and where these
//! stand in the box. All lengths are in pixels; fractions of source pixels are meant, not an accident.

use crate::options::{Fit, Gravity, Options};
use crate::orientation::Orientation;

/// Where `cover` leaves the choice to what is in the picture, it may choose along at most this many boxes; beyond, only the
/// middle of the image is looked at. Bounds the memory for an image of one pixel by ten thousand.
const MAX_BOXES_TO_CHOOSE_FROM: f64 = 8.0;

/// A part of one axis of the stored image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    /// From the first stored pixel's edge.
    pub(crate) start: f64,
    /// More than 0; `start + length` is at most the side.
    pub(crate) length: f64,
}

impl Span {
    pub(crate) const fn whole(side: u32) -> Self {
        Self { start: 0.0, length: side as f64 }
    }

    /// The same part where the axis runs the other way.
    fn reversed(self, side: u32) -> Self {
        Self { start: (f64::from(side) - self.start - self.length).max(0.0), length: self.length }
    }
}

/// What happens to the picture after it was resampled and turned upright.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    /// It is the thumbnail.
    Keep,
    /// It stands at (`left`, `top`) in a transparent box.
    Pad { left: u32, top: u32 },
    /// The thumbnail is the most interesting part of it.
    Choose,
}

/// How the thumbnail is made from the image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Plan {
    /// The kept part of the stored columns.
    pub(crate) columns: Span,
    /// The kept part of the stored rows.
    pub(crate) rows: Span,
    /// What that part is resampled to, as stored (before it is turned).
    pub(crate) width: u32,
    /// See `width`.
    pub(crate) height: u32,
    pub(crate) orientation: Orientation,
    pub(crate) finish: Finish,
    /// The thumbnail's sides.
    pub(crate) box_width: u32,
    /// See `box_width`.
    pub(crate) box_height: u32,
}

impl Plan {
    /// `width` and `height` are those of the stored image; neither they nor the options' are 0.
    pub(crate) fn new(width: u32, height: u32, orientation: Orientation, options: &Options) -> Self {
        let (shown_width, shown_height) = orientation.sides(width, height);
        let shown = Shown::new(shown_width, shown_height, options);
        let (columns, rows) =
            if orientation.swaps_axes() { (shown.rows, shown.columns) } else { (shown.columns, shown.rows) };
        let (stored_width, stored_height) = orientation.sides(shown.width, shown.height);
        Self {
            columns: if orientation.reverses_columns() { columns.reversed(width) } else { columns },
            rows: if orientation.reverses_rows() { rows.reversed(height) } else { rows },
            width: stored_width,
            height: stored_height,
            orientation,
            finish: shown.finish,
            box_width: options.width,
            box_height: options.height,
        }
    }

    /// The same from a picture of another size: `from` is what it was made for, `to` that picture.
    pub(crate) fn moved(&self, from: (u32, u32), to: (u32, u32)) -> Self {
        let moved = |span: Span, from: u32, to: u32| {
            let factor = f64::from(to) / f64::from(from);
            let start = span.start * factor;
            Span { start, length: (span.length * factor).min(f64::from(to) - start) }
        };
        Self { columns: moved(self.columns, from.0, to.0), rows: moved(self.rows, from.1, to.1), ..*self }
    }

    /// Source pixels to one pixel of the thumbnail along the axis where these are fewer; below 1 the image is enlarged.
    pub(crate) fn reduction(&self) -> f64 {
        let across = self.columns.length / f64::from(self.width);
        let down = self.rows.length / f64::from(self.height);
        across.min(down)
    }
}

/// A plan for the image as shown.
struct Shown {
    columns: Span,
    rows: Span,
    width: u32,
    height: u32,
    finish: Finish,
}

impl Shown {
    fn new(width: u32, height: u32, options: &Options) -> Self {
        match options.fit {
            Fit::Fill => Self {
                columns: Span::whole(width),
                rows: Span::whole(height),
                width: options.width,
                height: options.height,
                finish: Finish::Keep,
            },
            Fit::Contain => Self::contain(width, height, options),
            Fit::Cover => Self::cover(width, height, options),
        }
    }

    fn contain(width: u32, height: u32, options: &Options) -> Self {
        let (box_width, box_height) = (options.width, options.height);
        let (fitted_width, fitted_height) = if is_wider(width, height, box_width, box_height) {
            (box_width, scaled(box_width, height, width).clamp(1, box_height))
        } else {
            (scaled(box_height, width, height).clamp(1, box_width), box_height)
        };
        let (left, top) = ((box_width - fitted_width) / 2, (box_height - fitted_height) / 2);
        let fills = fitted_width == box_width && fitted_height == box_height;
        Self {
            columns: Span::whole(width),
            rows: Span::whole(height),
            width: fitted_width,
            height: fitted_height,
            finish: if fills { Finish::Keep } else { Finish::Pad { left, top } },
        }
    }

    fn cover(width: u32, height: u32, options: &Options) -> Self {
        let (box_width, box_height) = (options.width, options.height);
        let (mut columns, mut rows) = (Span::whole(width), Span::whole(height));
        let wider = is_wider(width, height, box_width, box_height);
        let (long, side, box_long, other_side, box_other) = if wider {
            (&mut columns, width, box_width, height, box_height)
        } else {
            (&mut rows, height, box_height, width, box_width)
        };
        // What of the long axis one box takes.
        let kept = (f64::from(other_side) * f64::from(box_long) / f64::from(box_other)).min(f64::from(side));
        let (out_long, finish) = match place(options.gravity) {
            Some((across, down)) => {
                let place = if wider { across } else { down };
                *long = Span { start: (f64::from(side) - kept) * place, length: kept };
                (box_long, Finish::Keep)
            }
            None => {
                let boxes = (f64::from(side) / kept).min(MAX_BOXES_TO_CHOOSE_FROM);
                let length = (kept * boxes).min(f64::from(side));
                *long = Span { start: (f64::from(side) - length) / 2.0, length };
                let out_long = rounded(f64::from(box_long) * boxes).max(box_long);
                (out_long, if out_long > box_long { Finish::Choose } else { Finish::Keep })
            }
        };
        let (out_width, out_height) = if wider { (out_long, box_height) } else { (box_width, out_long) };
        Self { columns, rows, width: out_width, height: out_height, finish }
    }
}

/// The image is wider in proportion than the box.
fn is_wider(width: u32, height: u32, box_width: u32, box_height: u32) -> bool {
    u64::from(width) * u64::from(box_height) > u64::from(height) * u64::from(box_width)
}

/// Where `cover` places the box along the columns and the rows, 0 to 1; `None` where the pixels decide.
const fn place(gravity: Gravity) -> Option<(f64, f64)> {
    Some(match gravity {
        Gravity::NorthWest => (0.0, 0.0),
        Gravity::North => (0.5, 0.0),
        Gravity::NorthEast => (1.0, 0.0),
        Gravity::West => (0.0, 0.5),
        Gravity::Center => (0.5, 0.5),
        Gravity::East => (1.0, 0.5),
        Gravity::SouthWest => (0.0, 1.0),
        Gravity::South => (0.5, 1.0),
        Gravity::SouthEast => (1.0, 1.0),
        Gravity::Attention => return None,
    })
}

/// `length * numerator / denominator`, rounded to the nearest.
fn scaled(length: u32, numerator: u32, denominator: u32) -> u32 {
    let product = u64::from(length) * u64::from(numerator) + u64::from(denominator) / 2;
    u32::try_from(product / u64::from(denominator)).unwrap_or(u32::MAX)
}

fn rounded(value: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts of floats saturate")]
    let nearest = (value + 0.5) as u32;
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(source: (u32, u32), exif: u8, boxed: (u32, u32), fit: Fit, gravity: Gravity) -> Plan {
        let options = Options { width: boxed.0, height: boxed.1, fit, gravity, ..Options::default() };
        Plan::new(source.0, source.1, Orientation::new(exif), &options)
    }

    fn span(start: f64, length: f64) -> Span {
        Span { start, length }
    }

    #[test]
    fn cover_keeps_the_part_with_the_shape_of_the_box() {
        use Gravity::*;
        let table = [
            // source, box, gravity, columns, rows
            ((400, 300), (100, 100), Center, span(50.0, 300.0), span(0.0, 300.0)),
            ((400, 300), (100, 100), West, span(0.0, 300.0), span(0.0, 300.0)),
            ((400, 300), (100, 100), NorthEast, span(100.0, 300.0), span(0.0, 300.0)),
            ((300, 400), (100, 100), Center, span(0.0, 300.0), span(50.0, 300.0)),
            ((300, 400), (100, 100), North, span(0.0, 300.0), span(0.0, 300.0)),
            ((300, 400), (100, 100), SouthWest, span(0.0, 300.0), span(100.0, 300.0)),
            ((300, 400), (30, 40), South, span(0.0, 300.0), span(0.0, 400.0)),
            ((10, 7), (100, 100), Center, span(1.5, 7.0), span(0.0, 7.0)),
            ((1, 1), (100, 100), Center, span(0.0, 1.0), span(0.0, 1.0)),
            ((1, 16384), (100, 100), Center, span(0.0, 1.0), span(8191.5, 1.0)),
        ];
        for (source, boxed, gravity, columns, rows) in table {
            let plan = plan(source, 1, boxed, Fit::Cover, gravity);
            assert_eq!((plan.columns, plan.rows), (columns, rows), "{source:?} {gravity:?}");
            assert_eq!((plan.width, plan.height), boxed);
            assert_eq!(plan.finish, Finish::Keep);
        }
    }

    #[test]
    fn contain_keeps_everything_and_pads_to_the_box() {
        let table = [
            // source, box, size, finish
            ((400, 300), (100, 100), (100, 75), Finish::Pad { left: 0, top: 12 }),
            ((300, 400), (100, 100), (75, 100), Finish::Pad { left: 12, top: 0 }),
            ((100, 100), (100, 100), (100, 100), Finish::Keep),
            ((16384, 1), (100, 100), (100, 1), Finish::Pad { left: 0, top: 49 }),
            ((1, 16384), (100, 50), (1, 50), Finish::Pad { left: 49, top: 0 }),
            ((10, 10), (100, 50), (50, 50), Finish::Pad { left: 25, top: 0 }),
            ((1000, 999), (100, 100), (100, 100), Finish::Keep),
        ];
        for (source, boxed, size, finish) in table {
            let plan = plan(source, 1, boxed, Fit::Contain, Gravity::Center);
            assert_eq!(
                (plan.width, plan.height, plan.finish),
                (size.0, size.1, finish),
                "{source:?} in {boxed:?}"
            );
            assert_eq!(plan.columns, Span::whole(source.0));
            assert_eq!(plan.rows, Span::whole(source.1));
        }
    }

    #[test]
    fn fill_stretches() {
        let plan = plan((400, 10), 1, (100, 100), Fit::Fill, Gravity::Center);
        assert_eq!((plan.columns, plan.rows), (span(0.0, 400.0), span(0.0, 10.0)));
        assert_eq!((plan.width, plan.height, plan.finish), (100, 100, Finish::Keep));
        assert!(plan.reduction() < 1.0, "ten rows become a hundred");
    }

    #[test]
    fn gravity_means_the_image_as_shown() {
        // Stored 400x300, shown 300x400: north of what is shown is another end of the stored columns each time.
        let starts = [(5, 0.0), (6, 0.0), (7, 100.0), (8, 100.0)];
        for (exif, start) in starts {
            let plan = plan((400, 300), exif, (100, 100), Fit::Cover, Gravity::North);
            assert_eq!(
                (plan.columns, plan.rows),
                (span(start, 300.0), span(0.0, 300.0)),
                "orientation {exif}"
            );
        }
        let starts = [(1, 100.0), (2, 0.0), (3, 0.0), (4, 100.0)];
        for (exif, start) in starts {
            let plan = plan((400, 300), exif, (100, 100), Fit::Cover, Gravity::East);
            assert_eq!(plan.columns, span(start, 300.0), "orientation {exif}");
        }
    }

    #[test]
    fn the_size_is_turned_with_the_image() {
        let plan = plan((400, 300), 6, (60, 80), Fit::Fill, Gravity::Center);
        assert_eq!((plan.width, plan.height), (80, 60));
    }

    #[test]
    fn attention_gets_more_than_the_box_to_choose_from() {
        let wide = plan((400, 300), 1, (100, 100), Fit::Cover, Gravity::Attention);
        assert_eq!((wide.width, wide.height, wide.finish), (133, 100, Finish::Choose));
        assert_eq!(wide.columns, span(0.0, 400.0));
        let square = plan((400, 400), 1, (100, 100), Fit::Cover, Gravity::Attention);
        assert_eq!(square.finish, Finish::Keep);
        let line = plan((1, 16384), 1, (100, 100), Fit::Cover, Gravity::Attention);
        assert_eq!((line.width, line.height), (100, 800));
        assert_eq!(line.rows, span(8188.0, 8.0));
    }

    #[test]
    fn spans_stay_inside_the_image() {
        for (width, height) in [(1, 1), (3, 7), (16384, 1), (4031, 3023), (5, 16384)] {
            for (box_width, box_height) in [(1, 1), (100, 100), (2048, 3), (7, 2048)] {
                for exif in 1..=8 {
                    for gravity in [Gravity::Center, Gravity::SouthEast, Gravity::Attention] {
                        for fit in [Fit::Cover, Fit::Contain, Fit::Fill] {
                            let plan = plan((width, height), exif, (box_width, box_height), fit, gravity);
                            for (span, side) in [(plan.columns, width), (plan.rows, height)] {
                                assert!(span.start >= 0.0 && span.length > 0.0, "{plan:?}");
                                assert!(span.start + span.length <= f64::from(side) + 1e-6, "{plan:?}");
                            }
                        }
                    }
                }
            }
        }
    }
}
