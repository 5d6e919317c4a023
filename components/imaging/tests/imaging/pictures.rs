//! Images of every kind a format allows, written byte by byte: encoders write only the kinds they like.

/// A repeatable stream of numbers.
pub(crate) struct Noise(u32);

impl Noise {
    pub(crate) fn new(seed: u32) -> Self {
        Self(seed.wrapping_mul(2_654_435_761) | 1)
    }

    pub(crate) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }
}

/// A PNG of any kind. Rows cycle through the five filters.
#[derive(Clone)]
pub(crate) struct Png {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) depth: u8,
    pub(crate) colour_type: u8,
    pub(crate) interlaced: bool,
    /// Before the pixels: kind and body.
    pub(crate) chunks: Vec<([u8; 4], Vec<u8>)>,
    /// Row-major, channels interleaved.
    pub(crate) samples: Vec<u16>,
}

impl Png {
    /// Noise of few levels, so that palettes and transparent colours are met.
    pub(crate) fn noise(width: u32, height: u32, depth: u8, colour_type: u8, interlaced: bool) -> Self {
        let mut noise = Noise::new(u32::from(depth) * 8 + u32::from(colour_type));
        let most = ((1u32 << depth) - 1) as u16;
        let count = width as usize * height as usize * channels(colour_type);
        let level = |number: u32| ((u32::from(most) * (number % 4) + 1) / 3).min(u32::from(most)) as u16;
        let samples = (0..count).map(|_| level(noise.next())).collect();
        Self { width, height, depth, colour_type, interlaced, chunks: Vec::new(), samples }
    }

    pub(crate) fn with(mut self, kind: &[u8; 4], body: &[u8]) -> Self {
        self.chunks.push((*kind, body.to_vec()));
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut file = b"\x89PNG\r\n\x1A\n".to_vec();
        file.extend(header_chunk(self.width, self.height, self.depth, self.colour_type, self.interlaced));
        for (kind, body) in &self.chunks {
            file.extend(chunk(kind, body));
        }
        let stream = miniz_oxide::deflate::compress_to_vec_zlib(&self.filtered(), 6);
        // Chunks of an odd size, so that their seams lie anywhere.
        for piece in stream.chunks(101) {
            file.extend(chunk(b"IDAT", piece));
        }
        file.extend(chunk(b"IEND", &[]));
        file
    }

    fn filtered(&self) -> Vec<u8> {
        let passes: &[(u32, u32, u32, u32)] = if self.interlaced {
            &[
                (0, 0, 8, 8),
                (4, 0, 8, 8),
                (0, 4, 4, 8),
                (2, 0, 4, 4),
                (0, 2, 2, 4),
                (1, 0, 2, 2),
                (0, 1, 1, 2),
            ]
        } else {
            &[(0, 0, 1, 1)]
        };
        let channels = channels(self.colour_type);
        let bytes_per_pixel = (channels * usize::from(self.depth)).div_ceil(8);
        let mut out = Vec::new();
        for &(left, top, across, down) in passes {
            let mut above = Vec::new();
            for (index, y) in (top..self.height).step_by(down as usize).enumerate() {
                let samples: Vec<u16> = (left..self.width)
                    .step_by(across as usize)
                    .flat_map(|x| {
                        let at = (y as usize * self.width as usize + x as usize) * channels;
                        self.samples[at..at + channels].iter().copied()
                    })
                    .collect();
                if samples.is_empty() {
                    continue;
                }
                let row = packed(&samples, self.depth);
                above.resize(row.len(), 0);
                let filter = (index % 5) as u8;
                out.push(filter);
                out.extend((0..row.len()).map(|at| {
                    let left = |row: &[u8]| at.checked_sub(bytes_per_pixel).map_or(0, |at| row[at]);
                    row[at].wrapping_sub(predicted(filter, left(&row), above[at], left(&above)))
                }));
                above = row;
            }
        }
        out
    }
}

pub(crate) fn header_chunk(width: u32, height: u32, depth: u8, colour_type: u8, interlaced: bool) -> Vec<u8> {
    let rest = [depth, colour_type, 0, 0, u8::from(interlaced)];
    chunk(b"IHDR", &[&width.to_be_bytes()[..], &height.to_be_bytes(), &rest].concat())
}

pub(crate) fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let checked = [&kind[..], body].concat();
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&length[..], &checked, &crc(&checked).to_be_bytes()].concat()
}

pub(crate) const fn channels(colour_type: u8) -> usize {
    match colour_type {
        2 => 3,
        4 => 2,
        6 => 4,
        _ => 1,
    }
}

/// PNG specification, section 9.4.
fn predicted(filter: u8, a: u8, b: u8, c: u8) -> u8 {
    let apart = |from: u8| (i32::from(a) + i32::from(b) - i32::from(c) - i32::from(from)).abs();
    match filter {
        0 => 0,
        1 => a,
        2 => b,
        3 => ((u16::from(a) + u16::from(b)) / 2) as u8,
        _ if apart(a) <= apart(b) && apart(a) <= apart(c) => a,
        _ if apart(b) <= apart(c) => b,
        _ => c,
    }
}

fn packed(samples: &[u16], depth: u8) -> Vec<u8> {
    match depth {
        16 => samples.iter().flat_map(|sample| sample.to_be_bytes()).collect(),
        8 => samples.iter().map(|&sample| sample as u8).collect(),
        _ => samples
            .chunks(usize::from(8 / depth))
            .map(|group| {
                let byte = group.iter().fold(0, |byte, &sample| byte << depth | sample);
                (byte << (usize::from(depth) * (usize::from(8 / depth) - group.len()))) as u8
            })
            .collect(),
    }
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(
            crc ^ u32::from(byte),
            |crc, _| if crc & 1 == 1 { 0xEDB8_8320 ^ crc >> 1 } else { crc >> 1 },
        )
    })
}
