//! Groups of five prefix codes, and which group applies where (RFC 9649, sections 3.7.2 and 3.7.2.2).

use crate::{
    error::{Error, Limit},
    vp8l::{
        bit_reader::BitReader,
        prefix_code::{Code, Entry, build, read_lengths},
    },
};

const LITERALS: usize = 256;
const LENGTH_CODES: usize = 24;
const DISTANCE_CODES: usize = 40;
/// The longest alphabet: green with the largest colour cache.
const MAX_SYMBOLS: usize = LITERALS + LENGTH_CODES + (1 << 11);

/// The codes of one group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) green: Code,
    pub(crate) red: Code,
    pub(crate) blue: Code,
    pub(crate) alpha: Code,
    pub(crate) distance: Code,
    /// What several codes say together; see [`Packed`]. Its mask is 0 where there is no such table.
    pub(crate) packed: Code,
    /// Alpha costs no bits: what it contributes to a pixel.
    pub(crate) fixed_alpha: Option<u32>,
}

/// An entry of a table that looks at the next bits of green, red and blue at once.
///
/// The lowest 24 bits hold colours in their places in a pixel, or a symbol of green; then come 4 bits with the number of
/// bits they cost, then what it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed(pub(crate) Entry);

impl Packed {
    /// Bits of the largest table: what three symbols of 15 bits leave of what a bit reader gives at a time.
    pub(crate) const MAX_BITS: u32 = 12;
    const MIN_BITS: u32 = 6;
    /// Entries of all tables of an image together: half of a second-level cache.
    const MAX_ENTRIES: usize = 1 << 16;

    const ONLY_GREEN: u32 = 1 << 28;
    const NOTHING: u32 = 1 << 29;

    /// Where there is no table.
    pub(crate) const NONE: Self = Self(Self::NOTHING);

    /// Green, red and blue are there.
    #[inline(always)]
    pub(crate) const fn is_colour(self) -> bool {
        self.0 < Self::ONLY_GREEN
    }

    /// The symbol of green is there, whatever it is.
    #[inline(always)]
    pub(crate) const fn is_green(self) -> bool {
        self.0 & Self::ONLY_GREEN != 0
    }

    /// Bits to consume.
    #[inline(always)]
    pub(crate) const fn bits(self) -> u32 {
        (self.0 >> 24) & 15
    }

    /// Colours in place, or the symbol.
    #[inline(always)]
    pub(crate) const fn value(self) -> u32 {
        self.0 & 0x00ff_ffff
    }

    /// What the lowest `size` bits of `window` say.
    fn make(group: &Group, entries: &[Entry], window: u64, size: u32) -> Self {
        let (green, green_bits) = group.green.look_up(entries, window);
        if green_bits > size {
            return Self(Self::NOTHING);
        }
        let only_green = Self(Self::ONLY_GREEN | (green_bits << 24) | green);
        if green as usize >= LITERALS {
            return only_green;
        }
        let (red, red_bits) = group.red.look_up(entries, window >> green_bits);
        let (blue, blue_bits) = group.blue.look_up(entries, window >> (green_bits + red_bits));
        let bits = green_bits + red_bits + blue_bits;
        if bits > size {
            return only_green;
        }
        Self((bits << 24) | (red << 16) | (green << 8) | blue)
    }
}

/// The codes of a whole image.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    pub(crate) entries: Vec<Entry>,
    pub(crate) groups: Vec<Group>,
}

impl Tables {
    /// Reads `count` groups for an image of `pixels`. `number(n)` is where group `n` goes, or `None` where no pixel uses it:
    /// then it is read over. Numbers are dense, and in the order of `n`.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`Error::LimitExceeded`] where the tables take more than `max_table_bytes`.
    pub(crate) fn read(
        bits: &mut BitReader<'_>,
        count: usize,
        pixels: usize,
        cache_bits: u32,
        max_table_bytes: u32,
        number: impl Fn(usize) -> Option<u16>,
    ) -> Result<Self, Error> {
        let mut tables = Self { entries: Vec::new(), groups: Vec::new() };
        let cache_size = if cache_bits > 0 { 1 << cache_bits } else { 0 };
        let sizes = [LITERALS + LENGTH_CODES + cache_size, LITERALS, LITERALS, LITERALS, DISTANCE_CODES];
        let mut lengths = [0_u8; MAX_SYMBOLS];
        let mut unused = Vec::new();
        for group in 0..count {
            let is_used = number(group).is_some();
            let mut codes = [Code::default(); 5];
            for (code, size) in codes.iter_mut().zip(sizes) {
                let lengths = &mut lengths[..size];
                lengths.fill(0);
                read_lengths(bits, lengths)?;
                if is_used {
                    *code = build(lengths, &mut tables.entries)?;
                } else {
                    unused.clear();
                    build(lengths, &mut unused)?;
                }
            }
            if bits.is_exhausted() {
                return Err(Error::Malformed("prefix codes cut short"));
            }
            if is_used {
                tables.push_group(codes);
            }
            let bytes = tables.entries.len() * size_of::<Entry>() + tables.groups.len() * size_of::<Group>();
            if bytes > max_table_bytes as usize {
                return Err(Error::LimitExceeded(Limit::Tables));
            }
        }
        tables.pack(pixels);
        Ok(tables)
    }

    fn push_group(&mut self, [green, red, blue, alpha, distance]: [Code; 5]) {
        let fixed_alpha = alpha.only_symbol(&self.entries).map(|alpha| alpha << 24);
        self.groups.push(Group { green, red, blue, alpha, distance, packed: Code::default(), fixed_alpha });
    }

    /// Adds the packed tables, as large as pays for the image: an entry costs about as much as it saves at a few pixels.
    fn pack(&mut self, pixels: usize) {
        let budget = (pixels / 8).min(Packed::MAX_ENTRIES) / self.groups.len().max(1);
        if budget < 1 << Packed::MIN_BITS {
            return;
        }
        let size = budget.ilog2().min(Packed::MAX_BITS);
        for at in 0..self.groups.len() {
            let offset = self.entries.len();
            for window in 0..1 << size {
                let packed = Packed::make(&self.groups[at], &self.entries, window, size);
                self.entries.push(packed.0);
            }
            self.groups[at].packed = Code { offset: offset as u32, mask: (1 << size) - 1 };
        }
    }
}
