//! Table by table from the file to the types of `mod.rs`. The rules that span tables are at the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::{
    Application, Component, HttpTarget, HttpTrigger, Manifest, ManifestError, RedisTrigger, Route,
    StaticResponse, Template, Variable,
    table::{Source, Table, Value},
    template::is_variable_name,
    tool,
};

/// Why the keys that only newer hosts know are refused, for the error.
const COMPONENT_HINT: &str = "; profiles and per-dependency configuration are left out because not every host of this application knows them";

pub(super) fn manifest(path: &Path, text: &str) -> Result<Manifest, ManifestError> {
    let source = Source { path, text };
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
    let mut root = Table::root(source)?;

    let version = root.require("spin_manifest_version")?;
    let (at, version) = (version.span.clone(), version.integer()?);
    if version != 2 {
        return Err(source.error(at, "", format!("`spin_manifest_version` must be 2, not {version}")));
    }
    let variables = match root.take("variables") {
        Some(table) => variables(table)?,
        None => BTreeMap::new(),
    };
    let (application, server) = application(root.require("application")?, &variables)?;
    let components = match root.take("component") {
        Some(table) => table
            .table("component")?
            .into_values()
            .into_iter()
            .map(|value| {
                component(value, &folder, &variables, server.as_ref())
                    .map(|component| (component.id.clone(), component))
            })
            .collect::<Result<_, _>>()?,
        None => BTreeMap::new(),
    };
    if let Some(template) = &server {
        names_declared(source, &root.span, "application.trigger.redis", "address", template, &variables)?;
    }
    let (mut http, mut redis) = (Vec::new(), Vec::new());
    if let Some(triggers) = root.take("trigger") {
        let mut triggers = triggers.table("trigger")?;
        if let Some(list) = triggers.take("http") {
            http = list
                .array()?
                .into_iter()
                .map(|value| http_trigger(value, &components))
                .collect::<Result<_, _>>()?;
        }
        if let Some(list) = triggers.take("redis") {
            redis = list
                .array()?
                .into_iter()
                .map(|value| redis_trigger(value, server.as_ref(), &components, &variables))
                .collect::<Result<_, _>>()?;
        }
        triggers.finish(&["http", "redis"], "; other triggers are not served")?;
    }
    root.finish(&["spin_manifest_version", "application", "variables", "trigger", "component"], "")?;
    Ok(Manifest { path: path.to_owned(), application, variables, http, redis, components })
}

fn application(
    value: Value<'_>,
    variables: &BTreeMap<String, Variable>,
) -> Result<(Application, Option<Template>), ManifestError> {
    let mut table = value.table("application")?;
    let name = table.require("name")?.string()?;
    let version = table.take("version").map(Value::string).transpose()?;
    table.take("description").map(Value::string).transpose()?;
    if let Some(authors) = table.take("authors") {
        authors.array()?.into_iter().try_for_each(|author| author.string().map(drop))?;
    }
    let mut server = None;
    if let Some(trigger) = table.take("trigger") {
        let mut trigger = trigger.table("application.trigger")?;
        if let Some(redis) = trigger.take("redis") {
            let mut redis = redis.table("application.trigger.redis")?;
            server = redis.take("address").map(Value::template).transpose()?;
            redis.finish(&["address"], "")?;
        }
        trigger.finish(&["redis"], "")?;
    }
    let tools = table.take("tool").map(|tools| tool::application(tools, variables)).transpose()?;
    table.finish(&["name", "version", "description", "authors", "trigger", "tool"], "")?;
    Ok((Application { name, version, backends: tools.unwrap_or_default() }, server))
}

fn variables(value: Value<'_>) -> Result<BTreeMap<String, Variable>, ManifestError> {
    let mut variables = BTreeMap::new();
    for value in value.table("variables")?.into_values() {
        let name = value.key.clone();
        if !is_variable_name(&name) {
            return Err(value.error(format!("`{name}` is not a name for a variable; use lower snake case")));
        }
        let mut table = value.table(format!("variable {name:?}"))?;
        let default = table.take("default").map(Value::string).transpose()?;
        let required = table.take("required").map(Value::boolean).transpose()?.unwrap_or(false);
        let secret = table.take("secret").map(Value::boolean).transpose()?.unwrap_or(false);
        if required == default.is_some() {
            return Err(table.error("give it either `default = \"...\"` or `required = true`"));
        }
        table.finish(&["default", "required", "secret"], "")?;
        variables.insert(name, Variable { default, secret });
    }
    Ok(variables)
}

/// The template may name only variables that the application declares.
fn names_declared(
    source: Source<'_>,
    span: &std::ops::Range<usize>,
    place: &str,
    key: &str,
    template: &Template,
    variables: &BTreeMap<String, Variable>,
) -> Result<(), ManifestError> {
    match template.variables().find(|name| !variables.contains_key(*name)) {
        None => Ok(()),
        Some(name) => Err(source.error(
            span.clone(),
            place,
            format!(
                "`{key}` names the variable `{name}`, which [variables] does not declare; declare it there"
            ),
        )),
    }
}

pub(super) fn declared_template(
    value: Value<'_>,
    variables: &BTreeMap<String, Variable>,
) -> Result<Template, ManifestError> {
    let (source, span, place, key) =
        (value.source, value.span.clone(), value.place.clone(), value.key.clone());
    let template = value.template()?;
    names_declared(source, &span, &place, &key, &template, variables)?;
    Ok(template)
}

fn component(
    value: Value<'_>,
    folder: &Path,
    declared: &BTreeMap<String, Variable>,
    server: Option<&Template>,
) -> Result<Component, ManifestError> {
    let id = value.key.clone();
    let kebab = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if !id.split('-').all(kebab) {
        return Err(value.error(format!("`{id}` is not an id for a component; use kebab case")));
    }
    let mut table = value.table(format!("component {id:?}"))?;
    let source = table.require("source")?;
    if source.is_table() {
        return Err(source
            .error("`source` must be the path of a .wasm file; sources from the network are not fetched"));
    }
    let source = folder.join(source.string()?);
    table.take("description").map(Value::string).transpose()?;
    let mut variables = BTreeMap::new();
    if let Some(values) = table.take("variables") {
        for value in values.table(format!("component {id:?}, variables"))?.into_values() {
            let name = value.key.clone();
            if !is_variable_name(&name) {
                return Err(
                    value.error(format!("`{name}` is not a name for a variable; use lower snake case"))
                );
            }
            variables.insert(name, declared_template(value, declared)?);
        }
    }
    let mut environment = BTreeMap::new();
    if let Some(values) = table.take("environment") {
        for value in values.table(format!("component {id:?}, environment"))?.into_values() {
            environment.insert(value.key.clone(), value.string()?);
        }
    }
    let allowed_outbound_hosts = match table.take("allowed_outbound_hosts") {
        Some(list) => list
            .array()?
            .into_iter()
            .map(|value| declared_template(value, declared))
            .collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    let key_value_stores = labels(table.take("key_value_stores"))?;
    let sqlite_databases = labels(table.take("sqlite_databases"))?;
    let mut dependencies = BTreeMap::new();
    if let Some(values) = table.take("dependencies") {
        for value in values.table(format!("component {id:?}, dependencies"))?.into_values() {
            let (name, path) = dependency(value, &id)?;
            dependencies.insert(name, folder.join(path));
        }
    }
    let dependencies_inherit_configuration =
        table.take("dependencies_inherit_configuration").map(Value::boolean).transpose()?.unwrap_or(false);
    // For `spin build`: not the runtime's business, whatever it holds.
    table.take("build").map(|value| value.table("build")).transpose()?;
    let tools = table
        .take("tool")
        .map(|tools| tool::component(tools, &id, declared, server))
        .transpose()?
        .unwrap_or_default();
    table.finish(
        &[
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
        ],
        COMPONENT_HINT,
    )?;
    Ok(Component {
        id,
        source,
        variables,
        environment,
        allowed_outbound_hosts,
        key_value_stores,
        sqlite_databases,
        dependencies,
        dependencies_inherit_configuration,
        suite: tools.suite.map(|source| folder.join(source)),
        messages: tools.messages,
        parking: tools.parking,
        log_tail: tools.log_tail,
        names_caller: tools.names_caller,
        egress: tools.egress,
    })
}

fn labels(value: Option<Value<'_>>) -> Result<BTreeSet<String>, ManifestError> {
    match value {
        Some(value) => value.array()?.into_iter().map(Value::string).collect(),
        None => Ok(BTreeSet::new()),
    }
}

fn dependency(value: Value<'_>, component: &str) -> Result<(String, String), ManifestError> {
    let name = value.key.clone();
    if !name.contains(':') {
        return Err(value.error(format!(
            "`{name}` names no interface; write it as \"namespace:package/interface@1.0.0\""
        )));
    }
    if !value.is_table() {
        return Err(value.error(format!(
            "`{name}` must be {{ path = \"....wasm\" }}; packages are not fetched from a registry"
        )));
    }
    let mut table = value.table(format!("component {component:?}, dependency {name:?}"))?;
    let path = table.require("path")?.string()?;
    table.finish(&["path"], "; packages are not fetched from a registry")?;
    Ok((name, path))
}

fn known_component(
    value: Value<'_>,
    components: &BTreeMap<String, Component>,
) -> Result<String, ManifestError> {
    let (source, span, place) = (value.source, value.span.clone(), value.place.clone());
    if value.is_table() {
        return Err(value.error("`component` must be the id of a component; inline components are not read"));
    }
    let id = value.string()?;
    if components.contains_key(&id) {
        Ok(id)
    } else {
        Err(source.error(span, &place, format!("there is no component `{id}`; declare [component.{id}]")))
    }
}

fn http_trigger(
    value: Value<'_>,
    components: &BTreeMap<String, Component>,
) -> Result<HttpTrigger, ManifestError> {
    let mut table = value.table("trigger.http")?;
    let route = table.require("route")?;
    let route = if route.is_table() {
        let mut private = route.table("trigger.http, route")?;
        let flag = private.require("private")?;
        let place = flag.error("`private` must be true; give the route as a string to make it public");
        if !flag.boolean()? {
            return Err(place);
        }
        private.finish(&["private"], "")?;
        Route::Private
    } else {
        Route::Path(route.string()?)
    };
    if let Route::Path(path) = &route {
        table.place = format!("trigger.http, route {path:?}");
    }
    table.take("id").map(Value::string).transpose()?;
    let target = match (table.take("component"), table.take("static_response")) {
        (Some(component), None) => HttpTarget::Component(known_component(component, components)?),
        (None, Some(response)) => HttpTarget::Static(static_response(response)?),
        _ => return Err(table.error("give it either a `component` or a `static_response`")),
    };
    table.finish(&["route", "component", "id", "static_response"], "")?;
    Ok(HttpTrigger { route, target })
}

fn static_response(value: Value<'_>) -> Result<StaticResponse, ManifestError> {
    let mut table = value.table("trigger.http, static_response")?;
    let status = match table.take("status_code") {
        None => StatusCode::OK,
        Some(code) => {
            let wrong = code.error("`status_code` must be from 200 to 599");
            match code.integer()? {
                code @ 200..=599 => {
                    u16::try_from(code).ok().and_then(|code| StatusCode::from_u16(code).ok()).ok_or(wrong)?
                }
                _ => return Err(wrong),
            }
        }
    };
    let mut headers = HeaderMap::new();
    if let Some(values) = table.take("headers") {
        for value in values.table("trigger.http, static_response, headers")?.into_values() {
            let wrong = value.error(format!("`{}` is not a header, or its value is none", value.key));
            let name = HeaderName::from_bytes(value.key.as_bytes());
            let header = HeaderValue::try_from(value.string()?);
            let (Ok(name), Ok(header)) = (name, header) else { return Err(wrong) };
            headers.append(name, header);
        }
    }
    let body = table.take("body").map(Value::string).transpose()?.unwrap_or_default();
    table.finish(&["status_code", "headers", "body"], "")?;
    Ok(StaticResponse { status, headers, body })
}

fn redis_trigger(
    value: Value<'_>,
    server: Option<&Template>,
    components: &BTreeMap<String, Component>,
    variables: &BTreeMap<String, Variable>,
) -> Result<RedisTrigger, ManifestError> {
    let mut table = value.table("trigger.redis")?;
    let channel = declared_template(table.require("channel")?, variables)?;
    let address = match table.take("address") {
        Some(own) => declared_template(own, variables)?,
        None => server.cloned().ok_or_else(|| {
            table.error("it has no `address`, and [application.trigger.redis] gives none; set one of them")
        })?,
    };
    table.take("id").map(Value::string).transpose()?;
    let component = known_component(table.require("component")?, components)?;
    table.finish(&["channel", "address", "component", "id"], "")?;
    Ok(RedisTrigger { channel, address, component })
}
