//! A component that answers requests: one instance for each, and within its bounds.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::oneshot;
use wasmtime_wasi_http::{
    Error, WasiHttpView as _,
    p2::{
        bindings::{
            ProxyPre,
            http::types::{ErrorCode, Scheme},
        },
        body::HyperOutgoingBody,
    },
};

use crate::{
    instance::{Call, CallBounds, CallFailure, ComponentContext, Prepared, State},
    telemetry::Event,
};

/// What a component answers with; its body may still be written then.
pub type Answer = Result<Response<HyperOutgoingBody>, ErrorCode>;

/// A component that answers requests.
pub struct Handler {
    prepared: Prepared,
    pre: ProxyPre<State>,
    bounds: CallBounds,
}

impl Handler {
    /// Of a prepared component.
    ///
    /// # Errors
    /// It does not export `wasi:http/incoming-handler@0.2`.
    pub fn new(prepared: Prepared) -> wasmtime::Result<Self> {
        let bounds = CallBounds::of_request(&prepared.context().limits);
        Ok(Self { pre: prepared.http()?, prepared, bounds })
    }

    /// What is the same for every request.
    #[must_use]
    pub fn context(&self) -> &Arc<ComponentContext> {
        self.prepared.context()
    }

    /// The component's id in the manifest.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.context().id
    }

    /// A guest's whole life: a fresh instance that is handed this request, answers through `answer`, if at all, and may go on after
    /// that. `id` is the correlation id.
    ///
    /// # Errors
    /// The guest was stopped or trapped, which was logged.
    ///
    /// # Cancel safety
    /// Dropping it stops the guest where it is.
    pub async fn run<B>(
        &self,
        request: Request<B>,
        answer: oneshot::Sender<Answer>,
        id: &Arc<str>,
    ) -> Result<(), CallFailure>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Error>,
    {
        let call = Call { correlation_id: Some(Arc::clone(id)), ..Call::default() };
        let mut store = self.prepared.store(self.bounds, call);
        let meter = store.data().meter();
        let call = async {
            let mut http = store.data_mut().http();
            let request = http.new_incoming_request(Scheme::Http, request)?;
            let answer = http.new_response_outparam(answer)?;
            let guest = self.pre.instantiate_async(&mut store).await?;
            guest.wasi_http_incoming_handler().call_handle(&mut store, request, answer).await
        };
        let result = match tokio::time::timeout(self.bounds.timeout, meter.measure(call)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(CallFailure::of(&store, &error)),
            Err(_) => Err(CallFailure::timed_out()),
        };
        drop(store);
        if let Err(failure) = &result {
            let event = Event::RequestFailed { reason: failure.kind.name(), cause: Some(&failure.text) };
            self.context().log.of(self.id(), Some(id), &event);
        }
        result
    }
}
