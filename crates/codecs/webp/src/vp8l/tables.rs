//! The prefix codes of a whole image (RFC 9649, section 3.7.2.2).

use crate::{
    error::{Error, Limit},
    vp8l::{
        bit_reader::BitReader,
        group::{Group, LITERALS, Packed},
        prefix_code::{Code, Entry, build, read_lengths},
    },
};

const LENGTH_CODES: usize = 24;
const DISTANCE_CODES: usize = 40;
/// The longest alphabet: green with the largest colour cache.
const MAX_SYMBOLS: usize = LITERALS + LENGTH_CODES + (1 << 11);

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
                self.entries.push(packed.entry());
            }
            self.groups[at].packed = Code { offset: offset as u32, mask: (1 << size) - 1 };
        }
    }
}
