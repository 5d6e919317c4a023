//! The keys of the blobs in a directory, in order, without holding the names of all of them.

use std::{
    collections::BinaryHeap,
    fs, io,
    path::{Path, PathBuf},
};

use thumbs_s3::Key;

/// The most names of one folder that are held at once.
const MAX_NAMES: usize = 10_000;

/// The first `limit` keys below `root` that begin with `prefix` and come after `after`, in the order of their bytes. Blocks.
pub(super) fn keys(root: &Path, prefix: &str, after: &str, limit: usize) -> io::Result<Vec<String>> {
    let mut listing = Listing { prefix, after, limit, keys: Vec::new() };
    listing.walk(root, "")?;
    Ok(listing.keys)
}

struct Listing<'a> {
    prefix: &'a str,
    after: &'a str,
    limit: usize,
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
        let mut first = BinaryHeap::new();
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
                }
            }
        }
        Ok(first.into_sorted_vec())
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
        let list = |prefix, after, limit| keys(folder.path(), prefix, after, limit).unwrap();
        assert_eq!(list("", "", 9), ["e00001/x", "e10008-", "e10009/a", "e10009/b", "f"]);
        assert_eq!(list("", "e00001/x", 2), ["e10008-", "e10009/a"]);
        assert_eq!(list("e10009/", "e10009/a", 9), ["e10009/b"]);
        assert_eq!(list("e1", "", 1), ["e10008-"]);
        assert_eq!(list("g", "", 1), Vec::<String>::new());
    }
}
