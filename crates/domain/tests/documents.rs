//! Each table of docs/ and of the components' READMEs that says what the components do is written from the table in the code that makes them do
//! it. What a route answers with is taken from docs/openapi.json, which the crate `openapi` holds to the code: renew that first.
//!
//! `THUMBS_BLESS=1 cargo test --release -p thumbs-domain` writes the tables into the pages, between their marks.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails loudly")]

mod fixed;

use std::path::Path;

use thumbs_domain::failure::{Fault, JobCode};
use thumbs_domain::options::{Options, Takes};
use thumbs_domain::preset::Preset;
use thumbs_domain::problem::{self, ProblemKind};
use thumbs_domain::route::{Needs, Row};
use thumbs_domain::variable::{self, Variable};
use thumbs_domain::{event, metric, options, route};

#[test]
fn the_page_on_the_api_has_its_tables() {
    holds(
        "api.md",
        &[
            ("routes", routes()),
            ("options", option_rows()),
            ("presets", presets()),
            ("problems", problems(ProblemKind::ALL.iter().map(|kind| kind.row()))),
            ("host problems", problems(problem::OF_THE_HOST.iter())),
            ("job codes", job_codes()),
        ],
    );
}

#[test]
fn the_page_on_configuration_has_its_table() {
    holds("configuration.md", &[("variables", variables())]);
}

#[test]
fn the_page_on_the_log_has_the_events_of_the_components() {
    holds("log.md", &[("events", events())]);
}

#[test]
fn the_page_on_metrics_has_its_table() {
    holds("METRICS.md", &[("metrics", metrics())]);
}

#[test]
fn the_page_of_a_component_has_the_routes_that_it_answers() {
    let mut components: Vec<_> = route::TABLE.iter().map(|row| row.component).collect();
    components.sort_unstable();
    components.dedup();
    for component in components {
        let page = format!("../components/{component}/README.md");
        holds(&page, &[("routes", routes_of(component))]);
    }
}

#[test]
fn the_page_on_operations_has_the_migrations() {
    holds("OPERATIONS.md", &[("migrations", migrations())]);
}

#[test]
fn the_index_of_decisions_has_each_of_them() {
    holds("decisions/README.md", &[("decisions", decisions())]);
}

#[test]
fn the_page_on_limits_has_those_that_nobody_sets() {
    for bound in fixed::TABLE {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(bound.file);
        let code = std::fs::read_to_string(path).unwrap();
        assert!(code.contains(bound.code), "{} has no {:?}", bound.file, bound.code);
    }
    let rows = fixed::TABLE.iter().map(|bound| {
        let (folder, name) = bound.file.rsplit_once('/').unwrap();
        let place = format!("[`{name}`](../{folder}/{name})");
        vec![bound.value.to_owned(), bound.bounds.to_owned(), bound.when_hit.to_owned(), place]
    });
    holds(
        "limits.md",
        &[("fixed bounds", table(&["value", "what it bounds", "when it is hit", "where"], rows))],
    );
}

/// What their files say of themselves: the first sentence, and who may go on, which stands before the last statement.
fn migrations() -> String {
    let files = files("../guest/src/sql/migrations", ".postgres.sql");
    let rows = files.iter().map(|(name, text)| {
        let (before, last) = text.rsplit_once("INSERT INTO thumbs_schema").unwrap();
        let (columns, values) = last.split_once("VALUES").unwrap();
        let compatible = columns.contains("min_compatible").then(|| values.rsplit_once(", ").unwrap().1);
        let compatible = compatible.map_or("", |version| version.trim_end().trim_end_matches(");"));
        let about = comments(before).next().unwrap();
        let about = about.split_once(". ").map_or(about.trim_end_matches('.'), |(sentence, _)| sentence);
        let number = name[..4].trim_start_matches('0').to_owned();
        let end = comments(before).last().filter(|text| text.starts_with("Programs ")).unwrap_or_default();
        vec![number, about.to_owned(), compatible.to_owned(), end]
    });
    table(&["version", "what it keeps", "which version may write beside it", "what is to be known"], rows)
}

/// The blocks of comments in a file of SQL, each as one line.
fn comments(sql: &str) -> impl Iterator<Item = String> {
    let blocks = sql.split("\n\n").flat_map(|part| {
        let lines =
            part.lines().map(|line| line.strip_prefix("-- ").filter(|text| !text.starts_with("unless: ")));
        let mut blocks = vec![String::new()];
        for line in lines {
            match (line, blocks.last_mut()) {
                (Some(text), Some(block)) if block.is_empty() => text.clone_into(block),
                (Some(text), Some(block)) => *block = format!("{block} {text}"),
                _ => blocks.push(String::new()),
            }
        }
        blocks
    });
    blocks.filter(|block| !block.is_empty()).collect::<Vec<_>>().into_iter()
}

/// A list, and the numbers that no page has.
fn decisions() -> String {
    let pages = files("../../docs/decisions", ".md");
    let pages: Vec<_> = pages.iter().filter(|(name, _)| name != "README.md").collect();
    let mut numbers = Vec::new();
    let mut list = String::new();
    for (name, text) in pages {
        let (number, title) = text.lines().next().unwrap().trim_start_matches("# ").split_once(". ").unwrap();
        numbers.push(number.parse::<usize>().unwrap());
        list.push_str(&format!("- [{number}]({name}): {title}\n"));
    }
    let unused = (1..numbers.iter().max().copied().unwrap_or(0)).filter(|number| !numbers.contains(number));
    let unused: Vec<_> = unused.map(|number| number.to_string()).collect();
    format!("{list}\nNumbers that were given out and not used: {}.\n", unused.join(", "))
}

/// The names and texts of the files of a folder that end so, in the order of their names.
fn files(folder: &str, end: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .filter(|(name, _)| name.ends_with(end))
        .map(|(name, path)| (name, std::fs::read_to_string(path).unwrap()))
        .collect();
    files.sort();
    files
}

fn metrics() -> String {
    let rows = metric::TABLE.iter().map(|row| {
        let labels = if row.labels.is_empty() { String::new() } else { code(row.labels) };
        vec![format!("`{}`", row.name), row.kind.name().to_owned(), labels, format!("{}.", row.meaning)]
    });
    table(&["metric", "kind", "labels", "what it tells"], rows)
}

fn routes() -> String {
    let rows = route::TABLE.iter().flat_map(route_rows);
    table(&["route", "needs, where there are keys", "what it does"], rows)
}

/// The routes of one component, with the statuses that they are answered with.
fn routes_of(component: &str) -> String {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let document: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(document).unwrap()).unwrap();
    let rows = route::TABLE.iter().filter(|row| row.component == component).flat_map(|row| {
        route_rows(row).zip(row.methods).map(|(mut cells, (method, ..))| {
            let answers = &document["paths"][row.path][method.to_ascii_lowercase()]["responses"];
            let statuses: Vec<_> =
                answers.as_object().into_iter().flatten().map(|(status, _)| status.as_str()).collect();
            cells.push(statuses.join(", "));
            cells
        })
    });
    table(&["route", "needs, where there are keys", "what it does", "answers"], rows)
}

fn route_rows(row: &Row) -> impl Iterator<Item = Vec<String>> {
    row.methods.iter().map(|(method, needs, meaning)| {
        let needs = match needs {
            Needs::Nothing => String::new(),
            Needs::Key(scope) => format!("`{}`", scope.name()),
            Needs::KeyOrLink(scope) => format!("`{}`, or a signed link", scope.name()),
            Needs::Anything(scope) => format!("`{}` for details", scope.name()),
            Needs::KeyAlways(scope) => format!("`{}`; without keys it is not there", scope.name()),
        };
        vec![format!("`{method} {}`", row.path), needs, format!("{meaning}.")]
    })
}

fn option_rows() -> String {
    let defaults = serde_json::to_value(Options::default()).unwrap();
    let rows = options::TABLE.iter().chain([&options::VARIANTS]).map(|row| {
        let takes = match row.takes {
            Takes::Side => format!("1 to `{}`", Variable::MaxOutputSide.row().name),
            Takes::UpTo(max) => format!("1 to {max}"),
            Takes::OneOf(words) => code(words),
            Takes::Url => format!("an address, {}", row.takes),
            Takes::Variants(_) => format!("1 to `{}` objects, as JSON", Variable::MaxVariants.row().name),
            Takes::Background => {
                "`transparent`, or `rrggbb` or `rgb` in hexadecimal, with or without `#`".to_owned()
            }
        };
        let default = match &defaults[row.name] {
            serde_json::Value::Null => "none".to_owned(),
            serde_json::Value::String(text) => format!("`{text}`"),
            other => format!("`{other}`"),
        };
        vec![
            format!("`{}`", row.name),
            takes,
            default,
            format!("{}.", row.meaning),
            format!("`{}`", row.example),
        ]
    });
    table(&["option", "values", "default", "what it does", "example"], rows)
}

fn presets() -> String {
    let rows = Preset::ALL.iter().map(|preset| {
        let row = preset.row();
        vec![
            format!("`{}`", preset.name()),
            row.side.to_string(),
            row.max_bytes.to_string(),
            row.max_frames.map_or_else(|| "any number".to_owned(), |frames| frames.to_string()),
            format!("{}.", row.meaning),
        ]
    });
    table(&["preset", "`width`, `height`", "`max_bytes`", "frames at most", "what it is for"], rows)
}

fn problems<'a>(rows: impl Iterator<Item = &'a problem::Row>) -> String {
    let rows = rows.map(|row| {
        let retry_after = row.retry_after_secs.map_or_else(String::new, |secs| format!("{secs} s"));
        vec![
            row.status.to_string(),
            format!("`{}`", row.code),
            retry_after,
            format!("{}.", row.meaning),
            format!("{}.", row.remedy),
        ]
    });
    table(&["status", "code", "`Retry-After`", "what it means", "what to do"], rows)
}

fn job_codes() -> String {
    let rows = JobCode::ALL.iter().map(|code| {
        let row = code.row();
        let tried = match row.fault {
            Fault::Service => "until the job is too old",
            Fault::Transient => "until the attempts are used up",
            Fault::Permanent => "once",
        };
        vec![format!("`{}`", row.code), tried.to_owned(), row.sentence.to_owned(), row.remedy.to_owned()]
    });
    table(&["code", "tried", "what happened", "what to do"], rows)
}

fn variables() -> String {
    let rows = Variable::ALL.iter().map(|variable| {
        let row = variable.row();
        let takes = match row.takes {
            variable::Takes::Number { min, max, unit } => format!("{min} to {max} {unit}"),
            variable::Takes::Switch => code(&["true", "false"]),
            text => text.to_string(),
        };
        let default = if row.default.is_empty() { "empty".to_owned() } else { format!("`{}`", row.default) };
        let secret = if row.is_secret { ", secret" } else { "" };
        vec![
            format!("`{}`{secret}", row.name),
            default,
            takes,
            format!("{}.", row.meaning),
            row.components.join(", "),
        ]
    });
    table(&["variable", "default", "values", "what it is for", "components"], rows)
}

fn events() -> String {
    let rows = event::TABLE.iter().map(|row| {
        vec![
            format!("`{}`", row.name),
            row.level.name().to_owned(),
            code(row.fields),
            format!("{}.", row.meaning),
            format!("{}.", row.remedy),
        ]
    });
    table(&["event", "level", "fields", "what happened", "what to do"], rows)
}

fn code(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// A table in Markdown.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let rule = vec!["---".to_owned(); head.len()];
    let escaped = rows.map(|cells| cells.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>());
    [head, rule].into_iter().chain(escaped).map(|cells| line(&cells)).collect()
}

/// The page has these tables, each between `<!-- table: NAME -->` and `<!-- end -->`; or gets them, where that is asked for.
fn holds(page: &str, tables: &[(&str, String)]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    let old = std::fs::read_to_string(&path).unwrap();
    let mut new = old.clone();
    for (name, table) in tables {
        let mark = format!("<!-- table: {name} -->\n");
        let (before, rest) =
            new.split_once(&mark).unwrap_or_else(|| panic!("docs/{page} has no line {mark:?}"));
        let (_, after) =
            rest.split_once("<!-- end -->").unwrap_or_else(|| panic!("{name} has no end in docs/{page}"));
        new = format!("{before}{mark}\n{table}\n<!-- end -->{after}");
    }
    if std::env::var_os("THUMBS_BLESS").is_some() {
        std::fs::write(&path, new).unwrap();
    } else {
        assert!(
            old == new,
            "docs/{page} is not what the code says: THUMBS_BLESS=1 cargo test --release -p thumbs-domain --test documents"
        );
    }
}
