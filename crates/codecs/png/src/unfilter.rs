//! Filters undone (PNG specification, section 9). A byte is the sum of what is stored and a prediction from the bytes to
//! its left (`a`), above it (`b`), and above the one to its left (`c`).

use crate::filter::Filter;
use crate::stairs::{BATCH, unfilter_batch};

/// Undoes `count` raw rows, each a filter's number and then `row_bytes`, into `rows[1..]`; `rows[0]` is the row above them.
/// `None` if a filter does not exist.
pub(crate) fn rows(
    raw: &[u8],
    bytes_per_pixel: usize,
    row_bytes: usize,
    rows: &mut [Vec<u8>; BATCH + 1],
    count: usize,
) -> Option<()> {
    let mut filters = [Filter::None; BATCH];
    for (filter, raw) in filters.iter_mut().zip(raw.chunks_exact(row_bytes + 1)) {
        *filter = Filter::from_byte(*raw.first()?)?;
    }
    let has_chain = filters.iter().any(|filter| filter.is_chain());
    if count == BATCH && has_chain && matches!(bytes_per_pixel, 3 | 4) {
        return unfilter_batch(raw, filters, bytes_per_pixel, row_bytes, rows);
    }
    let mut raw_rows = raw.chunks_exact(row_bytes + 1);
    for (index, &filter) in filters.iter().enumerate().take(count) {
        let (above, row) = rows.split_at_mut(index + 1);
        let (above, row) = (above.last()?.get(..row_bytes)?, row.first_mut()?.get_mut(..row_bytes)?);
        let raw = raw_rows.next()?.get(1..)?;
        match bytes_per_pixel {
            1 => one::<1>(filter, raw, above, row),
            2 => one::<2>(filter, raw, above, row),
            3 => one::<3>(filter, raw, above, row),
            4 => one::<4>(filter, raw, above, row),
            6 => one::<6>(filter, raw, above, row),
            _ => one::<8>(filter, raw, above, row),
        }
    }
    Some(())
}

/// Undoes one row of pixels of `N` bytes. The three slices are of one length, a multiple of `N`.
fn one<const N: usize>(filter: Filter, raw: &[u8], above: &[u8], row: &mut [u8]) {
    let pixels = row
        .as_chunks_mut::<N>()
        .0
        .iter_mut()
        .zip(raw.as_chunks::<N>().0.iter().zip(above.as_chunks::<N>().0));
    match filter {
        Filter::Sub => {
            let mut a = [0u8; N];
            for (pixel, (raw, _)) in pixels {
                for (a, raw) in a.iter_mut().zip(raw) {
                    *a = a.wrapping_add(*raw);
                }
                *pixel = a;
            }
        }
        Filter::Up => {
            for ((pixel, raw), above) in row.iter_mut().zip(raw).zip(above) {
                *pixel = raw.wrapping_add(*above);
            }
        }
        Filter::Average => {
            let mut a = [0u8; N];
            for (pixel, (raw, b)) in pixels {
                for ((a, raw), b) in a.iter_mut().zip(raw).zip(b) {
                    *a = raw.wrapping_add(u16::midpoint(u16::from(*a), u16::from(*b)) as u8);
                }
                *pixel = a;
            }
        }
        Filter::Paeth => {
            let (mut a, mut c) = ([0u8; N], [0u8; N]);
            for (pixel, (raw, b)) in pixels {
                for (((a, raw), b), c) in a.iter_mut().zip(raw).zip(b).zip(c) {
                    *a = raw.wrapping_add(paeth(*a, *b, c));
                }
                *pixel = a;
                c = *b;
            }
        }
        Filter::None => row.copy_from_slice(raw),
    }
}

/// Whichever of the three is nearest to a + b - c; of several the first in the order a, b, c. In the form that needs no
/// absolute values: if 3c - a - b lies beyond the higher or the lower of a and b, the other one is nearest, else c.
pub(crate) fn paeth(a: u8, b: u8, c: u8) -> u8 {
    let (low, high) = (i16::from(a.min(b)), i16::from(a.max(b)));
    let threshold = 3 * i16::from(c) - low - high;
    let nearest = if high <= threshold { low } else { i16::from(c) };
    (if threshold <= low { high } else { nearest }) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Section 9.4, word by word.
    fn paeth_of_the_specification(a: u8, b: u8, c: u8) -> u8 {
        let p = i32::from(a) + i32::from(b) - i32::from(c);
        let (pa, pb, pc) = ((p - i32::from(a)).abs(), (p - i32::from(b)).abs(), (p - i32::from(c)).abs());
        if pa <= pb && pa <= pc {
            a
        } else if pb <= pc {
            b
        } else {
            c
        }
    }

    #[test]
    fn paeth_without_absolute_values_is_paeth() {
        for a in 0..=255 {
            for b in 0..=255 {
                for c in 0..=255 {
                    assert_eq!(paeth(a, b, c), paeth_of_the_specification(a, b, c), "{a} {b} {c}");
                }
            }
        }
    }

    /// Undoes rows byte by byte.
    fn reference(raw: &[u8], bytes_per_pixel: usize, row_bytes: usize, above: &[u8]) -> Vec<Vec<u8>> {
        let mut above = above.to_vec();
        let mut rows = Vec::new();
        for raw in raw.chunks_exact(row_bytes + 1) {
            let mut row = vec![0; row_bytes];
            for at in 0..row_bytes {
                let left = |from: &[u8]| if at < bytes_per_pixel { 0 } else { from[at - bytes_per_pixel] };
                let (a, b, c) = (left(&row), above[at], left(&above));
                let prediction = match raw[0] {
                    0 => 0,
                    1 => a,
                    2 => b,
                    3 => u16::midpoint(u16::from(a), u16::from(b)) as u8,
                    _ => paeth_of_the_specification(a, b, c),
                };
                row[at] = raw[at + 1].wrapping_add(prediction);
            }
            above.clone_from(&row);
            rows.push(row);
        }
        rows
    }

    #[test]
    fn every_mix_of_filters_is_undone_at_every_pixel_size() {
        let mut state = 1u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for bytes_per_pixel in [1, 2, 3, 4, 6, 8] {
            for width in [1, 2, 3, 5, 17] {
                for mix in 0..625u32 {
                    let row_bytes = bytes_per_pixel * width;
                    let mut buffers: [Vec<u8>; BATCH + 1] = std::array::from_fn(|_| vec![0; row_bytes]);
                    buffers[0].iter_mut().for_each(|byte| *byte = random());
                    let mut raw: Vec<u8> = (0..BATCH * (row_bytes + 1)).map(|_| random()).collect();
                    for index in 0..BATCH {
                        raw[index * (row_bytes + 1)] = (mix / 5u32.pow(index as u32) % 5) as u8;
                    }
                    let count = if mix % 7 == 0 { 3 } else { BATCH };
                    let raw = &raw[..count * (row_bytes + 1)];
                    let expected = reference(raw, bytes_per_pixel, row_bytes, &buffers[0][..row_bytes]);
                    rows(raw, bytes_per_pixel, row_bytes, &mut buffers, count).unwrap();
                    for (row, expected) in buffers[1..].iter().zip(&expected) {
                        assert_eq!(&row[..row_bytes], expected, "{bytes_per_pixel} bytes, mix {mix}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_unknown_filter_is_refused() {
        let mut buffers: [Vec<u8>; BATCH + 1] = std::array::from_fn(|_| vec![0; 3]);
        assert_eq!(rows(&[5, 0, 0, 0], 3, 3, &mut buffers, 1), None);
    }
}
