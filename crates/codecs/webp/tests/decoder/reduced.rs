//! At reduced size, each pixel is the average of its box: exactly for lossless images, and close to it for lossy ones,
//! which are averaged before the colour conversion and, from a shrink of 4 on, without the loop filter.

use thumbs_webp::{Decoder, Image, Layout, Limits};

use crate::fixtures::{all, decode, read, shrink};

const FACTORS: [u32; 9] = [2, 3, 4, 5, 8, 13, 16, 100, 20_000];

/// The averages of `full` by the definition, with alpha as weight.
pub(crate) fn averages(full: &Image, factor: u32) -> Vec<f64> {
    let bytes = full.layout.bytes_per_pixel();
    let (width, height) = (full.width.div_ceil(factor), full.height.div_ceil(factor));
    let mut averages = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (mut sums, mut alpha, mut count) = ([0.0; 3], 0.0, 0.0);
            for v in y * factor..((y + 1) * factor).min(full.height) {
                for u in x * factor..((x + 1) * factor).min(full.width) {
                    let pixel = &full.pixels[(v * full.width + u) as usize * bytes..][..bytes];
                    let weight = if full.layout == Layout::Rgba8 { f64::from(pixel[3]) } else { 255.0 };
                    for (sum, &value) in sums.iter_mut().zip(pixel) {
                        *sum += weight * f64::from(value);
                    }
                    (alpha, count) = (alpha + weight, count + 1.0);
                }
            }
            averages.extend(sums.map(|sum| if alpha > 0.0 { sum / alpha } else { 0.0 }));
            if bytes == 4 {
                averages.push(alpha / count);
            }
        }
    }
    averages
}

/// Of the luma alone: chroma is interpolated at full size and as stored at reduced size, which is no error of either.
fn luma_psnr(image: &Image, averages: &[f64]) -> f64 {
    assert_eq!(image.pixels.len(), averages.len());
    let bytes = image.layout.bytes_per_pixel();
    let luma = |pixel: [f64; 3]| 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
    let squares: f64 = image
        .pixels
        .chunks_exact(bytes)
        .zip(averages.chunks_exact(bytes))
        .map(|(a, b)| (luma([a[0], a[1], a[2]].map(f64::from)) - luma([b[0], b[1], b[2]])).powi(2))
        .sum();
    10.0 * (255.0 * 255.0 * (averages.len() / bytes) as f64 / squares.max(1e-9)).log10()
}

#[test]
fn lossless_images_are_averaged_exactly() {
    for (name, file) in all().iter().filter(|(name, _)| name.starts_with("lossless")) {
        let full = decode(file, 1);
        for factor in FACTORS {
            let image = decode(file, factor);
            assert_eq!(
                (image.width, image.height),
                (full.width.div_ceil(factor), full.height.div_ceil(factor))
            );
            assert_eq!(image.layout, full.layout);
            for (at, (&got, average)) in image.pixels.iter().zip(averages(&full, factor)).enumerate() {
                assert!(
                    (f64::from(got) - average).abs() < 0.51,
                    "{name} 1/{factor} at {at}: {got}, not {average}"
                );
            }
        }
    }
}

/// The scenes are harsher than photos: colours far outside of RGB's cube, noise, stripes.
#[test]
fn lossy_images_are_averaged_closely() {
    for (name, file) in all() {
        if !name.starts_with("lossy") && !name.starts_with("alpha") && name != "metadata" {
            continue;
        }
        let full = decode(&file, 1);
        for factor in FACTORS {
            let image = decode(&file, factor);
            assert!(image.extent.is_complete());
            assert_eq!(
                (image.width, image.height),
                (full.width.div_ceil(factor), full.height.div_ceil(factor))
            );
            assert_eq!(image.layout, full.layout);
            let psnr = luma_psnr(&image, &averages(&full, factor));
            // The two files of lowest quality have the strongest loop filter, which is left out from 1/4 on.
            let filtered_hard = matches!(name.as_str(), "lossy-q5" | "lossy-strongest-filter");
            let bound = if filtered_hard && factor >= 4 { 28.0 } else { 36.0 };
            assert!(psnr > bound, "{name} 1/{factor}: {psnr:.1} dB");
        }
    }
}

#[test]
fn transparent_pixels_have_no_colour_to_bleed() {
    let image = decode(&read("alpha-lossless"), 4);
    let mut empty = 0;
    for pixel in image.pixels.chunks_exact(4).filter(|pixel| pixel[3] == 0) {
        assert_eq!(pixel, [0; 4]);
        empty += 1;
    }
    assert!(empty > 0);
}

#[test]
fn rows_come_one_by_one_and_make_the_image() {
    for name in ["lossy-q75-m6", "alpha-raw", "lossless-photo", "animation-lossy"] {
        let file = read(name);
        for factor in [1, 3] {
            let image = decode(&file, factor);
            let mut rows = Vec::new();
            let extent = Decoder::new(&file)
                .unwrap()
                .decode_rows(shrink(factor), &Limits::default(), &mut |layout, row| {
                    assert_eq!(layout, image.layout);
                    assert_eq!(row.len(), image.width as usize * layout.bytes_per_pixel());
                    rows.extend_from_slice(row);
                })
                .unwrap();
            assert_eq!(extent, image.extent);
            assert!(rows == image.pixels, "{name}");
        }
    }
}
