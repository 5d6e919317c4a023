//! Options and limits out of the last bytes of the input. Decoders ignore what follows an image, so every input is a plain
//! image file, and the fuzzer can change what is asked for without touching the image, and the image without changing what
//! is asked for.

use thumbs_imaging::options::{Fit, Gravity, Limits, Options, OutputFormat, Rgb};

/// Bytes that say what is asked for. Shorter inputs are no image anyway.
const TAIL_BYTES: usize = 8;

const FORMATS: [OutputFormat; 4] =
    [OutputFormat::Png, OutputFormat::Jpeg, OutputFormat::Webp, OutputFormat::Gif];
const FITS: [Fit; 4] = [Fit::Cover, Fit::Contain, Fit::Fill, Fit::Cover];
const GRAVITIES: [Gravity; 10] = [
    Gravity::Attention,
    Gravity::Center,
    Gravity::North,
    Gravity::NorthEast,
    Gravity::East,
    Gravity::SouthEast,
    Gravity::South,
    Gravity::SouthWest,
    Gravity::West,
    Gravity::NorthWest,
];

/// Most inputs are small for speed; one in eight may be as large as a picture is.
const SMALL: Limits = Limits {
    max_pixels: 1 << 16,
    max_side: 4096,
    max_frames: 16,
    max_total_pixels: 1 << 18,
    max_output_side: 63,
    max_output_pixels: 1 << 13,
};
const LARGE: Limits = Limits {
    max_pixels: 1 << 22,
    max_side: 16_384,
    max_frames: 64,
    max_total_pixels: 1 << 23,
    max_output_side: 63,
    max_output_pixels: 1 << 16,
};

/// What is done with one input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    /// What is asked for.
    pub(crate) options: Options,
    /// What is allowed.
    pub(crate) limits: Limits,
    /// Whether the thumbnail is made twice and must be the same.
    pub(crate) twice: bool,
}

/// Reads the tail.
#[must_use]
pub(crate) fn order(image: &[u8]) -> Order {
    let [kind, place, width, height, quality, max_bytes, max_frames, paint] =
        image.last_chunk::<TAIL_BYTES>().copied().unwrap_or_default();
    let format = FORMATS[usize::from(kind & 3)];
    let options = Options {
        width: side(width),
        height: side(height),
        fit: FITS[usize::from(kind >> 2 & 3)],
        format,
        gravity: GRAVITIES[usize::from(place) % GRAVITIES.len()],
        animated: kind & 16 == 0,
        background: (paint > 0).then_some(Rgb([paint, paint.rotate_left(3), paint.rotate_left(5)])),
        quality: (1..=100).contains(&quality).then_some(quality),
        lossless: quality > 228 && matches!(format, OutputFormat::Png | OutputFormat::Webp),
        // One in four with a bound, as it costs up to ten attempts; from hopeless to generous.
        max_bytes: (max_bytes >= 192).then(|| 40 + 4 * u64::from(max_bytes - 192).pow(2)),
        max_output_frames: (max_frames >= 128).then(|| u32::from(max_frames - 128) + 1),
    };
    let limits = if kind >> 5 == 7 { LARGE } else { SMALL };
    Order { options, limits, twice: place >= 240 }
}

/// 1 to 64, mostly small, as what comes after decoding takes time by the pixel. The last is over the limit.
fn side(byte: u8) -> u32 {
    u32::from(byte).pow(3) / 263_000 + 1
}
