//! The geometry of a picture (T.81, section A.1 and A.2): components, sampling factors, how blocks tile the plane.

use crate::error::Error;

/// What the channels of the file mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColourModel {
    /// One component.
    Grey,
    /// Three components, stored as they are shown.
    Rgb,
    /// Three components: luma and two chroma (BT.601, full range, as JFIF has it).
    YCbCr,
    /// Four components, stored as they are printed.
    Cmyk,
    /// Four components: C, M and Y as luma and chroma, and K.
    Ycck,
}

/// How the frame is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Process {
    /// Baseline or extended sequential.
    Sequential,
    /// Spectral selection and successive approximation.
    Progressive,
}

/// One component of the frame.
///
/// - `1 <= h, v <= 4`, `quant < 4`
/// - `blocks_*` cover the component's own samples, `padded_*` whole MCUs; `padded_* >= blocks_*`
#[derive(Clone, Copy, Debug)]
pub(crate) struct Component {
    /// As scans name it; some files give several components the same.
    pub(crate) id: u8,
    /// Blocks of an interleaved MCU, across and down.
    pub(crate) h: usize,
    pub(crate) v: usize,
    /// The quantisation table's number.
    pub(crate) quant: usize,
    /// Samples at full scale.
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) blocks_across: usize,
    pub(crate) blocks_down: usize,
    pub(crate) padded_across: usize,
    pub(crate) padded_down: usize,
}

/// The picture as its SOF segment states it.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) process: Process,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// 1, 3 or 4.
    pub(crate) components: Vec<Component>,
    pub(crate) h_max: usize,
    pub(crate) v_max: usize,
    pub(crate) mcus_across: usize,
    pub(crate) mcus_down: usize,
}

impl Frame {
    /// From the payload of an SOF0, SOF1 or SOF2 segment.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for 12 bits, two components or a missing height; [`Error::Malformed`] for the rest.
    pub(crate) fn parse(process: Process, payload: &[u8]) -> Result<Self, Error> {
        let &[precision, height_hi, height_lo, width_hi, width_lo, count, ref specs @ ..] = payload else {
            return Err(Error::Malformed("the frame header is too short"));
        };
        if precision != 8 {
            return Err(Error::Unsupported("a JPEG image with other than 8 bits a sample"));
        }
        let height = u32::from(u16::from_be_bytes([height_hi, height_lo]));
        let width = u32::from(u16::from_be_bytes([width_hi, width_lo]));
        if width == 0 {
            return Err(Error::Malformed("the width is 0"));
        }
        if height == 0 {
            return Err(Error::Unsupported("a JPEG image whose height follows its first scan"));
        }
        match count {
            1 | 3 | 4 => {}
            0 => return Err(Error::Malformed("the frame has no components")),
            _ => return Err(Error::Unsupported("a JPEG image with other than 1, 3 or 4 components")),
        }
        if specs.len() != 3 * usize::from(count) {
            return Err(Error::Malformed("the frame header's length is wrong"));
        }
        let mut components: Vec<Component> = Vec::with_capacity(specs.len() / 3);
        for spec in specs.chunks_exact(3) {
            let (id, sampling, quant) = (spec[0], spec[1], usize::from(spec[2]));
            // A single component is never interleaved, so its sampling factors mean nothing.
            let (h, v) =
                if count == 1 { (1, 1) } else { (usize::from(sampling >> 4), usize::from(sampling & 15)) };
            if !(1..=4).contains(&h) || !(1..=4).contains(&v) {
                return Err(Error::Malformed("a sampling factor is not in 1 to 4"));
            }
            if quant > 3 {
                return Err(Error::Malformed("a quantisation table's number is above 3"));
            }
            components.push(Component {
                id,
                h,
                v,
                quant,
                width: 0,
                height: 0,
                blocks_across: 0,
                blocks_down: 0,
                padded_across: 0,
                padded_down: 0,
            });
        }
        let h_max = components.iter().map(|component| component.h).max().unwrap_or(1);
        let v_max = components.iter().map(|component| component.v).max().unwrap_or(1);
        let mcus_across = (width as usize).div_ceil(8 * h_max);
        let mcus_down = (height as usize).div_ceil(8 * v_max);
        for component in &mut components {
            component.width = (width * component.h as u32).div_ceil(h_max as u32);
            component.height = (height * component.v as u32).div_ceil(v_max as u32);
            component.blocks_across = (component.width as usize).div_ceil(8);
            component.blocks_down = (component.height as usize).div_ceil(8);
            component.padded_across = mcus_across * component.h;
            component.padded_down = mcus_down * component.v;
        }
        Ok(Self { process, width, height, components, h_max, v_max, mcus_across, mcus_down })
    }
}

#[cfg(test)]
mod tests {
    use super::{Frame, Process};
    use crate::error::Error;

    fn sof(height: u16, width: u16, specs: &[[u8; 3]]) -> Vec<u8> {
        let mut payload = vec![8];
        payload.extend(height.to_be_bytes());
        payload.extend(width.to_be_bytes());
        payload.push(specs.len() as u8);
        payload.extend(specs.iter().flatten());
        payload
    }

    #[test]
    fn tiles_a_subsampled_picture() {
        let payload = sof(17, 33, &[[1, 0x22, 0], [2, 0x11, 1], [3, 0x11, 1]]);
        let frame = Frame::parse(Process::Sequential, &payload).unwrap();
        assert_eq!((frame.mcus_across, frame.mcus_down), (3, 2));
        let (luma, chroma) = (frame.components[0], frame.components[1]);
        assert_eq!(
            (luma.blocks_across, luma.blocks_down, luma.padded_across, luma.padded_down),
            (5, 3, 6, 4)
        );
        assert_eq!((chroma.width, chroma.height, chroma.blocks_across, chroma.padded_across), (17, 9, 3, 3));
    }

    #[test]
    fn a_single_component_is_never_subsampled() {
        let frame = Frame::parse(Process::Sequential, &sof(17, 33, &[[1, 0x22, 0]])).unwrap();
        assert_eq!((frame.mcus_across, frame.mcus_down), (5, 3));
    }

    #[test]
    fn refuses_what_it_does_not_decode() {
        for (payload, unsupported) in [
            (sof(0, 8, &[[1, 0x11, 0]]), true),
            (sof(8, 0, &[[1, 0x11, 0]]), false),
            (sof(8, 8, &[[1, 0x11, 0], [2, 0x11, 0]]), true),
            (sof(8, 8, &[[1, 0x51, 0], [2, 0x11, 0], [3, 0x11, 0]]), false),
            (sof(8, 8, &[[1, 0x11, 4]]), false),
            (sof(8, 8, &[]), false),
        ] {
            let error = Frame::parse(Process::Sequential, &payload).unwrap_err();
            assert_eq!(matches!(error, Error::Unsupported(_)), unsupported, "{error}");
        }
    }
}
