//! What a row's bytes are stored as differences to (PNG specification, section 9).

/// A row's filter. `a` is the byte to the left, `b` the one above, `c` the one above that to the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    /// 0.
    None,
    /// `a`.
    Sub,
    /// `b`.
    Up,
    /// The mean of `a` and `b`, rounded down.
    Average,
    /// Whichever of the three is nearest to `a + b - c`.
    Paeth,
}

impl Filter {
    /// By the byte before a row; `None` for what the specification does not know.
    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::None),
            1 => Some(Self::Sub),
            2 => Some(Self::Up),
            3 => Some(Self::Average),
            4 => Some(Self::Paeth),
            _ => None,
        }
    }

    /// A byte needs the one before it in its row, so that a row is a chain.
    pub(crate) const fn is_chain(self) -> bool {
        matches!(self, Self::Sub | Self::Average | Self::Paeth)
    }
}
