//! An outline: a file of the same structure, without what a header is not read from, above all pixels. So there is one reader of headers,
//! for whole files and for outlines, and what it says of both is the same.

use super::walk::{Passed, Walk, Want};
use super::{gif, jpeg, png, webp};
use crate::error::Error;
use crate::header;
use crate::options::SourceFormat;
use crate::sniff::{MAX_SNIFFED_BYTES, other_kind, sniff};
use crate::task::SourceInfo;

/// An outline in the making.
#[derive(Default)]
pub(super) struct Outline {
    /// The first bytes until the format is known, the outline from then on.
    bytes: Vec<u8>,
    format: Option<SourceFormat>,
    /// None of a HEIC or AVIF: what its header is read from is found by places in the file, so all of that is kept.
    walk: Option<Walking>,
}

struct Walking {
    walk: Box<dyn Walk>,
    want: Want,
    /// The beginning of the bytes that it wants.
    held: Vec<u8>,
    /// Bytes of the file so far.
    taken: u64,
    was_ready: bool,
}

impl Outline {
    pub(super) fn format(&self) -> Option<SourceFormat> {
        self.format
    }

    /// Goes on by the next bytes. What the header says as soon as it says how large the image is, once.
    ///
    /// # Errors
    /// What is certain.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<Option<SourceInfo>, Error> {
        if self.walk.is_some() {
            return self.go_on(piece);
        }
        self.bytes.extend_from_slice(piece);
        if self.format.is_some() {
            return Ok(None);
        }
        self.format = sniff(&self.bytes);
        match self.format {
            Some(format) => {
                self.walk = Walking::new(format);
                let start = if self.walk.is_some() { std::mem::take(&mut self.bytes) } else { Vec::new() };
                self.go_on(&start)
            }
            None if self.bytes.len() >= MAX_SNIFFED_BYTES => {
                Err(Error::UnsupportedFormat(other_kind(&self.bytes)))
            }
            None => Ok(None),
        }
    }

    fn go_on(&mut self, piece: &[u8]) -> Result<Option<SourceInfo>, Error> {
        let (Some(walking), Some(format)) = (&mut self.walk, self.format) else { return Ok(None) };
        walking.go_on(piece, &mut self.bytes);
        if walking.was_ready || !walking.walk.is_ready() {
            return Ok(None);
        }
        walking.was_ready = true;
        match header::read_as(format, &self.bytes) {
            Ok(header) => Ok(Some(SourceInfo::new(&header))),
            // Of a JPEG the outline is complete, and what is wrong with it stays so.
            Err(error) if format == SourceFormat::Jpeg => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// What the header says, when there is no more.
    ///
    /// # Errors
    /// As for a whole file.
    pub(super) fn source(&mut self) -> Result<SourceInfo, Error> {
        if let Some(walking) = &mut self.walk {
            walking.end(&mut self.bytes);
        }
        let header = match self.format {
            Some(format) => header::read_as(format, &self.bytes),
            None => header::read(&self.bytes),
        };
        let source = SourceInfo::new(&header?);
        let passed = self.walk.as_ref().map(|walking| walking.walk.passed());
        let Passed { frames, hidden_pixels, has_alpha } = passed.unwrap_or_default();
        Ok(SourceInfo {
            frames: source.frames.saturating_add(frames),
            hidden_pixels: source.hidden_pixels.saturating_add(hidden_pixels),
            has_alpha: source.has_alpha || has_alpha,
            ..source
        })
    }
}

impl Walking {
    fn new(format: SourceFormat) -> Option<Self> {
        let walk: Box<dyn Walk> = match format {
            SourceFormat::Jpeg => Box::<jpeg::Walk>::default(),
            SourceFormat::Png => Box::<png::Walk>::default(),
            SourceFormat::Gif => Box::<gif::Walk>::default(),
            SourceFormat::Webp => Box::<webp::Walk>::default(),
            SourceFormat::Heic | SourceFormat::Avif => return None,
        };
        let want = walk.begin();
        Some(Self { walk, want, held: Vec::new(), taken: 0, was_ready: false })
    }

    fn go_on(&mut self, mut piece: &[u8], outline: &mut Vec<u8>) {
        loop {
            match self.want {
                Want::Nothing => return,
                Want::Past(0) => self.want = self.walk.step(&[], outline),
                Want::Past(count) => {
                    let count = count - self.take(&mut piece, count).len() as u64;
                    self.want = Want::Past(count);
                    if count > 0 {
                        return;
                    }
                }
                Want::Bytes(count) => {
                    let missing = count.saturating_sub(self.held.len());
                    let here = self.take(&mut piece, missing as u64);
                    let is_all = here.len() == missing;
                    // What is all in one piece is not copied.
                    if is_all && self.held.is_empty() {
                        self.want = self.walk.step(here, outline);
                        continue;
                    }
                    self.held.extend_from_slice(here);
                    if !is_all {
                        return;
                    }
                    self.want = self.walk.step(&std::mem::take(&mut self.held), outline);
                }
            }
        }
    }

    /// The next bytes of the file: so many, or as many as are there.
    fn take<'a>(&mut self, piece: &mut &'a [u8], count: u64) -> &'a [u8] {
        let left = self.walk.file_bytes().map_or(u64::MAX, |bytes| bytes.saturating_sub(self.taken));
        let here = usize::try_from(count.min(left)).unwrap_or(usize::MAX).min(piece.len());
        let (taken, rest) = piece.split_at(here);
        *piece = rest;
        self.taken += here as u64;
        taken
    }

    /// May be called again.
    fn end(&mut self, outline: &mut Vec<u8>) {
        if self.want != Want::Nothing {
            self.want = Want::Nothing;
            self.walk.end(&std::mem::take(&mut self.held), outline);
        }
    }
}

impl std::fmt::Debug for Outline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outline").field("format", &self.format()).finish_non_exhaustive()
    }
}
