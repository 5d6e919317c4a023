//! A power cut: what was answered is on the disk.
//!
//! The process runs with a library before the C library (fixtures/power) that notes what each sync makes certain. After the process was
//! killed, a state directory is put together from these notes alone: whatever was only written is gone.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{app::App, client::get, guests::request_with_stores, process::Process};

/// Compiled here: whoever builds SQLite has a C compiler.
fn library(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/power/power.c");
    let library = folder.join("power.so");
    let compiled =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status();
    assert!(compiled.unwrap().success(), "cc compiles fixtures/power/power.c");
    library
}

/// A folder as it was last listed: kind, number and name of what is in it.
type Listing = Vec<(bool, String, String)>;

/// What is certain.
struct Notes {
    folder: PathBuf,
    listings: HashMap<PathBuf, Listing>,
}

impl Notes {
    fn read(folder: &Path) -> Self {
        let mut listings = HashMap::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if !path.file_name().unwrap().to_str().unwrap().starts_with("folder-") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let (of, entries) = text.split_once('\n').unwrap();
            let entry = |line: &str| {
                let mut parts = line.splitn(3, ' ').map(str::to_owned);
                (parts.next().unwrap() == "d", parts.next().unwrap(), parts.next().unwrap())
            };
            listings.insert(PathBuf::from(of), entries.lines().map(entry).collect());
        }
        Self { folder: folder.to_owned(), listings }
    }

    /// Makes a folder that has just what is certain of another.
    fn restore(&self, from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for (is_folder, number, name) in self.listings.get(from).into_iter().flatten() {
            if *is_folder {
                self.restore(&from.join(name), &to.join(name));
            } else if std::fs::copy(self.folder.join(format!("file-{number}")), to.join(name)).is_err() {
                std::fs::write(to.join(name), "").unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_outlasts_it() {
    const REQUESTS: i64 = 5;
    // A row, and a blob and a pair under the id of the request.
    let write = r"(local $id i32) (local $length i32) (local $handle i32)
        (call $get-field (call $headers (local.get $request)) (i32.const 64) (i32.const 12) (i32.const 0))
        (local.set $id (i32.load (i32.load (i32.const 0))))
        (local.set $length (i32.load offset=4 (i32.load (i32.const 0))))
        (call $put (local.get $id) (local.get $length) (i32.const 96) (i32.const 10)
            (local.get $id) (local.get $length) (i32.const 0))
        (if (i32.load8_u (i32.const 0)) (then (unreachable)))
        (call $open-store (i32.const 80) (i32.const 7) (i32.const 0))
        (local.set $handle (i32.load (i32.const 4)))
        (call $set-pair (local.get $handle) (local.get $id) (local.get $length)
            (local.get $id) (local.get $length) (i32.const 0))
        (if (i32.load8_u (i32.const 0)) (then (unreachable)))
        (call $open-sqlite (i32.const 80) (i32.const 7) (i32.const 0))
        (local.set $handle (i32.load (i32.const 4)))
        (call $execute-sqlite (local.get $handle) (i32.const 128) (i32.const 34) (i32.const 0) (i32.const 0) (i32.const 0))
        (if (i32.load8_u (i32.const 0)) (then (unreachable)))
        (call $execute-sqlite (local.get $handle) (i32.const 192) (i32.const 24) (i32.const 0) (i32.const 0) (i32.const 0))
        (if (i32.load8_u (i32.const 0)) (then (unreachable)))
        (call $answer (local.get $out) (i32.const 200))";
    let data = format!(
        "{:<16}{:<16}{:<32}{:<64}{}",
        "x-request-id",
        "default",
        "image/jpeg",
        "CREATE TABLE IF NOT EXISTS t (x)  ",
        "INSERT INTO t VALUES (1)"
    );
    let grants = "sqlite_databases = [\"default\"]\nkey_value_stores = [\"default\"]\n\
        dependencies_inherit_configuration = true\n\
        dependencies = { \"thumbs:blob-store/store@1.0.0\" = { path = \"unused.wasm\" } }";
    let app = App::new().serving("write", &request_with_stores(&data, write), grants);

    let notes = TempDir::new().unwrap();
    let library_folder = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_thumbs"));
    command.env("LD_PRELOAD", library(library_folder.path())).env("POWER_FOLDER", notes.path());
    let process = Process::start_by(command, app, &[]).await;
    for number in 0..REQUESTS {
        let id = format!("x-request-id: id-{number}\r\n");
        let reply = crate::client::send(process.address, "GET", "/write", &id);
        assert_eq!(reply.await.status, 200);
    }
    let _health = get(process.address, "/.well-known/spin/health").await;
    let folder = process.cut_off();

    let after = TempDir::new().unwrap();
    let notes = Notes::read(notes.path());
    notes.restore(&folder.path().canonicalize().unwrap(), after.path());
    let count = |file: &str, table: &str| {
        let database = rusqlite::Connection::open(after.path().join("state").join(file)).unwrap();
        let sql = format!("SELECT count(*) FROM {table}");
        database
            .query_row(&sql, [], |row| row.get::<_, i64>(0))
            .unwrap_or_else(|error| panic!("{file}: {error}"))
    };
    assert_eq!(count("sqlite/default.db", "t"), REQUESTS);
    assert_eq!(count("key-value/default.db", "pairs"), REQUESTS);
    for number in 0..REQUESTS {
        let blob = std::fs::read(after.path().join(format!("state/blobs/id-{number}"))).unwrap();
        assert!(blob.starts_with(format!("id-{number}image/jpeg").as_bytes()), "{blob:?}");
    }
}
