//! Intra prediction (RFC 6386, section 12): pixels from the neighbours in a [`Workspace`] plane.
//!
//! [`Workspace`]: crate::vp8::workspace::Workspace

use crate::vp8::{
    modes::{BlockMode, SubblockMode},
    workspace::STRIDE,
};

/// Which neighbours lie inside of the frame. Only the mean asks; all other modes use the values that stand for the outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inside {
    pub(crate) above: bool,
    pub(crate) left: bool,
}

/// Predicts `N` x `N` pixels at `origin`.
#[inline(always)]
pub(crate) fn predict_block<const N: usize>(
    plane: &mut [u8],
    origin: usize,
    mode: BlockMode,
    inside: Inside,
) {
    let plane = &mut plane[origin - STRIDE - 1..origin + (N - 1) * STRIDE + N];
    // From here on, the corner is at 0.
    let above: [u8; N] = std::array::from_fn(|x| plane[1 + x]);
    let left: [u8; N] = std::array::from_fn(|y| plane[(y + 1) * STRIDE]);
    let rows = (0..N).map(|y| (y + 1) * STRIDE + 1);
    match mode {
        BlockMode::Mean => {
            let sum = |edge: [u8; N]| edge.iter().map(|&pixel| u32::from(pixel)).sum::<u32>();
            let n = N as u32;
            let mean = match (inside.above, inside.left) {
                (true, true) => (sum(above) + sum(left) + n) / (2 * n),
                (true, false) => (sum(above) + n / 2) / n,
                (false, true) => (sum(left) + n / 2) / n,
                (false, false) => 128,
            };
            for row in rows {
                plane[row..row + N].fill(mean as u8);
            }
        }
        BlockMode::Vertical => {
            for row in rows {
                plane[row..row + N].copy_from_slice(&above);
            }
        }
        BlockMode::Horizontal => {
            for (row, left) in rows.zip(left) {
                plane[row..row + N].fill(left);
            }
        }
        BlockMode::TrueMotion => {
            let corner = i16::from(plane[0]);
            for (row, left) in rows.zip(left) {
                let slope = i16::from(left) - corner;
                for (pixel, above) in plane[row..row + N].iter_mut().zip(above) {
                    *pixel = (i16::from(above) + slope).clamp(0, 255) as u8;
                }
            }
        }
    }
}

/// Predicts the 4x4 pixels at `origin`.
#[inline(always)]
pub(crate) fn predict_subblock(plane: &mut [u8], origin: usize, mode: SubblockMode) {
    let plane = &mut plane[origin - STRIDE - 1..origin + 3 * STRIDE + 4];
    let corner = plane[0];
    // The neighbours from bottom left over the corner to the far right, the ends repeated where a mean of three reaches over.
    let mut edge = [0_u8; 18];
    for (y, pixel) in edge[..4].iter_mut().rev().enumerate() {
        *pixel = plane[(y + 1) * STRIDE];
    }
    edge[4..13].copy_from_slice(&plane[..9]);
    edge[13] = edge[12];
    let [l3, l2] = [edge[0], edge[1]];

    // Of two (three) neighbours from each position on.
    let two: [u8; 16] =
        std::array::from_fn(|at| ((u16::from(edge[at]) + u16::from(edge[at + 1]) + 1) >> 1) as u8);
    let three: [u8; 16] = std::array::from_fn(|at| {
        ((u16::from(edge[at]) + 2 * u16::from(edge[at + 1]) + u16::from(edge[at + 2]) + 2) >> 2) as u8
    });
    let last = ((u16::from(l2) + 3 * u16::from(l3) + 2) >> 2) as u8;

    let rows: [[u8; 4]; 4] = match mode {
        SubblockMode::Mean => {
            let sum: u32 = (0..4).map(|at| u32::from(edge[at]) + u32::from(edge[5 + at])).sum();
            [[((sum + 4) >> 3) as u8; 4]; 4]
        }
        SubblockMode::TrueMotion => std::array::from_fn(|y| {
            let slope = i16::from(edge[3 - y]) - i16::from(corner);
            std::array::from_fn(|x| (i16::from(edge[5 + x]) + slope).clamp(0, 255) as u8)
        }),
        SubblockMode::Vertical => [[three[4], three[5], three[6], three[7]]; 4],
        SubblockMode::Horizontal => [[three[2]; 4], [three[1]; 4], [three[0]; 4], [last; 4]],
        SubblockMode::LeftDown => std::array::from_fn(|y| std::array::from_fn(|x| three[5 + y + x])),
        SubblockMode::RightDown => std::array::from_fn(|y| std::array::from_fn(|x| three[3 - y + x])),
        SubblockMode::VerticalRight => [
            [two[4], two[5], two[6], two[7]],
            [three[3], three[4], three[5], three[6]],
            [three[2], two[4], two[5], two[6]],
            [three[1], three[3], three[4], three[5]],
        ],
        SubblockMode::VerticalLeft => [
            [two[5], two[6], two[7], two[8]],
            [three[5], three[6], three[7], three[8]],
            [two[6], two[7], two[8], three[9]],
            [three[6], three[7], three[8], three[10]],
        ],
        SubblockMode::HorizontalDown => [
            [two[3], three[3], three[4], three[5]],
            [two[2], three[2], two[3], three[3]],
            [two[1], three[1], two[2], three[2]],
            [two[0], three[0], two[1], three[1]],
        ],
        SubblockMode::HorizontalUp => [
            [two[2], three[1], two[1], three[0]],
            [two[1], three[0], two[0], last],
            [two[0], last, l3, l3],
            [l3; 4],
        ],
    };
    for (y, row) in rows.iter().enumerate() {
        let at = (y + 1) * STRIDE + 1;
        plane[at..at + 4].copy_from_slice(row);
    }
}
