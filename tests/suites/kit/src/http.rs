//! One exchange with the component under test: a request made here, answered there, read back whole.

use serde_json::Value;
use wasi::http::types::{Headers, IncomingResponse, Method, OutgoingBody, OutgoingRequest};

use crate::bindings::{fermyon::spin_test::http_helper, wasi::http::incoming_handler};

/// Bytes written or read at once; a stream takes at most 4096 in one blocking write.
const CHUNK_BYTES: usize = 4096;

/// A request to the component under test.
#[derive(Debug)]
pub struct Request {
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// `GET path`.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::Get, path)
    }

    /// `POST path`.
    #[must_use]
    pub fn post(path: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::new(Method::Post, path) }
    }

    /// `method path`, without a body.
    #[must_use]
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Has the component under test answer it.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn send(self) -> Reply {
        let headers = Headers::new();
        for (name, value) in &self.headers {
            headers.append(name, &value.clone().into_bytes()).expect("a header that may be set");
        }
        let request = OutgoingRequest::new(headers);
        request.set_method(&self.method).expect("a valid method");
        request.set_path_with_query(Some(&self.path)).expect("a valid path");
        let body = request.body().expect("a new request has its body");
        {
            let stream = body.write().expect("a new body has its stream");
            for chunk in self.body.chunks(CHUNK_BYTES) {
                stream.blocking_write_and_flush(chunk).expect("the body is buffered");
            }
        }
        OutgoingBody::finish(body, None).expect("the body is whole");

        let (response_out, receiver) = http_helper::new_response();
        incoming_handler::handle(http_helper::new_request(request, None), response_out);
        Reply::read(&receiver.get().expect("the component answered"))
    }
}

/// What the component answered, read whole.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    headers: Vec<(String, Vec<u8>)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Reply {
    fn read(response: &IncomingResponse) -> Self {
        let status = response.status();
        let headers = response.headers().entries();
        let body = response.consume().expect("nobody has taken the body");
        let stream = body.stream().expect("nobody has taken the stream");
        let mut bytes = Vec::new();
        while let Ok(chunk) = stream.blocking_read(CHUNK_BYTES as u64) {
            bytes.extend(chunk);
        }
        Self { status, headers, body: bytes }
    }

    /// The value of a header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }
}
