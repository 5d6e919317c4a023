//! Bad input gets a clear problem, leaves nothing behind, and does not disturb the next request.

use image::ImageFormat;
use reqwest::{Method, StatusCode};
use thumbs_tests::{client::Reply, home::Home, images, service::Service};

thumbs_tests::in_every_home! {
    an_upload_that_is_no_image_is_refused_and_leaves_nothing,
    a_huge_one_coloured_png_is_refused_by_its_header,
    a_request_without_an_image_is_malformed,
    wrong_options_are_named_and_leave_nothing,
    one_pixel_is_an_image,
    a_jpeg_that_lost_its_last_quarter_gives_a_thumbnail_and_a_warning,
    a_jpeg_that_lost_most_of_itself_fails_its_job,
    an_oversized_upload_is_cut_off_while_it_is_read,
    an_id_that_is_none_is_not_found,
    a_wrong_method_or_path_says_so,
}

fn is_problem(reply: &Reply, status: StatusCode, about: &str) {
    assert_eq!(reply.status, status, "{about}: {}", String::from_utf8_lossy(&reply.body));
    assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{about}");
    let problem = reply.json();
    assert_eq!(problem["status"], status.as_u16(), "{about}");
    for member in ["type", "title", "detail", "correlation_id"] {
        assert!(
            problem[member].as_str().is_some_and(|text| !text.is_empty()),
            "{about} has no {member}: {problem}"
        );
    }
    assert_eq!(problem["correlation_id"].as_str(), reply.header("x-request-id"), "{about}");
}

/// No row, and no blob once the service has nothing more to do.
async fn nothing_is_left_of_it(home: &Home, service: &Service, about: &str) {
    let jobs = service.client.get("/jobs").await.json();
    assert_eq!(jobs["jobs"].as_array().unwrap().len(), 0, "{about} left a job");
    assert_eq!(home.blobs().await, Vec::<String>::new(), "{about} left a blob");
}

async fn an_upload_that_is_no_image_is_refused_and_leaves_nothing(home: Home) {
    let service = home.start().await;
    let truncated_early = images::jpeg(640, 480)[..200].to_vec();
    let cases: Vec<(&str, Vec<u8>, StatusCode)> = vec![
        ("an empty file", vec![], StatusCode::UNPROCESSABLE_ENTITY),
        ("a text named .png", b"not a picture at all".to_vec(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("an SVG", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("a JPEG that ends in its headers", truncated_early, StatusCode::UNPROCESSABLE_ENTITY),
        (
            "a small PNG that claims 16384x16384",
            images::png_claiming(16_384, 16_384, b"x"),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        ("a PNG of no pixels", images::png_claiming(0, 10, b"x"), StatusCode::UNPROCESSABLE_ENTITY),
        ("a GIF without frames", images::gif_without_frames(), StatusCode::UNPROCESSABLE_ENTITY),
    ];
    for (about, upload, status) in cases {
        let reply = service.client.upload(&upload, &[]).await;
        if about == "an empty file" {
            assert!(reply.status.is_client_error(), "{about}");
        } else {
            is_problem(&reply, status, about);
        }
        nothing_is_left_of_it(&home, &service, about).await;
    }
    service.client.thumbnail(&images::png(20, 20), &[]).await;
}

async fn a_huge_one_coloured_png_is_refused_by_its_header(home: Home) {
    let service = home.start().await;
    let upload = images::one_coloured_png(16_384, 16_384);
    assert!(upload.len() < 1_000_000, "the point is that the file is small: {} bytes", upload.len());
    is_problem(&service.client.upload(&upload, &[]).await, StatusCode::UNPROCESSABLE_ENTITY, "16384x16384");
    nothing_is_left_of_it(&home, &service, "16384x16384").await;
}

async fn a_request_without_an_image_is_malformed(home: Home) {
    let service = home.start().await;
    let empty = service.client.request(Method::POST, "/jobs");
    is_problem(&service.client.send(empty).await, StatusCode::BAD_REQUEST, "an empty body");

    let no_image = reqwest::multipart::Form::new().text("width", "100");
    let no_image = service.client.request(Method::POST, "/jobs").multipart(no_image);
    is_problem(&service.client.send(no_image).await, StatusCode::BAD_REQUEST, "a form without an image");

    let broken = service
        .client
        .request(Method::POST, "/jobs")
        .header("content-type", "multipart/form-data; boundary=x")
        .body("--x\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nno end");
    is_problem(&service.client.send(broken).await, StatusCode::BAD_REQUEST, "a form that does not end");
    nothing_is_left_of_it(&home, &service, "malformed requests").await;
}

async fn wrong_options_are_named_and_leave_nothing(home: Home) {
    let service = home.start().await;
    let upload = images::png(20, 20);
    for (name, value) in [
        ("width", "0"),
        ("width", "99999"),
        ("width", "-1"),
        ("height", "1e3"),
        ("height", ""),
        ("fit", "x"),
        ("format", "bmp"),
        ("colour", "blue"),
    ] {
        let reply = service.client.upload(&upload, &[(name, value)]).await;
        is_problem(&reply, StatusCode::BAD_REQUEST, &format!("{name}={value}"));
        let detail = reply.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(name), "{name}={value} is not named: {detail}");
    }
    nothing_is_left_of_it(&home, &service, "wrong options").await;
}

async fn one_pixel_is_an_image(home: Home) {
    let service = home.start().await;
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
        let (job, _) = service.client.thumbnail(&images::encoded(images::corners(1, 1), format), &[]).await;
        assert_eq!(job["result"]["width"], 100, "{format:?}");
        assert!(job["result"]["warnings"].as_array().unwrap().contains(&"enlarged".into()), "{job}");
    }
}

async fn a_jpeg_that_lost_its_last_quarter_gives_a_thumbnail_and_a_warning(home: Home) {
    let service = home.start().await;
    let whole = images::noisy_jpeg(640, 480);
    let (job, _) = service.client.thumbnail(&whole[..whole.len() * 3 / 4], &[]).await;
    assert!(job["result"]["warnings"].as_array().unwrap().contains(&"truncated".into()), "{job}");
}

async fn a_jpeg_that_lost_most_of_itself_fails_its_job(home: Home) {
    let service = home.start().await;
    let whole = images::noisy_jpeg(640, 480);
    let id = service.client.submit(&whole[..whole.len() / 4], &[]).await;
    let job = service.client.finished(&id).await;
    assert_eq!(job["status"], "failed");
    assert_eq!(job["attempts"], 1, "trying again would not help: {job}");
    assert!(job["error"]["code"].is_string() && job["error"]["message"].is_string(), "{job}");
    is_problem(
        &service.client.get(&format!("/thumbnails/{id}")).await,
        StatusCode::GONE,
        "a failed thumbnail",
    );
}

async fn an_oversized_upload_is_cut_off_while_it_is_read(home: Home) {
    let service = home.start().await;
    // Ten times the bound: what is on its way while a busy machine gets round to the answer is not all of it.
    let size = 320 * 1024 * 1024;
    let sent = thumbs_tests::slow::post_until_refused(service.address(), "/jobs", size).await;
    assert_eq!(sent.status, 413, "{}", sent.response);
    assert!(sent.response.contains("application/problem+json"), "{}", sent.response);
    assert!(sent.bytes < size, "the answer came only after all {size} bytes were sent");
    nothing_is_left_of_it(&home, &service, "an oversized upload").await;
}

async fn an_id_that_is_none_is_not_found(home: Home) {
    let service = home.start().await;
    for id in [
        "01900000-0000-7000-8000-000000000000",
        "x",
        "..%2f..%2fetc%2fpasswd",
        "0190000000007000800000000000000",
        "'%20OR%201=1--",
    ] {
        for path in [format!("/jobs/{id}"), format!("/thumbnails/{id}")] {
            is_problem(&service.client.get(&path).await, StatusCode::NOT_FOUND, &path);
        }
    }
    // A client would take the dots out of the path by itself.
    for path in ["/jobs/%2e%2e", "/thumbnails/%2e%2e", "/thumbnails/../../../etc/passwd"] {
        let raw = thumbs_tests::slow::get_raw(service.address(), path).await;
        assert!(raw.starts_with("HTTP/1.1 404") || raw.starts_with("HTTP/1.1 400"), "{path}: {raw}");
    }
}

async fn a_wrong_method_or_path_says_so(home: Home) {
    let service = home.start().await;
    let delete = service.client.send(service.client.request(Method::PUT, "/jobs")).await;
    is_problem(&delete, StatusCode::METHOD_NOT_ALLOWED, "PUT /jobs");
    assert!(delete.header("allow").unwrap().contains("POST"));
    is_problem(&service.client.get("/nowhere").await, StatusCode::NOT_FOUND, "/nowhere");
}
