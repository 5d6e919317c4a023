//! A file: its picture, and what goes with it.

use crate::boxes::{Reader, brand};
use crate::error::Error;
use crate::image::{Alpha, Coding, Picture};
use crate::items::Items;
use crate::properties::Property;
use crate::sequence;

/// What is an alpha, by the words of its property.
const ALPHA: [&[u8]; 2] = [b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1"];

/// More are not looked at; cameras write one or two.
const MOST_THUMBNAILS: usize = 16;

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heif {
    /// Of all its pictures.
    pub coding: Coding,
    /// The one that is shown.
    pub picture: Picture,
    /// Of `picture`.
    pub alpha: Option<Alpha>,
    /// The same picture, smaller; the first few of them.
    pub thumbnails: Vec<Picture>,
    /// Of a sequence, which `picture` is one of; else 1.
    pub frames: u32,
    /// The file ends before its own end.
    pub is_cut: bool,
}

/// Reads the boxes of a file.
///
/// # Errors
/// Any; see [`Error`].
pub fn read(file: &[u8]) -> Result<Heif, Error> {
    let coding = brand(file).ok_or(Error::NotHeif)?;
    let mut boxes = Reader::new(file);
    let (mut meta, mut movie, mut is_cut) = (None, None, false);
    while let Ok(Some(found)) = boxes.next_box() {
        is_cut |= found.is_cut;
        match &found.kind {
            b"meta" if meta.is_none() => meta = Some(found.body),
            b"moov" if movie.is_none() => movie = Some(found.body),
            _ => {}
        }
    }
    let track = movie.map(|movie| sequence::read(file, &movie, coding)).transpose()?.flatten();
    let frames = track.as_ref().map_or(1, |track| track.frames);
    let Some(items) = meta.map(Items::read).transpose()?.flatten() else {
        let track = track.ok_or(Error::Malformed("there is no picture in it"))?;
        let (picture, alpha) = (track.picture, None);
        return Ok(Heif { coding, picture, alpha, thumbnails: Vec::new(), frames, is_cut });
    };
    let picture = Picture::read(file, &items, items.primary, coding)?;
    let alpha = alpha(file, &items, coding)?;
    // One that can't be read is not needed.
    let thumbnails = items
        .referring(b"thmb", items.primary)
        .take(MOST_THUMBNAILS)
        .filter_map(|item| Picture::read(file, &items, item, coding).ok())
        .collect();
    Ok(Heif { coding, picture, alpha, thumbnails, frames, is_cut })
}

fn alpha(file: &[u8], items: &Items, coding: Coding) -> Result<Option<Alpha>, Error> {
    for item in items.referring(b"auxl", items.primary) {
        let properties = items.properties.of(item)?;
        let is_alpha = properties.iter().any(|property| match property {
            Property::Auxiliary(words) => {
                let words = file.get(words.clone()).unwrap_or_default();
                ALPHA.contains(&words.split(|&byte| byte == 0).next().unwrap_or_default())
            }
            _ => false,
        });
        if is_alpha {
            let picture = Picture::read(file, items, item, coding)?;
            let is_premultiplied = items.referred(b"prem", items.primary).contains(&item);
            return Ok(Some(Alpha { picture, is_premultiplied }));
        }
    }
    Ok(None)
}
