//! The job machine from outside: many at once, restarts in the middle, a sandbox that stops a decoder.

use futures::future::join_all;
use reqwest::{Method, StatusCode};
use thumbs::limits::Limits;
use thumbs_tests::{home::Home, images};

thumbs_tests::in_every_home! {
    two_hundred_concurrent_uploads_all_succeed_once,
    jobs_that_were_waiting_at_a_restart_are_done_after_it,
    stopping_lets_a_started_resize_finish,
    a_decoder_that_wants_too_much_memory_fails_its_job_and_no_other,
    a_decoder_that_takes_too_long_fails_its_job_and_no_other,
    the_same_idempotency_key_gives_the_same_job,
    clients_that_wait_hold_no_connection,
}

async fn two_hundred_concurrent_uploads_all_succeed_once(home: Home) {
    let service = home.start().await;
    let uploads: Vec<_> = (0..200).map(|n| images::png(64 + n % 17, 48 + n % 13)).collect();
    let ids = join_all(uploads.iter().map(|upload| service.client.submit(upload, &[]))).await;
    let jobs = join_all(ids.iter().map(|id| service.client.finished(id))).await;
    for job in &jobs {
        assert_eq!(job["status"], "succeeded", "{job}");
        assert_eq!(job["attempts"], 1, "{job}");
    }
    let service = &service;
    let thumbnails = join_all(ids.iter().map(|id| async move {
        let path = format!("/thumbnails/{id}");
        service.client.get(&path).await
    }))
    .await;
    assert!(thumbnails.iter().all(|reply| reply.status == StatusCode::OK));
}

async fn jobs_that_were_waiting_at_a_restart_are_done_after_it(home: Home) {
    let first = home.start_with(|builder| builder.workers(0)).await;
    let mut ids = Vec::new();
    for side in 0..20 {
        ids.push(first.client.submit(&images::jpeg(100 + side, 80), &[]).await);
    }
    let waiting = first.client.get(&format!("/thumbnails/{}", ids[0])).await;
    assert_eq!(waiting.status, StatusCode::CONFLICT, "no worker, no thumbnail");
    assert!(waiting.header("retry-after").is_some());
    first.stop().await;

    let second = home.start_with(|builder| builder).await;
    for id in &ids {
        let job = second.client.finished(id).await;
        assert_eq!((&job["status"], &job["attempts"]), (&"succeeded".into(), &1.into()), "{job}");
    }
}

async fn stopping_lets_a_started_resize_finish(home: Home) {
    let service = home.start().await;
    let id = service.client.submit(&images::noisy_jpeg(3000, 2000), &[]).await;
    let claimed = || async { service.client.get(&format!("/jobs/{id}")).await.json()["attempts"] == 1 };
    while !claimed().await {
        tokio::task::yield_now().await;
    }
    service.stop().await;

    let without_workers = home.start_with(|builder| builder.workers(0)).await;
    let job = without_workers.client.get(&format!("/jobs/{id}")).await.json();
    assert_eq!(job["status"], "succeeded", "{job}");
}

async fn a_decoder_that_wants_too_much_memory_fails_its_job_and_no_other(home: Home) {
    let service = home
        .start_with(|builder| {
            builder
                .limits(Limits { max_message_memory_bytes: 24 * 1024 * 1024, ..Limits::default() })
                .variable("max_attempts", "1")
        })
        .await;
    let hungry =
        service.client.submit(&images::png(1500, 1500), &[("width", "1400"), ("height", "1400")]).await;
    let job = service.client.finished(&hungry).await;
    assert_eq!(job["status"], "failed", "{job}");
    assert_eq!(job["error"]["code"], "out-of-memory", "{job}");

    service.client.thumbnail(&images::png(40, 40), &[]).await;
}

async fn a_decoder_that_takes_too_long_fails_its_job_and_no_other(home: Home) {
    let service = home
        .start_with(|builder| {
            builder.limits(Limits { message_cpu_ms: 250, ..Limits::default() }).variable("max_attempts", "1")
        })
        .await;
    // Noise that is encoded again and again to meet the bound: seconds of work, where the one below is a hundredth of the deadline.
    let endless = [("width", "2048"), ("height", "2048"), ("format", "webp"), ("max_bytes", "20000")];
    let slow = service.client.submit(&images::noisy_jpeg(4400, 4000), &endless).await;
    let job = service.client.finished(&slow).await;
    assert_eq!(job["status"], "failed", "{job}");
    assert_eq!(job["error"]["code"], "deadline", "{job}");

    service.client.thumbnail(&images::png(40, 40), &[]).await;
}

async fn the_same_idempotency_key_gives_the_same_job(home: Home) {
    let service = home.start().await;
    let upload = |image: Vec<u8>| {
        let request = service
            .client
            .request(Method::POST, "/jobs")
            .header("content-type", "image/png")
            .header("idempotency-key", "avatar-of-7")
            .body(image);
        service.client.send(request)
    };
    let first = upload(images::png(30, 30)).await;
    let again = upload(images::png(30, 30)).await;
    assert_eq!(first.status, StatusCode::ACCEPTED);
    assert_eq!(again.json()["job_id"], first.json()["job_id"]);
    let other = upload(images::png(31, 30)).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", String::from_utf8_lossy(&other.body));
    assert_eq!(service.client.get("/jobs").await.json()["jobs"].as_array().unwrap().len(), 1);
}

/// With one connection in all, whoever kept it while they wait would keep it from everybody.
async fn clients_that_wait_hold_no_connection(home: Home) {
    let limits = Limits {
        sql_max_connections: 1,
        pg_max_connections: 1,
        sql_busy_timeout_ms: 1_000,
        ..Limits::default()
    };
    let service = home.start_with(|builder| builder.limits(limits).workers(0)).await;
    let client = &service.client;
    let id = client.submit(&images::png(40, 40), &[]).await;
    let path = &format!("/jobs/{id}?wait=3");
    let waiting = join_all((0..4).map(|_| async move { client.get(path).await.status }));
    let mut waiting = std::pin::pin!(waiting);
    loop {
        tokio::select! {
            biased;
            waited = &mut waiting => break assert_eq!(waited, [StatusCode::OK; 4]),
            list = client.get("/jobs") => assert_eq!(list.status, StatusCode::OK, "while others wait"),
        }
    }
}
