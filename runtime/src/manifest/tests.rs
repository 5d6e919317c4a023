//! What a manifest may say, and that each error names file, line, place and fix.

use std::{path::Path, time::Duration};

use super::{HttpTarget, Manifest, ManifestError, MessagePolicy, Route, Tick};

const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"app\"\n";

fn parse(body: &str) -> Result<Manifest, ManifestError> {
    Manifest::parse(Path::new("/srv/spin.toml"), &format!("{HEAD}{body}"))
}

/// The error of a manifest; it must name the file and this line of `body`.
#[track_caller]
fn refused(body: &str, line: usize, expected: &[&str]) {
    let error = parse(body).map(|_| ()).expect_err(body).to_string();
    let at = format!("/srv/spin.toml:{}: ", HEAD.lines().count() + line);
    assert!(error.starts_with(&at), "{at} does not begin {error}\n{body}");
    for part in expected {
        assert!(error.contains(part), "{part:?} is not in {error}\n{body}");
    }
}

#[test]
fn everything_that_is_known_is_read() {
    let manifest = parse(
        r#"
        version = "1.2.3"
        description = "d"
        authors = ["a", "b"]
        [application.trigger.redis]
        address = "{{ url }}"
        [application.tool.thumbs]
        redis = { url = "url", outbound = "reach" }
        database = { url = "token" }
        keys = "token"
        constant_blobs = ["small/"]
        [application.tool.other]
        anything = 7
        [variables]
        url = { default = "redis://localhost", secret = true }
        reach = { default = "redis://localhost:6379" }
        token = { required = true }
        [[trigger.http]]
        id = "one"
        route = "/a/:id/..."
        component = "c-one"
        [[trigger.http]]
        route = { private = true }
        component = "c-one"
        [[trigger.http]]
        route = "/gone"
        static_response = { status_code = 410, headers = { location = "/x" }, body = "gone" }
        [[trigger.redis]]
        channel = "wake-{{ token }}"
        component = "c-one"
        [[trigger.redis]]
        id = "two"
        channel = "other"
        address = "redis://elsewhere"
        component = "c-one"
        [component.c-one]
        source = "target/one.wasm"
        description = "d"
        variables = { a = "{{ token }}!" }
        environment = { LANG = "C" }
        allowed_outbound_hosts = ["{{ url }}", "http://x"]
        key_value_stores = ["default"]
        sqlite_databases = ["default"]
        dependencies_inherit_configuration = true
        [component.c-one.dependencies]
        "a:b/c@1.0.0" = { path = "/opt/dep.wasm" }
        [component.c-one.build]
        command = "make"
        anything = ["at", "all"]
        [component.c-one.tool.spin-test]
        source = "target/one_suite.wasm"
        build = "make"
        [component.c-one.tool.other]
        anything = 7
        [component.c-one.tool.thumbs]
        merge_equal_messages = true
        report_ended_workers = true
        tick = { every_ms = 250, message = "look" }
        prepare = "make ready"
        check = "look"
        park = { channel = "wait-{{ token }}" }
        log_tail = true
        names_caller = true
        workers = 3
        egress = { hosts = "{{ token }}, *.b:8443", private = "true" }
        [component.c-two]
        source = "target/two.wasm"
        "#,
    )
    .unwrap();
    assert_eq!(manifest.application.version.as_deref(), Some("1.2.3"));
    assert!(manifest.variables["url"].secret && manifest.variables["token"].default.is_none());
    assert_eq!(manifest.http[0].route, Route::Path("/a/:id/...".into()));
    assert_eq!(manifest.http[1].route, Route::Private);
    let HttpTarget::Static(response) = &manifest.http[2].target else { panic!("{:?}", manifest.http[2]) };
    assert_eq!((response.status.as_u16(), response.body.as_str()), (410, "gone"));
    let component = &manifest.components["c-one"];
    assert_eq!(component.source, Path::new("/srv/target/one.wasm"), "relative to the manifest");
    assert_eq!(component.dependencies["a:b/c@1.0.0"], Path::new("/opt/dep.wasm"));
    assert_eq!(component.environment["LANG"], "C");
    assert_eq!(component.suite.as_deref(), Some(Path::new("/srv/target/one_suite.wasm")));
    let tick = Tick { every: Duration::from_millis(250), message: "look".into() };
    assert_eq!(
        component.messages,
        MessagePolicy {
            workers: Some(3),
            merge_equal_messages: true,
            tick: Some(tick),
            report_ended_workers: true,
            prepare: Some("make ready".into()),
            check: Some("look".into())
        }
    );
    assert_eq!(manifest.components["c-two"].messages, MessagePolicy::default(), "as on Spin");
    assert_eq!(manifest.components["c-two"].parking, None, "as on Spin");
    assert_eq!(manifest.components["c-two"].egress, None, "as on Spin");
    assert!(component.log_tail && !manifest.components["c-two"].log_tail);
    assert!(component.names_caller && !manifest.components["c-two"].names_caller);
    let parking = component.parking.as_ref().unwrap();
    let backends = &manifest.application.backends;
    assert_eq!(backends.grants().collect::<Vec<_>>(), [("reach", "url")]);
    assert_eq!(backends.database.as_ref().unwrap().url, "token");
    assert_eq!(backends.keys.as_deref(), Some("token"));
    assert_eq!(backends.constant_blobs, ["small/"]);
    let values = [("url".to_owned(), "redis://r"), ("token".to_owned(), "t")].into();
    let hosts: Vec<_> = component.resolve_outbound_hosts(&values).collect();
    assert_eq!(hosts, ["redis://r", "http://x", "https://t", "https://*.b:8443"]);
    assert_eq!(component.egress.as_ref().and_then(|egress| egress.private(&values)), Some(true));
    assert_eq!(manifest.redis[0].address.resolve(&values), "redis://r");
    assert_eq!(manifest.redis[0].channel.resolve(&values), "wake-t");
    assert_eq!(
        (parking.channel.resolve(&values), parking.address.resolve(&values)),
        ("wait-t".into(), "redis://r".into())
    );
    assert_eq!(manifest.redis[1].address.resolve(&values), "redis://elsewhere");
    assert_eq!(component.variables["a"].resolve(&values), "t!");
}

#[test]
fn an_unknown_key_is_named_with_its_component_and_the_fix() {
    let component = |line: &str| format!("[component.up-load]\nsource = \"a.wasm\"\n{line}");
    refused(
        &component("profile = {}"),
        3,
        &["component \"up-load\"", "`profile`", "remove it", "not every host"],
    );
    refused(
        &component("files = []"),
        3,
        &["component \"up-load\"", "unknown key `files`", "known here: source,"],
    );
    refused("[profile]", 1, &["unknown key `profile`"]);
    refused("[application.trigger.redis]\naddres = \"x\"", 2, &["application.trigger.redis", "`addres`"]);
    refused("[application.trigger.mqtt]", 1, &["unknown key `mqtt`"]);
    refused("[[trigger.sqs]]", 1, &["unknown key `sqs`", "not served"]);
    refused("[variables]\nx = { default = \"\", secrt = true }", 2, &["variable \"x\"", "`secrt`"]);
    let dependency =
        component("[component.up-load.dependencies]\n\"a:b/c\" = { path = \"x\", export = \"y\" }");
    refused(&dependency, 4, &["component \"up-load\", dependency \"a:b/c\"", "`export`"]);
    let tool = |line: &str| component(&format!("[component.up-load.tool.thumbs]\n{line}"));
    refused(
        &tool("merge = true"),
        4,
        &["component \"up-load\", tool.thumbs", "`merge`", "known here: merge_equal_messages, tick"],
    );
    refused(&tool("tick = { every_ms = 1, message = \"\", at = 3 }"), 4, &["tool.thumbs, tick", "`at`"]);
    refused(
        "[application.tool.thumbs]\ncache = {}",
        2,
        &["application.tool.thumbs", "`cache`", "known here: redis"],
    );
    for prefix in ["", "Small/", "a b"] {
        let body = format!("[application.tool.thumbs]\nconstant_blobs = [\"{prefix}\"]");
        refused(&body, 2, &["`constant_blobs`", "beginnings of keys"]);
    }
    refused("[application.tool.thumbs]\nkeys = \"nobody\"", 2, &["`keys` must name a variable"]);
    let trigger =
        "[component.c]\nsource = \"c\"\n[[trigger.http]]\nroute = \"/x\"\ncomponent = \"c\"\nexecutor = 1";
    refused(trigger, 6, &["route \"/x\"", "`executor`"]);
}

#[test]
fn names_types_and_references_are_checked() {
    refused("[component.Up_load]\nsource = \"a\"", 1, &["`Up_load`", "kebab case"]);
    refused("[component.c]", 1, &["component \"c\"", "`source` is missing"]);
    refused("[component.c]\nsource = 7", 2, &["`source` must be a string, not an integer"]);
    refused(
        "[component.c]\nsource = \"a\"\n[component.c.tool.spin-test]",
        3,
        &["component \"c\", tool.spin-test", "`source` is missing"],
    );
    for (line, expected) in [
        ("merge_equal_messages = 1", "true or false"),
        ("tick = { every_ms = 0, message = \"\" }", "1 or more"),
        ("tick = { every_ms = 1 }", "`message` is missing"),
        ("tick = 5", "must be a table"),
        ("prepare = {}", "must be a string"),
        ("check = true", "must be a string"),
        ("park = { channel = \"c\" }", "needs the `address` of [application.trigger.redis]"),
        ("park = { channel = \"{{ x }}\" }", "[variables]"),
        ("park = {}", "`channel` is missing"),
        ("log_tail = 1", "true or false"),
    ] {
        refused(&format!("[component.c]\nsource = \"c\"\n[component.c.tool.thumbs]\n{line}"), 4, &[expected]);
    }
    for name in ["gone", "{{ x }}"] {
        let body = format!(
            "[variables]\nx = {{ default = \"\" }}\n[application.tool.thumbs]\nredis = {{ url = {name:?} }}"
        );
        refused(&body, 4, &["application.tool.thumbs, redis", "[variables] declares"]);
    }
    refused("[component.c]\nsource = { url = \"https://x\", digest = \"y\" }", 2, &["not fetched"]);
    refused("[component.c]\nsource = \"c\"\nkey_value_stores = \"default\"", 3, &["must be a list"]);
    refused(
        "[component.c]\nsource = \"c\"\ndependencies_inherit_configuration = \"yes\"",
        3,
        &["true or false"],
    );
    refused(
        "[component.c]\nsource = \"c\"\ndependencies = { x = { path = \"y\" } }",
        3,
        &["names no interface"],
    );
    refused(
        "[component.c]\nsource = \"c\"\ndependencies = { \"a:b/c\" = \"^1.0\" }",
        3,
        &["not fetched from a registry"],
    );
    refused("[component.c]\nsource = \"c\"\nvariables = { Bad = \"y\" }", 3, &["lower snake case"]);
    refused("[variables]\nBad-name = { default = \"\" }", 2, &["lower snake case"]);
    refused("[variables]\nx = {}", 2, &["either `default"]);
    refused("[variables]\nx = { default = \"\", required = true }", 2, &["either `default"]);
    refused(
        "[[trigger.http]]\nroute = \"/\"\ncomponent = \"nobody\"",
        3,
        &["no component `nobody`", "[component.nobody]"],
    );
    refused("[[trigger.http]]\nroute = \"/\"", 1, &["either a `component` or a `static_response`"]);
    refused("[[trigger.http]]\nroute = { private = false }\nstatic_response = {}", 2, &["must be true"]);
    refused(
        "[[trigger.http]]\nroute = \"/\"\nstatic_response = { status_code = 100 }",
        3,
        &["from 200 to 599"],
    );
    refused("[[trigger.http]]\nroute = \"/\"\nstatic_response = { status_code = -1 }", 3, &["whole number"]);
    refused(
        "[[trigger.http]]\nroute = \"/\"\nstatic_response = { headers = { \"a b\" = \"c\" } }",
        3,
        &["not a header"],
    );
    refused(
        "[component.c]\nsource = \"c\"\n[[trigger.redis]]\nchannel = \"x\"\ncomponent = \"c\"",
        3,
        &["no `address`"],
    );
}

#[test]
fn templates_name_declared_variables_where_templates_may_stand() {
    for line in ["allowed_outbound_hosts = [\"{{ gone }}\"]", "variables = { a = \"{{ gone }}\" }"] {
        let body = format!("[component.c]\nsource = \"c\"\n{line}");
        refused(&body, 3, &["component \"c\"", "`gone`", "[variables] does not declare"]);
    }
    let error = parse("[application.trigger.redis]\naddress = \"{{ gone }}\"").unwrap_err().to_string();
    assert!(error.contains("application.trigger.redis") && error.contains("`gone`"), "{error}");
    refused("[component.c]\nsource = \"c\"\nvariables = { a = \"{{ x\" }", 3, &["has no `}}` after it"]);
}

#[test]
fn what_is_no_manifest_of_version_2_is_refused() {
    for (text, expected) in [
        ("", "`spin_manifest_version` is missing"),
        ("spin_manifest_version = \"1\"", "must be a whole number, not a string"),
        ("spin_manifest_version = 3", "must be 2, not 3"),
        ("spin_manifest_version = 2", "`application` is missing"),
        ("spin_manifest_version = 2\n[application]", "`name` is missing"),
        ("spin_manifest_version = 2\n[application", "not valid TOML"),
        ("\u{0}", "not valid TOML"),
    ] {
        let error = Manifest::parse(Path::new("spin.toml"), text).map(|_| ()).expect_err(text).to_string();
        assert!(error.starts_with("spin.toml:") && error.contains(expected), "{error}");
    }
    let missing = Manifest::read(Path::new("/nowhere/spin.toml")).unwrap_err().to_string();
    assert!(missing.contains("/nowhere/spin.toml") && missing.contains("`-f`"), "{missing}");
}

#[test]
fn the_shipped_manifest_is_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spin.toml");
    let manifest = Manifest::read(&path).unwrap();
    assert!(manifest.components.contains_key("resize"));
    assert!(!manifest.http.is_empty() && !manifest.redis.is_empty());
}
