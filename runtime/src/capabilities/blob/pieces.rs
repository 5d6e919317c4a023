//! Blobs that a guest writes and reads in pieces. What the host holds of one for a while is the instance's memory.

use sha2::{Digest as _, Sha256};
use wasmtime::component::Resource;

use super::{BlobError, BlobView, MAX_PIECE_BYTES, Reader, Writer, checked, checked_type, wit};
use crate::{
    capabilities::error::Failure,
    limits::length,
    memory::Held,
    traces::{OpenSpan, Operation},
};

/// A blob that a guest is writing.
#[derive(Debug)]
pub struct OpenWriter {
    /// None once a call has failed.
    writer: Option<Box<dyn Writer>>,
    hasher: Sha256,
    bytes: u64,
    held: Held,
    /// Of all its pieces together.
    span: Option<OpenSpan>,
}

/// A blob that a guest is reading.
#[derive(Debug)]
pub struct OpenReader {
    metadata: wit::Metadata,
    reader: Box<dyn Reader>,
    _held: Held,
    /// Of all its pieces together; none once it has ended.
    span: Option<OpenSpan>,
}

/// For a guest that goes on where it was told that it can't.
fn is_over() -> BlobError {
    Failure::Guest(wit::Error::Other("the blob was given up after an error".to_owned()))
}

impl wit::HostWriter for BlobView<'_> {
    async fn open(&mut self, key: String, content_type: String) -> Result<Resource<OpenWriter>, BlobError> {
        let (key, content_type) = (checked(&key)?, checked_type(&content_type)?);
        let held = self.memory.call(0)?;
        let span = self.trace.open(|| Operation::blob("write"));
        let opened = self.store.backend.write(key.as_str(), content_type.as_str());
        let writer = Some(self.store.perhaps_asked_in_time(opened).await?);
        Ok(self.table.push(OpenWriter { writer, hasher: Sha256::new(), bytes: 0, held, span })?)
    }

    async fn write(&mut self, this: Resource<OpenWriter>, piece: Vec<u8>) -> Result<(), BlobError> {
        let open = self.table.get_mut(&this)?;
        // Where anything fails, what is open goes, and with it what it has written.
        let mut writer = open.writer.take().ok_or_else(is_over)?;
        if piece.len() > MAX_PIECE_BYTES {
            return Err(Failure::Guest(wit::Error::TooLarge(MAX_PIECE_BYTES as u64)));
        }
        open.bytes += piece.len() as u64;
        if open.bytes > self.store.max_blob_bytes {
            return Err(Failure::Guest(wit::Error::TooLarge(self.store.max_blob_bytes)));
        }
        open.held.grow(piece.len())?;
        open.hasher.update(&piece);
        self.store.perhaps_asked_in_time(writer.write(piece)).await?;
        open.held.shrink_to(writer.held_bytes());
        open.writer = Some(writer);
        Ok(())
    }

    async fn finish(&mut self, this: Resource<OpenWriter>) -> Result<wit::Written, BlobError> {
        let OpenWriter { writer, hasher, bytes, held: _held, span } = self.table.delete(this)?;
        let finished = self.store.in_time(writer.ok_or_else(is_over)?.finish()).await;
        if let Some(span) = span {
            span.end(finished.is_ok());
        }
        finished?;
        Ok(wit::Written { size_bytes: bytes, sha256: hasher.finalize().to_vec() })
    }

    async fn drop(&mut self, this: Resource<OpenWriter>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl wit::HostReader for BlobView<'_> {
    async fn open(&mut self, key: String, max_bytes: u64) -> Result<Resource<OpenReader>, BlobError> {
        let key = checked(&key)?;
        let max_bytes = max_bytes.min(self.store.max_blob_bytes);
        // For one piece at a time, which the reader may have from now on.
        let held = self.memory.call(length(max_bytes).min(MAX_PIECE_BYTES))?;
        let span = self.trace.open(|| Operation::blob("read"));
        let opened = self.store.backend.read(key.as_str(), max_bytes);
        let (metadata, reader) = self.store.in_time(opened).await?;
        Ok(self.table.push(OpenReader { metadata, reader, _held: held, span })?)
    }

    async fn metadata(&mut self, this: Resource<OpenReader>) -> wasmtime::Result<wit::Metadata> {
        Ok(self.table.get(&this)?.metadata.clone())
    }

    async fn read(&mut self, this: Resource<OpenReader>) -> Result<Vec<u8>, BlobError> {
        let open = self.table.get_mut(&this)?;
        let read = self.store.in_time(open.reader.read()).await;
        // Nothing comes after an error, and nothing after the end.
        if let Some(span) = open.span.take_if(|_| read.as_ref().map_or(true, Vec::is_empty)) {
            span.end(read.is_ok());
        }
        read
    }

    async fn drop(&mut self, this: Resource<OpenReader>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wasmtime::component::ResourceTable;

    use super::super::{BlobStore, MemoryStore};
    use super::*;
    use crate::{limits::Limits, memory::CallMemory, traces::CallTrace};
    use wit::{Host as _, HostReader as _, HostWriter as _};

    fn store(max_blob_bytes: u64) -> BlobStore {
        let limits = Limits { max_blob_bytes, ..Limits::default() };
        BlobStore::new(Arc::new(MemoryStore::default()), &limits)
    }

    fn again<T: 'static>(handle: &Resource<T>) -> Resource<T> {
        Resource::new_borrow(handle.rep())
    }

    fn guest<T: std::fmt::Debug>(result: Result<T, BlobError>) -> wit::Error {
        match result {
            Err(Failure::Guest(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_is_written_in_pieces_is_one_blob_with_its_digest() {
        let (store, mut table) = (store(1 << 20), ResourceTable::new());
        let mut memory = CallMemory::of_test(1_000);
        let mut view =
            BlobView { store: &store, table: &mut table, memory: &mut memory, trace: &CallTrace::default() };
        let writer = wit::HostWriter::open(&mut view, "a".into(), "image/png".into()).await.unwrap();
        for piece in [&b"a"[..], b"", b"bc"] {
            view.write(again(&writer), piece.to_vec()).await.unwrap();
        }
        assert!(matches!(guest(view.head("a".into()).await), wit::Error::NotFound));
        let written = view.finish(writer).await.unwrap();
        let sha256: String = written.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((written.size_bytes, sha256.get(..8)), (3, Some("ba7816bf")));
        let reader = wit::HostReader::open(&mut view, "a".into(), 3).await.unwrap();
        assert_eq!(view.metadata(again(&reader)).await.unwrap().size_bytes, 3);
        assert_eq!(view.read(again(&reader)).await.unwrap(), b"abc");
        assert_eq!(view.read(again(&reader)).await.unwrap(), b"");
        wit::HostReader::drop(&mut view, reader).await.unwrap();
        assert!(matches!(
            guest(wit::HostReader::open(&mut view, "a".into(), 2).await),
            wit::Error::TooLarge(2)
        ));
        assert!(table.is_empty());
    }

    #[tokio::test]
    async fn after_an_error_a_writer_is_over() {
        let (store, mut table) = (store(4), ResourceTable::new());
        let mut memory = CallMemory::of_test(10_000_000);
        let mut view =
            BlobView { store: &store, table: &mut table, memory: &mut memory, trace: &CallTrace::default() };
        for (pieces, bound) in [(vec![vec![0; 4], vec![0; 1]], 4), (vec![vec![0; (1 << 20) + 1]], 1 << 20)] {
            let writer = wit::HostWriter::open(&mut view, "a".into(), "image/png".into()).await.unwrap();
            let mut results = Vec::new();
            for piece in pieces {
                results.push(view.write(again(&writer), piece).await);
            }
            assert!(matches!(guest(results.pop().unwrap()), wit::Error::TooLarge(of) if of == bound));
            assert!(matches!(guest(view.write(again(&writer), vec![]).await), wit::Error::Other(_)));
            assert!(matches!(guest(view.finish(writer).await), wit::Error::Other(_)));
        }
        assert!(matches!(guest(view.head("a".into()).await), wit::Error::NotFound));
    }

    #[tokio::test]
    async fn what_is_held_of_a_blob_is_memory_of_its_instance() {
        let (store, mut table) = (store(1 << 20), ResourceTable::new());
        let mut memory = CallMemory::of_test(100);
        let mut view =
            BlobView { store: &store, table: &mut table, memory: &mut memory, trace: &CallTrace::default() };
        let writer = wit::HostWriter::open(&mut view, "a".into(), "image/png".into()).await.unwrap();
        view.write(again(&writer), vec![0; 60]).await.unwrap();
        assert!(matches!(view.write(again(&writer), vec![0; 60]).await, Err(Failure::Trap(_))));
        wit::HostWriter::drop(&mut view, writer).await.unwrap();
        view.put("a".into(), "image/png".into(), vec![0; 100]).await.unwrap();
        assert!(matches!(wit::HostReader::open(&mut view, "a".into(), 101).await, Err(Failure::Trap(_))));
        wit::HostReader::open(&mut view, "a".into(), 100).await.unwrap();
    }
}
