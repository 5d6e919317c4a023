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

/// A JPEG of [`corners`] that is stored turned, with the EXIF `orientation` (1 to 8) that turns it upright. Shown, it has `width` x
/// `height`.
///
/// # Panics
/// When `orientation` is none.
#[must_use]
pub fn jpeg_stored_as(orientation: u8, width: u32, height: u32) -> Vec<u8> {
    use image::imageops::{flip_horizontal, flip_vertical, rotate90, rotate180, rotate270};
    let upright = corners(width, height);
    // TIFF 6.0, tag 274: how the stored picture is turned, so each is the inverse of what a viewer does.
    let stored = match orientation {
        1 => upright,
        2 => flip_horizontal(&upright),
        3 => rotate180(&upright),
        4 => flip_vertical(&upright),
        5 => flip_horizontal(&rotate90(&upright)),
        6 => rotate270(&upright),
        7 => flip_horizontal(&rotate270(&upright)),
        8 => rotate90(&upright),
        _ => panic!("{orientation} is no orientation"),
    };
    let file = encoded(stored, ImageFormat::Jpeg);
    let tiff = [
        &b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01"[..],
        &[0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0],
        &[0, 0, 0, 0],
    ]
    .concat();
    let length = u16::try_from(tiff.len() + 2).expect("a short segment");
    [&file[..2], &[0xff, 0xe1], &length.to_be_bytes(), &tiff, &file[2..]].concat()
}

/// A JPEG that needs many bytes in every row, so that cutting off a part of the file cuts off that part of the picture.
#[must_use]
pub fn noisy_jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut state = 1_u32;
    let picture = RgbImage::from_fn(width, height, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [_, blue, green, red] = state.to_le_bytes();
        image::Rgb([red, green, blue])
    });
    encoded(picture, ImageFormat::Jpeg)
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

/// A PNG with sound headers whose compressed pixels are not zlib data.
#[must_use]
pub fn png_with_broken_pixels(width: u32, height: u32) -> Vec<u8> {
    png_claiming(width, height, &[0xff; 64])
}

/// A valid black PNG of 1-bit grey: some 30 KB for 16384x16384.
///
/// # Panics
/// Never: compressing into memory does not fail.
#[must_use]
pub fn one_coloured_png(width: u32, height: u32) -> Vec<u8> {
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    let row = vec![0_u8; 1 + (width as usize).div_ceil(8)];
    for _ in 0..height {
        std::io::Write::write_all(&mut zlib, &row).expect("memory takes every byte");
    }
    png_claiming(width, height, &zlib.finish().expect("memory takes every byte"))
}

/// A GIF of a screen and nothing on it.
#[must_use]
pub fn gif_without_frames() -> Vec<u8> {
    [&b"GIF89a"[..], &[16, 0, 16, 0, 0, 0, 0], b";"].concat()
}
