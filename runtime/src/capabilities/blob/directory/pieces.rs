//! Files that are written and read in pieces.

use std::{fs::File, io::Read as _};

use futures_util::{FutureExt as _, future::BoxFuture};

use super::{DirectoryStore, error, put_error, staged::Staged};
use crate::{
    blocking::blocking,
    capabilities::blob::{MAX_PIECE_BYTES, Reader, Writer, wit},
};

/// A blob with no more than this is written in one go when it is finished; of one with more, no more is in memory.
const MAX_HELD_BYTES: usize = 256 << 10;

/// A file in the making.
#[derive(Debug)]
pub(super) struct FileWriter {
    store: DirectoryStore,
    key: String,
    content_type: String,
    /// Not written yet.
    held: Vec<Vec<u8>>,
    held_bytes: usize,
    staged: Option<Staged>,
}

impl FileWriter {
    pub(super) fn new(store: &DirectoryStore, key: &str, content_type: &str) -> Self {
        let (key, content_type) = (key.to_owned(), content_type.to_owned());
        Self { store: store.clone(), key, content_type, held: Vec::new(), held_bytes: 0, staged: None }
    }
}

/// Blocks.
fn write(store: &DirectoryStore, staged: Option<Staged>, pieces: &[Vec<u8>]) -> std::io::Result<Staged> {
    let mut staged = staged.map_or_else(|| Staged::make(&store.staging()), Ok)?;
    pieces.iter().try_for_each(|piece| staged.write(piece))?;
    Ok(staged)
}

impl Writer for FileWriter {
    fn write(&mut self, piece: Vec<u8>) -> BoxFuture<'_, Result<(), wit::Error>> {
        async move {
            self.held_bytes += piece.len();
            self.held.push(piece);
            if self.held_bytes > MAX_HELD_BYTES {
                let (store, staged) = (self.store.clone(), self.staged.take());
                let pieces = std::mem::take(&mut self.held);
                let written = blocking(move || write(&store, staged, &pieces)).await;
                self.staged = Some(written.map_err(|failure| put_error(&failure))?);
                self.held_bytes = 0;
            }
            Ok(())
        }
        .boxed()
    }

    fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    fn finish(mut self: Box<Self>) -> BoxFuture<'static, Result<(), wit::Error>> {
        async move {
            let put = blocking(move || {
                let staged = write(&self.store, self.staged.take(), &self.held)?;
                self.store.put_in_place(staged, &self.key, &self.content_type)
            });
            put.await.map_err(|failure| put_error(&failure))
        }
        .boxed()
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        let Some(staged) = self.staged.take() else { return };
        // To remove a large file takes the disk a while.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn_blocking(move || drop(staged));
        }
    }
}

/// An open file, the same whatever becomes of its name.
#[derive(Debug)]
pub(super) struct FileReader {
    /// Taken while it is read.
    file: Option<File>,
    left: usize,
    /// What was read with the end.
    first: Option<Vec<u8>>,
}

impl FileReader {
    /// Of a file that stands behind what was read of it, with so many bytes of the blob left.
    pub(super) const fn new(file: File, left: usize, first: Option<Vec<u8>>) -> Self {
        Self { file: Some(file), left, first }
    }
}

impl Reader for FileReader {
    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, wit::Error>> {
        async move {
            if let Some(first) = self.first.take() {
                return Ok(first);
            }
            let count = self.left.min(MAX_PIECE_BYTES);
            if count == 0 {
                return Ok(Vec::new());
            }
            let lost = || wit::Error::Unavailable("the file was given up after an error".to_owned());
            let mut file = self.file.take().ok_or_else(lost)?;
            let read = blocking(move || {
                let mut piece = vec![0; count];
                file.read_exact(&mut piece).map(|()| (file, piece))
            });
            let (file, piece) = read.await.map_err(|failure| error(&failure))?;
            self.file = Some(file);
            self.left -= count;
            Ok(piece)
        }
        .boxed()
    }
}
