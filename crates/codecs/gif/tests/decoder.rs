//! What the decoder promises its caller. That pixels are right is tested against other decoders, with imaging.

#![expect(clippy::unwrap_used, reason = "a test fails loudly, its helpers too")]

use std::ops::ControlFlow;

use thumbs_gif::{Decoder, Error, Limit, Limits, Outcome};
use weezl::{BitOrder, encode::Encoder};

/// Black, red, green, and blue.
const PALETTE: [u8; 12] = [0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255];

fn screen(width: u8, height: u8) -> Vec<u8> {
    [&b"GIF89a"[..], &[width, 0, height, 0, 0x81, 0, 0], &PALETTE].concat()
}

/// At (`left`, 0), of so many columns and rows, of which the indices may be too few.
fn frame(left: u8, width: u8, height: u8, interlaced: bool, indices: &[u8]) -> Vec<u8> {
    let descriptor = [b',', left, 0, 0, 0, width, 0, height, 0, if interlaced { 0x40 } else { 0 }];
    let data = Encoder::new(BitOrder::Lsb, 2).encode(indices).unwrap();
    [&descriptor[..], &[2, u8::try_from(data.len()).unwrap()], &data, &[0]].concat()
}

fn control(disposal: u8, transparent: Option<u8>) -> Vec<u8> {
    let flags = disposal << 2 | u8::from(transparent.is_some());
    vec![b'!', 0xF9, 4, flags, 7, 0, transparent.unwrap_or(0), 0]
}

/// The reds, greens and blues of the indices, and alpha.
fn colours(indices: &[Option<u8>]) -> Vec<u8> {
    let colour = |index: Option<u8>| match index {
        None => [0; 4],
        Some(0) => [0, 0, 0, 255],
        Some(1) => [255, 0, 0, 255],
        Some(2) => [0, 255, 0, 255],
        Some(_) => [0, 0, 255, 255],
    };
    indices.iter().copied().flat_map(colour).collect()
}

/// The rows that come, until there are `wanted`.
fn rows(file: &[u8], wanted: usize) -> (Vec<Vec<u8>>, Outcome) {
    let mut rows = Vec::new();
    let sink = &mut |row: &[u8]| {
        rows.push(row.to_vec());
        if rows.len() < wanted { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let outcome = Decoder::new(file).unwrap().decode_rows(&Limits::default(), sink).unwrap();
    (rows, outcome)
}

#[test]
fn rows_come_in_order_with_transparency_beside_the_frame() {
    let file = [screen(3, 3), frame(1, 1, 2, false, &[1, 2])].concat();
    let (rows, outcome) = rows(&file, usize::MAX);
    let row = |index| colours(&[None, index, None]);
    assert_eq!(rows, [row(Some(1)), row(Some(2)), row(None)]);
    assert_eq!(outcome, Outcome { rows_decoded: 2, rows: 2, truncated: false });
}

#[test]
fn interlaced_rows_are_sorted() {
    let file = [screen(1, 5), frame(0, 1, 5, true, &[0, 1, 2, 3, 1])].concat();
    let (rows, _) = rows(&file, usize::MAX);
    // Rows 0, 4, 2, 1, 3 are stored.
    assert_eq!(rows, [0, 3, 2, 1, 1].map(|index| colours(&[Some(index)])));
}

#[test]
fn rows_that_are_missing_look_like_the_one_above() {
    for (interlaced, indices) in [(false, &[1, 2][..]), (true, &[1, 3, 2])] {
        let file = [screen(1, 5), frame(0, 1, 5, interlaced, indices)].concat();
        let (rows, outcome) = rows(&file, usize::MAX);
        let expected = if interlaced { [1, 1, 2, 2, 3] } else { [1, 2, 2, 2, 2] };
        assert_eq!(rows, expected.map(|index| colours(&[Some(index)])), "interlaced: {interlaced}");
        assert_eq!(outcome, Outcome { rows_decoded: indices.len() as u32, rows: 5, truncated: true });
    }
}

#[test]
fn what_is_missing_below_the_last_row_that_is_wanted_is_not_noticed() {
    let file = [screen(1, 5), frame(0, 1, 5, false, &[1, 2])].concat();
    let (rows, outcome) = rows(&file, 2);
    assert_eq!((rows.len(), outcome.truncated), (2, false));
}

#[test]
fn frames_are_drawn_on_what_is_left_of_those_before() {
    let file = [
        screen(2, 1),
        control(0, None),
        frame(0, 2, 1, false, &[1, 1]),
        control(3, None),
        frame(1, 1, 1, false, &[2]),
        control(2, Some(0)),
        frame(0, 2, 1, false, &[0, 3]),
        control(0, None),
        frame(0, 1, 1, false, &[2]),
        vec![b';'],
    ]
    .concat();
    let decoder = Decoder::new(&file).unwrap();
    let info = decoder.info();
    assert_eq!((info.frames, info.loop_count, info.has_alpha, info.is_cut), (4, 1, true, false));
    let mut frames = decoder.frames(&Limits::default()).unwrap();
    let mut shown = Vec::new();
    while let Some(frame) = frames.next_frame() {
        assert_eq!((frame.duration_ms, frame.outcome.truncated), (70, false));
        shown.push(frame.pixels.to_vec());
    }
    let expected = [[Some(1), Some(1)], [Some(1), Some(2)], [Some(1), Some(3)], [Some(2), None]];
    assert_eq!(shown, expected.map(|indices| colours(&indices)));
}

#[test]
fn what_exceeds_a_limit_is_refused() {
    let file = [screen(1, 5), frame(0, 1, 5, false, &[1; 5]), frame(0, 10, 5, false, &[1; 50])].concat();
    let decoder = Decoder::new(&file).unwrap();
    assert_eq!(decoder.info().hidden_pixels, 45);
    for (limits, limit) in [
        (Limits { max_pixels: 4, ..Limits::NONE }, Limit::Pixels),
        (Limits { max_side: 4, ..Limits::NONE }, Limit::Side),
    ] {
        let refused = Error::LimitExceeded(limit);
        assert_eq!(decoder.decode_rows(&limits, &mut |_| panic!("a row came")).unwrap_err(), refused);
        assert_eq!(decoder.frames(&limits).unwrap_err(), refused);
    }
    let limits = Limits { max_total_pixels: 54, ..Limits::NONE };
    assert_eq!(decoder.frames(&limits).unwrap_err(), Error::LimitExceeded(Limit::TotalPixels));
}

#[test]
fn what_is_no_gif_is_told_from_one_that_is_broken() {
    assert_eq!(Decoder::new(b"GIF88a").unwrap_err(), Error::NotGif);
    assert!(matches!(Decoder::new(b"GIF89a"), Err(Error::Malformed(_))));
}

#[test]
fn the_first_frame_is_shown_whole_and_later_ones_as_far_as_the_screen_reaches() {
    let file = [screen(1, 1), frame(1, 2, 1, false, &[1, 2]), frame(0, 9, 1, false, &[3; 9])].concat();
    let (rows, outcome) = rows(&file, usize::MAX);
    assert_eq!(rows, [colours(&[None, Some(1), Some(2)])]);
    assert!(!outcome.truncated);
    let decoder = Decoder::new(&file).unwrap();
    let mut frames = decoder.frames(&Limits::default()).unwrap();
    let mut shown = || frames.next_frame().map(|frame| frame.pixels.to_vec());
    assert_eq!(shown(), Some(colours(&[None, Some(1), Some(2)])));
    assert_eq!(shown(), Some(colours(&[Some(3); 3])));
}

#[test]
fn disposal_4_goes_back_as_3_does() {
    for disposal in [3, 4] {
        let file = [
            screen(2, 1),
            frame(0, 2, 1, false, &[1, 1]),
            control(disposal, None),
            frame(0, 1, 1, false, &[2]),
            frame(1, 1, 1, false, &[3]),
        ]
        .concat();
        let decoder = Decoder::new(&file).unwrap();
        let mut frames = decoder.frames(&Limits::default()).unwrap();
        for _ in 0..2 {
            assert!(frames.next_frame().is_some());
        }
        let last = frames.next_frame().map(|frame| frame.pixels.to_vec());
        assert_eq!(last, Some(colours(&[Some(1), Some(3)])), "{disposal}");
    }
}
