//! Four floats at a time. On wasm these are simd128 instructions, elsewhere arrays; both give the same bits, since each operation here
//! rounds each lane as it would alone.

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod imp {
    use core::arch::wasm32 as w;

    #[derive(Clone, Copy)]
    pub(crate) struct F32x4(w::v128);

    /// All ones or all zeros in each lane.
    #[derive(Clone, Copy)]
    pub(crate) struct Mask(w::v128);

    impl F32x4 {
        #[inline(always)]
        pub(crate) fn new([a, b, c, d]: [f32; 4]) -> Self {
            Self(w::f32x4(a, b, c, d))
        }

        #[inline(always)]
        pub(crate) fn splat(number: f32) -> Self {
            Self(w::f32x4_splat(number))
        }

        #[inline(always)]
        pub(crate) fn add(self, other: Self) -> Self {
            Self(w::f32x4_add(self.0, other.0))
        }

        /// The square of the difference.
        #[inline(always)]
        pub(crate) fn square_to(self, other: Self) -> Self {
            let difference = w::f32x4_sub(self.0, other.0);
            Self(w::f32x4_mul(difference, difference))
        }

        #[inline(always)]
        pub(crate) fn is_less(self, than: Self) -> Mask {
            Mask(w::f32x4_lt(self.0, than.0))
        }

        #[inline(always)]
        pub(crate) fn lanes(self) -> [f32; 4] {
            [
                w::f32x4_extract_lane::<0>(self.0),
                w::f32x4_extract_lane::<1>(self.0),
                w::f32x4_extract_lane::<2>(self.0),
                w::f32x4_extract_lane::<3>(self.0),
            ]
        }
    }

    impl Mask {
        /// `yes` in the lanes of ones, `no` in the others.
        #[inline(always)]
        pub(crate) fn choose(self, yes: F32x4, no: F32x4) -> F32x4 {
            F32x4(w::v128_bitselect(yes.0, no.0, self.0))
        }
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod imp {
    use std::array::from_fn;

    #[derive(Clone, Copy)]
    pub(crate) struct F32x4([f32; 4]);

    #[derive(Clone, Copy)]
    pub(crate) struct Mask([bool; 4]);

    impl F32x4 {
        #[inline(always)]
        pub(crate) fn new(numbers: [f32; 4]) -> Self {
            Self(numbers)
        }

        #[inline(always)]
        pub(crate) fn splat(number: f32) -> Self {
            Self([number; 4])
        }

        #[inline(always)]
        pub(crate) fn add(self, other: Self) -> Self {
            Self(from_fn(|lane| self.0[lane] + other.0[lane]))
        }

        #[inline(always)]
        pub(crate) fn square_to(self, other: Self) -> Self {
            Self(from_fn(|lane| {
                let difference = self.0[lane] - other.0[lane];
                difference * difference
            }))
        }

        #[inline(always)]
        pub(crate) fn is_less(self, than: Self) -> Mask {
            Mask(from_fn(|lane| self.0[lane] < than.0[lane]))
        }

        #[inline(always)]
        pub(crate) fn lanes(self) -> [f32; 4] {
            self.0
        }
    }

    impl Mask {
        #[inline(always)]
        pub(crate) fn choose(self, yes: F32x4, no: F32x4) -> F32x4 {
            F32x4(from_fn(|lane| if self.0[lane] { yes.0[lane] } else { no.0[lane] }))
        }
    }
}

pub(super) use imp::F32x4;
