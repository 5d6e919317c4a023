//! What a guest is not granted, and what leads out of its database.

use super::*;
use crate::limits::Limits;

#[tokio::test]
async fn nothing_leads_out_of_the_database() {
    let host = Host::new(Limits::default());
    let mut guest = host.guest();
    let connection = guest.open().await;
    let outside = host.folder.path().join("outside.db");
    for sql in [
        format!("ATTACH '{}' AS x", outside.display()),
        format!("VACUUM INTO '{}'", outside.display()),
        "PRAGMA journal_mode = delete".into(),
        "PRAGMA synchronous = off".into(),
        "PRAGMA max_page_count = 1000000000".into(),
        "PRAGMA writable_schema = on".into(),
        "SELECT load_extension('x')".into(),
        "CREATE VIRTUAL TABLE v USING dbstat".into(),
    ] {
        let result = guest.run(&connection, &sql).await;
        assert!(matches!(result, Err(wit::Error::AccessDenied | wit::Error::Io(_))), "{sql}: {result:?}");
    }
    assert!(!outside.exists());
    guest.run(&connection, "PRAGMA user_version = 3").await.unwrap();
    guest.run(&connection, "PRAGMA table_info(t)").await.unwrap();
}

/// They would lie outside of the file and its bound, and stay with a connection that others have next.
#[tokio::test]
async fn there_are_no_temporary_objects() {
    let host = Host::new(Limits::default());
    let mut guest = host.guest();
    let connection = guest.open().await;
    guest.run(&connection, "CREATE TABLE t (i INTEGER)").await.unwrap();
    for sql in [
        "CREATE TEMP TABLE x (i INTEGER)",
        "CREATE TABLE temp.x (i INTEGER)",
        "CREATE TEMP TABLE x AS SELECT 1",
        "CREATE TEMP VIEW x AS SELECT 1",
        "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END",
        "CREATE VIEW temp.x AS SELECT 1",
        "CREATE TRIGGER temp.x AFTER INSERT ON main.t BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE temp.x USING fts5(a)",
    ] {
        let result = guest.run(&connection, sql).await;
        assert!(matches!(result, Err(wit::Error::AccessDenied)), "{sql}: {result:?}");
    }
}

#[tokio::test]
async fn what_a_virtual_table_keeps_is_not_written_by_hand() {
    let host = Host::new(Limits::default());
    let mut guest = host.guest();
    let connection = guest.open().await;
    guest.run(&connection, "CREATE VIRTUAL TABLE words USING fts5(a)").await.unwrap();
    guest.run(&connection, "INSERT INTO words VALUES ('a word')").await.unwrap();
    let written = guest.run(&connection, "UPDATE words_data SET block = zeroblob(9)").await;
    assert!(io(written).contains("may not be modified"));
    let found = guest.run(&connection, "SELECT a FROM words WHERE words MATCH 'word'").await.unwrap();
    assert_eq!(found.rows.len(), 1);
}

#[tokio::test]
async fn its_files_are_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let host = Host::new(Limits::default());
    let mut guest = host.guest();
    let connection = guest.open().await;
    guest.run(&connection, "CREATE TABLE t (x)").await.unwrap();
    for name in ["default.db", "default.db-wal", "default.db-shm"] {
        let metadata = std::fs::metadata(host.folder.path().join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn nothing_is_written_to_a_file_that_has_no_name_any_more() {
    let host = Host::new(Limits::default());
    let mut guest = host.guest();
    let connection = guest.open().await;
    guest.run(&connection, "CREATE TABLE t (x)").await.unwrap();
    let database = host.folder.path().join("default.db");
    let aside = host.folder.path().join("aside");
    for replace in [false, true] {
        std::fs::rename(&database, &aside).unwrap();
        if replace {
            std::fs::write(&database, "").unwrap();
        }
        let refused = io(guest.run(&connection, "INSERT INTO t VALUES (1)").await);
        assert!(refused.contains("was removed"), "{refused}");
        std::fs::rename(&aside, &database).unwrap();
        guest.run(&connection, "INSERT INTO t VALUES (1)").await.unwrap();
    }
}
