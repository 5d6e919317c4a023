//! What SQL may do: anything within its own database.
//!
//! Refused are the ways out of the file and into the host: attaching other files (which `VACUUM INTO` does too), loading code, virtual
//! tables over anything but text search, and pragmas that change how the host runs the database. So are temporary tables, views and
//! triggers: they lie outside of the file and its bound, and stay with a connection that others use next. SQLite asks while it compiles a
//! statement, so a refused one never runs. In the same way a statement is found to be one that only costs what its steps cost, and may run
//! where others wait for it; or one that calls what takes long with long values, which SQLite can't interrupt: it may have short ones only.

use std::{
    cell::{Cell, RefCell},
    marker::PhantomData,
};

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
/// Functions that take a time that grows with the length of their arguments at most. Any other may be one step that takes seconds, and
/// SQLite can't be interrupted within a step. So may `count`, which of a whole table is a walk through its pages.
const CHEAP_FUNCTIONS: &[&str] = &[
    "->",
    "->>",
    "abs",
    "avg",
    "changes",
    "coalesce",
    "cume_dist",
    "current_date",
    "current_time",
    "current_timestamp",
    "date",
    "datetime",
    "dense_rank",
    "first_value",
    "hex",
    "ifnull",
    "iif",
    "json_extract",
    "json_type",
    "json_valid",
    "julianday",
    "lag",
    "last_insert_rowid",
    "last_value",
    "lead",
    "length",
    "lower",
    "max",
    "min",
    "nth_value",
    "ntile",
    "nullif",
    "octet_length",
    "percent_rank",
    "random",
    "rank",
    "round",
    "row_number",
    "sign",
    "strftime",
    "substr",
    "substring",
    "sum",
    "time",
    "total",
    "typeof",
    "unicode",
    "unixepoch",
    "upper",
];
/// Functions that take a time that grows with the product of what they are given, and the longest value that a statement may have that calls
/// one: none of their steps takes more than a second or two.
const COSTLY_FUNCTIONS: &[(&str, i32)] = &[
    ("glob", MAX_MATCHED_BYTES),
    ("instr", MAX_SEARCHED_BYTES),
    ("json_patch", MAX_SEARCHED_BYTES),
    ("like", MAX_MATCHED_BYTES),
    ("ltrim", MAX_SEARCHED_BYTES),
    ("replace", MAX_SEARCHED_BYTES),
    ("rtrim", MAX_SEARCHED_BYTES),
    ("trim", MAX_SEARCHED_BYTES),
    ("unhex", MAX_SEARCHED_BYTES),
];
/// Where one value is searched for another, of any length.
const MAX_SEARCHED_BYTES: i32 = 64 * 1024;
/// Where it is held against a pattern.
const MAX_MATCHED_BYTES: i32 = 1024 * 1024;
/// `SQLITE_LIMIT_LIKE_PATTERN_LENGTH`: matching takes a time that grows with the product of pattern and text.
const MAX_PATTERN_BYTES: i32 = 256;
/// `SQLITE_LIMIT_EXPR_DEPTH`: SQLite recurses that deep, on a stack of ours.
const MAX_EXPRESSION_DEPTH: i32 = 200;

/// Confines a new connection.
pub(super) fn confine(connection: &mut Connection, settings: &Settings) -> rusqlite::Result<()> {
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_LENGTH, settings.max_value_bytes),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, settings.max_statement_bytes),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, MAX_EXPRESSION_DEPTH),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, MAX_PATTERN_BYTES),
    ] {
        connection.set_limit(limit, value)?;
    }
    connection.authorizer(Some(|context: AuthContext<'_>| authorise(&context)))
}

thread_local! {
    static ONLY_CHEAP: Cell<Cheap> = const { Cell::new(Cheap::OrNot) };
}

/// Which statements are compiled on a thread.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cheap {
    /// All.
    OrNot,
    /// Only those without costly steps.
    Only,
    /// The same, and one that had some was denied. SQLite says of a function only in words that it was.
    Denied,
}

/// As long as it lives, statements that may have costly steps are denied on this thread.
#[derive(Debug)]
pub(super) struct OnlyCheap {
    _of_this_thread: PhantomData<*const ()>,
}

impl OnlyCheap {
    pub(super) fn begin() -> Self {
        ONLY_CHEAP.set(Cheap::Only);
        Self { _of_this_thread: PhantomData }
    }

    /// Whether one was, since it began.
    pub(super) fn has_denied(&self) -> bool {
        ONLY_CHEAP.get() == Cheap::Denied
    }
}

impl Drop for OnlyCheap {
    fn drop(&mut self) {
        ONLY_CHEAP.set(Cheap::OrNot);
    }
}

thread_local! {
    static COSTS: Cell<Costs> = const { Cell::new(Costs { max_value_bytes: i32::MAX, defines: false }) };
}

/// What the statements cost that were compiled on this thread since [`Costs::begin`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Costs {
    max_value_bytes: i32,
    defines: bool,
}

impl Costs {
    pub(super) fn begin() {
        COSTS.set(Self { max_value_bytes: i32::MAX, defines: false });
    }

    pub(super) fn get() -> Self {
        COSTS.get()
    }

    /// The longest value that such a statement may have.
    pub(super) fn max_value_bytes(self) -> i32 {
        self.max_value_bytes
    }

    /// Whether a table or an index would have them in its definition, and so cost whoever writes there.
    pub(super) fn are_lasting(self) -> bool {
        self.defines && self.max_value_bytes <= MAX_SEARCHED_BYTES
    }

    fn note(change: impl FnOnce(&mut Self)) {
        let mut costs = COSTS.get();
        change(&mut costs);
        COSTS.set(costs);
    }
}

thread_local! {
    static DENIED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// What a statement wanted that was denied on this thread since this was last asked: not its cost, but its way out.
pub(super) fn denied() -> Option<String> {
    DENIED.take()
}

/// As the log says it.
fn denial(action: &AuthAction<'_>) -> String {
    match action {
        AuthAction::Attach { filename } => format!("ATTACH {filename}"),
        AuthAction::Detach { database_name } => format!("DETACH {database_name}"),
        AuthAction::Pragma { pragma_name, .. } => format!("PRAGMA {pragma_name}"),
        AuthAction::CreateVtable { module_name, .. } => format!("a virtual table by {module_name}"),
        AuthAction::Function { function_name } => format!("the function {function_name}"),
        AuthAction::Insert { .. } => "a temporary table, view or trigger".to_owned(),
        _ => "an action that this host does not know".to_owned(),
    }
}

fn note_function(function: &str) {
    if let Some((_, most)) = COSTLY_FUNCTIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(function)) {
        Costs::note(|costs| costs.max_value_bytes = costs.max_value_bytes.min(*most));
    }
}

fn is_cheap(function: &str) -> bool {
    let cheap = CHEAP_FUNCTIONS.iter().any(|known| known.eq_ignore_ascii_case(function));
    if !cheap {
        ONLY_CHEAP.set(Cheap::Denied);
    }
    cheap
}

fn authorise(context: &AuthContext<'_>) -> Authorization {
    let among = |names: &[&str], name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    match &context.action {
        AuthAction::Function { function_name } => note_function(function_name),
        AuthAction::CreateTable { .. } | AuthAction::CreateIndex { .. } | AuthAction::AlterTable { .. } => {
            Costs::note(|costs| costs.defines = true);
        }
        _ => {}
    }
    let allowed = match &context.action {
        AuthAction::Attach { .. } | AuthAction::Detach { .. } | AuthAction::Unknown { .. } => false,
        // Whatever is created is written to the schema that it belongs to; what it is called (`temp.x`) need not say that it is temporary.
        AuthAction::Insert { .. } if context.database_name == Some("temp") => false,
        AuthAction::Pragma { pragma_name, .. } => among(PRAGMAS, pragma_name),
        AuthAction::CreateVtable { module_name, .. } => among(MODULES, module_name),
        AuthAction::Function { function_name } if ONLY_CHEAP.get() != Cheap::OrNot => {
            // What is denied here is asked again where it may cost something.
            return if is_cheap(function_name) { Authorization::Allow } else { Authorization::Deny };
        }
        AuthAction::Function { function_name } => !among(FUNCTIONS, function_name),
        _ => true,
    };
    if !allowed {
        DENIED.set(Some(denial(&context.action)));
        return Authorization::Deny;
    }
    Authorization::Allow
}
