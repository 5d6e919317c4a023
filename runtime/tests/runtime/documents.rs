//! The tables of docs/ that say what the host logs and counts are written from those in the code which make it do so.
//!
//! `THUMBS_BLESS=1 cargo test --release -p thumbs documents` writes it into the pages, between their marks.

use std::path::Path;

use thumbs::{
    limits, numbers,
    telemetry::{FOREIGN, TABLE},
};

#[test]
fn the_page_on_the_log_has_the_events_of_the_runtime() {
    let rows = TABLE.iter().chain(FOREIGN).map(|row| {
        let fields: Vec<_> = row.fields.iter().map(|field| format!("`{field}`")).collect();
        format!(
            "| `{}` | {} | {} | {}. | {}. |\n",
            row.name,
            row.level.name(),
            fields.join(", "),
            row.meaning,
            row.remedy
        )
    });
    holds("log.md", "runtime-events", "| event | level | fields | what happened | what to do |", rows);
}

#[test]
fn the_page_on_metrics_has_those_of_a_process() {
    let rows = numbers::TABLE.iter().map(|row| {
        let labels: Vec<_> = row.labels.iter().map(|label| format!("`{label}`")).collect();
        format!("| `{}` | {} | {} | {}. |\n", row.name, row.kind.name(), labels.join(", "), row.meaning)
    });
    holds("METRICS.md", "process-metrics", "| metric | kind | labels | what it tells |", rows);
}

#[test]
fn the_page_on_limits_has_a_table_for_each_group() {
    let mut tables = String::new();
    let mut last = "";
    for row in limits::TABLE {
        if last != row.group {
            last = row.group;
            tables.push_str(&format!(
                "\n### {last}\n\n| limit | default | what it bounds | when it is hit |\n| --- | --- | --- | --- |\n"
            ));
        }
        let limits::Limit { default, bounds, when_hit, .. } = row;
        tables.push_str(&format!("| `{}` | {default} | {bounds} | {when_hit} |\n", row.env()));
    }
    is_between_its_marks("limits.md", "limits", &tables);
}

/// The page has this table; or gets it, where that is asked for.
fn holds(page: &str, name: &str, head: &str, rows: impl Iterator<Item = String>) {
    let rule = format!("|{}", " --- |".repeat(head.matches(" | ").count() + 1));
    is_between_its_marks(page, name, &format!("\n{head}\n{rule}\n{}", rows.collect::<String>()));
}

/// The page has this text between `<!-- table: NAME -->` and `<!-- end -->`.
fn is_between_its_marks(page: &str, name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
    let old = std::fs::read_to_string(&path).unwrap();
    let mark = format!("<!-- table: {name} -->\n");
    let (before, rest) = old.split_once(&mark).unwrap_or_else(|| panic!("docs/{page} has no line {mark:?}"));
    let (_, after) =
        rest.split_once("<!-- end -->").unwrap_or_else(|| panic!("{name} has no end in docs/{page}"));
    let new = format!("{before}{mark}{text}\n<!-- end -->{after}");
    if std::env::var_os("THUMBS_BLESS").is_some() {
        std::fs::write(&path, new).unwrap();
    } else {
        assert!(
            old == new,
            "docs/{page} is not what the code says: THUMBS_BLESS=1 cargo test --release -p thumbs documents"
        );
    }
}
