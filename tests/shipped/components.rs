//! A component is named in several places: its folder, spin.toml, its world, its suite. Walked here, so that one which a place forgets fails with
//! the file to edit.

use std::{collections::BTreeSet, path::Path};

use toml::Table;
use wit_parser::UnresolvedPackageGroup;

const WORLDS: &str = "wit/app/worlds.wit";

/// A folder of components/.
pub(super) struct Folder {
    /// Its name, and the component's.
    pub(super) name: String,
    /// It imports nothing, not even WASI.
    pub(super) pure: bool,
}

impl Folder {
    /// Where its .wasm is, from the root.
    pub(super) fn wasm(&self) -> String {
        let target = if self.pure { "wasm32-unknown-unknown" } else { "wasm32-wasip2" };
        format!("target/{target}/component/thumbs_{}.wasm", self.name.replace('-', "_"))
    }
}

fn toml(path: &str) -> Table {
    let text = std::fs::read_to_string(thumbs_tests::repository_root().join(path));
    text.unwrap_or_else(|error| panic!("{path}: {error}"))
        .parse()
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The crates of a folder, by name.
fn crates(folder: &str) -> Vec<String> {
    let root = thumbs_tests::repository_root().join(folder);
    let entries = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = entries
        .filter(|path| path.join("Cargo.toml").exists())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert!(!names.is_empty(), "{folder} has no crates: the search is broken");
    names
}

/// All components.
pub(super) fn folders() -> Vec<Folder> {
    let pure = |name: &str| {
        let package = toml(&format!("components/{name}/Cargo.toml"));
        let metadata = package["package"].get("metadata").and_then(|metadata| metadata.get("thumbs"));
        metadata.and_then(|ours| ours.get("pure")).and_then(toml::Value::as_bool).unwrap_or(false)
    };
    crates("components").into_iter().map(|name| Folder { pure: pure(&name), name }).collect()
}

fn components(manifest: &Table) -> &Table {
    manifest["component"].as_table().unwrap()
}

/// The components that answer requests.
pub(super) fn answering() -> BTreeSet<String> {
    let manifest = toml("spin.toml");
    let triggers = manifest["trigger"]["http"].as_array().unwrap();
    triggers.iter().filter_map(|trigger| trigger.get("component")?.as_str()).map(str::to_owned).collect()
}

/// Paths of a component's dependencies.
fn dependencies(component: &toml::Value) -> impl Iterator<Item = &str> {
    let dependencies = component.get("dependencies").and_then(toml::Value::as_table);
    dependencies.into_iter().flat_map(Table::values).filter_map(|dependency| dependency.get("path")?.as_str())
}

#[test]
fn each_component_is_in_the_manifest_by_itself_or_as_a_dependency() {
    let manifest = toml("spin.toml");
    let as_dependencies: BTreeSet<&str> = components(&manifest).values().flat_map(dependencies).collect();
    for folder in folders() {
        let (name, wasm) = (&folder.name, folder.wasm());
        match components(&manifest).get(name) {
            Some(component) => assert_eq!(
                component.get("source").and_then(toml::Value::as_str),
                Some(wasm.as_str()),
                "components/{name}: correct `source` of [component.{name}] in spin.toml"
            ),
            None => assert!(
                as_dependencies.contains(wasm.as_str()),
                "components/{name}: add [component.{name}] with source = {wasm:?} to spin.toml, or name that file in the dependencies of another"
            ),
        }
    }
}

#[test]
fn the_manifest_names_no_component_that_has_no_folder() {
    let manifest = toml("spin.toml");
    let built: BTreeSet<String> = folders().iter().map(Folder::wasm).collect();
    for (id, component) in components(&manifest) {
        assert!(
            Path::new(&thumbs_tests::repository_root()).join("components").join(id).is_dir(),
            "[component.{id}]: remove it from spin.toml, or make the folder components/{id}"
        );
        for path in dependencies(component) {
            assert!(
                built.contains(path),
                "[component.{id}.dependencies]: correct {path:?} in spin.toml: no folder of components/ makes it"
            );
        }
    }
}

#[test]
fn each_component_has_its_world_and_each_world_its_component() {
    let path = thumbs_tests::repository_root().join(WORLDS);
    let group = UnresolvedPackageGroup::parse_file(&path).unwrap();
    let worlds: BTreeSet<&str> = group.main.worlds.iter().map(|(_, world)| world.name.as_str()).collect();
    let folders = folders();
    for folder in folders.iter().filter(|folder| !folder.pure) {
        let name = folder.name.as_str();
        assert!(
            worlds.contains(name),
            "components/{name}: add `world {name}` to {WORLDS}: what it may import"
        );
    }
    for world in worlds {
        assert!(
            folders.iter().any(|folder| folder.name == world),
            "world {world}: remove it from {WORLDS}, or make the folder components/{world}"
        );
    }
}

#[test]
fn each_component_that_answers_requests_has_its_suite_and_each_suite_its_component() {
    let manifest = toml("spin.toml");
    let suites: Vec<String> = crates("tests/suites").into_iter().filter(|name| name != "kit").collect();
    for id in &answering() {
        assert!(
            suites.iter().any(|suite| suite == id),
            "[component.{id}]: make the crate tests/suites/{id}, after that of another"
        );
    }
    for suite in &suites {
        let wasm =
            format!("target/wasm32-wasip2/component/thumbs_spin_test_{}.wasm", suite.replace('-', "_"));
        let source = components(&manifest)
            .get(suite)
            .and_then(|component| component.get("tool")?.get("spin-test")?.get("source")?.as_str());
        assert_eq!(
            source,
            Some(wasm.as_str()),
            "tests/suites/{suite}: add [component.{suite}.tool.spin-test] with that source to spin.toml"
        );
    }
}
