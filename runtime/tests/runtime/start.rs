//! Starting: what is refused, where things lie, and that compiling is done once.

use thumbs::{limits::Limits, telemetry::CaptureSink};

use crate::{
    app::App,
    client::get,
    guests::{message, request},
};

const OK: &str = "(call $answer (local.get $out) (i32.const 200))";

fn app() -> App {
    App::new().serving("ok", &request("", OK), "")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_work_is_refused_in_a_sentence() {
    let taken = app().start(Limits::default()).await;
    let address = taken.address();
    let error = app().try_start(|builder| builder.listen(address)).await.err().unwrap().to_string();
    assert!(error.contains(&address.to_string()) && error.contains("--listen"), "{error}");

    let file = taken.folder.path().join("ok.wasm");
    let error = app().try_start(|builder| builder.state_dir(&file)).await.err().unwrap().to_string();
    assert!(error.contains("ok.wasm") && error.contains("--state-dir"), "{error}");

    let error = app().try_start(|builder| builder.variable("nobody", "x")).await.err().unwrap().to_string();
    assert!(error.contains("no variable `nobody`"), "{error}");

    let error = app().manifest("[[trigger.http]]\nroute = \"/ok/...\"\ncomponent = \"ok\"").refused().await;
    assert!(error.contains("spin.toml") && error.contains("same paths"), "{error}");

    let error = App::new()
        .manifest(
            "[component.gone]\nsource = \"gone.wasm\"\n[[trigger.http]]\nroute = \"/\"\ncomponent = \"gone\"",
        )
        .refused()
        .await;
    assert!(error.contains("gone.wasm") && error.contains("make components"), "{error}");

    let missing = taken.folder.path().join("missing/spin.toml");
    let error = app().try_start(|builder| builder.manifest(missing)).await.err().unwrap().to_string();
    assert!(error.contains("missing") && error.contains("-f"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_runtimes_in_one_process_keep_apart() {
    let (first, second) = (app().start(Limits::default()).await, app().start(Limits::default()).await);
    assert_ne!(first.address(), second.address());
    assert_eq!(get(first.address(), "/ok").await.status, 200);
    let lines = |log: &CaptureSink| log.lines().iter().filter(|line| line.event == "started").count();
    assert_eq!((lines(&first.log), lines(&second.log)), (1, 1));
    first.running.shutdown().await;
    assert_eq!(get(second.address(), "/ok").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_compiled_is_kept() {
    let cache = tempfile::TempDir::new().unwrap();
    let files = || std::fs::read_dir(cache.path()).map_or(0, Iterator::count);
    assert_eq!(files(), 0);
    app().start_with(|builder| builder.cache_dir(cache.path())).await.running.shutdown().await;
    assert_ne!(files(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_open_is_taken_from_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::TempDir::new().unwrap();
    let state = folder.path().join("state");
    let database = state.join("sqlite/default.db");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    std::fs::create_dir_all(state.join("sqlite")).unwrap();
    std::fs::write(&database, "").unwrap();
    for (path, mode) in [(&state, 0o755), (&state.join("sqlite"), 0o755), (&database, 0o644)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let service = app().start_with(|builder| builder.state_dir(&state)).await;
    for private in ["", "sqlite", "blobs"] {
        assert_eq!(mode(&state.join(private)), 0o700, "{private}");
    }
    assert_eq!(mode(&database), 0o600);
    service.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_banner_says_where_things_are() {
    let service = app().handling("work", &message("", "(i32.const 512)"), "").start(Limits::default()).await;
    let banner = service.running.banner();
    for expected in
        [&service.address().to_string(), "/ok/...", "state/blobs", "within this process", "256 MiB"]
    {
        assert!(banner.contains(expected), "{expected} is not in {banner}");
    }
    let started = service.line(|line| line.event == "started").await;
    assert_eq!(started.fields["routes"]["/ok/..."], "ok");
}

/// Each instance has its place in the address space of the process.
#[tokio::test(flavor = "multi_thread")]
async fn the_largest_numbers_of_requests_are_ones_that_a_runtime_starts_with() {
    let mut limits = Limits::default();
    for name in ["max_concurrent_requests", "max_uploading_requests", "max_waiting_requests"] {
        let row = thumbs::limits::TABLE.iter().find(|row| row.name == name).unwrap();
        limits.set(name, &row.max.to_string()).unwrap();
    }
    assert_eq!(get(app().start(limits).await.address(), "/ok").await.status, 200);
}
