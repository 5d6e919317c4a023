//! What is made of each fixture, to the last bit: `fixtures/golden.json` holds digests of whole thumbnails, which must be the
//! same natively and in WebAssembly, on every processor. A change that alters pixels on purpose makes the list anew:
//! `THUMBS_UPDATE_GOLDEN=1 cargo test --release -p thumbs-imaging golden`.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thumbs_imaging::options::{Fit, Gravity, Limits, Options, OutputFormat};
use thumbs_imaging::thumbnail;

use crate::fixtures;

/// A fixture, what is asked for, and what comes out with the default limits. Options that are not listed have the values of
/// [`Options::default`].
#[derive(Debug, PartialEq, Deserialize, Serialize)]
struct Golden {
    image: String,
    width: u32,
    height: u32,
    /// `cover`, `contain` or `fill`.
    fit: String,
    /// `png`, `jpeg`, `webp` or `gif`.
    format: String,
    /// `center` or `attention`.
    gravity: String,
    max_bytes: Option<u64>,
    /// Of the thumbnail's bytes, in hexadecimal.
    sha256: String,
    /// The ThumbHash, in hexadecimal.
    placeholder: String,
}

impl Golden {
    fn make(image: &str, options: &Options) -> Self {
        let made = thumbnail(&fixtures::read(image), options, &Limits::default())
            .unwrap_or_else(|error| panic!("{image}: {error}"));
        Self {
            image: image.to_owned(),
            width: options.width,
            height: options.height,
            fit: lower(options.fit),
            format: lower(options.format),
            gravity: lower(options.gravity),
            max_bytes: options.max_bytes,
            sha256: hexadecimal(&Sha256::digest(&made.data)),
            placeholder: hexadecimal(&made.placeholder),
        }
    }
}

fn lower(value: impl std::fmt::Debug) -> String {
    format!("{value:?}").to_lowercase()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every fixture at little reduction and at much, and each option that takes its own way at least once.
fn cases() -> Vec<(String, Options)> {
    let usual = Options::default();
    let small = Options { width: 12, height: 20, fit: Fit::Contain, format: OutputFormat::Webp, ..usual };
    let mut cases: Vec<(String, Options)> =
        fixtures::names().into_iter().flat_map(|name| [(name.clone(), usual), (name, small)]).collect();
    for name in ["baseline-420.jpg", "rgba.png", "animated.gif", "lossless.webp"] {
        for options in [
            Options { width: 40, height: 90, fit: Fit::Fill, format: OutputFormat::Jpeg, ..usual },
            Options { width: 64, height: 64, format: OutputFormat::Gif, ..usual },
            Options { width: 64, height: 32, gravity: Gravity::Attention, ..usual },
            Options { width: 128, height: 128, max_bytes: Some(6000), ..usual },
        ] {
            cases.push((name.to_owned(), options));
        }
    }
    cases
}

#[test]
fn thumbnails_are_the_same_to_the_last_bit() {
    let made: Vec<Golden> = cases().iter().map(|(name, options)| Golden::make(name, options)).collect();
    let path = fixtures::folder().join("golden.json");
    if std::env::var_os("THUMBS_UPDATE_GOLDEN").is_some() {
        let lines: Vec<String> = made.iter().map(|golden| serde_json::to_string(golden).unwrap()).collect();
        std::fs::write(&path, format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
    }
    let listed: Vec<Golden> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let differ: Vec<String> = made
        .iter()
        .zip(&listed)
        .filter(|(made, listed)| made != listed)
        .map(|(made, listed)| format!("{made:?}\ninstead of {listed:?}"))
        .collect();
    assert!(differ.is_empty(), "{} of {} differ:\n{}", differ.len(), made.len(), differ.join("\n"));
    assert_eq!(made.len(), listed.len());
}
