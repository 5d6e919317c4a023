//! What was made before is given out again, where the operator does not turn it off.

use thumbs_access::{Entry, Key, KeyName, Scopes};
use thumbs_tests::{home::Home, images, in_every_home, service::Service};

async fn start(home: &Home) -> Service {
    home.start_with(|builder| builder.variable("result_cache", "true")).await
}

in_every_home!(what_was_made_before_is_done_at_once_and_outlives_its_first);

async fn what_was_made_before_is_done_at_once_and_outlives_its_first(home: Home) {
    let service = start(&home).await;
    let image = images::png(300, 200);
    let (first, thumbnail) = service.client.thumbnail(&image, &[("width", "64")]).await;
    assert_eq!((&first["cached"], &first["attempts"]), (&false.into(), &1.into()));

    let again = service.client.upload(&image, &[("width", "64")]).await;
    let job = again.json();
    assert_eq!(
        (again.status.as_u16(), &job["status"], &job["cached"]),
        (202, &"succeeded".into(), &true.into())
    );
    assert_eq!((&job["result"], &job["cost"]["pixels"]), (&first["result"], &0.into()));
    let metrics = service.client.get("/metrics").await;
    assert!(String::from_utf8(metrics.body).unwrap().contains("\nthumbs_jobs_cached_total 1\n"));

    let path = format!("/jobs/{}", first["job_id"].as_str().unwrap());
    let gone = service.client.send(service.client.request(reqwest::Method::DELETE, &path)).await;
    assert_eq!(gone.status.as_u16(), 204);
    let copy = service.client.get(&format!("/thumbnails/{}", job["job_id"].as_str().unwrap())).await;
    assert_eq!((copy.status.as_u16(), copy.body), (200, thumbnail.body));
    home.blobs_become("an original and a thumbnail are left", |left| left.len() == 2).await;

    let other = service.client.upload(&image, &[("width", "65")]).await;
    assert_eq!(other.json()["cached"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_what_another_has_uploaded() {
    let keys = [1, 2].map(|seed| Key::from_random([seed; 24]));
    let entry = |key: &Key, name| {
        let (name, scopes) = (KeyName::parse(name).unwrap(), Scopes::parse("read+write").unwrap());
        Entry::new(key, name, scopes, None).to_string()
    };
    let listed = [entry(&keys[0], "shop"), entry(&keys[1], "web")].join(",");
    let home = Home::embedded();
    let service = home
        .start_with(|builder| builder.variable("result_cache", "true").variable("api_keys", listed))
        .await;
    let [shop, web] = keys.map(|key| service.client.holding(key.expose()));
    let image = images::png(30, 20);
    shop.thumbnail(&image, &[]).await;
    assert_eq!(web.upload(&image, &[]).await.json()["cached"], false);
    assert_eq!(shop.upload(&image, &[]).await.json()["cached"], true);
}
