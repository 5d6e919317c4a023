//! A request for what is there, by any path, query and headers: the answer is well formed and no fault of ours; a part of the thumbnail is the
//! part it is said to be; nobody gets anything without the key, where there are keys.

#![no_main]

use std::cell::RefCell;

use http::Method;
use thumbs_guests_fuzz::message::Message;
use thumbs_guests_fuzz::world::{Answer, THUMBNAIL, World, check, worlds};

thread_local! {
    static WORLDS: RefCell<[World; 2]> = RefCell::new(worlds());
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| -> libfuzzer_sys::Corpus {
    let Some(message) = Message::read(input) else { return libfuzzer_sys::Corpus::Reject };
    WORLDS.with_borrow_mut(|[open, keyed]| {
        open.anew(|world| ask(world, &message));
        let answer = keyed.anew(|world| ask(world, &message));
        let shows = |name: &str| message.headers.contains_key(name);
        let is_link = message.target.starts_with("/thumbnails/") && message.target.contains("signature=");
        if answer.status < 400 && !shows("authorization") && !shows("x-api-key") && !is_link {
            assert_eq!(message.method, Method::OPTIONS, "nobody is let in without a key: {answer:?}");
        }
    });
    libfuzzer_sys::Corpus::Keep
});

fn ask(world: &World, message: &Message<'_>) -> Answer {
    let answer = world.ask(message, message.piece);
    check(message, &answer);
    let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok());
    if header("content-type") == Some("image/gif") && message.method == Method::GET {
        match answer.status {
            200 => assert_eq!(answer.body, THUMBNAIL),
            206 => {
                let range = header("content-range").and_then(|range| range.strip_prefix("bytes "));
                let (range, whole) = range.and_then(|range| range.split_once('/')).expect("a range");
                let (first, last) = range.split_once('-').expect("two ends");
                let (first, last): (usize, usize) = (first.parse().expect("one"), last.parse().expect("two"));
                assert_eq!(whole.parse(), Ok(THUMBNAIL.len()));
                assert_eq!(answer.body, THUMBNAIL[first..=last]);
            }
            status => panic!("{status} with a picture"),
        }
    }
    if answer.status == 304 {
        assert!(message.headers.contains_key("if-none-match") && answer.body.is_empty());
    }
    answer
}
