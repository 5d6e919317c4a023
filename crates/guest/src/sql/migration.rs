//! A version of the schema as a file of statements.
//!
//! `migrations/NNNN-what.{sqlite,postgres}.sql` is never edited once it was released. Its last statement records in
//! `thumbs_schema` which version it makes, and the number that a program must know at least to work with the result: an
//! additive migration leaves that of the version before, so that older replicas go on while newer ones start.
//! A migration rewrites no table: it has the time of one statement (`sql_statement_timeout_ms`), however many rows there are.
//! It changes `thumbs_schema` last: in PostgreSQL it locks what it changes, and the statements of those who work meanwhile lock
//! `thumbs_jobs` first.

use std::borrow::Cow;

/// One version of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// What the database has after it.
    pub version: i64,
    /// The file.
    pub sql: &'static str,
}

/// One statement of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The statement.
    pub text: Cow<'static, str>,
    /// A question that has a row once the statement is done, for one that can't be run twice.
    pub unless: Option<&'static str>,
}

/// What a line before a statement begins with that says when it is done already.
const UNLESS: &str = "-- unless: ";

/// Cuts a file into its statements. A statement ends with a semicolon at the end of a line; a comment has a line of its own.
/// The comment `-- unless: SELECT ...` goes with the statement that follows.
pub fn statements(file: &'static str) -> Vec<Step> {
    let (mut steps, mut text, mut unless) = (Vec::new(), String::new(), None);
    for line in file.lines() {
        if let Some(question) = line.trim_start().strip_prefix(UNLESS) {
            unless = Some(question.trim_end());
        } else if !line.trim_start().starts_with("--") {
            text.push_str(line);
            text.push('\n');
        }
        if let Some(whole) = text.trim().strip_suffix(';') {
            steps.push(Step { text: Cow::Owned(whole.to_owned()), unless: unless.take() });
            text.clear();
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{Dialect, Postgres, Sqlite};

    #[test]
    fn a_statement_ends_with_a_semicolon_at_the_end_of_a_line() {
        let file = "-- About all of it.\nCREATE TABLE a (\n    -- One; of two.\n    b TEXT DEFAULT ';x'\n);\n\n\
                    -- unless: SELECT 1 FROM b;\nALTER TABLE a\n  ADD COLUMN c TEXT; \nSELECT 1;\n-- The end.\n";
        let step = |text: &'static str, unless| Step { text: text.into(), unless };
        assert_eq!(
            statements(file),
            [
                step("CREATE TABLE a (\n    b TEXT DEFAULT ';x'\n)", None),
                step("ALTER TABLE a\n  ADD COLUMN c TEXT", Some("SELECT 1 FROM b;")),
                step("SELECT 1", None),
            ]
        );
    }

    #[test]
    fn every_file_is_a_migration_and_ends_by_recording_its_version() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sql/migrations");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        for (dialect, migrations) in [("sqlite", Sqlite::MIGRATIONS), ("postgres", Postgres::MIGRATIONS)] {
            let files = files.iter().filter(|name| name.ends_with(&format!(".{dialect}.sql")));
            let numbers: Vec<i64> = files.map(|name| name[..4].parse().unwrap()).collect();
            let versions: Vec<_> = migrations.iter().map(|migration| migration.version).collect();
            assert_eq!(numbers, versions, "{dialect}: name the file in {dialect}.rs");
            assert_eq!(versions, (1..=migrations.len() as i64).collect::<Vec<_>>());
            for migration in migrations {
                let last = statements(migration.sql).pop().unwrap();
                assert!(last.text.starts_with("INSERT INTO thumbs_schema"), "{last:?}");
                assert!(last.text.contains(&format!("VALUES ({}", migration.version)), "{last:?}");
                let end = migration.sql.trim_end();
                assert!(end.ends_with(';'), "{dialect} {}: something follows", migration.version);
            }
        }
    }
}
