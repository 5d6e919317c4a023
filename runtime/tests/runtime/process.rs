//! The binary as an operator runs it: what its environment does to it from outside.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::{
    app::App,
    client::{Exchange, get},
    guests::{request, request_with_stores},
};

/// What a test waits for comes within this, or never.
const DEADLINE: Duration = Duration::from_secs(30);

/// A process of `thumbs up`, whose log is read only when a test asks for a line.
pub(crate) struct Process {
    child: Option<Child>,
    log: Option<BufReader<ChildStderr>>,
    pub(crate) address: SocketAddr,
    folder: TempDir,
}

impl Process {
    async fn start(app: App, limits: &[&str]) -> Self {
        Self::start_by(Command::new(env!("CARGO_BIN_EXE_thumbs")), app, limits).await
    }

    /// The same with so many open files at most.
    async fn start_with_files(files: u64, app: App, limits: &[&str]) -> Self {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("ulimit -n {files} && exec \"$0\" \"$@\""))
            .arg(env!("CARGO_BIN_EXE_thumbs"));
        Self::start_by(command, app, limits).await
    }

    pub(crate) async fn start_by(mut command: Command, app: App, limits: &[&str]) -> Self {
        let folder = app.written();
        command.arg("up").arg("--from").arg(folder.path().join("spin.toml"));
        command.arg("--cache-dir").arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled"));
        for limit in limits {
            command.args(["--limit", limit]);
        }
        Self::of(command, folder).await
    }

    /// Of a command that serves, with its state in the folder.
    pub(crate) async fn of(mut command: Command, folder: TempDir) -> Self {
        command.args(["--listen", "127.0.0.1:0", "--log", "json", "--workers", "0"]);
        command.arg("--state-dir").arg(folder.path().join("state"));
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut process =
            Self { child: Some(child), log: Some(log), address: ([0, 0, 0, 0], 0).into(), folder };
        let started = process.line("started").await;
        process.address = started["address"].as_str().unwrap().parse().unwrap();
        process
    }

    /// Reads the log up to a line with this event.
    pub(crate) async fn line(&mut self, event: &'static str) -> serde_json::Value {
        let mut log = self.log.take().unwrap();
        let reading = tokio::task::spawn_blocking(move || {
            loop {
                let mut text = String::new();
                assert!(log.read_line(&mut text).unwrap() > 0, "the log ends without {event}");
                let line: serde_json::Value = serde_json::from_str(&text).unwrap();
                if line["event"] == event {
                    return (log, line);
                }
            }
        });
        let (log, line) = tokio::time::timeout(DEADLINE, reading).await.expect(event).unwrap();
        self.log = Some(log);
        line
    }

    /// The most that it ever had in memory.
    pub(crate) fn peak_bytes(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.child.as_ref().unwrap().id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Ends it as a power cut does, and gives its folder.
    pub(crate) fn cut_off(mut self) -> TempDir {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        std::mem::replace(&mut self.folder, TempDir::new().unwrap())
    }

    /// Asks it to stop, as Kubernetes and systemd do, and waits until it has.
    async fn terminated(mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let ended = tokio::time::timeout(DEADLINE, tokio::task::spawn_blocking(move || child.wait())).await;
        if ended.is_err() {
            let _ = Command::new("kill").args(["-KILL", &id]).status();
        }
        ended.expect("SIGTERM ends it").unwrap().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_stops_neither_requests_nor_the_end() {
    /// A pipe holds 64 KiB, and the queue before it as much: these requests write many times that.
    const REQUESTS: usize = 40;
    let text = "x".repeat(500);
    let say_a_lot = "(local $left i32) (local.set $left (i32.const 50))
        (loop $more
            (call $say (i32.const 64) (i32.const 501))
            (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (call $answer (local.get $out) (i32.const 200))";
    let app = App::new().serving("loud", &request(&format!("{text}\\0a"), say_a_lot), "");
    let mut process = Process::start(app, &["max_queued_log_bytes=65536"]).await;
    for _ in 0..REQUESTS {
        assert_eq!(get(process.address, "/loud").await.status, 200);
    }
    let dropped = process.line("log-lines-dropped").await;
    assert!(dropped["lines"].as_u64() > Some(0), "{dropped}");
    for _ in 0..REQUESTS {
        assert_eq!(get(process.address, "/loud").await.status, 200);
    }
    assert!(process.terminated().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_read_has_its_last_line() {
    let app = App::new().serving("ok", &request("", "(call $answer (local.get $out) (i32.const 200))"), "");
    let mut process = Process::start(app, &[]).await;
    let log = process.log.take().unwrap();
    assert!(process.terminated().await.success());
    let last = log.lines().last().unwrap().unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&last).unwrap()["event"], "stopped", "{last}");
}

/// A row of values that SQLite makes out of nothing, none of which is handed to the guest: a gigabyte.
#[tokio::test(flavor = "multi_thread")]
async fn what_sqlite_makes_of_a_statement_is_bounded() {
    let columns = vec!["max(randomblob(10000000))"; 100].join(",");
    let statement = format!("SELECT {columns}");
    let execute = format!(
        "(local $handle i32)
        (call $open-sqlite (i32.const 64) (i32.const 7) (i32.const 0))
        (local.set $handle (i32.load (i32.const 4)))
        (call $execute-sqlite (local.get $handle) (i32.const 80) (i32.const {}) (i32.const 0) (i32.const 0) (i32.const 0))
        ;; Whether it failed.
        (call $answer (local.get $out) (i32.add (i32.const 200) (i32.load8_u (i32.const 0))))",
        statement.len()
    );
    let app = App::new().serving(
        "sql",
        &request_with_stores(&format!("{:<16}{statement}", "default"), &execute),
        "sqlite_databases = [\"default\"]\nkey_value_stores = [\"default\"]\n\
            dependencies_inherit_configuration = true\n\
            dependencies = { \"thumbs:blob-store/store@1.0.0\" = { path = \"unused.wasm\" } }",
    );
    let process = Process::start(app, &["sql_max_memory_bytes=67108864"]).await;
    let before = process.peak_bytes();
    assert_eq!(get(process.address, "/sql").await.status, 201, "the statement fails");
    let more = process.peak_bytes() - before;
    assert!(more < 200 << 20, "{more} bytes more than before");
}

/// The guests are stopped by processor time, which a busy machine gives them as slowly as it gives the checks.
#[tokio::test(flavor = "multi_thread")]
async fn guests_that_compute_on_every_thread_keep_no_connection_waiting() {
    let app = App::new().serving("spin", &request("", "(call $compute-for-ever)"), "");
    let process = Process::start(app, &["request_cpu_ms=2000"]).await;
    let guests = 2 * std::thread::available_parallelism().unwrap().get();
    let mut spinning = tokio::task::JoinSet::new();
    for _ in 0..guests {
        spinning.spawn(get(process.address, "/spin"));
    }
    let mut checks = 0;
    loop {
        tokio::select! {
            biased;
            reply = spinning.join_next() => {
                reply.unwrap().unwrap().is_problem(503, "deadline");
                break;
            }
            reply = get(process.address, "/.well-known/spin/health") => {
                assert_eq!(reply.status, 200);
                checks += 1;
            }
        }
    }
    // A look at sockets after every 61st poll of 10 ms lets five or so through.
    assert!(checks >= 30, "{checks} health checks were answered while {guests} guests computed");
}

/// Makes one body after the other, and writes as much of each as the host takes without a reader.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_nobody_reads_are_memory_of_their_instance() {
    const MAX_BYTES: u64 = 8 << 20;
    let fill = "(local $stream i32) (local $some i64)
        (drop (memory.grow (i32.const 16)))
        (loop $more
            (call $response-body (call $new-response (call $new-fields)) (i32.const 0))
            (call $body-stream (i32.load (i32.const 4)) (i32.const 0))
            (local.set $stream (i32.load (i32.const 4)))
            (block $full (loop $fill
                (call $writable (local.get $stream) (i32.const 0))
                (local.set $some (i64.load (i32.const 8)))
                (br_if $full (i64.eqz (local.get $some)))
                (call $write-some (local.get $stream) (i32.const 1024) (i32.wrap_i64 (local.get $some)) (i32.const 0))
                (br $fill)))
            (br $more))";
    let app = App::new().serving("fill", &request("", fill), "").serving(
        "ok",
        &request("", "(call $answer (local.get $out) (i32.const 200))"),
        "",
    );
    let limit = format!("max_request_memory_bytes={MAX_BYTES}");
    let process = Process::start(app, &[&limit, "max_resources=3000", "request_cpu_ms=10000"]).await;
    assert_eq!(get(process.address, "/ok").await.status, 200);
    let before = process.peak_bytes();
    let reply = get(process.address, "/fill").await;
    let grown = process.peak_bytes() - before;
    assert!(grown < 2 * MAX_BYTES, "{grown} bytes for an instance that may have {MAX_BYTES}");
    reply.is_problem(503, "out-of-memory");
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_leave_files_to_those_that_ask() {
    const FILES: u64 = 120;
    let ok = request("", "(call $answer (local.get $out) (i32.const 200))");
    let app = App::new().serving("ok", &ok, "");
    let process = Process::start_with_files(FILES, app, &[]).await;
    let mut kept = Exchange::begin(process.address, "").await;
    let mut idle = Vec::new();
    for _ in 0..150 {
        idle.push(Exchange::begin(process.address, "").await);
    }
    assert!(kept.send(b"GET /ok HTTP/1.1\r\nhost: test\r\n\r\n").await);
    assert_eq!(kept.answer().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_serves_the_application_that_it_carries() {
    let machine = TempDir::new().unwrap();
    let program = machine.path().join("thumbs");
    {
        let app =
            App::new().serving("ok", &request("", "(call $answer (local.get $out) (i32.const 204))"), "");
        let built = app.written();
        let mut bundle = Command::new(env!("CARGO_BIN_EXE_thumbs"));
        bundle.arg("bundle").arg(&program).arg("--from").arg(built.path().join("spin.toml"));
        assert!(bundle.stdout(Stdio::null()).status().unwrap().success());
    }
    // What it was made of is gone.
    let mut command = Command::new(&program);
    command.arg("up").current_dir(machine.path()).env_remove("THUMBS_MANIFEST");
    let process = Process::of(command, machine).await;
    assert_eq!(get(process.address, "/ok").await.status, 204);
    assert!(process.terminated().await.success());
}

/// To compile takes memory that the allocator keeps: what was compiled is read by the program that begins anew in the same process.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_compiled_begins_anew_in_its_process() {
    let app = App::new().serving("ok", &request("", "(call $answer (local.get $out) (i32.const 204))"), "");
    let (manifest, machine) = (app.written(), TempDir::new().unwrap());
    let cache = machine.path().join("compiled");
    for begins_anew in [true, false] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_thumbs"));
        command.arg("up").arg("--from").arg(manifest.path().join("spin.toml"));
        command.arg("--cache-dir").arg(&cache).env_remove("THUMBS_AFTER_COMPILING");
        let process = Process::of(command, TempDir::new().unwrap()).await;
        let id = process.child.as_ref().unwrap().id();
        let environment = std::fs::read(format!("/proc/{id}/environ")).unwrap();
        let began_anew = String::from_utf8_lossy(&environment).contains("THUMBS_AFTER_COMPILING=true");
        assert_eq!(began_anew, begins_anew);
        assert_eq!(get(process.address, "/ok").await.status, 204);
        assert!(process.terminated().await.success());
    }
}
