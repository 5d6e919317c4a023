//! A zlib stream as a stream of bytes, a window at a time.

use fdeflate::Decompressor;

use super::pieces::Pieces;

/// How far back a deflate stream refers (RFC 1951, section 2).
const HISTORY_BYTES: usize = 32 << 10;
/// What is inflated at a time: fits the second-level cache together with the rows made of it.
const CHUNK_BYTES: usize = 96 << 10;

/// Inflates until the stream ends, or the file does, or what there is makes no sense: all three are an end.
pub(super) struct Inflate<'a> {
    pieces: Pieces<'a>,
    piece: &'a [u8],
    zlib: Decompressor,
    /// History, then bytes that were not taken yet.
    buffer: Vec<u8>,
    /// The first byte that was not taken yet.
    taken: usize,
    /// The end of what was inflated.
    filled: usize,
    ended: bool,
}

impl<'a> Inflate<'a> {
    /// `most` is the most that [`Inflate::take`] is going to be asked for.
    pub(super) fn new(pieces: Pieces<'a>, most: usize) -> Self {
        let mut zlib = Decompressor::new();
        zlib.ignore_adler32();
        let buffer = vec![0; HISTORY_BYTES + CHUNK_BYTES.max(2 * most)];
        Self { pieces, piece: &[], zlib, buffer, taken: 0, filled: 0, ended: false }
    }

    /// The next `wanted` bytes, or as many as there are.
    pub(super) fn take(&mut self, wanted: usize) -> &[u8] {
        if self.filled - self.taken < wanted && !self.ended {
            self.fill(wanted);
        }
        let start = self.taken;
        self.taken = (start + wanted).min(self.filled);
        self.buffer.get(start..self.taken).unwrap_or_default()
    }

    fn fill(&mut self, wanted: usize) {
        if self.taken + wanted > self.buffer.len() {
            let keep = self.taken.min(self.filled.saturating_sub(HISTORY_BYTES));
            self.buffer.copy_within(keep..self.filled, 0);
            self.taken -= keep;
            self.filled -= keep;
        }
        while self.filled - self.taken < wanted {
            if self.piece.is_empty() {
                match self.pieces.next() {
                    Some(piece) => self.piece = piece,
                    None => {
                        self.ended = true;
                        return;
                    }
                }
            }
            match self.zlib.read(self.piece, &mut self.buffer, self.filled, false) {
                Ok((read, written)) => {
                    self.piece = self.piece.get(read..).unwrap_or_default();
                    self.filled += written;
                    if self.zlib.is_done() || (read == 0 && written == 0 && !self.piece.is_empty()) {
                        self.ended = true;
                        return;
                    }
                }
                Err(_) => {
                    self.ended = true;
                    return;
                }
            }
        }
    }
}
