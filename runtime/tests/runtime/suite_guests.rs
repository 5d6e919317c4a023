//! Suites in WebAssembly text: each a list of tests, a test being a name and the inside of a function that traps to fail.
//!
//! Addresses: 0 for what a call returns by pointer, 512 for the list of tests, 1024 for the texts that tests use, 8192 and up for what
//! the host hands over.

use std::{fmt::Write as _, path::Path, sync::LazyLock};

use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{PackageId, Resolve};

static WIT: LazyLock<(Resolve, PackageId)> = LazyLock::new(|| {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runtime/wit");
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let mut resolve = Resolve::default();
    for folder in ["wasi-io", "wasi-clocks", "wasi-http", "spin", "spin-test-virt", "spin-wasi-virt"] {
        resolve.push_dir(shared.join(folder)).unwrap();
    }
    resolve.push_file(tests.join("wasi-cli.wit")).unwrap();
    resolve.push_dir(shared.join("spin-test")).unwrap();
    let package = resolve.push_file(tests.join("suites.wit")).unwrap();
    (resolve, package)
});

const IMPORTS: &str = r#"
    (import "wasi:cli/stderr@0.2.0" "get-stderr" (func $stderr (result i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
        (func $write (param i32 i32 i32 i32)))
    (import "wasi:http/types@0.2.0" "[constructor]fields" (func $new-fields (result i32)))
    (import "wasi:http/types@0.2.0" "[constructor]outgoing-request" (func $outgoing-request (param i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-path-with-query"
        (func $set-path (param i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.body" (func $request-body (param i32 i32)))
    (import "wasi:http/types@0.2.0" "[method]incoming-response.status" (func $status-of (param i32) (result i32)))
    (import "wasi:http/incoming-handler@0.2.0" "handle" (func $handle (param i32 i32)))
    (import "fermyon:spin-test/http-helper" "new-request" (func $new-request (param i32 i32 i32) (result i32)))
    (import "fermyon:spin-test/http-helper" "new-response" (func $new-response (param i32)))
    (import "fermyon:spin-test/http-helper" "[method]response-receiver.get" (func $received (param i32 i32)))
    (import "wasi:http/types@0.2.0" "[constructor]outgoing-response" (func $outgoing-response (param i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-response.set-status-code"
        (func $set-status (param i32 i32) (result i32)))
    (import "fermyon:spin-wasi-virt/http-handler" "set-response" (func $set-response (param i32 i32 i32 i32)))
    (import "fermyon:spin-test-virt/variables" "set" (func $set-variable (param i32 i32 i32 i32)))
    (import "fermyon:spin-test-virt/key-value" "[static]store.open" (func $open-store (param i32 i32) (result i32)))
    (import "fermyon:spin-test-virt/key-value" "[method]store.get" (func $get (param i32 i32 i32 i32)))
    (import "fermyon:spin-test-virt/key-value" "[method]store.set" (func $set (param i32 i32 i32 i32 i32)))
    (import "fermyon:spin-test-virt/key-value" "calls" (func $calls (param i32)))
    (import "fermyon:spin-test-virt/sqlite" "[static]connection.open" (func $open-database (param i32 i32 i32)))
    (import "fermyon:spin-test-virt/sqlite" "[method]connection.execute"
        (func $execute (param i32 i32 i32 i32 i32 i32)))
"#;

/// Texts by address; each is used with its length.
const TEXTS: &str = r#"
    (data (i32.const 1024) "default")
    (data (i32.const 1032) "key")
    (data (i32.const 1040) "this is why\n")
    (data (i32.const 1056) "/app/x")
    (data (i32.const 1072) "/elsewhere")
    (data (i32.const 1088) "/other/x")
    (data (i32.const 1104) "token")
    (data (i32.const 1112) "nobody")
    (data (i32.const 1120) "CREATE TABLE t (n)")
    (data (i32.const 1152) "http://a.example")
"#;

const HELPERS: &str = r#"
    (global $next (mut i32) (i32.const 8192))
    (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
        (global.set $next (i32.add (local.get $at) (local.get $size)))
        (local.get $at))
    (func $say-why (call $write (call $stderr) (i32.const 1040) (i32.const 12) (i32.const 0)))
    (func $default-store (result i32) (call $open-store (i32.const 1024) (i32.const 7)))
    (func $set-key (call $set (call $default-store) (i32.const 1032) (i32.const 3) (i32.const 1032) (i32.const 3)))
    (func $has-key (result i32)
        (call $get (call $default-store) (i32.const 1032) (i32.const 3) (i32.const 0))
        (i32.load8_u (i32.const 0)))
    (func $create-table
        (call $open-database (i32.const 1024) (i32.const 7) (i32.const 0))
        (if (i32.load8_u (i32.const 0)) (then (unreachable)))
        (call $execute (i32.load (i32.const 4)) (i32.const 1120) (i32.const 18) (i32.const 0) (i32.const 0) (i32.const 0))
        (if (i32.load8_u (i32.const 0)) (then (call $say-why) (unreachable))))
    ;; Has the next request to http://a.example answered with a status.
    (func $answer-outside (param $status i32)
        (local $response i32)
        (local.set $response (call $outgoing-response (call $new-fields)))
        (drop (call $set-status (local.get $response) (local.get $status)))
        (call $set-response (i32.const 1152) (i32.const 16) (i32.const 1) (local.get $response)))
    (func $assert-status (param $expected i32) (param $path i32) (param $length i32)
        (local $request i32)
        (local.set $request (call $outgoing-request (call $new-fields)))
        (drop (call $set-path (local.get $request) (i32.const 1) (local.get $path) (local.get $length)))
        (call $assert-answer (local.get $expected) (local.get $request)))
    (func $assert-answer (param $expected i32) (param $request i32)
        (call $new-response (i32.const 0))
        (call $handle (call $new-request (local.get $request) (i32.const 0) (i32.const 0)) (i32.load (i32.const 0)))
        (call $received (i32.load (i32.const 4)) (i32.const 8))
        ;; No response at all is the status 0.
        (if (i32.ne (local.get $expected)
                (if (result i32) (i32.load (i32.const 8))
                    (then (call $status-of (i32.load (i32.const 12)))) (else (i32.const 0))))
            (then (call $say-why) (unreachable))))
    (func $compute-for-ever (loop $again (br $again)))
    (func $take-all-memory
        (loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
        unreachable)
"#;

/// A suite of these tests. `run` knows them by the first letter of their names.
pub(crate) fn suite(tests: &[(&str, &str)]) -> Vec<u8> {
    let (mut names, mut pairs, mut functions, mut calls) =
        (String::new(), String::new(), String::new(), String::new());
    for (index, (name, body)) in tests.iter().enumerate() {
        let first = name.as_bytes()[0];
        assert!(tests.iter().filter(|(other, _)| other.as_bytes()[0] == first).count() == 1, "{name}");
        for number in [2048 + names.len(), name.len()] {
            for byte in u32::try_from(number).unwrap().to_le_bytes() {
                write!(pairs, "\\{byte:02x}").unwrap();
            }
        }
        names.push_str(name);
        writeln!(functions, "(func $test{index} {body})").unwrap();
        writeln!(
            calls,
            "(if (i32.eq (i32.load8_u (local.get $name)) (i32.const {first})) (then (call $test{index}) (return)))"
        )
        .unwrap();
    }
    let module = format!(
        r#"(module {IMPORTS} (memory (export "memory") 2) {TEXTS}
            (data (i32.const 2048) "{names}") (data (i32.const 4096) "{pairs}") {HELPERS} {functions}
            (func (export "list-tests") (result i32)
                (i32.store (i32.const 512) (i32.const 4096))
                (i32.store (i32.const 516) (i32.const {count}))
                (i32.const 512))
            (func (export "run") (param $name i32) (param $length i32) {calls} (unreachable)))"#,
        count = tests.len()
    );
    component("suite", &module)
}

/// A component that asks http://a.example, and answers with the status that it gets, or with 502 where it gets none.
pub(crate) fn asking() -> Vec<u8> {
    let module = r#"(module
        (import "wasi:http/types@0.2.0" "[constructor]fields" (func $new-fields (result i32)))
        (import "wasi:http/types@0.2.0" "[constructor]outgoing-request" (func $new-request (param i32) (result i32)))
        (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-scheme"
            (func $set-scheme (param i32 i32 i32 i32 i32) (result i32)))
        (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-authority"
            (func $set-authority (param i32 i32 i32 i32) (result i32)))
        (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-path-with-query"
            (func $set-path (param i32 i32 i32 i32) (result i32)))
        (import "wasi:http/outgoing-handler@0.2.0" "handle" (func $send (param i32 i32 i32 i32)))
        (import "wasi:http/types@0.2.0" "[method]future-incoming-response.subscribe"
            (func $subscribe (param i32) (result i32)))
        (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
        (import "wasi:http/types@0.2.0" "[method]future-incoming-response.get" (func $received (param i32 i32)))
        (import "wasi:http/types@0.2.0" "[method]incoming-response.status" (func $status-of (param i32) (result i32)))
        (import "wasi:http/types@0.2.0" "[constructor]outgoing-response" (func $new-response (param i32) (result i32)))
        (import "wasi:http/types@0.2.0" "[method]outgoing-response.set-status-code"
            (func $set-status (param i32 i32) (result i32)))
        (import "wasi:http/types@0.2.0" "[static]response-outparam.set"
            (func $respond (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
        (memory (export "memory") 1)
        (data (i32.const 1024) "a.example/")
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 2048))
        (func $status (result i32)
            (local $request i32)
            (local.set $request (call $new-request (call $new-fields)))
            (drop (call $set-scheme (local.get $request) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)))
            (drop (call $set-authority (local.get $request) (i32.const 1) (i32.const 1024) (i32.const 9)))
            (drop (call $set-path (local.get $request) (i32.const 1) (i32.const 1033) (i32.const 1)))
            (call $send (local.get $request) (i32.const 0) (i32.const 0) (i32.const 0))
            (if (i32.load8_u (i32.const 0)) (then (return (i32.const 502))))
            (call $block (call $subscribe (i32.load (i32.const 8))))
            ;; option<result<result<response, error-code>>>: an error where the innermost is one.
            (call $received (i32.load (i32.const 8)) (i32.const 64))
            (if (i32.load8_u (i32.const 80)) (then (return (i32.const 502))))
            (call $status-of (i32.load (i32.const 88))))
        (func (export "wasi:http/incoming-handler@0.2.0#handle") (param $request i32) (param $out i32)
            (local $response i32)
            (local.set $response (call $new-response (call $new-fields)))
            (drop (call $set-status (local.get $response) (call $status)))
            (call $respond (local.get $out) (i32.const 0) (local.get $response)
                (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))))"#;
    component("asking", module)
}

fn component(world: &str, module: &str) -> Vec<u8> {
    let (resolve, package) = &*WIT;
    let world = resolve.select_world(&[*package], Some(world)).unwrap();
    let mut bytes = wat::parse_str(module).unwrap_or_else(|error| panic!("{error}"));
    wit_component::embed_component_metadata(&mut bytes, resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&bytes).unwrap().encode().unwrap()
}
