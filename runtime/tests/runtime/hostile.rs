//! A component that is hostile: whatever it does, several times at once, the host answers beside it and takes no more memory than it may, by what the
//! system says and not by what the host counts; and the log says which component it was.

use std::process::Command;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use crate::{
    app::App,
    client::{Reply, get},
    guests::{asking_request, request, request_with_stores},
    process::Process,
};

/// Requests to the hostile component at the same time.
const ATTACKERS: u64 = 8;
/// What an instance may have.
const MAX_INSTANCE_BYTES: u64 = 8 << 20;
/// Shorter and smaller than in production, so that each bound is come to soon.
const LIMITS: &[&str] = &[
    "max_request_memory_bytes=8388608",
    "request_cpu_ms=300",
    "max_log_lines=20",
    "sql_statement_timeout_ms=300",
    "sql_max_idle_ms=200",
];
const STORES: &str = "sqlite_databases = [\"default\"]\nkey_value_stores = [\"default\"]\n\
    dependencies_inherit_configuration = true\n\
    dependencies = { \"thumbs:blob-store/store@1.0.0\" = { path = \"unused.wasm\" } }";
const OK: &str = "(call $answer (local.get $out) (i32.const 200))";

/// A hostile component beside one that wants nothing but to be served.
struct Siege {
    process: Process,
    replies: Vec<Reply>,
    /// How often others were answered while it went on.
    served: usize,
}

impl Siege {
    async fn of(hostile: &[u8], grants: &str) -> Self {
        Self::beside(&request("", OK), "", hostile, grants).await
    }

    /// Begins and ends it. Others are answered while it lasts and afterwards, and the process has taken no more than those instances may.
    async fn beside(neighbour: &[u8], granted: &str, hostile: &[u8], grants: &str) -> Self {
        let app = App::new().serving("hostile", hostile, grants).serving("neighbour", neighbour, granted);
        let process = Process::start_by(Command::new(env!("CARGO_BIN_EXE_thumbs")), app, LIMITS).await;
        others_are_answered(&process).await;
        let before = process.peak_bytes();
        let mut attacks = JoinSet::new();
        for _ in 0..ATTACKERS {
            attacks.spawn(get(process.address, "/hostile"));
        }
        let (mut replies, mut served) = (Vec::new(), 0);
        while !attacks.is_empty() {
            tokio::select! {
                biased;
                Some(reply) = attacks.join_next() => replies.push(reply.unwrap()),
                () = others_are_answered(&process) => served += 1,
            }
        }
        others_are_answered(&process).await;
        let grown = process.peak_bytes() - before;
        let most = 2 * ATTACKERS * MAX_INSTANCE_BYTES;
        assert!(grown < most, "{grown} bytes more, for instances that may have {MAX_INSTANCE_BYTES} each");
        Self { process, replies, served }
    }

    /// Each attacker got this answer, and the log names the component and what ended it.
    async fn was_ended(mut self, (status, code): (u16, &str), reason: &str) -> Self {
        for reply in &self.replies {
            reply.is_problem(status, code);
        }
        let line = self.process.line("request-failed").await;
        assert_eq!((&line["component"], &line["reason"]), (&"hostile".into(), &reason.into()), "{line}");
        self
    }
}

async fn others_are_answered(process: &Process) {
    for path in ["/.well-known/spin/health", "/neighbour"] {
        let reply = get(process.address, path).await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
    }
}

/// A guest that runs a statement, answers 200, or 201 where it failed.
fn sql(statement: &str) -> Vec<u8> {
    then(statement, "(call $answer (local.get $out) (i32.add (i32.const 200) (i32.load8_u (i32.const 0))))")
}

/// A guest that runs a statement, and then this.
fn then(statement: &str, rest: &str) -> Vec<u8> {
    let execute = format!(
        "(local $handle i32)
        (call $open-sqlite (i32.const 64) (i32.const 7) (i32.const 0))
        (local.set $handle (i32.load (i32.const 4)))
        (call $execute-sqlite (local.get $handle) (i32.const 80) (i32.const {}) (i32.const 0) (i32.const 0) (i32.const 0))
        {rest}",
        statement.len()
    );
    request_with_stores(&format!("{:<16}{statement}", "default"), &execute)
}

/// Fills a megabyte with letters, from 1024 on, and does this again and again.
fn with_a_megabyte(again: &str) -> String {
    format!(
        "(local $handle i32)
        (drop (memory.grow (i32.const 16)))
        (memory.fill (i32.const 1024) (i32.const 97) (i32.const 1000000))
        (loop $more {again} (br $more))"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_without_end_is_ended() {
    let siege = Siege::of(&request("", "(call $compute-for-ever)"), "").await;
    assert!(siege.served > 0, "others were answered meanwhile");
    siege.was_ended((503, "deadline"), "deadline").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recursion_without_end_is_a_trap() {
    let siege = Siege::of(&request("", "(drop (call $recurse-for-ever (i64.const 0)))"), "").await;
    siege.was_ended((500, "internal"), "trap").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_what_an_instance_may_have() {
    let siege = Siege::of(&request("", "(call $take-all-memory)"), "").await;
    siege.was_ended((503, "out-of-memory"), "out-of-memory").await;
}

/// A thousand maps of 64 KiB in the host, from a guest that has 128 KiB.
#[tokio::test(flavor = "multi_thread")]
async fn headers_without_number_are_memory_of_their_instance() {
    let append = "(call $append-field (local.get $handle) (i32.const 64) (i32.const 1) (i32.const 1024) (i32.const 20000) (i32.const 0))";
    let fill = with_a_megabyte(&format!("(local.set $handle (call $new-fields)) {append} {append} {append}"));
    Siege::of(&request("x", &fill), "").await.was_ended((503, "out-of-memory"), "out-of-memory").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_with_long_methods_and_hosts_are_memory_of_their_instance() {
    for set in
        ["$set-method (local.get $handle) (i32.const 9)", "$set-authority (local.get $handle) (i32.const 1)"]
    {
        let fill = with_a_megabyte(&format!(
            "(local.set $handle (call $new-request (call $new-fields)))
            (drop (call {set} (i32.const 1024) (i32.const 1000000)))"
        ));
        let siege = Siege::of(&asking_request(&fill), "").await;
        siege.was_ended((503, "out-of-memory"), "out-of-memory").await;
    }
}

/// To each function that takes one; each refuses it or traps.
#[tokio::test(flavor = "multi_thread")]
async fn texts_of_a_megabyte_are_taken_by_nobody() {
    for (call, hostile) in [
        (
            "get-field",
            "(call $get-field (call $headers (local.get $request)) (i32.const 1024) (i32.const 1000000) (i32.const 0))",
        ),
        (
            "append-field",
            "(call $append-field (local.get $handle) (i32.const 1024) (i32.const 1000000) (i32.const 1024) (i32.const 1) (i32.const 0))",
        ),
        ("open-store", "(call $open-store (i32.const 1024) (i32.const 1000000) (i32.const 0))"),
        ("variable", "(call $variable (i32.const 1024) (i32.const 1000000) (i32.const 0))"),
        ("open-redis", "(call $open-redis (i32.const 1024) (i32.const 1000000) (i32.const 0))"),
        ("stderr", "(call $write (call $stderr) (i32.const 1024) (i32.const 1000000) (i32.const 0))"),
    ] {
        let first = if call == "append-field" { "(local.set $handle (call $new-fields))" } else { "" };
        // What the host hands back is taken again, or the guest would run out of its own memory.
        let again = with_a_megabyte(&format!("{first} (global.set $next (i32.const 1024)) {hostile}"));
        let siege = Siege::of(&request("", &again), "").await;
        for reply in &siege.replies {
            assert!([500, 503].contains(&reply.status), "{call}: {reply:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_opened_without_number_are_a_trap() {
    let open = "(loop $more
        (call $open-store (i32.const 64) (i32.const 7) (i32.const 0))
        (br_if $more (i32.eqz (i32.load8_u (i32.const 0)))))
        (call $answer (local.get $out) (i32.const 200))";
    let siege = Siege::of(&request("default", open), "key_value_stores = [\"default\"]").await;
    siege.was_ended((500, "internal"), "trap").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_lines_is_cut_and_says_whose_it_was() {
    let line = format!("{}\\0a", "x".repeat(499));
    let flood = "(local $stderr i32)
        (local.set $stderr (call $stderr))
        (loop $more (call $write (local.get $stderr) (i32.const 64) (i32.const 500) (i32.const 0)) (br $more))";
    let mut siege = Siege::of(&request(&line, flood), "").await;
    assert!(siege.served > 0, "others were answered meanwhile");
    for reply in &siege.replies {
        reply.is_problem(503, "deadline");
    }
    let dropped = siege.process.line("output-dropped").await;
    assert_eq!(dropped["component"], "hostile", "{dropped}");
}

/// A client that reads whatever comes.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_end_is_ended_though_its_client_reads() {
    let endless = "(local $body i32) (local $stream i32)
        (local.set $body (call $begin (local.get $out)))
        (call $body-stream (local.get $body) (i32.const 0))
        (local.set $stream (i32.load (i32.const 4)))
        (loop $more (call $write (local.get $stream) (i32.const 1024) (i32.const 4096) (i32.const 0)) (br $more))";
    let app =
        App::new().serving("hostile", &request("", endless), "").serving("neighbour", &request("", OK), "");
    let mut process = Process::start_by(Command::new(env!("CARGO_BIN_EXE_thumbs")), app, LIMITS).await;
    others_are_answered(&process).await;
    let before = process.peak_bytes();
    let mut readers = JoinSet::new();
    for _ in 0..ATTACKERS {
        let address = process.address;
        readers.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET /hostile HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
            let (mut piece, mut read) = (vec![0; 64 << 10], 0);
            // Broken off, or ended: its length was never said.
            while let Ok(some @ 1..) = stream.read(&mut piece).await {
                read += some;
            }
            read
        });
    }
    while !readers.is_empty() {
        tokio::select! {
            biased;
            Some(read) = readers.join_next() => assert!(read.unwrap() > 0),
            () = others_are_answered(&process) => {}
        }
    }
    others_are_answered(&process).await;
    let grown = process.peak_bytes() - before;
    assert!(grown < 2 * ATTACKERS * MAX_INSTANCE_BYTES, "{grown} bytes more");
    let line = process.line("request-failed").await;
    assert_eq!((&line["component"], &line["reason"]), (&"hostile".into(), &"deadline".into()), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_without_end_is_interrupted_and_others_read_and_write() {
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    for neighbour in ["SELECT 1", "PRAGMA user_version = 7"] {
        let siege = Siege::beside(&sql(neighbour), STORES, &sql(endless), STORES).await;
        assert!(siege.served > 0, "others were answered meanwhile");
        assert!(siege.replies.iter().all(|reply| reply.status == 201), "{:?}", siege.replies);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_kept_open_keeps_nobody_from_writing() {
    let answer = "(call $wait-ms (i64.const 3000)) (call $answer (local.get $out) (i32.const 200))";
    let kept = then("BEGIN IMMEDIATE", answer);
    let siege = Siege::beside(&sql("PRAGMA user_version = 7"), STORES, &kept, STORES).await;
    assert!(siege.served > 0, "others have written meanwhile");
    assert!(siege.replies.iter().all(|reply| reply.status == 200), "{:?}", siege.replies);
}
