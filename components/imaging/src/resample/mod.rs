//! From rows of stored pixels to rows of the thumbnail, a row at a time: nothing here holds a whole image.
//!
//! - `layout`: how decoders lay out a row
//! - `axis`: which source pixels matter along one axis, and how much
//! - `shrink`: the mean over cells of whole pixels, as far as twice the wanted size
//! - `taps`: Lanczos weights for the rest; `across`: a row weighed by them; `down`: rows
//! - `scaler`: these put together
//! - `scatter`: for pixels that do not come row by row
//!
//! Alpha is multiplied in before anything is averaged, so that colours of invisible pixels never show. Floats are added
//! in one fixed order and never fused, so that every processor rounds alike.

mod across;
mod axis;
mod down;
mod layout;
mod scaler;
mod scatter;
mod shrink;
mod taps;

pub(crate) use axis::{Axis, cell};
pub(crate) use layout::{Depth, Layout};
pub(crate) use scaler::Scaler;
pub(crate) use scatter::Scatter;

/// Four channels from 0 to 255 with fractions; the colours already multiplied by alpha (the fourth) where there is one.
pub(crate) type Pixel = [f32; 4];

/// Adds `value`, weighted, to `sum`. All of it is read before any of it is written, so that it can be one vector's work.
#[inline(always)]
fn add_weighted(sum: &mut Pixel, weight: f32, value: &Pixel) {
    let ([a, b, c, d], [e, f, g, h]) = (*sum, *value);
    *sum = [a + weight * e, b + weight * f, c + weight * g, d + weight * h];
}
