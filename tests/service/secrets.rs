//! No secret comes out: not in a line of the log, an answer, a number, an error of a start, or a file that needs it not.
//!
//! A process is given a value for every variable that is a secret, lives through what goes well and what does not, and everything that it wrote is
//! searched afterwards, in each form that a secret may take on its way.

use std::{collections::BTreeMap, fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Method;
use thumbs_access::{Entry, Key, KeyName, Scopes};
use thumbs_domain::{route, variable::Variable};
use thumbs_tests::{
    client::Client,
    home::Home,
    images,
    servers::{self, Auth, Postgres, Redis, S3},
    service::files_below,
    watched::Watched,
};
use tokio::task::block_in_place;

/// Of the database and of Redis: with what has to be encoded in a URL.
const PASSWORD: &str = "swordfish@:/";
const WRONG_PASSWORD: &str = "haddock@:/";
const LINK_SECRET: &str = "moonlight-moonlight-moonlight-moonlight";
/// What messages to receivers are signed with, before it is encoded.
const CALLBACK_KEY: &str = "lighthouse-lighthouse-lighthouse";
const SESSION_TOKEN: &str = "porcupine-session-token";
const WRONG_S3_SECRET: &str = "wrong-hedgehog-secret";
/// Shorter than in production: an answer that waits for a server that is away is to come within the test.
const ARGUMENTS: &[&str] = &[
    "--limit",
    "pg_connect_timeout_ms=1000",
    "--limit",
    "pg_acquire_timeout_ms=1000",
    "--limit",
    "redis_connect_timeout_ms=1000",
    "--limit",
    "redis_response_timeout_ms=1000",
    "--limit",
    "blob_timeout_ms=1000",
    "--limit",
    "drain_timeout_ms=2000",
];

fn start(home: &Home, variables: &BTreeMap<&str, String>) -> Watched {
    let variables = variables.iter().map(|(name, value)| (*name, value.as_str()));
    Watched::start(home, variables, ARGUMENTS)
}

fn key(seed: u8) -> Key {
    Key::from_random([seed; 24])
}

fn entry(seed: u8, name: &str, scopes: &str) -> String {
    Entry::new(&key(seed), KeyName::parse(name).unwrap(), Scopes::parse(scopes).unwrap(), None).to_string()
}

/// As others may spell it.
fn forms(secret: &str) -> Vec<String> {
    let percent: String = secret
        .bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    let base64 = STANDARD.encode(secret);
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    // A driver may cut it at what it takes for the end of a user's name.
    let head = secret.split_once('@').map_or(secret, |(head, _)| head).to_owned();
    let forms = [
        secret.to_owned(),
        percent.to_lowercase(),
        percent,
        base64.trim_end_matches('=').to_owned(),
        hex,
        head,
    ];
    forms.into_iter().filter(|form| form.len() >= 6).collect()
}

/// Searches what was told.
struct Search(Vec<(String, String)>);

impl Search {
    fn of(secrets: &[(&str, &str)]) -> Self {
        let forms = secrets
            .iter()
            .flat_map(|(name, secret)| forms(secret).into_iter().map(|form| ((*name).to_owned(), form)));
        Self(forms.collect())
    }

    fn finds_nothing_in(&self, place: &str, text: &[u8]) {
        for (name, form) in &self.0 {
            let found = text.windows(form.len()).position(|window| window == form.as_bytes());
            if let Some(at) = found {
                let around = &text[at.saturating_sub(80)..(at + form.len() + 40).min(text.len())];
                panic!("{name} is in {place}, as {form}: {}", String::from_utf8_lossy(around));
            }
        }
    }
}

/// Asks everything there is, with this client, and gives all that was answered.
async fn ask_everything(
    client: &Client,
    methods: &[Method],
    job: &str,
    whose: &str,
) -> Vec<(String, Vec<u8>)> {
    let mut told = Vec::new();
    for row in route::TABLE {
        for method in methods {
            // Answers that go on are for tests of their own.
            if row.path.ends_with("/events") {
                continue;
            }
            let path =
                row.path.replace("{id}", job).replace("{code}", "not-found").replace("{file}", "app.js");
            let request =
                client.request(method.clone(), &path).header("x-request-id", "the-same").body("no image");
            let reply = client.send(request).await;
            let head = format!("{} {:?}", reply.status, reply.headers);
            told.push((format!("{method} {path} {whose}"), [head.as_bytes(), &reply.body].concat()));
        }
    }
    let reply = client.upload(&images::png(30, 20), &[("width", "x")]).await;
    told.push((format!("a wrong upload {whose}"), reply.body));
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_secret_comes_out_whatever_happens() {
    let started = block_in_place(|| {
        let postgres = servers::available(Postgres::start(Auth::Scram(PASSWORD.to_owned())))?;
        Some((postgres, servers::available(Redis::start_with_password(PASSWORD))?))
    });
    let Some((mut postgres, mut redis)) = started else { return };
    let mut s3 = block_in_place(S3::start);
    let bucket = s3.bucket();
    let (user, admin) = (key(1), key(2));
    let entries = [entry(1, "shop", "read+write"), entry(2, "runs-it", "admin")];
    let digests: Vec<String> =
        entries.iter().map(|entry| entry.rsplit(':').next().unwrap().to_owned()).collect();
    let mut variables: BTreeMap<&str, String> = BTreeMap::new();
    let of_bucket = bucket.variables();
    variables.extend(of_bucket.iter().map(|(name, value)| (name.as_str(), value.clone())));
    variables.extend([
        ("database_url", postgres.url()),
        ("redis_url", redis.url()),
        ("wake_channel", "wake-secrets".to_owned()),
        ("api_keys", entries.join("\n")),
        ("link_secret", LINK_SECRET.to_owned()),
        ("callback_secret", format!("whsec_{}", STANDARD.encode(CALLBACK_KEY))),
        ("s3_session_token", SESSION_TOKEN.to_owned()),
    ]);
    for secret in Variable::ALL.iter().map(|variable| variable.row()).filter(|row| row.is_secret) {
        let value = variables.get(secret.name);
        assert!(
            value.is_some_and(|value| !value.is_empty()),
            "give {} a value here, and search for it",
            secret.name
        );
    }
    let search = Search::of(&[
        ("the password", PASSWORD),
        ("the wrong password", WRONG_PASSWORD),
        ("the link secret", LINK_SECRET),
        // Among its forms is the one that the variable has.
        ("the callback key", CALLBACK_KEY),
        ("the session token", SESSION_TOKEN),
        ("the S3 secret", &bucket.secret_access_key),
        ("the wrong S3 secret", WRONG_S3_SECRET),
        ("a key", user.expose()),
        ("an admin's key", admin.expose()),
        ("a key's digest", &digests[0]),
        ("an admin's key's digest", &digests[1]),
    ]);
    let home = Home::embedded();

    // A life: what goes well, then without each server.
    let mut service = start(&home, &variables);
    let anybody = Client::new(format!("http://{}", block_in_place(|| service.told("started", "address"))));
    let (shop, runs_it) = (anybody.holding(user.expose()), anybody.holding(admin.expose()));
    let (job, _) = shop.thumbnail(&images::png(30, 20), &[]).await;
    let id = job["job_id"].as_str().unwrap();
    let broken = shop.submit(&images::png_with_broken_pixels(30, 30), &[]).await;
    shop.finished(&broken).await;
    let mut told = vec![("a job".to_owned(), job.to_string().into_bytes())];
    let everybody = [(&anybody, "with no key"), (&shop, "with a key"), (&runs_it, "with an admin's key")];
    for (client, whose) in everybody {
        let methods = [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS];
        told.extend(ask_everything(client, &methods, id, whose).await);
    }
    // A key where none belongs, and one that is almost right.
    let misplaced = format!("/jobs?key={0}&{0}", user.expose());
    told.push((misplaced.clone(), shop.get(&misplaced).await.body));
    let almost = format!("{}x", user.expose());
    told.push(("a key that is almost right".to_owned(), anybody.holding(&almost).get("/jobs").await.body));
    let admin_address = block_in_place(|| service.told("admin-listens", "address"));
    let numbers = Client::new(format!("http://{admin_address}"));
    for path in ["/metrics", "/livez", "/readyz", "/nothing"] {
        told.push((format!("the admin listener's {path}"), numbers.get(path).await.body));
    }
    block_in_place(|| redis.kill());
    told.extend(ask_everything(&runs_it, &[Method::GET], id, "without Redis").await);
    told.push(("an upload without Redis".to_owned(), shop.upload(&images::png(31, 20), &[]).await.body));
    block_in_place(|| s3.kill());
    told.extend(ask_everything(&runs_it, &[Method::GET], id, "without S3").await);
    told.push(("an upload without S3".to_owned(), shop.upload(&images::png(32, 20), &[]).await.body));
    block_in_place(|| postgres.kill());
    for (client, whose) in everybody {
        told.extend(
            ask_everything(
                client,
                &[Method::GET, Method::POST],
                id,
                &format!("{whose} and without PostgreSQL"),
            )
            .await,
        );
    }
    let log = block_in_place(|| service.stop());
    for event in ["job-succeeded", "job-failed", "caller-refused", "dependency-unavailable", "wake-up-lost"] {
        let has_it = String::from_utf8_lossy(&log).contains(&format!("\"{event}\""));
        assert!(has_it, "the life was to have it: {event}");
    }
    search.finds_nothing_in("the log", &log);
    for (place, text) in &told {
        search.finds_nothing_in(place, text);
    }

    // Starts that fail.
    block_in_place(|| (postgres.restart(), redis.restart(), s3.restart()));
    let right = variables.clone();
    let encoded = |url: &str| url.replace("swordfish", "haddock");
    for (name, value) in [
        ("database_url", encoded(&right["database_url"])),
        ("database_url", format!("postgres://thumbs:{PASSWORD}@localhost/x")),
        ("redis_url", encoded(&right["redis_url"])),
        ("redis_url", format!("redis://:{PASSWORD}@localhost:notaport")),
        ("s3_secret_access_key", WRONG_S3_SECRET.to_owned()),
        ("api_keys", format!("shop:read:never:{}x", digests[0])),
        ("link_secret", "moonlight".to_owned()),
        ("callback_secret", format!("whsec_{}!", STANDARD.encode(CALLBACK_KEY))),
    ] {
        let wrong = BTreeMap::from_iter(
            right.iter().map(|(name, value)| (*name, value.clone())).chain([(name, value)]),
        );
        let error = block_in_place(|| start(&home, &wrong).end());
        let text = String::from_utf8_lossy(&error);
        assert!(text.contains(name), "a wrong {name} is to end the start: {text}");
        search.finds_nothing_in(&format!("the error of a wrong {name}"), &error);
    }
    search_files(&search, home.state_dir());
}

/// With all of it on this host, the databases and the blobs are among the files.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_secret_is_in_a_file_of_the_state_directory() {
    let home = Home::embedded();
    let user = key(1);
    let line = entry(1, "shop", "read+write");
    let digest = line.rsplit(':').next().unwrap().to_owned();
    let variables = BTreeMap::from([("api_keys", line), ("link_secret", LINK_SECRET.to_owned())]);
    let mut service = start(&home, &variables);
    let anybody = Client::new(format!("http://{}", block_in_place(|| service.told("started", "address"))));
    let shop = anybody.holding(user.expose());
    shop.thumbnail(&images::png(30, 20), &[]).await;
    let keyed =
        shop.request(Method::POST, "/jobs").header("idempotency-key", "a-key").body(images::png(30, 21));
    assert!(shop.send(keyed).await.status.is_success());
    let log = block_in_place(|| service.stop());
    let search =
        Search::of(&[("a key", user.expose()), ("its digest", &digest), ("the link secret", LINK_SECRET)]);
    search.finds_nothing_in("the log", &log);
    search_files(&search, home.state_dir());
}

fn search_files(search: &Search, folder: &Path) {
    let files = files_below(folder);
    for file in files {
        search.finds_nothing_in(&file.display().to_string(), &fs::read(&file).unwrap());
    }
}
