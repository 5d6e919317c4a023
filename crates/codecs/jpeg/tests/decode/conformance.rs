//! The right pixels, whatever way the file is coded.

use crate::fixtures;
use crate::pictures::psnr;
use crate::writer::{Source, Style};
use thumbs_jpeg::{ColourModel, Decoder, Image, Limits, PixelFormat, Scale};

fn decode(file: &[u8], scale: Scale) -> Image {
    Decoder::new(file).unwrap().decode(scale, &Limits::default()).unwrap()
}

fn assert_same_pixels(a: &[u8], b: &[u8], what: &str) {
    for scale in Scale::ALL {
        let (a, b) = (decode(a, scale), decode(b, scale));
        assert!(!a.outcome.damaged && !b.outcome.damaged, "{what} at {scale:?}");
        assert!(a.pixels == b.pixels, "{what} at {scale:?}");
    }
}

#[test]
fn full_size_is_libjpegs_byte_for_byte() {
    for (name, file, digest) in fixtures::ALL {
        let image = decode(file, Scale::Full);
        assert_eq!(fixtures::fnv(&image.pixels), digest, "{name}");
        assert!(!image.outcome.damaged && image.outcome.rows_decoded == image.height, "{name}");
    }
}

#[test]
fn progressive_is_sequential_at_every_scale() {
    for name in ["444", "422", "420", "420-restarts", "420-optimised", "grey", "cmyk"] {
        assert_same_pixels(fixtures::file(name), fixtures::file(&format!("{name}-progressive")), name);
    }
}

#[test]
fn one_picture_in_many_ways() {
    let samplings: [&[(usize, usize)]; 12] = [
        &[(1, 1)],
        &[(2, 2)],
        &[(1, 1), (1, 1), (1, 1)],
        &[(2, 1), (1, 1), (1, 1)],
        &[(1, 2), (1, 1), (1, 1)],
        &[(2, 2), (1, 1), (1, 1)],
        &[(4, 1), (1, 1), (1, 1)],
        &[(3, 2), (1, 1), (1, 2)],
        &[(1, 1), (2, 2), (2, 1)],
        &[(2, 2), (2, 1), (1, 2)],
        &[(2, 2), (1, 1), (1, 1), (2, 2)],
        &[(1, 1), (1, 1), (1, 1), (1, 1)],
    ];
    for (seed, sampling) in (0..).zip(samplings) {
        for (width, height) in [(1, 1), (7, 33), (64, 48), (121, 70)] {
            // A lone component's sampling is ignored by the decoder, so its blocks are written as if it were 1x1.
            let sampling = if sampling.len() == 1 { &[(1, 1)] } else { sampling };
            let source = Source::random(width, height, sampling, seed);
            let plain = source.write(Style::PLAIN);
            for (style, what) in [
                (Style { interleaved: false, ..Style::PLAIN }, "a scan for each component"),
                (Style { restart_interval: 1, ..Style::PLAIN }, "a restart after each MCU"),
                (Style { restart_interval: 5, ..Style::PLAIN }, "a restart after five MCUs"),
                (Style { restart_interval: 3, interleaved: false, ..Style::PLAIN }, "scans with restarts"),
                (Style { omit_huffman: true, ..Style::PLAIN }, "standard Huffman tables left out"),
                (Style { wide_quant: true, ..Style::PLAIN }, "16-bit quantisation tables"),
                (Style { untidy: true, ..Style::PLAIN }, "fill and stray bytes"),
            ] {
                let what = format!("{what}, {sampling:?}, {width}x{height}");
                assert_same_pixels(&plain, &source.write(style), &what);
            }
        }
    }
}

#[test]
fn agrees_with_the_general_decoder_on_rare_samplings() {
    // It repeats chroma samples where this one interpolates, and rounds otherwise; misplaced blocks would cost 20 dB.
    for sampling in [[(1, 2), (1, 1), (1, 1)], [(4, 1), (1, 1), (1, 1)], [(2, 2), (2, 1), (1, 2)]] {
        let file = Source::random(150, 90, &sampling, 3).write(Style::PLAIN);
        let general = jpeg_decoder::Decoder::new(file.as_slice()).decode().unwrap();
        let ours = decode(&file, Scale::Full).pixels;
        assert!(psnr(&ours, &general) > 25.0, "{sampling:?}: {} dB", psnr(&ours, &general));
    }
}

#[test]
fn the_header_tells_what_comes() {
    let info = |name: &str| Decoder::new(fixtures::file(name)).unwrap().info();
    let restarts = info("420-restarts");
    assert_eq!((restarts.width, restarts.height, restarts.components), (97, 75, 3));
    assert_eq!((restarts.colour, restarts.format), (ColourModel::YCbCr, PixelFormat::Rgb8));
    assert_eq!((restarts.progressive, restarts.restart_interval), (false, 3));
    assert!(info("grey-progressive").progressive);
    assert_eq!((info("grey").colour, info("grey").format), (ColourModel::Grey, PixelFormat::Luma8));
    assert_eq!((info("cmyk").colour, info("cmyk").format), (ColourModel::Cmyk, PixelFormat::Cmyk8));
}

#[test]
fn ycck_ends_as_cmyk() {
    let (width, height) = (40, 24);
    let cmyk: Vec<u8> = (0..width * height)
        .flat_map(|i| [(i % width * 6) as u8, (i / width * 10) as u8, 128, ((i % 7) * 20) as u8])
        .collect();
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, 95);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_1_1);
    encoder.encode(&cmyk, width as u16, height as u16, jpeg_encoder::ColorType::CmykAsYcck).unwrap();
    let decoder = Decoder::new(&file).unwrap();
    assert_eq!(decoder.info().colour, ColourModel::Ycck);
    let image = decoder.decode(Scale::Full, &Limits::default()).unwrap();
    assert!(psnr(&image.pixels, &cmyk) > 30.0, "{} dB", psnr(&image.pixels, &cmyk));
}

#[test]
fn bands_are_the_rows_of_the_whole() {
    for (name, file, _) in fixtures::ALL {
        for scale in Scale::ALL {
            let whole = decode(file, scale);
            let row_bytes = whole.width as usize * whole.format.channels();
            let mut pixels = Vec::new();
            Decoder::new(file)
                .unwrap()
                .decode_bands(scale, &Limits::default(), &mut |band| {
                    assert_eq!(band.first_row as usize * row_bytes, pixels.len(), "{name}");
                    assert_eq!(band.pixels.len() % row_bytes, 0, "{name}");
                    pixels.extend_from_slice(band.pixels);
                })
                .unwrap();
            assert!(pixels == whole.pixels, "{name}");
        }
    }
}
