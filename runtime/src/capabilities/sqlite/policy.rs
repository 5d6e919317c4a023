//! What SQL may do: anything within its own database.
//!
//! Refused are the ways out of the file and into the host: attaching other files (which `VACUUM INTO` does too), loading code, virtual
//! tables over anything but text search, and pragmas that change how the host runs the database. So are temporary tables, views and
//! triggers: they lie outside of the file and its bound, and stay with a connection that others use next. SQLite asks while it compiles a
//! statement, so a refused one never runs.

use rusqlite::{
    Connection,
    hooks::{AuthAction, AuthContext, Authorization},
    limits::Limit,
};

use super::super::embedded::Settings;

/// Pragmas that only look, or that concern the guest's own schema. Compared in lower case.
const PRAGMAS: &[&str] = &[
    "application_id",
    "compile_options",
    "data_version",
    "defer_foreign_keys",
    "foreign_key_check",
    "foreign_key_list",
    "freelist_count",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "optimize",
    "page_count",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
    "user_version",
];
/// Modules for virtual tables that keep to the database.
const MODULES: &[&str] = &["fts5", "rtree"];
/// Functions that load code or take a pointer for a tokenizer.
const FUNCTIONS: &[&str] = &["load_extension", "fts3_tokenizer"];
/// `SQLITE_LIMIT_EXPR_DEPTH`: SQLite recurses that deep, on a stack of ours.
const MAX_EXPRESSION_DEPTH: i32 = 200;

/// Confines a new connection.
pub(super) fn confine(connection: &mut Connection, settings: &Settings) -> rusqlite::Result<()> {
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_LENGTH, settings.max_value_bytes),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, settings.max_statement_bytes),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, MAX_EXPRESSION_DEPTH),
    ] {
        connection.set_limit(limit, value)?;
    }
    connection.authorizer(Some(|context: AuthContext<'_>| authorise(&context)))
}

fn authorise(context: &AuthContext<'_>) -> Authorization {
    let among = |names: &[&str], name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    let allowed = match &context.action {
        AuthAction::Attach { .. } | AuthAction::Detach { .. } | AuthAction::Unknown { .. } => false,
        // Whatever is created is written to the schema that it belongs to; what it is called (`temp.x`) need not say that it is temporary.
        AuthAction::Insert { .. } if context.database_name == Some("temp") => false,
        AuthAction::Pragma { pragma_name, .. } => among(PRAGMAS, pragma_name),
        AuthAction::CreateVtable { module_name, .. } => among(MODULES, module_name),
        AuthAction::Function { function_name } => !among(FUNCTIONS, function_name),
        _ => true,
    };
    if allowed { Authorization::Allow } else { Authorization::Deny }
}
