//! The choice of a macroblock's modes and levels: what costs least, errors and bits weighed against each other.

use crate::encode::candidates::{Candidates, magnitude};
use crate::encode::cost::TokenCosts;
use crate::encode::forward::{Residual, cosine, walsh_hadamard};
use crate::encode::macroblock::{BLOCKS, DC_BLOCK, Edge, Macroblock};
use crate::encode::modes::{
    BLOCK_MODES, SUBBLOCK_MODES, SubblockCosts, chroma_cost, subblocks_cost, update_edges, whole_luma_cost,
};
use crate::encode::planes::Planes;
use crate::encode::terms::{DC_WEIGHTS, Effort, TRIED_BLOCK_MODES, TRIED_SUBBLOCK_MODES, Terms, WEIGHTS};
use crate::encode::tokens::{self, LUMA_DC, LUMA_WITH_DC, LUMA_WITHOUT_DC};
use crate::encode::trellis::{Coded, PER_ERROR, Way, Weights, code};
use crate::vp8::header::Steps;
use crate::vp8::modes::{BlockMode, EdgeModes, LumaMode, SubblockMode};
use crate::vp8::predict::{Inside, predict_block, predict_subblock};
use crate::vp8::transform::{Block, add_inverse_cosine, inverse_walsh_hadamard};
use crate::vp8::workspace::{BottomRow, CHROMA, LUMA, STRIDE, Workspace};

/// Where in the frame a macroblock lies.
#[derive(Clone, Copy, Debug)]
struct Place {
    column: usize,
    row: usize,
    inside: Inside,
    /// Columns and rows of luma blocks that are seen, 1..=4; the others only fill the macroblock up.
    seen: (usize, usize),
}

#[derive(Clone, Copy, Debug)]
struct Above {
    bottom: BottomRow,
    modes: EdgeModes,
    edge: Edge,
}

/// As in [`Edge`].
type ChromaEdge = [[u8; 2]; 2];

/// A choice for luma.
struct Luma {
    mode: LumaMode,
    blocks: [Coded; 16],
    dcs: Coded,
    score: i64,
    /// The edges after it.
    above: Edge,
    left: Edge,
}

/// One pass over a frame. Rows are taken top to bottom, macroblocks left to right.
pub(super) struct Search<'a> {
    source: &'a Planes,
    width: usize,
    height: usize,
    costs: &'a TokenCosts,
    mode_costs: &'a SubblockCosts,
    terms: &'a Terms,
    effort: Effort,
    workspace: Workspace,
    above: Vec<Above>,
    left_modes: EdgeModes,
    left: Edge,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        source: &'a Planes,
        (width, height): (usize, usize),
        costs: &'a TokenCosts,
        mode_costs: &'a SubblockCosts,
        terms: &'a Terms,
        effort: Effort,
    ) -> Self {
        let above =
            Above { bottom: BottomRow::ABOVE_FRAME, modes: EdgeModes::default(), edge: Edge::default() };
        Self {
            source,
            width,
            height,
            costs,
            mode_costs,
            terms,
            effort,
            workspace: Workspace::new(),
            above: vec![above; source.stride / 16],
            left_modes: EdgeModes::default(),
            left: Edge::default(),
        }
    }

    /// Codes all macroblocks. What a decoder makes of them before its loop filter goes to `restored`. `None` where `goes_on`, which is
    /// told of each row, says no.
    pub(super) fn run(
        mut self,
        restored: &mut Planes,
        mut goes_on: impl FnMut(&[Macroblock]) -> bool,
    ) -> Option<Vec<Macroblock>> {
        let columns = self.above.len();
        let rows = self.source.rows / 16;
        let mut macroblocks = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            self.workspace.start_row(row == 0);
            self.left = Edge::default();
            self.left_modes = EdgeModes::default();
            for column in 0..columns {
                if column > 0 {
                    self.workspace.advance();
                }
                let seen = |size: usize, at: usize| (size - 16 * at).div_ceil(4).min(4);
                let place = Place {
                    column,
                    row,
                    inside: Inside { above: row > 0, left: column > 0 },
                    seen: (seen(self.width, column), seen(self.height, row)),
                };
                macroblocks.push(self.macroblock(place));
                self.store(place, restored);
            }
            if !goes_on(macroblocks.get(row * columns..).unwrap_or_default()) {
                return None;
            }
        }
        Some(macroblocks)
    }

    fn macroblock(&mut self, place: Place) -> Macroblock {
        let bottom = self.above[place.column].bottom;
        let above_right = self.above.get(place.column + 1).map_or([bottom.luma[15]; 4], |next| {
            let [a, b, c, d, ..] = next.bottom.luma;
            [a, b, c, d]
        });
        self.workspace.set_above(&bottom, above_right);
        let terms = self.terms;

        let whole = self.whole_luma(place, terms);
        let luma = match self.subblocks(place, terms, whole.score) {
            Some(luma) => luma,
            None => {
                self.restore_whole_luma(place, &whole);
                whole
            }
        };
        let (chroma, chroma_blocks, edges) = self.chroma(place, terms);

        let mut levels = [[0; 16]; BLOCKS];
        for (levels, coded) in levels.iter_mut().zip(luma.blocks.iter().chain(&chroma_blocks)) {
            *levels = coded.levels;
        }
        levels[DC_BLOCK] = luma.dcs.levels;
        let any = levels.as_flattened().iter().any(|&level| level != 0);

        let above = &mut self.above[place.column];
        update_edges(&luma.mode, &mut above.modes, &mut self.left_modes);
        (above.edge, self.left) = (luma.above, luma.left);
        [above.edge.chroma, self.left.chroma] = edges;
        above.bottom = self.workspace.bottom_row();
        Macroblock { luma: luma.mode, chroma, levels, any }
    }

    /// Differences of the source from what the workspace predicts for a luma block; none where no one sees it.
    #[inline]
    fn luma_residual(&self, place: Place, at: usize) -> Residual {
        if at % 4 >= place.seen.0 || at / 4 >= place.seen.1 {
            return [0; 16];
        }
        let from = (16 * place.row + at / 4 * 4) * self.source.stride + 16 * place.column + at % 4 * 4;
        difference(&self.source.y, from, self.source.stride, &self.workspace.luma, luma_origin(at))
    }

    /// The same for a chroma block: 0..=3 of U, 4..=7 of V.
    #[inline]
    fn chroma_residual(&self, place: Place, at: usize) -> Residual {
        if 2 * (at % 2) >= place.seen.0 || 2 * (at / 2 % 2) >= place.seen.1 {
            return [0; 16];
        }
        let stride = self.source.stride / 2;
        let from = (8 * place.row + at / 2 % 2 * 4) * stride + 8 * place.column + at % 2 * 4;
        difference(&self.source.uv[at / 4], from, stride, &self.workspace.chroma, chroma_origin(at))
    }

    /// Luma in one piece.
    fn whole_luma(&mut self, place: Place, terms: &Terms) -> Luma {
        let mut tried = Candidates::<([Block; 16], Block), TRIED_BLOCK_MODES>::new();
        for mode in BLOCK_MODES {
            predict_block::<16>(&mut self.workspace.luma, LUMA, mode, place.inside);
            let mut blocks: [Block; 16] = std::array::from_fn(|at| cosine(&self.luma_residual(place, at)));
            let dcs = walsh_hadamard(&blocks.map(|block| block[0]));
            for block in &mut blocks {
                block[0] = 0;
            }
            let estimate = blocks.iter().map(magnitude).sum::<u32>() + magnitude(&dcs) / 2;
            tried.offer(estimate, mode as usize, (blocks, dcs));
        }
        let mut best: Option<Luma> = None;
        for (mode, (blocks, dcs)) in tried.take().take(self.effort.block_modes) {
            let mode = BLOCK_MODES[mode];
            let luma = self.code_whole_luma(place, terms, mode, &blocks, &dcs);
            if best.as_ref().is_none_or(|best| luma.score < best.score) {
                best = Some(luma);
            }
        }
        best.unwrap_or_else(|| self.code_whole_luma(place, terms, BlockMode::Mean, &[[0; 16]; 16], &[0; 16]))
    }

    fn code_whole_luma(
        &self,
        place: Place,
        terms: &Terms,
        mode: BlockMode,
        blocks: &[Block; 16],
        dcs: &Block,
    ) -> Luma {
        let (mut above, mut left) = (self.above[place.column].edge, self.left);
        let steps = terms.quantiser.luma_dc;
        let mut way = self.way(LUMA_DC, above.luma_dc + left.luma_dc, steps, &DC_WEIGHTS, terms.dc_lambda);
        let dcs = code(dcs, &way);
        (above.luma_dc, left.luma_dc) = (u8::from(dcs.any), u8::from(dcs.any));
        let mut rate = dcs.rate + whole_luma_cost(mode);
        let mut distortion = dcs.distortion;
        way = self.way(LUMA_WITHOUT_DC, 0, terms.quantiser.luma, &WEIGHTS, terms.luma_lambda);
        let blocks = std::array::from_fn(|at| {
            let (above, left) = (&mut above.luma[at % 4], &mut left.luma[at / 4]);
            way.context = usize::from(*above + *left);
            let coded = code(&blocks[at], &way);
            (*above, *left) = (u8::from(coded.any), u8::from(coded.any));
            rate += coded.rate;
            distortion += coded.distortion;
            coded
        });
        let score = distortion * PER_ERROR + terms.mode_lambda * i64::from(rate);
        Luma { mode: LumaMode::Whole(mode), blocks, dcs, score, above, left }
    }

    fn restore_whole_luma(&mut self, place: Place, luma: &Luma) {
        let LumaMode::Whole(mode) = luma.mode else { return };
        predict_block::<16>(&mut self.workspace.luma, LUMA, mode, place.inside);
        let dcs = inverse_walsh_hadamard(&luma.dcs.restored);
        for (at, (coded, dc)) in luma.blocks.iter().zip(dcs).enumerate() {
            let mut block = coded.restored;
            block[0] = dc;
            if block != [0; 16] {
                add_inverse_cosine(&mut self.workspace.luma, luma_origin(at), &block);
            }
        }
    }

    /// Luma in 16 blocks, restored in the workspace, if that scores below `limit`.
    fn subblocks(&mut self, place: Place, terms: &Terms, limit: i64) -> Option<Luma> {
        let (mut above, mut left) = (self.above[place.column].edge, self.left);
        let mut modes = [SubblockMode::Mean; 16];
        let mut blocks = [Coded::default(); 16];
        let mut score = terms.mode_lambda * i64::from(subblocks_cost());
        for at in 0..16 {
            let over = if at < 4 { self.above[place.column].modes[at] } else { modes[at - 4] };
            let before = if at % 4 == 0 { self.left_modes[at / 4] } else { modes[at - 1] };
            let costs = &self.mode_costs[over as usize][before as usize];
            let origin = luma_origin(at);
            let mut tried = Candidates::<Block, TRIED_SUBBLOCK_MODES>::new();
            for (number, mode) in SUBBLOCK_MODES.into_iter().enumerate() {
                predict_subblock(&mut self.workspace.luma, origin, mode);
                let block = cosine(&self.luma_residual(place, at));
                let bits = u32::from(costs[number]);
                let estimate = magnitude(&block) + bits * terms.quantiser.luma.ac as u32 / 512;
                tried.offer(estimate, number, block);
            }
            let context = above.luma[at % 4] + left.luma[at / 4];
            let way = self.way(LUMA_WITH_DC, context, terms.quantiser.luma, &WEIGHTS, terms.luma_lambda);
            let mut best = i64::MAX;
            for (number, block) in tried.take().take(self.effort.subblock_modes) {
                let coded = code(&block, &way);
                let rate = coded.rate + u32::from(costs[number]);
                let own = coded.distortion * PER_ERROR + terms.mode_lambda * i64::from(rate);
                if own < best {
                    (best, modes[at], blocks[at]) = (own, SUBBLOCK_MODES[number], coded);
                }
            }
            score += best;
            if score >= limit {
                return None;
            }
            predict_subblock(&mut self.workspace.luma, origin, modes[at]);
            if blocks[at].any {
                add_inverse_cosine(&mut self.workspace.luma, origin, &blocks[at].restored);
            }
            let any = u8::from(blocks[at].any);
            (above.luma[at % 4], left.luma[at / 4]) = (any, any);
        }
        Some(Luma { mode: LumaMode::Subblocks(modes), blocks, dcs: Coded::default(), score, above, left })
    }

    /// Both planes of chroma, restored in the workspace: their mode, blocks, and the edges above and to the left after them.
    fn chroma(&mut self, place: Place, terms: &Terms) -> (BlockMode, [Coded; 8], [ChromaEdge; 2]) {
        let mut tried = Candidates::<[Block; 8], TRIED_BLOCK_MODES>::new();
        for mode in BLOCK_MODES {
            self.predict_chroma(place, mode);
            let blocks: [Block; 8] = std::array::from_fn(|at| cosine(&self.chroma_residual(place, at)));
            tried.offer(blocks.iter().map(magnitude).sum(), mode as usize, blocks);
        }
        let mut way = self.way(tokens::CHROMA, 0, terms.quantiser.chroma, &WEIGHTS, terms.chroma_lambda);
        let mut best_score = i64::MAX;
        let mut best = (BlockMode::Mean, [Coded::default(); 8], [ChromaEdge::default(); 2]);
        for (mode, blocks) in tried.take().take(self.effort.block_modes) {
            let mode = BLOCK_MODES[mode];
            let (mut above, mut left) = (self.above[place.column].edge.chroma, self.left.chroma);
            let mut score = terms.chroma_lambda * i64::from(chroma_cost(mode));
            let blocks = std::array::from_fn(|at| {
                let (above, left) = (&mut above[at / 4][at % 2], &mut left[at / 4][at / 2 % 2]);
                way.context = usize::from(*above + *left);
                let coded = code(&blocks[at], &way);
                (*above, *left) = (u8::from(coded.any), u8::from(coded.any));
                score += coded.distortion * PER_ERROR + terms.chroma_lambda * i64::from(coded.rate);
                coded
            });
            if score < best_score {
                best_score = score;
                best = (mode, blocks, [above, left]);
            }
        }
        self.predict_chroma(place, best.0);
        for (at, coded) in best.1.iter().enumerate().filter(|(_, coded)| coded.any) {
            add_inverse_cosine(&mut self.workspace.chroma, chroma_origin(at), &coded.restored);
        }
        best
    }

    fn predict_chroma(&mut self, place: Place, mode: BlockMode) {
        for origin in CHROMA {
            predict_block::<8>(&mut self.workspace.chroma, origin, mode, place.inside);
        }
    }

    fn way<'w>(&self, kind: usize, context: u8, steps: Steps, weights: &'w Weights, lambda: i64) -> Way<'w>
    where
        'a: 'w,
    {
        Way { kind, context: usize::from(context), steps, weights, lambda, costs: self.costs }
    }

    /// Copies the workspace's pixels to their place.
    fn store(&self, place: Place, planes: &mut Planes) {
        let stride = planes.stride;
        let first = 16 * place.row * stride + 16 * place.column;
        for (row, from) in
            planes.y[first..].chunks_mut(stride).zip(self.workspace.luma.chunks_exact(STRIDE).skip(1))
        {
            row[..16].copy_from_slice(&from[8..24]);
        }
        let first = 8 * place.row * (stride / 2) + 8 * place.column;
        for (plane, origin) in planes.uv.iter_mut().zip(CHROMA) {
            let origin = origin - STRIDE;
            let rows = self.workspace.chroma.chunks_exact(STRIDE).skip(1);
            for (row, from) in plane[first..].chunks_mut(stride / 2).zip(rows) {
                row[..8].copy_from_slice(&from[origin..origin + 8]);
            }
        }
    }
}

const fn luma_origin(at: usize) -> usize {
    LUMA + at / 4 * 4 * STRIDE + at % 4 * 4
}

const fn chroma_origin(at: usize) -> usize {
    CHROMA[at / 4] + at / 2 % 2 * 4 * STRIDE + at % 2 * 4
}

#[inline]
fn difference(source: &[u8], from: usize, stride: usize, predicted: &[u8], origin: usize) -> Residual {
    let source = &source[from..from + 3 * stride + 4];
    let predicted = &predicted[origin..origin + 3 * STRIDE + 4];
    std::array::from_fn(|at| {
        let (x, y) = (at % 4, at / 4);
        i16::from(source[y * stride + x]) - i16::from(predicted[y * STRIDE + x])
    })
}
