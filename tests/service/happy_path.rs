//! An upload of every accepted kind becomes the thumbnail that was asked for.

use image::{GenericImageView, ImageFormat};
use reqwest::{Method, StatusCode};
use thumbs_tests::{home::Home, images};

thumbs_tests::in_every_home! {
    each_format_in_becomes_a_100x100_png,
    each_format_out_is_what_it_says,
    each_fit_gives_exactly_the_size_asked_for,
    transparency_is_kept_without_dark_fringes,
    each_exif_orientation_is_turned_upright,
    a_raw_body_is_taken_as_well_as_a_form,
    one_call_gives_the_thumbnail_to_who_waits,
    a_job_tells_what_it_took,
    a_download_can_be_cached_and_asked_again_cheaply,
    the_request_id_of_an_upload_stays_with_its_job,
}

/// The colours of [`images::corners`], looked up near the corners of a thumbnail, clockwise from the top left.
fn corner_colours(thumbnail: &[u8]) -> [&'static str; 4] {
    let picture = image::load_from_memory(thumbnail).unwrap();
    let (right, bottom) =
        (picture.width() - 1 - picture.width() / 8, picture.height() - 1 - picture.height() / 8);
    let (left, top) = (picture.width() / 8, picture.height() / 8);
    [(left, top), (right, top), (right, bottom), (left, bottom)].map(|(x, y)| {
        let [red, green, blue, _] = picture.get_pixel(x, y).0;
        match (red > 128, green > 128, blue > 128) {
            (true, false, false) => "red",
            (false, true, false) => "green",
            (false, false, true) => "blue",
            (true, true, true) => "white",
            _ => "something else",
        }
    })
}

async fn each_format_in_becomes_a_100x100_png(home: Home) {
    let service = home.start().await;
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        let upload = images::encoded(images::corners(400, 300), format);
        let (job, reply) = service.client.thumbnail(&upload, &[]).await;
        assert_eq!(reply.header("content-type"), Some("image/png"), "{format:?}");
        assert_eq!(image::guess_format(&reply.body).unwrap(), ImageFormat::Png);
        assert_eq!(image::load_from_memory(&reply.body).unwrap().dimensions(), (100, 100), "{format:?}");
        assert_eq!(corner_colours(&reply.body), ["red", "green", "white", "blue"], "{format:?}");
        assert_eq!((&job["source"]["width"], &job["source"]["height"]), (&400.into(), &300.into()));
        assert_eq!(job["result"]["bytes"], reply.body.len());
    }
}

async fn one_call_gives_the_thumbnail_to_who_waits(home: Home) {
    let service = home.start().await;
    let post = |image: Vec<u8>, accept: &'static str| {
        let request = service.client.request(Method::POST, "/jobs?wait=30").header("accept", accept);
        service.client.send(request.body(image))
    };
    let reply = post(images::png(40, 30), "image/*").await;
    assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, Some("image/png")), "{home}");
    assert_eq!(image::load_from_memory(&reply.body).unwrap().dimensions(), (100, 100), "{home}");
    let job = service.client.get(reply.header("location").unwrap()).await.json();
    assert_eq!((&job["status"], &job["result"]["bytes"]), (&"succeeded".into(), &reply.body.len().into()));
    let reply = post(images::png(40, 30), "*/*").await;
    assert_eq!((reply.status, &reply.json()["status"]), (StatusCode::OK, &"succeeded".into()), "{home}");
    let reply = post(images::png_with_broken_pixels(30, 30), "image/*").await;
    assert_eq!((reply.status, &reply.json()["code"]), (StatusCode::GONE, &"job-failed".into()), "{home}");
}

async fn each_format_out_is_what_it_says(home: Home) {
    let service = home.start().await;
    let upload = images::jpeg(640, 480);
    for (name, format, media_type) in [
        ("png", ImageFormat::Png, "image/png"),
        ("jpeg", ImageFormat::Jpeg, "image/jpeg"),
        ("webp", ImageFormat::WebP, "image/webp"),
        ("gif", ImageFormat::Gif, "image/gif"),
    ] {
        let (_, reply) = service.client.thumbnail(&upload, &[("format", name)]).await;
        assert_eq!(reply.header("content-type"), Some(media_type));
        assert_eq!(image::guess_format(&reply.body).unwrap(), format);
        assert_eq!(corner_colours(&reply.body), ["red", "green", "white", "blue"], "{name}");
    }
}

async fn each_fit_gives_exactly_the_size_asked_for(home: Home) {
    let service = home.start().await;
    let upload = images::png(300, 100);
    for fit in ["cover", "contain", "fill"] {
        let options = [("fit", fit), ("width", "60"), ("height", "80")];
        let (_, reply) = service.client.thumbnail(&upload, &options).await;
        let picture = image::load_from_memory(&reply.body).unwrap();
        assert_eq!(picture.dimensions(), (60, 80), "{fit}");
        let top_alpha = picture.get_pixel(30, 0).0[3];
        assert_eq!(top_alpha, if fit == "contain" { 0 } else { 255 }, "{fit}");
    }
}

async fn transparency_is_kept_without_dark_fringes(home: Home) {
    let service = home.start().await;
    let (_, reply) = service.client.thumbnail(&images::half_transparent_png(510, 510), &[]).await;
    let picture = image::load_from_memory(&reply.body).unwrap().to_rgba8();
    assert_eq!(picture.get_pixel(5, 50).0, [255, 0, 0, 255]);
    assert_eq!(picture.get_pixel(95, 50).0[3], 0);
    for pixel in picture.pixels().filter(|pixel| pixel.0[3] > 8) {
        assert!(pixel.0[0] > 240, "a dark fringe: {pixel:?}");
    }
}

async fn each_exif_orientation_is_turned_upright(home: Home) {
    let service = home.start().await;
    for orientation in 1..=8 {
        let upload = images::jpeg_stored_as(orientation, 320, 240);
        let (job, reply) = service.client.thumbnail(&upload, &[]).await;
        assert_eq!(
            corner_colours(&reply.body),
            ["red", "green", "white", "blue"],
            "orientation {orientation}"
        );
        assert_eq!(
            (&job["source"]["width"], &job["source"]["height"]),
            (&320.into(), &240.into()),
            "the size as shown, orientation {orientation}"
        );
    }
}

async fn a_raw_body_is_taken_as_well_as_a_form(home: Home) {
    let service = home.start().await;
    let request = service
        .client
        .request(Method::POST, "/jobs?width=50&height=50&format=jpeg")
        .header("content-type", "image/png")
        .body(images::png(200, 200));
    let reply = service.client.send(request).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    let id = reply.json()["job_id"].as_str().unwrap().to_owned();
    assert_eq!(reply.header("location"), Some(format!("/jobs/{id}").as_str()));
    let job = service.client.finished(&id).await;
    assert_eq!((&job["result"]["width"], &job["result"]["height"]), (&50.into(), &50.into()));
    assert_eq!(job["result"]["content_type"], "image/jpeg");
}

async fn a_job_tells_what_it_took(home: Home) {
    let service = home.start().await;
    let (job, _) = service.client.thumbnail(&images::jpeg(1600, 1200), &[]).await;
    assert_eq!(job["attempts"], 1);
    assert_eq!(job["cost"]["pixels"], 1600 * 1200);
    assert_eq!(job["cost"]["frames"], 1);
    assert!(job["cost"]["peak_memory_bytes"].as_u64().unwrap() >= 65_536, "{job}");
    assert!(job["cost"]["total_ms"].as_f64().unwrap() > 0.0, "{job}");
    assert!(job["result"]["placeholder"].as_str().unwrap().len() > 4, "{job}");
}

async fn a_download_can_be_cached_and_asked_again_cheaply(home: Home) {
    let service = home.start().await;
    let (job, reply) = service.client.thumbnail(&images::png(300, 300), &[]).await;
    let path = format!("/thumbnails/{}", job["job_id"].as_str().unwrap());
    let etag = reply.header("etag").unwrap().to_owned();
    assert!(reply.header("cache-control").unwrap().contains("max-age="));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert!(reply.header("content-security-policy").unwrap().contains("default-src 'none'"));

    let again = service.client.request(Method::GET, &path).header("if-none-match", &etag);
    let again = service.client.send(again).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(again.header("etag"), Some(etag.as_str()));

    let head = service.client.send(service.client.request(Method::HEAD, &path)).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("content-length"), Some(reply.body.len().to_string().as_str()));
    assert_eq!(head.header("etag"), Some(etag.as_str()));
}

async fn the_request_id_of_an_upload_stays_with_its_job(home: Home) {
    let service = home.start().await;
    let request = service
        .client
        .request(Method::POST, "/jobs")
        .header("x-request-id", "order-4711")
        .header("content-type", "image/png")
        .body(images::png(20, 20));
    let reply = service.client.send(request).await;
    assert_eq!(reply.header("x-request-id"), Some("order-4711"));
    let id = reply.json()["job_id"].as_str().unwrap().to_owned();
    assert_eq!(service.client.finished(&id).await["correlation_id"], "order-4711");
}
