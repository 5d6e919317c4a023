//! What is promised of blobs that are written and read in pieces.

use super::{ANY_BYTES, Abilities, PNG, Store, delete, done, holds, lacks, put};
use crate::capabilities::blob::{MAX_PIECE_BYTES, Writer, wit};

pub(super) async fn are_kept(store: &Store, abilities: Abilities) {
    makes_one_blob_of_pieces(store, abilities.max_blob_bytes).await;
    shows_nothing_before_the_end(store).await;
    leaves_nothing_of_what_is_dropped(store, abilities.max_blob_bytes).await;
    keeps_to_the_bound_of_a_reader(store).await;
    reads_all_of_one_put(store).await;
}

/// No period of it divides the sizes in which bytes travel, so a piece that is lost, doubled or swapped shows.
fn bytes(count: usize) -> Vec<u8> {
    (0..251).cycle().take(count).collect()
}

async fn begin(store: &Store, key: &str, content_type: &str) -> Box<dyn Writer> {
    done(store.write(key, content_type).await, &format!("write {key}"))
}

async fn write_all(writer: &mut Box<dyn Writer>, data: &[u8], piece_bytes: usize) {
    for piece in data.chunks(piece_bytes) {
        done(writer.write(piece.to_vec()).await, "a piece");
    }
}

/// The blob, read in pieces.
async fn read(store: &Store, key: &str) -> (wit::Metadata, Vec<u8>) {
    let (metadata, mut reader) = done(store.read(key, ANY_BYTES).await, &format!("read {key}"));
    let mut data = Vec::new();
    loop {
        let piece = done(reader.read().await, "a piece");
        assert!(piece.len() <= MAX_PIECE_BYTES, "a piece of {} bytes", piece.len());
        if piece.is_empty() {
            break;
        }
        data.extend_from_slice(&piece);
    }
    assert!(done(reader.read().await, "the end").is_empty(), "the end stays the end");
    (metadata, data)
}

/// However large a blob and its pieces, it is what one put would have made of it.
async fn makes_one_blob_of_pieces(store: &Store, max_blob_bytes: usize) {
    const KEY: &str = "pieces/whole";
    // With an S3 server, less than one part, exactly one, a little more than two.
    let sizes = [0, 1, 100_000, 3_000_001, 5 << 20, (5 << 20) + 1, 11_000_000, max_blob_bytes];
    for (size, piece_bytes) in sizes.into_iter().zip([1, 1, 999, 65_536, 1 << 20, 16_384, 700_001, 1 << 20]) {
        let data = bytes(size);
        let mut writer = begin(store, KEY, "image/gif").await;
        done(writer.write(Vec::new()).await, "an empty piece");
        write_all(&mut writer, &data, piece_bytes).await;
        done(writer.finish().await, &format!("finish {size} bytes"));
        let (metadata, read) = read(store, KEY).await;
        assert!(
            read == data,
            "{size} bytes in pieces of {piece_bytes} come back as they went, not {}",
            read.len()
        );
        assert_eq!((metadata.size_bytes, metadata.content_type.as_str()), (size as u64, "image/gif"));
        let head = done(store.head(KEY).await, "head");
        assert_eq!((head.size_bytes, head.content_type.as_str()), (size as u64, "image/gif"));
    }
    put(store, KEY, PNG, b"put in one").await;
    assert_eq!(read(store, KEY).await.1, b"put in one");
    delete(store, KEY).await;
}

/// What was there stays until the end.
async fn shows_nothing_before_the_end(store: &Store) {
    const KEY: &str = "pieces/begun";
    let data = bytes(6_000_000);
    let mut writer = begin(store, KEY, PNG).await;
    write_all(&mut writer, &data, 500_000).await;
    lacks(store, KEY).await;
    put(store, KEY, "image/gif", b"before").await;
    holds(store, KEY, "image/gif", b"before").await;
    done(writer.finish().await, "finish");
    holds(store, KEY, PNG, &data).await;
    delete(store, KEY).await;
}

/// A writer that goes away before its end changes nothing.
async fn leaves_nothing_of_what_is_dropped(store: &Store, max_blob_bytes: usize) {
    const KEY: &str = "pieces/dropped";
    for size in [0, 10, 11_000_000.min(max_blob_bytes)] {
        let mut writer = begin(store, KEY, PNG).await;
        write_all(&mut writer, &bytes(size), 1 << 20).await;
        drop(writer);
        lacks(store, KEY).await;
    }
    put(store, KEY, PNG, b"before").await;
    let mut writer = begin(store, KEY, "image/gif").await;
    write_all(&mut writer, b"after", 2).await;
    drop(writer);
    holds(store, KEY, PNG, b"before").await;
    delete(store, KEY).await;
}

/// What is over the bound is told from what is just within it, and what is not there from both.
async fn keeps_to_the_bound_of_a_reader(store: &Store) {
    const KEY: &str = "pieces/bounded";
    let missing = store.read(KEY, 10).await.map(drop);
    assert!(matches!(missing, Err(wit::Error::NotFound)), "{missing:?}");
    for size in [5, 2_000_000] {
        done(store.put(KEY, PNG, bytes(size)).await, "put");
        let within = done(store.read(KEY, size as u64).await, "within the bound");
        assert_eq!(within.0.size_bytes, size as u64);
        for max_bytes in [size as u64 - 1, 0] {
            let over = store.read(KEY, max_bytes).await.map(drop);
            assert!(matches!(over, Err(wit::Error::TooLarge(bound)) if bound == max_bytes), "{over:?}");
        }
    }
    delete(store, KEY).await;
}

/// Of a blob that is replaced while it is read come all bytes of one put, or an error.
async fn reads_all_of_one_put(store: &Store) {
    const KEY: &str = "pieces/replaced";
    let (first, second) = (bytes(3_000_000), vec![7; 3_000_000]);
    done(store.put(KEY, PNG, first.clone()).await, "put");
    let (_, mut reader) = done(store.read(KEY, ANY_BYTES).await, "read");
    let mut data = done(reader.read().await, "the first piece");
    assert!(data.len() < first.len(), "it comes in pieces");
    done(store.put(KEY, PNG, second).await, "put another");
    loop {
        match reader.read().await {
            Ok(piece) if piece.is_empty() => {
                assert!(data == first, "bytes of two puts");
                break;
            }
            Ok(piece) => data.extend_from_slice(&piece),
            Err(wit::Error::Unavailable(_)) => break,
            Err(error) => panic!("{error:?}"),
        }
    }
    delete(store, KEY).await;
}
