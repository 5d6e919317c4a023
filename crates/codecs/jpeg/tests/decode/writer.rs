//! Writes sequential JPEG files from coefficients, in every way the format allows and encoders rarely use.

use crate::fixtures;
use crate::pictures::Random;

/// One component: sampling factors and its blocks, whole MCUs, in coding order of terms.
pub(crate) struct Component {
    pub(crate) h: usize,
    pub(crate) v: usize,
    across: usize,
    blocks: Vec<[i32; 64]>,
}

/// How the same picture is written.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    /// One scan for all components, or one for each.
    pub(crate) interleaved: bool,
    /// MCUs, 0 for none.
    pub(crate) restart_interval: usize,
    /// Leave the Huffman tables out, as Motion-JPEG does.
    pub(crate) omit_huffman: bool,
    /// 16-bit quantisation tables.
    pub(crate) wide_quant: bool,
    /// Fill bytes before markers and stray bytes between segments.
    pub(crate) untidy: bool,
}

impl Style {
    pub(crate) const PLAIN: Self = Self {
        interleaved: true,
        restart_interval: 0,
        omit_huffman: false,
        wide_quant: false,
        untidy: false,
    };
}

/// A picture as coefficients.
pub(crate) struct Source {
    width: usize,
    height: usize,
    pub(crate) components: Vec<Component>,
}

struct Bits {
    out: Vec<u8>,
    acc: u64,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.acc = self.acc << count | u64::from(value);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.acc >> self.count) as u8;
            self.out.push(byte);
            if byte == 0xff {
                self.out.push(0);
            }
        }
    }

    fn align(&mut self) {
        if self.count > 0 {
            self.put((1 << (8 - self.count)) - 1, 8 - self.count);
        }
    }
}

/// Code and length of each symbol.
type Codes = [(u32, u32); 256];

/// The standard's tables, out of a file that has them: class and number, segment, codes.
fn standard_tables() -> Vec<(u8, Vec<u8>, Codes)> {
    let file = fixtures::file("444");
    let mut tables = Vec::new();
    let mut at = 2;
    while file[at + 1] != 0xda {
        let length = usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]));
        if file[at + 1] == 0xc4 {
            let mut rest = &file[at + 4..at + 2 + length];
            while !rest.is_empty() {
                let count: usize = rest[1..17].iter().map(|&count| usize::from(count)).sum();
                let mut codes = [(0, 0); 256];
                let (mut code, mut next) = (0, 17);
                for length in 1..=16 {
                    for _ in 0..rest[length] {
                        codes[usize::from(rest[next])] = (code, length as u32);
                        code += 1;
                        next += 1;
                    }
                    code <<= 1;
                }
                tables.push((rest[0], rest[..17 + count].to_vec(), codes));
                rest = &rest[17 + count..];
            }
        }
        at += 2 + length;
    }
    tables
}

impl Source {
    /// A picture of smooth and busy blocks.
    pub(crate) fn random(width: usize, height: usize, samplings: &[(usize, usize)], seed: u64) -> Self {
        let mut random = Random::new(seed);
        let h_max = samplings.iter().map(|sampling| sampling.0).max().unwrap();
        let v_max = samplings.iter().map(|sampling| sampling.1).max().unwrap();
        let (mcus_across, mcus_down) = (width.div_ceil(8 * h_max), height.div_ceil(8 * v_max));
        let components = samplings
            .iter()
            .map(|&(h, v)| {
                let across = mcus_across * h;
                let blocks = (0..across * mcus_down * v).map(|_| Self::block(&mut random)).collect();
                Component { h, v, across, blocks }
            })
            .collect();
        Self { width, height, components }
    }

    fn block(random: &mut Random) -> [i32; 64] {
        let mut block = [0; 64];
        block[0] = random.below(120) as i32 - 60;
        let busy = [0, 0, 3, 10, 63][random.below(5)];
        for _ in 0..busy {
            let k = 1 + random.below(63);
            let range = 1 + 40 / k;
            block[k] = random.below(2 * range + 1) as i32 - range as i32;
        }
        if busy == 63 {
            // No end-of-block code follows a last term that is not zero.
            block[63] = 1;
        }
        block
    }

    /// As a file.
    pub(crate) fn write(&self, style: Style) -> Vec<u8> {
        let tables = standard_tables();
        let mut out = vec![0xff, 0xd8];
        let segment = |out: &mut Vec<u8>, marker: u8, payload: &[u8]| {
            if style.untidy {
                out.extend([0x77, 0x00, 0xff, 0xff]);
            }
            out.extend([0xff, marker]);
            out.extend((payload.len() as u16 + 2).to_be_bytes());
            out.extend(payload);
        };
        let quant: Vec<u8> = if style.wide_quant {
            std::iter::once(0x10).chain((0..64).flat_map(|k| [0, 4 + k / 2])).collect()
        } else {
            std::iter::once(0).chain((0..64).map(|k| 4 + k / 2)).collect()
        };
        segment(&mut out, 0xdb, &quant);
        let mut frame = vec![8];
        frame.extend((self.height as u16).to_be_bytes());
        frame.extend((self.width as u16).to_be_bytes());
        frame.push(self.components.len() as u8);
        for (id, component) in (1..).zip(&self.components) {
            frame.extend([id, (component.h << 4 | component.v) as u8, 0]);
        }
        segment(&mut out, 0xc0, &frame);
        if !style.omit_huffman {
            for (_, payload, _) in &tables {
                segment(&mut out, 0xc4, payload);
            }
        }
        if style.restart_interval > 0 {
            segment(&mut out, 0xdd, &(style.restart_interval as u16).to_be_bytes());
        }
        let all: Vec<usize> = (0..self.components.len()).collect();
        let scans: Vec<&[usize]> = if style.interleaved { vec![&all] } else { all.chunks(1).collect() };
        for members in scans {
            let mut header = vec![members.len() as u8];
            for &member in members {
                header.extend([member as u8 + 1, if member == 0 { 0x00 } else { 0x11 }]);
            }
            header.extend([0, 63, 0]);
            segment(&mut out, 0xda, &header);
            self.write_scan(&mut out, members, style.restart_interval, &tables);
        }
        if style.untidy {
            out.push(0xff);
        }
        out.extend([0xff, 0xd9]);
        out
    }

    fn write_scan(
        &self,
        out: &mut Vec<u8>,
        members: &[usize],
        interval: usize,
        tables: &[(u8, Vec<u8>, Codes)],
    ) {
        let h_max = self.components.iter().map(|component| component.h).max().unwrap();
        let v_max = self.components.iter().map(|component| component.v).max().unwrap();
        let lone = members.len() == 1;
        let (across, down) = if lone {
            let component = &self.components[members[0]];
            // A frame of one component has no sampling to speak of.
            let (h, v) = if self.components.len() == 1 { (h_max, v_max) } else { (component.h, component.v) };
            ((self.width * h).div_ceil(h_max).div_ceil(8), (self.height * v).div_ceil(v_max).div_ceil(8))
        } else {
            (self.width.div_ceil(8 * h_max), self.height.div_ceil(8 * v_max))
        };
        let mut bits = Bits { out: Vec::new(), acc: 0, count: 0 };
        let mut predictions = [0; 4];
        for mcu in 0..across * down {
            if interval > 0 && mcu > 0 && mcu % interval == 0 {
                bits.align();
                bits.out.extend([0xff, 0xd0 + (mcu / interval - 1) as u8 % 8]);
                predictions = [0; 4];
            }
            for &member in members {
                let component = &self.components[member];
                let (h, v) = if lone { (1, 1) } else { (component.h, component.v) };
                let class = u8::from(member != 0);
                let codes = |class: u8| &tables.iter().find(|table| table.0 == class).unwrap().2;
                for dy in 0..v {
                    for dx in 0..h {
                        let index = (mcu / across * v + dy) * component.across + mcu % across * h + dx;
                        let block = &component.blocks[index];
                        write_block(
                            &mut bits,
                            block,
                            &mut predictions[member],
                            (codes(class), codes(0x10 | class)),
                        );
                    }
                }
            }
        }
        bits.align();
        out.append(&mut bits.out);
    }
}

fn write_block(bits: &mut Bits, block: &[i32; 64], prediction: &mut i32, (dc, ac): (&Codes, &Codes)) {
    let put = |bits: &mut Bits, codes: &Codes, run: u32, value: i32| {
        let size = 32 - value.unsigned_abs().leading_zeros();
        let (code, length) = codes[(run << 4 | size) as usize];
        bits.put(code, length);
        let low = if value < 0 { value - 1 } else { value } as u32 & ((1 << size) - 1);
        bits.put(low, size);
    };
    put(bits, dc, 0, block[0] - *prediction);
    *prediction = block[0];
    let mut run = 0;
    for &term in &block[1..] {
        if term == 0 {
            run += 1;
            continue;
        }
        while run > 15 {
            bits.put(ac[0xf0].0, ac[0xf0].1);
            run -= 16;
        }
        put(bits, ac, run, term);
        run = 0;
    }
    if run > 0 {
        bits.put(ac[0].0, ac[0].1);
    }
}
