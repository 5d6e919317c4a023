//! The same bytes natively and in the sandbox: the two builds take different ways through the hot loops (simd128 on one side), and a
//! thumbnail must not depend on it. What the pictures should look like is tested beside the code; here every test of the native build is
//! made to count for the wasm that ships.

use std::path::PathBuf;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use image::ImageFormat;
use serde_json::Value;
use thumbs_imaging::options::{Fit, Limits, Options, OutputFormat};
use thumbs_tests::{images, service::Service};

/// Where imaging and its codecs keep images.
const FOLDERS: [&str; 4] = [
    "components/imaging/tests/fixtures",
    "components/imaging/tests/fixtures/hostile",
    "crates/codecs/jpeg/tests/fixtures",
    "crates/codecs/webp/tests/fixtures",
];

/// Images of all kinds: made here, and the fixtures of imaging and its codecs.
fn pictures() -> Vec<(String, Vec<u8>)> {
    let mut pictures = vec![
        ("jpeg".to_owned(), images::jpeg(1237, 811)),
        ("small jpeg".to_owned(), images::jpeg(97, 64)),
        ("noisy jpeg".to_owned(), images::noisy_jpeg(403, 307)),
        ("turned jpeg".to_owned(), images::jpeg_stored_as(6, 640, 480)),
        ("png".to_owned(), images::png(1001, 333)),
        ("png with alpha".to_owned(), images::half_transparent_png(257, 511)),
        ("gif".to_owned(), images::encoded(images::corners(320, 200), ImageFormat::Gif)),
        ("webp".to_owned(), images::encoded(images::corners(777, 555), ImageFormat::WebP)),
        ("one pixel".to_owned(), images::png(1, 1)),
    ];
    let mut fixtures: Vec<PathBuf> = FOLDERS
        .iter()
        .flat_map(|folder| {
            let folder = thumbs_tests::repository_root().join(folder);
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())
        })
        .filter(|path| {
            path.extension()
                .is_some_and(|end| ["jpg", "png", "gif", "webp"].iter().any(|known| end == *known))
        })
        .collect();
    fixtures.sort();
    pictures
        .extend(fixtures.into_iter().map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())));
    pictures
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_gives_the_bytes_of_the_native_build() {
    let service = Service::start().await;
    let ways = [
        (OutputFormat::Png, "png", Fit::Cover, "cover"),
        (OutputFormat::Jpeg, "jpeg", Fit::Contain, "contain"),
        (OutputFormat::Webp, "webp", Fit::Fill, "fill"),
        (OutputFormat::Gif, "gif", Fit::Cover, "cover"),
    ];
    let mut compared = 0;
    for (name, picture) in pictures() {
        for (format, format_name, fit, fit_name) in ways {
            let options = Options { format, fit, ..Options::default() };
            // What can't be decoded is the subject of other tests.
            let Ok(native) = thumbs_imaging::thumbnail(&picture, &options, &Limits::default()) else {
                continue;
            };
            let asked = [("format", format_name), ("fit", fit_name)];
            let (_, reply) = service.client.thumbnail(&picture, &asked).await;
            assert!(
                reply.body == native.data,
                "{name} to {format_name}: the sandbox and the native build differ"
            );
            compared += 1;
        }
    }
    assert!(compared >= 300, "only {compared} thumbnails were compared");
}

/// `golden.json` holds the native build's; here the list is held against the component.
#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_gives_the_listed_digests() {
    let service = Service::start().await;
    let fixtures = thumbs_tests::repository_root().join("components/imaging/tests/fixtures");
    let listed = std::fs::read(fixtures.join("golden.json")).unwrap();
    let listed: Vec<Value> = serde_json::from_slice(&listed).unwrap();
    assert!(listed.len() > 80, "only {} are listed", listed.len());
    for golden in listed {
        let image = std::fs::read(fixtures.join(golden["image"].as_str().unwrap())).unwrap();
        let asked: Vec<(&str, String)> = ["width", "height", "fit", "format", "gravity", "max_bytes"]
            .into_iter()
            .filter_map(|name| match &golden[name] {
                Value::Null => None,
                Value::String(word) => Some((name, word.clone())),
                number => Some((name, number.to_string())),
            })
            .collect();
        let asked: Vec<(&str, &str)> = asked.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (job, _) = service.client.thumbnail(&image, &asked).await;
        assert_eq!(job["result"]["sha256"], golden["sha256"], "{golden}");
        let placeholder = BASE64_STANDARD.decode(job["result"]["placeholder"].as_str().unwrap()).unwrap();
        let hexadecimal: String = placeholder.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hexadecimal, golden["placeholder"].as_str().unwrap(), "{golden}");
    }
}

/// The same of pictures that several components make together.
#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_gives_the_listed_digests_of_heic_and_avif() {
    let service = Service::start().await;
    let fixtures = thumbs_tests::repository_root().join("components/imaging/tests/fixtures/heif");
    let listed: Value =
        serde_json::from_slice(&std::fs::read(fixtures.join("golden.json")).unwrap()).unwrap();
    let listed = listed.as_object().unwrap();
    assert!(listed.len() > 40, "only {} are listed", listed.len());
    for (name, digest) in listed {
        let image = std::fs::read(fixtures.join(name)).unwrap();
        let (job, _) = service.client.thumbnail(&image, &[]).await;
        assert_eq!(job["result"]["sha256"], *digest, "{name}");
    }
}
