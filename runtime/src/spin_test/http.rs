//! Exchanges of a suite with the component under test (`fermyon:spin-test/http-helper`, `wasi:http/incoming-handler`), and what its
//! outgoing requests meet (`fermyon:spin-wasi-virt/http-handler`).
//!
//! The suite plays the client with WASI's types for clients, and the helper turns its request into one for servers. Both sides have stores
//! of their own, so a request is taken out of the suite's table whole, and a response put into it whole.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt as _, Full};
use wasmtime::{bail, component::Resource};
use wasmtime_wasi::p2::{InputStream as _, StreamError};
use wasmtime_wasi_http::{
    FieldMap, WasiBody, WasiHttpView as _,
    p2::{
        bindings::http::types::{HostIncomingRequest as _, Scheme},
        body::HostIncomingBody,
        types::{
            HostIncomingRequest, HostIncomingResponse, HostOutgoingRequest, HostOutgoingResponse,
            HostResponseOutparam,
        },
    },
};

use super::{
    answers::Answer,
    bindings::{
        fermyon::{
            spin_test::http_helper::{self, HostResponseReceiver},
            spin_wasi_virt::http_handler::{self, ResponseHandler},
        },
        wasi::http::incoming_handler,
    },
    state::SuiteState,
};

/// The host that a request is for where the suite names none.
const HOST: &str = "localhost";
/// Read from a body at once.
const READ_BYTES: usize = 64 * 1024;

/// Where a response waits to be taken; shared with the outparam that it is set through.
#[expect(unreachable_pub, reason = "generated code re-exports it")]
#[derive(Clone, Default)]
pub struct Receiver(Arc<Mutex<Option<Response<WasiBody>>>>);

impl Receiver {
    fn put(&self, response: Response<WasiBody>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(response);
    }

    fn take(&self) -> Option<Response<WasiBody>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

fn whole(bytes: Bytes) -> WasiBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

impl http_helper::Host for SuiteState {
    async fn new_request(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        body: Option<Resource<HostIncomingBody>>,
    ) -> wasmtime::Result<Resource<HostIncomingRequest>> {
        let request = self.table.delete(request)?;
        let body = body.map(|body| self.table.delete(body)).transpose()?;
        let mut made = Request::new(request.body.unwrap_or_else(|| whole(Bytes::new())));
        *made.method_mut() = request.method.try_into()?;
        *made.uri_mut() = request.path_with_query.as_deref().unwrap_or("/").parse::<Uri>()?;
        *made.headers_mut() = request.headers.into();
        let host = HeaderValue::try_from(request.authority.as_deref().unwrap_or(HOST))?;
        made.headers_mut().insert(header::HOST, host);
        let scheme = request.scheme.unwrap_or(Scheme::Http);
        let made = self.http().new_incoming_request(scheme, made)?;
        if let Some(body) = body {
            self.table.get_mut(&made)?.body = Some(body);
        }
        Ok(made)
    }

    async fn new_response(
        &mut self,
    ) -> wasmtime::Result<(Resource<HostResponseOutparam>, Resource<Receiver>)> {
        let receiver = Receiver::default();
        let set = receiver.clone();
        // An error in the place of a response leaves nothing to be taken.
        let outparam = self.http().new_response_outparam_from_callback(move |response| {
            if let Ok(response) = response {
                set.put(response);
            }
        })?;
        Ok((outparam, self.table.push(receiver)?))
    }
}

impl HostResponseReceiver for SuiteState {
    async fn get(
        &mut self,
        receiver: Resource<Receiver>,
    ) -> wasmtime::Result<Option<Resource<HostIncomingResponse>>> {
        let Some(response) = self.table.get(&receiver)?.take() else { return Ok(None) };
        let (parts, body) = response.into_parts();
        let response = HostIncomingResponse {
            status: parts.status.as_u16(),
            headers: FieldMap::new_immutable(self.http().hooks, parts.headers),
            body: Some(HostIncomingBody::new(body)),
        };
        Ok(Some(self.table.push(response)?))
    }

    async fn drop(&mut self, receiver: Resource<Receiver>) -> wasmtime::Result<()> {
        self.table.delete(receiver)?;
        Ok(())
    }
}

impl incoming_handler::Host for SuiteState {
    async fn handle(
        &mut self,
        request: Resource<HostIncomingRequest>,
        response_out: Resource<HostResponseOutparam>,
    ) -> wasmtime::Result<()> {
        let request = self.taken(request).await?;
        let outparam = self.table.delete(response_out)?;
        if let Some(response) = self.subject.answer(request, &self.world, &self.log).await? {
            (outparam.send)(Ok(response.map(whole)));
        }
        Ok(())
    }
}

impl SuiteState {
    /// A request out of the table, with all of its body.
    async fn taken(&mut self, request: Resource<HostIncomingRequest>) -> wasmtime::Result<Request<Bytes>> {
        let borrow = || Resource::new_borrow(request.rep());
        let mut http = self.http();
        let mut made = Request::new(Bytes::new());
        *made.method_mut() = http.method(borrow())?.try_into()?;
        if let Some(path) = http.path_with_query(borrow())? {
            *made.uri_mut() = path.parse()?;
        }
        let host = http.authority(borrow())?;
        let headers = http.headers(borrow())?;
        *made.headers_mut() = HeaderMap::from(self.table.delete(headers)?);
        if let Some(host) = host {
            made.headers_mut().insert(header::HOST, HeaderValue::try_from(host)?);
        }
        if let Some(body) = self.table.delete(request)?.body {
            // Tokio would have a task that reads much look unfinished, to let others run.
            let reading = tokio::task::unconstrained(async { read(body) });
            *made.body_mut() = reading.await?;
        }
        Ok(made)
    }
}

/// All of a body, which must be finished: nobody can write to it while the component under test reads.
fn read(mut body: HostIncomingBody) -> wasmtime::Result<Bytes> {
    let mut all = BytesMut::new();
    let Some(mut stream) = body.take_stream() else {
        bail!("the body of a request is being read by the suite")
    };
    loop {
        match stream.read(READ_BYTES) {
            Ok(piece) if piece.is_empty() => bail!("the body of a request is not finished"),
            Ok(piece) => all.extend_from_slice(&piece),
            Err(StreamError::Closed) => return Ok(all.freeze()),
            Err(StreamError::LastOperationFailed(error) | StreamError::Trap(error)) => {
                bail!("the body of a request broke off: {error}")
            }
        }
    }
}

impl http_handler::Host for SuiteState {
    async fn set_response(&mut self, url: String, response: ResponseHandler) -> wasmtime::Result<()> {
        let answer = match response {
            ResponseHandler::Echo => Answer::Echo,
            ResponseHandler::Response(response) => {
                let response: HostOutgoingResponse = self.table.delete(response)?;
                Answer::Response(Response::try_from(response)?)
            }
        };
        self.world.answers.set(&url, answer).map_err(wasmtime::Error::msg)
    }
}
