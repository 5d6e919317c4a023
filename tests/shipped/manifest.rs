//! Holds spin.toml against docs/manifest.md: what stock Spin 3.6 and 4, the shim and our runtime all accept. The file is read here
//! as plain TOML, not by our runtime's parser, so that a mistake shared with the parser still shows.

use std::collections::BTreeSet;

use toml::{Table, Value};

fn manifest() -> Table {
    let path = thumbs_tests::repository_root().join("spin.toml");
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

fn keys_are_among(table: &Table, allowed: &[&str], place: &str) {
    for key in table.keys() {
        assert!(
            allowed.contains(&key.as_str()),
            "{place} has the key {key:?}, which docs/manifest.md does not list"
        );
    }
}

fn table<'a>(value: &'a Value, place: &str) -> &'a Table {
    value.as_table().unwrap_or_else(|| panic!("{place} is not a table"))
}

fn components(manifest: &Table) -> Vec<(&str, &Table)> {
    table(&manifest["component"], "component").iter().map(|(id, c)| (id.as_str(), table(c, id))).collect()
}

fn triggers<'a>(manifest: &'a Table, kind: &str) -> Vec<&'a Table> {
    manifest["trigger"][kind].as_array().unwrap().iter().map(|t| table(t, kind)).collect()
}

/// Every text in which a template may stand, with the place it stands in.
fn texts<'a>(value: &'a Value, place: String, found: &mut Vec<(String, &'a str)>) {
    match value {
        Value::String(text) => found.push((place, text)),
        Value::Array(items) => items.iter().for_each(|item| texts(item, place.clone(), found)),
        Value::Table(table) => table.iter().for_each(|(key, v)| texts(v, format!("{place}.{key}"), found)),
        _ => {}
    }
}

fn templated_names(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap().trim())
}

#[test]
fn callbacks_have_the_places_that_receivers_share() {
    let manifest = manifest();
    let workers = &manifest["component"]["callback"]["tool"]["thumbs"]["workers"];
    assert_eq!(workers.as_integer(), i64::try_from(thumbs_domain::callback::PLACES).ok());
}

#[test]
fn has_only_keys_that_all_hosts_know() {
    let manifest = manifest();
    keys_are_among(
        &manifest,
        &["spin_manifest_version", "application", "variables", "trigger", "component"],
        "the top level",
    );
    assert_eq!(manifest["spin_manifest_version"].as_integer(), Some(2));

    let application = table(&manifest["application"], "application");
    keys_are_among(
        application,
        &["name", "version", "description", "authors", "trigger", "tool"],
        "[application]",
    );
    let global = table(&application["trigger"], "application.trigger");
    keys_are_among(global, &["redis"], "[application.trigger]");
    keys_are_among(table(&global["redis"], "redis"), &["address"], "[application.trigger.redis]");

    keys_are_among(table(&manifest["trigger"], "trigger"), &["http", "redis"], "trigger");
    for trigger in triggers(&manifest, "http") {
        keys_are_among(trigger, &["route", "component", "id", "static_response"], "[[trigger.http]]");
    }
    for trigger in triggers(&manifest, "redis") {
        keys_are_among(trigger, &["channel", "address", "component", "id"], "[[trigger.redis]]");
    }
    for (id, component) in components(&manifest) {
        let allowed = [
            "source",
            "description",
            "variables",
            "environment",
            "allowed_outbound_hosts",
            "key_value_stores",
            "sqlite_databases",
            "dependencies",
            "dependencies_inherit_configuration",
            "build",
            "tool",
        ];
        keys_are_among(component, &allowed, &format!("[component.{id}]"));
        if let Some(build) = component.get("build") {
            keys_are_among(table(build, "build"), &["command", "workdir", "watch"], "build");
        }
    }
}

#[test]
fn names_are_of_the_case_that_spin_asks_for() {
    let manifest = manifest();
    for name in table(&manifest["variables"], "variables").keys() {
        let fits = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        assert!(fits && name.starts_with(|c: char| c.is_ascii_lowercase()), "variable {name:?}");
    }
    for (id, _) in components(&manifest) {
        let fits = id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        assert!(fits && id.starts_with(|c: char| c.is_ascii_lowercase()), "component {id:?}");
    }
}

#[test]
fn no_variable_is_named_like_one_that_kubernetes_injects() {
    for name in table(&manifest()["variables"], "variables").keys() {
        let injected = ["_port", "_service_host", "_service_port"].iter().any(|end| name.ends_with(end))
            || ["hostname", "path", "home"].contains(&name.as_str());
        assert!(!injected, "the shim would overwrite {name:?} with what the cluster injects");
    }
}

#[test]
fn every_variable_has_a_default_or_is_required() {
    for (name, variable) in table(&manifest()["variables"], "variables") {
        let variable = table(variable, name);
        keys_are_among(variable, &["default", "required", "secret"], name);
        let default = variable.get("default").map(|d| d.as_str().expect("a default is a string"));
        let required = variable.get("required").and_then(Value::as_bool).unwrap_or(false);
        assert!(default.is_some() != required, "{name} must have a default or be required, not both");
    }
}

#[test]
fn what_may_hold_a_credential_is_secret() {
    for (name, variable) in table(&manifest()["variables"], "variables") {
        let sensitive = ["redis_url", "database_url"].contains(&name.as_str())
            || ["_key", "_key_id", "_password", "_token", "_secret"].iter().any(|end| name.ends_with(end));
        if sensitive {
            assert_eq!(variable.get("secret").and_then(Value::as_bool), Some(true), "{name} is not secret");
        }
    }
}

#[test]
fn templates_stand_where_they_are_resolved_and_name_declared_variables() {
    let manifest = manifest();
    let declared = table(&manifest["variables"], "variables");
    let mut found = Vec::new();
    let whole = Value::Table(manifest.clone());
    texts(&whole, String::new(), &mut found);
    let mut templates = 0;
    for (place, text) in found {
        for name in templated_names(text) {
            templates += 1;
            assert!(declared.contains_key(name), "{place} names the undeclared variable {name:?}");
            let resolved = place.starts_with(".application.trigger.redis")
                || place.starts_with(".trigger.redis")
                || place.ends_with(".allowed_outbound_hosts")
                || place.contains(".variables.")
                // Our runtime does; the others leave the table alone.
                || place.ends_with(".tool.thumbs.park.channel")
                || place.contains(".tool.thumbs.egress.");
            assert!(resolved, "{place} holds a template, which no host resolves there");
        }
    }
    assert!(templates > 0, "the search for templates found none: the search is broken");
}

#[test]
fn outbound_hosts_are_scheme_host_and_port() {
    let manifest = manifest();
    let variables = table(&manifest["variables"], "variables");
    for (id, component) in components(&manifest) {
        for entry in component.get("allowed_outbound_hosts").and_then(Value::as_array).into_iter().flatten() {
            let entry = entry.as_str().unwrap();
            let resolved = match templated_names(entry).next() {
                Some(name) => variables[name]["default"].as_str().unwrap().to_owned(),
                None => entry.to_owned(),
            };
            assert!(!resolved.contains('*'), "{id} is granted a wildcard: {resolved}");
            assert!(!resolved.contains('@'), "{id} has credentials in a grant");
            let (scheme, rest) =
                resolved.split_once("://").unwrap_or_else(|| panic!("{id}: {resolved} has no scheme"));
            let (host, port) =
                rest.rsplit_once(':').unwrap_or_else(|| panic!("{id}: {resolved} has no port"));
            assert!(scheme.chars().all(|c| c.is_ascii_lowercase()) && !host.is_empty(), "{id}: {resolved}");
            port.parse::<u16>().unwrap_or_else(|_| panic!("{id}: {resolved} has no port or has a path"));
        }
    }
}

#[test]
fn grants_are_the_labels_that_every_host_has() {
    for (id, component) in components(&manifest()) {
        for grant in ["sqlite_databases", "key_value_stores"] {
            for label in component.get(grant).and_then(Value::as_array).into_iter().flatten() {
                assert_eq!(label.as_str(), Some("default"), "{id}: {grant}");
            }
        }
    }
}

#[test]
fn dependencies_come_from_distinct_packages_and_inherit() {
    let mut seen_any = false;
    for (id, component) in components(&manifest()) {
        let Some(dependencies) = component.get("dependencies") else { continue };
        seen_any = true;
        let mut packages = BTreeSet::new();
        for (name, dependency) in table(dependencies, "dependencies") {
            let (package, rest) =
                name.split_once('/').unwrap_or_else(|| panic!("{id}: {name} names no interface"));
            assert!(rest.contains('@'), "{id}: {name} names no version");
            assert!(
                packages.insert(package.to_owned()),
                "{id} has two dependencies of {package}: they can't be composed"
            );
            keys_are_among(table(dependency, name), &["path"], name);
        }
        assert_eq!(
            component.get("dependencies_inherit_configuration").and_then(Value::as_bool),
            Some(true),
            "{id} would get Spin's deny adapter, which older shims can't run"
        );
    }
    assert!(seen_any);
}

#[test]
fn every_triggered_component_can_be_built_and_says_what_it_is() {
    let manifest = manifest();
    for trigger in triggers(&manifest, "http").into_iter().chain(triggers(&manifest, "redis")) {
        let Some(id) = trigger.get("component").and_then(Value::as_str) else {
            assert!(trigger.contains_key("static_response"));
            continue;
        };
        let component = table(&manifest["component"][id], id);
        for key in ["source", "description", "build"] {
            assert!(component.contains_key(key), "[component.{id}] has no {key}");
        }
    }
}

#[test]
fn a_path_belongs_to_one_component() {
    let manifest = manifest();
    let mut routes = BTreeSet::new();
    for trigger in triggers(&manifest, "http") {
        let route = trigger["route"].as_str().unwrap();
        assert!(route.starts_with('/'), "{route}");
        assert!(routes.insert(route), "two triggers have the route {route}: Spin never asks for the method");
    }
}
