//! The predictor and subtract-green transforms (RFC 9649, sections 4.1 and 4.3): what is left of a pixel when its neighbours
//! and its green are taken off.

/// Blocks of this many pixels a side share a predictor (as a power of two; 2 to 9).
pub(super) const BLOCK_BITS: u32 = 4;
/// One in this many rows of a block is looked at to choose its predictor.
const ROW_STEP: usize = 4;
/// The value predicted where there is no neighbour: opaque black.
const BLACK: u32 = 0xFF00_0000;
/// The predictors there are.
const MODES: u8 = 14;

/// Residuals of an image, and the predictor of each block.
pub(super) struct Predicted {
    pub(super) residuals: Vec<u32>,
    /// As the image that stores them: the number in the green channel.
    pub(super) modes: Vec<u32>,
    /// Of `modes`, in blocks.
    pub(super) columns: usize,
}

/// Green taken off red and blue.
pub(super) fn subtract_green(pixels: &mut [u32]) {
    for pixel in pixels {
        let [blue, green, red, alpha] = pixel.to_le_bytes();
        *pixel = u32::from_le_bytes([blue.wrapping_sub(green), green, red.wrapping_sub(green), alpha]);
    }
}

/// For each block the predictor that leaves least.
pub(super) fn predict(pixels: &[u32], width: usize) -> Predicted {
    let side = 1usize << BLOCK_BITS;
    let height = pixels.len() / width.max(1);
    let (columns, rows) = (width.div_ceil(side), height.div_ceil(side));
    let costs = costs();
    let mut modes = vec![0u32; columns * rows];
    let mut residuals = vec![0u32; pixels.len()];
    for (block, stored) in modes.iter_mut().enumerate() {
        let (left, top) = (block % columns * side, block / columns * side);
        let (right, bottom) = ((left + side).min(width), (top + side).min(height));
        let cost_of = |mode: u8| -> u32 {
            let places = (top..bottom).step_by(ROW_STEP).flat_map(|y| (left..right).map(move |x| (x, y)));
            places
                .map(|(x, y)| {
                    let residual = subtract(pixels[y * width + x], neighbour(pixels, width, x, y, mode));
                    residual.to_le_bytes().iter().map(|&byte| costs[usize::from(byte)]).sum::<u32>()
                })
                .sum()
        };
        let mode = (0..MODES).min_by_key(|&mode| cost_of(mode)).unwrap_or(0);
        *stored = BLACK | u32::from(mode) << 8;
        for (x, y) in (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y))) {
            residuals[y * width + x] = subtract(pixels[y * width + x], neighbour(pixels, width, x, y, mode));
        }
    }
    Predicted { residuals, modes, columns }
}

/// About how many bits (in quarters) a residual byte takes: its logarithm, from straight pieces.
fn costs() -> [u32; 256] {
    std::array::from_fn(|byte| {
        // From -128 to 127, without its sign.
        let size = (byte as u32).min(256 - byte as u32) + 1;
        let octave = size.ilog2();
        4 * octave + ((4 * (size - (1 << octave))) >> octave)
    })
}

/// Channel by channel, without carry.
fn subtract(pixel: u32, prediction: u32) -> u32 {
    let (pixel, prediction) = (pixel.to_le_bytes(), prediction.to_le_bytes());
    u32::from_le_bytes(std::array::from_fn(|channel| pixel[channel].wrapping_sub(prediction[channel])))
}

/// The prediction for a pixel. The edges have rules of their own, whatever the mode.
fn neighbour(pixels: &[u32], width: usize, x: usize, y: usize, mode: u8) -> u32 {
    let place = y * width + x;
    match (x, y) {
        (0, 0) => return BLACK,
        (_, 0) => return pixels[place - 1],
        (0, _) => return pixels[place - width],
        _ => {}
    }
    // At the right edge "upper right" is the first pixel of this row, which follows in memory.
    let (left, upper) = (pixels[place - 1], pixels[place - width]);
    let (upper_left, upper_right) = (pixels[place - width - 1], pixels[place - width + 1]);
    match mode {
        0 => BLACK,
        1 => left,
        2 => upper,
        3 => upper_right,
        4 => upper_left,
        5 => average(average(left, upper_right), upper),
        6 => average(left, upper_left),
        7 => average(left, upper),
        8 => average(upper_left, upper),
        9 => average(upper, upper_right),
        10 => average(average(left, upper_left), average(upper, upper_right)),
        11 => select(left, upper, upper_left),
        12 => combine([left, upper, upper_left], |left, upper, upper_left| left + upper - upper_left),
        _ => combine([average(left, upper), upper_left, 0], |mean, corner, _| mean + (mean - corner) / 2),
    }
}

/// Channel by channel, rounded down, all four at once.
const fn average(a: u32, b: u32) -> u32 {
    (((a ^ b) & 0xFEFE_FEFE) >> 1) + (a & b)
}

/// Left or upper, whichever is nearer to left + upper - upper left.
fn select(left: u32, upper: u32, upper_left: u32) -> u32 {
    let distance = |a: u32, b: u32| -> u32 {
        a.to_le_bytes().iter().zip(b.to_le_bytes()).map(|(&a, b)| u32::from(a.abs_diff(b))).sum()
    };
    if distance(upper, upper_left) < distance(left, upper_left) { left } else { upper }
}

fn combine(pixels: [u32; 3], channel: impl Fn(i32, i32, i32) -> i32) -> u32 {
    let [a, b, c] = pixels.map(u32::to_le_bytes);
    u32::from_le_bytes(std::array::from_fn(|index| {
        // Clamped to a byte.
        channel(i32::from(a[index]), i32::from(b[index]), i32::from(c[index])).clamp(0, 255) as u8
    }))
}
