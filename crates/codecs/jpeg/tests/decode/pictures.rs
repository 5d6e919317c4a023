//! Pictures for the tests, made by formula, and how far two of them are apart.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// xorshift64*: the same numbers everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2) + 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// Below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// RGB: rings, a gradient, hard edges and a little grain.
pub(crate) fn scene(width: usize, height: usize) -> Vec<u8> {
    let mut random = Random::new(5);
    let mut pixels = Vec::with_capacity(3 * width * height);
    for y in 0..height {
        for x in 0..width {
            let (fx, fy) = (x as f64 / width as f64, y as f64 / height as f64);
            let ring = ((fx - 0.4).hypot(fy - 0.6) * 40.0).sin() * 60.0;
            let edge = if (x / 40 + y / 56) % 2 == 0 { 50.0 } else { 0.0 };
            let grain = random.below(9) as f64 - 4.0;
            pixels.push((100.0 + ring + edge + grain) as u8);
            pixels.push((60.0 + 120.0 * fx + edge + grain) as u8);
            pixels.push((180.0 - 100.0 * fy + ring / 2.0 + grain) as u8);
        }
    }
    pixels
}

/// The scene as a JPEG file.
pub(crate) fn encode(
    (width, height): (usize, usize),
    sampling: SamplingFactor,
    progressive: bool,
    quality: u8,
) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, quality);
    encoder.set_sampling_factor(sampling);
    encoder.set_progressive(progressive);
    encoder.encode(&scene(width, height), width as u16, height as u16, ColorType::Rgb).unwrap();
    file
}

/// In dB, of 8-bit samples; infinite for equal ones.
pub(crate) fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let squares: f64 = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    10.0 * (255.0_f64.powi(2) * a.len() as f64 / squares).log10()
}

/// Means of `factor` x `factor` pixels; at the right and bottom edge of as many as there are.
pub(crate) fn box_average(pixels: &[u8], width: usize, channels: usize, factor: usize) -> Vec<u8> {
    let height = pixels.len() / (width * channels);
    let mut out = Vec::new();
    for top in (0..height).step_by(factor) {
        for left in (0..width).step_by(factor) {
            for channel in 0..channels {
                let (mut sum, mut count) = (0, 0);
                for y in top..(top + factor).min(height) {
                    for x in left..(left + factor).min(width) {
                        sum += u32::from(pixels[(y * width + x) * channels + channel]);
                        count += 1;
                    }
                }
                out.push(((sum + count / 2) / count) as u8);
            }
        }
    }
    out
}
