//! Properties of items: `ipco` holds them, `ipma` says whose they are.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::boxes::{Boxed, Kind, Reader};
use crate::error::Error;
use crate::image::Nclx;
use crate::transform::{CleanAperture, Fraction};

/// Of one item; many items may have the same ones, so that each is looked at often.
const MOST_PROPERTIES: usize = 255;

/// One property, as far as it concerns us.
#[derive(Clone, Debug)]
pub(crate) enum Property {
    /// `hvcC`, `av1C`: the body of the box.
    Configuration {
        kind: Kind,
        body: Range<usize>,
    },
    /// `ispe`: sides in pixels.
    Extents {
        width: u32,
        height: u32,
    },
    /// `colr` with a profile.
    Profile(Range<usize>),
    /// `colr` with numbers.
    Nclx(Nclx),
    /// `auxC`: what the picture is an auxiliary of another for; its words.
    Auxiliary(Range<usize>),
    Rotation(u8),
    Mirror {
        left_and_right: bool,
    },
    Aperture(CleanAperture),
    /// Of another kind, without which the picture can be shown.
    Other,
}

/// Whose property which one is, and whether it may be left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Association {
    /// Counted from 1 on; 0 is none.
    index: u16,
    is_essential: bool,
}

/// All properties of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Properties {
    all: Vec<Property>,
    of_items: BTreeMap<u32, Vec<Association>>,
}

impl Properties {
    /// Of the body of `iprp`.
    pub(crate) fn read(mut body: Reader<'_>) -> Result<Self, Error> {
        let mut properties = Self::default();
        while let Some(found) = body.next_box()? {
            match &found.kind {
                b"ipco" => {
                    let mut container = found.body;
                    while let Some(property) = container.next_box()? {
                        properties.all.push(read(property)?);
                    }
                }
                b"ipma" => properties.associate(found.body)?,
                _ => {}
            }
        }
        Ok(properties)
    }

    /// Those of an item, in the order that the file gives.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where one that must not be left out is unknown.
    pub(crate) fn of(&self, item: u32) -> Result<Vec<&Property>, Error> {
        let associations = self.of_items.get(&item).map_or(&[][..], Vec::as_slice);
        let mut found = Vec::with_capacity(associations.len());
        for association in associations.iter().filter(|association| association.index > 0) {
            let index = usize::from(association.index - 1);
            match self.all.get(index).ok_or(Error::Malformed("a property is missing"))? {
                Property::Other if association.is_essential => {
                    return Err(Error::Unsupported("a property that the image can't be shown without"));
                }
                property => found.push(property),
            }
        }
        Ok(found)
    }

    fn associate(&mut self, mut body: Reader<'_>) -> Result<(), Error> {
        let (version, flags) = body.version()?;
        for _ in 0..body.u32()? {
            let item = if version < 1 { u32::from(body.u16()?) } else { body.u32()? };
            let associations = self.of_items.entry(item).or_default();
            for _ in 0..body.u8()? {
                let (index, essential_bit) =
                    if flags & 1 == 1 { (body.u16()?, 0x8000) } else { (u16::from(body.u8()?), 0x80) };
                let is_essential = index & essential_bit != 0;
                if associations.len() >= MOST_PROPERTIES {
                    return Err(Error::Malformed("an item has too many properties"));
                }
                associations.push(Association { index: index & !essential_bit, is_essential });
            }
        }
        Ok(())
    }
}

fn read(Boxed { kind, mut body, .. }: Boxed<'_>) -> Result<Property, Error> {
    Ok(match &kind {
        b"hvcC" | b"av1C" => Property::Configuration { kind, body: body.range() },
        b"ispe" => {
            body.version()?;
            Property::Extents { width: body.u32()?, height: body.u32()? }
        }
        b"colr" => match &body.kind()? {
            b"prof" | b"rICC" => Property::Profile(body.range()),
            b"nclx" => Property::Nclx(Nclx {
                primaries: code(body.u16()?),
                transfer: code(body.u16()?),
                matrix: code(body.u16()?),
                full_range: body.u8()? & 0x80 != 0,
            }),
            _ => Property::Other,
        },
        b"auxC" => {
            body.version()?;
            Property::Auxiliary(body.range())
        }
        b"irot" => Property::Rotation(body.u8()? & 3),
        b"imir" => Property::Mirror { left_and_right: body.u8()? & 1 == 1 },
        b"clap" => {
            let mut size = || Fraction::new(body.u32()?.cast_signed(), body.u32()?);
            Property::Aperture(CleanAperture {
                width: size()?,
                height: size()?,
                across: size()?,
                down: size()?,
            })
        }
        _ => Property::Other,
    })
}

/// A number of ITU-T H.273; what is beyond its table is unspecified.
fn code(number: u16) -> u8 {
    u8::try_from(number).unwrap_or(Nclx::UNSPECIFIED)
}
