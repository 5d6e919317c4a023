//! Clients that mean harm: requests that two servers would read in two ways, heads and bodies that are bombs, texts that would like to be a line of the
//! log or a header, and very many connections. docs/security.md lists what is tried.

use std::{net::SocketAddr, time::Duration};

use reqwest::{Method, StatusCode};
use serde_json::Value;
use thumbs::telemetry::{CaptureSink, Level};
use thumbs_tests::{home::Home, images, service::Service, watched::Watched};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::block_in_place,
    time::timeout,
};

/// An exchange takes no longer, or it hangs.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(60);
/// A request that must not be one.
const SMUGGLED: &str = "GET /jobs/smuggled HTTP/1.1\r\nhost: test\r\n\r\n";
const NO_JOB: &str = "01900000-0000-7000-8000-000000000000";

/// Sends these bytes on one connection, says that no more come, and gives all that comes back.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let (mut read, mut write) = stream.split();
        let send = async {
            // It may be refused before it is all there.
            let _refused = write.write_all(bytes).await;
            let _refused = write.shutdown().await;
        };
        let receive = async {
            let (mut answer, mut piece) = (Vec::new(), [0; 4096]);
            while let Ok(length @ 1..) = read.read(&mut piece).await {
                answer.extend_from_slice(&piece[..length]);
            }
            answer
        };
        tokio::join!(send, receive).1
    };
    let answer = timeout(EXCHANGE_TIMEOUT, exchange).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn statuses(answer: &str) -> Vec<u16> {
    let starts = answer.match_indices("HTTP/1.1 ").map(|(at, found)| at + found.len());
    starts.filter_map(|at| answer.get(at..at + 3)?.parse().ok()).collect()
}

async fn start() -> (Service, CaptureSink) {
    let log = CaptureSink::new();
    let sink = std::sync::Arc::new(log.clone());
    let limits = thumbs::limits::Limits { access_log_every: 1, ..thumbs::limits::Limits::default() };
    let service = Home::embedded().start_with(|builder| builder.limits(limits).log(sink, Level::Debug)).await;
    (service, log)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_second_request_is_smuggled_in_behind_a_first() {
    let (service, log) = start().await;
    let length = SMUGGLED.len();
    // Whoever goes by the one header sees a body, by the other a request behind it.
    let as_a_body =
        |headers: &str| format!("POST /jobs HTTP/1.1\r\nhost: test\r\n{headers}\r\n\r\n{SMUGGLED}");
    let behind_chunks =
        |headers: &str| format!("POST /jobs HTTP/1.1\r\nhost: test\r\n{headers}\r\n\r\n0\r\n\r\n{SMUGGLED}");
    let both = length + 5;
    for (name, request) in [
        (
            "a length, then chunks",
            behind_chunks(&format!("content-length: {both}\r\ntransfer-encoding: chunked")),
        ),
        (
            "chunks, then a length",
            behind_chunks(&format!("transfer-encoding: chunked\r\ncontent-length: {both}")),
        ),
        ("two lengths", as_a_body(&format!("content-length: {length}\r\ncontent-length: 0"))),
        ("two lengths in one", as_a_body(&format!("content-length: {length}, 0"))),
        ("a length with a sign", as_a_body(&format!("content-length: +{length}"))),
        ("a length below zero", as_a_body("content-length: -1")),
        ("a length in hexadecimal", as_a_body(&format!("content-length: 0x{length:x}"))),
        ("a length beyond all numbers", as_a_body("content-length: 18446744073709551617")),
        ("a length of nothing", as_a_body("content-length: ")),
        ("a length with a space before the colon", as_a_body(&format!("content-length : {length}"))),
        ("a length on a folded line", as_a_body(&format!("content-length:\r\n {length}"))),
        ("a folded line", as_a_body(&format!("x-a: b\r\n content-length: 0\r\ncontent-length: {length}"))),
        ("chunks that are not the last coding", as_a_body("transfer-encoding: chunked, gzip")),
        (
            "chunks twice",
            behind_chunks(&format!("transfer-encoding: chunked, chunked\r\ncontent-length: {both}")),
        ),
        (
            "a coding that is none",
            behind_chunks(&format!("transfer-encoding: xchunked\r\ncontent-length: {both}")),
        ),
        ("chunks and what is none", behind_chunks("transfer-encoding: identity, chunked, identity")),
        ("chunks with a vertical tab", behind_chunks("transfer-encoding:\x0bchunked")),
        (
            "chunks after a space",
            behind_chunks(&format!("transfer-encoding : chunked\r\ncontent-length: {both}")),
        ),
        ("a NUL in a name", as_a_body(&format!("content-length\0: {length}"))),
        ("a carriage return alone", as_a_body(&format!("x-a: b\rcontent-length: {length}"))),
        (
            "a length in HTTP/1.0 with chunks",
            format!(
                "POST /jobs HTTP/1.0\r\ntransfer-encoding: chunked\r\ncontent-length: {both}\r\n\r\n0\r\n\r\n{SMUGGLED}"
            ),
        ),
        (
            "a size of a chunk beyond all numbers",
            format!(
                "POST /jobs HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n10000000000000000\r\n{SMUGGLED}"
            ),
        ),
        (
            "a size of a chunk below zero",
            format!(
                "POST /jobs HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n{SMUGGLED}"
            ),
        ),
        (
            "a size of a chunk in 0x",
            format!(
                "POST /jobs HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n0x0\r\n\r\n{SMUGGLED}"
            ),
        ),
        (
            "a chunk that is longer than it says",
            format!(
                "POST /jobs HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n{SMUGGLED}"
            ),
        ),
        (
            "a line within the extension of a chunk",
            format!(
                "POST /jobs HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n0;a=\n\r\n\r\n{SMUGGLED}"
            ),
        ),
        ("a line before the method", format!("\r\n\0{SMUGGLED}")),
        ("a method of two words", format!("GET GET /jobs HTTP/1.1\r\nhost: test\r\n\r\n{SMUGGLED}")),
        ("a version that is none", format!("GET /jobs HTTP/9.9\r\nhost: test\r\n\r\n{SMUGGLED}")),
    ] {
        let answer = exchange(service.address(), request.as_bytes()).await;
        let statuses = statuses(&answer);
        assert!(statuses.len() <= 1, "{name}: two answers: {answer}");
        assert!(statuses.iter().all(|status| (400..500).contains(status)), "{name}: {answer}");
    }
    // Unusual, and the same to everybody: the last is a request of its own, where the connection outlives the refusal of the first. It does unless
    // that came before the end of the body was read.
    let plain = format!(
        "POST /jobs HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n1;a=\"b\"\r\nx\r\n0\r\nx-t: u\r\n\r\n{}",
        SMUGGLED.replace("smuggled", NO_JOB)
    );
    let answer = exchange(service.address(), plain.as_bytes()).await;
    assert!(matches!(statuses(&answer)[..], [415] | [415, 404]), "{answer}");
    let smuggled: Vec<_> =
        log.lines().into_iter().filter(|line| format!("{line:?}").contains("/smuggled")).collect();
    assert!(smuggled.is_empty(), "{smuggled:?}");
    service.client.thumbnail(&images::png(20, 20), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn bombs_of_headers_and_chunks_are_cut_off() {
    let (service, _) = start().await;
    let post =
        |headers: &str, body: &str| format!("POST /jobs HTTP/1.1\r\nhost: test\r\n{headers}\r\n\r\n{body}");
    let chunked = |body: &str| post("transfer-encoding: chunked", body);
    let many = "a: b\r\n".repeat(5_000);
    let one_byte_each = "1\r\nx\r\n".repeat(200_000);
    for (name, request, expected) in [
        ("5,000 headers", post(many.trim_end(), ""), &[431, 400][..]),
        ("a header of a megabyte", post(&format!("x-a: {}", "b".repeat(1 << 20)), ""), &[431]),
        ("a name of a megabyte", post(&format!("{}: b", "x".repeat(1 << 20)), ""), &[431, 400]),
        (
            "a path of a megabyte",
            format!("GET /{} HTTP/1.1\r\nhost: test\r\n\r\n", "a".repeat(1 << 20)),
            &[414, 431],
        ),
        (
            "a query of 30 kB",
            format!("GET /jobs?{} HTTP/1.1\r\nhost: test\r\n\r\n", "a=b&".repeat(7_500)),
            &[400],
        ),
        ("200,000 chunks of one byte", chunked(&format!("{one_byte_each}0\r\n\r\n")), &[415, 413]),
        (
            "an extension of a megabyte",
            chunked(&format!("1;{}\r\nx\r\n0\r\n\r\n", "a".repeat(1 << 20))),
            &[400],
        ),
        (
            "extensions of a megabyte together",
            chunked(&format!("{}0\r\n\r\n", format!("1;{}\r\nx\r\n", "a".repeat(1000)).repeat(1000))),
            &[400],
        ),
        (
            "trailers of a megabyte",
            chunked(&format!("1\r\nx\r\n0\r\nx-a: {}\r\n\r\n", "b".repeat(1 << 20))),
            &[400],
        ),
        ("20,000 trailers", chunked(&format!("1\r\nx\r\n0\r\n{}\r\n", "a: b\r\n".repeat(20_000))), &[400]),
    ] {
        let answer = exchange(service.address(), request.as_bytes()).await;
        let statuses = statuses(&answer);
        // Who still sends may find the connection closed, and no answer.
        assert!(statuses.iter().all(|status| expected.contains(status)), "{name}: {statuses:?} {answer}");
    }
    service.client.thumbnail(&images::png(20, 20), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn bombs_of_forms_are_refused_and_leave_nothing() {
    let home = Home::embedded();
    let service = home.start().await;
    let part = |head: &str, content: &str| format!("--x\r\n{head}\r\n\r\n{content}\r\n");
    let named = |name: &str, content: &str| {
        part(&format!("Content-Disposition: form-data; name=\"{name}\""), content)
    };
    let long = "a".repeat(1 << 20);
    let form = "multipart/form-data; boundary=x";
    let boundary = format!("multipart/form-data; boundary={}", "b".repeat(10_000));
    let nested = format!("{}--y\r\n\r\n--y--\r\n", part("Content-Type: multipart/mixed; boundary=y", ""));
    for (name, content_type, body) in [
        ("a boundary of 10 kB", boundary.as_str(), named("image", "a")),
        ("no boundary", "multipart/form-data", named("image", "a")),
        ("an empty boundary", "multipart/form-data; boundary=", named("image", "a")),
        ("100,000 empty parts", form, part("", "").repeat(100_000) + "--x--"),
        ("10,000 options", form, named("width", "100").repeat(10_000) + "--x--"),
        ("an option of a megabyte", form, named("width", &long) + "--x--"),
        ("a head of a part of a megabyte", form, part(&format!("x-a: {long}"), "a") + "--x--"),
        ("a name of a part of a megabyte", form, named(&long, "a") + "--x--"),
        ("a megabyte before the first part", form, format!("{long}\r\n{}--x--", named("image", "a"))),
        ("a form within a form", form, format!("{nested}--x--")),
        (
            "a million beginnings of boundaries",
            form,
            format!(
                "{}{}",
                part("Content-Disposition: form-data; name=\"width\"", &"\r\n--".repeat(250_000)),
                "--x--"
            ),
        ),
        ("no end", form, named("image", "a")),
        ("nothing but an end", form, "--x--".to_owned()),
        ("an image twice", form, named("image", "a").repeat(2) + "--x--"),
    ] {
        let request =
            service.client.request(Method::POST, "/jobs").header("content-type", content_type).body(body);
        // It may be cut off while it is sent.
        let Ok(reply) = request.send().await else { continue };
        assert!(reply.status().is_client_error(), "{name}: {}", reply.status());
    }
    let jobs = service.client.get("/jobs").await.json();
    assert_eq!(jobs["jobs"].as_array().unwrap().len(), 0, "{jobs}");
    assert_eq!(home.blobs().await, Vec::<String>::new());
    service.client.thumbnail(&images::png(20, 20), &[]).await;
}

/// Each line is one JSON object, with nothing in it that a terminal obeys.
fn assert_clean(log: &[u8]) {
    let log = std::str::from_utf8(log).unwrap();
    for line in log.lines().filter(|line| !line.is_empty()) {
        let obeyed = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202e}');
        assert!(!line.contains(obeyed), "a control character is in the log: {line:?}");
        // The first lines are for who started it.
        if line.starts_with('{') {
            let read: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert_ne!(read["event"], "forged", "{line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_text_of_a_client_becomes_a_line_a_header_or_a_sample() {
    let home = Home::embedded();
    let mut service = block_in_place(|| Watched::start(&home, [], &[]));
    let address: SocketAddr = block_in_place(|| service.told("started", "address")).parse().unwrap();
    let client = thumbs_tests::client::Client::new(format!("http://{address}"));
    let admin = block_in_place(|| service.told("admin-listens", "address"));
    let forged = "\n{\"event\":\"forged\"}\n";
    let image = images::png(20, 20);
    let texts = [
        forged.as_bytes(),
        b"\r\nx-forged: yes\r\n\r\n",
        b"\x1b[2J\x1b]0;title\x07",
        b"a\0b",
        b"\xc0\xaf\xe0\x80\xaf",
        b"\xff\xfe",
        "\u{202e}gnp.exe\u{2028}".as_bytes(),
        b"%0d%0ax-forged:%20yes",
        b"../../../../etc/passwd",
        b"..\\..\\windows\\win.ini",
        b"a\" } thumbs_forged 1\n#",
        b"\x7f\x9b31m",
    ];
    let percent = |text: &[u8]| text.iter().map(|byte| format!("%{byte:02X}")).collect::<String>();
    for text in texts {
        // As the name of a file, in the bytes as they are.
        let head = b"--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"";
        let form = [&head[..], text, b"\"\r\n\r\n", &image, b"\r\n--x--\r\n"].concat();
        for path in ["/jobs", "/batches"] {
            let request =
                client.request(Method::POST, path).header("content-type", "multipart/form-data; boundary=x");
            let reply = client.send(request.body(form.clone())).await;
            assert!(
                reply.status.is_success() || reply.status.is_client_error(),
                "{path} {text:?}: {}",
                reply.status
            );
            assert_eq!(reply.header("x-forged"), None, "{text:?}");
        }
        // In paths, queries, the name of an option, and its value.
        let encoded = percent(text);
        for path in [
            format!("/jobs/{encoded}"),
            format!("/thumbnails/{encoded}"),
            format!("/{encoded}"),
            format!("/problems/{encoded}"),
            format!("/site/{encoded}"),
            format!("/jobs?{encoded}={encoded}"),
            format!("/jobs?status={encoded}"),
            format!("/jobs?code={encoded}"),
        ] {
            let reply = client.get(&path).await;
            assert!(reply.status.is_client_error(), "{path}: {}", reply.status);
            assert_eq!(reply.header("x-forged"), None, "{path}");
        }
        let reply = client
            .send(client.request(Method::POST, &format!("/jobs?fit={encoded}")).body(image.clone()))
            .await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{text:?}");
        // In headers, in the bytes as they are.
        for name in [
            "x-request-id",
            "idempotency-key",
            "traceparent",
            "prefer",
            "accept",
            "origin",
            "x-forwarded-for",
            "user-agent",
            "x-api-key",
        ] {
            let request = [
                b"POST /jobs HTTP/1.1\r\nhost: test\r\nconnection: close\r\n",
                name.as_bytes(),
                b": ",
                text,
                b"\r\ncontent-length: 1\r\n\r\nx",
            ]
            .concat();
            let answer = exchange(address, &request).await;
            // A carriage return ends a header, whoever sent it; the answer has none of it.
            assert!(!answer.contains("x-forged"), "{name} {text:?}: {answer}");
        }
    }
    let listed = client.get("/jobs?limit=100").await;
    assert!(!listed.body.iter().any(|byte| matches!(byte, 0 | 0x1b | 0x7f)), "in the list");
    let numbers = [
        client.get("/metrics").await.body,
        thumbs_tests::client::Client::new(format!("http://{admin}")).get("/metrics").await.body,
    ];
    for metrics in numbers {
        let metrics = String::from_utf8(metrics).unwrap();
        assert!(!metrics.contains("forged"), "{metrics}");
        for line in metrics.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with("thumbs_") || name.starts_with("process_"), "{line}");
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
    for blob in home.blobs().await {
        let name = blob.split("/blobs/").nth(1).unwrap();
        // What is on its way has a place of its own.
        let name = name.strip_prefix('~').unwrap_or(name);
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-/._".contains(&byte)), "{blob}");
    }
    let log = block_in_place(|| service.stop());
    assert_clean(&log);
}

/// As many as the limit of files of this process lets it open.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_idle_connections_cost_a_little_memory_and_keep_nobody_out() {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(1 << 20);
    let wanted = usize::try_from(files.saturating_sub(1_000).min(10_000)).unwrap();
    let home = Home::embedded();
    let arguments = ["--limit", "max_connections=12000", "--limit", "header_timeout_ms=600000"];
    let mut service = block_in_place(|| Watched::start(&home, [], &arguments));
    let address: SocketAddr = block_in_place(|| service.told("started", "address")).parse().unwrap();
    let client = thumbs_tests::client::Client::new(format!("http://{address}"));
    client.thumbnail(&images::png(20, 20), &[]).await;
    let before = service.resident_kib();
    let mut idle = Vec::with_capacity(wanted);
    for number in 0..wanted {
        let mut stream = timeout(EXCHANGE_TIMEOUT, TcpStream::connect(address)).await.unwrap().unwrap();
        // Some say nothing, some do not end what they say.
        if number % 2 == 0 {
            stream.write_all(b"GET /jobs HTTP/1.1\r\nhost:").await.unwrap();
        }
        idle.push(stream);
    }
    // Those who are no more idle than the others get what they want.
    client.thumbnail(&images::png(21, 20), &[]).await;
    let each = service.resident_kib().saturating_sub(before) as f64 / wanted as f64;
    println!("{wanted} idle connections of {files} files: {each:.1} KiB each");
    assert!(each < 64.0, "{each} KiB for each of {wanted}");
    drop(idle);
    client.thumbnail(&images::png(22, 20), &[]).await;
}
