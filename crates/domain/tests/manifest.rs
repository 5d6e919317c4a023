//! `spin.toml` says the same as the tables of variables and routes, in both directions.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::collections::{BTreeMap, BTreeSet};

use thumbs_domain::route;
use thumbs_domain::variable::{EDGE, Row, Variable};
use toml::{Table, Value};

fn manifest() -> Table {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spin.toml");
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn spin_toml_declares_the_variables_of_the_table() {
    let declared: BTreeMap<String, (String, bool)> = manifest()["variables"]
        .as_table()
        .unwrap()
        .iter()
        .map(|(name, variable)| {
            let is_secret = variable.get("secret").is_some_and(|secret| secret.as_bool().unwrap());
            (name.clone(), (text(&variable["default"]).to_owned(), is_secret))
        })
        .collect();
    let rows = Variable::ALL.iter().map(|variable| variable.row());
    let expected: BTreeMap<String, (String, bool)> =
        rows.map(|row| (row.name.to_owned(), (row.default.to_owned(), row.is_secret))).collect();
    for (name, variable) in &declared {
        assert!(
            expected.contains_key(name),
            "spin.toml declares {name}: add a row to crates/domain/src/variable.rs"
        );
        assert_eq!(
            variable, &expected[name],
            "default and secret of {name} differ: [variables] of spin.toml, crates/domain/src/variable.rs"
        );
    }
    for name in expected.keys() {
        assert!(declared.contains_key(name), "{name} has a row: declare it in [variables] of spin.toml");
    }
}

#[test]
fn each_component_is_given_the_variables_that_the_table_says() {
    for (id, component) in manifest()["component"].as_table().unwrap() {
        let (grants, read): (Vec<&Row>, Vec<&Row>) = Variable::ALL
            .iter()
            .map(|variable| variable.row())
            .filter(|row| row.components.contains(&id.as_str()))
            .partition(|row| row.is_grant());
        let template = |name: &str| format!("{{{{ {name} }}}}");

        let joined = Some(EDGE).filter(|joined| joined.components.contains(&id.as_str()));
        let alone = |row: &&&Row| {
            !joined.is_some_and(|joined| joined.parts.iter().any(|part| part.row().name == row.name))
        };
        let expected: BTreeMap<_, _> = read
            .iter()
            .filter(alone)
            .map(|row| (row.name.to_owned(), template(row.name)))
            .chain(joined.map(|joined| (joined.name.to_owned(), joined.template())))
            .collect();
        let variables = component.get("variables").and_then(Value::as_table).cloned().unwrap_or_default();
        let given: BTreeMap<_, _> =
            variables.iter().map(|(name, value)| (name.clone(), text(value).to_owned())).collect();
        assert_eq!(
            given, expected,
            "[component.{id}.variables] of spin.toml (left) against `components` in crates/domain/src/variable.rs (right)"
        );

        let expected: BTreeSet<_> = grants.iter().map(|row| template(row.name)).collect();
        let hosts =
            component.get("allowed_outbound_hosts").and_then(Value::as_array).cloned().unwrap_or_default();
        let given: BTreeSet<_> = hosts.iter().map(|host| text(host).to_owned()).collect();
        assert_eq!(
            given, expected,
            "allowed_outbound_hosts of [component.{id}] in spin.toml (left) against crates/domain/src/variable.rs (right)"
        );
    }
}

#[test]
fn the_table_names_components_that_there_are() {
    let manifest = manifest();
    let components = manifest["component"].as_table().unwrap();
    let named = Variable::ALL.iter().flat_map(|variable| variable.row().components);
    for id in named.copied().chain(route::TABLE.iter().map(|row| row.component)) {
        assert!(
            components.contains_key(id),
            "crates/domain/src names {id}, which is no component of spin.toml"
        );
    }
}

#[test]
fn spin_toml_routes_what_the_table_says() {
    let declared: BTreeMap<String, String> = manifest()["trigger"]["http"]
        .as_array()
        .unwrap()
        .iter()
        .map(|trigger| (text(&trigger["route"]).to_owned(), text(&trigger["component"]).to_owned()))
        .collect();
    let expected: BTreeMap<String, String> = route::TABLE
        .iter()
        .map(|row| (row.path.replace('{', ":").replace('}', ""), row.component.to_owned()))
        .collect();
    assert_eq!(
        declared, expected,
        "[[trigger.http]] of spin.toml (left) against crates/domain/src/route.rs (right)"
    );
}
