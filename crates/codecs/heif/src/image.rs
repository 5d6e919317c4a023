//! A picture of a file: the coded pictures that it is put together of, and what is done to them before it is shown.

use std::ops::Range;

use crate::boxes::{Kind, Reader};
use crate::error::Error;
use crate::items::Items;
use crate::properties::Property;
use crate::transform::{Rect, Transform};

/// A part may be larger than the picture, but not much: small pictures in tiles of the usual size.
const USUAL_TILE_SIDE: u32 = 1024;
/// Of all parts of a grid, some of which may be the same item: twice as many as a grid can have parts.
const MOST_EXTENTS: usize = 2 << 16;

/// What pictures are coded in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// ITU-T H.265: HEIC.
    Hevc,
    /// AOMedia Video 1: AVIF.
    Av1,
}

/// What the numbers of a picture mean, by the tables of ITU-T H.273.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nclx {
    /// Colour primaries.
    pub primaries: u8,
    /// Transfer function.
    pub transfer: u8,
    /// From luma and colour differences to red, green and blue.
    pub matrix: u8,
    /// Samples take the whole range of their bits, not that of video.
    pub full_range: bool,
}

impl Nclx {
    /// In each of the three tables.
    pub const UNSPECIFIED: u8 = 2;
}

/// A coded picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The body of its `hvcC` or `av1C`.
    pub configuration: Range<usize>,
    /// Its bytes, one range after the other; they may go on behind the end of the file.
    pub extents: Vec<Range<usize>>,
}

/// A picture: parts of one size in rows, cut off to the right and below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// In pixels, as put together.
    pub width: u32,
    /// In pixels, as put together.
    pub height: u32,
    /// Of each part, in pixels.
    pub part_width: u32,
    /// Of each part, in pixels.
    pub part_height: u32,
    /// Parts beside each other.
    pub columns: u32,
    /// Row by row.
    pub parts: Vec<Part>,
    /// What of it is shown.
    pub crop: Rect,
    /// How it is shown, 1 to 8 as in EXIF.
    pub orientation: u8,
    /// An ICC profile.
    pub profile: Option<Range<usize>>,
    /// Where the file says it; what the coded picture says does not count then.
    pub nclx: Option<Nclx>,
    /// It has no colours.
    pub is_grey: bool,
}

/// How opaque a picture is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alpha {
    /// Its luma is the alpha. Its size may be another than the picture's; `crop` and `orientation` are that picture's.
    pub picture: Picture,
    /// The picture's colours are already multiplied by it.
    pub is_premultiplied: bool,
}

impl Picture {
    /// A single coded picture.
    pub(crate) fn of_part(width: u32, height: u32, part: Part, is_grey: bool) -> Self {
        Self {
            width,
            height,
            part_width: width,
            part_height: height,
            columns: 1,
            parts: vec![part],
            crop: Transform::of(width, height).crop(),
            orientation: 1,
            profile: None,
            nclx: None,
            is_grey,
        }
    }

    pub(crate) fn read(file: &[u8], items: &Items, item: u32, coding: Coding) -> Result<Self, Error> {
        let mut picture = match &items.kind(item)? {
            b"grid" => Self::grid(file, items, item, coding)?,
            _ => Self::single(file, items, item, coding)?,
        };
        let mut transform = Transform::of(picture.width, picture.height);
        for property in items.properties.of(item)? {
            match property {
                Property::Profile(range) => picture.profile = Some(range.clone()),
                Property::Nclx(nclx) => picture.nclx = Some(*nclx),
                Property::Rotation(quarters) => transform.rotate(*quarters),
                Property::Mirror { left_and_right } => transform.mirror(*left_and_right),
                Property::Aperture(aperture) => transform.cut(aperture)?,
                _ => {}
            }
        }
        picture.crop = transform.crop();
        picture.orientation = transform.orientation();
        Ok(picture)
    }

    fn single(file: &[u8], items: &Items, item: u32, coding: Coding) -> Result<Self, Error> {
        let (kinds, configuration_kind): (&[&Kind], &Kind) = match coding {
            Coding::Hevc => (&[b"hvc1", b"hev1"], b"hvcC"),
            Coding::Av1 => (&[b"av01"], b"av1C"),
        };
        if !kinds.contains(&&items.kind(item)?) {
            return Err(Error::Unsupported("a picture of this coding"));
        }
        let (mut sides, mut configuration, mut nclx, mut profile) = (None, None, None, None);
        for property in items.properties.of(item)? {
            match property {
                Property::Extents { width, height } => sides = Some((*width, *height)),
                Property::Configuration { kind, body } if kind == configuration_kind => {
                    configuration = Some(body.clone());
                }
                Property::Nclx(found) => nclx = Some(*found),
                Property::Profile(found) => profile = Some(found.clone()),
                _ => {}
            }
        }
        let (width, height) = sides
            .filter(|&(width, height)| width > 0 && height > 0)
            .ok_or(Error::Malformed("a picture has no size"))?;
        let configuration = configuration.ok_or(Error::Malformed("a picture has no configuration"))?;
        let is_grey = is_grey(file.get(configuration.clone()).unwrap_or_default(), coding);
        let part = Part { configuration, extents: items.extents(item)? };
        Ok(Self { nclx, profile, ..Self::of_part(width, height, part, is_grey) })
    }

    fn grid(file: &[u8], items: &Items, item: u32, coding: Coding) -> Result<Self, Error> {
        let [range] = items.extents(item)?.try_into().map_err(|_| Error::Unsupported("a grid in pieces"))?;
        let bytes = file.get(range).ok_or(Error::Malformed("the file ends before its grid"))?;
        let mut body = Reader::new(bytes);
        let (_version, flags) = (body.u8()?, body.u8()?);
        let (rows, columns) = (u32::from(body.u8()?) + 1, u32::from(body.u8()?) + 1);
        let side = if flags & 1 == 1 { 4 } else { 2 };
        let mut side = || Ok(u32::try_from(body.number(side)?).unwrap_or(u32::MAX));
        let (width, height) = (side()?, side()?);
        let tiles = items.referred(b"dimg", item);
        if tiles.len() != rows as usize * columns as usize {
            return Err(Error::Malformed("a grid has more places than pictures, or fewer"));
        }
        let mut pictures = tiles.iter().map(|&tile| Self::single(file, items, tile, coding));
        let first = pictures.next().ok_or(Error::Malformed("a grid has no pictures"))??;
        let (part_width, part_height) = (first.part_width, first.part_height);
        // Each row and column of pictures is needed, so that there is no more to be decoded than a frame around the picture.
        let fills = |side: u32, part: u32, count: u32| {
            let before_last = u64::from(part) * u64::from(count - 1);
            let side = u64::from(side);
            before_last < side && side <= before_last + u64::from(part)
        };
        if !fills(width, part_width, columns) || !fills(height, part_height, rows) {
            return Err(Error::Malformed("a grid is not filled by its pictures"));
        }
        if part_width > width.max(USUAL_TILE_SIDE) || part_height > height.max(USUAL_TILE_SIDE) {
            return Err(Error::Malformed("the pictures of a grid are larger than it"));
        }
        let mut extents = 0;
        let mut grid = Self { columns, width, height, ..first };
        for picture in pictures {
            let picture = picture?;
            if (picture.part_width, picture.part_height) != (part_width, part_height) {
                return Err(Error::Malformed("the pictures of a grid have different sizes"));
            }
            extents += picture.parts.iter().map(|part| part.extents.len()).sum::<usize>();
            if extents > MOST_EXTENTS {
                return Err(Error::Malformed("the pictures of a grid are in too many pieces"));
            }
            grid.is_grey &= picture.is_grey;
            grid.parts.extend(picture.parts);
        }
        Ok(grid)
    }
}

/// Whether a configuration says that its pictures have no colours.
pub(crate) fn is_grey(configuration: &[u8], coding: Coding) -> bool {
    match coding {
        Coding::Hevc => configuration.get(16).is_some_and(|byte| byte & 3 == 0),
        Coding::Av1 => configuration.get(2).is_some_and(|byte| byte & 0x10 != 0),
    }
}
