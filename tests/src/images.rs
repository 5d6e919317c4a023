//! Test images, made on the spot: real files of each format, and hostile ones written byte by byte.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbImage, RgbaImage};

/// A picture with an orientation that can be told from its corners: red top left, green top right, blue bottom left, white
/// bottom right, with a smooth ramp in between so that every codec has something to do.
#[must_use]
pub fn corners(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (right, bottom) = (x >= width / 2, y >= height / 2);
        let shade = |base: u32| u8::try_from(base - (x * 20 / width + y * 20 / height)).unwrap_or(0);
        image::Rgb(match (right, bottom) {
            (false, false) => [shade(250), 10, 10],
            (true, false) => [10, shade(250), 10],
            (false, true) => [10, 10, shade(250)],
            (true, true) => [shade(250), shade(250), shade(250)],
        })
    })
}

/// The picture as a file.
///
/// # Panics
/// When the encoder fails, which it does not for these formats.
#[must_use]
pub fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.into().write_to(&mut file, format).expect("the format can hold the picture");
    file.into_inner()
}

/// A JPEG of [`corners`].
#[must_use]
pub fn jpeg(width: u32, height: u32) -> Vec<u8> {
    encoded(corners(width, height), ImageFormat::Jpeg)
}

/// A PNG of [`corners`].
#[must_use]
pub fn png(width: u32, height: u32) -> Vec<u8> {
    encoded(corners(width, height), ImageFormat::Png)
}

/// A PNG whose left half is opaque red and whose right half is transparent.
#[must_use]
pub fn half_transparent_png(width: u32, height: u32) -> Vec<u8> {
    let picture = RgbaImage::from_fn(width, height, |x, _| {
        image::Rgba(if x < width / 2 { [255, 0, 0, 255] } else { [0, 0, 0, 0] })
    });
    encoded(picture, ImageFormat::Png)
}

/// One chunk of a PNG file.
fn png_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = crc32fast::Hasher::new();
    crc.update(kind);
    crc.update(data);
    let length = u32::try_from(data.len()).expect("chunks of tests are small");
    [&length.to_be_bytes(), &kind[..], data, &crc.finalize().to_be_bytes()].concat()
}

/// A PNG of 1-bit grey that claims `width` x `height` and whose image data is `compressed`.
#[must_use]
pub fn png_claiming(width: u32, height: u32, compressed: &[u8]) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[1, 0, 0, 0, 0]].concat();
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        png_chunk(b"IHDR", &header),
        png_chunk(b"IDAT", compressed),
        png_chunk(b"IEND", &[]),
    ]
    .concat()
}

/// A GIF of a screen and nothing on it.
#[must_use]
pub fn gif_without_frames() -> Vec<u8> {
    [&b"GIF89a"[..], &[16, 0, 16, 0, 0, 0, 0], b";"].concat()
}
