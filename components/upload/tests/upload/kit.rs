//! The service over capabilities in memory, and what tests send to it.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use futures::StreamExt;
use futures::executor::block_on;
use http::HeaderMap;
use serde_json::Value;
use thumbs_domain::list::ListQuery;
use thumbs_domain::owner::Reach;
use thumbs_guest::http::park::Offer;
use thumbs_guest::http::{Body, body};
use thumbs_guest::jobs::{JobStore, SqlJobStore};
use thumbs_guest::log::Log;
use thumbs_guest::sql::Sqlite;
use thumbs_guest::testing::{
    CountingWake, Driver, FixedVariables, ManualClock, MemoryBlobs, ScriptedImaging, TestIds, memory_store,
    request, text,
};
use thumbs_upload::Upload;

pub(crate) const BOUNDARY: &str = "----b";

pub(crate) struct Service {
    pub(crate) store: SqlJobStore<Driver, Sqlite>,
    pub(crate) store_is_down: Arc<AtomicBool>,
    pub(crate) blobs: MemoryBlobs,
    pub(crate) imaging: ScriptedImaging,
    pub(crate) wake: CountingWake,
    pub(crate) callbacks: CountingWake,
    pub(crate) clock: ManualClock<'static>,
    pub(crate) ids: TestIds,
    pub(crate) variables: FixedVariables,
    pub(crate) log: Log,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Service {
    pub(crate) fn new() -> Self {
        let (store, store_is_down) = memory_store();
        Self {
            store,
            store_is_down,
            blobs: MemoryBlobs::default(),
            imaging: ScriptedImaging::jpeg(),
            wake: CountingWake::default(),
            callbacks: CountingWake::default(),
            clock: ManualClock::default(),
            ids: TestIds,
            variables: FixedVariables::small(),
            log: Log::new("test"),
        }
    }

    pub(crate) fn upload<'a>(&'a self, store: &'a dyn JobStore) -> Upload<'a> {
        Upload {
            store,
            batches: &self.store,
            blobs: &self.blobs,
            imaging: &self.imaging,
            wake: &self.wake,
            wake_now: &self.wake,
            offer: Offer::default(),
            callbacks: &self.callbacks,
            clock: &self.clock,
            ids: &self.ids,
            variables: &self.variables,
            log: &self.log,
        }
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        self.send_to(&self.store, method, path, headers, body)
    }

    pub(crate) fn send_to(
        &self,
        store: &dyn JobStore,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Answer {
        let request = request(method, path, headers);
        let upload = self.upload(store);
        let (status, headers, text) = text(&request, block_on(upload.handle(&request, body)));
        Answer { status, headers, text }
    }

    pub(crate) fn post(&self, query: &str, headers: &[(&str, &str)], bytes: &[u8]) -> Answer {
        self.send("POST", &format!("/jobs{query}"), headers, body::from_bytes(bytes.to_vec()))
    }

    pub(crate) fn post_form(&self, query: &str, parts: &[(&str, &str)]) -> Answer {
        let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
        self.post(query, &[("content-type", &content_type)], form(parts).as_bytes())
    }

    pub(crate) fn jobs(&self) -> usize {
        let everything = ListQuery { status: None, code: None, limit: 100, after: None };
        self.store.list(&everything, Reach::All).unwrap().jobs.len()
    }

    /// Nothing stays of a request that was refused.
    pub(crate) fn assert_untouched(&self) {
        assert_eq!((self.jobs(), self.blobs.keys().len(), self.wake.count()), (0, 0, 0));
        assert_eq!(self.blobs.open_writers(), 0);
    }
}

pub(crate) fn form(parts: &[(&str, &str)]) -> String {
    let part = |(name, value): &(&str, &str)| {
        format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"x.txt\"\r\n\r\n{value}\r\n"
        )
    };
    let parts: String = parts.iter().map(part).collect();
    format!("{parts}--{BOUNDARY}--\r\n")
}

/// A body that never ends, and counts how often it was asked for another 100 bytes.
pub(crate) fn endless(head: &str, asked: Rc<Cell<u32>>) -> Body {
    let head = futures::stream::once(std::future::ready(Ok(Bytes::from(head.to_owned()))));
    let tail = futures::stream::repeat_with(move || {
        asked.set(asked.get() + 1);
        Ok(Bytes::from_static(&[7; 100]))
    });
    head.chain(tail).boxed_local()
}
