//! The surroundings of one handler while it runs: they pass its calls on, remember what these gave, and stop it when it has made as many as it may.

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher as _};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::Duration;

use thumbs_domain::id::WorkerId;
use thumbs_domain::id::{JobId, NotAJobId};
use thumbs_domain::object_key::ObjectKey;
use thumbs_domain::timestamp::Timestamp;
use thumbs_domain::trace::{CorrelationId, NotUsable};
use thumbs_guest::blobs::{BlobError, BlobReader, BlobWriter, Blobs, Written};
use thumbs_guest::clock::Clock;
use thumbs_guest::digest::sha256;
use thumbs_guest::ids::Ids;
use thumbs_guest::log::Log;
use thumbs_guest::sql::{Sql, SqlError, SqlRow, SqlValue};
use thumbs_guest::wake::{Publish, Tell};

use crate::world::World;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is done, and the handler hears of it.
    Done,
    /// It is done, and the handler hears that nobody knows.
    AnswerLost,
    /// It is not done, and the handler hears that nobody knows.
    Stopped,
}

impl Fate {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Done, Self::AnswerLost, Self::Stopped];
}

/// What a call gave.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Rows(Result<Vec<SqlRow>, SqlError>),
    Bytes(Result<Vec<u8>, BlobError>),
    Nothing(Result<(), BlobError>),
    Keys(Result<Vec<String>, BlobError>),
    Now(Timestamp),
    Elapsed(Duration),
    Woken,
}

/// All that a handler's calls gave it, from its beginning on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past {
    answers: Vec<Rc<Answer>>,
    /// Of all of them, in their order.
    digest: u64,
}

impl Past {
    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }

    fn add(&mut self, answer: Rc<Answer>) {
        struct Into(DefaultHasher);
        impl std::fmt::Write for Into {
            fn write_str(&mut self, text: &str) -> std::fmt::Result {
                self.0.write(text.as_bytes());
                Ok(())
            }
        }
        let mut hasher = Into(DefaultHasher::new());
        hasher.0.write_u64(self.digest);
        write!(hasher, "{answer:?}").expect("nothing fails");
        self.digest = hasher.0.finish();
        self.answers.push(answer);
    }
}

/// What a handler unwinds with that has made all the calls it may.
pub(crate) struct Paused;

/// One run of a handler.
pub(crate) struct Turn<'w> {
    pub(crate) world: &'w World,
    /// Which actor it is, counted over all.
    serial: u32,
    past: RefCell<Past>,
    /// How many answers the handler has heard again.
    heard: Cell<usize>,
    /// Calls that it may make yet.
    calls: Cell<u32>,
    fate: Fate,
    did: RefCell<Vec<String>>,
    ids: Cell<u32>,
    wake_ups: Cell<u32>,
}

impl<'w> Turn<'w> {
    /// A run of a handler with this past, which makes so many calls more. The fate is that of all these.
    pub(crate) fn new(world: &'w World, serial: u32, past: Past, calls: u32, fate: Fate) -> Self {
        Self {
            world,
            serial,
            past: RefCell::new(past),
            heard: Cell::new(0),
            calls: Cell::new(calls),
            fate,
            did: RefCell::default(),
            ids: Cell::new(0),
            wake_ups: Cell::new(0),
        }
    }

    /// What the handler has heard, the calls of this run in words, and how often it woke the workers in this run.
    pub(crate) fn end(self) -> (Past, Vec<String>, u32) {
        (self.past.into_inner(), self.did.into_inner(), self.wake_ups.get())
    }

    /// Under which id the handler takes leases.
    pub(crate) fn worker(serial: u32) -> WorkerId {
        WorkerId::new(format!("worker-{serial}"))
    }

    fn heard(&self) -> Option<Rc<Answer>> {
        let at = self.heard.get();
        self.heard.set(at + 1);
        self.past.borrow().answers.get(at).cloned()
    }

    /// What is the same however long it takes to ask.
    fn at_once(&self, give: impl FnOnce() -> Answer) -> Rc<Answer> {
        self.heard().unwrap_or_else(|| {
            let answer = Rc::new(give());
            self.past.borrow_mut().add(answer.clone());
            answer
        })
    }

    /// A step: others may come before it.
    fn call(
        &self,
        what: impl FnOnce() -> String,
        make: impl FnOnce() -> Answer,
        lost: impl FnOnce() -> Answer,
    ) -> Rc<Answer> {
        if let Some(answer) = self.heard() {
            return answer;
        }
        let Some(left) = self.calls.get().checked_sub(1) else { resume_unwind(Box::new(Paused)) };
        self.calls.set(left);
        let (answer, comment) = match self.fate {
            Fate::Done => (make(), ""),
            Fate::AnswerLost => {
                make();
                (lost(), ", and nobody hears of it")
            }
            Fate::Stopped => (lost(), ", which is not done, and nobody knows"),
        };
        self.did.borrow_mut().push(what() + comment);
        let answer = Rc::new(answer);
        self.past.borrow_mut().add(answer.clone());
        answer
    }

    fn blob_call(&self, what: &str, key: &ObjectKey, make: impl FnOnce()) -> Result<(), BlobError> {
        let make = || {
            make();
            Answer::Nothing(Ok(()))
        };
        match &*self.call(|| format!("{what} {key}"), make, || Answer::Nothing(Err(unknown()))) {
            Answer::Nothing(result) => result.clone(),
            other => strayed(other),
        }
    }
}

fn unknown() -> BlobError {
    BlobError::Unavailable("the connection broke".to_owned())
}

fn strayed(answer: &Answer) -> ! {
    panic!("the handler, run again, asks for something else than before, which gave {answer:?}")
}

/// The beginning of a statement, as far as it says which one it is.
fn named(statement: &str) -> String {
    statement.chars().take(60).collect::<String>() + "..."
}

impl Sql for Turn<'_> {
    fn query(&self, statement: &str, parameters: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError> {
        let make = || Answer::Rows(self.world.query(statement, parameters));
        let lost = || Answer::Rows(Err(SqlError::Unknown("the connection broke".to_owned())));
        match &*self.call(|| named(statement), make, lost) {
            Answer::Rows(rows) => rows.clone(),
            other => strayed(other),
        }
    }
}

impl Sql for &Turn<'_> {
    fn query(&self, statement: &str, parameters: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError> {
        Turn::query(self, statement, parameters)
    }
}

impl Blobs for Turn<'_> {
    fn put(&self, key: &ObjectKey, _: &str, data: &[u8]) -> Result<(), BlobError> {
        self.blob_call("put", key, || {
            self.world.blobs.borrow_mut().insert(key.to_string(), Rc::new(data.to_vec()));
        })
    }

    fn write<'a>(&'a self, key: &ObjectKey, _: &str) -> Result<Box<dyn BlobWriter + 'a>, BlobError> {
        Ok(Box::new(Writer { turn: self, key: key.clone(), data: Vec::new() }))
    }

    fn get(&self, key: &ObjectKey, max_bytes: u64) -> Result<Vec<u8>, BlobError> {
        let make = || {
            let data = self.world.blobs.borrow().get(key.as_str()).map(|data| data.as_ref().clone());
            Answer::Bytes(match data {
                None => Err(BlobError::NotFound),
                Some(data) if data.len() as u64 > max_bytes => Err(BlobError::TooLarge { max_bytes }),
                Some(data) => Ok(data),
            })
        };
        match &*self.call(|| format!("get {key}"), make, || Answer::Bytes(Err(unknown()))) {
            Answer::Bytes(bytes) => bytes.clone(),
            other => strayed(other),
        }
    }

    fn read<'a>(&'a self, key: &ObjectKey, max_bytes: u64) -> Result<Box<dyn BlobReader + 'a>, BlobError> {
        Ok(Box::new(Reader(self.get(key, max_bytes)?)))
    }

    fn delete(&self, key: &ObjectKey) -> Result<(), BlobError> {
        self.blob_call("delete", key, || {
            self.world.blobs.borrow_mut().remove(key.as_str());
        })
    }

    fn list(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<String>, BlobError> {
        let make = || {
            let blobs = self.world.blobs.borrow();
            let listed = blobs.keys().filter(|key| key.starts_with(prefix) && key.as_str() > after);
            Answer::Keys(Ok(listed.take(limit as usize).cloned().collect()))
        };
        match &*self.call(|| format!("list {prefix}"), make, || Answer::Keys(Err(unknown()))) {
            Answer::Keys(keys) => keys.clone(),
            other => strayed(other),
        }
    }
}

/// What is written is nowhere before its end, so its pieces are no steps.
struct Writer<'a> {
    turn: &'a dyn Blobs,
    key: ObjectKey,
    data: Vec<u8>,
}

impl BlobWriter for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.data.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Written, BlobError> {
        self.turn.put(&self.key, "", &self.data)?;
        Ok(Written { bytes: self.data.len() as u64, sha256: sha256(&self.data) })
    }
}

struct Reader(Vec<u8>);

impl BlobReader for Reader {
    fn read(&mut self) -> Result<Vec<u8>, BlobError> {
        Ok(std::mem::take(&mut self.0))
    }
}

impl Clock for Turn<'_> {
    fn now(&self) -> Timestamp {
        match &*self.at_once(|| Answer::Now(self.world.now())) {
            Answer::Now(now) => *now,
            other => strayed(other),
        }
    }

    fn elapsed(&self) -> Duration {
        match &*self.at_once(|| Answer::Elapsed(self.world.elapsed())) {
            Answer::Elapsed(elapsed) => *elapsed,
            other => strayed(other),
        }
    }

    /// Time goes by between two steps, if it does.
    fn sleep(&self, _: Duration) {}
}

impl Ids for Turn<'_> {
    fn job_id(&self, now: Timestamp) -> Result<JobId, NotAJobId> {
        self.ids.set(self.ids.get() + 1);
        let lowest = JobId::lowest_text_at(now);
        JobId::parse(&format!("{lowest}7000-8000-{:04x}{:08x}", self.ids.get(), self.serial))
    }

    fn correlation_id(&self) -> Result<CorrelationId, NotUsable> {
        CorrelationId::parse("drawn")
    }
}

impl Publish for Turn<'_> {
    fn publish(&self) -> Result<(), String> {
        self.at_once(|| {
            self.wake_ups.set(self.wake_ups.get() + 1);
            Answer::Woken
        });
        Ok(())
    }
}

impl Tell for Turn<'_> {
    fn ended(&self, _: &JobId, _: &Log) {}
}
