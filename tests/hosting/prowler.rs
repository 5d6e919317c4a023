//! A component that tries what it is not granted. Each attempt is refused, nothing comes of it, and where the host was asked at all the log names the
//! component and what it wanted.

use std::{net::TcpListener, sync::Arc};

use reqwest::Method;
use thumbs::{
    Running, Runtime,
    telemetry::{CaptureSink, Level, LogLine},
};
use thumbs_tests::{
    client::{Client, Reply},
    repository_root,
    service::{self, StateDir},
};

/// What the keeper has and nobody else may see.
const SECRETS: &[&str] = &["the-keepers", "kept by the keeper"];

/// The application, beside somebody on this machine whom nobody may reach.
struct House {
    client: Client,
    log: CaptureSink,
    _running: Running,
    state: StateDir,
    neighbour: TcpListener,
}

impl House {
    async fn open() -> Self {
        let neighbour = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        neighbour.set_nonblocking(true).unwrap();
        let (state, log) = (service::empty_state_dir(), CaptureSink::new());
        let running = Runtime::builder(repository_root().join("tests/hosting/prowler/spin.toml"))
            .state_dir(state.path())
            .cache_dir(service::compile_cache())
            .listen(([127, 0, 0, 1], 0).into())
            .variable("friend", format!("http://localhost:{}", neighbour.local_addr().unwrap().port()))
            .log(Arc::new(log.clone()), Level::Debug)
            .start()
            .await
            .unwrap_or_else(|error| panic!("{error} (were the guests of tests built? `make suites`)"));
        let client = Client::new(format!("http://{}", running.local_addr()));
        Self { client, log, _running: running, state, neighbour }
    }

    async fn ask(&self, who: &str, door: &str, wanted: &str) -> Reply {
        let request = self.client.request(Method::POST, &format!("/{who}/{door}")).body(wanted.to_owned());
        self.client.send(request).await
    }

    /// It is refused and learns nothing; the lines that the log has of it.
    async fn refuses(&self, who: &str, door: &str, wanted: &str) -> Vec<LogLine> {
        let before = self.log.lines().len();
        let reply = self.ask(who, door, wanted).await;
        let answer = String::from_utf8_lossy(&reply.body).into_owned();
        assert_eq!(reply.status, 403, "{who} {door} {wanted}: {answer}");
        assert!(!SECRETS.iter().any(|secret| answer.contains(secret)), "{who} {door} {wanted}: {answer}");
        let refusal = |line: &LogLine| {
            ["grant-refused", "egress-refused"].contains(&line.event.as_str()) && &*line.component == who
        };
        self.log.lines().split_off(before).into_iter().filter(refusal).collect()
    }

    /// The same, and the log says which interface was asked for what.
    async fn refuses_and_says(&self, who: &str, door: &str, wanted: &str, (interface, said): (&str, &str)) {
        let lines = self.refuses(who, door, wanted).await;
        let says = |line: &LogLine| {
            line.level == Level::Warn
                && field(line, "interface") == interface
                && field(line, "wanted") == said
        };
        assert!(lines.iter().any(says), "{who} {door} {wanted}: {:#?}", self.log.lines());
        assert!(lines.iter().all(|line| line.correlation_id.is_some()), "{lines:#?}");
    }

    fn nobody_came(&self) -> bool {
        self.neighbour.accept().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }
}

/// A text of a line; empty where it has none.
fn field<'a>(line: &'a LogLine, name: &str) -> &'a str {
    line.fields.get(name).and_then(|value| value.as_str()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_reaches_no_file() {
    let house = House::open().await;
    let state = house.state.path().display().to_string();
    for (door, wanted) in [
        ("read", "/etc/passwd"),
        ("read", "../../../../etc/passwd"),
        ("read", "/proc/self/environ"),
        ("read", &format!("{state}/sqlite/default.db")),
        ("write", "/tmp/it-was-here"),
        ("write", "it-was-here"),
        ("write", &format!("{state}/it-was-here")),
        ("list", "/"),
        ("list", "."),
    ] {
        // No call of WASI takes a path without a folder, and it has none: there is nothing to ask the host for, and nothing to say.
        let lines = house.refuses("prowler", door, wanted).await;
        assert!(lines.is_empty(), "{door} {wanted}: {lines:?}");
    }
    assert!(!house.state.path().join("it-was-here").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_has_no_socket_and_no_names() {
    let house = House::open().await;
    let neighbour = house.neighbour.local_addr().unwrap().to_string();
    for (door, wanted, said) in [
        ("tcp", &*neighbour, "a TCP socket"),
        ("tcp", "169.254.169.254:80", "a TCP socket"),
        ("udp", "0.0.0.0:0", "a UDP socket"),
        ("name", "localhost", "the address of localhost"),
        ("name", "metadata.google.internal", "the address of metadata.google.internal"),
    ] {
        house.refuses_and_says("prowler", door, wanted, ("sockets", said)).await;
    }
    assert!(house.nobody_came());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_asks_nobody_whom_it_may_not() {
    let house = House::open().await;
    let port = house.neighbour.local_addr().unwrap().port();
    for (url, host) in [
        (format!("http://127.0.0.1:{port}/"), "127.0.0.1"),
        // The same to every URL parser.
        (format!("http://2130706433:{port}/"), "2130706433"),
        (format!("http://0x7f.1:{port}/"), "0x7f.1"),
        (format!("http://[::ffff:127.0.0.1]:{port}/"), "[::ffff:127.0.0.1]"),
        ("http://169.254.169.254/latest/meta-data/".to_owned(), "169.254.169.254"),
        ("http://keeper.spin.internal/".to_owned(), "keeper.spin.internal"),
        (format!("http://localhost.example:{port}/"), "localhost.example"),
        (format!("https://localhost:{port}/"), "localhost"),
        // The friend's name is granted, and leads to this machine: as one does whose owner lets it point elsewhere after it was looked at.
        (format!("http://localhost:{port}/"), "localhost"),
    ] {
        let lines = house.refuses("prowler", "http", &url).await;
        let says = |line: &LogLine| field(line, "host") == host && !field(line, "reason").is_empty();
        assert!(lines.iter().any(says), "{url}: {:#?}", house.log.lines());
    }
    assert!(house.nobody_came());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_sees_no_variable_of_another() {
    let house = House::open().await;
    assert_eq!(house.ask("keeper", "variable", "secret").await.body, b"the-keepers");
    house.refuses_and_says("prowler", "variable", "secret", ("variables", "secret")).await;
    let environment = house.ask("prowler", "environment", "").await;
    let environment = String::from_utf8(environment.body).unwrap();
    assert!(environment.contains("OWN=its-own"), "{environment}");
    // Nor of the process: the test's own is full of them.
    for foreign in ["SECRET", "PATH", "HOME", "CARGO"] {
        assert!(!environment.contains(foreign), "{environment}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_opens_no_store_database_or_server_of_another() {
    let house = House::open().await;
    assert_eq!(house.ask("keeper", "keep", "kept by the keeper").await.status, 200);
    assert_eq!(house.ask("tenant", "sql", "CREATE TABLE diary (line TEXT)").await.status, 200);
    for (door, wanted, said) in [
        ("store", "default", ("key-value", "default")),
        ("store", "../default", ("key-value", "../default")),
        ("database", "default", ("sqlite", "default")),
        ("database", ":memory:", ("sqlite", ":memory:")),
        ("database", "/etc/passwd", ("sqlite", "/etc/passwd")),
        ("postgres", "postgres://root:hunter2@127.0.0.1/thumbs", ("postgres", "postgres://127.0.0.1:5432")),
        ("postgres", "host=/var/run/postgresql", ("postgres", "an address that is none")),
        ("redis", "redis://:hunter2@127.0.0.1", ("redis", "redis://127.0.0.1:6379")),
        ("redis", "unix:///var/run/redis.sock", ("redis", "unix://")),
    ] {
        house.refuses_and_says("prowler", door, wanted, said).await;
    }
    let log = format!("{:?}", house.log.lines());
    assert!(!log.contains("hunter2"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_leads_out_of_no_database() {
    let house = House::open().await;
    let outside = house.state.path().join("outside.db");
    assert_eq!(house.ask("tenant", "sql", "CREATE TABLE diary (line TEXT)").await.status, 200);
    for (sql, said) in [
        (&*format!("ATTACH '{}' AS x", outside.display()), format!("ATTACH {}", outside.display())),
        ("DETACH main", "DETACH main".to_owned()),
        ("PRAGMA writable_schema = on", "PRAGMA writable_schema".to_owned()),
        ("PRAGMA journal_mode = delete", "PRAGMA journal_mode".to_owned()),
        ("PRAGMA temp_store_directory = '/tmp'", "PRAGMA temp_store_directory".to_owned()),
        ("SELECT load_extension('/tmp/x.so')", "the function load_extension".to_owned()),
        ("CREATE VIRTUAL TABLE v USING dbstat", "a virtual table by dbstat".to_owned()),
        ("CREATE TEMP TABLE x (i)", "a temporary table, view or trigger".to_owned()),
    ] {
        house.refuses_and_says("tenant", "sql", sql, ("sqlite", &said)).await;
    }
    for sql in [
        format!("VACUUM INTO '{}'", outside.display()),
        // Of a schema that nobody may write.
        "UPDATE sqlite_schema SET sql = 'CREATE TABLE diary (line INTEGER)'".to_owned(),
    ] {
        let _said_or_not = house.refuses("tenant", "sql", &sql).await;
    }
    assert!(!outside.exists());
    assert_eq!(house.ask("tenant", "sql", "INSERT INTO diary VALUES ('as before')").await.status, 200);
}
