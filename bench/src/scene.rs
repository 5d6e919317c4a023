//! A picture that needs no photo, in every format that there is an encoder for.

use std::io::Cursor;

use anyhow::Result;
use image::{Delay, Frame, ImageEncoder, ImageFormat, RgbImage, RgbaImage, codecs::gif::GifEncoder};

/// Something like a photo: soft shapes, edges and a little noise, the same every time.
fn scene(width: u32, height: u32) -> RgbImage {
    const PHASES: [f64; 3] = [0.0, 0.8, 1.7];
    // All of it is made of products of waves: what a column and what a row contributes is computed once.
    let columns: Vec<_> = (0..width)
        .map(|x| f64::from(x) / f64::from(width))
        .map(|u| PHASES.map(|phase| ((u * 9.0 + phase).sin(), (u * 40.0 + phase).sin())))
        .collect();
    let rows: Vec<_> = (0..height)
        .map(|y| f64::from(y) / f64::from(height))
        .map(|v| PHASES.map(|phase| ((v * 7.0 - phase).cos(), (v * 30.0).sin())))
        .collect();
    let mut state = 0x2545_f491_u32;
    RgbImage::from_fn(width, height, |x, y| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let noise = f64::from(state & 15) - 7.5;
        let (across, down) = (&columns[x as usize], &rows[y as usize]);
        image::Rgb(std::array::from_fn(|channel| {
            let ((soft_x, edge_x), (soft_y, edge_y)) = (across[channel], down[channel]);
            let edge = if edge_x * edge_y > 0.6 { 30.0 } else { 0.0 };
            (128.0 + soft_x * soft_y * 90.0 + edge + noise).clamp(0.0, 255.0) as u8
        }))
    })
}

pub(crate) fn jpeg(width: u16, height: u16, progressive: bool) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, 88);
    encoder.set_progressive(progressive);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
    encoder.encode(&scene(width.into(), height.into()), width, height, jpeg_encoder::ColorType::Rgb)?;
    Ok(file)
}

pub(crate) fn png(width: u32, height: u32) -> Result<Vec<u8>> {
    use image::codecs::png::{CompressionType, FilterType, PngEncoder};
    let mut file = Vec::new();
    PngEncoder::new_with_quality(&mut file, CompressionType::Default, FilterType::Adaptive).write_image(
        &scene(width, height),
        width,
        height,
        image::ExtendedColorType::Rgb8,
    )?;
    Ok(file)
}

pub(crate) fn lossless_webp(width: u32, height: u32) -> Result<Vec<u8>> {
    write(width, height, ImageFormat::WebP)
}

pub(crate) fn gif(width: u32, height: u32) -> Result<Vec<u8>> {
    write(width, height, ImageFormat::Gif)
}

fn write(width: u32, height: u32, format: ImageFormat) -> Result<Vec<u8>> {
    let mut file = Cursor::new(Vec::new());
    scene(width, height).write_to(&mut file, format)?;
    Ok(file.into_inner())
}

/// A square that moves over a scene that does not.
pub(crate) fn animated_gif() -> Result<Vec<u8>> {
    let background = image::DynamicImage::ImageRgb8(scene(480, 360)).to_rgba8();
    let mut file = Vec::new();
    {
        let mut encoder = GifEncoder::new_with_speed(&mut file, 10);
        for n in 0..50 {
            let mut frame: RgbaImage = background.clone();
            let (left, top) = (n * 8, 100 + (n % 10) * 12);
            for (x, y, pixel) in frame.enumerate_pixels_mut() {
                if (left..left + 60).contains(&x) && (top..top + 60).contains(&y) {
                    *pixel = image::Rgba([240, 60, 40, 255]);
                }
            }
            encoder.encode_frame(Frame::from_parts(frame, 0, 0, Delay::from_numer_denom_ms(40, 1)))?;
        }
    }
    Ok(file)
}
