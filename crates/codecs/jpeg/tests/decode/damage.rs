//! Files that are cut off or have holes: what is there is shown, and the outcome tells.

use crate::fixtures;
use crate::writer::{Source, Style};
use thumbs_jpeg::{Decoder, Error, Image, Limits, Scale};

fn decode(file: &[u8], scale: Scale) -> Result<Image, Error> {
    Decoder::new(file)?.decode(scale, &Limits::default())
}

/// Offset of the `n`th marker of that code.
fn find(file: &[u8], marker: u8, n: usize) -> usize {
    (0..file.len() - 1).filter(|&at| file[at] == 0xff && file[at + 1] == marker).nth(n).unwrap()
}

#[test]
fn every_cut_of_a_sequential_file_keeps_the_rows_before_it() {
    for name in ["444", "420", "420-restarts", "grey"] {
        let file = fixtures::file(name);
        let start = find(file, 0xda, 0) + 20;
        for scale in [Scale::Eighth, Scale::Full] {
            let whole = decode(file, scale).unwrap();
            let row_bytes = whole.pixels.len() / whole.height as usize;
            let mut rows_before = 0;
            for end in (start..file.len() - 3).step_by(7) {
                let image = decode(&file[..end], scale).unwrap();
                let outcome = image.outcome;
                assert!(outcome.truncated && outcome.damaged, "{name} cut at {end}");
                assert!(outcome.rows_decoded >= rows_before && outcome.rows_decoded <= image.height);
                rows_before = outcome.rows_decoded;
                // The last row of an MCU row may lean on chroma that is lost.
                let intact = (outcome.rows_decoded as usize).saturating_sub(1) * row_bytes;
                assert!(image.pixels[..intact] == whole.pixels[..intact], "{name} cut at {end}");
                assert_eq!(image.pixels.len(), whole.pixels.len());
            }
            assert!(rows_before > whole.height / 2, "{name}: only {rows_before} rows of {}", whole.height);
        }
    }
}

#[test]
fn a_missing_end_marker_is_no_damage() {
    for (name, file, _) in fixtures::ALL {
        for scale in Scale::ALL {
            let outcome = decode(&file[..file.len() - 2], scale).unwrap().outcome;
            assert!(!outcome.truncated && !outcome.damaged, "{name}");
        }
    }
}

#[test]
fn a_progressive_file_cut_between_scans_is_whole_but_coarse() {
    let file = fixtures::file("420-progressive");
    let whole = decode(file, Scale::Full).unwrap();
    let cut = find(file, 0xda, 3);
    let image = decode(&file[..cut], Scale::Full).unwrap();
    assert!(image.outcome.truncated);
    assert_eq!(image.outcome.rows_decoded, whole.height);
    assert!(crate::pictures::psnr(&image.pixels, &whole.pixels) > 15.0);
}

#[test]
fn a_progressive_file_cut_within_its_first_scan_counts_rows() {
    let file = fixtures::file("444-progressive");
    let (start, end) = (find(file, 0xda, 0) + 14, find(file, 0xc4, 2));
    let image = decode(&file[..(start + end) / 2], Scale::Eighth).unwrap();
    assert!(image.outcome.truncated);
    assert!((1..image.height).contains(&image.outcome.rows_decoded), "{:?}", image.outcome);
}

#[test]
fn a_scan_that_never_comes_is_told() {
    let source = Source::random(64, 64, &[(2, 2), (1, 1), (1, 1)], 1);
    let file = source.write(Style { interleaved: false, ..Style::PLAIN });
    let outcome = decode(&file[..find(&file, 0xda, 2)], Scale::Half).unwrap().outcome;
    assert!(outcome.truncated && outcome.rows_decoded == 0);
}

#[test]
fn one_lost_restart_interval_costs_only_itself() {
    let source = Source::random(256, 256, &[(1, 1), (1, 1), (1, 1)], 9);
    // One interval is one row of MCUs.
    let file = source.write(Style { restart_interval: 32, ..Style::PLAIN });
    let whole = decode(&file, Scale::Full).unwrap();
    let (from, to) = (find(&file, 0xd3, 0), find(&file, 0xd4, 0));
    let mut holes = vec![[&file[..from], &file[to..]].concat()];
    // The data replaced by codes that end too early, or too late.
    for byte in [0x00, 0xaa, 0x55] {
        let mut file = file.clone();
        file[from + 2..to].fill(byte);
        holes.push(file);
    }
    for holed in holes {
        let image = decode(&holed, Scale::Full).unwrap();
        assert!(!image.outcome.truncated);
        let row_bytes = 3 * 256;
        let (lost, after) = (32 * row_bytes, 40 * row_bytes);
        assert!(image.pixels[..lost] == whole.pixels[..lost]);
        assert!(image.pixels[after..] == whole.pixels[after..]);
        assert!(image.pixels != whole.pixels);
    }
}

#[test]
fn a_restart_marker_that_comes_twice_is_skipped() {
    let source = Source::random(64, 64, &[(1, 1), (1, 1), (1, 1)], 2);
    let file = source.write(Style { restart_interval: 8, ..Style::PLAIN });
    let at = find(&file, 0xd2, 0);
    let doubled = [&file[..at], &[0xff, 0xd1], &file[at..]].concat();
    assert!(decode(&doubled, Scale::Full).unwrap().pixels == decode(&file, Scale::Full).unwrap().pixels);
}

#[test]
fn what_is_no_picture_is_an_error() {
    let file = fixtures::file("420");
    for end in 0..find(file, 0xda, 0) {
        assert!(matches!(decode(&file[..end], Scale::Eighth), Err(Error::Malformed(_))), "cut at {end}");
    }
    assert!(matches!(decode(b"\x89PNG\r\n\x1a\n", Scale::Eighth), Err(Error::Malformed(_))));
    // A component that uses a quantisation table which is not there.
    let mut file = file.to_vec();
    let frame = find(&file, 0xc0, 0);
    file[frame + 12] = 3;
    assert!(matches!(decode(&file, Scale::Eighth), Err(Error::Malformed(_))));
}
