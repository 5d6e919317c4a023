//! Every operation of `thumbs-lanes` by name, and what it gives for noise in which extremes are as likely as all else. Which
//! implementation runs is decided by the target that this is built for.

use thumbs_lanes::{F32x4, I16x8, I32x4, U8x16};

/// Times that each operation runs.
pub(crate) const ROUNDS: usize = 500;

/// Takes what it wants of the noise, and gives what comes out as bytes.
type Operation = fn(&mut Noise) -> Vec<u8>;

/// By type and name; the bytes of all rounds one after the other.
pub(crate) fn transcript() -> Vec<(String, Vec<u8>)> {
    let runs = OPERATIONS.iter().map(|(name, operation)| {
        let mut noise = Noise(0x9E37_79B9);
        let bytes = (0..ROUNDS).flat_map(|_| operation(&mut noise)).collect();
        ((*name).to_owned(), bytes)
    });
    runs.collect()
}

/// An xorshift generator.
pub(crate) struct Noise(u32);

impl Noise {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| {
            let [which, byte, ..] = self.next().to_be_bytes();
            [0, 1, 0x7F, 0x80, 0xFF, byte, byte, byte][usize::from(which % 8)]
        })
    }

    fn number(&mut self) -> i16 {
        let number = i16::from_le_bytes(self.bytes());
        [0, 1, -1, i16::MIN, i16::MAX, number, number, number][self.next() as usize % 8]
    }

    fn pixels(&mut self) -> [u32; 4] {
        std::array::from_fn(|_| u32::from_le_bytes(self.bytes()))
    }

    fn u8x16(&mut self) -> U8x16 {
        U8x16::load(&self.bytes())
    }

    fn i16x8(&mut self) -> I16x8 {
        I16x8::load(&std::array::from_fn(|_| self.number()))
    }

    fn i32s(&mut self) -> [i32; 4] {
        std::array::from_fn(|_| {
            let number = i32::from_le_bytes(self.bytes());
            [0, 1, -1, i32::MIN, i32::MAX, i32::from(self.number()), number, number][self.next() as usize % 8]
        })
    }

    fn i32x4(&mut self) -> I32x4 {
        I32x4::load(&self.i32s())
    }

    /// Of all sizes, infinite ones too, but always numbers: what bits stand for none is left open.
    fn floats(&mut self) -> [f32; 4] {
        std::array::from_fn(|_| {
            let number = f32::from_bits(self.next());
            let number = if number.is_nan() { 0.1 } else { number };
            let plain = f32::from(self.number()) / 7.0;
            [0.0, -0.0, f32::INFINITY, f32::MIN_POSITIVE / 2.0, number, number, plain, plain]
                [self.next() as usize % 8]
        })
    }

    fn f32x4(&mut self) -> F32x4 {
        F32x4::load(&self.floats())
    }
}

fn of_bytes(vectors: impl IntoIterator<Item = U8x16>) -> Vec<u8> {
    vectors.into_iter().flat_map(U8x16::to_array).collect()
}

fn of_numbers(vectors: impl IntoIterator<Item = I16x8>) -> Vec<u8> {
    vectors.into_iter().flat_map(I16x8::to_array).flat_map(i16::to_le_bytes).collect()
}

fn of_i32(vector: I32x4) -> Vec<u8> {
    vector.to_array().into_iter().flat_map(i32::to_le_bytes).collect()
}

/// Numbers by their bits; all that are none are one.
fn of_floats(vector: F32x4) -> Vec<u8> {
    let bits = |float: f32| if float.is_nan() { f32::NAN.to_bits() } else { float.to_bits() };
    vector.to_array().into_iter().flat_map(|float| bits(float).to_le_bytes()).collect()
}

fn of_words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

const OPERATIONS: &[(&str, Operation)] = &[
    ("U8x16::load", |noise| of_bytes([U8x16::load(&noise.bytes())])),
    ("U8x16::store", |noise| {
        let mut bytes = [0; 16];
        noise.u8x16().store(&mut bytes);
        bytes.to_vec()
    }),
    ("U8x16::to_array", |noise| noise.u8x16().to_array().to_vec()),
    ("U8x16::from_halves", |noise| of_bytes([U8x16::from_halves(&noise.bytes(), &noise.bytes())])),
    ("U8x16::store_halves", |noise| {
        let (mut low, mut high) = ([0; 8], [0; 8]);
        noise.u8x16().store_halves(&mut low, &mut high);
        [low, high].concat()
    }),
    ("U8x16::from_pixels", |noise| of_bytes([U8x16::from_pixels(noise.pixels())])),
    ("U8x16::to_pixels", |noise| of_words(&noise.u8x16().to_pixels())),
    ("U8x16::load_pixels", |noise| of_bytes([U8x16::load_pixels(&noise.pixels())])),
    ("U8x16::store_pixels", |noise| {
        let mut pixels = [0; 4];
        noise.u8x16().store_pixels(&mut pixels);
        of_words(&pixels)
    }),
    ("U8x16::narrow", |noise| of_bytes([U8x16::narrow(noise.i16x8(), noise.i16x8())])),
    ("U8x16::widen_low", |noise| of_numbers([noise.u8x16().widen_low()])),
    ("U8x16::widen_high", |noise| of_numbers([noise.u8x16().widen_high()])),
    ("U8x16::as_i16x8", |noise| of_numbers([noise.u8x16().as_i16x8()])),
    ("U8x16::add", |noise| of_bytes([noise.u8x16().add(noise.u8x16())])),
    ("U8x16::add_saturating", |noise| of_bytes([noise.u8x16().add_saturating(noise.u8x16())])),
    ("U8x16::sub_saturating", |noise| of_bytes([noise.u8x16().sub_saturating(noise.u8x16())])),
    ("U8x16::mean", |noise| of_bytes([noise.u8x16().mean(noise.u8x16())])),
    ("U8x16::half", |noise| of_bytes([noise.u8x16().half()])),
    ("U8x16::find", |noise| {
        let [wanted] = noise.bytes();
        let [at] = noise.bytes::<1>();
        let mut bytes = noise.bytes::<16>().map(|byte| if byte == wanted { !byte } else { byte });
        // Also twice, and not at all.
        for at in [at % 16, at / 16].into_iter().take(usize::from(at % 3)) {
            bytes[usize::from(at)] = wanted;
        }
        vec![U8x16::load(&bytes).find(wanted) as u8]
    }),
    ("U8x16::zip_low", |noise| of_bytes([noise.u8x16().zip_low(noise.u8x16())])),
    ("U8x16::zip_high", |noise| of_bytes([noise.u8x16().zip_high(noise.u8x16())])),
    ("U8x16::interleave_three", |noise| {
        of_bytes(U8x16::interleave_three(std::array::from_fn(|_| noise.u8x16())))
    }),
    ("U8x16::pixels_of", |noise| of_bytes([U8x16::pixels_of(std::array::from_fn(|_| noise.u8x16()))])),
    ("U8x16::splat_pixel", |noise| {
        let pixels = noise.u8x16();
        of_bytes([
            pixels.splat_pixel::<0>(),
            pixels.splat_pixel::<1>(),
            pixels.splat_pixel::<2>(),
            pixels.splat_pixel::<3>(),
        ])
    }),
    ("U8x16::move_one_pixel", |noise| of_bytes([noise.u8x16().move_one_pixel()])),
    ("U8x16::move_two_pixels", |noise| of_bytes([noise.u8x16().move_two_pixels()])),
    ("U8x16::green_twice", |noise| of_bytes([noise.u8x16().green_twice()])),
    ("U8x16::red_as_high_byte", |noise| of_numbers([noise.u8x16().red_as_high_byte()])),
    ("I16x8::load", |noise| of_numbers([I16x8::load(&std::array::from_fn(|_| noise.number()))])),
    ("I16x8::to_array", |noise| noise.i16x8().to_array().into_iter().flat_map(i16::to_le_bytes).collect()),
    ("I16x8::splat", |noise| of_numbers([I16x8::splat(noise.number())])),
    ("I16x8::splat_pair", |noise| of_numbers([I16x8::splat_pair(noise.number(), noise.number())])),
    ("I16x8::narrow", |noise| of_numbers([I16x8::narrow(noise.i32x4(), noise.i32x4())])),
    ("I16x8::widen_low", |noise| of_i32(noise.i16x8().widen_low())),
    ("I16x8::widen_high", |noise| of_i32(noise.i16x8().widen_high())),
    ("I16x8::as_u8x16", |noise| of_bytes([noise.i16x8().as_u8x16()])),
    ("I16x8::add", |noise| of_numbers([noise.i16x8().add(noise.i16x8())])),
    ("I16x8::add_saturating", |noise| of_numbers([noise.i16x8().add_saturating(noise.i16x8())])),
    ("I16x8::sub", |noise| of_numbers([noise.i16x8().sub(noise.i16x8())])),
    ("I16x8::mul", |noise| of_numbers([noise.i16x8().mul(noise.i16x8())])),
    ("I16x8::dot", |noise| of_i32(noise.i16x8().dot(noise.i16x8()))),
    ("I16x8::shift_right", |noise| {
        let numbers = noise.i16x8();
        of_numbers((0..16).map(|bits| numbers.shift_right(bits)))
    }),
    ("I16x8::abs", |noise| of_numbers([noise.i16x8().abs()])),
    ("I16x8::min", |noise| of_numbers([noise.i16x8().min(noise.i16x8())])),
    ("I16x8::max", |noise| of_numbers([noise.i16x8().max(noise.i16x8())])),
    ("I16x8::and", |noise| of_numbers([noise.i16x8().and(noise.i16x8())])),
    ("I16x8::and_not", |noise| of_numbers([noise.i16x8().and_not(noise.i16x8())])),
    ("I16x8::or", |noise| of_numbers([noise.i16x8().or(noise.i16x8())])),
    ("I16x8::is_greater", |noise| of_numbers([noise.i16x8().is_greater(noise.i16x8())])),
    ("I16x8::select", |noise| {
        let mask = noise.i16x8().is_greater(noise.i16x8());
        of_numbers([mask.select(noise.i16x8(), noise.i16x8())])
    }),
    ("I16x8::zip_low", |noise| of_numbers([noise.i16x8().zip_low(noise.i16x8())])),
    ("I16x8::zip_high", |noise| of_numbers([noise.i16x8().zip_high(noise.i16x8())])),
    ("I16x8::join_lower", |noise| of_numbers([I16x8::join_lower(noise.i16x8(), noise.i16x8())])),
    ("I16x8::join_upper_lower", |noise| of_numbers([I16x8::join_upper_lower(noise.i16x8(), noise.i16x8())])),
    ("I16x8::upper_half", |noise| of_numbers([noise.i16x8().upper_half()])),
    ("I16x8::even_twice", |noise| of_numbers([noise.i16x8().even_twice()])),
    ("I16x8::half_sums", |noise| of_numbers([noise.i16x8().half_sums()])),
    ("I16x8::alpha_weights", |noise| of_numbers([noise.i16x8().alpha_weights()])),
    ("I16x8::add_to", |noise| {
        let mut sums = std::array::from_fn(|_| u32::from_le_bytes(noise.bytes()));
        noise.i16x8().add_to(&mut sums);
        of_words(&sums)
    }),
    ("I16x8::transpose", |noise| {
        let (upper, lower) = noise.i16x8().transpose(noise.i16x8());
        of_numbers([upper, lower])
    }),
    ("I32x4::load", |noise| of_i32(I32x4::load(&noise.i32s()))),
    ("I32x4::to_array", |noise| noise.i32x4().to_array().into_iter().flat_map(i32::to_le_bytes).collect()),
    ("I32x4::splat", |noise| of_i32(I32x4::splat(noise.i32s()[0]))),
    ("I32x4::add", |noise| of_i32(noise.i32x4().add(noise.i32x4()))),
    ("I32x4::sub", |noise| of_i32(noise.i32x4().sub(noise.i32x4()))),
    ("I32x4::mul", |noise| of_i32(noise.i32x4().mul(noise.i32s()[0]))),
    ("I32x4::shift_right", |noise| {
        let numbers = noise.i32x4();
        (0..32).flat_map(|bits| of_i32(numbers.shift_right(bits))).collect()
    }),
    ("F32x4::load", |noise| of_floats(F32x4::load(&noise.floats()))),
    ("F32x4::to_array", |noise| of_floats(noise.f32x4())),
    ("F32x4::splat", |noise| of_floats(F32x4::splat(noise.floats()[0]))),
    ("F32x4::add", |noise| of_floats(noise.f32x4().add(noise.f32x4()))),
    ("F32x4::sub", |noise| of_floats(noise.f32x4().sub(noise.f32x4()))),
    ("F32x4::mul", |noise| of_floats(noise.f32x4().mul(noise.f32x4()))),
    ("F32x4::is_less", |noise| {
        let mask = noise.f32x4().is_less(noise.f32x4());
        of_floats(mask.select(F32x4::splat(1.0), F32x4::splat(0.0)))
    }),
    ("Mask32x4::select", |noise| {
        let mask = noise.f32x4().is_less(noise.f32x4());
        of_floats(mask.select(noise.f32x4(), noise.f32x4()))
    }),
];
