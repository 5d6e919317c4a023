//! Boxes: a length, four letters, a body; and the numbers in a body.

use std::ops::Range;

use crate::error::Error;
use crate::image::Coding;

/// A box's four letters.
pub(crate) type Kind = [u8; 4];

/// Reads a part of the file from its beginning to its end.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    file: &'a [u8],
    at: usize,
    end: usize,
}

/// One box.
#[derive(Clone, Debug)]
pub(crate) struct Boxed<'a> {
    pub(crate) kind: Kind,
    pub(crate) body: Reader<'a>,
    /// The box says that it goes on behind the end of what it is in.
    pub(crate) is_cut: bool,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(file: &'a [u8]) -> Self {
        Self { file, at: 0, end: file.len() }
    }

    /// What is left, as a range of the file.
    pub(crate) const fn range(&self) -> Range<usize> {
        self.at..self.end
    }

    pub(crate) const fn is_at_end(&self) -> bool {
        self.at >= self.end
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let after = self.at.checked_add(count).filter(|&after| after <= self.end);
        let bytes = after.and_then(|after| self.file.get(self.at..after));
        self.at = after.unwrap_or(self.end);
        bytes.ok_or(Error::Malformed("a box ends too early"))
    }

    /// A big-endian number of up to eight bytes; of none it is 0.
    pub(crate) fn number(&mut self, bytes: usize) -> Result<u64, Error> {
        Ok(self.bytes(bytes)?.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Error> {
        Ok(self.bytes(1)?.first().copied().unwrap_or(0))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Error> {
        self.bytes(2)?
            .first_chunk()
            .map(|&bytes| u16::from_be_bytes(bytes))
            .ok_or(Error::Malformed("a number"))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Error> {
        self.bytes(4)?
            .first_chunk()
            .map(|&bytes| u32::from_be_bytes(bytes))
            .ok_or(Error::Malformed("a number"))
    }

    pub(crate) fn kind(&mut self) -> Result<Kind, Error> {
        Ok(self.u32()?.to_be_bytes())
    }

    /// Version and flags of a full box.
    pub(crate) fn version(&mut self) -> Result<(u8, u32), Error> {
        let word = self.u32()?;
        Ok((word.to_be_bytes()[0], word & 0x00FF_FFFF))
    }

    /// The next box; `None` at the end.
    pub(crate) fn next_box(&mut self) -> Result<Option<Boxed<'a>>, Error> {
        if self.is_at_end() {
            return Ok(None);
        }
        let start = self.at;
        let (short, kind) = (self.u32()?, self.kind()?);
        let size = match short {
            0 => self.end - start,
            // More than fits is more than there is.
            1 => usize::try_from(self.number(8)?).unwrap_or(usize::MAX),
            size => size as usize,
        };
        if kind == *b"uuid" {
            self.bytes(16)?;
        }
        let said_end = start.saturating_add(size);
        if said_end < self.at {
            return Err(Error::Malformed("a box is shorter than its own head"));
        }
        let end = said_end.min(self.end);
        let body = Self { file: self.file, at: self.at, end };
        self.at = end;
        Ok(Some(Boxed { kind, body, is_cut: said_end > end }))
    }

    /// The first box of this kind among those that follow.
    pub(crate) fn find(&self, kind: &Kind) -> Result<Option<Self>, Error> {
        let mut rest = self.clone();
        while let Some(found) = rest.next_box()? {
            if found.kind == *kind {
                return Ok(Some(found.body));
            }
        }
        Ok(None)
    }

    /// The same, where the format wants one.
    pub(crate) fn expect(&self, kind: &Kind) -> Result<Self, Error> {
        self.find(kind)?.ok_or(Error::Malformed("a box that has to be there is missing"))
    }
}

/// What the brands at the beginning of a file promise; `None` where it is neither. Takes the first box alone, as far as it is there.
#[must_use]
pub fn brand(file: &[u8]) -> Option<Coding> {
    let first = Reader::new(file).next_box().ok()??;
    if first.kind != *b"ftyp" {
        return None;
    }
    let mut brands = first.body;
    let major = brands.kind().ok()?;
    let coding = |brand: &Kind| match brand {
        b"avif" | b"avis" | b"avio" => Some(Coding::Av1),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => Some(Coding::Hevc),
        _ => None,
    };
    if let Some(coding) = coding(&major) {
        return Some(coding);
    }
    // Any picture, or any sequence: which coding it is stands among the others, behind a version.
    if !matches!(&major, b"mif1" | b"mif2" | b"msf1" | b"miaf") {
        return None;
    }
    brands.u32().ok()?;
    std::iter::from_fn(|| brands.kind().ok()).find_map(|brand| coding(&brand))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brand_is_the_first_or_among_those_behind_a_general_one() {
        let file = |brands: &[u8]| {
            let size = u32::try_from(8 + brands.len()).unwrap();
            [&size.to_be_bytes(), b"ftyp".as_slice(), brands].concat()
        };
        assert_eq!(brand(&file(b"heic\0\0\0\0mif1heic")), Some(Coding::Hevc));
        assert_eq!(brand(&file(b"mif1\0\0\0\0mif1avif")), Some(Coding::Av1));
        assert_eq!(brand(&file(b"msf1\0\0\0\0hevc")), Some(Coding::Hevc));
        assert_eq!(brand(&file(b"mif1\0\0\0\0mif1")), None);
        assert_eq!(brand(&file(b"isom\0\0\0\0heic")), None, "a video with a picture in it");
        assert_eq!(brand(b"\0\0\0\x1cftyp"), None);
        assert_eq!(brand(b"\0\0\0\x1cftypavif"), Some(Coding::Av1), "the rest may come later");
    }

    #[test]
    fn a_box_that_lies_about_its_length_is_cut_or_refused() {
        assert!(Reader::new(b"\0\0\0\x07free").next_box().is_err());
        let cut = Reader::new(b"\0\0\0\x20mdat1234").next_box().unwrap().unwrap();
        assert!(cut.is_cut && cut.body.range() == (8..12));
        let whole = Reader::new(b"\0\0\0\0mdat1234").next_box().unwrap().unwrap();
        assert!(!whole.is_cut && whole.body.range() == (8..12));
        let long = Reader::new(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x11x").next_box().unwrap().unwrap();
        assert_eq!(long.body.range(), 16..17);
    }
}
