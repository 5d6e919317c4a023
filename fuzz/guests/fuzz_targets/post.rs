//! A request with a body, through gate and handler: whatever it is, the answer is well formed and no fault of ours, a refusal leaves nothing
//! behind, every original belongs to a job, and the request sent again under its key makes no second job.

#![no_main]

use std::cell::RefCell;

use http::Method;
use thumbs_guests_fuzz::message::Message;
use thumbs_guests_fuzz::world::{Answer, World, check, worlds};

thread_local! {
    static WORLDS: RefCell<[World; 2]> = RefCell::new(worlds());
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| -> libfuzzer_sys::Corpus {
    let Some(message) = Message::read(input) else { return libfuzzer_sys::Corpus::Reject };
    WORLDS.with_borrow_mut(|worlds| {
        for world in worlds {
            let whole = world.anew(|world| send(world, &message, usize::MAX));
            let in_pieces = world.anew(|world| send(world, &message, message.piece));
            assert_eq!(of(&whole), of(&in_pieces), "in pieces of {}", message.piece);
        }
    });
    libfuzzer_sys::Corpus::Keep
});

fn send(world: &World, message: &Message<'_>, piece: usize) -> Answer {
    let answer = world.ask(message, piece);
    check(message, &answer);
    let jobs = world.jobs();
    assert_eq!(jobs, world.originals(), "originals belong to jobs, and jobs have originals");
    if message.method != Method::POST || answer.status >= 400 {
        assert_eq!(jobs.len(), 0, "{} {}", message.method, answer.status);
    }
    // A job that was tried again is another one in between.
    let is_upload = message.target.starts_with("/jobs?") || message.target == "/jobs";
    if is_upload && answer.status < 300 && message.headers.contains_key("idempotency-key") && !jobs.is_empty()
    {
        let again = world.ask(message, piece);
        check(message, &again);
        assert_eq!((again.status, world.jobs()), (answer.status, jobs));
        assert!(again.headers.contains_key("idempotency-replayed"));
    }
    answer
}

/// What does not differ between two answers to one request: ids do.
fn of(answer: &Answer) -> (u16, Option<String>, usize) {
    let code = serde_json::from_slice::<serde_json::Value>(&answer.body).ok();
    let code = code.as_ref().and_then(|json| json["code"].as_str()).map(str::to_owned);
    (answer.status, code, answer.body.len())
}
