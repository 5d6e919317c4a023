//! What `encode` promises, seen through other people's decoders.

use proptest::prelude::*;

use super::census::visible;
use super::clip::pixels;
use super::viewer::view;
use super::*;
use crate::raster::{Frame, Loops};

const ANIMATED: [OutputFormat; 3] = [OutputFormat::Png, OutputFormat::Webp, OutputFormat::Gif];
const ALL: [OutputFormat; 4] = [OutputFormat::Png, OutputFormat::Webp, OutputFormat::Gif, OutputFormat::Jpeg];

/// Every n-th pixel: enough to see sizes.
fn pick(raster: &Raster, width: u32, height: u32) -> Result<Raster, Error> {
    assert!(width <= raster.width() && height <= raster.height(), "asked to enlarge");
    let pixels = pixels(raster);
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let rgba = places.flat_map(|(x, y)| {
        let (x, y) = (x * raster.width() / width, y * raster.height() / height);
        pixels[(y * raster.width() + x) as usize]
    });
    Ok(Raster::new(width, height, rgba.collect()).unwrap())
}

fn raster(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 4]) -> Raster {
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    Raster::new(width, height, places.flat_map(|(x, y)| pixel(x, y)).collect()).unwrap()
}

fn still(raster: Raster) -> Picture {
    Picture::new(vec![Frame { raster, delay_ms: 0 }], Loops::Forever).unwrap()
}

fn film(rasters: impl IntoIterator<Item = Raster>, delay_ms: u32, loops: Loops) -> Picture {
    Picture::new(rasters.into_iter().map(|raster| Frame { raster, delay_ms }).collect(), loops).unwrap()
}

fn options(format: OutputFormat) -> Options {
    Options { format, ..Options::default() }
}

/// Nothing is lost where the format can do without.
fn lossless(format: OutputFormat) -> Options {
    Options { quality: Some(100), ..options(format) }
}

fn encoded(picture: &Picture, options: &Options) -> Encoded {
    encode(picture, options, false, &pick).unwrap()
}

fn shown(raster: &Raster) -> Vec<[u8; 4]> {
    pixels(raster).iter().copied().map(visible).collect()
}

/// Smooth and grainy at once, as photographs are: thousands of colours. `turn` moves it.
fn photo(side: u32, turn: u32) -> Raster {
    raster(side, side, |x, y| {
        let grain = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 7;
        let wave = |a: u32| ((a % 256) as i32 - 128).unsigned_abs() as u8;
        let noisy = |level: u8| level.saturating_add((grain % 13) as u8);
        [noisy(wave(x * 3 + turn * 5)), noisy(wave(y * 2 + x)), noisy(wave(x + 200 - turn)), 255]
    })
}

/// A disc with a soft edge on nothing, moved by `turn`.
fn emoji(side: u32, turn: u32) -> Raster {
    raster(side, side, |x, y| {
        let centre = side as i32 / 2;
        let (dx, dy) = (x as i32 - centre - turn as i32 % 5, y as i32 - centre);
        let distance = f64::from(dx * dx + dy * dy).sqrt();
        let cover = ((f64::from(centre) * 0.8 - distance) / 2.0).clamp(0.0, 1.0);
        [250, (200 - y * 100 / side) as u8, 40, (cover * 255.0) as u8]
    })
}

#[test]
fn says_what_it_made_and_gives_nothing_up_unasked() {
    for format in ALL {
        let made = encoded(&still(photo(40, 0)), &options(format));
        assert_eq!((made.format, made.width, made.height, made.frames), (format, 40, 40, 1));
        assert!(made.concessions.is_empty() && made.warnings.is_empty());
    }
}

#[test]
fn the_first_bytes_are_those_of_the_format() {
    let magic = |format| encoded(&still(photo(9, 0)), &options(format)).data;
    assert!(magic(OutputFormat::Png).starts_with(b"\x89PNG\r\n\x1a\n"));
    assert!(magic(OutputFormat::Jpeg).starts_with(&[0xFF, 0xD8, 0xFF]));
    assert!(magic(OutputFormat::Gif).starts_with(b"GIF89a"));
    let webp = magic(OutputFormat::Webp);
    assert_eq!((&webp[..4], &webp[8..12]), (&b"RIFF"[..], &b"WEBP"[..]));
    assert_eq!(u32::from_le_bytes(webp[4..8].try_into().unwrap()) as usize, webp.len() - 8);
}

#[test]
fn keeps_loops_and_delays() {
    for format in ANIMATED {
        for loops in [Loops::Forever, Loops::Times(1), Loops::Times(7)] {
            let picture = film((0..4).map(|turn| emoji(20, turn)), 70, loops);
            let film = view(&encoded(&picture, &options(format)).data, format);
            assert_eq!(film.loops, loops, "{format:?}");
            assert!(film.frames.iter().all(|frame| frame.delay_ms == 70), "{format:?}");
        }
    }
}

#[test]
fn the_first_frame_stands_for_an_animation_that_is_not_wanted_or_not_possible() {
    let picture = film((0..4).map(|turn| photo(20, turn * 9)), 70, Loops::Forever);
    for format in ALL {
        let made = encoded(&picture, &Options { animated: false, ..options(format) });
        assert_eq!((made.frames, made.warnings), (1, vec![Warning::AnimationDropped]), "{format:?}");
    }
    let made = encoded(&picture, &options(OutputFormat::Jpeg));
    assert_eq!((made.frames, made.warnings), (1, vec![Warning::AnimationDropped]));
    let first = encoded(&still(photo(20, 0)), &options(OutputFormat::Jpeg));
    assert_eq!(made.data, first.data);
}

#[test]
fn max_output_frames_thins_and_says_so() {
    let picture = film((0..10).map(|turn| emoji(20, turn)), 100, Loops::Forever);
    for format in ANIMATED {
        for max in [0, 1, 3, 10, 11] {
            let made = encoded(&picture, &Options { max_output_frames: Some(max), ..options(format) });
            let kept = max.clamp(1, 10);
            assert_eq!(made.frames, kept);
            let expected = if kept < 10 { vec![Concession::Frames(kept)] } else { Vec::new() };
            assert_eq!(made.concessions, expected);
            let film = view(&made.data, format);
            let play_time: u32 = film.frames.iter().map(|frame| frame.delay_ms).sum();
            assert_eq!((film.frames.len() as u32, play_time), (kept, if kept == 1 { 0 } else { 1000 }));
        }
    }
}

#[test]
fn too_large_a_picture_is_refused_not_truncated() {
    for format in ALL {
        let line = still(raster(MAX_SIDE + 1, 1, |_, _| [0, 0, 0, 255]));
        assert_eq!(
            encode(&line, &options(format), false, &pick),
            Err(Error::LimitExceeded(Limit::OutputSide))
        );
        let longest = still(raster(MAX_SIDE, 1, |_, _| [0, 0, 0, 255]));
        assert_eq!(encoded(&longest, &options(format)).width, MAX_SIDE);
    }
}

#[test]
fn budgets_of_the_emoji_presets_are_met_with_most_of_the_quality() {
    let picture = film((0..24).map(|turn| photo(128, turn)), 40, Loops::Forever);
    for format in ANIMATED {
        for max_bytes in [128 * 1024, 256_000] {
            let made = encoded(&picture, &Options { max_bytes: Some(max_bytes), ..options(format) });
            assert!(made.data.len() as u64 <= max_bytes);
            // The first step, from all colours to 256, is the largest.
            let is_close = made.data.len() as u64 >= max_bytes / 2;
            assert!(is_close || made.concessions.is_empty(), "{format:?}: {} bytes", made.data.len());
        }
    }
}

#[test]
fn quality_falls_no_further_than_it_must() {
    let picture = still(photo(100, 0));
    for format in [OutputFormat::Jpeg, OutputFormat::Webp] {
        let free = encoded(&picture, &options(format));
        let max_bytes = free.data.len() as u64 * 3 / 4;
        let made = encoded(&picture, &Options { max_bytes: Some(max_bytes), ..options(format) });
        let [Concession::Quality(quality)] = made.concessions[..] else { panic!("{:?}", made.concessions) };
        let at = |quality| encoded(&picture, &Options { quality: Some(quality), ..options(format) }).data;
        assert_eq!(at(quality), made.data);
        assert!(at(quality + 1).len() as u64 > max_bytes, "{format:?}");
    }
}

/// The name of the first chunk that holds pixels.
fn webp_kind(data: &[u8]) -> [u8; 4] {
    let mut at = 12;
    loop {
        let name: [u8; 4] = data[at..at + 4].try_into().unwrap();
        if name.starts_with(b"VP8") && name != *b"VP8X" {
            return name;
        }
        let size = u32::from_le_bytes(data[at + 4..at + 8].try_into().unwrap());
        at += 8 + size.next_multiple_of(2) as usize;
    }
}

#[test]
fn a_photograph_becomes_a_lossy_webp_and_a_drawing_a_lossless_one() {
    let kind = |raster, quality| {
        webp_kind(&encoded(&still(raster), &Options { quality, ..options(OutputFormat::Webp) }).data)
    };
    let drawing = || raster(64, 64, |x, y| if (x / 9 + y / 11) % 2 == 0 { [200, 0, 0, 255] } else { [0; 4] });
    assert_eq!(kind(photo(64, 0), None), *b"VP8 ");
    assert_eq!(kind(photo(64, 0), Some(99)), *b"VP8 ");
    assert_eq!(kind(photo(64, 0), Some(100)), *b"VP8L");
    assert_eq!(kind(drawing(), None), *b"VP8L");
    assert_eq!(kind(drawing(), Some(10)), *b"VP8L");
}

#[test]
fn what_is_lossless_keeps_its_pixels_and_gives_up_only_frames_and_size() {
    let picture = film((0..4).map(|turn| photo(48, turn * 9)), 70, Loops::Forever);
    for format in [OutputFormat::Png, OutputFormat::Webp] {
        let asked = Options { lossless: true, ..options(format) };
        for animated in [true, false] {
            let made = encoded(&picture, &Options { animated, ..asked });
            let pairs = view(&made.data, format).frames.into_iter().zip(picture.frames());
            pairs.for_each(|(seen, given)| assert!(is_as_given(&seen.raster, &given.raster, format)));
        }
        let made = encoded(&picture, &Options { max_bytes: Some(4_000), ..asked });
        let is_allowed = |given: &Concession| matches!(given, Concession::Frames(_) | Concession::Width(_));
        assert!(
            !made.concessions.is_empty() && made.concessions.iter().all(is_allowed),
            "{:?}",
            made.concessions
        );
        assert!(made.data.len() <= 4_000);
    }
}

#[test]
fn a_lossy_webp_is_near_to_its_source_and_its_alpha_the_same() {
    let glass = |x: u32, y: u32| {
        let [r, g, b, _] = pixels(&photo(64, 0))[(y * 64 + x) as usize];
        [r, g, b, (x * 4) as u8]
    };
    let source = raster(64, 64, glass);
    let made = encoded(&still(source.clone()), &options(OutputFormat::Webp));
    assert_eq!(webp_kind(&made.data), *b"VP8 ");
    let film = view(&made.data, OutputFormat::Webp);
    let mut differences = 0;
    for (seen, given) in pixels(&film.frames[0].raster).iter().zip(pixels(&source)) {
        assert_eq!(seen[3], given[3]);
        let visible = u32::from(given[3]);
        differences += (0..3).map(|at| u32::from(seen[at].abs_diff(given[at])) * visible / 255).sum::<u32>();
    }
    assert!(differences < 64 * 64 * 3 * 8, "{differences}");
}

#[test]
fn an_impossible_budget_is_an_error() {
    for format in ALL {
        let asked = Options { max_bytes: Some(30), ..options(format) };
        assert_eq!(encode(&still(photo(64, 0)), &asked, false, &pick), Err(Error::BudgetUnreachable));
        assert_eq!(encode(&still(photo(1, 0)), &asked, false, &pick), Err(Error::BudgetUnreachable));
    }
}

#[test]
fn a_failing_resampler_is_reported() {
    let fail = |_: &Raster, _, _| Err(Error::Malformed("no".into()));
    let asked = Options { max_bytes: Some(400), ..options(OutputFormat::Png) };
    assert_eq!(encode(&still(photo(64, 0)), &asked, false, &fail), Err(Error::Malformed("no".into())));
}

#[test]
fn jpeg_lays_transparency_over_the_background() {
    let glass = still(raster(16, 16, |_, _| [255, 0, 0, 0]));
    let solid = |colour: [u8; 3]| still(raster(16, 16, |_, _| [colour[0], colour[1], colour[2], 255]));
    for colour in [[255, 255, 255], [10, 200, 30]] {
        let asked = Options { background: Some(Rgb(colour)), ..options(OutputFormat::Jpeg) };
        assert_eq!(encoded(&glass, &asked).data, encoded(&solid(colour), &options(OutputFormat::Jpeg)).data);
    }
    let half = still(raster(16, 16, |_, _| [0, 0, 0, 128]));
    let asked = Options { background: Some(Rgb([255; 3])), ..options(OutputFormat::Jpeg) };
    assert_eq!(encoded(&half, &asked).data, encoded(&solid([127; 3]), &asked).data);
}

fn colour() -> impl Strategy<Value = [u8; 4]> {
    prop_oneof![
        3 => prop_oneof![Just([0, 0, 0, 255]), Just([255, 0, 0, 255]), Just([9, 9, 9, 0]), Just([0; 4])],
        1 => any::<[u8; 4]>(),
        1 => any::<u8>().prop_map(|grey| [grey, grey, grey, 255]),
    ]
}

/// Small animations with everything in them: holes that come and go, glass, parts that stand still.
fn any_film() -> impl Strategy<Value = Picture> {
    // What is drawn in each frame; `None` leaves the pixel as it was.
    let strokes = prop::collection::vec(prop::option::of(colour()), 64);
    (1u32..9, 1u32..9, prop::collection::vec(strokes, 1..6)).prop_map(|(width, height, frames)| {
        let mut canvas = vec![[0; 4]; (width * height) as usize];
        let rasters = frames.into_iter().map(|strokes| {
            for (pixel, stroke) in canvas.iter_mut().zip(strokes) {
                *pixel = stroke.unwrap_or(*pixel);
            }
            Raster::new(width, height, canvas.as_flattened().to_vec()).unwrap()
        });
        film(rasters.collect::<Vec<_>>(), 50, Loops::Forever)
    })
}

/// The same, or darker by one: the WebP decoder rounds opaque pixels down where it blends them (libwebp does not).
fn is_as_given(seen: &Raster, given: &Raster, format: OutputFormat) -> bool {
    let slack = u8::from(format == OutputFormat::Webp);
    shown(seen)
        .iter()
        .flatten()
        .zip(shown(given).iter().flatten())
        .all(|(seen, given)| (given.saturating_sub(slack)..=*given).contains(seen))
}

/// Colours in use over all frames; of a GIF, the highest index in use in any.
fn colours_used(data: &[u8], format: OutputFormat) -> usize {
    if format == OutputFormat::Gif {
        let mut decoder = ::gif::DecodeOptions::new().read_info(data).unwrap();
        let mut most = 0;
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            most = most.max(frame.buffer.iter().copied().max().map_or(0, |index| usize::from(index) + 1));
        }
        return most;
    }
    let film = view(data, format);
    let mut colours: Vec<[u8; 4]> = film.frames.iter().flat_map(|frame| shown(&frame.raster)).collect();
    colours.sort_unstable();
    colours.dedup();
    colours.len()
}

proptest! {
    #[test]
    fn lossless_formats_show_what_they_were_given(picture in any_film()) {
        for format in [OutputFormat::Png, OutputFormat::Webp] {
            let made = encoded(&picture, &lossless(format));
            let film = view(&made.data, format);
            prop_assert_eq!(film.frames.len(), picture.frames().len());
            for (seen, given) in film.frames.iter().zip(picture.frames()) {
                prop_assert!(is_as_given(&seen.raster, &given.raster, format), "{:?}: {:?}", format, seen);
            }
        }
    }

    #[test]
    fn gif_loses_nothing_but_half_transparency_while_there_are_few_colours(picture in any_film()) {
        let made = encoded(&picture, &options(OutputFormat::Gif));
        let film = view(&made.data, OutputFormat::Gif);
        prop_assert_eq!(film.frames.len(), picture.frames().len());
        for (seen, given) in film.frames.iter().zip(picture.frames()) {
            let one_bit = |pixel: &[u8; 4]| if pixel[3] < 128 { [0; 4] } else { [pixel[0], pixel[1], pixel[2], 255] };
            let given: Vec<[u8; 4]> = pixels(&given.raster).iter().map(one_bit).collect();
            prop_assert_eq!(shown(&seen.raster), given);
        }
    }

    #[test]
    fn gif_delays_add_up(delays in prop::collection::vec(prop_oneof![20u32..400, Just(33), Just(67)], 2..60)) {
        let frames = delays.iter().zip(0u8..).map(|(&delay_ms, shade)| Frame {
            raster: Raster::new(1, 1, vec![shade, 0, 0, 255]).unwrap(),
            delay_ms,
        });
        let picture = Picture::new(frames.collect(), Loops::Forever).unwrap();
        let film = view(&encoded(&picture, &options(OutputFormat::Gif)).data, OutputFormat::Gif);
        let (mut told, mut true_time) = (0, 0);
        for (frame, delay_ms) in film.frames.iter().zip(delays) {
            told += frame.delay_ms;
            true_time += delay_ms;
            prop_assert!(u32::abs_diff(told, true_time) <= 5);
        }
    }
}

proptest! {
    // Each case encodes up to forty files.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_budget_is_met_and_the_report_is_true(
        max_bytes in 60u64..6_000,
        frames in 1u32..7,
        side in prop_oneof![Just(9u32), Just(24), Just(48)],
        is_photo in any::<bool>(),
        max_output_frames in prop::option::of(1u32..5),
    ) {
        let source = |turn| if is_photo { photo(side, turn * 9) } else { emoji(side, turn) };
        let picture = film((0..frames).map(source), 90, Loops::Forever);
        for format in ALL {
            let asked = Options { max_bytes: Some(max_bytes), max_output_frames, ..options(format) };
            let made = match encode(&picture, &asked, false, &pick) {
                Ok(made) => made,
                Err(error) => {
                    prop_assert_eq!(error, Error::BudgetUnreachable);
                    continue;
                }
            };
            prop_assert!(made.data.len() as u64 <= max_bytes);
            let free = encoded(&picture, &Options { max_output_frames, ..options(format) });
            if free.data.len() as u64 <= max_bytes {
                prop_assert_eq!(&made, &free, "it fitted as it was");
            }
            let given_up = |wanted: fn(&Concession) -> bool| made.concessions.iter().any(wanted);
            prop_assert_eq!(given_up(|it| matches!(it, Concession::Width(_))), made.width < side);
            prop_assert!(made.width == made.height && made.width >= side.min(16));
            let all = if format == OutputFormat::Jpeg { 1 } else { frames };
            prop_assert_eq!(given_up(|it| matches!(it, Concession::Frames(_))), made.frames < all);
            let loses_quality = matches!(format, OutputFormat::Jpeg | OutputFormat::Webp);
            prop_assert!(loses_quality || !given_up(|it| matches!(it, Concession::Quality(_))));
            for concession in &made.concessions {
                match *concession {
                    Concession::Width(width) => prop_assert_eq!(width, made.width),
                    Concession::Frames(frames) => prop_assert_eq!(frames, made.frames),
                    Concession::Quality(quality) => prop_assert!(quality < DEFAULT_QUALITY),
                    Concession::Colours(colours) => prop_assert!((2..=256).contains(&colours)),
                }
            }
            if format == OutputFormat::Jpeg {
                continue;
            }
            let film = view(&made.data, format);
            prop_assert_eq!(film.frames.len() as u32, made.frames);
            prop_assert_eq!(film.frames[0].raster.width(), made.width);
            let colours = made.concessions.iter().find_map(|it| match it {
                Concession::Colours(colours) => Some(usize::from(*colours)),
                _ => None,
            });
            match colours {
                // Rounding while blending (see above) makes colours that are not in the file.
                Some(_) if format == OutputFormat::Webp && made.frames > 1 => {}
                Some(colours) => prop_assert!(colours_used(&made.data, format) <= colours),
                None if format == OutputFormat::Gif => {}
                None if format == OutputFormat::Webp => {}
                None if made.concessions.is_empty() => {
                    let mut pairs = film.frames.iter().zip(picture.frames());
                    prop_assert!(pairs.all(|(seen, given)| is_as_given(&seen.raster, &given.raster, format)));
                }
                None => {}
            }
        }
    }
}

#[test]
fn what_a_gif_can_not_show_fast_enough_is_shown_as_long() {
    // 60 a second, of which a GIF holds 50.
    let frames = |delays_ms: &[u32]| {
        let frames =
            (0..).zip(delays_ms).map(|(index, &delay_ms)| Frame { raster: photo(8, index), delay_ms });
        Picture::new(frames.collect(), Loops::Forever).unwrap()
    };
    let delays = |delays_ms: &[u32]| -> Vec<u32> {
        let made = encoded(&frames(delays_ms), &options(OutputFormat::Gif));
        let shown = view(&made.data, OutputFormat::Gif).frames;
        let is_told = made.concessions == [Concession::Frames(made.frames)];
        assert_eq!(is_told, shown.len() < delays_ms.len(), "{:?}", made.concessions);
        shown.iter().map(|frame| frame.delay_ms).collect()
    };
    let fast = delays(&[17; 60]);
    assert_eq!(fast.iter().sum::<u32>(), 1020);
    assert!(fast.len() >= 40 && fast.iter().all(|&delay_ms| delay_ms >= 20), "{fast:?}");
    assert_eq!(delays(&[11, 12, 13]), [20, 20]);
    assert_eq!(delays(&[15; 4]), [20, 40]);
    assert_eq!(delays(&[500, 15, 15, 500]), [500, 20, 20, 490]);
    // What is fast enough, and what is meant to be slow, stays.
    assert_eq!(delays(&[20, 30, 40]), [20, 30, 40]);
    assert_eq!(delays(&[25, 25, 25, 25]), [30, 20, 30, 20]);
    let webp = encoded(&frames(&[17; 60]), &options(OutputFormat::Webp));
    assert_eq!((webp.frames, webp.concessions.len()), (60, 0));
}
