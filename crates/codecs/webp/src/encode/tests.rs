//! What is written is what a decoder reads.

use super::{EncodeError, encode_frame, encode_lossy, encode_lossy_within, frame::Frame};
use crate::vp8::rows::LossyRows;

/// Pictures without a pattern that this machine or another could make differently.
struct Noise(u32);

impl Noise {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % bound
    }

    /// One of several kinds: noise, slopes, stripes, flat patches; sometimes with holes.
    fn picture(&mut self, width: u32, height: u32) -> Vec<[u8; 4]> {
        let kind = self.below(5);
        let holes = self.below(3) == 0;
        let (a, b, c) = (self.below(9) + 1, self.below(9) + 1, self.below(250) + 1);
        let patches: Vec<[u8; 3]> = (0..64).map(|_| [0; 3].map(|_: u8| self.below(256) as u8)).collect();
        (0..width * height)
            .map(|at| {
                let (x, y) = (at % width, at / width);
                let [r, g, b] = match kind {
                    0 => [self.below(256), self.below(256), self.below(256)].map(|value| value as u8),
                    1 => [x * a, y * b, x * b + y * a].map(|value| (value % 256) as u8),
                    2 => [if (x / a + y / b) % 2 == 0 { 0 } else { c as u8 }; 3],
                    3 => patches[((x / 7 + y / 5 * 8) % 64) as usize],
                    _ => {
                        [x * a + self.below(c), y * b, self.below(20)].map(|value| (value / 4).min(255) as u8)
                    }
                };
                let alpha = if holes { [0, 0, 128, 255][self.below(4) as usize] } else { 255 };
                [r, g, b, alpha]
            })
            .collect()
    }
}

/// Holds what the decoder gives against what the encoder restored.
fn check(frame: &Frame, width: u32, height: u32) {
    let mut rows = LossyRows::new(&frame.data, width, height, true).unwrap();
    let mut done = 0;
    while let Some(rows) = rows.next_rows() {
        assert_eq!(rows.top, done);
        let restored = &frame.restored;
        assert_eq!(rows.stride, restored.stride);
        assert!(
            rows.y[..rows.count * rows.stride]
                == restored.y[done * rows.stride..][..rows.count * rows.stride]
        );
        let half = rows.stride / 2;
        for (got, wanted) in [rows.u, rows.v].into_iter().zip(&restored.uv) {
            let count = rows.count.div_ceil(2) * half;
            assert!(got[..count] == wanted[done / 2 * half..][..count]);
        }
        done += rows.count;
    }
    assert_eq!(done, height as usize, "the frame is cut short");
}

#[test]
fn the_decoder_gives_what_the_encoder_restored() {
    let mut noise = Noise(1);
    for round in 0..600 {
        let (width, height) = if round < 36 {
            (1 + round % 6, 1 + round / 6)
        } else {
            (1 + noise.below(90), 1 + noise.below(90))
        };
        let quality = noise.below(101) as u8;
        let pixels = noise.picture(width, height);
        let frame = encode_frame(&pixels, width, height, quality, usize::MAX).unwrap();
        check(&frame, width, height);
    }
}

#[test]
fn better_quality_is_nearer_to_the_source() {
    let grey = |at: u32| [(at % 64 * 3 + at % 7 * 8) as u8; 3];
    let pixels: Vec<[u8; 4]> = (0..64 * 64).map(grey).map(|[r, g, b]| [r, g, b, 255]).collect();
    let mut last = u64::MAX;
    let mut last_bytes = 0;
    for quality in [5, 25, 50, 75, 90, 100] {
        let frame = encode_frame(&pixels, 64, 64, quality, usize::MAX).unwrap();
        let source = super::planes::Planes::of(&super::Pixels { rgba: &pixels, width: 64, height: 64 });
        let pairs = source.y.iter().zip(&frame.restored.y);
        let error: u64 = pairs.map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2)).sum();
        assert!(error < last, "{error} at {quality} after {last}");
        assert!(frame.data.len() > last_bytes, "{quality}");
        (last, last_bytes) = (error, frame.data.len());
    }
    assert!(last <= 64 * 64 * 2, "{last}");
}

#[test]
fn pictures_that_can_not_be_are_refused() {
    assert_eq!(encode_lossy(&[], 0, 0, 50), Err(EncodeError::Pixels));
    assert_eq!(encode_lossy(&[[0; 4]; 3], 2, 2, 50), Err(EncodeError::Pixels));
    assert_eq!(encode_lossy(&[[0; 4]; 16_384], 16_384, 1, 50), Err(EncodeError::TooLarge));
    assert!(encode_lossy(&[[0; 4]; 16_383], 16_383, 1, 50).is_ok());
}

/// Exactly at the bound, for pictures whose symbols are far from what the defaults expect, and near.
#[test]
fn a_bound_refuses_what_is_larger_and_changes_nothing_else() {
    let mut noise = Noise(11);
    for (width, height) in [(1, 1), (40, 30), (130, 90), (600, 460)] {
        for quality in [0, 85] {
            let flat = vec![[90, 90, 90, 255]; (width * height) as usize];
            for pixels in [flat, noise.picture(width, height), noise.picture(width, height)] {
                let free = encode_lossy(&pixels, width, height, quality).unwrap();
                let within = |max_bytes| encode_lossy_within(&pixels, width, height, quality, max_bytes);
                assert_eq!(within(free.len()), Ok(free.clone()), "{width}x{height} at {quality}");
                for max_bytes in [free.len() - 1, free.len() / 2, 0] {
                    assert_eq!(within(max_bytes), Err(EncodeError::TooManyBytes));
                }
            }
        }
    }
}
