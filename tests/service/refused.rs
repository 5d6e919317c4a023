//! Settings that lead nowhere: the service does not start, and says in one sentence what to mend, without a secret in it.

use thumbs_tests::{
    home::Home,
    servers::{self, Auth, Bucket, Postgres, Redis, S3},
};
use tokio::task::block_in_place;

const PASSWORD: &str = "hunter2@:/";
const SECRETS: [&str; 3] = ["hunter2", "hunter3", "not-the-secret"];

/// Why a service with these variables does not start.
async fn refusal(variables: &[(&str, &str)]) -> String {
    let home = Home::embedded();
    let started = home.try_start(|builder| {
        variables.iter().fold(builder, |builder, (name, value)| builder.variable(*name, *value))
    });
    let error = started.await.err().unwrap();
    let text = error.to_string();
    for secret in SECRETS {
        assert!(!text.contains(secret), "a secret is in the error: {text}");
    }
    assert!(!text.contains('\n'), "more than a sentence: {text}");
    text
}

fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_is_none_is_named() {
    for (name, value) in [
        ("database_url", "postgres://thumbs:hunter2@:/@localhost/x"),
        ("database_url", "mysql://thumbs:hunter2@localhost/x"),
        ("redis_url", "redis://:hunter2@localhost:notaport"),
        ("redis_url", "http://:hunter2@localhost"),
        ("blob_url", "s3://Not_A_Bucket"),
        ("blob_url", "s3://a"),
        ("blob_url", "s3:bucket"),
        ("blob_url", "ftp://hunter2@host/x"),
    ] {
        says(&refusal(&[(name, value)]).await, &[name]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_or_database_of_postgresql_is_told() {
    let postgres = block_in_place(|| servers::available(Postgres::start(Auth::Scram(PASSWORD.to_owned()))));
    let Some(postgres) = postgres else { return };
    let url = postgres.url();
    let wrong = url.replace("hunter2", "hunter3");
    assert_ne!(url, wrong);
    says(&refusal(&[("database_url", &wrong)]).await, &["database_url", "password"]);
    let missing = postgres.url_of("nowhere");
    says(&refusal(&[("database_url", &missing)]).await, &["database_url", "nowhere"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_of_redis_is_told() {
    let redis = block_in_place(|| servers::available(Redis::start_with_password(PASSWORD)));
    let Some(redis) = redis else { return };
    let wrong = redis.url().replace("hunter2", "hunter3");
    says(&refusal(&[("redis_url", &wrong)]).await, &["redis_url", "password"]);
    let none = redis.outbound();
    says(&refusal(&[("redis_url", &none)]).await, &["redis_url", "password"]);
}

async fn refused_bucket(bucket: &Bucket, parts: &[&str]) {
    let variables = bucket.variables();
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    says(&refusal(&variables).await, parts);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_bucket_or_region_of_s3_is_told() {
    let s3 = block_in_place(S3::start);
    let bucket = s3.bucket();
    let secret = Bucket { secret_access_key: "not-the-secret".into(), ..bucket.clone() };
    refused_bucket(&secret, &["blob_url", "s3_secret_access_key"]).await;
    let key = Bucket { access_key_id: "nobody".into(), ..bucket.clone() };
    refused_bucket(&key, &["blob_url", "s3_access_key_id"]).await;
    let name = Bucket { name: "no-such-bucket".into(), ..bucket.clone() };
    refused_bucket(&name, &["blob_url", "no-such-bucket"]).await;
    let region = Bucket { region: "mars-1".into(), ..bucket.clone() };
    refused_bucket(&region, &["blob_url", "s3_region", &bucket.region]).await;
}
