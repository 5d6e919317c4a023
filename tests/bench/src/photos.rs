//! What is measured: generated pictures, always; photos of Debian's packages `gnome-backgrounds` and `plasma-workspace-wallpapers`,
//! where they are installed.

use std::{io::Cursor, path::PathBuf};

use anyhow::{Context, Result};
use image::{ImageEncoder, ImageFormat, RgbImage};
use thumbs_imaging::options::{Limits, OutputFormat};

/// One picture to measure.
pub(crate) struct Photo {
    pub(crate) name: String,
    /// As in the targets: what the peers do differently for.
    pub(crate) class: &'static str,
    pub(crate) output: OutputFormat,
    source: Source,
}

enum Source {
    File(PathBuf),
    Made(fn() -> Result<Vec<u8>>),
}

impl Photo {
    /// The file's bytes.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>> {
        match &self.source {
            Source::File(path) => std::fs::read(path).with_context(|| path.display().to_string()),
            Source::Made(make) => make(),
        }
    }

    /// Millions of pixels over all frames, by our own probe.
    pub(crate) fn megapixels(&self, bytes: &[u8]) -> f64 {
        let limits = Limits { max_pixels: u64::MAX, max_total_pixels: u64::MAX, ..Limits::default() };
        thumbs_imaging::probe(bytes, &limits)
            .map_or(0.0, |info| f64::from(info.width) * f64::from(info.height) * f64::from(info.frames) / 1e6)
    }
}

/// Name, class, what it becomes, and how it is made.
type Made = (&'static str, &'static str, OutputFormat, fn() -> Result<Vec<u8>>);

const MADE: &[Made] = &[
    ("made-12mp.jpg", "baseline JPEG", OutputFormat::Png, || jpeg(4000, 3000, false)),
    ("made-48mp.jpg", "baseline JPEG", OutputFormat::Png, || jpeg(8000, 6000, false)),
    ("made-12mp-progressive.jpg", "progressive JPEG", OutputFormat::Png, || jpeg(4000, 3000, true)),
    ("made-8mp.png", "PNG", OutputFormat::Png, || with_image_crate(3264, 2448, ImageFormat::Png)),
    ("made-48mp.png", "PNG", OutputFormat::Png, || with_image_crate(8000, 6000, ImageFormat::Png)),
    ("made-4mp.webp", "lossless WebP", OutputFormat::Png, || with_image_crate(2400, 1600, ImageFormat::WebP)),
    ("made-2mp.gif", "GIF still", OutputFormat::Png, || with_image_crate(1600, 1200, ImageFormat::Gif)),
    ("made-50-frames.gif", "animated GIF", OutputFormat::Gif, animated_gif),
];

const PHOTOS: &[(&str, &str)] = &[
    ("/usr/share/wallpapers/Honeywave/contents/images/5120x2880.jpg", "baseline JPEG"),
    ("/usr/share/wallpapers/SafeLanding/contents/images/5120x2880.jpg", "baseline JPEG"),
    ("/usr/share/wallpapers/Shell/contents/images/5120x2880.jpg", "baseline JPEG"),
    ("/usr/share/wallpapers/FallenLeaf/contents/images/2560x1600.jpg", "baseline JPEG"),
    ("/usr/share/wallpapers/ColorfulCups/contents/images/2560x1600.jpg", "baseline JPEG"),
    ("/usr/share/wallpapers/EveningGlow/contents/images/2560x1600.jpg", "baseline JPEG"),
    ("/usr/share/wallpapers/Flow/contents/images/5120x2880.jpg", "progressive JPEG"),
    ("/usr/share/wallpapers/Volna/contents/images/5120x2880.jpg", "progressive JPEG"),
    ("/usr/share/wallpapers/Autumn/contents/images/2560x1600.jpg", "progressive JPEG"),
    ("/usr/share/wallpapers/Altai/contents/images/5120x2880.png", "PNG"),
    ("/usr/share/wallpapers/IceCold/contents/images/5120x2880.png", "PNG"),
    ("/usr/share/wallpapers/Opal/contents/images/3840x2160.png", "PNG"),
    ("/usr/share/wallpapers/Patak/contents/images/1080x1920.png", "PNG"),
    ("/usr/share/backgrounds/gnome/adwaita-l.webp", "WebP"),
    ("/usr/share/backgrounds/gnome/vnc-d.webp", "WebP"),
    ("/usr/share/backgrounds/gnome/wood-d.webp", "WebP"),
];

/// All of them; photos that are not installed are left out.
pub(crate) fn all() -> Vec<Photo> {
    let installed =
        PHOTOS.iter().map(|(path, class)| (PathBuf::from(path), class)).filter(|(path, _)| path.is_file());
    let photos = installed.map(|(path, class)| {
        let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        // Wallpapers are told apart by their folder, backgrounds by their file.
        let name = if parts.iter().any(|part| part == "wallpapers") {
            format!("{}-{}", parts[4], parts[parts.len() - 1])
        } else {
            parts[parts.len() - 1].to_string()
        };
        Photo { name, class, output: OutputFormat::Png, source: Source::File(path) }
    });
    let made = MADE.iter().map(|(name, class, output, make)| Photo {
        name: (*name).to_owned(),
        class,
        output: *output,
        source: Source::Made(*make),
    });
    photos.chain(made).collect()
}

/// Something like a photo: soft shapes, edges and a little noise, the same every time.
fn scene(width: u32, height: u32) -> RgbImage {
    let mut state = 0x2545_f491_u32;
    RgbImage::from_fn(width, height, |x, y| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let (u, v) = (f64::from(x) / f64::from(width), f64::from(y) / f64::from(height));
        let noise = f64::from(state & 15) - 7.5;
        let shade = |phase: f64| {
            let soft = (u * 9.0 + phase).sin() * (v * 7.0 - phase).cos() * 90.0;
            let edge = if ((u * 40.0 + phase).sin() * (v * 30.0).sin()) > 0.6 { 30.0 } else { 0.0 };
            (128.0 + soft + edge + noise).clamp(0.0, 255.0) as u8
        };
        image::Rgb([shade(0.0), shade(0.8), shade(1.7)])
    })
}

fn jpeg(width: u16, height: u16, progressive: bool) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, 88);
    encoder.set_progressive(progressive);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
    encoder.encode(&scene(width.into(), height.into()), width, height, jpeg_encoder::ColorType::Rgb)?;
    Ok(file)
}

fn with_image_crate(width: u32, height: u32, format: ImageFormat) -> Result<Vec<u8>> {
    let picture = scene(width, height);
    let mut file = Cursor::new(Vec::new());
    if format == ImageFormat::Png {
        use image::codecs::png::{CompressionType, FilterType, PngEncoder};
        PngEncoder::new_with_quality(&mut file, CompressionType::Default, FilterType::Adaptive).write_image(
            &picture,
            width,
            height,
            image::ExtendedColorType::Rgb8,
        )?;
    } else {
        picture.write_to(&mut file, format)?;
    }
    Ok(file.into_inner())
}

fn animated_gif() -> Result<Vec<u8>> {
    use image::{Delay, Frame, RgbaImage, codecs::gif::GifEncoder};
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
