//! The files of `tests/fixtures` and small helpers on pixels.

use std::{fs, num::NonZeroU32, path::PathBuf};

use thumbs_webp::{Decoder, Image, Layout, Limits};

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The bytes of `<name>.webp`.
pub(crate) fn read(name: &str) -> Vec<u8> {
    fs::read(directory().join(name).with_extension("webp")).unwrap()
}

/// Name and bytes of every fixture, by name.
pub(crate) fn all() -> Vec<(String, Vec<u8>)> {
    let mut names: Vec<String> = fs::read_dir(directory())
        .unwrap()
        .filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".webp")?.to_owned()))
        .collect();
    names.sort();
    assert!(names.len() > 40, "fixtures are missing");
    names.into_iter().map(|name| (name.clone(), read(&name))).collect()
}

/// One line of `expected.txt`.
pub(crate) struct Expected {
    pub(crate) name: String,
    pub(crate) frame: usize,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) layout: Layout,
    pub(crate) digest: u64,
}

/// What libwebp makes of the fixtures.
pub(crate) fn expected() -> Vec<Expected> {
    let text = fs::read_to_string(directory().join("expected.txt")).unwrap();
    text.lines()
        .map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            Expected {
                name: fields[0].to_owned(),
                frame: fields[1].parse().unwrap(),
                width: fields[2].parse().unwrap(),
                height: fields[3].parse().unwrap(),
                layout: if fields[4] == "RGBA" { Layout::Rgba8 } else { Layout::Rgb8 },
                digest: u64::from_str_radix(fields[5], 16).unwrap(),
            }
        })
        .collect()
}

/// FNV-1a, 64 bits.
pub(crate) fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |digest, &byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

pub(crate) fn shrink(factor: u32) -> NonZeroU32 {
    NonZeroU32::new(factor).unwrap()
}

pub(crate) fn decode(bytes: &[u8], factor: u32) -> Image {
    Decoder::new(bytes).unwrap().decode_still(shrink(factor), &Limits::default()).unwrap()
}

/// A generator of noise without a pattern, the same in every run.
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    pub(crate) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    /// 0 where `end` is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.next() as usize % end.max(1)
    }
}
