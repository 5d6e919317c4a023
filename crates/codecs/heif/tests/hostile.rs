//! Whatever the bytes are, reading them ends, with an answer or an error.

use proptest::prelude::*;
use thumbs_heif::{Coding, read};

const GRID: &[u8] = include_bytes!("../../../../components/imaging/tests/fixtures/heif/grid-alpha.heic");
const SEQUENCE: &[u8] = include_bytes!("../../../../components/imaging/tests/fixtures/heif/sequence.avif");

#[test]
fn a_grid_is_told_with_its_parts_and_its_alpha() {
    let heif = read(GRID).unwrap();
    assert_eq!((heif.coding, heif.frames, heif.is_cut), (Coding::Hevc, 1, false));
    let picture = &heif.picture;
    assert_eq!((picture.width, picture.height, picture.part_width, picture.part_height), (96, 64, 64, 64));
    assert_eq!((picture.columns, picture.parts.len()), (2, 2));
    assert!(picture.parts.iter().all(|part| part.extents.iter().all(|extent| extent.end <= GRID.len())));
    let alpha = heif.alpha.unwrap();
    assert_eq!((alpha.picture.width, alpha.picture.height, alpha.is_premultiplied), (96, 64, false));
}

#[test]
fn a_sequence_is_told_by_its_length() {
    let heif = read(SEQUENCE).unwrap();
    assert_eq!((heif.coding, heif.frames), (Coding::Av1, 3));
    // Without the still that goes with it, as a camera writes it.
    let place = SEQUENCE.windows(4).position(|kind| kind == b"meta").unwrap();
    let mut bare = SEQUENCE.to_vec();
    bare[place..place + 4].copy_from_slice(b"free");
    let heif = read(&bare).unwrap();
    assert_eq!((heif.picture.width, heif.picture.height, heif.frames), (96, 64, 3));
    assert_eq!(heif.picture.parts.len(), 1);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(&bytes);
        let _ = read(&[b"\0\0\0\x10ftypheic\0\0\0\0\0\0\0\0meta\0\0\0\0".as_slice(), &bytes].concat());
    }

    #[test]
    fn broken_boxes_are_read_or_refused(
        place in 0..GRID.len() - 4,
        bytes in any::<[u8; 4]>(),
        end in 0..=GRID.len(),
    ) {
        let mut file = GRID.to_vec();
        file[place..place + 4].copy_from_slice(&bytes);
        let _ = read(&file);
        let _ = read(&file[..end]);
    }
}
