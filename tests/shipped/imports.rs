//! What each shipped component may reach is its import list, so the list is a security boundary: read here from the .wasm files and
//! held against `wit/app/worlds.wit`.

use std::{collections::BTreeSet, path::PathBuf};

use wit_component::DecodedWasm;
use wit_parser::{Resolve, WorldId, WorldItem};

use super::components::{self, Folder};

/// What Rust's standard library and spin-sdk bring along. None of these opens a connection or a file: there are no preopened
/// directories, and sockets and outgoing HTTP are missing on purpose.
const WASI_EVERYWHERE: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

fn wasm(target: &str, name: &str) -> PathBuf {
    thumbs_tests::repository_root().join(format!("target/{target}/component/thumbs_{name}.wasm"))
}

/// Names of the interfaces a world imports or exports.
fn interfaces<'a>(
    resolve: &Resolve,
    items: impl Iterator<Item = (&'a wit_parser::WorldKey, &'a WorldItem)>,
) -> BTreeSet<String> {
    items.map(|(key, _)| resolve.name_world_key(key)).collect()
}

fn without_version(interface: &str) -> &str {
    interface.split('@').next().unwrap_or(interface)
}

fn decode(path: PathBuf) -> (Resolve, WorldId) {
    let bytes = std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{} can't be read ({error}); run `make components`", path.display()));
    match wit_component::decode(&bytes).unwrap() {
        DecodedWasm::Component(resolve, world) => (resolve, world),
        DecodedWasm::WitPackage(..) => panic!("{} is a WIT package", path.display()),
    }
}

fn imports_and_exports(path: PathBuf) -> (BTreeSet<String>, BTreeSet<String>) {
    let (resolve, world) = decode(path);
    let world = &resolve.worlds[world];
    (interfaces(&resolve, world.imports.iter()), interfaces(&resolve, world.exports.iter()))
}

/// The world of this name in wit/app/worlds.wit.
fn documented(name: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let root = thumbs_tests::repository_root().join("wit");
    let mut resolve = Resolve::default();
    for package in ["spin", "spin-inbound", "blob-store", "imaging", "heic", "avif"] {
        resolve.push_dir(root.join(package)).unwrap();
    }
    let (package, _) = resolve.push_dir(root.join("app")).unwrap();
    let world = &resolve.worlds[resolve.select_world(&[package], Some(name)).unwrap()];
    (interfaces(&resolve, world.imports.iter()), interfaces(&resolve, world.exports.iter()))
}

fn holds_its_world(folder: &Folder, also_wasi: &[&str]) {
    let name = folder.name.as_str();
    let (imports, exports) = imports_and_exports(thumbs_tests::repository_root().join(folder.wasm()));
    let (may_import, must_export) = documented(name);
    for import in &imports {
        let wasi = import.starts_with("wasi:");
        let allowed = if wasi {
            WASI_EVERYWHERE.contains(&without_version(import)) || also_wasi.contains(&without_version(import))
        } else {
            // Types alone are in a world of their own right: an interface that only names them grants nothing.
            may_import.contains(import) || import.ends_with("-types") || import.ends_with("-types@2.0.0")
        };
        assert!(allowed, "{name} imports {import}, which wit/app/worlds.wit does not grant");
    }
    for needed in &may_import {
        assert!(
            imports.contains(needed),
            "wit/app/worlds.wit grants {name} {needed}, which it does not import"
        );
    }
    for export in &must_export {
        assert!(exports.contains(export), "{name} does not export {export}");
    }
}

#[test]
fn imaging_imports_nothing_at_all() {
    let (imports, exports) = imports_and_exports(wasm("wasm32-unknown-unknown", "imaging"));
    println!("imaging imports {imports:?} and exports {exports:?}");
    assert_eq!(imports, BTreeSet::new());
    assert_eq!(exports, BTreeSet::from(["thumbs:imaging/thumbnailer@1.0.0".to_owned()]));
}

#[test]
fn decoders_import_nothing_at_all() {
    for name in ["heic", "avif"] {
        let (imports, exports) = imports_and_exports(wasm("wasm32-unknown-unknown", name));
        assert_eq!(imports, BTreeSet::new(), "{name}");
        assert_eq!(exports, BTreeSet::from([format!("thumbs:{name}/decoder@1.0.0")]));
    }
}

#[test]
fn each_component_imports_what_its_world_grants() {
    for folder in components::folders().iter().filter(|folder| !folder.pure) {
        // They alone may speak HTTP to others.
        let also_wasi: &[&str] = match folder.name.as_str() {
            "blob-store" | "callback" => &["wasi:http/outgoing-handler"],
            _ => &[],
        };
        holds_its_world(folder, also_wasi);
    }
}

#[test]
fn http_components_export_the_incoming_handler() {
    let answering = components::answering();
    assert!(answering.len() > 3, "the search is broken: {answering:?}");
    for name in answering {
        let (_, exports) = imports_and_exports(wasm("wasm32-wasip2", &name.replace('-', "_")));
        let handlers: Vec<_> = exports.iter().map(|export| without_version(export)).collect();
        assert_eq!(handlers, ["wasi:http/incoming-handler"], "{name}");
    }
}
