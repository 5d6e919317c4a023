//! A zlib stream: two bytes (RFC 1950, section 2.2), then blocks.

use crate::block::{self, Pause, Tables};
use crate::code::Code;
use crate::distance::Distances;
use crate::header::{self, Kind};
use crate::input::Input;
use crate::symbol::Symbols;
use crate::window::Window;

/// So many times tables are made before anything is put out, and once more for so many bytes put out. Encoders fill blocks with
/// thousands of bytes, and with 127 where they have next to no memory (zlib's `memLevel` 1); tables cost as much as inflating a
/// thousand, so that without a bound a file of blocks that bring nothing would keep a processor busy for as long as it is large.
const FREE_TABLES: u64 = 256;
const BYTES_PER_TABLES: u64 = 120;
/// A zlib stream's window: 256 bytes times a power of two, which is at most so much.
const MAX_WINDOW: u32 = 7;
/// Stored bytes are taken at hand at least this many at a time.
const STORED_AT_HAND: usize = 1024;

/// What comes next in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Stream,
    Block,
    /// This many bytes as they are.
    Stored(usize),
    Symbols,
    /// Nothing: its end, or what can't be gone on with.
    Over,
}

/// Inflates the zlib stream that `P` gives in pieces.
#[derive(Debug)]
pub struct Inflate<'a, P> {
    input: Input<'a, P>,
    window: Window,
    tables: Box<Tables>,
    /// The tables are those of the fixed code.
    is_fixed: bool,
    stage: Stage,
    is_last: bool,
    /// How many times tables were made.
    tables_made: u64,
    /// What is taken at once, where that is more than the window gives.
    wide: Vec<u8>,
}

impl<'a, P: Iterator<Item = &'a [u8]>> Inflate<'a, P> {
    /// Reads nothing yet. Holds 311 KiB and, once more than 224 KiB were taken at a time, as much as that. `pieces` has to end,
    /// however small or empty they are.
    pub fn new(pieces: P) -> Self {
        Self {
            input: Input::new(pieces),
            window: Window::new(),
            tables: Box::new(Tables { symbols: Symbols::new(), distances: Distances::new() }),
            is_fixed: false,
            stage: Stage::Stream,
            is_last: false,
            tables_made: 0,
            wide: Vec::new(),
        }
    }

    /// The next `wanted` bytes; fewer where the stream ends, breaks off or makes no sense, and none after that.
    ///
    /// Of a stream that breaks off, the last byte that can be told may be missing. One that needs tables more often than 256 times
    /// and once for each 120 bytes put out is taken for one that makes no sense, so that work is bounded by what is asked for.
    pub fn take(&mut self, wanted: usize) -> &[u8] {
        if wanted <= Window::MOST {
            self.fill(wanted);
            return self.window.take(wanted);
        }
        self.wide.clear();
        while self.wide.len() < wanted {
            let part = (wanted - self.wide.len()).min(Window::MOST);
            self.fill(part);
            let bytes = self.window.take(part);
            if bytes.is_empty() {
                break;
            }
            self.wide.extend_from_slice(bytes);
        }
        &self.wide
    }

    /// Puts out what is missing to `wanted` bytes, and more.
    fn fill(&mut self, wanted: usize) {
        if self.window.pending() >= wanted {
            return;
        }
        let until = self.window.make_room(wanted);
        while self.window.pending() < wanted && self.stage != Stage::Over {
            self.stage = self.advance(until);
        }
    }

    fn advance(&mut self, until: usize) -> Stage {
        match self.stage {
            Stage::Stream => self.begin(),
            Stage::Block if self.is_last => Stage::Over,
            Stage::Block => self.begin_block().unwrap_or(Stage::Over),
            Stage::Stored(0) => Stage::Block,
            Stage::Stored(left) => {
                self.input.require(left.min(STORED_AT_HAND));
                let room = until.saturating_sub(self.window.filled);
                let bytes = self.input.bits.take_bytes(left.min(room));
                self.window.put(bytes);
                if bytes.is_empty() { Stage::Over } else { Stage::Stored(left - bytes.len()) }
            }
            Stage::Symbols => self.read_symbols(until),
            Stage::Over => Stage::Over,
        }
    }

    fn begin(&mut self) -> Stage {
        self.input.require(2);
        let (method, flags) = (self.input.bits.take(8), self.input.bits.take(8));
        let is_deflate = method & 15 == 8 && method >> 4 <= MAX_WINDOW;
        let has_dictionary = flags & 32 != 0;
        let makes_sense = (method << 8 | flags).is_multiple_of(31) && !self.input.bits.is_overrun();
        if is_deflate && !has_dictionary && makes_sense { Stage::Block } else { Stage::Over }
    }

    /// `None` where there is no block that makes sense.
    fn begin_block(&mut self) -> Option<Stage> {
        self.input.require(header::MAX_BYTES);
        let (is_last, kind) = header::read(&mut self.input.bits)?;
        self.is_last = is_last;
        match kind {
            Kind::Stored(bytes) => return Some(Stage::Stored(bytes)),
            // A block of nothing but its end, as encoders write to flush: no tables are needed.
            Kind::Fixed if self.input.bits.ahead().is_multiple_of(1 << header::FIXED_END_BITS) => {
                self.input.bits.take(header::FIXED_END_BITS);
                return (!self.input.bits.is_overrun()).then_some(Stage::Block);
            }
            Kind::Fixed if self.is_fixed => {}
            Kind::Fixed => self.set_tables(&header::FIXED_SYMBOLS, &header::FIXED_DISTANCES)?,
            Kind::Dynamic => {
                let lengths = header::lengths(&mut self.input.bits)?;
                self.set_tables(lengths.symbols(), lengths.distances())?;
            }
        }
        self.is_fixed = matches!(kind, Kind::Fixed);
        Some(Stage::Symbols)
    }

    /// `None` where the codes make no sense, or tables were made too often.
    fn set_tables(&mut self, symbols: &[u8], distances: &[u8]) -> Option<()> {
        self.tables_made += 1;
        if self.tables_made > FREE_TABLES + self.window.put_out() / BYTES_PER_TABLES {
            return None;
        }
        let (symbols, distances) = (Code::new(symbols)?, Code::new(distances)?);
        self.tables.symbols.set(&symbols);
        self.tables.distances.set(&distances);
        Some(())
    }

    fn read_symbols(&mut self, until: usize) -> Stage {
        let Self { input, window, tables, .. } = self;
        let mut pause = block::run(tables, &mut input.bits, window, until);
        if pause == Pause::Starved {
            if !input.is_whole {
                input.refill();
                return Stage::Symbols;
            }
            pause = block::finish(tables, &mut input.bits, window, until);
        }
        match pause {
            Pause::Full => Stage::Symbols,
            Pause::Done => Stage::Block,
            Pause::Starved | Pause::Broken => Stage::Over,
        }
    }
}
