//! The handlers that ship, over capabilities in memory: a database of SQLite that each input finds as the one before it did, blobs, and an
//! imaging that knows formats by their first bytes alone.

use std::collections::BTreeSet;
use std::rc::Rc;

use futures::executor::block_on;
use http::{HeaderMap, Method};
use rusqlite::Connection;
use thumbs_access::{Entry, Key, KeyName, Scopes};
use thumbs_domain::format::SourceFormat;
use thumbs_domain::id::JobId;
use thumbs_domain::job::NewJob;
use thumbs_domain::limits::ImageLimits;
use thumbs_domain::list::ListQuery;
use thumbs_domain::object_key::ObjectKey;
use thumbs_domain::options::Options;
use thumbs_domain::owner::Reach;
use thumbs_domain::problem::ProblemKind;
use thumbs_domain::route;
use thumbs_download::Download;
use thumbs_guest::blobs::Blobs;
use thumbs_guest::http::Failed;
use thumbs_guest::http::answer::answer;
use thumbs_guest::http::park::Offer;
use thumbs_guest::http::throttle::Unmetered;
use thumbs_guest::imaging::{Header, ImagingError, Probing, SourceInfo};
use thumbs_guest::jobs::{JobStore, SqlJobStore};
use thumbs_guest::log::Log;
use thumbs_guest::sql::{Sql, SqlError, SqlRow, SqlValue, Sqlite};
use thumbs_guest::testing::{
    CountingWake, Driver, FixedVariables, ManualClock, MemoryBlobs, TestIds, end_job, new_job,
};
use thumbs_status::Status;
use thumbs_upload::Upload;

use crate::message::Message;

/// The job that is there, with the thumbnail [`THUMBNAIL`].
pub const DONE: &str = "01932c07-20a4-7b3c-8d4e-5f6071829304";
/// Its bytes.
pub const THUMBNAIL: &[u8] = b"GIF89a, in a way";
/// The key with all scopes, where there are keys, is made of these random bytes.
const KEY: [u8; 24] = [1; 24];
/// Signs links there.
const LINK_SECRET: &str = "0123456789abcdef0123456789abcdef";

/// One service.
pub struct World {
    sql: Rc<Driver>,
    store: SqlJobStore<Shared, Sqlite>,
    blobs: MemoryBlobs,
    variables: FixedVariables,
    clock: ManualClock<'static>,
}

/// What a client got.
#[derive(Debug)]
pub struct Answer {
    /// 100 to 599.
    pub status: u16,
    /// All of them.
    pub headers: HeaderMap,
    /// All of it.
    pub body: Vec<u8>,
}

impl World {
    /// With small limits and one job that is done. `has_keys`: nobody is let in without one.
    ///
    /// # Panics
    /// When the database does not take the schema.
    pub fn new(has_keys: bool) -> Self {
        let mut settings = vec![
            ("max_upload_bytes", "1000"),
            ("max_batch_parts", "4"),
            ("max_batch_bytes", "5000"),
            ("max_output_side", "2048"),
            ("callback_hosts", "hooks.example *.below.example:8443 http://127.0.0.1:9000"),
            ("allowed_origins", "https://shop.example"),
        ];
        let keys = Entry::new(
            &Key::from_random(KEY),
            KeyName::parse("shop").expect("a name"),
            Scopes::parse("read+write+admin").expect("scopes"),
            None,
        );
        let keys = keys.to_string();
        if has_keys {
            settings.extend([("api_keys", keys.as_str()), ("link_secret", LINK_SECRET)]);
        }
        let sql = Rc::new(Driver::new(Connection::open_in_memory().expect("a database in memory")));
        let store = SqlJobStore::new(Shared(Rc::clone(&sql)));
        let blobs = MemoryBlobs::default();
        store.create(&NewJob { id: done(), ..new_job() }).expect("a new job");
        end_job(&store, &done(), Some(THUMBNAIL));
        Self { sql, store, blobs, variables: FixedVariables::with(&settings), clock: ManualClock::default() }
    }

    /// Runs `work` and takes back whatever it did to the rows. Blobs there are none but those of the job that is done.
    ///
    /// # Panics
    /// When the database does not do it.
    pub fn anew<T>(&mut self, work: impl FnOnce(&Self) -> T) -> T {
        let run = |statement| self.sql.query(statement, &[]).expect("a statement without tables");
        run("SAVEPOINT input");
        self.blobs = MemoryBlobs::default();
        self.clock = ManualClock::default();
        let thumbnail = self.thumbnail();
        self.blobs.put(&thumbnail, "image/gif", THUMBNAIL).expect("room");
        self.blobs.put(&ObjectKey::upload(&done()), "image/gif", THUMBNAIL).expect("room");
        let result = work(self);
        assert_eq!(self.blobs.open_writers(), 0, "a blob is neither finished nor dropped");
        let run = |statement| self.sql.query(statement, &[]).expect("a statement without tables");
        run("ROLLBACK TO input");
        run("RELEASE input");
        result
    }

    fn thumbnail(&self) -> ObjectKey {
        let job = self.store.get(&done(), Reach::All);
        let job = job.expect("a store").expect("a job");
        ObjectKey::thumbnail(&job.id, &job.thumbnail.expect("a thumbnail").sha256)
    }

    /// Asks whichever component the path belongs to, as a host does; `pages` and `ops`, which read nothing of a request, say 404.
    pub fn ask(&self, message: &Message<'_>, piece: usize) -> Answer {
        let (log, wake) = (Log::silent(), CountingWake::default());
        let (store, blobs, clock) = (&self.store, &self.blobs, &self.clock);
        let request = message.request();
        let component = route::find(&request.path).map(|row| row.component);
        let answered = answer(
            &self.variables,
            clock,
            &Unmetered,
            request,
            message.body(piece),
            log.clone(),
            async |request, body, log| match component {
                Some("status") => Status {
                    store,
                    batches: store,
                    wake: &wake,
                    wake_now: &wake,
                    offer: Offer::default(),
                    clock,
                    log: &log,
                }
                .handle(&request),
                Some("download") => {
                    Download { store, blobs, wake: &wake, wake_now: &wake, parked: None, clock, log: &log }
                        .handle(&request)
                }
                Some("upload") => {
                    Upload {
                        store,
                        batches: store,
                        blobs,
                        imaging: &ByFirstBytes,
                        wake: &wake,
                        wake_now: &wake,
                        offer: Offer::default(),
                        callbacks: &wake,
                        clock,
                        ids: &TestIds,
                        variables: &self.variables,
                        log: &log,
                    }
                    .handle(&request, body)
                    .await
                }
                _ => Err(Failed::problem(ProblemKind::NotFound, "Another component is there.")),
            },
        );
        let (head, body) = block_on(answered).into_parts();
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    /// All jobs but the one that was there, and what each names.
    ///
    /// # Panics
    /// When the rows can't be read.
    pub fn jobs(&self) -> BTreeSet<String> {
        let everything = ListQuery { status: None, code: None, limit: 100, after: None };
        let page = self.store.list(&everything, Reach::All).expect("a list");
        assert_eq!(page.unreadable, [], "a row that was written can be read");
        page.jobs.into_iter().map(|job| job.id.to_string()).filter(|id| id != DONE).collect()
    }

    /// The ids in the keys of all originals but that of the job that was there.
    pub fn originals(&self) -> BTreeSet<String> {
        let keys = self.blobs.keys().into_iter();
        let ids = keys.filter_map(|key| key.strip_prefix("uploads/").map(str::to_owned));
        ids.filter(|id| id != DONE).collect()
    }
}

fn done() -> JobId {
    JobId::parse(DONE).expect("an id")
}

/// What holds of any answer to any request.
///
/// # Panics
/// If it does not.
pub fn check(message: &Message<'_>, answer: &Answer) {
    let Answer { status, headers, body } = answer;
    let text = String::from_utf8_lossy(body);
    assert!((200..500).contains(status), "{status}: {text}");
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(!header("x-request-id").is_empty());
    let kind = header("content-type");
    if kind.contains("json") {
        let json: serde_json::Value = serde_json::from_slice(body).expect("JSON");
        assert_eq!(kind == "application/problem+json", *status >= 400, "{text}");
        if *status >= 400 {
            assert_eq!(json["status"], *status);
            assert!(json["code"].is_string() && json["detail"].is_string(), "{text}");
            // What a client wrote is not given back at length.
            assert!(body.len() < 1_024, "{text}");
        }
    } else {
        assert!(*status < 400, "{status} {kind}: {text}");
    }
    let is_to_head = message.method == Method::HEAD;
    if let Ok(bytes) = header("content-length").parse::<usize>() {
        assert!(is_to_head || bytes == body.len(), "{bytes} of {}", body.len());
    }
}

/// The database, which the store has and the world, too.
#[derive(Debug)]
struct Shared(Rc<Driver>);

impl Sql for Shared {
    fn query(&self, statement: &str, parameters: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError> {
        self.0.query(statement, parameters)
    }
}

/// An image is what it begins like: of three frames a GIF, of one a JPEG or PNG. All have 40 x 30 pixels.
struct ByFirstBytes;

impl Probing for ByFirstBytes {
    fn header<'a>(&'a self, _: &ImageLimits) -> Box<dyn Header + 'a> {
        Box::new(FirstBytes(Vec::new()))
    }

    fn check(&self, _: &SourceInfo, _: &Options, _: &ImageLimits) -> Result<(), ImagingError> {
        Ok(())
    }
}

struct FirstBytes(Vec<u8>);

impl Header for FirstBytes {
    fn feed(&mut self, piece: &[u8]) -> Result<Option<SourceFormat>, ImagingError> {
        let missing = 4_usize.saturating_sub(self.0.len());
        self.0.extend_from_slice(&piece[..missing.min(piece.len())]);
        if self.0.len() < 4 { Ok(None) } else { self.source().map(|source| Some(source.format)) }
    }

    fn source(&mut self) -> Result<SourceInfo, ImagingError> {
        let (format, frames) = match self.0.as_slice() {
            [b'G', b'I', b'F', _] => (SourceFormat::Gif, 3),
            [0xFF, 0xD8, ..] => (SourceFormat::Jpeg, 1),
            [0x89, b'P', b'N', b'G'] => (SourceFormat::Png, 1),
            _ => return Err(ImagingError::UnsupportedFormat(None)),
        };
        Ok(SourceInfo {
            format,
            width: 40,
            height: 30,
            frames,
            orientation: 1,
            has_alpha: false,
            hidden_pixels: 0,
        })
    }
}

/// Both kinds of service.
pub fn worlds() -> [World; 2] {
    [World::new(false), World::new(true)]
}
