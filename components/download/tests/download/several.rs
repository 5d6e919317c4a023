//! Thumbnails of which there are several under one job, or in several formats under one address.

use thumbs_domain::format::OutputFormat;
use thumbs_domain::id::{JobId, WorkerId};
use thumbs_domain::job::{NamedThumbnail, Thumbnail};
use thumbs_domain::object_key::ObjectKey;
use thumbs_domain::options::Draft;
use thumbs_domain::variant::VariantName;
use thumbs_guest::blobs::Blobs;
use thumbs_guest::digest::sha256;
use thumbs_guest::jobs::{JobStore, Lease, Life};
use thumbs_guest::recipe::Recipe;
use thumbs_guest::testing::{ManualClock, MemoryBlobs, POLICY, cost, memory_store, new_job, thumbnail_of};

use crate::ask;

fn put(store: &dyn JobStore, variants: &str) -> JobId {
    let mut draft = Draft::new(2048);
    draft.set("variants", variants).unwrap();
    let mut job = new_job();
    job.options = draft.finish(1);
    store.create(&job).unwrap();
    job.id
}

/// Makes these of the job that is due, each of its own name as bytes; and of the last one WebP beside them.
fn make(store: &dyn Life, blobs: &MemoryBlobs, job: &JobId, names: &[&str]) {
    let worker = WorkerId::new("of-the-test");
    store.claim(&worker, &POLICY, ManualClock::START).unwrap();
    let stored = |data: &str, format: OutputFormat| {
        let thumbnail = Thumbnail { format, ..thumbnail_of(data.as_bytes()) };
        let key = ObjectKey::thumbnail(job, &thumbnail.sha256);
        blobs.put(&key, format.content_type(), data.as_bytes()).unwrap();
        thumbnail
    };
    let mut named: Vec<_> = names
        .iter()
        .map(|name| NamedThumbnail {
            name: VariantName::parse(name).unwrap(),
            thumbnail: stored(name, OutputFormat::Png),
        })
        .collect();
    named.last_mut().unwrap().thumbnail.webp = Some(Box::new(stored("webp", OutputFormat::Webp)));
    let made = Thumbnail::of_variants(named).unwrap();
    let recipe = Recipe::from_digest(sha256(b"a recipe"));
    let lease = Lease { job, worker: &worker };
    assert_eq!(store.succeed(lease, &made, &cost(), &recipe, ManualClock::START), Ok(true));
}

#[test]
fn each_variant_has_an_address_and_the_first_is_the_jobs() {
    let ((store, _), blobs) = (memory_store(), MemoryBlobs::default());
    let job = put(&store, r#"[{"name":"small"},{"name":"card"}]"#);
    let pending = ask(&store, &blobs, "GET", &format!("{job}/card"), &[]);
    assert_eq!((pending.status, pending.code().as_str()), (409, "not-ready"));
    make(&store, &blobs, &job, &["small", "card"]);
    for (path, data) in
        [(job.to_string(), "small"), (format!("{job}/small"), "small"), (format!("{job}/card"), "card")]
    {
        let answer = ask(&store, &blobs, "GET", &path, &[]);
        assert_eq!((answer.status, answer.text.as_str()), (200, data), "{path}");
        let etag = format!("\"{}\"", sha256(data.as_bytes()));
        assert_eq!(answer.header("etag"), etag);
        assert_eq!(ask(&store, &blobs, "GET", &path, &[("if-none-match", &etag)]).status, 304);
        let head = ask(&store, &blobs, "HEAD", &path, &[]);
        assert_eq!((head.status, head.header("content-length")), (200, data.len().to_string().as_str()));
        let part = ask(&store, &blobs, "GET", &path, &[("range", "bytes=1-")]);
        assert_eq!((part.status, part.text.as_str()), (206, &data[1..]));
    }
    let card = ask(&store, &blobs, "GET", &format!("{job}/card"), &[]);
    assert_eq!(card.header("content-disposition"), format!("inline; filename=\"thumbnail-{job}-card.png\""));
    for path in
        [format!("{job}/other"), format!("{job}/small/x"), "x/small".to_owned(), format!("{job}/SMALL")]
    {
        let answer = ask(&store, &blobs, "GET", &path, &[]);
        assert_eq!((answer.status, answer.code().as_str()), (404, "not-found"), "{path}");
    }
}

#[test]
fn a_job_without_variants_has_no_thumbnail_of_a_name() {
    let ((store, _), blobs) = (memory_store(), MemoryBlobs::default());
    let job = crate::finished(&store, &blobs);
    assert_eq!(ask(&store, &blobs, "GET", &format!("{job}/small"), &[]).status, 404);
}

/// As a replica of before leaves it, which knows no variants.
#[test]
fn a_variant_that_was_not_made_is_gone() {
    let ((store, _), blobs) = (memory_store(), MemoryBlobs::default());
    let job = put(&store, r#"[{"name":"small"},{"name":"card"}]"#);
    make(&store, &blobs, &job, &["small"]);
    let answer = ask(&store, &blobs, "GET", &format!("{job}/card"), &[]);
    assert_eq!((answer.status, answer.code().as_str()), (410, "thumbnail-gone"));
}

#[test]
fn who_takes_webp_gets_it_and_caches_are_told() {
    let ((store, _), blobs) = (memory_store(), MemoryBlobs::default());
    let job = put(&store, r#"[{"name":"other"},{"name":"auto","format":"auto"}]"#);
    make(&store, &blobs, &job, &["other", "auto"]);
    let path = format!("{job}/auto");
    for (accept, data, content_type) in [
        (Some("image/avif,image/webp,*/*;q=0.8"), "webp", "image/webp"),
        (Some("image/webp;q=0.5, image/png;q=0.9"), "auto", "image/png"),
        (Some("*/*"), "auto", "image/png"),
        (Some("text/html"), "auto", "image/png"),
        (None, "auto", "image/png"),
    ] {
        let headers: Vec<_> = accept.map(|accept| ("accept", accept)).into_iter().collect();
        let etag = format!("\"{}\"", sha256(data.as_bytes()));
        for method in ["GET", "HEAD"] {
            let answer = ask(&store, &blobs, method, &path, &headers);
            assert_eq!((answer.status, answer.header("content-type")), (200, content_type), "{accept:?}");
            assert_eq!((answer.header("etag"), answer.header("vary")), (etag.as_str(), "Accept"));
        }
        assert_eq!(ask(&store, &blobs, "GET", &path, &headers).text, data);
        let known = [&headers[..], &[("if-none-match", etag.as_str())]].concat();
        let answer = ask(&store, &blobs, "GET", &path, &known);
        assert_eq!((answer.status, answer.header("vary")), (304, "Accept"), "{accept:?}");
        let part = [&headers[..], &[("range", "bytes=1-2")]].concat();
        let answer = ask(&store, &blobs, "GET", &path, &part);
        assert_eq!((answer.status, answer.header("vary")), (206, "Accept"), "{accept:?}");
        assert_eq!((answer.header("etag"), answer.text.as_str()), (etag.as_str(), &data[1..3]));
        let nothing = [&headers[..], &[("range", "bytes=4-")]].concat();
        let answer = ask(&store, &blobs, "GET", &path, &nothing);
        assert_eq!((answer.status, answer.header("vary")), (416, "Accept"), "{accept:?}");
        assert_eq!((answer.header("etag"), answer.header("content-range")), (etag.as_str(), "bytes */4"));
    }
    let plain = ask(&store, &blobs, "GET", &job.to_string(), &[("accept", "image/webp")]);
    assert_eq!((plain.text.as_str(), plain.header("vary")), ("other", ""), "it is there once");
    blobs.delete(&ObjectKey::thumbnail(&job, &sha256(b"webp"))).unwrap();
    let gone = ask(&store, &blobs, "GET", &path, &[("accept", "image/webp")]);
    assert_eq!((gone.status, gone.header("vary"), gone.header("etag")), (410, "Accept", ""));
    assert_eq!(ask(&store, &blobs, "GET", &path, &[]).status, 200, "the other is there");
}

#[test]
fn of_what_a_client_takes_alike_it_gets_the_smaller() {
    let ((store, _), blobs) = (memory_store(), MemoryBlobs::default());
    for (name, alike, rather_webp) in [("jpg", "jpg", "webp"), ("large", "webp", "webp")] {
        let job = put(&store, &format!(r#"[{{"name":"{name}","format":"auto"}}]"#));
        make(&store, &blobs, &job, &[name]);
        for (accept, data) in [
            ("image/avif,image/webp,image/apng,image/*,*/*;q=0.8", alike),
            ("image/webp,image/*;q=0.8", rather_webp),
            ("image/webp;q=0.5,image/png", name),
            ("image/png", name),
        ] {
            let answer = ask(&store, &blobs, "GET", &format!("{job}/{name}"), &[("accept", accept)]);
            let etag = format!("\"{}\"", sha256(data.as_bytes()));
            assert_eq!((answer.text.as_str(), answer.header("etag")), (data, etag.as_str()), "{accept}");
            assert_eq!(answer.header("vary"), "Accept");
        }
    }
}
