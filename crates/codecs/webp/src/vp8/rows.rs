//! Turns a VP8 key frame into rows of Y, U and V, top to bottom, holding a few rows at a time.

use crate::{
    error::Error,
    vp8::{
        bool_decoder::BoolDecoder,
        coefficients::{Content, EdgeContext, Residual},
        header::{Frame, FrameHeader},
        loop_filter::{MacroblockFilter, Plane, filter_row},
        modes::{EdgeModes, LumaMode, MacroblockHead},
        predict::{Inside, predict_block, predict_subblock},
        transform::{add_inverse_cosine, add_inverse_cosine_of_dc},
        workspace::{BottomRow, CHROMA, LUMA, STRIDE, Workspace},
    },
};

/// Luma rows that are held back because the macroblocks below still change 3 of them and read a fourth; 8, so that the
/// chroma rows that belong to them are as many as the filter needs there (4).
const HELD_ROWS: usize = 8;

/// Some whole rows of a frame. Chroma has half as many rows (rounded up at the bottom) of half the width (rounded up).
#[derive(Clone, Copy, Debug)]
pub(crate) struct YuvRows<'a> {
    /// Of the first luma row; even.
    pub(crate) top: usize,
    /// Luma rows; even, except at the bottom of the frame.
    pub(crate) count: usize,
    pub(crate) y: &'a [u8],
    pub(crate) u: &'a [u8],
    pub(crate) v: &'a [u8],
    /// Bytes from one luma row to the next, a multiple of 16 that is at least the width; half of it for chroma.
    pub(crate) stride: usize,
}

/// What is kept of the macroblock above.
#[derive(Clone, Copy, Debug)]
struct Above {
    bottom: BottomRow,
    modes: EdgeModes,
    coefficients: EdgeContext,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct LossyRows<'a> {
    header: FrameHeader,
    modes: BoolDecoder<'a>,
    partitions: Vec<BoolDecoder<'a>>,
    height: usize,
    /// Macroblock rows decoded so far, and in all.
    done: usize,
    macroblock_rows: usize,
    /// The loop filter runs.
    filter: bool,
    above: Vec<Above>,
    filters: Vec<MacroblockFilter>,
    workspace: Workspace,
    residual: Residual,
    y: Vec<u8>,
    uv: [Vec<u8>; 2],
    stride: usize,
}

impl<'a> LossyRows<'a> {
    /// `filter: false` leaves the loop filter out: the rows then lack the smoothing of block edges, and are right otherwise.
    ///
    /// # Errors
    /// As [`Frame::parse`].
    pub(crate) fn new(data: &'a [u8], width: u32, height: u32, filter: bool) -> Result<Self, Error> {
        let Frame { header, modes, coefficients } = Frame::parse(data)?;
        let columns = width.div_ceil(16) as usize;
        let stride = 16 * columns;
        let filter = filter && header.strengths.as_flattened().iter().any(|strength| strength.edge_limit > 0);
        let above = Above {
            bottom: BottomRow::ABOVE_FRAME,
            modes: EdgeModes::default(),
            coefficients: EdgeContext::default(),
        };
        let chroma = vec![0; stride / 2 * (HELD_ROWS + 16) / 2];
        Ok(Self {
            header,
            modes,
            partitions: coefficients,
            height: height as usize,
            done: 0,
            macroblock_rows: height.div_ceil(16) as usize,
            filter,
            above: vec![above; columns],
            filters: vec![MacroblockFilter::default(); columns],
            workspace: Workspace::new(),
            residual: Residual::default(),
            y: vec![0; stride * (HELD_ROWS + 16)],
            uv: [chroma.clone(), chroma],
            stride,
        })
    }

    /// The next rows; `None` after the last one, or where the data end before the next row of macroblocks does.
    pub(crate) fn next_rows(&mut self) -> Option<YuvRows<'_>> {
        if self.done == self.macroblock_rows {
            return None;
        }
        if self.filter && self.done > 0 {
            // What was held back moves to the top.
            self.y.copy_within(16 * self.stride.., 0);
            for plane in &mut self.uv {
                plane.copy_within(8 * (self.stride / 2).., 0);
            }
        }
        if !self.decode_row() {
            self.macroblock_rows = self.done;
            return None;
        }
        let row = self.done;
        self.done += 1;
        let (mut first, mut last) = (HELD_ROWS, HELD_ROWS + 16);
        let mut top = 16 * row;
        if self.filter {
            let mut luma = Plane { pixels: &mut self.y, stride: self.stride };
            let mut chroma = self.uv.each_mut().map(|plane| Plane { pixels: plane, stride: self.stride / 2 });
            filter_row(&mut luma, &mut chroma, HELD_ROWS, row > 0, self.header.simple_filter, &self.filters);
            if row > 0 {
                first -= HELD_ROWS;
                top -= HELD_ROWS;
            }
            if self.done < self.macroblock_rows {
                last -= HELD_ROWS;
            }
        }
        let chroma = first / 2 * (self.stride / 2)..last / 2 * (self.stride / 2);
        Some(YuvRows {
            top,
            count: (last - first).min(self.height - top),
            y: &self.y[first * self.stride..last * self.stride],
            u: &self.uv[0][chroma.clone()],
            v: &self.uv[1][chroma],
            stride: self.stride,
        })
    }

    /// One row of macroblocks, into the planes from row [`HELD_ROWS`] on. False where the data end before.
    fn decode_row(&mut self) -> bool {
        let row = self.done;
        let partition = row % self.partitions.len();
        let mut left_modes = EdgeModes::default();
        let mut left_coefficients = EdgeContext::default();
        self.workspace.start_row(row == 0);
        let columns = self.above.len();
        for column in 0..columns {
            let above = &mut self.above[column];
            let head = MacroblockHead::read(&mut self.modes, &self.header, &mut above.modes, &mut left_modes);
            let whole_luma = matches!(head.luma, LumaMode::Whole(_));
            let has_residual = if head.skip {
                above.coefficients.clear(whole_luma);
                left_coefficients.clear(whole_luma);
                false
            } else {
                self.residual.read(
                    &mut self.partitions[partition],
                    &self.header.coefficient_probs,
                    &self.header.quantisers[head.segment],
                    whole_luma,
                    &mut above.coefficients,
                    &mut left_coefficients,
                )
            };
            self.filters[column] = MacroblockFilter {
                strength: self.header.strengths[head.segment][usize::from(!whole_luma)],
                inner_edges: !whole_luma || has_residual,
            };

            if column > 0 {
                self.workspace.advance();
            }
            let bottom = self.above[column].bottom;
            let above_right = self.above.get(column + 1).map_or([bottom.luma[15]; 4], |next| {
                let [a, b, c, d, ..] = next.bottom.luma;
                [a, b, c, d]
            });
            self.workspace.set_above(&bottom, above_right);
            reconstruct(
                &mut self.workspace,
                &mut self.residual,
                &head,
                Inside { above: row > 0, left: column > 0 },
                has_residual,
            );
            self.above[column].bottom = self.workspace.bottom_row();
            self.store(column);
        }
        !self.modes.is_exhausted() && !self.partitions[partition].is_exhausted()
    }

    /// Copies a macroblock to its place in the planes.
    #[inline(always)]
    fn store(&mut self, column: usize) {
        let luma = &mut self.y[HELD_ROWS * self.stride + 16 * column..];
        for (row, from) in luma.chunks_mut(self.stride).zip(self.workspace.luma.chunks_exact(STRIDE).skip(1))
        {
            row[..16].copy_from_slice(&from[8..24]);
        }
        for (plane, origin) in self.uv.iter_mut().zip(CHROMA) {
            let first = origin - STRIDE;
            let plane = &mut plane[HELD_ROWS / 2 * (self.stride / 2) + 8 * column..];
            let rows = self.workspace.chroma.chunks_exact(STRIDE).skip(1);
            for (row, from) in plane.chunks_mut(self.stride / 2).zip(rows) {
                row[..8].copy_from_slice(&from[first..first + 8]);
            }
        }
    }
}

/// Predicts a macroblock and adds its residual, which is empty again afterwards.
#[inline(always)]
fn reconstruct(
    workspace: &mut Workspace,
    residual: &mut Residual,
    head: &MacroblockHead,
    inside: Inside,
    has_residual: bool,
) {
    let mut add = |plane: &mut [u8], origin: usize, at: usize| {
        match residual.content[at] {
            Content::Empty => return,
            Content::Dc => add_inverse_cosine_of_dc(plane, origin, residual.blocks[at][0]),
            Content::Any => add_inverse_cosine(plane, origin, &residual.blocks[at]),
        }
        residual.blocks[at] = [0; 16];
        residual.content[at] = Content::Empty;
    };
    let subblock_origin = |at: usize| LUMA + at / 4 * 4 * STRIDE + at % 4 * 4;
    match head.luma {
        LumaMode::Whole(mode) => {
            predict_block::<16>(&mut workspace.luma, LUMA, mode, inside);
            if has_residual {
                for at in 0..16 {
                    add(&mut workspace.luma, subblock_origin(at), at);
                }
            }
        }
        LumaMode::Subblocks(modes) => {
            for (at, mode) in modes.into_iter().enumerate() {
                predict_subblock(&mut workspace.luma, subblock_origin(at), mode);
                add(&mut workspace.luma, subblock_origin(at), at);
            }
        }
    }
    for (plane, origin) in CHROMA.into_iter().enumerate() {
        predict_block::<8>(&mut workspace.chroma, origin, head.chroma, inside);
        if has_residual {
            for at in 0..4 {
                let origin = origin + at / 2 * 4 * STRIDE + at % 2 * 4;
                add(&mut workspace.chroma, origin, 16 + 4 * plane + at);
            }
        }
    }
}
