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

/// Mean structural similarity (Wang et al., 2004) of the four channels, over every window of 7x7 pixels: 1 where nothing
/// differs. It sees what PSNR does not: blur, blocks and lost detail in flat parts.
pub(crate) fn ssim(one: &RgbaImage, other: &RgbaImage) -> f64 {
    const WINDOW: u32 = 7;
    const C1: f64 = (0.01 * 255.0) * (0.01 * 255.0);
    const C2: f64 = (0.03 * 255.0) * (0.03 * 255.0);
    assert_eq!(one.dimensions(), other.dimensions());
    let (width, height) = one.dimensions();
    let (across, down) = (WINDOW.min(width), WINDOW.min(height));
    let (mut total, mut windows) = (0.0, 0.0);
    for (top, left) in (0..=height - down).flat_map(|top| (0..=width - across).map(move |left| (top, left))) {
        for channel in 0..4 {
            let places = (top..top + down).flat_map(|y| (left..left + across).map(move |x| (x, y)));
            let (mut sum_a, mut sum_b, mut sum_aa, mut sum_bb, mut sum_ab) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for (x, y) in places {
                let [a, b] = [one, other].map(|image| f64::from(visible(image.get_pixel(x, y).0)[channel]));
                sum_a += a;
                sum_b += b;
                sum_aa += a * a;
                sum_bb += b * b;
                sum_ab += a * b;
            }
            let count = f64::from(across * down);
            let (mean_a, mean_b) = (sum_a / count, sum_b / count);
            let (variance_a, variance_b) =
                (sum_aa / count - mean_a * mean_a, sum_bb / count - mean_b * mean_b);
            let covariance = sum_ab / count - mean_a * mean_b;
            total += (2.0 * mean_a * mean_b + C1) * (2.0 * covariance + C2)
                / ((mean_a * mean_a + mean_b * mean_b + C1) * (variance_a + variance_b + C2));
            windows += 1.0;
        }
    }
    total / windows
}

fn visible([red, green, blue, alpha]: [u8; 4]) -> [u8; 4] {
    let [red, green, blue] =
        [red, green, blue].map(|channel| (u32::from(channel) * u32::from(alpha) / 255) as u8);
    [red, green, blue, alpha]
}
