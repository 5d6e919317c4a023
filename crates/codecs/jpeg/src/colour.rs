//! From the file's channels to grey, RGB or CMYK, a row at a time. BT.601 full range as JFIF has it, with libjpeg's 16-bit constants
//! and roundings.

use thumbs_lanes::{BYTES, I16x8, I32x4, U8x16};

use crate::frame::ColourModel;
use crate::image::PixelFormat;

/// What is done to each pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conversion {
    model: ColourModel,
}

impl Conversion {
    pub(crate) const fn new(model: ColourModel) -> Self {
        Self { model }
    }

    /// Of the result.
    pub(crate) const fn format(self) -> PixelFormat {
        match self.model {
            ColourModel::Grey => PixelFormat::Luma8,
            ColourModel::Rgb | ColourModel::YCbCr => PixelFormat::Rgb8,
            ColourModel::Cmyk | ColourModel::Ycck => PixelFormat::Cmyk8,
        }
    }

    /// Converts a row. All rows are whole vectors long, at least `out`'s pixels rounded up to 16; what is written beyond the last
    /// whole vector of `out` is cut off.
    pub(crate) fn row(self, channels: &[&[u8]], out: &mut [u8]) {
        match (self.model, channels) {
            (ColourModel::Grey, [grey]) => out.copy_from_slice(&grey[..out.len()]),
            (ColourModel::Rgb, &[r, g, b]) => rgb_row([r, g, b], out, |channels| channels),
            (ColourModel::YCbCr, &[y, cb, cr]) => rgb_row([y, cb, cr], out, to_rgb),
            (ColourModel::Cmyk, &[c, m, y, k]) => cmyk_row([c, m, y], k, out, false),
            (ColourModel::Ycck, &[y, cb, cr, k]) => cmyk_row([y, cb, cr], k, out, true),
            // The header decides the model by the number of components.
            _ => {}
        }
    }
}

/// Inks are stored as Adobe does, 255 for none, whether Adobe's marker says so or not: files without it come from programs that took over
/// the convention and not the marker, and every viewer takes them so.
fn cmyk_row(colour: [&[u8]; 3], k: &[u8], out: &mut [u8], coded: bool) {
    // YCCK gives RGB, the inverse of CMY, and is stored inverted like the rest.
    let flip_colour = if coded { 0 } else { 255 };
    let mut rgb = [0; 3 * BYTES];
    for (index, out) in out.chunks_mut(4 * BYTES).enumerate() {
        let chunks = colour.map(|row| load(row, index));
        store_rgb(&mut rgb, if coded { to_rgb(chunks) } else { chunks });
        let k = k[index * BYTES..].iter();
        for ((out, colour), k) in out.chunks_exact_mut(4).zip(rgb.chunks_exact(3)).zip(k) {
            out.copy_from_slice(&[
                colour[0] ^ flip_colour,
                colour[1] ^ flip_colour,
                colour[2] ^ flip_colour,
                !k,
            ]);
        }
    }
}

#[inline(always)]
fn load(row: &[u8], index: usize) -> U8x16 {
    let mut bytes = [0; BYTES];
    bytes.copy_from_slice(&row[index * BYTES..(index + 1) * BYTES]);
    U8x16::load(&bytes)
}

/// Sixteen pixels, `R G B` each.
#[inline(always)]
fn store_rgb(out: &mut [u8; 3 * BYTES], channels: [U8x16; 3]) {
    for (part, vector) in out.as_chunks_mut().0.iter_mut().zip(U8x16::interleave_three(channels)) {
        vector.store(part);
    }
}

#[inline(always)]
fn rgb_row(channels: [&[u8]; 3], out: &mut [u8], convert: impl Fn([U8x16; 3]) -> [U8x16; 3]) {
    let mut chunks = out.chunks_exact_mut(3 * BYTES);
    let mut index = 0;
    for chunk in &mut chunks {
        if let Some(chunk) = chunk.first_chunk_mut() {
            store_rgb(chunk, convert(channels.map(|row| load(row, index))));
        }
        index += 1;
    }
    let rest = chunks.into_remainder();
    if !rest.is_empty() {
        let mut whole = [0; 3 * BYTES];
        store_rgb(&mut whole, convert(channels.map(|row| load(row, index))));
        rest.copy_from_slice(&whole[..rest.len()]);
    }
}

/// Fractions of 65,536. Whole parts are added apart, so that each constant fits into 16 bits.
mod weights {
    /// 1.402 - 1
    pub(super) const CR_TO_R: i16 = 26_345;
    /// -0.34414
    pub(super) const CB_TO_G: i16 = -22_554;
    /// 1 - 0.71414
    pub(super) const CR_TO_G: i16 = 18_734;
    /// 1.772 - 2
    pub(super) const CB_TO_B: i16 = -14_942;
}

#[inline(always)]
fn to_rgb([y, cb, cr]: [U8x16; 3]) -> [U8x16; 3] {
    let low = to_rgb_8(y.widen_low(), cb.widen_low(), cr.widen_low());
    let high = to_rgb_8(y.widen_high(), cb.widen_high(), cr.widen_high());
    std::array::from_fn(|i| U8x16::narrow(low[i], high[i]))
}

#[inline(always)]
fn to_rgb_8(y: I16x8, cb: I16x8, cr: I16x8) -> [I16x8; 3] {
    let middle = I16x8::splat(128);
    let (cb, cr) = (cb.sub(middle), cr.sub(middle));
    let pairs = (cb.zip_low(cr), cb.zip_high(cr));
    let weigh = |of_cb: i16, of_cr: i16| {
        let half = I32x4::splat(1 << 15);
        let part = |pairs: I16x8| pairs.dot(I16x8::splat_pair(of_cb, of_cr)).add(half).shift_right(16);
        I16x8::narrow(part(pairs.0), part(pairs.1))
    };
    [
        y.add(cr).add(weigh(0, weights::CR_TO_R)),
        y.sub(cr).add(weigh(weights::CB_TO_G, weights::CR_TO_G)),
        y.add(cb).add(cb).add(weigh(weights::CB_TO_B, 0)),
    ]
}

#[cfg(test)]
mod tests {
    use super::Conversion;
    use crate::frame::ColourModel;

    fn convert(model: ColourModel, pixel: &[u8]) -> Vec<u8> {
        let rows: Vec<[u8; 16]> = pixel.iter().map(|&value| [value; 16]).collect();
        let rows: Vec<&[u8]> = rows.iter().map(|row| row.as_slice()).collect();
        let conversion = Conversion::new(model);
        let mut out = vec![0; conversion.format().channels()];
        conversion.row(&rows, &mut out);
        out
    }

    #[test]
    fn ycbcr_agrees_with_the_real_formula() {
        for y in (0..=255).step_by(15) {
            for cb in 0..=255 {
                for cr in 0..=255 {
                    let (fy, fb, fr) = (f64::from(y), f64::from(cb) - 128.0, f64::from(cr) - 128.0);
                    let real = [fy + 1.402 * fr, fy - 0.344_14 * fb - 0.714_14 * fr, fy + 1.772 * fb];
                    let got = convert(ColourModel::YCbCr, &[y, cb, cr]);
                    for (got, real) in got.iter().zip(real) {
                        assert!((f64::from(*got) - real.clamp(0.0, 255.0)).abs() <= 0.51, "{y} {cb} {cr}");
                    }
                }
            }
        }
    }

    #[test]
    fn ink_is_255_and_stored_as_0() {
        assert_eq!(convert(ColourModel::Cmyk, &[0, 255, 248, 246]), [255, 0, 7, 9]);
        // YCCK codes the inverse of CMY; of what is inverted, that is the ink itself.
        assert_eq!(convert(ColourModel::Ycck, &[255, 128, 128, 255]), [255, 255, 255, 0]);
    }

    #[test]
    fn rgb_and_grey_pass_through() {
        assert_eq!(convert(ColourModel::Rgb, &[1, 2, 3]), [1, 2, 3]);
        assert_eq!(convert(ColourModel::Grey, &[9]), [9]);
    }

    #[test]
    fn rows_need_not_be_whole_vectors() {
        let channel = |start: usize| -> Vec<u8> { (0..48).map(|x| (start + x) as u8).collect() };
        let rows = [channel(0), channel(60), channel(120)];
        let rows = [rows[0].as_slice(), &rows[1], &rows[2]];
        for pixels in 1..48 {
            let mut out = vec![0; 3 * pixels];
            Conversion::new(ColourModel::Rgb).row(&rows, &mut out);
            for (x, pixel) in out.chunks(3).enumerate() {
                assert_eq!(pixel, [x as u8, 60 + x as u8, 120 + x as u8]);
            }
        }
    }
}
