//! What browsers ask beside other clients: whether a page of another origin may, and for headers alone.

use reqwest::{Method, StatusCode};
use thumbs_tests::{client::Reply, home::Home, images, service::Service};

const SHOP: &str = "https://shop.example";
const NO_JOB: &str = "01932c07-20a4-7b3c-8d4e-5f6071829304";

async fn ask(service: &Service, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
    let request = service.client.request(method, path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    service.client.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_allowed_origins_may_use_every_path_and_read_problems() {
    let service = Home::embedded().start_with(|builder| builder.variable("allowed_origins", SHOP)).await;
    let preflight = [
        ("origin", SHOP),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "idempotency-key"),
    ];
    for path in ["/jobs", &format!("/jobs/{NO_JOB}"), &format!("/thumbnails/{NO_JOB}"), "/openapi.json"] {
        let reply = ask(&service, Method::OPTIONS, path, &preflight).await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT, "{path}");
        assert_eq!(reply.header("access-control-allow-origin"), Some(SHOP), "{path}");
        assert!(reply.header("access-control-allow-headers").unwrap().contains("idempotency-key"));
        assert!(reply.header("allow").unwrap().contains("OPTIONS"), "{path}");
        let reply = ask(&service, Method::GET, path, &[("origin", SHOP)]).await;
        assert_eq!(reply.header("access-control-allow-origin"), Some(SHOP), "{path}: {}", reply.status);
        assert!(reply.header("vary").unwrap().contains("Origin"), "{path}");
        for headers in [&[("origin", "https://evil.example")][..], &[]] {
            let reply = ask(&service, Method::GET, path, headers).await;
            assert_eq!(reply.header("access-control-allow-origin"), None, "{path}: {headers:?}");
            assert!(
                reply.header("vary").unwrap().contains("Origin"),
                "{path}: what is kept may be shown to a page"
            );
        }
    }
    let reply = ask(&service, Method::POST, "/jobs", &[("origin", SHOP)]).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(reply.header("access-control-allow-origin"), Some(SHOP), "a problem can be read as well");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_says_so_no_page_of_another_origin_may() {
    let service = Home::embedded().start().await;
    for method in [Method::OPTIONS, Method::GET] {
        let asks = [("origin", SHOP), ("access-control-request-method", "GET")];
        let reply = ask(&service, method, "/jobs", &asks).await;
        assert!(reply.status.is_success());
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_alone_say_how_long_the_thumbnail_is_and_the_connection_goes_on() {
    let service = Home::embedded().start().await;
    let (job, thumbnail) = service.client.thumbnail(&images::png(30, 30), &[]).await;
    let path = format!("/thumbnails/{}", job["job_id"].as_str().unwrap());
    for _ in 0..2 {
        let head = ask(&service, Method::HEAD, &path, &[]).await;
        assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
        for name in ["content-length", "content-type", "etag"] {
            assert_eq!(head.header(name), thumbnail.header(name), "{name}");
        }
    }
}
