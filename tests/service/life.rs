//! The end of a job, and its second beginning: it is deleted, tried again, or kept no longer.

use reqwest::{Method, StatusCode};
use thumbs_tests::{client::Reply, home::Home, images, service::Service};

thumbs_tests::in_every_home! {
    of_a_deleted_job_nothing_is_left,
    a_failed_job_is_tried_again,
    what_is_kept_no_longer_goes_by_itself,
}

async fn ask(service: &Service, method: Method, path: &str) -> Reply {
    service.client.send(service.client.request(method, path)).await
}

async fn of_a_deleted_job_nothing_is_left(home: Home) {
    let service = home.start().await;
    let (kept, _) = service.client.thumbnail(&images::png(40, 30), &[]).await;
    let blobs = home.blobs().await;
    let (job, _) = service.client.thumbnail(&images::png(30, 40), &[]).await;
    let (path, thumbnail) =
        (job["links"]["self"].as_str().unwrap(), job["links"]["thumbnail"].as_str().unwrap());
    let reply = ask(&service, Method::DELETE, path).await;
    assert_eq!((reply.status, reply.body.len()), (StatusCode::NO_CONTENT, 0), "{home}");
    home.blobs_become("its image and its thumbnail are gone, and no others", |left| left == blobs).await;
    for (method, path) in [(Method::GET, path), (Method::GET, thumbnail), (Method::DELETE, path)] {
        assert_eq!(
            ask(&service, method.clone(), path).await.status,
            StatusCode::NOT_FOUND,
            "{method} {path}"
        );
    }
    assert_eq!(service.client.get(kept["links"]["thumbnail"].as_str().unwrap()).await.status, StatusCode::OK);
    let options = ask(&service, Method::OPTIONS, path).await;
    assert_eq!(options.header("allow"), Some("DELETE, GET, HEAD, OPTIONS"));
}

async fn a_failed_job_is_tried_again(home: Home) {
    let service = home.start().await;
    let id = service.client.submit(&images::png_with_broken_pixels(30, 30), &[]).await;
    let failed = service.client.finished(&id).await;
    assert_eq!(failed["status"], "failed", "{home}");
    let retry = format!("/jobs/{id}/retry");
    let reply = ask(&service, Method::POST, &retry).await;
    assert_eq!((reply.status, &reply.json()["attempts"]), (StatusCode::ACCEPTED, &0.into()), "{home}");
    let again = service.client.finished(&id).await;
    assert_eq!((&again["status"], &again["error"]), (&failed["status"], &failed["error"]), "{home}");
    assert_ne!(again["updated_at"], failed["updated_at"]);
    let reply = ask(&service, Method::POST, &format!("{retry}?wait=30")).await;
    assert_eq!((reply.status, &reply.json()["status"]), (StatusCode::OK, &"failed".into()), "{home}");

    let (made, _) = service.client.thumbnail(&images::png(40, 30), &[]).await;
    let retry = format!("/jobs/{}/retry", made["job_id"].as_str().unwrap());
    let reply = ask(&service, Method::POST, &retry).await;
    assert_eq!((reply.status, &reply.json()["code"]), (StatusCode::CONFLICT, &"not-failed".into()));
    assert_eq!(ask(&service, Method::GET, &retry).await.header("allow"), Some("OPTIONS, POST"));
}

/// A start sweeps, for its settings may be others.
async fn what_is_kept_no_longer_goes_by_itself(home: Home) {
    let service = home.start().await;
    let (made, thumbnail) = service.client.thumbnail(&images::png(40, 30), &[]).await;
    let failed = service.client.submit(&images::png_with_broken_pixels(30, 30), &[]).await;
    service.client.finished(&failed).await;
    service.stop().await;

    let service = home.start_with(|builder| builder.variable("keep_source", "until-done")).await;
    home.blobs_become("no original is left", |left| !left.iter().any(|name| name.contains("uploads/"))).await;
    let reply = service.client.get(made["links"]["thumbnail"].as_str().unwrap()).await;
    assert_eq!((reply.status, reply.body), (StatusCode::OK, thumbnail.body), "{home}");
    let reply = ask(&service, Method::POST, &format!("/jobs/{failed}/retry")).await;
    assert_eq!((reply.status, &reply.json()["code"]), (StatusCode::GONE, &"original-gone".into()), "{home}");
    let metrics = String::from_utf8(service.client.get("/metrics").await.body).unwrap();
    assert!(metrics.contains("thumbs_kept_bytes{kind=\"original\"} 0\n"), "{home}: {metrics}");
}
