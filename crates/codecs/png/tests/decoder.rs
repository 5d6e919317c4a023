//! What the decoder promises its caller. That pixels are right is tested against other decoders, with imaging.

#![expect(clippy::unwrap_used, reason = "a test fails loudly, its helpers too")]

use std::ops::ControlFlow;

use thumbs_png::{Decoder, Error, Limit, Limits, Outcome, image_data};

fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len()).unwrap().to_be_bytes()[..], kind, body, &[0; 4]].concat()
}

/// Grey of 8 bits.
fn header(width: u32, height: u32, interlaced: bool) -> Vec<u8> {
    let samples = [8, 0, 0, 0, u8::from(interlaced)];
    chunk(b"IHDR", &[&width.to_be_bytes()[..], &height.to_be_bytes(), &samples].concat())
}

/// A zlib stream of stored rows, none of them filtered.
fn stream(rows: &[&[u8]]) -> Vec<u8> {
    let raw: Vec<u8> = rows.iter().flat_map(|row| [&[0], *row].concat()).collect();
    let length = u16::try_from(raw.len()).unwrap();
    [&[0x78, 0x01, 0x01][..], &length.to_le_bytes(), &(!length).to_le_bytes(), &raw, &[0; 4]].concat()
}

fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
    [b"\x89PNG\r\n\x1A\n", &chunks.concat()[..]].concat()
}

/// Two pixels wide and four high, of which so many rows are there.
fn still(rows: usize) -> Vec<u8> {
    let all: [&[u8]; 4] = [&[1, 2], &[3, 4], &[5, 6], &[7, 8]];
    file(&[header(2, 4, false), chunk(b"IDAT", &stream(&all[..rows]))])
}

/// The rows that come, until there are `wanted`.
fn rows(file: &[u8], wanted: usize) -> (Vec<Vec<u8>>, Outcome) {
    let mut rows = Vec::new();
    let sink = &mut |row: thumbs_png::Row<'_>| {
        assert_eq!((row.y as usize, row.x, row.step), (rows.len(), 0, 1));
        rows.push(row.pixels.to_vec());
        if rows.len() < wanted { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let outcome = Decoder::new(file).unwrap().decode_rows(&Limits::default(), sink).unwrap();
    (rows, outcome)
}

#[test]
fn all_rows_come_in_order() {
    let (rows, outcome) = rows(&still(4), usize::MAX);
    assert_eq!(rows, [[1, 2], [3, 4], [5, 6], [7, 8]]);
    assert_eq!(outcome, Outcome { rows_decoded: 4, rows: 4, truncated: false });
}

#[test]
fn rows_that_are_missing_look_like_the_last_one() {
    let (rows, outcome) = rows(&still(2), usize::MAX);
    assert_eq!(rows, [[1, 2], [3, 4], [3, 4], [3, 4]]);
    assert_eq!(outcome, Outcome { rows_decoded: 2, rows: 4, truncated: true });
}

#[test]
fn where_no_row_is_there_none_comes() {
    let (rows, outcome) = rows(&still(0), usize::MAX);
    assert!(rows.is_empty());
    assert_eq!(outcome, Outcome { rows_decoded: 0, rows: 4, truncated: true });
}

#[test]
fn what_is_missing_below_the_last_row_that_is_wanted_is_not_noticed() {
    let (rows, outcome) = rows(&still(3), 3);
    assert_eq!(rows.len(), 3);
    assert!(!outcome.truncated);
}

#[test]
fn an_interlaced_picture_has_each_pixel_once() {
    for (width, height) in [(1, 1), (3, 9), (8, 8), (17, 5)] {
        // The passes together have as many bytes as there are pixels, and a filter's for each of their rows.
        let raw = vec![0; 1 + 2 * (width + 1) * (height + 1)];
        let length = u16::try_from(raw.len()).unwrap();
        let head = [&[0x78, 0x01, 0x01][..], &length.to_le_bytes(), &(!length).to_le_bytes()].concat();
        let stored = chunk(b"IDAT", &[head, raw].concat());
        let file = file(&[header(width as u32, height as u32, true), stored]);
        let mut seen = vec![0; width * height];
        let sink = &mut |row: thumbs_png::Row<'_>| {
            for at in 0..row.pixels.len() {
                seen[row.y as usize * width + row.x as usize + at * row.step as usize] += 1;
            }
            ControlFlow::Continue(())
        };
        let outcome = Decoder::new(&file).unwrap().decode_rows(&Limits::default(), sink).unwrap();
        assert!(!outcome.truncated && seen.iter().all(|&times| times == 1), "{width}x{height}: {seen:?}");
    }
}

#[test]
fn frames_are_drawn_on_what_is_left_of_those_before() {
    let control = |number: u8, left: u8, disposal: u8| {
        let places = [number, 1, 1, left, 0].map(|value| u32::from(value).to_be_bytes()).concat();
        chunk(b"fcTL", &[&places[..], &[0, 7, 0, 100, disposal, 0]].concat())
    };
    let frame = |number: u8, grey: u8| {
        chunk(b"fdAT", &[&u32::from(number).to_be_bytes()[..], &stream(&[&[grey]])].concat())
    };
    let file = file(&[
        header(2, 1, false),
        chunk(b"acTL", &[0, 0, 0, 3, 0, 0, 0, 5]),
        control(0, 0, 0),
        frame(1, 10),
        control(2, 1, 1),
        frame(3, 20),
        control(4, 0, 2),
        frame(5, 30),
        chunk(b"IEND", &[]),
    ]);
    let decoder = Decoder::new(&file).unwrap();
    let info = decoder.info();
    assert_eq!((info.frames, info.loop_count, info.is_cut), (3, 5, false));
    let mut frames = decoder.frames(&Limits::default()).unwrap();
    let mut shown = Vec::new();
    while let Some(frame) = frames.next_frame() {
        assert_eq!((frame.duration_ms, frame.outcome.truncated), (70, false));
        // Grey and alpha of both pixels.
        shown.push([0, 3, 4, 7].map(|at| frame.pixels[at]));
    }
    assert_eq!(shown, [[10, 255, 0, 0], [10, 255, 20, 255], [30, 255, 0, 0]]);
}

#[test]
fn what_exceeds_a_limit_is_refused() {
    let file = still(4);
    let decoder = Decoder::new(&file).unwrap();
    for (limits, limit) in [
        (Limits { max_pixels: 7, ..Limits::NONE }, Limit::Pixels),
        (Limits { max_side: 3, ..Limits::NONE }, Limit::Side),
    ] {
        let refused = Error::LimitExceeded(limit);
        assert_eq!(decoder.decode_rows(&limits, &mut |_| panic!("a row came")).unwrap_err(), refused);
        assert_eq!(decoder.frames(&limits).unwrap_err(), refused);
    }
    let limits = Limits { max_frames: 0, ..Limits::NONE };
    assert_eq!(decoder.frames(&limits).unwrap_err(), Error::LimitExceeded(Limit::Frames));
}

#[test]
fn what_is_no_png_is_told_from_one_that_is_broken() {
    assert_eq!(Decoder::new(b"\x89PNG\n\x1A\n").unwrap_err(), Error::NotPng);
    assert!(matches!(Decoder::new(b"\x89PNG\r\n\x1A\n"), Err(Error::Malformed(_))));
    let palette_is_missing = file(&[chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 3, 0, 0, 0])]);
    assert!(matches!(Decoder::new(&palette_is_missing).unwrap().layout(), Err(Error::Malformed(_))));
}

/// Smooth in one part, and not in the other.
fn uneven(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| if at % 100 < 60 { at / 3 } else { at * at / 7 } as u8).collect()
}

#[test]
fn what_is_filtered_and_deflated_here_is_decoded_as_it_was() {
    for (width, height) in [(1_u32, 1_u32), (1, 9), (9, 1), (37, 23), (100, 100)] {
        // Colour types of the specification and their channels.
        for (colour, channels) in [(0, 1), (2, 3), (6, 4)] {
            let row_bytes = width as usize * channels;
            let given = uneven(row_bytes * height as usize);
            let samples = [8, colour, 0, 0, 0];
            let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &samples].concat();
            let data = image_data(&given, row_bytes, channels);
            let file = file(&[chunk(b"IHDR", &header), chunk(b"IDAT", &data)]);
            let (seen, outcome) = rows(&file, usize::MAX);
            assert!(!outcome.truncated, "{outcome:?}");
            assert!(seen.concat() == given, "{width}x{height}x{channels}");
        }
    }
}

#[test]
fn rows_are_filtered_by_what_fits_them() {
    // Each pixel is its upper neighbour and a little more, so that filtered rows are all alike.
    let rows: Vec<u8> =
        (0..64_u32).flat_map(|y| (0..64_u32).map(move |x| (x * x * 7 + y * 3) as u8)).collect();
    let bytes = image_data(&rows, 64, 1).len();
    assert!(bytes * 20 < rows.len(), "{bytes}");
}
