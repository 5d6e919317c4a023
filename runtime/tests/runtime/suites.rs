//! `thumbs test`: what a suite is given, how a test fails, and what is said of it.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;
use thumbs::{limits::Limits, spin_test::Suites};

use crate::{
    guests::{message, request},
    suite_guests::{asking, suite},
};

const OK: &str = "(call $answer (local.get $out) (i32.const 200))";
const MIB: u64 = 1024 * 1024;

/// An application of one component, `app` at `/app/...`, and its suite.
struct App {
    folder: TempDir,
}

impl App {
    /// `grants` are further lines of the component's table.
    fn new(component: &[u8], grants: &str, suite: &[u8]) -> Self {
        let app = Self { folder: TempDir::new().unwrap() };
        let manifest = format!(
            r#"spin_manifest_version = 2
            [application]
            name = "test"
            [variables]
            token = {{ required = true }}
            [[trigger.http]]
            route = "/app/..."
            component = "app"
            [[trigger.http]]
            route = "/other/..."
            component = "other"
            [component.other]
            source = "app.wasm"
            [component.app]
            source = "app.wasm"
            {grants}
            [component.app.tool.spin-test]
            source = "suite.wasm"
            "#
        );
        for (name, bytes) in
            [("spin.toml", manifest.as_bytes()), ("app.wasm", component), ("suite.wasm", suite)]
        {
            std::fs::write(app.folder.path().join(name), bytes).unwrap();
        }
        app
    }

    fn of_tests(component: &[u8], grants: &str, tests: &[(&str, &str)]) -> Self {
        Self::new(component, grants, &suite(tests))
    }

    fn manifest(&self) -> PathBuf {
        self.folder.path().join("spin.toml")
    }

    async fn load(&self, limits: Limits) -> Suites {
        match Suites::builder(self.manifest()).cache_dir(compiled()).limits(limits).load().await {
            Ok(suites) => suites,
            Err(error) => panic!("{error}"),
        }
    }

    async fn refused(&self) -> String {
        match Suites::builder(self.manifest()).cache_dir(compiled()).load().await {
            Ok(suites) => panic!("{suites:?}"),
            Err(error) => error.to_string(),
        }
    }

    /// Runs all tests: what was said, and whether all passed.
    async fn run(&self, limits: Limits) -> (String, bool) {
        run(&self.load(limits).await, &[]).await
    }

    async fn passes(&self) {
        let (text, passed) = self.run(Limits::default()).await;
        assert!(passed, "{text}");
    }

    /// The binary, as a person runs it.
    fn command(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_thumbs"))
            .args(["test", "-f"])
            .arg(self.manifest())
            .arg("--cache-dir")
            .arg(compiled())
            .args(arguments)
            .output()
            .unwrap()
    }
}

/// What was compiled once is the same in every test.
fn compiled() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled")
}

async fn run(suites: &Suites, filters: &[&str]) -> (String, bool) {
    let filters: Vec<String> = filters.iter().map(|&filter| filter.to_owned()).collect();
    let mut out = Vec::new();
    let passed = suites.run(&filters, &mut out).await.unwrap();
    (String::from_utf8(out).unwrap(), passed)
}

/// Sets the variable that the application requires.
const SET_TOKEN: &str = "(call $set-variable (i32.const 1104) (i32.const 5) (i32.const 1032) (i32.const 3))";

/// A test that expects this status of `/app/x`.
fn expects(status: u16) -> String {
    format!("{SET_TOKEN} (call $assert-status (i32.const {status}) (i32.const 1056) (i32.const 6))")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_fails_is_told_of_and_the_others_go_on() {
    let tests = [
        ("first", ""),
        ("panics", "(call $say-why) (unreachable)"),
        ("traps_in_silence", "(unreachable)"),
        ("last", ""),
    ];
    let (text, passed) = App::of_tests(&request("", OK), "", &tests).run(Limits::default()).await;
    assert!(!passed);
    let (ran, failures) = text.split_once("\nfailures:\n").unwrap();
    assert_eq!(
        ran,
        "\nrunning 4 tests (app)\ntest first ... ok\ntest panics ... FAILED\ntest traps_in_silence ... FAILED\n\
         test last ... ok\n"
    );
    assert!(failures.contains("---- panics stdout ----\nthis is why\n\n----"), "{text}");
    assert!(failures.contains("---- traps_in_silence stdout ----\nthe test was stopped: "), "{text}");
    assert!(failures.contains("\nfailures:\n    panics\n    traps_in_silence\n"), "{text}");
    assert!(
        failures.contains("test result: FAILED. 2 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out;")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_says_nothing_is_spoken_for_whatever_its_component_has_said() {
    let says = request("from the app", &format!("(call $say (i32.const 64) (i32.const 12)) {OK}"));
    let tests = [("ends", &*format!("{} (unreachable)", expects(200)))];
    let (text, passed) = App::of_tests(&says, "", &tests).run(Limits::default()).await;
    assert!(!passed && text.contains(r#"app: output message="from the app""#), "{text}");
    assert!(text.contains("the test was stopped: ") && text.contains("unreachable"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_test_sees_the_world_of_another() {
    let unseen = "(if (call $has-key) (then (unreachable))) (call $create-table)";
    let writes = "(call $set-key) (if (i32.eqz (call $has-key)) (then (unreachable))) (call $create-table)";
    App::of_tests(&request("", OK), "", &[("before", unseen), ("writes", writes), ("sees_nothing", unseen)])
        .passes()
        .await;
    // The tests tell a table that is there from one that is not.
    let twice = "(call $create-table) (call $create-table)";
    let (text, passed) =
        App::of_tests(&request("", OK), "", &[("twice", twice)]).run(Limits::default()).await;
    assert!(!passed && text.contains("this is why"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_component_is_asked_as_by_a_client() {
    let elsewhere = "(call $assert-status (i32.const 404) (i32.const 1072) (i32.const 10))";
    App::of_tests(&request("", OK), "", &[("its_own_path", &expects(200)), ("no_path", elsewhere)])
        .passes()
        .await;

    let anothers = "(call $assert-status (i32.const 200) (i32.const 1088) (i32.const 8))";
    let (text, passed) =
        App::of_tests(&request("", OK), "", &[("anothers", anothers)]).run(Limits::default()).await;
    assert!(!passed && text.contains("/other/x is a path of component `other`, not of `app`"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_traps_fails_the_test_and_is_named() {
    let app = request("", "(call $say (i32.const 64) (i32.const 0)) (unreachable)");
    let (text, passed) = App::of_tests(&app, "", &[("asks", &expects(200))]).run(Limits::default()).await;
    assert!(!passed && text.contains("the test was stopped: component `app` failed (trap)"), "{text}");

    let silent = request("", "");
    App::of_tests(&silent, "", &[("gets_nothing", &expects(0))]).passes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_body_is_not_finished_is_the_suites_mistake() {
    let unfinished = format!(
        "(local $request i32) {SET_TOKEN}
        (local.set $request (call $outgoing-request (call $new-fields)))
        (drop (call $set-path (local.get $request) (i32.const 1) (i32.const 1056) (i32.const 6)))
        (call $request-body (local.get $request) (i32.const 0))
        (call $assert-answer (i32.const 200) (local.get $request))"
    );
    let (text, passed) =
        App::of_tests(&request("", OK), "", &[("asks", &unfinished)]).run(Limits::default()).await;
    assert!(!passed && text.contains("the body of a request is not finished"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_manifest_does_not_grant_the_component_does_not_get() {
    // Opens the store `default`: 200, or 403 where that is denied.
    let opens = request(
        "default",
        "(call $open-store (i32.const 64) (i32.const 7) (i32.const 0))
        (if (i32.eqz (i32.load8_u (i32.const 0))) (then (call $answer (local.get $out) (i32.const 200)) (return)))
        (call $answer (local.get $out) (i32.const 403))",
    );
    App::of_tests(&opens, "", &[("denied", &format!("(call $set-key) {}", expects(403)))]).passes().await;
    App::of_tests(&opens, "key_value_stores = [\"default\"]", &[("given", &expects(200))]).passes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_out_meet_what_the_test_has_set_and_nothing_else() {
    let twice = format!("(call $answer-outside (i32.const 201)) {} {}", expects(201), expects(502));
    let tests = [("answered_once", twice.as_str()), ("unreachable", &expects(502))];
    App::of_tests(&asking(), "allowed_outbound_hosts = [\"http://a.example:80\"]", &tests).passes().await;

    let refused = format!("(call $answer-outside (i32.const 201)) {}", expects(502));
    App::of_tests(&asking(), "", &[("not_granted", &refused)]).passes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn use_of_a_store_by_the_suite_is_no_call() {
    let none =
        "(call $set-key) (call $calls (i32.const 0)) (if (i32.load (i32.const 4)) (then (unreachable)))";
    App::of_tests(&request("", OK), "key_value_stores = [\"default\"]", &[("none", none)]).passes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_has_the_value_that_the_test_sets() {
    // Answers 200 where the variable is `<key>`.
    let tells = request(
        "token",
        "(call $variable (i32.const 64) (i32.const 5) (i32.const 0))
        (if (i32.load8_u (i32.const 0)) (then (call $answer (local.get $out) (i32.const 404)) (return)))
        (call $answer (local.get $out)
            (if (result i32) (i32.eq (i32.load (i32.load (i32.const 4))) (i32.const 0x79656b3c))
                (then (i32.const 200)) (else (i32.const 409))))",
    );
    let grants = "variables = { token = \"<{{ token }}>\" }";
    App::of_tests(&tells, grants, &[("set", &expects(200))]).passes().await;

    let unset = "(call $assert-status (i32.const 200) (i32.const 1056) (i32.const 6))";
    let unknown = "(call $set-variable (i32.const 1112) (i32.const 6) (i32.const 1032) (i32.const 3))";
    let tests = [("required", unset), ("unknown", unknown)];
    let (text, passed) = App::of_tests(&tells, grants, &tests).run(Limits::default()).await;
    assert!(
        !passed && text.contains("the variable `token` is required, and the test has not set it"),
        "{text}"
    );
    assert!(text.contains("the manifest declares no variable \"nobody\""), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suite_has_the_bounds_of_a_request() {
    let tests =
        [("loops", "(call $compute-for-ever)"), ("hoards", "(call $take-all-memory)"), ("passes", "")];
    let limits = Limits { request_cpu_ms: 50, max_request_memory_bytes: 2 * MIB, ..Limits::default() };
    let (text, passed) = App::of_tests(&request("", OK), "", &tests).run(limits).await;
    assert!(!passed && text.contains("it ran longer than 50 ms (request_cpu_ms)"), "{text}");
    assert!(text.contains("it needed more than 2097152 bytes of memory"), "{text}");
    assert!(text.contains("1 passed; 2 failed"), "{text}");

    let waits = request("", "(call $wait-ms (i64.const 3600000))");
    let limits = Limits { request_timeout_ms: 100, ..Limits::default() };
    let (text, passed) = App::of_tests(&waits, "", &[("waits", &expects(200))]).run(limits).await;
    assert!(!passed && text.contains("the test was stopped: "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_chooses_by_a_part_of_the_name() {
    let app =
        App::of_tests(&request("", OK), "", &[("alpha", ""), ("beta", ""), ("gamma_fails", "(unreachable)")]);
    let suites = app.load(Limits::default()).await;
    assert_eq!(suites.count(), 3);
    for (filters, ran, left) in [(&["alp"][..], 1, 2), (&["alpha", "eta"], 2, 1), (&["delta"], 0, 3)] {
        let (text, passed) = run(&suites, filters).await;
        assert!(passed, "{text}");
        assert!(
            text.contains(&format!("ok. {ran} passed; 0 failed; 0 ignored; 0 measured; {left} filtered out"))
        );
    }
    let mut listed = Vec::new();
    suites.list(&["a_f".to_owned()], &mut listed).unwrap();
    assert_eq!(String::from_utf8(listed).unwrap(), "gamma_fails: test\n\n1 test (app)\n\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_suite_is_refused_in_a_sentence() {
    let app = |component: &[u8], suite: &[u8]| App::new(component, "", suite);
    let good = suite(&[("passes", "")]);
    let handler = request("", OK);
    for (app, expected) in [
        (
            app(&handler, &handler),
            "component `app` has a suite that is none of the world fermyon:spin-test/test",
        ),
        (app(&handler, b"no wasm"), "component `app` has a suite that can't be compiled"),
        (
            app(&message("", "(i32.const 512)"), &good),
            "component `app` has a suite, but exports no wasi:http",
        ),
    ] {
        let error = app.refused().await;
        assert!(error.contains(expected), "{error}");
    }
    let app = app(&handler, &good);
    let builder = || Suites::builder(app.manifest()).cache_dir(compiled());
    let error = builder().component("other").load().await.unwrap_err().to_string();
    assert!(error.contains("spin.toml: there is no component `other` with a suite"), "{error}");
    std::fs::remove_file(app.folder.path().join("suite.wasm")).unwrap();
    let error = app.refused().await;
    assert!(error.contains("component `app` has a suite that can't be read"), "{error}");
    assert!(error.contains("suite.wasm") && error.contains("make suites"), "{error}");
}

#[test]
fn the_status_of_the_command_tells_how_it_went() {
    let app = App::of_tests(&request("", OK), "", &[("passes", ""), ("fails", "(unreachable)")]);
    let all = app.command(&[]);
    assert_eq!(all.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&all.stdout).contains("test result: FAILED. 1 passed; 1 failed"));
    assert_eq!(app.command(&["pass"]).status.code(), Some(0));
    let listed = app.command(&["--list", "--component", "app"]);
    assert_eq!(listed.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&listed.stdout).starts_with("passes: test\nfails: test\n"));
    let unknown = app.command(&["--component", "nobody"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no component `nobody`"));
    assert_eq!(app.command(&["--nonsense"]).status.code(), Some(2));
}
