//! A sequence: of its track of pictures the first sample and the number of all.

use crate::boxes::{Kind, Reader};
use crate::error::Error;
use crate::image::{Coding, Part, Picture, is_grey};

/// A track of pictures.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    /// The first.
    pub(crate) picture: Picture,
    /// Not 0.
    pub(crate) frames: u32,
}

/// The first track of pictures of this coding, from the body of `moov`.
pub(crate) fn read(file: &[u8], movie: &Reader<'_>, coding: Coding) -> Result<Option<Track>, Error> {
    let mut boxes = movie.clone();
    while let Some(found) = boxes.next_box()? {
        if found.kind != *b"trak" {
            continue;
        }
        let media = found.body.expect(b"mdia")?;
        let mut handler = media.expect(b"hdlr")?;
        handler.bytes(8)?;
        // Of pictures to show; those that are auxiliaries of others, as alpha is, have another.
        if &handler.kind()? == b"pict" {
            let samples = media.expect(b"minf")?.expect(b"stbl")?;
            if let Some(track) = track(file, &samples, coding)? {
                return Ok(Some(track));
            }
        }
    }
    Ok(None)
}

fn track(file: &[u8], samples: &Reader<'_>, coding: Coding) -> Result<Option<Track>, Error> {
    let (kinds, configuration_kind): (&[&Kind], &Kind) = match coding {
        Coding::Hevc => (&[b"hvc1", b"hev1"], b"hvcC"),
        Coding::Av1 => (&[b"av01"], b"av1C"),
    };
    let mut descriptions = samples.expect(b"stsd")?;
    descriptions.bytes(8)?;
    let Some(entry) = descriptions.next_box()?.filter(|entry| kinds.contains(&&entry.kind)) else {
        return Ok(None);
    };
    let mut entry = entry.body;
    // What all entries have, and what those of pictures have before and behind the sides.
    entry.bytes(8 + 16)?;
    let (width, height) = (u32::from(entry.u16()?), u32::from(entry.u16()?));
    entry.bytes(50)?;
    let configuration = entry.expect(configuration_kind)?.range();
    let (first_bytes, frames) = sizes(samples.expect(b"stsz")?)?;
    let start = match samples.find(b"stco")? {
        Some(chunks) => first_chunk(chunks, 4)?,
        None => first_chunk(samples.expect(b"co64")?, 8)?,
    };
    if width == 0 || height == 0 || frames == 0 {
        return Err(Error::Malformed("a sequence is empty"));
    }
    let end = start.checked_add(first_bytes as usize).ok_or(Error::Malformed("a sequence lies nowhere"))?;
    let is_grey = is_grey(file.get(configuration.clone()).unwrap_or_default(), coding);
    let part = Part { configuration, extents: std::iter::once(start..end).collect() };
    Ok(Some(Track { picture: Picture::of_part(width, height, part, is_grey), frames }))
}

/// How long the first sample is, and how many there are.
fn sizes(mut body: Reader<'_>) -> Result<(u32, u32), Error> {
    body.version()?;
    let (all, count) = (body.u32()?, body.u32()?);
    let first = if all == 0 && count > 0 { body.u32()? } else { all };
    Ok((first, count))
}

fn first_chunk(mut body: Reader<'_>, bytes: usize) -> Result<usize, Error> {
    body.version()?;
    body.u32()?;
    usize::try_from(body.number(bytes)?).map_err(|_| Error::Malformed("a sequence lies nowhere"))
}
