//! An application within the program that serves it: one file to copy to a machine.
//!
//! Behind the end of the executable, which systems do not look at, lie spin.toml, the `.wasm` files that it names, and what they were
//! compiled to:
//!
//! | part | bytes |
//! |---|---|
//! | for each file: the length of its path, the length of its data, path, data | 4 (little-endian), 8, ... |
//! | the SHA-256 of all that | 32 |
//! | its length | 8 |
//! | [`MAGIC`] | 16 |
//!
//! Served from a folder in the state directory, which is unpacked once: the manifest's rules for paths stay as they are, and code for
//! another kind of processor is compiled into the same place. Not here: compiling, and who asks (`cli.rs`).

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Component as Part, Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::{manifest::Manifest, private};

/// What the manifest is called within a bundle.
pub const MANIFEST: &str = "spin.toml";
/// The folder of compiled code within a bundle.
pub const COMPILED: &str = "compiled";

const MAGIC: &[u8; 16] = b"thumbs-bundle/1\n";
const DIGEST_BYTES: usize = 32;
const TRAILER_BYTES: u64 = 32 + 8 + 16;

/// Why a bundle can't be made or used.
#[derive(Debug, Error)]
pub enum BundleError {
    /// The system does not let a file be read or written.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// A component is not where a bundle could take it along.
    #[error("{} is not below the folder of the manifest, so a bundle can't hold it", path.display())]
    Outside {
        /// Which.
        path: PathBuf,
    },
    /// What is behind the program is not what was put there.
    #[error("{}: the application in it is damaged; copy the file again", path.display())]
    Damaged {
        /// The program.
        path: PathBuf,
    },
}

/// One file of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Relative, below the bundle's folder, with `/`.
    pub path: String,
    /// What is in it.
    pub data: Vec<u8>,
}

/// An application that a program carries.
#[derive(Debug, PartialEq, Eq)]
pub struct Bundle {
    entries: Vec<Entry>,
    digest: [u8; DIGEST_BYTES],
}

/// The manifest and all files that the host needs of it. Blocks.
///
/// # Errors
/// A file can't be read, or lies elsewhere than below the manifest's folder.
pub fn application(manifest: &Manifest) -> Result<Vec<Entry>, BundleError> {
    let folder = manifest.path.parent().unwrap_or(Path::new(""));
    let mut entries = vec![Entry { path: MANIFEST.to_owned(), data: read(&manifest.path)? }];
    let components = manifest.components.values();
    let files = components
        .flat_map(|component| [&component.source].into_iter().chain(component.dependencies.values()));
    for file in files {
        let outside = || BundleError::Outside { path: file.clone() };
        let path = file.strip_prefix(folder).ok().and_then(relative).ok_or_else(outside)?;
        if !entries.iter().any(|entry| entry.path == path) {
            entries.push(Entry { path, data: read(file)? });
        }
    }
    Ok(entries)
}

/// What was compiled into this folder. Blocks.
///
/// # Errors
/// It can't be read.
pub fn compiled(folder: &Path) -> Result<Vec<Entry>, BundleError> {
    let mut entries = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let listed = fs::read_dir(&next).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        for entry in listed.map_err(|cause| BundleError::File { path: next.clone(), cause })? {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            // Names with a dot are the cache's own affairs.
            } else if let Some(name) = path.strip_prefix(folder).ok().and_then(relative)
                && !name.starts_with('.')
            {
                entries.push(Entry { path: format!("{COMPILED}/{name}"), data: read(&path)? });
            }
        }
    }
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(entries)
}

/// Writes a program that carries these files; what it carried before is left out. Blocks.
///
/// # Errors
/// The system's.
pub fn write(program: &Path, entries: &[Entry], out: &Path) -> Result<(), BundleError> {
    let mut bytes = read(program)?;
    if let Some(carried) = carried(&bytes) {
        bytes.truncate(carried.start);
    }
    let begin = bytes.len();
    for Entry { path, data } in entries {
        let path_length = u32::try_from(path.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&path_length.to_le_bytes());
        bytes.extend_from_slice(&(data.len() as u64).to_le_bytes());
        bytes.extend_from_slice(path.as_bytes());
        bytes.extend_from_slice(data);
    }
    let digest = Sha256::digest(bytes.get(begin..).unwrap_or_default());
    let length = (bytes.len() - begin) as u64;
    bytes.extend_from_slice(&digest);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(MAGIC);
    // A program that runs can't be written to, but one of its name can take its place.
    let part = out.with_extension("part");
    fs::write(&part, &bytes)
        .and_then(|()| fs::set_permissions(&part, fs::Permissions::from_mode(0o755)))
        .and_then(|()| fs::rename(&part, out))
        .map_err(|cause| BundleError::File { path: out.to_owned(), cause })
}

impl Bundle {
    /// What this program carries, if anything. Blocks.
    ///
    /// # Errors
    /// It can't be read, or is damaged.
    pub fn of(program: &Path) -> Result<Option<Self>, BundleError> {
        let failed = |cause| BundleError::File { path: program.to_owned(), cause };
        let damaged = || BundleError::Damaged { path: program.to_owned() };
        let mut file = File::open(program).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        let Some(trailer_at) = size.checked_sub(TRAILER_BYTES) else { return Ok(None) };
        file.seek(SeekFrom::Start(trailer_at)).map_err(failed)?;
        let mut trailer = Vec::new();
        file.read_to_end(&mut trailer).map_err(failed)?;
        let Some(Trailer { digest, length }) = Trailer::read(&trailer) else { return Ok(None) };
        let start = trailer_at.checked_sub(length).ok_or_else(damaged)?;
        file.seek(SeekFrom::Start(start)).map_err(failed)?;
        let mut payload = Vec::new();
        file.take(length).read_to_end(&mut payload).map_err(failed)?;
        if Sha256::digest(&payload)[..] != digest {
            return Err(damaged());
        }
        let entries = entries(&payload).ok_or_else(damaged)?;
        Ok(Some(Self { entries, digest }))
    }

    /// The folder in the state directory that has it, made where it is missing. Processes that begin at the same time may share it. Blocks.
    ///
    /// # Errors
    /// It can't be written.
    pub fn unpacked(&self, state_dir: &Path) -> Result<PathBuf, BundleError> {
        let name: String = self.digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let folder = state_dir.join(format!("application-{name}"));
        if folder.is_dir() {
            return Ok(folder);
        }
        let part = state_dir.join(format!("application-{name}.{}", std::process::id()));
        let written = self.write_to(&part).and_then(|()| match fs::rename(&part, &folder) {
            // Another process was faster.
            Err(_) if folder.is_dir() => fs::remove_dir_all(&part),
            renamed => renamed,
        });
        written.map_err(|cause| BundleError::File { path: folder.clone(), cause })?;
        Ok(folder)
    }

    fn write_to(&self, folder: &Path) -> io::Result<()> {
        // Of a process of the same number that did not come to its end.
        let _nothing_there = fs::remove_dir_all(folder);
        for Entry { path, data } in &self.entries {
            let path = folder.join(path);
            private::make_folders(path.parent().unwrap_or(folder))?;
            private::make_file(&path)?.write_all(data)?;
        }
        Ok(())
    }
}

struct Trailer {
    digest: [u8; DIGEST_BYTES],
    length: u64,
}

impl Trailer {
    fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_suffix(MAGIC)?;
        let (rest, length) = rest.split_last_chunk::<8>()?;
        let (_, digest) = rest.split_last_chunk::<DIGEST_BYTES>()?;
        Some(Self { digest: *digest, length: u64::from_le_bytes(*length) })
    }
}

/// Where in a program's bytes lies what it carries.
fn carried(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let end = bytes.len().checked_sub(usize::try_from(TRAILER_BYTES).ok()?)?;
    let Trailer { length, .. } = Trailer::read(bytes.get(end..)?)?;
    Some(end.checked_sub(usize::try_from(length).ok()?)?..end)
}

fn entries(mut payload: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    while !payload.is_empty() {
        let (path_length, rest) = payload.split_first_chunk::<4>()?;
        let (data_length, rest) = rest.split_first_chunk::<8>()?;
        let (path, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*path_length)).ok()?)?;
        let (data, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*data_length)).ok()?)?;
        let path = relative(Path::new(std::str::from_utf8(path).ok()?))?;
        entries.push(Entry { path, data: data.to_owned() });
        payload = rest;
    }
    Some(entries)
}

/// The path as text, if it leads nowhere but down.
fn relative(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path
        .components()
        .map(|part| match part {
            Part::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect();
    parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join("/"))
}

fn read(path: &Path) -> Result<Vec<u8>, BundleError> {
    fs::read(path).map_err(|cause| BundleError::File { path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn entry(path: &str, data: &[u8]) -> Entry {
        Entry { path: path.to_owned(), data: data.to_owned() }
    }

    fn some() -> Vec<Entry> {
        vec![entry("spin.toml", b"text"), entry("target/a.wasm", &[0; 1000]), entry("compiled/x/y", b"")]
    }

    struct Folder(TempDir);

    impl Folder {
        fn with_program() -> Self {
            let folder = Self(TempDir::new().unwrap());
            fs::write(folder.path("program"), b"machine code").unwrap();
            folder
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }
    }

    #[test]
    fn a_program_gives_back_what_it_was_given() {
        let folder = Folder::with_program();
        assert_eq!(Bundle::of(&folder.path("program")).unwrap(), None);
        write(&folder.path("program"), &some(), &folder.path("out")).unwrap();
        assert_eq!(Bundle::of(&folder.path("out")).unwrap().unwrap().entries, some());
        assert!(fs::read(folder.path("out")).unwrap().starts_with(b"machine code"));
        assert_eq!(fs::metadata(folder.path("out")).unwrap().permissions().mode() & 0o111, 0o111);
    }

    #[test]
    fn a_program_that_carries_one_gets_another_in_its_place() {
        let folder = Folder::with_program();
        write(&folder.path("program"), &some(), &folder.path("one")).unwrap();
        write(&folder.path("one"), &some()[..1], &folder.path("two")).unwrap();
        write(&folder.path("program"), &some()[..1], &folder.path("three")).unwrap();
        assert_eq!(fs::read(folder.path("two")).unwrap(), fs::read(folder.path("three")).unwrap());
    }

    #[test]
    fn it_is_unpacked_once_for_its_user_alone() {
        let folder = Folder::with_program();
        write(&folder.path("program"), &some(), &folder.path("out")).unwrap();
        let bundle = Bundle::of(&folder.path("out")).unwrap().unwrap();
        let state = folder.path("state");
        let unpacked = bundle.unpacked(&state).unwrap();
        assert_eq!(fs::read(unpacked.join("target/a.wasm")).unwrap(), [0; 1000]);
        assert_eq!(fs::metadata(unpacked.join("spin.toml")).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(unpacked.join("mark"), "").unwrap();
        assert_eq!(bundle.unpacked(&state).unwrap(), unpacked);
        assert!(unpacked.join("mark").exists());
        assert_eq!(fs::read_dir(&state).unwrap().count(), 1, "nothing half-written stays");
    }

    #[test]
    fn damage_is_noticed() {
        let folder = Folder::with_program();
        write(&folder.path("program"), &some(), &folder.path("out")).unwrap();
        let whole = fs::read(folder.path("out")).unwrap();
        let mut bytes = whole.clone();
        bytes[20] ^= 1;
        fs::write(folder.path("flipped"), bytes).unwrap();
        fs::write(folder.path("beheaded"), &whole[100..]).unwrap();
        for name in ["flipped", "beheaded"] {
            assert!(matches!(Bundle::of(&folder.path(name)), Err(BundleError::Damaged { .. })), "{name}");
        }
        fs::write(folder.path("cut"), &whole[..whole.len() - 1]).unwrap();
        assert_eq!(Bundle::of(&folder.path("cut")).unwrap(), None, "not one of ours any more");
        fs::write(folder.path("short"), b"x").unwrap();
        assert_eq!(Bundle::of(&folder.path("short")).unwrap(), None);
    }

    #[test]
    fn no_path_leads_out_of_the_folder() {
        let folder = Folder::with_program();
        for path in ["../up", "/etc/passwd", "a/../../up", ""] {
            write(&folder.path("program"), &[entry(path, b"")], &folder.path("out")).unwrap();
            assert!(matches!(Bundle::of(&folder.path("out")), Err(BundleError::Damaged { .. })), "{path}");
        }
    }

    #[test]
    fn an_application_is_its_manifest_and_the_files_that_it_names() {
        let folder = Folder::with_program();
        let manifest = |source: &str| {
            let text = format!(
                "spin_manifest_version = 2\n[application]\nname = \"x\"\n[component.a]\nsource = {source:?}\n\
                 [component.b]\nsource = {source:?}\n[component.b.dependencies]\n\"a:b/c\" = {{ path = \"d.wasm\" }}\n"
            );
            fs::write(folder.path("spin.toml"), &text).unwrap();
            Manifest::read(&folder.path("spin.toml")).unwrap()
        };
        fs::write(folder.path("c.wasm"), b"c").unwrap();
        fs::write(folder.path("d.wasm"), b"d").unwrap();
        let entries = application(&manifest("c.wasm")).unwrap();
        let paths: Vec<_> = entries.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, ["spin.toml", "c.wasm", "d.wasm"]);
        assert!(matches!(application(&manifest("../c.wasm")), Err(BundleError::Outside { .. })));
        assert!(matches!(application(&manifest("e.wasm")), Err(BundleError::File { .. })));
    }

    #[test]
    fn what_was_compiled_is_taken_along_without_the_caches_own_affairs() {
        let folder = Folder::with_program();
        fs::create_dir_all(folder.path("cache/modules")).unwrap();
        fs::write(folder.path("cache/modules/x"), b"code").unwrap();
        fs::write(folder.path("cache/.cleanup"), b"").unwrap();
        assert_eq!(compiled(&folder.path("cache")).unwrap(), [entry("compiled/modules/x", b"code")]);
    }
}
