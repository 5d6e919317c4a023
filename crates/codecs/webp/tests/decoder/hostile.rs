//! Broken files: no panic, no allocation beyond what the limits allow, errors that say whose fault it is, and as much of
//! a truncated picture as is there.

use thumbs_webp::{Decoder, Error, Layout, Limit, Limits};

use crate::fixtures::{Noise, all, decode, read, shrink};

/// Small enough that a mutated size can't make the test slow, large enough for every fixture.
const LIMITS: Limits = Limits {
    max_pixels: 100_000,
    max_side: 16_384,
    max_frames: 10,
    max_total_pixels: 200_000,
    max_table_bytes: 1 << 20,
};

/// Decodes in every way; what comes out does not matter, only that it has the promised size.
fn exercise(file: &[u8], factor: u32) {
    let Ok(decoder) = Decoder::new(file) else { return };
    if let Ok(image) = decoder.decode_still(shrink(factor), &LIMITS) {
        let bytes = image.width as usize * image.height as usize * image.layout.bytes_per_pixel();
        assert_eq!(image.pixels.len(), bytes);
        assert!((1..=image.extent.rows).contains(&image.extent.decoded_rows));
    }
    if decoder.is_animated()
        && let Ok(frames) = decoder.frames(shrink(factor), &LIMITS)
    {
        for frame in frames.flatten() {
            let image = frame.image;
            assert_eq!(image.pixels.len(), image.width as usize * image.height as usize * 4);
        }
    }
}

/// Overwrites, swaps, cuts and repeats bytes.
fn mutate(file: &mut Vec<u8>, noise: &mut Noise) {
    for _ in 0..=noise.below(4) {
        let at = noise.below(file.len());
        // Most of what matters is decided near the start.
        let early = noise.below(file.len().min(64));
        match noise.below(7) {
            0 => file[at] ^= 1 << noise.below(8),
            1 => file[early] ^= 1 << noise.below(8),
            2 => file[early] = noise.next() as u8,
            3 => file[at] = [0, 1, 0x7f, 0x80, 0xff][noise.below(5)],
            4 => file.truncate(at.max(1)),
            5 => {
                let end = (at + noise.below(16)).min(file.len());
                file.drain(at..end);
            }
            _ => {
                let end = (at + noise.below(16)).min(file.len());
                let piece = file[at..end].to_vec();
                file.splice(early..early, piece);
            }
        }
        if file.is_empty() {
            return;
        }
    }
}

/// `WEBP_MUTATIONS` sets how many files are tried; the default takes some seconds.
#[test]
fn no_mutated_file_panics() {
    let rounds = std::env::var("WEBP_MUTATIONS").map_or(100, |count| count.parse().unwrap());
    let fixtures = all();
    let mut noise = Noise(7);
    for _ in 0..rounds {
        for (_, file) in &fixtures {
            let mut file = file.clone();
            mutate(&mut file, &mut noise);
            let factor = [1, 2, 3, 4, 7, 16, 1000][noise.below(7)];
            exercise(&file, factor);
        }
    }
}

#[test]
fn a_file_cut_anywhere_gives_rows_or_an_error() {
    for name in
        ["lossy-q75-m6", "lossy-8-partitions", "alpha-lossless", "lossless-alpha", "lossless-100-colours"]
    {
        let file = read(name);
        let whole = decode(&file, 1);
        let line = whole.width as usize * whole.layout.bytes_per_pixel();
        let mut last_rows = 0;
        for end in (0..file.len()).step_by(23) {
            let cut = &file[..end];
            let Ok(decoder) = Decoder::new(cut) else { continue };
            assert!(decoder.is_cut());
            let image = match decoder.decode_still(shrink(1), &Limits::default()) {
                Ok(image) => image,
                Err(error) => {
                    assert!(matches!(error, Error::Malformed(_)), "{name} {end}: {error}");
                    continue;
                }
            };
            let rows = image.extent.decoded_rows;
            assert!(rows >= last_rows && rows <= whole.height, "{name}: {rows} rows after {last_rows}");
            last_rows = rows;
            // A lossy row whose chroma is interpolated with the missing row below differs.
            let same = if name.starts_with("lossless") { rows } else { rows - 1 } as usize;
            assert!(image.pixels[..same * line] == whole.pixels[..same * line], "{name} {end}");
            let filler = if image.layout == Layout::Rgba8 { 0 } else { 128 };
            assert!(image.pixels[rows as usize * line..].iter().all(|&byte| byte == filler), "{name} {end}");
        }
        assert!(last_rows > whole.height / 2, "{name}: {last_rows} rows");
    }
}

#[test]
fn sizes_over_a_limit_are_refused() {
    let file = read("lossy-wide");
    let decoder = Decoder::new(&file).unwrap();
    let refused = |limits: Limits| decoder.decode_still(shrink(8), &limits).err();
    let pixels = u64::from(decoder.width()) * u64::from(decoder.height());
    assert_eq!(
        refused(Limits { max_pixels: pixels - 1, ..Limits::default() }),
        Some(Error::LimitExceeded(Limit::Pixels))
    );
    assert_eq!(
        refused(Limits { max_side: decoder.width() - 1, ..Limits::default() }),
        Some(Error::LimitExceeded(Limit::Side))
    );
    assert_eq!(refused(Limits { max_pixels: pixels, max_side: decoder.width(), ..Limits::default() }), None);
}

/// Writes bits, lowest first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: usize,
}

impl Bits {
    fn put(&mut self, value: u32, count: usize) {
        for bit in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= (((value >> bit) & 1) as u8) << (self.used % 8);
            self.used += 1;
        }
    }

    /// A prefix code of one symbol below 256.
    fn put_single(&mut self, symbol: u32) {
        self.put(0b101, 3);
        self.put(symbol, 8);
    }

    /// A prefix code in which symbols 0..=255 have 8 bits each, in 42 bits: there is one code length, which costs none.
    /// `larger`: the alphabet goes on, so the number of lengths is sent.
    fn put_flat(&mut self, larger: bool) {
        self.put(0, 1);
        // Length 8 is the twelfth in the order in which the lengths of lengths are sent.
        self.put(12 - 4, 4);
        for at in 1..=12 {
            self.put(u32::from(at == 12), 3);
        }
        self.put(u32::from(larger), 1);
        if larger {
            // 2 + 254, in 2 + 2 * 3 bits.
            self.put(3, 3);
            self.put(254, 8);
        }
    }
}

/// 256 groups of codes that take 19 bytes of the file each, and 3 KB as tables.
fn table_bomb() -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(0x2f, 8);
    bits.put(64 - 1, 14);
    bits.put(64 - 1, 14);
    bits.put(0, 4);
    // No transform, no colour cache, groups in blocks of 4 x 4 pixels.
    bits.put(0b100, 3);
    bits.put(0, 3);
    // The map: no colour cache; green counts through all groups.
    bits.put(0, 1);
    bits.put_flat(true);
    for _ in 0..4 {
        bits.put_single(0);
    }
    for group in 0..256 {
        bits.put(group, 8);
    }
    for _ in 0..256 {
        bits.put_single(7);
        for _ in 0..3 {
            bits.put_flat(false);
        }
        bits.put_single(0);
    }
    for _ in 0..64 * 64 {
        bits.put(0, 24);
    }
    let mut file = b"RIFF".to_vec();
    file.extend((bits.bytes.len() as u32 + 12).to_le_bytes());
    file.extend(b"WEBPVP8L");
    file.extend((bits.bytes.len() as u32).to_le_bytes());
    file.extend(bits.bytes);
    file
}

#[test]
fn tables_are_bounded_however_small_the_file() {
    let file = table_bomb();
    let decoder = Decoder::new(&file).unwrap();
    let decode = |max_table_bytes| {
        decoder
            .decode_still(shrink(1), &Limits { max_table_bytes, ..Limits::default() })
            .map(|image| image.pixels)
    };
    assert_eq!(decode(700_000), Err(Error::LimitExceeded(Limit::Tables)));
    let pixels = decode(900_000).unwrap();
    assert!(pixels.chunks_exact(3).all(|pixel| pixel == [0, 7, 0]));
}
