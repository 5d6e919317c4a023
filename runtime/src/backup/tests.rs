//! A backup that is made while others write, and what is refused.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tempfile::TempDir;

use super::*;
use crate::capabilities::blob::{Backend as _, DirectoryStore};

/// So many jobs are there at a time: the writer removes the oldest for each new one.
const KEPT: u64 = 40;

/// A database as the runtime opens one.
fn open(path: &Path) -> Connection {
    let database = Connection::open(path).unwrap();
    database.pragma_update(None, "journal_mode", "WAL").unwrap();
    database.execute_batch("CREATE TABLE IF NOT EXISTS jobs (blob TEXT)").unwrap();
    database
}

fn state_dir() -> TempDir {
    let folder = TempDir::new().unwrap();
    private::make_folders(&folder.path().join("sqlite")).unwrap();
    folder
}

fn named(database: &Path) -> BTreeSet<String> {
    let database = Connection::open(database).unwrap();
    let mut statement = database.prepare("SELECT blob FROM jobs").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Makes jobs as the application does: blob, row; and removes old ones: row, blob.
async fn write(state_dir: PathBuf, made: Arc<AtomicU64>, stop: Arc<AtomicBool>) {
    let blobs = DirectoryStore::open(&state_dir.join(BLOBS)).unwrap();
    let database = open(&state_dir.join("sqlite/default.db"));
    while !stop.load(Ordering::Relaxed) {
        let job = made.load(Ordering::Relaxed);
        let key = format!("uploads/{job}");
        blobs.put(&key, "text/plain", key.clone().into_bytes()).await.unwrap();
        database.execute("INSERT INTO jobs VALUES (?1)", [&key]).unwrap();
        if let Some(old) = job.checked_sub(KEPT) {
            let key = format!("uploads/{old}");
            database.execute("DELETE FROM jobs WHERE blob = ?1", [&key]).unwrap();
            blobs.delete(&key).await.unwrap();
        }
        made.store(job + 1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_row_of_the_copy_names_is_in_the_copy_whatever_is_made_and_removed_meanwhile() {
    let state = state_dir();
    let (made, stop) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
    let writer = tokio::spawn(write(state.path().to_owned(), Arc::clone(&made), Arc::clone(&stop)));
    let backups = TempDir::new().unwrap();
    for round in 0..5 {
        let seen = made.load(Ordering::Relaxed);
        while made.load(Ordering::Relaxed) < seen + 2 * KEPT {
            tokio::task::yield_now().await;
        }
        let (from, to) = (state.path().to_owned(), backups.path().join(round.to_string()));
        let backup = to.clone();
        let copied = tokio::task::spawn_blocking(move || back_up(&from, &backup)).await.unwrap().unwrap();
        assert_eq!(copied.databases, 1);
        let rows = named(&to.join("sqlite/default.db"));
        assert!(rows.len() as u64 >= KEPT, "{rows:?}");
        let missing: Vec<_> = rows.iter().filter(|key| !to.join(BLOBS).join(key).is_file()).collect();
        assert!(missing.is_empty(), "of {} rows these name no blob: {missing:?}", rows.len());
    }
    stop.store(true, Ordering::Relaxed);
    writer.await.unwrap();
}

#[tokio::test]
async fn what_was_restored_is_what_was_backed_up() {
    let (state, elsewhere) = (state_dir(), TempDir::new().unwrap());
    let blobs = DirectoryStore::open(&state.path().join(BLOBS)).unwrap();
    blobs.put("a/b", "image/png", b"pixels".to_vec()).await.unwrap();
    let database = open(&state.path().join("sqlite/default.db"));
    database.execute("INSERT INTO jobs VALUES ('a/b')", []).unwrap();
    let backup = elsewhere.path().join("monday");
    let made = back_up(state.path(), &backup).unwrap();
    assert_eq!((made.databases, made.blobs), (1, 1));
    let place = elsewhere.path().join("state");
    assert_eq!(restore(&backup, &place).unwrap(), made);
    let restored = DirectoryStore::open(&place.join(BLOBS)).unwrap().get("a/b", 100).await.unwrap();
    assert_eq!((restored.data, restored.metadata.content_type.as_str()), (b"pixels".to_vec(), "image/png"));
    assert_eq!(named(&place.join("sqlite/default.db")), BTreeSet::from(["a/b".to_owned()]));
    for path in ["state/sqlite/default.db", "state/blobs/a/b", "monday/sqlite/default.db", "monday/blobs/a/b"]
    {
        assert_eq!(fs::metadata(elsewhere.path().join(path)).unwrap().mode() & 0o077, 0, "{path} is private");
    }
}

#[tokio::test]
async fn a_blob_that_was_replaced_after_the_first_pass_is_copied_again() {
    let (state, target) = (state_dir(), TempDir::new().unwrap());
    let blobs = DirectoryStore::open(&state.path().join(BLOBS)).unwrap();
    let mut copied = Copied::default();
    for content in ["old", "newer"] {
        blobs.put("a", "text/plain", content.into()).await.unwrap();
        copy_blobs(state.path(), target.path(), &mut copied).unwrap();
        assert!(fs::read(target.path().join("blobs/a")).unwrap().starts_with(content.as_bytes()));
    }
    let bytes = fs::metadata(target.path().join("blobs/a")).unwrap().len();
    assert_eq!(copied, Copied { databases: 0, blobs: 1, blob_bytes: bytes });
}

#[test]
fn nothing_that_is_there_is_written_over() {
    let (state, elsewhere) = (state_dir(), TempDir::new().unwrap());
    open(&state.path().join("sqlite/default.db"));
    let backup = elsewhere.path().join("monday");
    back_up(state.path(), &backup).unwrap();
    assert!(matches!(back_up(state.path(), &backup), Err(BackupError::Taken { .. })));
    let error = restore(&backup, state.path()).unwrap_err().to_string();
    assert!(error.contains("sqlite is there already: stop what serves from it"), "{error}");
}

#[test]
fn a_backup_that_was_broken_off_is_none_and_the_next_one_begins_anew() {
    let (state, elsewhere) = (state_dir(), TempDir::new().unwrap());
    open(&state.path().join("sqlite/default.db"));
    let part = elsewhere.path().join("monday.part");
    private::make_folders(&part.join("blobs")).unwrap();
    fs::write(part.join("blobs/half"), "half").unwrap();
    let place = elsewhere.path().join("state");
    assert!(matches!(restore(&part, &place), Err(BackupError::NoBackup { .. })));
    let backup = elsewhere.path().join("monday");
    back_up(state.path(), &backup).unwrap();
    assert!(!part.exists() && !backup.join("blobs/half").exists());
}

#[test]
fn a_damaged_database_is_told_and_not_restored_over() {
    let (state, elsewhere) = (state_dir(), TempDir::new().unwrap());
    open(&state.path().join("sqlite/default.db"));
    let backup = elsewhere.path().join("monday");
    back_up(state.path(), &backup).unwrap();
    let file = backup.join("sqlite/default.db");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, [&bytes[..bytes.len() - 4096], &[0xff; 4096]].concat()).unwrap();
    let error = restore(&backup, &elsewhere.path().join("state")).unwrap_err().to_string();
    assert!(error.contains("monday/sqlite/default.db"), "{error}");
}

#[test]
fn a_folder_without_data_is_not_backed_up_as_if_it_were_well() {
    let folder = TempDir::new().unwrap();
    let error = back_up(folder.path(), &folder.path().join("backup")).unwrap_err().to_string();
    assert!(error.contains("holds no databases and no blobs"), "{error}");
    assert!(matches!(restore(folder.path(), folder.path()), Err(BackupError::NoBackup { .. })));
}
