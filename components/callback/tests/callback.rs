//! What becomes of a callback, by what the receiver answers and by what goes wrong around it.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::cell::RefCell;
use std::time::Duration;

use serde_json::{Value, json};
use thumbs_access::{CallbackSecrets, LinkSecrets};
use thumbs_callback::{Carry, Message, Teller};
use thumbs_domain::callback::{
    Answer, Callback, CallbackFault, CallbackHosts, CallbackPolicy, CallbackState, CallbackUrl,
};
use thumbs_domain::id::{JobId, WorkerId};
use thumbs_domain::job::NewJob;
use thumbs_domain::owner::{Owner, Reach};
use thumbs_guest::clock::Clock;
use thumbs_guest::config::Links;
use thumbs_guest::jobs::{Callbacks, JobStore, Life, SqlJobStore, StoreError};
use thumbs_guest::log::Log;
use thumbs_guest::sql::Sqlite;
use thumbs_guest::testing::{CountingWake, Driver, ManualClock, end_job, memory_store, new_job};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";

/// A receiver that keeps what it gets, and does something meanwhile.
struct Receiver<'a> {
    answer: Result<Answer, CallbackFault>,
    got: RefCell<Vec<(String, Message)>>,
    meanwhile: &'a dyn Fn(),
}

impl Receiver<'_> {
    fn answering(answer: Result<u16, CallbackFault>) -> Self {
        let answer = answer.map(|status| Answer { status, retry_after_secs: None });
        Self { answer, got: RefCell::default(), meanwhile: &|| {} }
    }
}

impl Carry for Receiver<'_> {
    fn carry(&self, url: &CallbackUrl, message: &Message) -> Result<Answer, CallbackFault> {
        self.got.borrow_mut().push((url.as_str().to_owned(), message.clone()));
        (self.meanwhile)();
        self.answer
    }
}

struct Service {
    store: SqlJobStore<Driver, Sqlite>,
    is_down: std::sync::Arc<std::sync::atomic::AtomicBool>,
    wake: CountingWake,
    hosts: &'static str,
    secrets: &'static str,
    links: Links,
}

impl Service {
    fn new() -> Self {
        let (store, is_down) = memory_store();
        Self {
            store,
            is_down,
            wake: CountingWake::default(),
            hosts: "hooks.example",
            secrets: SECRET,
            links: Links::default(),
        }
    }

    /// A job that has ended, with this thumbnail or none, of which this one is to be told.
    fn ended(&self, owner: Option<&str>, thumbnail: Option<&[u8]>) -> JobId {
        let callback = CallbackUrl::parse("https://hooks.example/a");
        let job = NewJob { callback, owner: owner.and_then(Owner::parse), ..new_job() };
        self.store.create(&job).unwrap();
        end_job(&self.store, &job.id, thumbnail);
        job.id
    }

    fn wake_up(&self, receiver: &Receiver<'_>, clock: &dyn Clock) -> Result<(), StoreError> {
        let teller = Teller {
            store: &self.store,
            carry: receiver,
            wake: &self.wake,
            clock,
            worker: &WorkerId::new("teller"),
            lot: 0,
            hosts: CallbackHosts::parse(self.hosts).unwrap(),
            secrets: CallbackSecrets::parse(self.secrets).unwrap(),
            links: self.links.clone(),
            policy: CallbackPolicy { max_attempts: 3, backoff_ms: 1000 },
            log: &Log::new("test"),
        };
        teller.handle()
    }

    fn callback(&self, job: &JobId) -> Callback {
        self.store.get(job, Reach::All).unwrap().unwrap().callback.unwrap()
    }
}

fn later(secs: u64) -> ManualClock<'static> {
    let clock = ManualClock::default();
    clock.advance(Duration::from_secs(secs));
    clock
}

#[test]
fn a_receiver_gets_the_job_signed() {
    let service = Service::new();
    let id = service.ended(None, Some(b"made"));
    let receiver = Receiver::answering(Ok(204));
    assert_eq!(service.wake_up(&receiver, &later(5)), Ok(()));
    let got = receiver.got.borrow();
    let [(url, message)] = &got[..] else { panic!("one message") };
    assert_eq!(url, "https://hooks.example/a");
    let body: Value = serde_json::from_slice(&message.body).unwrap();
    assert_eq!((&body["type"], &body["data"]["job_id"]), (&"job.succeeded".into(), &id.to_string().into()));
    assert_eq!(body["timestamp"], body["data"]["updated_at"]);
    assert_eq!(body["data"]["callback"]["attempts"], 1);
    assert!(
        !String::from_utf8_lossy(&message.body).contains("hooks.example"),
        "who asks for the job does not see it"
    );
    let now = later(5).now().unix_millis();
    assert_eq!(message.timestamp_secs, now / 1000);
    assert_eq!(message.id, format!("{id}-{}", ManualClock::START.unix_millis()));
    let secrets = CallbackSecrets::parse(SECRET).unwrap();
    assert_eq!(message.signature, secrets.sign(&message.id, message.timestamp_secs, &message.body));
    let callback = service.callback(&id);
    assert_eq!((callback.state, callback.last_status), (CallbackState::Delivered, Some(204)));
    assert_eq!(callback.delivered_at, Some(later(5).now()));

    drop(got);
    assert_eq!(service.wake_up(&receiver, &later(1_000_000)), Ok(()));
    assert_eq!(receiver.got.borrow().len(), 1, "nobody is told twice");
}

#[test]
fn a_failed_job_is_told_of_as_well() {
    let service = Service::new();
    service.ended(None, None);
    let receiver = Receiver::answering(Ok(200));
    assert_eq!(service.wake_up(&receiver, &ManualClock::default()), Ok(()));
    let body: Value = serde_json::from_slice(&receiver.got.borrow()[0].1.body).unwrap();
    assert_eq!(
        (&body["type"], &body["data"]["error"]["code"]),
        (&"job.failed".into(), &"source-missing".into())
    );
}

#[test]
fn an_owners_receiver_gets_a_link_and_does_not_see_the_owner() {
    let mut service = Service::new();
    let secrets = LinkSecrets::parse("0123456789abcdef0123456789abcdef").unwrap();
    service.links = Links { secrets, secs: 3600 };
    service.ended(Some("shop"), Some(b"made"));
    service.ended(None, Some(b"made"));
    let receiver = Receiver::answering(Ok(200));
    assert_eq!(service.wake_up(&receiver, &ManualClock::default()), Ok(()));
    assert_eq!(service.wake_up(&receiver, &ManualClock::default()), Ok(()));
    let got = receiver.got.borrow();
    let bodies: Vec<Value> =
        got.iter().map(|(_, message)| serde_json::from_slice(&message.body).unwrap()).collect();
    let with_links =
        bodies.iter().filter(|body| body["data"]["links"]["signed_thumbnail"].is_string()).count();
    assert_eq!((bodies.len(), with_links), (2, 1));
    assert!(bodies.iter().all(|body| body["data"].get("owner").is_none()));
}

#[test]
fn a_receiver_that_does_not_take_it_is_told_again_under_the_same_id() {
    let service = Service::new();
    let id = service.ended(None, Some(b"made"));
    let receiver = Receiver::answering(Ok(503));
    for (at_secs, attempts, due_secs) in [(0, 1, Some(1)), (0, 1, Some(1)), (1, 2, Some(4)), (4, 3, None)] {
        assert_eq!(service.wake_up(&receiver, &later(at_secs)), Ok(()));
        let callback = service.callback(&id);
        assert_eq!((callback.attempts, callback.last_status), (attempts, Some(503)));
        assert_eq!(callback.due_at, due_secs.map(|secs| later(secs).now()));
    }
    assert_eq!(service.callback(&id).state, CallbackState::Failed);
    let got = receiver.got.borrow();
    assert_eq!(got.len(), 3);
    assert!(got.iter().all(|(_, message)| message.id == got[0].1.id));
}

#[test]
fn why_there_was_no_answer_is_written_down() {
    let service = Service::new();
    let id = service.ended(None, Some(b"made"));
    assert_eq!(service.wake_up(&Receiver::answering(Err(CallbackFault::TimedOut)), &later(0)), Ok(()));
    let callback = service.callback(&id);
    assert_eq!((callback.last_error.as_deref(), callback.last_status), (Some("timed-out"), None));
}

#[test]
fn whom_the_operator_allows_no_longer_is_not_told() {
    for (hosts, secrets) in [("", SECRET), ("other.example", SECRET), ("hooks.example", "")] {
        let service = Service { hosts, secrets, ..Service::new() };
        let id = service.ended(None, Some(b"made"));
        let receiver = Receiver::answering(Ok(200));
        assert_eq!(service.wake_up(&receiver, &later(0)), Ok(()));
        assert_eq!(receiver.got.borrow().len(), 0);
        let callback = service.callback(&id);
        assert_eq!(
            (callback.state, callback.last_error.as_deref()),
            (CallbackState::Pending, Some("host-not-allowed"))
        );
    }
}

#[test]
fn where_more_is_to_be_told_another_is_woken() {
    let service = Service::new();
    service.ended(None, Some(b"made"));
    service.ended(None, Some(b"made"));
    let receiver = Receiver::answering(Ok(200));
    // At once, and when this one has its answer, for another may have waited for that.
    for woken in [2, 2, 2] {
        assert_eq!(service.wake_up(&receiver, &later(0)), Ok(()));
        assert_eq!(service.wake.count(), woken);
    }
    assert_eq!(receiver.got.borrow().len(), 2);
}

#[test]
fn who_waited_for_a_receiver_to_have_a_place_is_woken_when_it_has_one() {
    let service = Service::new();
    for _ in 0..9 {
        service.ended(None, Some(b"made"));
    }
    let now = later(0).now();
    let claim = |worker: &str| {
        service.store.claim_callback(&WorkerId::new(worker), now.plus_millis(60_000), now).unwrap()
    };
    let waiting: Vec<_> = (0..7).map_while(|number| claim(&number.to_string())).collect();
    assert_eq!(waiting.len(), 7);
    let nobody_more = || assert_eq!(claim("ninth"), None, "the receiver keeps eight waiting");
    let receiver = Receiver { meanwhile: &nobody_more, ..Receiver::answering(Ok(200)) };
    assert_eq!(service.wake_up(&receiver, &later(0)), Ok(()));
    assert_eq!(service.wake.count(), 1, "once it has answered, and not before");
    assert!(claim("ninth").is_some());
}

#[test]
fn a_worker_that_never_came_back_costs_an_attempt_and_in_the_end_the_callback() {
    let service = Service::new();
    let id = service.ended(None, Some(b"made"));
    for attempt in 0..3 {
        let now = later(attempt * 60).now();
        let claimed =
            service.store.claim_callback(&WorkerId::new("lost"), now.plus_millis(60_000), now).unwrap();
        assert!(claimed.is_some(), "attempt {attempt}");
    }
    let receiver = Receiver::answering(Ok(200));
    assert_eq!(service.wake_up(&receiver, &later(180)), Ok(()));
    assert_eq!(receiver.got.borrow().len(), 0);
    let callback = service.callback(&id);
    assert_eq!(
        (callback.state, callback.last_error.as_deref()),
        (CallbackState::Failed, Some("worker-lost"))
    );
}

#[test]
fn a_job_that_is_deleted_while_somebody_is_told_of_it_stays_so() {
    let service = Service::new();
    let id = service.ended(None, Some(b"made"));
    let delete = || assert_eq!(service.store.delete(&id, Reach::All), Ok(true));
    let receiver = Receiver { meanwhile: &delete, ..Receiver::answering(Ok(200)) };
    assert_eq!(service.wake_up(&receiver, &later(0)), Ok(()));
    assert_eq!(service.store.get(&id, Reach::All), Ok(None));
}

#[test]
fn what_was_delivered_is_written_down_though_the_store_is_away_for_a_moment() {
    use std::sync::atomic::Ordering::Relaxed;
    let service = Service::new();
    let id = service.ended(None, Some(b"made"));
    let take_down = || service.is_down.store(true, Relaxed);
    let receiver = Receiver { meanwhile: &take_down, ..Receiver::answering(Ok(200)) };
    // It is back while this one sleeps.
    let clock = ManualClock::with_others(|_| service.is_down.store(false, Relaxed));
    assert_eq!(service.wake_up(&receiver, &clock), Ok(()));
    assert_eq!(service.callback(&id).state, CallbackState::Delivered);

    let id = service.ended(None, Some(b"made"));
    let clock = ManualClock::default();
    let error = service.wake_up(&receiver, &clock).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    service.is_down.store(false, Relaxed);
    assert_eq!(service.callback(&id).state, CallbackState::Pending, "it is told again when the lease ends");
    assert_eq!(json!(service.callback(&id).attempts), 1);
}
