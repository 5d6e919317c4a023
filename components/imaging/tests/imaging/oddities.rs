//! Files that break a rule, or use one that nobody else does, and that every viewer shows all the same: ours shows what they show. Each is
//! made from a fixture or by hand; the right value is that of the file without its oddity, or of browsers, Pillow and libvips.

use thumbs_imaging::error::{Error, Limit};
use thumbs_imaging::options::{Concession, Fit, Limits, Options, OutputFormat, Warning};
use thumbs_imaging::{Thumbnail, probe, thumbnail};

use crate::pictures::{Png, chunk, header_chunk};
use crate::{compare, fixtures};

fn make(file: &[u8], options: &Options) -> Thumbnail {
    thumbnail(file, options, &Limits::default()).unwrap()
}

/// The bytes of the thumbnail, of which there was nothing to be said.
fn silent(file: &[u8]) -> Vec<u8> {
    let made = make(file, &Options { width: 40, height: 40, fit: Fit::Fill, ..Options::default() });
    assert_eq!(made.warnings, []);
    made.data
}

/// All pixels of the first frame at its own size.
fn pixels(file: &[u8], options: &Options) -> (Vec<[u8; 4]>, Thumbnail) {
    let source = probe(file, &Limits::default()).unwrap();
    let made =
        make(file, &Options { width: source.width, height: source.height, fit: Fit::Fill, ..*options });
    (compare::decoded(&made.data).pixels().map(|pixel| pixel.0).collect(), made)
}

/// The offset behind the marker of the first such segment.
fn segment(jpeg: &[u8], marker: u8) -> usize {
    jpeg.windows(2).position(|window| window == [0xFF, marker]).unwrap() + 2
}

/// Behind the start of the image.
fn with_segment(jpeg: &[u8], segment: &[u8]) -> Vec<u8> {
    [&jpeg[..2], segment, &jpeg[2..]].concat()
}

fn without_segment(jpeg: &[u8], marker: u8) -> Vec<u8> {
    let at = segment(jpeg, marker);
    let length = usize::from(u16::from_be_bytes([jpeg[at], jpeg[at + 1]]));
    [&jpeg[..at - 2], &jpeg[at + length..]].concat()
}

fn ycck() -> Vec<u8> {
    let inks: Vec<u8> = (0..48 * 40 * 4).map(|at| (at * 37 % 200) as u8).collect();
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, 95);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_1_1);
    encoder.encode(&inks, 48, 40, jpeg_encoder::ColorType::CmykAsYcck).unwrap();
    file
}

#[test]
fn inks_are_inverted_without_the_marker_of_adobe_too() {
    let marked = fixtures::read("cmyk.jpg");
    assert_eq!(silent(&without_segment(&marked, 0xEE)), silent(&marked));
}

#[test]
fn four_components_with_any_transform_of_adobe_are_ycck() {
    let file = ycck();
    let transform = segment(&file, 0xEE) + 2 + 11;
    assert_eq!(file[transform], 2);
    for other in [1, 7] {
        let mut odd = file.clone();
        odd[transform] = other;
        assert_eq!(silent(&odd), silent(&file), "{other}");
    }
}

#[test]
fn components_that_share_a_name_count_by_their_order() {
    for name in ["cmyk.jpg", "baseline-444.jpg"] {
        let file = fixtures::read(name);
        let (frame, scan) = (segment(&file, 0xC0), segment(&file, 0xDA));
        let mut odd = file.clone();
        for index in 0..usize::from(file[scan + 2]) {
            odd[frame + 8 + 3 * index] = 1;
            odd[scan + 3 + 2 * index] = 1;
        }
        assert_eq!(silent(&odd), silent(&file), "{name}");
    }
}

#[test]
fn segments_shorter_than_their_own_length_are_passed_over() {
    let file = fixtures::read("baseline-444.jpg");
    for length in [0, 1] {
        assert_eq!(silent(&with_segment(&file, &[0xFF, 0xFE, 0, length])), silent(&file), "{length}");
    }
}

#[test]
fn types_of_profiles_that_broken_programs_wrote_are_read() {
    let file = fixtures::read("p3.jpg");
    let mut odd = file.clone();
    for place in 0..odd.len() - 8 {
        for (meant, broken) in
            [(b"XYZ \0\0\0\0", [0x17, 0xA5, 0x05, 0xB8]), (b"curv\0\0\0\0", [0x94, 0x78, 0xEE, 0])]
        {
            if odd[place..].starts_with(meant) {
                odd[place..place + 4].copy_from_slice(&broken);
            }
        }
    }
    assert_ne!(odd, file);
    assert_eq!(silent(&odd), silent(&file));
}

#[test]
fn orientation_is_read_in_any_type_of_whole_number() {
    let file = fixtures::read("orientation-6.jpg");
    let entry = file
        .windows(4)
        .position(|window| window == [0x01, 0x12, 0, 3] || window == [0x12, 0x01, 3, 0])
        .unwrap();
    let big_endian = file[entry] == 1;
    for (kind, bytes) in [(1, 1), (4, 4), (6, 1), (8, 2), (9, 4)] {
        let mut odd = file.clone();
        let mut value = [0; 4];
        value[if big_endian { bytes - 1 } else { 0 }] = 6;
        odd[entry + 2 + usize::from(big_endian)] = kind;
        odd[entry + 8..entry + 12].copy_from_slice(&value);
        assert_eq!(silent(&odd), silent(&file), "type {kind}");
    }
}

#[test]
fn orientation_that_stands_only_in_xmp_or_a_text_is_applied_and_exif_comes_first() {
    const XMP: &[u8] = b"<x:xmpmeta><rdf:Description tiff:Orientation=\"6\"/></x:xmpmeta>";
    let orientation = |file: &[u8]| probe(file, &Limits::default()).unwrap().orientation;
    let packet = [b"http://ns.adobe.com/xap/1.0/\0", XMP].concat();
    let segment = [&[0xFF, 0xE1][..], &(packet.len() as u16 + 2).to_be_bytes(), &packet].concat();
    assert_eq!(orientation(&with_segment(&fixtures::read("baseline-444.jpg"), &segment)), 6);
    assert_eq!(orientation(&with_segment(&fixtures::read("orientation-3.jpg"), &segment)), 3);

    let png = Png::noise(4, 2, 8, 2, false);
    let exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0\0\0\0\0";
    let digits: String = exif.iter().map(|byte| format!("{byte:02x}")).collect();
    let raw = format!("\nexif\n      {}\n{digits}\n", exif.len());
    let deflated = |text: &[u8]| miniz_oxide::deflate::compress_to_vec_zlib(text, 6);
    let plain = [b"Raw profile type exif\0", raw.as_bytes()].concat();
    let compressed = [&b"Raw profile type APP1\0\0"[..], &deflated(raw.as_bytes())].concat();
    let xmp = [&b"XML:com.adobe.xmp\0\0\0\0\0"[..], XMP].concat();
    let compressed_xmp = [&b"XML:com.adobe.xmp\0\x01\0\0\0"[..], &deflated(XMP)].concat();
    for (kind, body, expected) in
        [(b"tEXt", &plain, 8), (b"zTXt", &compressed, 8), (b"iTXt", &xmp, 6), (b"iTXt", &compressed_xmp, 6)]
    {
        assert_eq!(orientation(&png.clone().with(kind, body).bytes()), expected);
    }
    let upright = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x01\0\0\0\0\0\0";
    assert_eq!(orientation(&png.with(b"tEXt", &plain).with(b"eXIf", upright).bytes()), 1);
}

/// Two frames of one colour each behind a still of a third, of which so many are there.
fn hidden_still(frames: u8) -> Vec<u8> {
    let stream = |grey: u8| miniz_oxide::deflate::compress_to_vec_zlib(&[0, grey], 6);
    let mut file = [b"\x89PNG\r\n\x1A\n", &header_chunk(1, 1, 8, 0, false)[..]].concat();
    file.extend(chunk(b"acTL", &[0, 0, 0, frames, 0, 0, 0, 0]));
    file.extend(chunk(b"IDAT", &stream(9)));
    for index in 0..frames {
        let numbers = [2 * u32::from(index), 1, 1, 0, 0].map(u32::to_be_bytes).concat();
        file.extend(chunk(b"fcTL", &[&numbers[..], &[0, 1, 0, 10, 0, 0]].concat()));
        file.extend(chunk(b"fdAT", &[&[0, 0, 0, 2 * index + 1][..], &stream(100 + index)].concat()));
    }
    file.extend(chunk(b"IEND", &[]));
    file
}

#[test]
fn an_animation_shows_its_first_frame_and_not_the_still_for_those_that_show_none() {
    for frames in [1, 2] {
        for animated in [false, true] {
            let (shown, made) = pixels(&hidden_still(frames), &Options { animated, ..Options::default() });
            assert_eq!(shown, [[100, 100, 100, 255]], "{frames} frames, animated {animated}");
            assert_eq!(made.frames, if animated { u32::from(frames) } else { 1 });
        }
    }
    // Without the frame there is the still.
    let mut cut = hidden_still(1);
    let data = cut.windows(4).position(|window| window == b"fdAT").unwrap();
    cut.truncate(data + 8);
    assert_eq!(pixels(&cut, &Options::default()).0, [[9, 9, 9, 255]]);
}

fn gif(screen: (u16, u16), frames: &[gif::Frame<'_>]) -> Vec<u8> {
    let palette = [0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255];
    let mut file = Vec::new();
    let mut encoder = gif::Encoder::new(&mut file, screen.0, screen.1, &palette).unwrap();
    for frame in frames {
        encoder.write_frame(frame).unwrap();
    }
    drop(encoder);
    file
}

fn frame(left: u16, top: u16, width: u16, height: u16, index: u8) -> gif::Frame<'static> {
    let buffer = vec![index; usize::from(width) * usize::from(height)].into();
    gif::Frame { left, top, width, height, buffer, delay: 10, ..gif::Frame::default() }
}

const RED: [u8; 4] = [255, 0, 0, 255];
const GREEN: [u8; 4] = [0, 255, 0, 255];
const BLUE: [u8; 4] = [0, 0, 255, 255];

#[test]
fn the_screen_of_a_gif_grows_with_its_first_frame() {
    let stills = Options { animated: false, ..Options::default() };
    assert_eq!(pixels(&gif((1, 1), &[frame(0, 0, 2, 1, 1)]), &stills).0, [RED; 2]);
    assert_eq!(pixels(&gif((2, 1), &[frame(1, 0, 2, 1, 1)]), &stills).0, [[0; 4], RED, RED]);
    assert_eq!(pixels(&gif((1, 1), &[frame(0, 1, 1, 1, 1)]), &stills).0, [[0; 4], RED]);
    // What comes later is cut.
    let later = gif((1, 1), &[frame(0, 0, 1, 1, 1), frame(0, 0, 2, 1, 2)]);
    assert_eq!(probe(&later, &Limits::default()).unwrap().width, 1);
    let grown = Limits { max_side: 2, ..Limits::default() };
    let made = thumbnail(&gif((1, 1), &[frame(2, 0, 1, 1, 1)]), &stills, &grown);
    assert_eq!(made.err(), Some(Error::LimitExceeded(Limit::Side)));
}

#[test]
fn disposal_4_of_a_gif_goes_back_as_3_does() {
    let frames = [frame(0, 0, 2, 1, 1), frame(0, 0, 1, 1, 2), frame(1, 0, 1, 1, 3)];
    let mut file = gif((2, 1), &frames);
    let second =
        file.windows(3).enumerate().filter(|(_, window)| *window == [0x21, 0xF9, 4]).nth(1).unwrap().0;
    file[second + 3] = 4 << 2;
    let options =
        Options { width: 2, height: 1, fit: Fit::Fill, format: OutputFormat::Webp, ..Options::default() };
    let frames = crate::animation::frames_of(&make(&file, &options).data);
    let last: Vec<[u8; 4]> = frames[2].0.pixels().map(|pixel| pixel.0).collect();
    assert_eq!(last, [RED, BLUE]);
}

#[test]
fn of_a_long_animation_a_still_takes_one_frame_and_few_frames_take_no_more_than_they_need() {
    let file = gif((1, 1), &vec![frame(0, 0, 1, 1, 1); 201]);
    let small = Options { width: 1, height: 1, ..Options::default() };
    let over = thumbnail(&file, &small, &Limits::default()).err();
    assert_eq!(over, Some(Error::LimitExceeded(Limit::Frames)));
    for still in [
        Options { animated: false, ..small },
        Options { format: OutputFormat::Jpeg, ..small },
        Options { max_output_frames: Some(1), ..small },
    ] {
        let made = make(&file, &still);
        assert_eq!((made.frames, made.source.frames, made.cost.frames), (1, 201, 1));
        assert!(made.warnings.contains(&Warning::AnimationDropped));
    }
    let made = make(&file, &Options { max_output_frames: Some(50), format: OutputFormat::Gif, ..small });
    // The last that is kept is that of number 197.
    assert_eq!((made.frames, made.cost.frames, made.concessions), (50, 198, vec![Concession::Frames(50)]));
}

#[test]
fn an_animation_begins_with_its_first_frame_that_is_not_broken() {
    // The first frame of the GIF ends at once; that of the PNG is no zlib stream.
    let mut broken_gif = gif((2, 1), &[frame(0, 0, 2, 1, 1), frame(0, 0, 2, 1, 2), frame(0, 0, 1, 1, 3)]);
    let data = broken_gif.windows(2).position(|window| window == [2, 2]).unwrap();
    broken_gif[data + 2] = 0x05;
    let mut broken_png = fixtures::read("animated.png");
    let first = broken_png.windows(4).position(|window| window == b"IDAT").unwrap();
    broken_png[first + 4..first + 30].fill(0xFF);
    let mut broken_webp = fixtures::read("animated.webp");
    let first = broken_webp.windows(4).position(|window| window == b"VP8L").unwrap();
    broken_webp[first + 8] = 0;
    for (file, frames, whole) in [(broken_gif, 3, 2), (broken_png, 6, 5), (broken_webp, 6, 5)] {
        for (animated, left) in [(true, whole), (false, 1)] {
            let made = make(&file, &Options { width: 20, height: 20, animated, ..Options::default() });
            let what = format!("{:?}, animated {animated}", made.source.format);
            assert_eq!((made.source.frames, made.frames), (frames, left), "{what}");
            assert!(made.warnings.contains(&Warning::Damaged), "{what}: {:?}", made.warnings);
        }
    }
}

#[test]
fn green_is_the_first_frame_of_a_gif_whose_first_is_broken() {
    let mut file = gif((2, 1), &[frame(0, 0, 2, 1, 1), frame(0, 0, 2, 1, 2)]);
    let data = file.windows(2).position(|window| window == [2, 2]).unwrap();
    file[data + 2] = 0x05;
    assert_eq!(pixels(&file, &Options { animated: false, ..Options::default() }).0, [GREEN; 2]);
}

#[test]
fn damage_inside_of_a_jpeg_is_covered_up_and_told() {
    let mut file = fixtures::read("restart.jpg");
    // The data between two restarts are lost.
    let (from, to) = (segment(&file, 0xD3), segment(&file, 0xD4) - 2);
    file.drain(from..to);
    let made = make(&file, &Options::default());
    assert_eq!(made.warnings, [Warning::Damaged]);
}

#[test]
fn what_is_missing_of_a_file_that_is_whole_is_damage_and_no_early_end() {
    let whole = fixtures::read("rgb.png");
    let mut broken = whole.clone();
    let place = broken.len() * 9 / 10;
    broken[place..place + 200].fill(0xFF);
    assert_eq!(make(&broken, &Options::default()).warnings, [Warning::Damaged]);
    assert_eq!(make(&whole[..place], &Options::default()).warnings, [Warning::Truncated]);
    let jpeg = fixtures::read("baseline-420.jpg");
    let place = jpeg.len() * 9 / 10;
    let end = [&jpeg[..place], &[0xFF, 0xD9]].concat();
    assert_eq!(make(&end, &Options::default()).warnings, [Warning::Damaged]);
    assert_eq!(make(&jpeg[..place], &Options::default()).warnings, [Warning::Truncated]);
}

#[test]
fn what_a_gif_can_not_show_fast_enough_takes_its_whole_time() {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 2, 2);
    encoder.set_animated(60, 0).unwrap();
    encoder.set_frame_delay(1, 60).unwrap();
    let mut writer = encoder.write_header().unwrap();
    for level in 0..60 {
        writer.write_image_data(&[4 * level; 4]).unwrap();
    }
    writer.finish().unwrap();
    let options = Options { width: 2, height: 2, format: OutputFormat::Gif, ..Options::default() };
    let made = make(&file, &options);
    let decoder = thumbs_gif::Decoder::new(&made.data).unwrap();
    let mut frames = decoder.frames(&thumbs_gif::Limits::default()).unwrap();
    let delays: Vec<u32> = std::iter::from_fn(|| frames.pass_over()).collect();
    // A sixtieth is 17 ms as files have it.
    assert_eq!(delays.iter().sum::<u32>(), 60 * 17);
    assert!(delays.iter().all(|&delay_ms| delay_ms >= 20), "{delays:?}");
    assert_eq!(made.concessions, [Concession::Frames(made.frames)]);
}
