//! What a statement may leave in its session, by a look at its text.
//!
//! A connection goes from one borrower to the next, who must not find the former's settings, locks or temporary tables. A reset after each
//! statement would double the round trips of a service whose statements are all plain. So a text is read word by word, and only what
//! is known to leave nothing counts as leaving nothing: reading and writing rows, with functions out of a list. What else a borrower
//! runs costs the connection: it is closed when it comes back.
//!
//! Not seen is what the schema itself does in a statement's course: triggers, views, defaults, and functions of users where they stand as
//! operators, casts or columns. They do the same in every session of that database.

/// What a session may hold after a statement. Of several the greatest counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trace {
    /// Nothing.
    #[default]
    Nothing,
    /// An open transaction, and nothing that its end would not take along.
    Transaction,
    /// Anything.
    Anything,
}

/// Statements that read and write rows.
const PLAIN: &[&str] = &["delete", "insert", "merge", "select", "table", "update", "values", "with"];
/// Statements that have to do with a transaction only.
const TRANSACTION: &[&str] =
    &["abort", "begin", "commit", "end", "lock", "release", "rollback", "savepoint", "start"];
/// `SET` of these holds for the transaction.
const TRANSACTION_SETTINGS: &[&str] = &["constraints", "local", "transaction"];
/// What may stand before a parenthesis and calls nothing.
const KEYWORDS: &str = "\
    all and any as between by case cast char conflict cube decimal distinct else except exists \
    extract filter from grouping having in intersect join lateral like limit materialized not \
    numeric offset on or over overlay position returning rollup row select set sets some substring \
    then time timestamp trim union using values varchar when where";
/// Functions of PostgreSQL that leave nothing.
const FUNCTIONS: &str = "\
    abs age array_agg array_append array_cat array_length array_position array_prepend array_remove \
    array_to_json array_to_string ascii avg bool_and bool_or btrim cardinality ceil ceiling \
    char_length chr clock_timestamp coalesce concat concat_ws convert_from convert_to count \
    cume_dist current_database current_setting date_bin date_part date_trunc decode dense_rank div \
    encode every exp first_value floor format gen_random_uuid generate_series generate_subscripts \
    get_byte greatest initcap json_agg json_array_elements json_build_array json_build_object \
    json_object_agg jsonb_agg jsonb_array_elements jsonb_array_elements_text jsonb_array_length \
    jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path \
    jsonb_extract_path_text jsonb_object_agg jsonb_object_keys jsonb_set jsonb_strip_nulls \
    jsonb_typeof lag last_value lead least length ln log lower lpad ltrim make_date make_interval \
    make_timestamptz max md5 min mod now nth_value ntile nullif num_nonnulls num_nulls octet_length \
    percent_rank pg_backend_pid pg_sleep pg_typeof pi power quote_ident quote_literal random rank \
    regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table repeat \
    replace reverse round row_number row_to_json rpad rtrim sha224 sha256 sha384 sha512 sign \
    split_part sqrt statement_timestamp stddev string_agg string_to_array strpos substr sum to_char \
    to_date to_hex to_json to_jsonb to_number to_regclass to_timestamp to_tsquery to_tsvector \
    transaction_timestamp translate trunc unnest upper variance version";

impl Trace {
    /// Of this statement.
    pub(super) fn of(statement: &str) -> Self {
        let Some(tokens) = tokens(statement) else { return Self::Anything };
        let word = |index| tokens.get(index).and_then(Token::word).unwrap_or_default();
        let (first, second) = (word(0), word(1));
        if TRANSACTION.contains(&first) || (first == "set" && TRANSACTION_SETTINGS.contains(&second)) {
            return if tokens.contains(&Token::Open) { Self::Anything } else { Self::Transaction };
        }
        if (PLAIN.contains(&first) && leaves_nothing(&tokens)) || tokens.is_empty() {
            Self::Nothing
        } else {
            Self::Anything
        }
    }
}

/// Of a statement that reads or writes rows.
fn leaves_nothing(tokens: &[Token]) -> bool {
    let (mut depth, mut selects) = (0_usize, false);
    for (index, token) in tokens.iter().enumerate() {
        match token {
            Token::Open if !calls_nothing_unknown(tokens, index) => return false,
            Token::Open => depth += 1,
            Token::Close => depth = depth.saturating_sub(1),
            Token::Word(word) if depth == 0 => match word.as_str() {
                "select" | "table" | "values" => selects = true,
                // "SELECT ... INTO" makes a table, which may be a temporary one. Only the outermost can; "INSERT INTO ... SELECT" is the
                // other way round.
                "into" if selects => return false,
                _ => {}
            },
            _ => {}
        }
    }
    true
}

/// Whether what stands before this parenthesis is known to leave nothing.
fn calls_nothing_unknown(tokens: &[Token], open: usize) -> bool {
    let before = |index: usize| index.checked_sub(1).and_then(|index| tokens.get(index));
    // A name may have several parts.
    let mut start = open;
    while before(start).is_some_and(Token::is_name) {
        start -= 1;
        if before(start) != Some(&Token::Dot) {
            break;
        }
        start -= 1;
    }
    let is_known = |name: &str| {
        [KEYWORDS, FUNCTIONS].iter().any(|list| list.split_whitespace().any(|known| known == name))
    };
    match tokens.get(start..open) {
        None | Some([]) => true,
        Some([Token::Word(name)]) if is_known(name) => true,
        // The columns of "INSERT INTO table (...".
        Some(_) => before(start).and_then(Token::word) == Some("into"),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// A keyword, a name or a number, in lower case.
    Word(String),
    /// A name in double quotes. What it is called matters nowhere: it is no known function.
    Quoted,
    /// An opening parenthesis.
    Open,
    /// A closing one.
    Close,
    /// A full stop.
    Dot,
    /// Anything else.
    Other,
}

impl Token {
    fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }

    fn is_name(&self) -> bool {
        matches!(self, Self::Word(_) | Self::Quoted)
    }
}

/// The tokens of a statement; none where it has what needs more than a look: comments, strings with escapes or prefixes, dollar quotes,
/// more than one statement.
fn tokens(statement: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = statement.trim();
    rest = rest.strip_suffix(';').unwrap_or(rest);
    while let Some(first) = rest.chars().next() {
        let after_first = rest.get(first.len_utf8()..)?;
        let token = match first {
            // A doubled quote inside reads as two strings side by side, which is as good.
            '\'' | '"' => {
                let (inside, after) = after_first.split_once(first)?;
                if inside.contains('\\') {
                    return None;
                }
                rest = after;
                if first == '"' { Token::Quoted } else { Token::Other }
            }
            '$' => {
                rest = after_first.trim_start_matches(|c: char| c.is_ascii_digit());
                if rest.len() == after_first.len() || rest.starts_with(is_word) {
                    return None;
                }
                Token::Other
            }
            ';' | '\\' => return None,
            '-' if after_first.starts_with('-') => return None,
            '/' if after_first.starts_with('*') => return None,
            _ if is_word(first) => {
                let (word, after) = rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
                if after.starts_with('\'') {
                    return None;
                }
                rest = after;
                Token::Word(word.to_ascii_lowercase())
            }
            _ => {
                rest = after_first;
                match first {
                    '(' => Token::Open,
                    ')' => Token::Close,
                    '.' => Token::Dot,
                    _ if first.is_whitespace() => continue,
                    _ => Token::Other,
                }
            }
        };
        tokens.push(token);
    }
    Some(tokens)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_and_writing_rows_leaves_nothing() {
        for statement in [
            "",
            "SELECT 1;",
            "  select a.b, \"C\"  from t where x in (1, 2) and name = 'it''s (a; b)' ",
            "SELECT count(*), COALESCE(MAX(version), 0) FROM t",
            "SELECT CAST(CASE WHEN to_regclass('thumbs_schema') IS NULL THEN 0 ELSE 1 END AS BIGINT)",
            "INSERT INTO t (a, b) VALUES ($1, $2) ON CONFLICT (a) DO NOTHING RETURNING a",
            "INSERT INTO app.\"T\" (a) SELECT CAST($1 AS TEXT) WHERE NOT EXISTS (SELECT 1 FROM s)",
            "UPDATE t SET a = $1 WHERE id = (SELECT id FROM t ORDER BY a LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *",
            "WITH gone AS (DELETE FROM t RETURNING a) SELECT sum(a) FROM gone",
            "MERGE INTO t USING s ON (t.a = s.a) WHEN MATCHED THEN DELETE",
            "VALUES (1), (2)",
        ] {
            assert_eq!(Trace::of(statement), Trace::Nothing, "{statement}");
        }
    }

    #[test]
    fn transactions_leave_themselves() {
        for statement in [
            "BEGIN",
            "start transaction isolation level serializable;",
            "COMMIT AND CHAIN",
            "ROLLBACK TO SAVEPOINT a",
            "LOCK TABLE t IN EXCLUSIVE MODE",
            "SET LOCAL search_path = 'x'",
            "SET TRANSACTION READ ONLY",
        ] {
            assert_eq!(Trace::of(statement), Trace::Transaction, "{statement}");
        }
    }

    #[test]
    fn whatever_may_leave_more_counts_as_leaving_it() {
        for statement in [
            "SET search_path = 'x'",
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
            "LISTEN a",
            "CREATE TEMP TABLE t (a INT)",
            "PREPARE a AS SELECT 1",
            "DEALLOCATE ALL",
            "DO $$ BEGIN PERFORM set_config('a.b', 'c', false); END $$",
            "CALL f()",
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
            "SELECT set_config('search_path', 'x', false)",
            "SELECT pg_advisory_lock(1)",
            "SELECT lower(f (1))",
            "SELECT app.lower('x')",
            "SELECT app . lower('x')",
            "SELECT \"lower\"('x')",
            "SELECT * FROM f(1)",
            "WITH x AS (SELECT f(1)) SELECT * FROM x",
            "INSERT INTO t (a) VALUES (f(1))",
            "SELECT 1 INTO TEMP t",
            "SELECT 1 INTO pg_temp.t",
            "SELECT 1 INTO \"pg_temp\".t",
            "SELECT 1 AS insert INTO TEMP t",
            "WITH x AS (SELECT 1) SELECT (2) insert INTO TEMP t",
            "(SELECT 1 insert INTO TEMP t)",
            "SELECT 'a\\' || f('b')",
            "SELECT E'\\'' || f('b')",
            "SELECT $a$ ' $a$ || f('b') || $a$ ' $a$",
            "SELECT '/*' || f('*/')",
            "SELECT 1 -- '\n || f(1) -- '",
            "SELECT 1 /* ' */ + f(1) /* ' */",
            "SELECT 1; SET search_path = 'x'",
            "SELECT 'open",
            "SELECT $",
        ] {
            assert_eq!(Trace::of(statement), Trace::Anything, "{statement}");
        }
    }
}
