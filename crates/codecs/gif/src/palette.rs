//! Colours for indices.

use crate::blocks::Descriptor;

const INVISIBLE: u32 = 0;

/// All 256 indices a byte can be, as pixels.
pub(crate) struct Palette {
    /// `R G B A` each, as one number: pixels are looked up and compared as a whole.
    pixels: Box<[u32; 256]>,
    opaque: bool,
}

impl Palette {
    /// Indices beyond the palette are black, as in browsers.
    pub(crate) fn new(frame: &Descriptor<'_>) -> Self {
        let mut pixels = Box::new([u32::from_ne_bytes([0, 0, 0, 255]); 256]);
        for (pixel, &[red, green, blue]) in pixels.iter_mut().zip(frame.palette.as_chunks::<3>().0) {
            *pixel = u32::from_ne_bytes([red, green, blue, 255]);
        }
        if let Some(index) = frame.transparent {
            pixels[usize::from(index)] = INVISIBLE;
        }
        Self { pixels, opaque: frame.transparent.is_none() }
    }

    /// Draws as many indices as there is room for.
    // On its own, where its few values stay in registers.
    #[inline(never)]
    pub(crate) fn draw(&self, indices: &[u8], row: &mut [[u8; 4]]) {
        if self.opaque {
            for (pixel, &index) in row.iter_mut().zip(indices) {
                *pixel = self.pixels[usize::from(index)].to_ne_bytes();
            }
        } else {
            for (pixel, &index) in row.iter_mut().zip(indices) {
                let (under, over) = (u32::from_ne_bytes(*pixel), self.pixels[usize::from(index)]);
                *pixel = if over == INVISIBLE { under } else { over }.to_ne_bytes();
            }
        }
    }
}
