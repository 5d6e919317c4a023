//! Eight 16-bit or four 32-bit numbers at a time. On wasm these are simd128 instructions, elsewhere arrays that the compiler
//! vectorises; both give the same bits, because every operation here is defined on integers without rounding choices.
//!
//! Only what the inverse DCT, upsampling and colour conversion use. Nothing here knows of pictures.

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[path = "lanes_simd128.rs"]
mod imp;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[path = "lanes_portable.rs"]
mod imp;

pub(crate) use imp::{I16x8, I32x4, U8x16, store_rgb};

/// Bytes of a vector.
pub(crate) const BYTES: usize = 16;

/// How many bytes come before the first FF.
#[inline(always)]
pub(crate) fn clean_prefix(chunk: &[u8; BYTES]) -> usize {
    U8x16::load(chunk).find(0xff)
}

/// The offset of the first FF at or after `from`.
pub(crate) fn find_ff(data: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(chunk) = data.get(at..).and_then(|rest| rest.first_chunk::<BYTES>()) {
        let clean = clean_prefix(chunk);
        at += clean;
        if clean < BYTES {
            return Some(at);
        }
    }
    data.get(at..)?.iter().position(|&byte| byte == 0xff).map(|offset| at + offset)
}

#[cfg(test)]
mod tests {
    use super::{I16x8, U8x16, find_ff, store_rgb};

    #[test]
    fn finds_ff_at_every_offset() {
        for length in 1..70 {
            for at in 0..length {
                let mut data = vec![0xfe; length];
                assert_eq!(find_ff(&data, 0), None);
                data[at] = 0xff;
                assert_eq!(find_ff(&data, 0), Some(at));
                assert_eq!(find_ff(&data, at), Some(at));
                assert_eq!(find_ff(&data, at + 1), None);
            }
        }
    }

    #[test]
    fn narrowing_saturates() {
        let numbers = I16x8::load(&[-32_768, -1, 0, 1, 254, 255, 256, 32_767]);
        assert_eq!(U8x16::narrow(numbers, numbers).to_array()[..8], [0, 0, 0, 1, 254, 255, 255, 255]);
        let (low, high) = I16x8::splat(-32_768).dot_pairs(I16x8::splat(16), I16x8::pair(-32_768, -32_768));
        assert_eq!(I16x8::narrow(low, high), I16x8::splat(32_767));
    }

    #[test]
    fn colours_are_interleaved() {
        let channel = |start: u8| U8x16::load(&std::array::from_fn(|i| start + i as u8));
        let mut out = [0; 48];
        store_rgb(&mut out, [channel(0), channel(50), channel(100)]);
        assert_eq!(out, std::array::from_fn(|i| (i / 3 + 50 * (i % 3)) as u8));
    }
}
