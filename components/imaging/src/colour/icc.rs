//! ICC profiles (ICC.1:2022). Parsing and multi-dimensional tables are `moxcms`'s; curves with a matrix, as nearly all
//! photographs have them, are evaluated by our own `shaper`, which is faster for few pixels and rounds alike everywhere.

use std::borrow::Cow;
use std::sync::Arc;

use moxcms::{
    ColorProfile, DataColorSpace, Layout, ParsingOptions, ToneReprCurve, Transform8BitExecutor,
    Transform16BitExecutor, TransformOptions,
};

use super::Converter;
use super::curve::Curve;
use super::shaper::Shaper;
use crate::bytes::be32;
use crate::header::{Colour, Model};
use crate::resample::Pixel;

/// The largest profiles in use are tables for presses, of some 3 MB. A zlib stream of a few bytes may claim far more.
const MAX_PROFILE_BYTES: usize = 8 << 20;

/// A conversion that only a table describes.
pub(crate) struct Table {
    transform: Arc<Transform16BitExecutor>,
    /// The picture is grey.
    grey: bool,
}

/// The bytes of a profile, whole and inflated.
pub(super) fn profile(colour: &Colour<'_>) -> Option<Vec<u8>> {
    match colour {
        Colour::Icc(parts) if parts.iter().map(|part| part.len()).sum::<usize>() <= MAX_PROFILE_BYTES => {
            Some(parts.concat())
        }
        Colour::DeflatedIcc(stream) => {
            miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(stream, MAX_PROFILE_BYTES).ok()
        }
        _ => None,
    }
}

/// `None` where the profile is broken, or not for pictures of this model.
pub(super) fn converter(bytes: &[u8], model: Model) -> Option<Converter> {
    let profile = parse(bytes)?;
    let has_table = profile.lut_a_to_b_perceptual.is_some()
        || profile.lut_a_to_b_colorimetric.is_some()
        || profile.lut_a_to_b_saturation.is_some();
    match (profile.color_space, model) {
        (DataColorSpace::Gray, Model::Grey) if !has_table => {
            let curve = curve(profile.gray_trc.as_ref()?)?;
            // In a profile that connects through Lab the curve gives lightness, not light.
            let to_light =
                if profile.pcs == DataColorSpace::Lab { curve.then(lightness_to_light) } else { curve };
            Some(Converter::shaped(Shaper::with_curve(to_light)))
        }
        // A grey picture in an RGB space is one whose channels are equal.
        (DataColorSpace::Rgb, _) if !has_table => shaper(&profile).map(Converter::shaped),
        (DataColorSpace::Gray, Model::Grey) => table(&profile, true),
        (DataColorSpace::Rgb, _) => table(&profile, false),
        _ => None,
    }
}

/// For inks; `None` where the profile is broken or not for these.
pub(super) fn ink_transform(bytes: &[u8]) -> Option<Arc<Transform8BitExecutor>> {
    let profile = parse(bytes)?;
    if profile.color_space != DataColorSpace::Cmyk {
        return None;
    }
    let srgb = ColorProfile::new_srgb();
    profile.create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgb, TransformOptions::default()).ok()
}

fn parse(bytes: &[u8]) -> Option<ColorProfile> {
    let options = ParsingOptions { max_profile_size: MAX_PROFILE_BYTES, ..ParsingOptions::default() };
    ColorProfile::new_from_slice_with_options(&mended(bytes), options).ok()
}

/// Types of tags as broken programs wrote them by the thousand, and what they stand for: those that `LittleCMS` reads too.
const BROKEN_TYPES: [([u8; 4], [u8; 4]); 2] =
    [([0x17, 0xA5, 0x05, 0xB8], *b"XYZ "), ([0x94, 0x78, 0xEE, 0x00], *b"curv")];

/// The profile with the types that it means.
fn mended(profile: &[u8]) -> Cow<'_, [u8]> {
    /// Where the number of tags stands, before the table of their names, places and lengths.
    const COUNT_AT: usize = 128;
    const ENTRY_BYTES: usize = 12;
    let mut mended = Cow::Borrowed(profile);
    let entries = profile.get(COUNT_AT + 4..).unwrap_or_default().chunks_exact(ENTRY_BYTES);
    let count = be32(profile, COUNT_AT).and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    for entry in entries.take(count) {
        let place = be32(entry, 4).and_then(|place| usize::try_from(place).ok());
        let type_of = |place: usize| Some(place..place.checked_add(4)?);
        let Some(place) = place.and_then(type_of) else { continue };
        let meant = BROKEN_TYPES.iter().find(|(broken, _)| profile.get(place.clone()) == Some(broken));
        if let Some((_, meant)) = meant
            && let Some(stored) = mended.to_mut().get_mut(place)
        {
            stored.copy_from_slice(meant);
        }
    }
    mended
}

/// CIE 1976: L*, here from 0 to 1, to Y.
fn lightness_to_light(lightness: f64) -> f64 {
    let (lightness, knee) = (100.0 * lightness, 8.0);
    if lightness <= knee { lightness * 27.0 / 24_389.0 } else { libm::pow((lightness + 16.0) / 116.0, 3.0) }
}

fn shaper(profile: &ColorProfile) -> Option<Shaper> {
    if !profile.is_matrix_shaper() {
        return None;
    }
    let to_light = [
        curve(profile.red_trc.as_ref()?)?,
        curve(profile.green_trc.as_ref()?)?,
        curve(profile.blue_trc.as_ref()?)?,
    ];
    let (red, green, blue) = (profile.red_colorant, profile.green_colorant, profile.blue_colorant);
    let colorants = [[red.x, green.x, blue.x], [red.y, green.y, blue.y], [red.z, green.z, blue.z]];
    Some(Shaper::with_colorants(to_light, &colorants))
}

/// Curves of types `curv` (sections 10.6) and `para` (10.18).
fn curve(curve: &ToneReprCurve) -> Option<Curve> {
    match curve {
        ToneReprCurve::Lut(points) => match points[..] {
            [] => Some(Curve::sample(|value| value)),
            [power] => {
                let power = f64::from(power) / 256.0;
                Some(Curve::sample(|value| libm::pow(value, power)))
            }
            _ => Some(Curve::sample(|value| interpolated(points, value))),
        },
        ToneReprCurve::Parametric(parameters) => {
            let values: Vec<f64> = parameters.iter().map(|&value| f64::from(value)).collect();
            // Power, slope and offset above `break`; a line below.
            let (g, a, b, c, knee, e, f) = match values[..] {
                [g] => (g, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0),
                [g, a, b] => (g, a, b, 0.0, -b / a, 0.0, 0.0),
                [g, a, b, c] => (g, a, b, 0.0, -b / a, c, c),
                [g, a, b, c, d] => (g, a, b, c, d, 0.0, 0.0),
                [g, a, b, c, d, e, f] => (g, a, b, c, d, e, f),
                _ => return None,
            };
            Some(Curve::sample(|value| {
                if value >= knee { libm::pow((a * value + b).max(0.0), g) + e } else { c * value + f }
            }))
        }
    }
}

/// The curve through evenly spaced points, of which there are at least two.
fn interpolated(points: &[u16], value: f64) -> f64 {
    let last = points.len() - 1;
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let place = value * last as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "value is from 0 to 1")]
    let index = (place as usize).min(last - 1);
    let (Some(&low), Some(&high)) = (points.get(index), points.get(index + 1)) else { return 0.0 };
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let rest = place - index as f64;
    (f64::from(low) + (f64::from(high) - f64::from(low)) * rest) / 65535.0
}

fn table(profile: &ColorProfile, grey: bool) -> Option<Converter> {
    let source = if grey { Layout::Gray } else { Layout::Rgb };
    let srgb = ColorProfile::new_srgb();
    let transform =
        profile.create_transform_16bit(source, &srgb, Layout::Rgb, TransformOptions::default()).ok()?;
    Some(Converter::Table(Arc::new(Table { transform, grey })))
}

impl Table {
    /// The colours of a row, all channels 0 to 255.
    pub(super) fn to_srgb(&self, row: &[Pixel]) -> Vec<[u8; 3]> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "casts of floats saturate"
        )]
        let word = |value: f32| (value * 257.0 + 0.5) as u16;
        let channels = if self.grey { 1 } else { 3 };
        let source: Vec<u16> =
            row.iter().flat_map(|pixel| pixel[..channels].iter().map(|&value| word(value))).collect();
        let mut converted = vec![0; 3 * row.len()];
        if self.transform.transform(&source, &mut converted).is_err() {
            return row.iter().map(|pixel| [pixel[0], pixel[1], pixel[2]].map(super::byte)).collect();
        }
        let byte = |word: u16| ((u32::from(word) * 255 + 32_767) / 65_535) as u8;
        converted.as_chunks::<3>().0.iter().map(|&colour| colour.map(byte)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(converter: &Converter, colour: [f32; 3]) -> [u8; 3] {
        let mut rgba = Vec::new();
        converter.store(&[[colour[0], colour[1], colour[2], 255.0]], &mut rgba);
        [rgba[0], rgba[1], rgba[2]]
    }

    #[test]
    fn the_profile_of_srgb_changes_nothing() {
        let bytes = ColorProfile::new_srgb().encode().unwrap();
        assert!(matches!(converter(&bytes, Model::Rgb), Some(Converter::Srgb)));
    }

    #[test]
    fn our_conversion_agrees_with_that_of_moxcms() {
        for profile in
            [ColorProfile::new_display_p3(), ColorProfile::new_adobe_rgb(), ColorProfile::new_bt2020()]
        {
            let bytes = profile.encode().unwrap();
            let ours = converter(&bytes, Model::Rgb).unwrap();
            assert!(matches!(ours, Converter::Shaped(_)));
            let theirs = table(&parse(&bytes).unwrap(), false).unwrap();
            for red in (0..=255u8).step_by(17) {
                for green in (0..=255u8).step_by(17) {
                    for blue in (0..=255u8).step_by(51) {
                        let colour = [red, green, blue].map(f32::from);
                        let (ours, theirs) = (stored(&ours, colour), stored(&theirs, colour));
                        let apart = ours.iter().zip(theirs).map(|(a, b)| a.abs_diff(b)).max().unwrap();
                        // Theirs has 13 bits after the point, which shows in the dark.
                        assert!(apart <= 3, "{colour:?}: {ours:?}, not {theirs:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn grey_profiles_are_for_grey_pictures() {
        let bytes = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
        let grey = converter(&bytes, Model::Grey).unwrap();
        assert_eq!(stored(&grey, [127.5; 3]), [188; 3]);
        assert!(converter(&bytes, Model::Rgb).is_none());
    }

    /// A grey value, and what LittleCMS 2.19 (relative colorimetric, to sRGB) makes of it where the curve is the power 1 or 2.
    const LITTLE_CMS: [(u8, u8, u8); 10] = [
        (0, 0, 0),
        (5, 7, 0),
        (10, 14, 1),
        (20, 23, 2),
        (50, 47, 14),
        (100, 92, 39),
        (128, 119, 60),
        (150, 141, 81),
        (200, 194, 149),
        (255, 255, 255),
    ];

    #[test]
    fn a_grey_profile_that_connects_through_lab_gives_lightness() {
        let through_lab = |power| {
            let mut bytes = ColorProfile::new_gray_with_gamma(power).encode().unwrap();
            bytes[20..24].copy_from_slice(b"Lab ");
            converter(&bytes, Model::Grey).unwrap()
        };
        for (grey, linear, squared) in LITTLE_CMS {
            for (converter, expected) in [(through_lab(1.0), linear), (through_lab(2.0), squared)] {
                let [level, ..] = stored(&converter, [f32::from(grey); 3]);
                assert!(level.abs_diff(expected) <= 1, "{grey}: {level}, not {expected}");
            }
        }
    }

    #[test]
    fn types_that_broken_programs_wrote_are_taken_for_what_they_mean() {
        let whole = ColorProfile::new_adobe_rgb().encode().unwrap();
        let expected = stored(&converter(&whole, Model::Rgb).unwrap(), [200.0, 100.0, 50.0]);
        let mut broken = whole.clone();
        let mut replaced = 0;
        for (code, meant) in BROKEN_TYPES {
            for place in (128..whole.len() - 8).filter(|&place| whole[place..].starts_with(&meant)) {
                // A type is followed by four zeros, a name by where its data are.
                if whole[place + 4..place + 8] == [0; 4] {
                    broken[place..place + 4].copy_from_slice(&code);
                    replaced += 1;
                }
            }
        }
        assert!(replaced >= 4, "only {replaced} types were there to be broken");
        assert!(ColorProfile::new_from_slice(&broken).map_or(true, |profile| !profile.is_matrix_shaper()));
        assert_eq!(stored(&converter(&broken, Model::Rgb).unwrap(), [200.0, 100.0, 50.0]), expected);
    }

    #[test]
    fn inflating_stops_at_the_limit() {
        let bomb = miniz_oxide::deflate::compress_to_vec_zlib(&vec![0; MAX_PROFILE_BYTES + 1], 1);
        assert_eq!(profile(&Colour::DeflatedIcc(&bomb)), None);
    }

    #[test]
    fn a_damaged_profile_is_refused_and_does_no_harm() {
        let whole = ColorProfile::new_display_p3().encode().unwrap();
        for length in 0..whole.len() {
            let _ = converter(&whole[..length], Model::Rgb);
        }
        for index in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[index] ^= 0xFF;
            if let Some(converter) = converter(&damaged, Model::Rgb) {
                stored(&converter, [200.0, 100.0, 50.0]);
            }
        }
    }
}
