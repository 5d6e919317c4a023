//! Items: what the `meta` box says of the pieces of a file. Where their bytes are, what kind they are, and which belong together.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::boxes::{Kind, Reader};
use crate::error::Error;
use crate::properties::Properties;

/// All of a `meta` box that concerns us.
#[derive(Clone, Debug)]
pub(crate) struct Items {
    /// The one that is shown.
    pub(crate) primary: u32,
    pub(crate) properties: Properties,
    kinds: BTreeMap<u32, Kind>,
    locations: BTreeMap<u32, Location>,
    references: Vec<Reference>,
    /// The body of `idat`.
    inline: Option<Range<usize>>,
}

/// Which items an item refers to, and as what.
#[derive(Clone, Debug)]
struct Reference {
    kind: Kind,
    from: u32,
    to: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Location {
    /// 0: of the file; 1: of `idat`.
    method: u16,
    /// First byte, number of bytes; 0 bytes are all that follow.
    extents: Vec<(u64, u64)>,
}

impl Items {
    /// Of the body of `meta`; `None` where it has no primary item.
    pub(crate) fn read(mut meta: Reader<'_>) -> Result<Option<Self>, Error> {
        meta.version()?;
        let Some(mut primary) = meta.find(b"pitm")? else { return Ok(None) };
        let primary = if primary.version()?.0 == 0 { u32::from(primary.u16()?) } else { primary.u32()? };
        Ok(Some(Self {
            primary,
            properties: Properties::read(meta.expect(b"iprp")?)?,
            kinds: kinds(meta.expect(b"iinf")?)?,
            locations: locations(meta.expect(b"iloc")?)?,
            references: meta.find(b"iref")?.map_or(Ok(Vec::new()), references)?,
            inline: meta.find(b"idat")?.map(|body| body.range()),
        }))
    }

    pub(crate) fn kind(&self, item: u32) -> Result<Kind, Error> {
        self.kinds.get(&item).copied().ok_or(Error::Malformed("an item is missing"))
    }

    /// What an item refers to as `kind`.
    pub(crate) fn referred(&self, kind: &Kind, from: u32) -> &[u32] {
        let found =
            self.references.iter().find(|reference| reference.kind == *kind && reference.from == from);
        found.map_or(&[], |reference| &reference.to)
    }

    /// Who refers to an item as `kind`.
    pub(crate) fn referring<'a>(&'a self, kind: &'a Kind, to: u32) -> impl Iterator<Item = u32> + 'a {
        let refers = move |reference: &&Reference| reference.kind == *kind && reference.to.contains(&to);
        self.references.iter().filter(refers).map(|reference| reference.from)
    }

    /// Where the bytes of an item are; ranges may go on behind the end of the file.
    pub(crate) fn extents(&self, item: u32) -> Result<Vec<Range<usize>>, Error> {
        let location = self.locations.get(&item).ok_or(Error::Malformed("an item has no place"))?;
        let base = match location.method {
            0 => 0..usize::MAX,
            1 => self.inline.clone().ok_or(Error::Malformed("an item has no place"))?,
            _ => return Err(Error::Unsupported("an item made of other items")),
        };
        let place = |&(first, length): &(u64, u64)| {
            let first = usize::try_from(first).ok()?.checked_add(base.start)?;
            let end = match length {
                0 => base.end,
                length => first.checked_add(usize::try_from(length).ok()?)?,
            };
            Some(first..end).filter(|range| range.start <= range.end && range.end <= base.end)
        };
        let ranges: Option<Vec<_>> = location.extents.iter().map(place).collect();
        ranges.ok_or(Error::Malformed("an item lies nowhere"))
    }
}

fn kinds(mut body: Reader<'_>) -> Result<BTreeMap<u32, Kind>, Error> {
    let (version, _) = body.version()?;
    body.number(if version == 0 { 2 } else { 4 })?;
    let mut kinds = BTreeMap::new();
    while let Some(entry) = body.next_box()? {
        let mut entry_body = entry.body;
        if entry.kind != *b"infe" {
            continue;
        }
        let (version, _) = entry_body.version()?;
        let item = match version {
            2 => u32::from(entry_body.u16()?),
            3 => entry_body.u32()?,
            _ => continue,
        };
        // How it is protected.
        entry_body.u16()?;
        kinds.insert(item, entry_body.kind()?);
    }
    Ok(kinds)
}

fn locations(mut body: Reader<'_>) -> Result<BTreeMap<u32, Location>, Error> {
    let (version, _) = body.version()?;
    if version > 2 {
        return Err(Error::Unsupported("a newer kind of iloc box"));
    }
    let sizes = body.u16()?;
    let size = |shift: u16| usize::from(sizes >> shift & 0xF).min(8);
    let (offset_size, length_size, base_size) = (size(12), size(8), size(4));
    let index_size = if version == 0 { 0 } else { size(0) };
    let count = body.number(if version < 2 { 2 } else { 4 })?;
    let mut locations = BTreeMap::new();
    for _ in 0..count {
        let item = if version < 2 { u32::from(body.u16()?) } else { body.u32()? };
        let method = if version == 0 { 0 } else { body.u16()? & 0xF };
        // Where the data are: in this file is 0.
        if body.u16()? != 0 {
            return Err(Error::Unsupported("an item in another file"));
        }
        let base = body.number(base_size)?;
        let mut extents = Vec::new();
        for _ in 0..body.u16()? {
            body.number(index_size)?;
            let offset = body.number(offset_size)?;
            extents.push((base.saturating_add(offset), body.number(length_size)?));
            if offset_size + length_size == 0 && extents.len() > 1 {
                return Err(Error::Malformed("an item has parts without a place"));
            }
        }
        locations.insert(item, Location { method, extents });
    }
    Ok(locations)
}

fn references(mut body: Reader<'_>) -> Result<Vec<Reference>, Error> {
    let (version, _) = body.version()?;
    let mut references = Vec::new();
    while let Some(found) = body.next_box()? {
        let mut entry = found.body;
        let id = |entry: &mut Reader<'_>| entry.number(if version == 0 { 2 } else { 4 });
        let from = id(&mut entry)?;
        let mut to = Vec::new();
        for _ in 0..entry.u16()? {
            to.push(u32::try_from(id(&mut entry)?).unwrap_or(u32::MAX));
        }
        let from = u32::try_from(from).unwrap_or(u32::MAX);
        references.push(Reference { kind: found.kind, from, to });
    }
    Ok(references)
}
