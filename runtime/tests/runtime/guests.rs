//! Guests in WebAssembly text. Each is a prelude (imports, memory, an allocator, small helpers) and one function of the test's own.
//!
//! Addresses below 1024 are scratch: 0 for what a call returns by pointer, 64 and up for texts that a test puts there.

use std::{path::Path, sync::LazyLock};

use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{PackageId, Resolve};

/// The interfaces of these tests.
static WIT: LazyLock<(Resolve, PackageId)> = LazyLock::new(|| {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runtime/wit");
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let mut resolve = Resolve::default();
    for file in ["wasi-io", "wasi-cli", "wasi-clocks", "wasi-http"] {
        resolve.push_file(tests.join(format!("{file}.wit"))).unwrap();
    }
    for folder in ["spin", "spin-inbound", "blob-store"] {
        resolve.push_dir(shared.join(folder)).unwrap();
    }
    let package = resolve.push_file(tests.join("guests.wit")).unwrap();
    (resolve, package)
});

/// What every guest has.
const COMMON: &str = r#"
    (import "wasi:cli/environment@0.2.0" "get-environment" (func $environment (param i32)))
    (import "wasi:cli/stderr@0.2.0" "get-stderr" (func $stderr (result i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
        (func $write (param i32 i32 i32 i32)))
    (import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $timer (param i64) (result i32)))
    (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
"#;

/// What every guest can do: take memory, write a line, look into the environment, write what WORKER_ID is, wait, compute for ever, call itself for ever, take all memory there is.
const HELPERS: &str = r#"
    (global $next (mut i32) (i32.const 1024))
    (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
        (global.set $next (i32.add (local.get $at) (local.get $size)))
        (local.get $at))
    (func $say (param $text i32) (param $length i32)
        (call $write (call $stderr) (local.get $text) (local.get $length) (i32.const 0)))
    ;; Where a variable of the environment is (address and length of its name, then of its value), by the length and the first four
    ;; letters of its name; 0 where it is not.
    (func $find-variable (param $length i32) (param $letters i32) (result i32)
        (local $at i32) (local $end i32)
        (call $environment (i32.const 0))
        (local.set $at (i32.load (i32.const 0)))
        (local.set $end (i32.add (local.get $at) (i32.mul (i32.load (i32.const 4)) (i32.const 16))))
        (loop $next
            (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const 0))))
            (if (i32.and (i32.eq (i32.load offset=4 (local.get $at)) (local.get $length))
                         (i32.eq (i32.load (i32.load (local.get $at))) (local.get $letters)))
                (then (return (local.get $at))))
            (local.set $at (i32.add (local.get $at) (i32.const 16)))
            (br $next))
        (unreachable))
    (func $say-worker
        (local $at i32)
        (local.set $at (call $find-variable (i32.const 9) (i32.const 0x4b524f57)))
        (if (local.get $at) (then
            (call $say (i32.load offset=8 (local.get $at)) (i32.load offset=12 (local.get $at)))
            (i32.store8 (i32.const 1000) (i32.const 10))
            (call $say (i32.const 1000) (i32.const 1)))))
    (func $wait-ms (param $ms i64)
        (call $block (call $timer (i64.mul (local.get $ms) (i64.const 1000000)))))
    (func $compute-for-ever (loop $again (br $again)))
    (func $recurse-for-ever (param $depth i64) (result i64)
        (i64.add (call $recurse-for-ever (i64.add (local.get $depth) (i64.const 1))) (local.get $depth)))
    (func $take-all-memory
        (loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
        unreachable)
"#;

const HTTP: &str = r#"
    (import "wasi:http/types@0.2.0" "[constructor]fields" (func $new-fields (result i32)))
    (import "wasi:http/types@0.2.0" "[method]fields.append" (func $append-field (param i32 i32 i32 i32 i32 i32)))
    (import "wasi:http/types@0.2.0" "[method]fields.get" (func $get-field (param i32 i32 i32 i32)))
    (import "wasi:http/types@0.2.0" "[constructor]outgoing-response" (func $new-response (param i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-response.set-status-code"
        (func $set-status (param i32 i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-response.body" (func $response-body (param i32 i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-body.write" (func $body-stream (param i32 i32)))
    (import "wasi:http/types@0.2.0" "[static]outgoing-body.finish" (func $finish-body (param i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.check-write" (func $writable (param i32 i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.write" (func $write-some (param i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func $drop-output (param i32)))
    (import "wasi:http/types@0.2.0" "[static]response-outparam.set"
        (func $respond (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
    (import "wasi:http/types@0.2.0" "[method]incoming-request.headers" (func $headers (param i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]incoming-request.consume" (func $consume (param i32 i32)))
    (import "wasi:http/types@0.2.0" "[method]incoming-body.stream" (func $open-body (param i32 i32)))
    (import "wasi:io/streams@0.2.0" "[method]input-stream.blocking-read" (func $read (param i32 i64 i32)))
    (import "fermyon:spin/key-value@2.0.0" "[static]store.open" (func $open-store (param i32 i32 i32)))
    (import "fermyon:spin/variables@2.0.0" "get" (func $variable (param i32 i32 i32)))
    (import "fermyon:spin/redis@2.0.0" "[static]connection.open" (func $open-redis (param i32 i32 i32)))
    (import "fermyon:spin/redis@2.0.0" "[method]connection.publish" (func $publish (param i32 i32 i32 i32 i32 i32)))
"#;

const HTTP_HELPERS: &str = r#"
    ;; Answers with a status and no body.
    (func $answer (param $out i32) (param $status i32)
        (local $response i32)
        (local.set $response (call $new-response (call $new-fields)))
        (drop (call $set-status (local.get $response) (local.get $status)))
        (call $respond (local.get $out) (i32.const 0) (local.get $response)
            (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
    ;; Answers 200, and gives the body that is still to be written and finished.
    (func $begin (param $out i32) (result i32)
        (local $response i32) (local $body i32)
        (local.set $response (call $new-response (call $new-fields)))
        (call $response-body (local.get $response) (i32.const 0))
        (local.set $body (i32.load (i32.const 4)))
        (call $respond (local.get $out) (i32.const 0) (local.get $response)
            (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
        (local.get $body))
    (func $end (param $body i32)
        (call $finish-body (local.get $body) (i32.const 0) (i32.const 0) (i32.const 0)))
    ;; Answers 200 with a body.
    (func $answer-with (param $out i32) (param $text i32) (param $length i32)
        (local $body i32) (local $stream i32)
        (local.set $body (call $begin (local.get $out)))
        (call $body-stream (local.get $body) (i32.const 0))
        (local.set $stream (i32.load (i32.const 4)))
        (call $write (local.get $stream) (local.get $text) (local.get $length) (i32.const 0))
        (call $drop-output (local.get $stream))
        (call $end (local.get $body)))
    ;; Reads the body: 0 at its end, 1 where it breaks off.
    (func $read-all (param $request i32) (result i32)
        (local $stream i32)
        (call $consume (local.get $request) (i32.const 0))
        (call $open-body (i32.load (i32.const 4)) (i32.const 0))
        (local.set $stream (i32.load (i32.const 4)))
        (loop $more
            (global.set $next (i32.const 1024))
            (call $read (local.get $stream) (i64.const 16384) (i32.const 0))
            (br_if $more (i32.eqz (i32.load8_u (i32.const 0)))))
        ;; stream-error: 0 is last-operation-failed, 1 is closed.
        (i32.eqz (i32.load8_u (i32.const 4))))
"#;

/// A component that handles requests. `body` is the inside of `(func (param $request i32) (param $out i32) ...)`; `data` goes to
/// address 64.
pub(crate) fn request(data: &str, body: &str) -> Vec<u8> {
    request_in("request", "", data, body)
}

/// The same with one more import, `$touch`, that a dependency has to satisfy.
pub(crate) fn request_with_extra(body: &str) -> Vec<u8> {
    request_in("request-with-extra", r#"(import "thumbs:guests/extra" "touch" (func $touch))"#, "", body)
}

/// The same with stores to write to: `$execute` a statement, `$put-blob` and `$put-pair`, each of which traps where that fails.
pub(crate) fn request_with_stores(data: &str, body: &str) -> Vec<u8> {
    const STORES: &str = r#"
        (import "fermyon:spin/sqlite@2.0.0" "[static]connection.open" (func $open-sqlite (param i32 i32 i32)))
        (import "fermyon:spin/sqlite@2.0.0" "[method]connection.execute" (func $execute-sqlite (param i32 i32 i32 i32 i32 i32)))
        (import "fermyon:spin/key-value@2.0.0" "[method]store.set" (func $set-pair (param i32 i32 i32 i32 i32 i32)))
        (import "thumbs:blob-store/store@1.0.0" "put" (func $put (param i32 i32 i32 i32 i32 i32 i32)))"#;
    request_in("request-with-stores", STORES, data, body)
}

/// The same with requests to make: `$new-request`, and what takes a text there.
pub(crate) fn asking_request(body: &str) -> Vec<u8> {
    const ASKING: &str = r#"
        (import "wasi:http/types@0.2.0" "[constructor]outgoing-request" (func $new-request (param i32) (result i32)))
        (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-method"
            (func $set-method (param i32 i32 i32 i32) (result i32)))
        (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-authority"
            (func $set-authority (param i32 i32 i32 i32) (result i32)))"#;
    request_in("request", ASKING, "", body)
}

fn request_in(world: &str, imports: &str, data: &str, body: &str) -> Vec<u8> {
    let module = format!(
        r#"(module {imports} {HTTP} {COMMON} (memory (export "memory") 2) (table $table 0 funcref)
            (data (i32.const 64) "{data}") {HELPERS} {HTTP_HELPERS}
            (func (export "wasi:http/incoming-handler@0.2.0#handle") (param $request i32) (param $out i32) {body}))"#
    );
    component(world, &module)
}

/// A component that handles messages. `body` is the inside of `(func (param $message i32) (param $length i32) (result i32) ...)`, which
/// gives the address of a result: 512 is success. `data` goes to address 64.
pub(crate) fn message(data: &str, body: &str) -> Vec<u8> {
    let module = format!(
        r#"(module {COMMON} (memory (export "memory") 2) (data (i32.const 64) "{data}") {HELPERS}
            (func (export "fermyon:spin/inbound-redis#handle-message")
                (param $message i32) (param $length i32) (result i32) {body}))"#
    );
    component("message", &module)
}

/// A guest that answers with what a header has.
pub(crate) fn echo_header(name: &str) -> Vec<u8> {
    let body = format!(
        r#"(call $get-field (call $headers (local.get $request)) (i32.const 64) (i32.const {length}) (i32.const 0))
           (if (i32.eqz (i32.load (i32.const 4))) (then (call $answer (local.get $out) (i32.const 204)) return))
           (call $answer-with (local.get $out)
               (i32.load (i32.load (i32.const 0))) (i32.load offset=4 (i32.load (i32.const 0))))"#,
        length = name.len()
    );
    request(name, &body)
}

fn component(world: &str, module: &str) -> Vec<u8> {
    let (resolve, package) = &*WIT;
    let world = resolve.select_world(&[*package], Some(world)).unwrap();
    let mut bytes = wat::parse_str(module).unwrap_or_else(|error| panic!("{error}"));
    wit_component::embed_component_metadata(&mut bytes, resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&bytes).unwrap().encode().unwrap()
}
