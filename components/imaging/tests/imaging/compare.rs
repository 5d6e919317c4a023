//! Pictures held against each other as the eye does: colours count as much as they are opaque.

use image::RgbaImage;

/// The pixels of a thumbnail of any format; its first frame.
pub(crate) fn decoded(file: &[u8]) -> RgbaImage {
    image::load_from_memory(file).unwrap().into_rgba8()
}

/// The greatest difference of any channel of any pixel, in levels.
pub(crate) fn worst(one: &RgbaImage, other: &RgbaImage) -> u8 {
    assert_eq!(one.dimensions(), other.dimensions());
    one.pixels()
        .zip(other.pixels())
        .flat_map(|(one, other)| visible(one.0).into_iter().zip(visible(other.0)))
        .map(|(one, other)| one.abs_diff(other))
        .max()
        .unwrap()
}

/// Peak signal to noise, in dB; infinite where nothing differs.
pub(crate) fn psnr(one: &RgbaImage, other: &RgbaImage) -> f64 {
    assert_eq!(one.dimensions(), other.dimensions());
    let squares: f64 = one
        .pixels()
        .zip(other.pixels())
        .flat_map(|(one, other)| visible(one.0).into_iter().zip(visible(other.0)))
        .map(|(one, other)| (f64::from(one) - f64::from(other)).powi(2))
        .sum();
    let samples = f64::from(one.width()) * f64::from(one.height()) * 4.0;
    10.0 * (255.0f64.powi(2) * samples / squares).log10()
}

fn visible([red, green, blue, alpha]: [u8; 4]) -> [u8; 4] {
    let [red, green, blue] =
        [red, green, blue].map(|channel| (u32::from(channel) * u32::from(alpha) / 255) as u8);
    [red, green, blue, alpha]
}
