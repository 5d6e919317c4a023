//! The five prefix codes that a pixel is read with (RFC 9649, section 3.7.2), and the table that looks at three of them at once.

use crate::vp8l::prefix_code::{Code, Entry};

/// Symbols of a colour; green has more, which are no literals.
pub(crate) const LITERALS: usize = 256;

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

impl Group {
    /// What the next bits say in several codes together.
    #[inline(always)]
    pub(crate) fn packed(&self, entries: &[Entry], window: u64) -> Packed {
        let Code { offset, mask } = self.packed;
        if mask == 0 {
            return Packed::NONE;
        }
        Packed(entries[(offset + (window as u32 & mask)) as usize])
    }
}

/// An entry of a table that looks at the next bits of green, red and blue at once.
///
/// The lowest 24 bits hold colours in their places in a pixel, or a symbol of green; then come 4 bits with the number of
/// bits they cost, then what it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed(Entry);

impl Packed {
    /// Bits of the largest table: what three symbols of 15 bits leave of what a bit reader gives at a time.
    pub(crate) const MAX_BITS: u32 = 12;
    pub(crate) const MIN_BITS: u32 = 6;
    /// Entries of all tables of an image together: half of a second-level cache.
    pub(crate) const MAX_ENTRIES: usize = 1 << 16;

    const ONLY_GREEN: u32 = 1 << 28;
    const NOTHING: u32 = 1 << 29;

    /// Where there is no table.
    const NONE: Self = Self(Self::NOTHING);

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

    /// As it stands in the table.
    pub(crate) const fn entry(self) -> Entry {
        self.0
    }

    /// What the lowest `size` bits of `window` say.
    pub(crate) fn make(group: &Group, entries: &[Entry], window: u64, size: u32) -> Self {
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
