//! Token probabilities fitted to a frame: counted, and sent where that saves more than it costs (RFC 6386, section 13.4).

use crate::encode::bool_encoder::BoolEncoder;
use crate::encode::cost::bit_cost;
use crate::encode::tokens::{Place, Sink};
use crate::vp8::tables::{
    COEFFICIENT_UPDATE_PROBS, CoefficientProbs, DEFAULT_COEFFICIENT_PROBS, TOKEN_PROBS,
};

/// How often each decision went either way.
#[derive(Debug)]
pub(super) struct Counts {
    decisions: [[[[[u32; 2]; TOKEN_PROBS]; 3]; 8]; 4],
    /// What the bits of fixed probabilities cost, in 1/256 bits.
    fixed_cost: u64,
}

impl Counts {
    pub(super) fn new() -> Box<Self> {
        Box::new(Self { decisions: [[[[[0; 2]; TOKEN_PROBS]; 3]; 8]; 4], fixed_cost: 0 })
    }

    /// Bytes that all of it takes at least, whatever probabilities are sent. Costs are whole 1/256 bits, so one in sixteen is left for rounding.
    pub(super) fn least_bytes(&self) -> usize {
        let decisions = self.decisions.as_flattened().as_flattened().as_flattened();
        let cost = decisions.iter().map(|&counts| cost(counts, probability(counts))).sum::<u64>();
        usize::try_from((cost + self.fixed_cost) / (8 * 256) * 15 / 16).unwrap_or(usize::MAX)
    }

    /// The defaults, replaced where the frame's own pay.
    pub(super) fn fitted(&self) -> CoefficientProbs {
        let mut probs = DEFAULT_COEFFICIENT_PROBS;
        let counts = self.decisions.as_flattened().as_flattened().as_flattened();
        let current = probs.as_flattened_mut().as_flattened_mut().as_flattened_mut();
        let update = COEFFICIENT_UPDATE_PROBS.as_flattened().as_flattened().as_flattened();
        for ((prob, &counts), &update_prob) in current.iter_mut().zip(counts).zip(update) {
            let own = probability(counts);
            let kept = cost(counts, *prob) + u64::from(bit_cost(false, update_prob));
            let sent = cost(counts, own) + u64::from(bit_cost(true, update_prob)) + 8 * 256;
            if sent < kept {
                *prob = own;
            }
        }
        probs
    }
}

impl Sink for Counts {
    #[inline]
    fn decide(&mut self, place: Place, node: usize, bit: bool) {
        self.decisions[place.kind][place.band][place.context][node][usize::from(bit)] += 1;
    }

    #[inline]
    fn fixed(&mut self, bit: bool, prob: u8) {
        self.fixed_cost += u64::from(bit_cost(bit, prob));
    }
}

/// Of a 0, in 256ths, from how often either came; 1..=255.
pub(super) fn probability([zeros, ones]: [u32; 2]) -> u8 {
    let all = u64::from(zeros) + u64::from(ones);
    ((u64::from(zeros) * 256 + all / 2) / all.max(1)).clamp(1, 255) as u8
}

fn cost([zeros, ones]: [u32; 2], prob: u8) -> u64 {
    u64::from(zeros) * u64::from(bit_cost(false, prob)) + u64::from(ones) * u64::from(bit_cost(true, prob))
}

/// The part of the header that tells how `probs` differ from the defaults.
pub(super) fn put(bits: &mut BoolEncoder, probs: &CoefficientProbs) {
    let probs = probs.as_flattened().as_flattened().as_flattened();
    let default = DEFAULT_COEFFICIENT_PROBS.as_flattened().as_flattened().as_flattened();
    let update = COEFFICIENT_UPDATE_PROBS.as_flattened().as_flattened().as_flattened();
    for ((&prob, &default), &update_prob) in probs.iter().zip(default).zip(update) {
        bits.bit(prob != default, update_prob);
        if prob != default {
            bits.number(u32::from(prob), 8);
        }
    }
}

/// Writes tokens under given probabilities.
#[derive(Debug)]
pub(super) struct TokenWriter<'a> {
    pub(super) bits: &'a mut BoolEncoder,
    pub(super) probs: &'a CoefficientProbs,
}

impl Sink for TokenWriter<'_> {
    #[inline]
    fn decide(&mut self, place: Place, node: usize, bit: bool) {
        self.bits.bit(bit, self.probs[place.kind][place.band][place.context][node]);
    }

    #[inline]
    fn fixed(&mut self, bit: bool, prob: u8) {
        self.bits.bit(bit, prob);
    }
}
