//! The keys of the blobs in a directory, in order, without holding the names of all of them.

use std::{
    collections::BinaryHeap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use thumbs_s3::Key;

/// The most names of one folder that are held at once.
const MAX_NAMES: usize = 10_000;

/// For how long names that were read are given out again. Whoever goes through a large store, page after page, comes back within seconds; what is put
/// meanwhile among names that were read is not seen until then, as the contract allows.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// The names of a folder that has more than can be held, from the last time that one was read: a folder has no order, so each page costs reading all of it.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Option<Pass>>);

impl Memory {
    fn forget(&self) {
        *self.pass() = None;
    }

    fn pass(&self) -> MutexGuard<'_, Option<Pass>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One reading of a folder: its first names that a listing of this prefix after this text asked for, behind those that it had.
#[derive(Debug)]
struct Pass {
    way: String,
    prefix: String,
    after: String,
    done: String,
    names: Vec<String>,
    read_at: Instant,
}

/// The first `limit` keys below `root` that begin with `prefix` and come after `after`, in the order of their bytes. Blocks.
pub(super) fn keys(
    root: &Path,
    prefix: &str,
    after: &str,
    limit: usize,
    memory: &Memory,
) -> io::Result<Vec<String>> {
    let mut listing = Listing { prefix, after, limit, memory, keys: Vec::new() };
    listing.walk(root, "")?;
    if listing.keys.len() < limit {
        // Nobody goes on behind the last page.
        memory.forget();
    }
    Ok(listing.keys)
}

struct Listing<'a> {
    prefix: &'a str,
    after: &'a str,
    limit: usize,
    memory: &'a Memory,
    keys: Vec<String>,
}

impl Listing<'_> {
    /// The keys in this folder, which all begin with `way`: a key's part up to a slash, or nothing.
    fn walk(&mut self, folder: &Path, way: &str) -> io::Result<()> {
        let mut done = String::new();
        while self.keys.len() < self.limit {
            let names = self.next_names(folder, way, &done)?;
            for name in &names {
                if self.keys.len() == self.limit {
                    break;
                }
                match name.strip_suffix('/') {
                    None => self.keys.push(name.clone()),
                    Some(below) => match self.walk(&within(folder, way, below), name) {
                        // Somebody took it away.
                        Err(failure) if failure.kind() == io::ErrorKind::NotFound => {}
                        walked => walked?,
                    },
                }
            }
            match names.into_iter().last() {
                Some(last) => done = last,
                None => break,
            }
        }
        Ok(())
    }

    /// The next names in the folder after `done`, each with the way to it: of files, and with a slash at their end of folders that may hold
    /// what is asked for. Keys in a folder sort as its name with the slash does.
    fn next_names(&self, folder: &Path, way: &str, done: &str) -> io::Result<Vec<String>> {
        let known = self.known_names(way, done);
        if !known.is_empty() {
            return Ok(known);
        }
        let mut first = BinaryHeap::new();
        let mut are_all = true;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let kind = entry.file_type()?;
            // An operator may have put a folder on another disk.
            let is_folder = kind.is_dir() || kind.is_symlink() && entry.path().is_dir();
            let key = format!("{way}{name}");
            if Key::parse(&key).is_none() {
                continue;
            }
            let name = if is_folder { format!("{key}/") } else { key };
            if name.as_str() > done && self.may_hold(&name, is_folder) {
                first.push(name);
                if first.len() > MAX_NAMES {
                    first.pop();
                    are_all = false;
                }
            }
        }
        let names = first.into_sorted_vec();
        if !are_all {
            let pass = Pass {
                way: way.to_owned(),
                prefix: self.prefix.to_owned(),
                after: self.after.to_owned(),
                done: done.to_owned(),
                names: names.clone(),
                read_at: Instant::now(),
            };
            *self.memory.pass() = Some(pass);
        }
        Ok(names)
    }

    /// Those that were read a moment ago, by a listing of the same that this one goes on behind; none where there are no such.
    fn known_names(&self, way: &str, done: &str) -> Vec<String> {
        let memory = self.memory.pass();
        let Some(pass) = memory.as_ref() else { return Vec::new() };
        let is_same = pass.way == way && pass.prefix == self.prefix && pass.read_at.elapsed() < KEPT_FOR;
        let goes_on = pass.after.as_str() < self.after && pass.done.as_str() <= done;
        let is_next = |name: &&String| name.as_str() > done && self.may_hold(name, name.ends_with('/'));
        match is_same && goes_on {
            true => pass.names.iter().filter(is_next).cloned().collect(),
            false => Vec::new(),
        }
    }

    fn may_hold(&self, name: &str, is_folder: bool) -> bool {
        let begins = name.starts_with(self.prefix) || is_folder && self.prefix.starts_with(name);
        begins && (name > self.after || is_folder && self.after.starts_with(name))
    }
}

/// The folder whose key is `below`, in the one whose keys begin with `way`.
fn within(folder: &Path, way: &str, below: &str) -> PathBuf {
    folder.join(below.strip_prefix(way).unwrap_or(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_names_than_are_held_are_listed_in_order_past_folders_without_any() {
        let folder = tempfile::TempDir::new().unwrap();
        for number in 0..MAX_NAMES + 10 {
            fs::create_dir(folder.path().join(format!("e{number:05}"))).unwrap();
        }
        fs::create_dir(folder.path().join("~staging")).unwrap();
        for name in ["f", "e10009/b", "e10009/a", "e10008-", "e00001/x", "~staging/y", "A"] {
            fs::write(folder.path().join(name), b"").unwrap();
        }
        let memory = Memory::default();
        let list = |prefix, after, limit| keys(folder.path(), prefix, after, limit, &memory).unwrap();
        assert_eq!(list("", "", 9), ["e00001/x", "e10008-", "e10009/a", "e10009/b", "f"]);
        assert_eq!(list("", "e00001/x", 2), ["e10008-", "e10009/a"]);
        assert_eq!(list("e10009/", "e10009/a", 9), ["e10009/b"]);
        assert_eq!(list("e1", "", 1), ["e10008-"]);
        assert_eq!(list("g", "", 1), Vec::<String>::new());
    }

    #[test]
    fn a_large_folder_is_read_once_for_pages_that_follow_each_other() {
        let folder = tempfile::TempDir::new().unwrap();
        let names: Vec<_> = (0..MAX_NAMES + 10).map(|number| format!("e{number:05}")).collect();
        let put = |name: &str| fs::write(folder.path().join(name), b"").unwrap();
        names.iter().for_each(|name| put(name));
        let memory = Memory::default();
        let list = |prefix, after, limit| keys(folder.path(), prefix, after, limit, &memory).unwrap();
        assert_eq!(list("e", "", 2), names[..2]);
        put("e00004-");
        assert_eq!(list("e", names[3].as_str(), 2), names[4..6], "the names are known");
        assert_eq!(list("e0", names[3].as_str(), 2), ["e00004", "e00004-"], "of something else they are not");
        assert_eq!(list("e", "", 6).last().map(String::as_str), Some("e00004-"), "nor from the beginning on");
        // Behind what is known it is read again.
        assert_eq!(list("e", names[MAX_NAMES - 3].as_str(), 12), names[MAX_NAMES - 2..]);
        assert!(memory.pass().is_some());
        // Nobody goes on behind the end.
        assert_eq!(list("e", names[MAX_NAMES - 3].as_str(), 20), names[MAX_NAMES - 2..]);
        assert!(memory.pass().is_none());
    }
}
