//! From resampled values to the bytes of a thumbnail: alpha divided out, colours to sRGB, rounded once.

use crate::resample::Pixel;

/// Appends a row of `R G B A` bytes.
pub(crate) fn store(row: &[Pixel], rgba: &mut Vec<u8>) {
    rgba.extend(row.iter().flat_map(|&pixel| {
        let [red, green, blue, alpha] = pixel;
        let alpha = alpha.clamp(0.0, 255.0);
        if alpha < 0.5 {
            return [0; 4];
        }
        let byte = |value: f32| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "casts of floats saturate"
            )]
            let byte = (value + 0.5) as u8;
            byte
        };
        let cover = 255.0 / alpha;
        [byte(red * cover), byte(green * cover), byte(blue * cover), byte(alpha)]
    }));
}
