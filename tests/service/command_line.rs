//! The commands that ask a service, and the one that is a service for as long as it takes: the program as people run it.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;
use thumbs::RuntimeBuilder;
use thumbs_access::{Entry, Key, KeyName, Scopes};
use thumbs_domain::options;
use thumbs_tests::{
    images,
    killable::program,
    service::{Service, compile_cache, empty_state_dir, manifest_path},
};

/// What came of a run.
struct Ran {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { status: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    fn objects(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[track_caller]
    fn ended(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

async fn run(arguments: Vec<String>, environment: Vec<(&'static str, String)>) -> Ran {
    let running = move || {
        let mut command = Command::new(program());
        command.args(arguments).envs(environment).env_remove("THUMBS_KEY");
        Ran::of(&command.output().unwrap())
    };
    tokio::task::spawn_blocking(running).await.unwrap()
}

/// Of a service.
async fn ask(service: &Service, arguments: &[&str]) -> Ran {
    let mut all: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    all.extend(["--patience-secs".to_owned(), "5".to_owned()]);
    run(all, vec![("THUMBS_SERVER", format!("http://{}", service.address()))]).await
}

async fn start(configure: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder) -> Service {
    Service::start_with(empty_state_dir(), configure).await
}

fn folder(files: &[(&str, Vec<u8>)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

fn files(folder: &Path) -> Vec<String> {
    let below = thumbs_tests::service::files_below(folder);
    below.iter().map(|path| path.strip_prefix(folder).unwrap().display().to_string()).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_becomes_a_folder_of_the_thumbnails_that_the_service_makes() {
    let service = start(|builder| builder).await;
    let (jpeg, png) = (images::jpeg(120, 80), images::png(90, 90));
    let pictures = folder(&[
        ("a.jpg", jpeg.clone()),
        ("a.png", png),
        ("trip/b.png", images::png(70, 40)),
        ("trip/notes.txt", b"not an image".to_vec()),
    ]);
    let out = TempDir::new().unwrap();
    let arguments = [
        "submit",
        text(pictures.path()),
        "-o",
        text(out.path()),
        "--width",
        "32",
        "--format",
        "webp",
        "--json",
    ];
    let ran = ask(&service, &arguments).await.ended(0);
    assert_eq!(files(out.path()), ["a.jpg.webp", "a.png.webp", "trip/b.webp"]);
    let (_, by_http) = service.client.thumbnail(&jpeg, &[("width", "32"), ("format", "webp")]).await;
    assert_eq!(std::fs::read(out.path().join("a.jpg.webp")).unwrap(), by_http.body);
    let mut statuses: Vec<_> =
        ran.objects().iter().map(|object| object["status"].as_str().unwrap().to_owned()).collect();
    statuses.sort();
    assert_eq!(statuses, ["skipped", "succeeded", "succeeded", "succeeded"], "{}", ran.stdout);

    let ids = |ran: &Ran| -> BTreeSet<String> {
        ran.objects().iter().filter_map(|object| object["job_id"].as_str().map(str::to_owned)).collect()
    };
    let again = ask(&service, &arguments).await.ended(0);
    assert_eq!(ids(&again), ids(&ran), "what was sent before has its job");
    let mut fresh = arguments.to_vec();
    fresh.push("--fresh");
    let fresh = ids(&ask(&service, &fresh).await.ended(0));
    assert_eq!(fresh.intersection(&ids(&ran)).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_thumbnails_of_an_image_lie_in_a_folder_of_its_name() {
    const VARIANTS: &str = r#"[{"name":"s","width":16},{"name":"l","width":48,"format":"jpeg"}]"#;
    let service = start(|builder| builder).await;
    let pictures = folder(&[("trip/a.png", images::png(90, 90)), ("b.png", images::png(70, 40))]);
    let out = TempDir::new().unwrap();
    let arguments =
        ["submit", text(pictures.path()), "-o", text(out.path()), "--variants", VARIANTS, "--json"];
    let ran = ask(&service, &arguments).await.ended(0);
    assert_eq!(files(out.path()), ["b/l.jpg", "b/s.png", "trip/a/l.jpg", "trip/a/s.png"]);
    let of_b = ran.objects().into_iter().find(|sent| sent["file"].as_str().unwrap().ends_with("b.png"));
    let of_b = of_b.unwrap();
    let id = of_b["job_id"].as_str().unwrap();
    let large = service.client.get(&format!("/thumbnails/{id}/l")).await.body;
    let small = service.client.get(&format!("/thumbnails/{id}/s")).await.body;
    assert_eq!(std::fs::read(out.path().join("b/l.jpg")).unwrap(), large);
    assert_eq!(of_b["bytes"], large.len() + small.len());
    assert_eq!(of_b["output"], text(&out.path().join("b")));

    let one = out.path().join("one");
    ask(&service, &["get", id, "--variant", "l", "-o", text(&one)]).await.ended(0);
    assert_eq!(std::fs::read(&one).unwrap(), large);
    let ran = ask(&service, &["get", id, "--variant", "xl", "-o", text(&one)]).await.ended(2);
    assert!(ran.stderr.contains("no thumbnail of this name"), "{}", ran.stderr);

    let made = out.path().join("made.webp");
    let source = pictures.path().join("b.png");
    let cache = compile_cache();
    let manifest = manifest_path();
    let make = [
        "make",
        text(&source),
        text(&made),
        "-f",
        text(&manifest),
        "--cache-dir",
        text(&cache),
        "--variants",
        VARIANTS,
    ];
    run(make.map(str::to_owned).to_vec(), Vec::new()).await.ended(0);
    assert_eq!(std::fs::read(out.path().join("made/l.jpg")).unwrap(), large);
    assert!(out.path().join("made/s.webp").is_file(), "the others have the format of the name");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_one_of_several_is_good_at_the_service() {
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    let entry = Entry::new(
        &Key::from_random([1; 24]),
        KeyName::parse("shop").unwrap(),
        Scopes::parse("read+write").unwrap(),
        None,
    );
    let service =
        start(|builder| builder.variable("api_keys", entry.to_string()).variable("link_secret", SECRET))
            .await;
    let client = service.client.holding(Key::from_random([1; 24]).expose());
    let id = client.submit(&images::png(40, 30), &[("variants", r#"[{"name":"s"},{"name":"l"}]"#)]).await;
    client.finished(&id).await;
    let link = ["link", &id, "--variant", "l"].map(str::to_owned).to_vec();
    let signed = run(link, vec![("SPIN_VARIABLE_LINK_SECRET", SECRET.to_owned())]).await.ended(0).stdout;
    assert_eq!(service.client.get(signed.trim()).await.status, 200, "{signed}");
    let of_other = signed.trim().replace("/l?", "/s?");
    assert_eq!(service.client.get(&of_other).await.status, 403, "it is good for one path");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_said_and_shows_in_the_status() {
    let service = start(|builder| builder).await;
    let pictures = folder(&[
        ("good.png", images::png(40, 30)),
        ("broken.png", images::png_with_broken_pixels(30, 30)),
        ("notes.txt", b"not an image".to_vec()),
    ]);
    let at = |name: &str| pictures.path().join(name);
    let ran =
        ask(&service, &["submit", text(&at("good.png")), text(&at("broken.png")), "--wait"]).await.ended(1);
    assert!(ran.stdout.contains("good.png: done as"), "{}", ran.stdout);
    assert!(
        ran.stderr.contains("broken.png: ") && ran.stderr.contains("(malformed-image)"),
        "{}",
        ran.stderr
    );
    let ran = ask(&service, &["submit", text(&at("notes.txt"))]).await.ended(1);
    assert!(ran.stderr.contains("unsupported-image"), "what was named is no file to skip: {}", ran.stderr);
    let ran = ask(&service, &["submit", text(&at("good.png")), "--width", "wide"]).await.ended(1);
    assert!(ran.stderr.contains("width") && ran.stderr.contains("invalid-option"), "{}", ran.stderr);
    std::fs::File::create(at("huge.png")).unwrap().set_len((256 << 20) + 1).unwrap();
    let ran = ask(&service, &["submit", text(&at("huge.png"))]).await.ended(1);
    assert!(ran.stderr.contains("256 MiB"), "{}", ran.stderr);
    let ran = ask(&service, &["submit", text(&at("gone.png"))]).await.ended(2);
    assert!(ran.stderr.contains("gone.png"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_not_there_is_said_to_be_in_a_sentence() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = format!("http://127.0.0.1:{port}");
    let picture = folder(&[("a.png", images::png(4, 4))]);
    for command in [vec!["submit", text(picture.path())], vec!["jobs"]] {
        let mut arguments: Vec<String> = command.iter().map(|argument| (*argument).to_owned()).collect();
        arguments.extend(["--server".into(), server.clone(), "--patience-secs".into(), "0".into()]);
        let ran = run(arguments, Vec::new()).await.ended(2);
        let sentence = format!("error: the service at 127.0.0.1:{port} can't be reached");
        assert!(ran.stderr.contains(&sentence) && ran.stderr.contains("--server"), "{}", ran.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_full_is_waited_for() {
    let service = start(|builder| builder.variable("max_queued_jobs", "1")).await;
    let pictures: Vec<_> = (0..6).map(|n| (format!("{n}.png"), images::png(40 + n, 30))).collect();
    let pictures: Vec<_> = pictures.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    let pictures = folder(&pictures);
    let out = TempDir::new().unwrap();
    let arguments = ["submit", text(pictures.path()), "-o", text(out.path()), "--patience-secs", "120"];
    let mut all: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    all.extend(["--server".to_owned(), format!("http://{}", service.address())]);
    run(all, Vec::new()).await.ended(0);
    assert_eq!(files(out.path()).len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_shown_tried_again_and_deleted() {
    let service = start(|builder| builder).await;
    let picture =
        folder(&[("a.png", images::png(40, 30)), ("broken.png", images::png_with_broken_pixels(30, 30))]);
    let sent = ask(&service, &["submit", text(picture.path()), "--wait", "--json"]).await.ended(1);
    let id_of = |name: &str| {
        let objects = sent.objects();
        let object =
            objects.iter().find(|object| object["file"].as_str().unwrap().ends_with(name)).unwrap().clone();
        object["job_id"].as_str().unwrap().to_owned()
    };
    let (good, broken) = (id_of("a.png"), id_of("broken.png"));

    let listed = ask(&service, &["jobs"]).await.ended(0);
    assert!(
        listed.stdout.contains(&good) && listed.stdout.contains("image/png, 100x100"),
        "{}",
        listed.stdout
    );
    let failed = ask(&service, &["jobs", "--status", "failed", "--json"]).await.ended(0).objects();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["job_id"], broken.as_str());
    assert_eq!(ask(&service, &["jobs", "--limit", "1"]).await.ended(0).stdout.lines().count(), 1);

    let out = TempDir::new().unwrap();
    let file = out.path().join("made.png");
    ask(&service, &["get", &good, "-o", text(&file)]).await.ended(0);
    let thumbnail = service.client.get(&format!("/thumbnails/{good}")).await.body;
    assert_eq!(std::fs::read(&file).unwrap(), thumbnail);
    let shown = ask(&service, &["get", &broken, "--wait"]).await.ended(1);
    assert!(shown.stderr.contains("(malformed-image)"), "{}", shown.stderr);

    assert!(ask(&service, &["retry", &broken]).await.ended(0).stdout.contains("processing"));
    let refused = ask(&service, &["retry", &good]).await.ended(1);
    assert!(refused.stderr.contains(&good), "{}", refused.stderr);
    ask(&service, &["delete", &good]).await.ended(0);
    ask(&service, &["get", &good]).await.ended(2);
    assert!(ask(&service, &["delete", "not-an-id"]).await.ended(2).stderr.contains("job_id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_where_there_is_one_and_asked_for_where_there_is_none() {
    let key = Key::from_random([7; 24]);
    let entry = Entry::new(&key, KeyName::parse("shop").unwrap(), Scopes::parse("read+write").unwrap(), None);
    let service = start(|builder| builder.variable("api_keys", entry.to_string())).await;
    let refused = ask(&service, &["jobs"]).await.ended(2);
    assert!(
        refused.stderr.contains("key-needed") && refused.stderr.contains("X-Api-Key"),
        "{}",
        refused.stderr
    );
    ask(&service, &["jobs", "--key", key.expose()]).await.ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_service_the_same_bytes_are_made() {
    let service = start(|builder| builder).await;
    let image = images::jpeg(120, 80);
    let pictures = folder(&[
        ("in/a.jpg", image.clone()),
        ("in/b/c.png", images::png(50, 60)),
        ("broken.png", images::png_with_broken_pixels(30, 30)),
    ]);
    let at = |name: &str| pictures.path().join(name);
    let manifest = manifest_path();
    let make = async |arguments: &[&str]| {
        let mut all: Vec<String> = vec!["make".to_owned()];
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        all.extend([
            "-f".to_owned(),
            text(&manifest).to_owned(),
            "--cache-dir".to_owned(),
            text(&compile_cache()).to_owned(),
        ]);
        // A database and a bucket that would be reached, if the environment were heard.
        let elsewhere = vec![
            ("SPIN_VARIABLE_DATABASE_URL", "postgres://nobody@127.0.0.1:1/x".to_owned()),
            ("THUMBS_BLOBS", "s3://x".to_owned()),
        ];
        run(all, elsewhere).await
    };
    make(&[text(&at("in/a.jpg")), text(&at("one.webp")), "--width", "48"]).await.ended(0);
    let (_, by_http) = service.client.thumbnail(&image, &[("width", "48"), ("format", "webp")]).await;
    assert_eq!(std::fs::read(at("one.webp")).unwrap(), by_http.body);

    make(&[text(&at("in")), text(&at("out")), "--preset", "slack"]).await.ended(0);
    assert_eq!(files(&at("out")), ["a.png", "b/c.png"]);
    let (_, by_http) = service.client.thumbnail(&image, &[("preset", "slack")]).await;
    assert_eq!(std::fs::read(at("out/a.png")).unwrap(), by_http.body);

    let failed = make(&[text(&at("broken.png")), text(&at("none.png"))]).await.ended(1);
    assert!(failed.stderr.contains("(malformed-image)") && !at("none.png").exists(), "{}", failed.stderr);
    let wrong = make(&[text(&at("in/a.jpg")), text(&at("a.bmp"))]).await.ended(1);
    assert!(wrong.stderr.contains("\"format\"") && wrong.stderr.contains("png"), "{}", wrong.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_option_of_a_job_is_one_of_the_command_line() {
    let help = run(vec!["submit".to_owned(), "--help".to_owned()], Vec::new()).await.ended(0).stdout;
    for row in options::TABLE {
        assert!(help.contains(&format!("--{} ", row.name.replace('_', "-"))), "{}", row.name);
    }
}

async fn doctor(arguments: &[&str]) -> Ran {
    let mut all: Vec<String> = vec!["doctor".to_owned(), "-f".to_owned(), text(&manifest_path()).to_owned()];
    all.extend(["--cache-dir".to_owned(), text(&compile_cache()).to_owned()]);
    all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    run(all, Vec::new()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_says_what_is_in_the_way_and_what_to_do() {
    let state = TempDir::new().unwrap();
    let state: PathBuf = state.path().join("state");
    let well = doctor(&["--state-dir", text(&state), "--listen", "127.0.0.1:0"]).await.ended(0);
    for subject in [
        "configuration",
        "components",
        "settings",
        "address",
        "state",
        "disk",
        "clock",
        "memory",
        "open files",
    ] {
        assert!(
            well.stdout.lines().any(|line| line.contains(&format!("  {subject} "))),
            "{subject}: {}",
            well.stdout
        );
    }
    assert!(!state.exists(), "it is not the doctor's to make");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let doubtful = doctor(&["--state-dir", text(&state), "--listen", &listen, "--json"]).await.ended(0);
    let address = doubtful.objects().into_iter().find(|finding| finding["subject"] == "address").unwrap();
    assert_eq!((&address["verdict"], address["remedy"].is_string()), (&"warning".into(), true));

    let wrong = doctor(&["--state-dir", text(&state), "--variable", "max_side=none"]).await.ended(1);
    assert!(wrong.stdout.contains("wrong"), "{}", wrong.stdout);
    let away = doctor(&[
        "--state-dir",
        text(&state),
        "--variable",
        "database_url=postgres://u:hunter2@127.0.0.1:1/x",
    ])
    .await;
    let away = away.ended(0);
    let line = away.stdout.lines().find(|line| line.contains("database_url")).unwrap();
    assert!(line.starts_with("warning") && !away.stdout.contains("hunter2"), "{}", away.stdout);
}
