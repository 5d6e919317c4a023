//! The two implementations of `thumbs-lanes`, operation by operation: what each gives natively, for the same noise, it has to give in
//! the sandbox. `parity.rs` does the same for whole pictures.

use std::collections::BTreeSet;

use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

#[path = "../../crates/codecs/lanes/examples/transcript/operations.rs"]
mod operations;

use operations::{ROUNDS, transcript};

/// What the guest says (`crates/codecs/lanes/examples/transcript`).
fn transcript_of_the_sandbox() -> Vec<(String, Vec<u8>)> {
    let path = thumbs_tests::repository_root()
        .join("target/wasm32-unknown-unknown/component/examples/transcript.wasm");
    let engine = Engine::default();
    let component = Component::from_file(&engine, &path)
        .unwrap_or_else(|error| panic!("{} can't be read ({error}); run `make components`", path.display()));
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
    let transcript =
        instance.get_typed_func::<(), (Vec<(String, Vec<u8>)>,)>(&mut store, "transcript").unwrap();
    transcript.call(&mut store, ()).unwrap().0
}

#[test]
fn every_operation_gives_the_same_natively_and_in_the_sandbox() {
    let (native, sandbox) = (transcript(), transcript_of_the_sandbox());
    let names = |transcript: &[(String, Vec<u8>)]| -> Vec<String> {
        transcript.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(&native), names(&sandbox), "the guest is of another version: run `make components`");
    for ((name, native), (_, sandbox)) in native.iter().zip(&sandbox) {
        let round = native.len() / ROUNDS;
        assert!(round > 0 && native.len() == sandbox.len(), "{name}");
        for (number, (native, sandbox)) in native.chunks(round).zip(sandbox.chunks(round)).enumerate() {
            assert_eq!(native, sandbox, "{name}, round {number}: natively, and in the sandbox");
        }
    }
}

#[test]
fn every_operation_of_either_implementation_is_compared() {
    let compared: BTreeSet<String> = transcript().into_iter().map(|(name, _)| name).collect();
    for implementation in ["portable", "wasm"] {
        assert_eq!(operations_in(implementation), compared, "{implementation}");
    }
}

/// The public functions of an implementation, by its source.
fn operations_in(implementation: &str) -> BTreeSet<String> {
    let folder = thumbs_tests::repository_root().join("crates/codecs/lanes/src").join(implementation);
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let mut of = "";
        for line in source.lines() {
            if let Some(name) = line.strip_prefix("impl ").and_then(|line| line.strip_suffix(" {")) {
                of = name;
            }
            if let Some(signature) = line.strip_prefix("    pub fn ") {
                let name = signature.split(['(', '<']).next().unwrap_or_default();
                found.insert(format!("{of}::{name}"));
            }
        }
    }
    found
}
