//! Reduced scales against the general decoder's full size: the mean of the pixels that each reduced one stands for. At 1/8 luma
//! is that mean; the 2- and 4-point transforms are sharper than a mean, and that is the larger part of the distance.

use crate::pictures::{box_average, encode, psnr};
use jpeg_encoder::SamplingFactor;
use thumbs_jpeg::{Decoder, Limits, Scale};

fn distance_db(sampling: SamplingFactor, progressive: bool, scale: Scale) -> f64 {
    let (width, height) = (397, 283);
    let file = encode((width, height), sampling, progressive, 85);
    let full = jpeg_decoder::Decoder::new(file.as_slice()).decode().unwrap();
    let reference = box_average(&full, width, 3, 8 / scale.block_side() as usize);
    let image = Decoder::new(&file).unwrap().decode(scale, &Limits::default()).unwrap();
    assert_eq!((image.width, image.height), (scale.reduced(397), scale.reduced(283)));
    psnr(&image.pixels, &reference)
}

#[test]
fn no_scale_is_far_from_the_mean() {
    for progressive in [false, true] {
        for (sampling, bounds) in [
            (SamplingFactor::F_1_1, [45.0, 36.0, 36.0, 50.0]),
            (SamplingFactor::F_2_1, [40.0, 36.0, 36.0, 40.0]),
            (SamplingFactor::F_1_2, [40.0, 36.0, 36.0, 40.0]),
            (SamplingFactor::F_2_2, [40.0, 36.0, 36.0, 40.0]),
            (SamplingFactor::F_4_1, [34.0, 34.0, 34.0, 34.0]),
        ] {
            for (scale, bound) in Scale::ALL.into_iter().zip(bounds) {
                let distance = distance_db(sampling, progressive, scale);
                assert!(
                    distance > bound,
                    "{sampling:?} at {scale:?}, progressive {progressive}: {distance:.1} dB"
                );
            }
        }
    }
}
