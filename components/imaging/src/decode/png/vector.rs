//! Eight lanes of 16 bits: two pixels of up to four bytes. In WebAssembly they are one vector register; elsewhere an array,
//! which compilers make one of. Both do the same integer arithmetic, so results do not differ.

pub(super) use lanes::Lanes;

#[cfg(target_arch = "wasm32")]
mod lanes {
    use core::arch::wasm32::{
        i16x8_add, i16x8_extend_low_u8x16, i16x8_gt, i16x8_max, i16x8_min, i16x8_splat, i16x8_sub,
        i64x2_shuffle, u8x16_narrow_i16x8, u16x8_shr, u32x4, u32x4_extract_lane, v128, v128_and,
        v128_bitselect, v128_or,
    };

    #[derive(Clone, Copy)]
    pub(in super::super) struct Lanes(v128);

    impl Lanes {
        #[inline(always)]
        pub(in super::super) fn splat(value: i16) -> Self {
            Self(i16x8_splat(value))
        }

        /// The bytes of two pixels, first the lower half's.
        #[inline(always)]
        pub(in super::super) fn pixels([low, high]: [u32; 2]) -> Self {
            Self(i16x8_extend_low_u8x16(u32x4(low, high, 0, 0)))
        }

        /// Back from lanes of 0 to 255.
        #[inline(always)]
        pub(in super::super) fn to_pixels(self) -> [u32; 2] {
            let bytes = u8x16_narrow_i16x8(self.0, self.0);
            [u32x4_extract_lane::<0>(bytes), u32x4_extract_lane::<1>(bytes)]
        }

        /// The lower half of one and the lower half of another.
        #[inline(always)]
        pub(in super::super) fn low_low(low: Self, high: Self) -> Self {
            Self(i64x2_shuffle::<0, 2>(low.0, high.0))
        }

        /// The higher half of one and the lower half of another.
        #[inline(always)]
        pub(in super::super) fn high_low(low: Self, high: Self) -> Self {
            Self(i64x2_shuffle::<1, 2>(low.0, high.0))
        }

        #[inline(always)]
        pub(in super::super) fn add(self, other: Self) -> Self {
            Self(i16x8_add(self.0, other.0))
        }

        #[inline(always)]
        pub(in super::super) fn sub(self, other: Self) -> Self {
            Self(i16x8_sub(self.0, other.0))
        }

        #[inline(always)]
        pub(in super::super) fn min(self, other: Self) -> Self {
            Self(i16x8_min(self.0, other.0))
        }

        #[inline(always)]
        pub(in super::super) fn max(self, other: Self) -> Self {
            Self(i16x8_max(self.0, other.0))
        }

        #[inline(always)]
        pub(in super::super) fn and(self, other: Self) -> Self {
            Self(v128_and(self.0, other.0))
        }

        #[inline(always)]
        pub(in super::super) fn or(self, other: Self) -> Self {
            Self(v128_or(self.0, other.0))
        }

        /// Of lanes that are not negative.
        #[inline(always)]
        pub(in super::super) fn half(self) -> Self {
            Self(u16x8_shr(self.0, 1))
        }

        /// All ones where this is greater, else zeros.
        #[inline(always)]
        pub(in super::super) fn greater(self, other: Self) -> Self {
            Self(i16x8_gt(self.0, other.0))
        }

        /// One where the mask is ones, other where it is zeros.
        #[inline(always)]
        pub(in super::super) fn select(mask: Self, one: Self, other: Self) -> Self {
            Self(v128_bitselect(one.0, other.0, mask.0))
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod lanes {
    #[derive(Clone, Copy)]
    pub(in super::super) struct Lanes([i16; 8]);

    impl Lanes {
        #[inline(always)]
        pub(in super::super) fn splat(value: i16) -> Self {
            Self([value; 8])
        }

        /// The bytes of two pixels, first the lower half's.
        #[inline(always)]
        pub(in super::super) fn pixels([low, high]: [u32; 2]) -> Self {
            let (low, high) = (low.to_le_bytes(), high.to_le_bytes());
            Self(std::array::from_fn(|lane| i16::from(if lane < 4 { low[lane] } else { high[lane - 4] })))
        }

        /// Back from lanes of 0 to 255.
        #[inline(always)]
        pub(in super::super) fn to_pixels(self) -> [u32; 2] {
            let byte = |lane: usize| self.0[lane] as u8;
            [
                u32::from_le_bytes(std::array::from_fn(byte)),
                u32::from_le_bytes(std::array::from_fn(|lane| byte(lane + 4))),
            ]
        }

        /// The lower half of one and the lower half of another.
        #[inline(always)]
        pub(in super::super) fn low_low(low: Self, high: Self) -> Self {
            Self(std::array::from_fn(|lane| if lane < 4 { low.0[lane] } else { high.0[lane - 4] }))
        }

        /// The higher half of one and the lower half of another.
        #[inline(always)]
        pub(in super::super) fn high_low(low: Self, high: Self) -> Self {
            Self(std::array::from_fn(|lane| if lane < 4 { low.0[lane + 4] } else { high.0[lane - 4] }))
        }

        #[inline(always)]
        pub(in super::super) fn add(self, other: Self) -> Self {
            self.map(other, i16::wrapping_add)
        }

        #[inline(always)]
        pub(in super::super) fn sub(self, other: Self) -> Self {
            self.map(other, i16::wrapping_sub)
        }

        #[inline(always)]
        pub(in super::super) fn min(self, other: Self) -> Self {
            self.map(other, i16::min)
        }

        #[inline(always)]
        pub(in super::super) fn max(self, other: Self) -> Self {
            self.map(other, i16::max)
        }

        #[inline(always)]
        pub(in super::super) fn and(self, other: Self) -> Self {
            self.map(other, |one, other| one & other)
        }

        #[inline(always)]
        pub(in super::super) fn or(self, other: Self) -> Self {
            self.map(other, |one, other| one | other)
        }

        /// Of lanes that are not negative.
        #[inline(always)]
        pub(in super::super) fn half(self) -> Self {
            Self(self.0.map(|lane| lane >> 1))
        }

        /// All ones where this is greater, else zeros.
        #[inline(always)]
        pub(in super::super) fn greater(self, other: Self) -> Self {
            self.map(other, |one, other| if one > other { -1 } else { 0 })
        }

        /// One where the mask is ones, other where it is zeros.
        #[inline(always)]
        pub(in super::super) fn select(mask: Self, one: Self, other: Self) -> Self {
            Self(std::array::from_fn(|lane| one.0[lane] & mask.0[lane] | other.0[lane] & !mask.0[lane]))
        }

        #[inline(always)]
        fn map(self, other: Self, operation: impl Fn(i16, i16) -> i16) -> Self {
            Self(std::array::from_fn(|lane| operation(self.0[lane], other.0[lane])))
        }
    }
}
