//! Deflates (RFC 1951) a buffer to a zlib stream (RFC 1950), for photographs the size of a thumbnail: of few bytes, and in a single pass.
//!
//! - `copies`: bytes told, or copied from an earlier place where that takes fewer bits; `costs`: what bytes take
//! - `token`: literals and copies; `symbols`: what they are in the format
//! - `code`: prefix codes, and `lengths`, how long these are; `blocks`: where a new code is worth telling; `bits`: the stream
//!
//! Why it is here, and what that is worth: docs/decisions/0053. All arithmetic is in integers: same bytes in, same bytes out, on every machine. Work is
//! bounded for each byte, whatever it is; memory by that of 64 KiB, beside the buffer and the stream.
//!
//! Not here: streaming, preset dictionaries, gzip, and reading what was written (`crates/codecs/inflate`).

mod bits;
mod blocks;
mod code;
mod copies;
mod costs;
mod lengths;
mod symbols;
mod token;

#[cfg(test)]
mod tests;

use bits::BitWriter;
use copies::Copies;

pub use costs::literal_costs;
pub use lengths::code_lengths;

/// What is told at the start of a zlib stream: deflate, a window of 32 KiB, no dictionary; the two lowest bits of five make it a
/// multiple of 31.
const HEADER: [u8; 2] = [0x78, 0x9C];

/// Bytes that are looked at together, so that memory does not grow with the picture; as many as a stored block can have.
const PART: usize = 65_535;

/// `data` as a zlib stream.
#[must_use]
pub fn zlib(data: &[u8]) -> Vec<u8> {
    let mut bits = BitWriter::new(HEADER.to_vec());
    let mut copies = Copies::new(data);
    // At least one block, if only of nothing.
    for start in (0..data.len().max(1)).step_by(PART) {
        let end = (start + PART).min(data.len());
        blocks::put(&mut bits, &copies.tokens(start..end), &data[start..end], end == data.len());
    }
    let mut stream = bits.finish();
    stream.extend_from_slice(&adler32(data).to_be_bytes());
    stream
}

/// The checksum of a zlib stream (RFC 1950, section 8.2).
fn adler32(data: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    /// So many bytes and the sums still fit 32 bits.
    const MOST: usize = 5_552;
    let (mut a, mut b) = (1_u32, 0_u32);
    for part in data.chunks(MOST) {
        for &byte in part {
            a += u32::from(byte);
            b += a;
        }
        (a, b) = (a % MODULUS, b % MODULUS);
    }
    b << 16 | a
}
