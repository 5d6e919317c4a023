//! What is done with a session between two borrowers: whatever the first left there is taken away.
//!
//! No statement is judged by its text; all of this is done after each borrower, in one message whose answer nobody waits for but the pool.
//!
//! | left behind | taken away by |
//! |---|---|
//! | an open or a failed transaction, and its locks | `ROLLBACK` |
//! | another role or user | `SET SESSION AUTHORIZATION DEFAULT`, `RESET ROLE` |
//! | settings, however they were made | `RESET ALL`: as they were when the connection was made |
//! | cursors | `CLOSE ALL` |
//! | channels listened to | `UNLISTEN *` |
//! | temporary tables, views, functions, types | `DISCARD TEMP` |
//! | what sequences gave last (`currval`, `lastval`) | `DISCARD SEQUENCES` |
//! | advisory locks | `pg_advisory_unlock_all` |
//! | the seed of `random` | `setseed` |
//! | statements prepared in SQL, or deallocated there | they are counted, and a connection with one too many or too few is closed |
//!
//! The statements that the pool has prepared stay: they are most of what it is for. What an extension keeps in its process (connections of
//! dblink, global variables of a procedural language), a library that was loaded, and the name of a setting that only a borrower made up
//! (its value is empty then) are out of reach of these, and of `DISCARD ALL`.

use tokio_postgres::SimpleQueryMessage;

use super::connection::Connection;

/// Names are whole ones: before `RESET ALL` has run, a search path of the borrower's decides what short ones mean.
const RESET: &str = "\
    SET SESSION AUTHORIZATION DEFAULT; \
    RESET ROLE; \
    RESET ALL; \
    CLOSE ALL; \
    UNLISTEN *; \
    DISCARD TEMP; \
    DISCARD SEQUENCES; \
    SELECT pg_catalog.count(*) FILTER (WHERE from_sql), pg_catalog.count(*), pg_catalog.pg_advisory_unlock_all(), \
    pg_catalog.setseed(pg_catalog.float8div(pg_catalog.date_part('microsecond', pg_catalog.clock_timestamp()), 60000000)) \
    FROM pg_catalog.pg_prepared_statements";

/// Resets a session; whether it is as good as new.
pub(super) async fn reset(connection: &mut Connection) -> bool {
    // Only where there is something to roll back: else the server would log a warning each time.
    let text = match connection.in_transaction() {
        true => format!("ROLLBACK; {RESET}"),
        false => RESET.to_owned(),
    };
    let Ok(answer) = connection.client.simple_query(&text).await else { return false };
    let counts = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some((row.get(0)?.parse().ok()?, row.get(1)?.parse().ok()?)),
        _ => None,
    });
    let Some((of_sql, prepared)): Option<(usize, usize)> = counts else { return false };
    of_sql == 0 && connection.statements.stand(prepared) && !connection.in_transaction()
}
