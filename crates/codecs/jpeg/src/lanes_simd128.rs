//! The lanes as WebAssembly's fixed-width SIMD. No relaxed instruction is used, so results do not depend on the processor.

use core::arch::wasm32 as w;

use super::BYTES;

/// Eight `i16`; arithmetic wraps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct I16x8(w::v128);

/// Four `i32`; arithmetic wraps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct I32x4(w::v128);

/// Sixteen `u8`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct U8x16(w::v128);

impl PartialEq for I16x8 {
    fn eq(&self, other: &Self) -> bool {
        w::i16x8_all_true(w::i16x8_eq(self.0, other.0))
    }
}

impl I16x8 {
    #[inline(always)]
    #[expect(unsafe_code, reason = "the one way to load a vector; the reference is valid for its 16 bytes")]
    pub(crate) fn load(numbers: &[i16; 8]) -> Self {
        // SAFETY: `numbers` points to 16 readable bytes, and wasm loads need no alignment.
        Self(unsafe { w::v128_load(numbers.as_ptr().cast()) })
    }

    #[inline(always)]
    pub(crate) fn splat(number: i16) -> Self {
        Self(w::i16x8_splat(number))
    }

    /// `even, odd` four times.
    #[inline(always)]
    pub(crate) fn pair(even: i16, odd: i16) -> Self {
        Self(w::i16x8(even, odd, even, odd, even, odd, even, odd))
    }

    #[inline(always)]
    pub(crate) fn add(self, other: Self) -> Self {
        Self(w::i16x8_add(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) fn add_saturating(self, other: Self) -> Self {
        Self(w::i16x8_add_sat(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) fn sub(self, other: Self) -> Self {
        Self(w::i16x8_sub(self.0, other.0))
    }

    /// Arithmetic shift.
    #[inline(always)]
    pub(crate) fn shr<const BITS: u32>(self) -> Self {
        Self(w::i16x8_shr(self.0, BITS))
    }

    /// Alternately from both, their lower halves.
    #[inline(always)]
    pub(crate) fn zip_low(self, other: Self) -> Self {
        Self(w::i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(self.0, other.0))
    }

    /// Alternately from both, their upper halves.
    #[inline(always)]
    pub(crate) fn zip_high(self, other: Self) -> Self {
        Self(w::i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(self.0, other.0))
    }

    /// `self[2i] * weights[2i] + self[2i + 1] * weights[2i + 1]`.
    #[inline(always)]
    pub(crate) fn dot(self, weights: Self) -> I32x4 {
        I32x4(w::i32x4_dot_i16x8(self.0, weights.0))
    }

    /// `self[i] * weights[0] + other[i] * weights[1]`, lower and upper half.
    #[inline(always)]
    pub(crate) fn dot_pairs(self, other: Self, weights: Self) -> (I32x4, I32x4) {
        (self.zip_low(other).dot(weights), self.zip_high(other).dot(weights))
    }

    /// Both joined, numbers beyond `i16` clamped.
    #[inline(always)]
    pub(crate) fn narrow(low: I32x4, high: I32x4) -> Self {
        Self(w::i16x8_narrow_i32x4(low.0, high.0))
    }
}

impl I32x4 {
    #[inline(always)]
    pub(crate) fn splat(number: i32) -> Self {
        Self(w::i32x4_splat(number))
    }

    #[inline(always)]
    pub(crate) fn add(self, other: Self) -> Self {
        Self(w::i32x4_add(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) fn sub(self, other: Self) -> Self {
        Self(w::i32x4_sub(self.0, other.0))
    }

    /// Arithmetic shift.
    #[inline(always)]
    pub(crate) fn shr<const BITS: u32>(self) -> Self {
        Self(w::i32x4_shr(self.0, BITS))
    }
}

impl U8x16 {
    #[inline(always)]
    #[expect(unsafe_code, reason = "the one way to load a vector; the reference is valid for its 16 bytes")]
    pub(crate) fn load(bytes: &[u8; BYTES]) -> Self {
        // SAFETY: `bytes` points to 16 readable bytes, and wasm loads need no alignment.
        Self(unsafe { w::v128_load(bytes.as_ptr().cast()) })
    }

    #[inline(always)]
    pub(crate) fn to_array(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        store(&mut bytes, self.0);
        bytes
    }

    /// Lower and upper half.
    #[inline(always)]
    pub(crate) fn widen(self) -> (I16x8, I16x8) {
        (I16x8(w::u16x8_extend_low_u8x16(self.0)), I16x8(w::u16x8_extend_high_u8x16(self.0)))
    }

    /// Both joined, numbers beyond `u8` clamped.
    #[inline(always)]
    pub(crate) fn narrow(low: I16x8, high: I16x8) -> Self {
        Self(w::u8x16_narrow_i16x8(low.0, high.0))
    }

    /// The index of the first byte that is `byte`, or 16.
    #[inline(always)]
    pub(crate) fn find(self, byte: u8) -> usize {
        let mask = w::i8x16_bitmask(w::u8x16_eq(self.0, w::u8x16_splat(byte)));
        (u32::from(mask) | 1 << BYTES).trailing_zeros() as usize
    }
}

#[inline(always)]
#[expect(unsafe_code, reason = "the one way to store a vector; the reference is valid for its 16 bytes")]
fn store(out: &mut [u8; BYTES], vector: w::v128) {
    // SAFETY: `out` points to 16 writable bytes, and wasm stores need no alignment.
    unsafe { w::v128_store(out.as_mut_ptr().cast(), vector) }
}

/// Sixteen pixels, `R G B` each.
#[inline(always)]
pub(crate) fn store_rgb(out: &mut [u8; 3 * BYTES], [r, g, b]: [U8x16; 3]) {
    let (r, g, b) = (r.0, g.0, b.0);
    // Red and green first, then blue into the gaps.
    let rg = w::i8x16_shuffle::<0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5>(r, g);
    let first = w::i8x16_shuffle::<0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15>(rg, b);
    let rg = w::i8x16_shuffle::<21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26>(r, g);
    let second = w::i8x16_shuffle::<0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15>(rg, b);
    let rg = w::i8x16_shuffle::<0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0>(r, g);
    let third = w::i8x16_shuffle::<26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31>(rg, b);
    for (part, vector) in out.chunks_exact_mut(BYTES).zip([first, second, third]) {
        if let Some(part) = part.first_chunk_mut() {
            store(part, vector);
        }
    }
}
