//! Which files a command takes, and where what comes of each goes.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// One file that is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Input {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Where it is below the folder that was named, or its name.
    pub(super) below: PathBuf,
    /// Whether it was found in a folder, and not named.
    pub(super) found: bool,
}

/// The files that these name, and for folders all below them, in the order of their names. What begins with a dot is left out there, and
/// links to folders are not followed.
///
/// # Errors
/// One is not there, or can't be read.
pub(super) fn inputs(named: &[PathBuf]) -> io::Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for path in named {
        let of_this = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        if fs::metadata(path).map_err(of_this)?.is_dir() {
            find(path, Path::new(""), &mut inputs).map_err(of_this)?;
        } else {
            let below = path.file_name().map_or_else(|| path.clone(), PathBuf::from);
            inputs.push(Input { path: path.clone(), below, found: false });
        }
    }
    Ok(inputs)
}

fn find(folder: &Path, below: &Path, inputs: &mut Vec<Input>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let (path, below, kind) = (entry.path(), below.join(entry.file_name()), entry.file_type()?);
        if kind.is_dir() {
            find(&path, &below, inputs)?;
        } else if kind.is_file() || fs::metadata(&path).is_ok_and(|file| file.is_file()) {
            inputs.push(Input { path, below, found: true });
        }
    }
    Ok(())
}

/// Names for what comes of the inputs, in their order and without an extension, which is known only then. Of files that differ in nothing else
/// the extension stays: no two have the same.
///
/// # Errors
/// Two have the same place all the same: they were named from different folders, or twice.
pub(super) fn stems(inputs: &[Input]) -> Result<Vec<PathBuf>, String> {
    let mut same: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for input in inputs {
        *same.entry(input.below.with_extension("")).or_default() += 1;
    }
    let mut taken: BTreeMap<PathBuf, &Path> = BTreeMap::new();
    let mut stems = Vec::with_capacity(inputs.len());
    for input in inputs {
        let short = input.below.with_extension("");
        let stem = if same.get(&short) == Some(&1) { short } else { input.below.clone() };
        if let Some(other) = taken.insert(stem.clone(), &input.path) {
            return Err(format!(
                "{} and {} would both become {}; name a folder above them, or send them apart",
                other.display(),
                input.path.display(),
                stem.display()
            ));
        }
        stems.push(stem);
    }
    Ok(stems)
}

/// `stem` with an extension behind whatever it has.
pub(super) fn with_extension(stem: &Path, extension: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

/// Writes a file whole or not at all, with the folders that it needs.
///
/// # Errors
/// With the file's name.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let write = || {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            fs::create_dir_all(folder)?;
        }
        let mut part = path.as_os_str().to_owned();
        part.push(format!(".{}.part", std::process::id()));
        let part = PathBuf::from(part);
        let written = fs::write(&part, bytes).and_then(|()| fs::rename(&part, path));
        if written.is_err() {
            // What could not be written is of no use; that it could not be removed either says nothing new.
            let _ = fs::remove_file(&part);
        }
        written
    };
    write().map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::TempDir::new().unwrap();
        for file in files {
            write(&folder.path().join(file), b"x").unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_is_all_files_below_it_but_hidden_ones() {
        let folder = folder(&["b.jpg", "a/c.png", "a/.d.png", ".e/f.jpg"]);
        std::os::unix::fs::symlink(folder.path(), folder.path().join("a/loop")).unwrap();
        let found = inputs(&[folder.path().to_owned()]).unwrap();
        let below: Vec<_> = found.iter().map(|input| input.below.to_str().unwrap()).collect();
        assert_eq!(below, ["a/c.png", "b.jpg"]);
        assert!(found.iter().all(|input| input.found));
        let named = inputs(&[folder.path().join("a/.d.png")]).unwrap();
        assert_eq!(
            (named[0].below.to_str(), named[0].found),
            (Some(".d.png"), false),
            "what is named is taken"
        );
        let error = inputs(&[folder.path().join("gone")]).unwrap_err().to_string();
        assert!(error.contains("gone"), "{error}");
    }

    #[test]
    fn no_two_inputs_go_to_one_place() {
        let input = |path: &str, below: &str| Input { path: path.into(), below: below.into(), found: true };
        let given = [input("f/a.jpg", "a.jpg"), input("f/a.png", "a.png"), input("f/b/a.png", "b/a.png")];
        let stems_of = |given: &[Input]| {
            stems(given).map(|stems| stems.iter().map(|stem| stem.display().to_string()).collect::<Vec<_>>())
        };
        assert_eq!(stems_of(&given), Ok(vec!["a.jpg".into(), "a.png".into(), "b/a".into()]));
        let error = stems_of(&[input("x/a.jpg", "a.jpg"), input("y/a.jpg", "a.jpg")]).unwrap_err();
        assert!(error.contains("x/a.jpg") && error.contains("y/a.jpg"), "{error}");
        assert_eq!(with_extension(Path::new("b/a.v2"), "png"), Path::new("b/a.v2.png"));
    }

    #[test]
    fn a_file_is_written_whole_and_nothing_else_is_left() {
        let folder = folder(&["old.png"]);
        write(&folder.path().join("old.png"), b"new").unwrap();
        assert_eq!(fs::read(folder.path().join("old.png")).unwrap(), b"new");
        let error = write(&folder.path().join("old.png/under.png"), b"x").unwrap_err().to_string();
        assert!(error.contains("under.png"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
