//! Statements that are wrong on purpose. Each must break a rule in some scenario, or the rules see nothing.

use thumbs_guest::sql::SqlValue;

/// A statement as it goes to the database.
pub(crate) type Statement = (String, Vec<SqlValue>);

/// One mistake.
#[derive(Clone, Copy, Debug)]
pub struct Mutation {
    /// What is wrong.
    pub name: &'static str,
    /// What is sent instead of a statement; none of those that stay.
    pub rewrite: fn(&str, &[SqlValue]) -> Option<Statement>,
    /// What is changed in the schema.
    pub schema: Option<&'static str>,
}

const TRUE_OF_ALL: fn(&str, &[SqlValue]) -> Option<Statement> = |_, _| None;

/// Without what is behind the last " AND ", which has the last parameter; the row that comes back stays.
fn without_its_token(statement: &str, parameters: &[SqlValue]) -> Option<Statement> {
    let token = format!(" AND lease_token = ${}", parameters.len());
    let (kept, _) = parameters.split_at(parameters.len() - 1);
    Some((statement.replace(&token, ""), kept.to_vec()))
}

fn with(statement: &str, parameters: &[SqlValue], from: &str, to: &str) -> Option<Statement> {
    statement.contains(from).then(|| (statement.replace(from, to), parameters.to_vec()))
}

/// Mistakes that somebody could make.
pub const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "a worker finishes a job whose lease it lost",
        rewrite: |statement, parameters| {
            let is_it = statement.contains("SET status = 'succeeded'");
            is_it.then(|| without_its_token(statement, parameters)).flatten()
        },
        schema: None,
    },
    Mutation {
        name: "a worker fails a job whose lease it lost",
        rewrite: |statement, parameters| {
            let is_it = statement.starts_with("UPDATE thumbs_jobs SET status = 'failed'");
            is_it.then(|| without_its_token(statement, parameters)).flatten()
        },
        schema: None,
    },
    Mutation {
        name: "a worker claims what another holds",
        rewrite: |statement, parameters| {
            let due = "(SELECT id FROM thumbs_jobs WHERE due_at_ms <= CAST($1 AS BIGINT) ORDER BY";
            let open = "(SELECT id FROM thumbs_jobs WHERE due_at_ms IS NOT NULL ORDER BY";
            let changed = with(statement, parameters, due, open)?;
            let (text, parameters) = changed;
            let due = "AND due_at_ms <= CAST($1 AS BIGINT) ORDER BY owner";
            Some((text.replace(due, "AND due_at_ms IS NOT NULL ORDER BY owner"), parameters))
        },
        schema: None,
    },
    Mutation {
        name: "an attempt is not counted",
        rewrite: |statement, parameters| {
            with(statement, parameters, "ELSE attempts + 1 END", "ELSE attempts END")
        },
        schema: None,
    },
    Mutation {
        name: "an attempt that is given back is not taken off",
        rewrite: |statement, parameters| with(statement, parameters, "attempts = attempts - 1, ", ""),
        schema: None,
    },
    Mutation {
        name: "a job that is done stays due",
        rewrite: |statement, parameters| {
            let is_it = statement.contains("SET status = 'succeeded'");
            is_it.then(|| with(statement, parameters, "due_at_ms = NULL, ", "")).flatten()
        },
        schema: None,
    },
    Mutation {
        name: "a repetition is a job of its own",
        rewrite: |statement, parameters| {
            let is_it = statement.starts_with("INSERT INTO thumbs_jobs");
            is_it.then(|| {
                let mut parameters = parameters.to_vec();
                parameters[7] = SqlValue::Null;
                (statement.to_owned(), parameters)
            })
        },
        schema: None,
    },
    Mutation {
        name: "a deleted job leaves no note of its original",
        rewrite: TRUE_OF_ALL,
        schema: Some("DROP TRIGGER thumbs_garbage_original"),
    },
    Mutation {
        name: "a deleted job leaves no note of its thumbnail",
        rewrite: TRUE_OF_ALL,
        schema: Some("DROP TRIGGER thumbs_garbage_thumbnail"),
    },
    Mutation {
        name: "a deleted job stays counted",
        rewrite: TRUE_OF_ALL,
        schema: Some("DROP TRIGGER thumbs_tally_deleted"),
    },
    Mutation {
        name: "a job is tried again whose original is gone",
        rewrite: |statement, parameters| {
            let is_it = statement.contains("setbacks = 0");
            is_it.then(|| with(statement, parameters, " AND source_gone_at_ms IS NULL", "")).flatten()
        },
        schema: None,
    },
    Mutation {
        name: "an original goes while its job is made",
        rewrite: |statement, parameters| {
            let is_it = statement.contains("SET source_gone_at_ms");
            is_it.then(|| with(statement, parameters, "AND due_at_ms IS NULL", "")).flatten()
        },
        schema: None,
    },
    Mutation {
        name: "a lost attempt is not told",
        rewrite: |statement, parameters| {
            with(
                statement,
                parameters,
                "history = CASE WHEN lease_token IS NULL THEN",
                "history = CASE WHEN true THEN",
            )
        },
        schema: None,
    },
];
