//! The images in `tests/fixtures`.

use std::path::{Path, PathBuf};

/// The folder.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// A file of it.
pub(crate) fn read(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The names of all images, sorted.
pub(crate) fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| [".jpg", ".png", ".gif", ".webp"].iter().any(|ending| name.ends_with(ending)))
        .collect();
    names.sort();
    assert!(names.len() > 40, "fixtures are missing");
    names
}

/// Names and bytes of the files that did harm once, sorted.
pub(crate) fn hostile() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder().join("hostile"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| (name.clone(), read(&format!("hostile/{name}"))))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "fixtures are missing");
    files
}
