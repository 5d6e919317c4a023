//! Several thumbnails of one image in one job, and one in the format that a client takes.

use reqwest::{Method, StatusCode, header};
use thumbs_tests::{client::Reply, home::Home, images, service::Service};

thumbs_tests::in_every_home! {
    a_job_makes_all_its_variants_and_leaves_none,
    another_job_is_made_of_an_original_that_is_kept,
    a_client_gets_the_format_that_it_takes,
}

const VARIANTS: &str = r#"[{"name":"small","width":40},{"name":"card","width":120,"height":60,"fit":"contain","format":"webp"},{"name":"still","animated":false,"format":"jpeg"}]"#;

async fn ask(service: &Service, method: Method, path: &str) -> Reply {
    service.client.send(service.client.request(method, path)).await
}

async fn a_job_makes_all_its_variants_and_leaves_none(home: Home) {
    let service = home.start().await;
    let image = images::png(300, 200);
    let blobs = home.blobs().await;
    let (job, first) = service.client.thumbnail(&image, &[("height", "40"), ("variants", VARIANTS)]).await;
    let made = job["variants"].as_array().unwrap();
    let shown: Vec<_> = made
        .iter()
        .map(|made| {
            (
                made["name"].as_str().unwrap(),
                made["width"].as_u64().unwrap(),
                made["height"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(shown, [("small", 40, 40), ("card", 120, 60), ("still", 100, 40)], "{home}");
    assert_eq!(job["result"]["sha256"], made[0]["sha256"]);
    for made in made {
        let url = made["url"].as_str().unwrap();
        let reply = service.client.get(url).await;
        assert_eq!(
            (reply.status, reply.body.len() as u64),
            (StatusCode::OK, made["bytes"].as_u64().unwrap())
        );
        assert_eq!(reply.header("content-type"), made["content_type"].as_str());
        let etag = format!("\"{}\"", made["sha256"].as_str().unwrap());
        assert_eq!(reply.header("etag"), Some(etag.as_str()));
        let head = ask(&service, Method::HEAD, url).await;
        assert_eq!((head.status, head.header("etag")), (StatusCode::OK, Some(etag.as_str())));
    }
    assert_eq!(service.client.get(made[0]["url"].as_str().unwrap()).await.body, first.body);
    // A PNG is decoded as it is, so that each is what it is alone.
    let (_, alone) = service
        .client
        .thumbnail(&image, &[("width", "120"), ("height", "60"), ("fit", "contain"), ("format", "webp")])
        .await;
    assert_eq!(service.client.get(made[1]["url"].as_str().unwrap()).await.body, alone.body, "{home}");

    let path = job["links"]["self"].as_str().unwrap();
    assert_eq!(
        service.client.get(&format!("{}/none", job["links"]["thumbnail"].as_str().unwrap())).await.status,
        404
    );
    assert_eq!(ask(&service, Method::DELETE, path).await.status, StatusCode::NO_CONTENT);
    let alone = 2;
    home.blobs_become("all of them are gone", |left| left.len() == blobs.len() + alone).await;
    assert_eq!(service.client.get(made[1]["url"].as_str().unwrap()).await.status, StatusCode::NOT_FOUND);

    let two_too_large =
        r#"[{"name":"a","width":2048,"height":1500},{"name":"b","width":1500,"height":2048}]"#;
    let refused = service.client.upload(&image, &[("variants", two_too_large)]).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["code"]),
        (422, &"image-over-limit".into()),
        "{home}"
    );
    let wrong = r#"[{"name":"a"},{"name":"b","lossless":true,"format":"gif"}]"#;
    let refused = service.client.upload(&image, &[("variants", wrong)]).await;
    assert!(refused.json()["detail"].as_str().unwrap().contains("variant \"b\""), "{}", refused.json());
    // One that can't be made fails the job, which says which.
    let tight = r#"[{"name":"a"},{"name":"b","max_bytes":9}]"#;
    let failed = service.client.finished(&service.client.submit(&image, &[("variants", tight)]).await).await;
    assert_eq!(failed["error"]["code"], "budget-unreachable", "{home}");
    assert!(failed["error"]["message"].as_str().unwrap().contains("variant \"b\""), "{failed}");
}

async fn another_job_is_made_of_an_original_that_is_kept(home: Home) {
    let service = home.start().await;
    let (first, _) = service.client.thumbnail(&images::jpeg(300, 200), &[]).await;
    let id = first["job_id"].as_str().unwrap();
    let path = format!("/jobs?source={id}&width=50&format=webp&wait=30");
    let second = ask(&service, Method::POST, &path).await;
    let job = second.json();
    assert_eq!((second.status, &job["status"]), (StatusCode::OK, &"succeeded".into()), "{home}: {job}");
    assert_eq!((&job["source"], &job["result"]["width"]), (&first["source"], &50.into()));
    assert_ne!(job["job_id"], first["job_id"]);
    assert_eq!(ask(&service, Method::DELETE, &format!("/jobs/{id}")).await.status, StatusCode::NO_CONTENT);
    home.blobs_become("the second has all of its own", |left| left.len() == 2).await;
    let thumbnail = service.client.get(job["links"]["thumbnail"].as_str().unwrap()).await;
    assert_eq!(thumbnail.status, StatusCode::OK);
    let gone = ask(&service, Method::POST, &path).await;
    assert_eq!((gone.status.as_u16(), &gone.json()["code"]), (404, &"not-found".into()), "{home}");
}

async fn a_client_gets_the_format_that_it_takes(home: Home) {
    let service = home.start().await;
    for (image, other) in
        [(images::jpeg(300, 200), "image/jpeg"), (images::half_transparent_png(300, 200), "image/png")]
    {
        let (job, plain) = service.client.thumbnail(&image, &[("format", "auto")]).await;
        let path = job["links"]["thumbnail"].as_str().unwrap();
        assert_eq!(
            (plain.header("content-type"), &job["result"]["content_type"]),
            (Some(other), &other.into())
        );
        assert_eq!(job["result"]["webp"]["content_type"], "image/webp");
        let with = async |accept: &str| {
            let request = service.client.request(Method::GET, path).header(header::ACCEPT, accept);
            service.client.send(request).await
        };
        let webp = with("image/webp").await;
        assert_eq!(webp.header("content-type"), Some("image/webp"), "{home}");
        assert_eq!(
            (&webp.body[..4], webp.body.len() as u64),
            (&b"RIFF"[..], job["result"]["webp"]["bytes"].as_u64().unwrap())
        );
        let vary: Vec<_> = webp.headers.get_all(header::VARY).iter().collect();
        assert!(vary.iter().any(|value| value.to_str().unwrap().contains("Accept")), "{home}: {vary:?}");
        assert_ne!(webp.header("etag"), plain.header("etag"));
        assert_eq!(with("image/webp;q=0.2,image/png,image/jpeg").await.body, plain.body);
        let smaller = if plain.body.len() < webp.body.len() { &plain } else { &webp };
        let alike = with("image/avif,image/webp,image/apng,image/*,*/*;q=0.8").await;
        assert_eq!((&alike.body, alike.header("etag")), (&smaller.body, smaller.header("etag")), "{home}");
        assert_eq!(with("application/json").await.status, StatusCode::OK, "never 406");
    }
    let image = images::jpeg(200, 300);
    let waited = service.client.request(Method::POST, "/jobs?format=auto&wait=30");
    let waited = waited.header(header::ACCEPT, "image/webp,*/*;q=0.1").body(image);
    let waited = service.client.send(waited).await;
    assert_eq!((waited.status.as_u16(), waited.header("content-type")), (200, Some("image/webp")), "{home}");
}
