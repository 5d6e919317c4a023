//! Cyan, magenta, yellow and black, 0 to 255 of ink each, as in JPEGs made for print.

use std::sync::Arc;

use moxcms::Transform8BitExecutor;

use super::icc;
use crate::header::Colour;

/// What turns inks into RGB.
#[derive(Clone)]
pub(crate) struct Inks {
    /// Without one, inks are taken as ideal: each takes away its share of the light.
    transform: Option<Arc<Transform8BitExecutor>>,
    profile_ignored: bool,
}

impl Inks {
    pub(crate) fn new(colour: &Colour<'_>) -> Self {
        let transform = icc::profile(colour).and_then(|bytes| icc::ink_transform(&bytes));
        let profile_ignored = transform.is_none() && *colour != Colour::Srgb;
        Self { transform, profile_ignored }
    }

    /// A profile was there that could not be used.
    pub(crate) const fn profile_ignored(&self) -> bool {
        self.profile_ignored
    }

    /// 3 bytes for every 4.
    pub(crate) fn to_rgb(&self, cmyk: &[u8]) -> Vec<u8> {
        let pixels = cmyk.as_chunks::<4>().0;
        if let Some(transform) = &self.transform {
            let mut rgb = vec![0; 3 * pixels.len()];
            if transform.transform(pixels.as_flattened(), &mut rgb).is_ok() {
                return rgb;
            }
        }
        ideal(pixels)
    }
}

fn ideal(pixels: &[[u8; 4]]) -> Vec<u8> {
    let light = |ink: u8, black: u8| {
        let product = u32::from(255 - ink) * u32::from(255 - black);
        ((product + 127) / 255) as u8
    };
    pixels
        .iter()
        .flat_map(|&[cyan, magenta, yellow, black]| [cyan, magenta, yellow].map(|ink| light(ink, black)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ideal_inks_take_away_their_share() {
        let inks = Inks::new(&Colour::Srgb);
        let rgb = inks.to_rgb(&[0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255, 0, 128, 255, 128]);
        assert_eq!(rgb, [255, 255, 255, 0, 255, 255, 0, 0, 0, 127, 63, 0]);
        assert!(!inks.profile_ignored());
    }

    #[test]
    fn a_profile_for_something_else_is_ignored() {
        let srgb = moxcms::ColorProfile::new_srgb().encode().unwrap();
        let inks = Inks::new(&Colour::Icc(vec![&srgb]));
        assert_eq!(inks.to_rgb(&[255, 0, 0, 0]), [0, 255, 255]);
        assert!(inks.profile_ignored());
    }
}
