//! Files written by libjpeg-turbo, with digests of its full-size decode. See `fixtures/SOURCES.md`.

/// Name, file, FNV-1a of the decoded bytes.
pub(crate) const ALL: [(&str, &[u8], u64); 14] = [
    ("444", include_bytes!("../fixtures/444.jpg"), 0xd655_8f7c_a3a0_03a0),
    ("444-progressive", include_bytes!("../fixtures/444-progressive.jpg"), 0xd655_8f7c_a3a0_03a0),
    ("422", include_bytes!("../fixtures/422.jpg"), 0x6d0e_7246_ab19_6467),
    ("422-progressive", include_bytes!("../fixtures/422-progressive.jpg"), 0x6d0e_7246_ab19_6467),
    ("420", include_bytes!("../fixtures/420.jpg"), 0xea71_0474_fbed_00c2),
    ("420-progressive", include_bytes!("../fixtures/420-progressive.jpg"), 0xea71_0474_fbed_00c2),
    ("420-restarts", include_bytes!("../fixtures/420-restarts.jpg"), 0xea71_0474_fbed_00c2),
    (
        "420-restarts-progressive",
        include_bytes!("../fixtures/420-restarts-progressive.jpg"),
        0xea71_0474_fbed_00c2,
    ),
    ("420-optimised", include_bytes!("../fixtures/420-optimised.jpg"), 0x9a37_bf69_3c6b_7e49),
    (
        "420-optimised-progressive",
        include_bytes!("../fixtures/420-optimised-progressive.jpg"),
        0x9a37_bf69_3c6b_7e49,
    ),
    ("grey", include_bytes!("../fixtures/grey.jpg"), 0xd4da_d703_12e7_6e66),
    ("grey-progressive", include_bytes!("../fixtures/grey-progressive.jpg"), 0xd4da_d703_12e7_6e66),
    ("cmyk", include_bytes!("../fixtures/cmyk.jpg"), 0xf413_5e41_766a_c79a),
    ("cmyk-progressive", include_bytes!("../fixtures/cmyk-progressive.jpg"), 0xf413_5e41_766a_c79a),
];

/// The file of that name.
pub(crate) fn file(name: &str) -> &'static [u8] {
    ALL.iter().find(|fixture| fixture.0 == name).unwrap().1
}

/// The digest that the fixtures' script computes.
pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |digest, &byte| (digest ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
