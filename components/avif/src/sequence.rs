//! What the sequence header (AV1 specification, 5.5) says of a picture: its size, and of its colours.

use crate::bits::Bits;
use crate::picture::Colours;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sequence {
    /// No frame is wider.
    pub(crate) width: u32,
    /// No frame is higher.
    pub(crate) height: u32,
    pub(crate) colours: Colours,
}

const SEQUENCE_HEADER: u8 = 1;

/// The first one among the units of `data`; `None` where there is none, or it breaks off.
pub(crate) fn find(mut data: &[u8]) -> Option<Sequence> {
    while let Some((&head, mut rest)) = data.split_first() {
        if head & 4 != 0 {
            rest = rest.get(1..)?;
        }
        let length = if head & 2 != 0 { leb128(&mut rest)? } else { rest.len() };
        let (body, after) = rest.split_at_checked(length)?;
        if head >> 3 & 0xF == SEQUENCE_HEADER {
            return read(&mut Bits::new(body));
        }
        data = after;
    }
    None
}

fn leb128(bytes: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for place in 0..4 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= usize::from(byte & 0x7F) << (7 * place);
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn read(bits: &mut Bits<'_>) -> Option<Sequence> {
    let profile = bits.number(3)?;
    bits.skip(1);
    let is_reduced = bits.bit()?;
    if is_reduced {
        // A level.
        bits.skip(5);
    } else {
        operating_points(bits)?;
    }
    let (width_bits, height_bits) = (bits.number(4)? + 1, bits.number(4)? + 1);
    let (width, height) = (bits.number(width_bits)? + 1, bits.number(height_bits)? + 1);
    if !is_reduced && bits.bit()? {
        // Lengths of the numbers of frames.
        bits.skip(7);
    }
    // Large blocks, two tools of prediction.
    bits.skip(3);
    if !is_reduced {
        tools(bits)?;
    }
    // Scaling across, two filters.
    bits.skip(3);
    Some(Sequence { width, height, colours: colours(bits, profile)? })
}

fn operating_points(bits: &mut Bits<'_>) -> Option<()> {
    let mut delay_bits = None;
    if bits.bit()? {
        bits.skip(64);
        if bits.bit()? {
            // A number by as many zeros as it has bits.
            let mut zeros = 0;
            while !bits.bit()? {
                zeros += 1;
            }
            bits.skip(zeros);
        }
        if bits.bit()? {
            delay_bits = Some(bits.number(5)? as usize + 1);
            bits.skip(32 + 5 + 5);
        }
    }
    let says_delays = bits.bit()?;
    for _ in 0..=bits.number(5)? {
        bits.skip(12);
        if bits.number(5)? > 7 {
            bits.skip(1);
        }
        if let Some(delay_bits) = delay_bits
            && bits.bit()?
        {
            bits.skip(2 * delay_bits + 1);
        }
        if says_delays && bits.bit()? {
            bits.skip(4);
        }
    }
    Some(())
}

fn tools(bits: &mut Bits<'_>) -> Option<()> {
    // Four of prediction between frames.
    bits.skip(4);
    let has_order = bits.bit()?;
    if has_order {
        bits.skip(2);
    }
    // Those for screens: chosen by each frame, or said here.
    let for_screens = bits.bit()? || bits.bit()?;
    if for_screens && !bits.bit()? {
        bits.skip(1);
    }
    if has_order {
        bits.skip(3);
    }
    Some(())
}

fn colours(bits: &mut Bits<'_>, profile: u32) -> Option<Colours> {
    const SRGB: (u8, u8, u8) = (1, 13, 0);
    let is_deep = bits.bit()?;
    if profile == 2 && is_deep {
        bits.skip(1);
    }
    let is_grey = profile != 1 && bits.bit()?;
    let mut colours = Colours::UNSAID;
    if bits.bit()? {
        let mut code = || bits.number(8).and_then(|code| u8::try_from(code).ok());
        (colours.primaries, colours.transfer, colours.matrix) = (code()?, code()?, code()?);
    }
    let is_srgb = (colours.primaries, colours.transfer, colours.matrix) == SRGB;
    colours.full_range = if is_srgb && !is_grey { true } else { bits.bit()? };
    Some(colours)
}
