//! What a PNG says of its colours by numbers rather than by a profile (PNG specification, third edition, sections 11.3.2
//! and 4.3), and a HEIC or AVIF.
//!
//! gAMA is honoured, as browsers do, and cHRM together with it. A gAMA within 5 % of 1/2.2 is how writers say sRGB, whose
//! curve is then used: the pure power differs from it in the dark, where nobody meant it to. Of codes (ITU-T H.273) all that
//! photographs have is honoured, high dynamic range (PQ, HLG) too.

use std::sync::Arc;

use super::Converter;
use super::curve::{Curve, srgb_to_light};
use super::hdr::{Hdr, Transfer};
use super::shaper::Shaper;

/// gAMA's unit, and cHRM's.
const SCALE: f64 = 100_000.0;
const SRGB_EXPONENT: f64 = 1.0 / 2.2;
const TOLERANCE: f64 = 0.05;

const D65: [f64; 2] = [0.312_7, 0.329_0];

pub(super) fn gamma(exponent: u32, chromaticities: Option<&[u32; 8]>) -> Option<Converter> {
    let exponent = f64::from(exponent) / SCALE;
    if !(0.01..=10.0).contains(&exponent) {
        return None;
    }
    let curve = if (exponent / SRGB_EXPONENT - 1.0).abs() <= TOLERANCE {
        Curve::sample(srgb_to_light)
    } else {
        Curve::sample(|value| libm::pow(value, 1.0 / exponent))
    };
    let shaper = match chromaticities {
        None => Shaper::with_curve(curve),
        Some(values) => {
            let [wx, wy, rx, ry, gx, gy, bx, by] = values.map(|value| f64::from(value) / SCALE);
            Shaper::with_chromaticities(curve, [[wx, wy], [rx, ry], [gx, gy], [bx, by]])?
        }
    };
    Some(Converter::shaped(shaper))
}

pub(super) fn codes(primaries: u8, transfer: u8) -> Option<Converter> {
    let chromaticities = chromaticities(primaries)?;
    let curve = match transfer {
        16 => return Some(Converter::Hdr(Arc::new(Hdr::new(Transfer::Pq, chromaticities)?))),
        18 => return Some(Converter::Hdr(Arc::new(Hdr::new(Transfer::Hlg, chromaticities)?))),
        // BT.709 and its kin are shown on displays of the power 2.4, but stills that say so mean sRGB.
        1 | 6 | 13 | 14 | 15 => Curve::sample(srgb_to_light),
        4 => Curve::sample(|value| libm::pow(value, 2.2)),
        5 => Curve::sample(|value| libm::pow(value, 2.8)),
        8 => Curve::sample(|value| value),
        _ => return None,
    };
    Some(Converter::shaped(Shaper::with_chromaticities(curve, chromaticities)?))
}

/// Of white, red, green and blue.
const fn chromaticities(primaries: u8) -> Option<[[f64; 2]; 4]> {
    let [red, green, blue] = match primaries {
        1 => [[0.64, 0.33], [0.30, 0.60], [0.15, 0.06]],
        5 => [[0.64, 0.33], [0.29, 0.60], [0.15, 0.06]],
        6 | 7 => [[0.63, 0.34], [0.31, 0.595], [0.155, 0.07]],
        9 => [[0.708, 0.292], [0.17, 0.797], [0.131, 0.046]],
        11 | 12 => [[0.68, 0.32], [0.265, 0.69], [0.15, 0.06]],
        _ => return None,
    };
    // The white of cinema (11) is greener; adapted, it is white all the same.
    let white = if primaries == 11 { [0.314, 0.351] } else { D65 };
    Some([white, red, green, blue])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(converter: &Converter, grey: f32) -> u8 {
        let mut rgba = Vec::new();
        converter.store(&[[grey, grey, grey, 255.0]], &mut rgba);
        rgba[0]
    }

    #[test]
    fn the_usual_gamma_is_srgb() {
        for exponent in [45_455, 45_000, 46_000] {
            assert!(matches!(gamma(exponent, None), Some(Converter::Srgb)), "{exponent}");
        }
        let srgb = [31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000];
        assert!(matches!(gamma(45_455, Some(&srgb)), Some(Converter::Srgb)));
    }

    #[test]
    fn other_gammas_are_converted() {
        // Linear light: half of it is 188 in sRGB.
        assert_eq!(stored(&gamma(100_000, None).unwrap(), 127.5), 188);
        // Macintosh's old 1.8.
        assert_eq!(stored(&gamma(55_556, None).unwrap(), 128.0), 146);
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(gamma(0, None).is_none());
        assert!(gamma(u32::MAX, None).is_none());
        assert!(gamma(45_455, Some(&[0; 8])).is_none());
        assert!(codes(1, 17).is_none() && codes(9, 3).is_none() && codes(255, 13).is_none());
    }

    #[test]
    fn codes_for_srgb_change_nothing_and_those_for_p3_do() {
        assert!(matches!(codes(1, 13), Some(Converter::Srgb)));
        assert!(matches!(codes(12, 13), Some(Converter::Shaped(_))));
        assert!(matches!(codes(9, 16), Some(Converter::Hdr(_))));
    }
}
