//! A component that answers requests: one instance for each, and within its bounds.

use std::{pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use tokio::{sync::oneshot, time::Instant};
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

use super::{
    access::NAMES_CALLER,
    arriving::ClientClock,
    parking::{PARK_BY_NOTE, PARKED_MS, PARKED_NOTE, ParkingLot},
    places::Place,
};
use crate::{
    capabilities::clock::OnSleep,
    instance::{Call, CallBounds, CallFailure, ComponentContext, Prepared, State},
    limits::length,
    telemetry::Event,
    traces::{CallTrace, Operation},
};

/// In the environment of a component that asks for it: the last lines of the log, a JSON object each.
pub const LOG_TAIL: &str = "LOG_TAIL";

/// What a component answers with; its body may still be written then.
pub type Answer = Result<Response<HyperOutgoingBody>, ErrorCode>;

/// A component that answers requests.
pub struct Handler {
    prepared: Prepared,
    pre: ProxyPre<State>,
    bounds: CallBounds,
    parking: Option<Arc<ParkingLot>>,
}

/// What a call is part of.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    /// Where the request is counted; none where nobody counts it.
    pub(super) place: Option<Arc<Place>>,
    /// What the client has been waited for; it does not count as the guest's time.
    pub(super) client: ClientClock,
    /// How the request can be kept waiting, where it can.
    pub(super) offer: Option<Offer>,
    /// Where it leaves spans.
    pub(super) trace: CallTrace,
}

/// How a request can be kept waiting.
#[derive(Debug)]
pub(super) enum Offer {
    /// As it is.
    Kept {
        /// For how long it has been.
        age: Duration,
        /// What the instance before left for this one.
        note: Option<Box<str>>,
    },
    /// Only by a note of what this instance did, for nobody can be asked the same once more.
    ByNote,
}

impl Offer {
    /// The variables of the environment by which a guest hears of it.
    fn environment(offer: Option<&Self>) -> Vec<(&'static str, String)> {
        match offer {
            None => Vec::new(),
            Some(Self::ByNote) => vec![(PARK_BY_NOTE, "1".to_owned())],
            Some(Self::Kept { age, note }) => {
                let age = (PARKED_MS, age.as_millis().to_string());
                let note = note.as_ref().map(|note| (PARKED_NOTE, note.to_string()));
                [Some(age), note].into_iter().flatten().collect()
            }
        }
    }
}

/// What comes of some work within this time and that for which the client is waited for meanwhile; none where it takes longer.
async fn within<T>(time: Duration, client: &ClientClock, work: impl Future<Output = T>) -> Option<T> {
    let (begun, waited_before) = (Instant::now(), client.waited());
    let mut work = pin!(work);
    loop {
        let until = begun + time + client.waited().saturating_sub(waited_before);
        tokio::select! {
            done = &mut work => return Some(done),
            () = tokio::time::sleep_until(until) => {
                if client.waited().saturating_sub(waited_before) + time <= begun.elapsed() {
                    return None;
                }
            }
        }
    }
}

impl Handler {
    /// Of a prepared component.
    ///
    /// # Errors
    /// It does not export `wasi:http/incoming-handler@0.2`.
    pub fn new(prepared: Prepared) -> wasmtime::Result<Self> {
        let bounds = CallBounds::of_request(&prepared.context().limits);
        Ok(Self { pre: prepared.http()?, prepared, bounds, parking: None })
    }

    /// Its requests may wait here, without an instance.
    #[must_use]
    pub fn with_parking(self, parking: Option<Arc<ParkingLot>>) -> Self {
        Self { parking, ..self }
    }

    /// Where its requests may wait, if they may.
    pub(super) fn parking(&self) -> Option<&Arc<ParkingLot>> {
        self.parking.as_ref()
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
        self.run_within(request, answer, id, Surroundings::default()).await
    }

    /// The same, where somebody cares what the guest waits for.
    ///
    /// # Errors
    /// As [`Handler::run`].
    ///
    /// # Cancel safety
    /// As [`Handler::run`].
    pub(super) async fn run_within<B>(
        &self,
        request: Request<B>,
        answer: oneshot::Sender<Answer>,
        id: &Arc<str>,
        surroundings: Surroundings,
    ) -> Result<(), CallFailure>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Error>,
    {
        let Surroundings { place, client, offer, trace } = surroundings;
        let on_sleep = place.clone().map(|place| place as Arc<dyn OnSleep>);
        let offer = Offer::environment(offer.as_ref());
        let context = self.context();
        let max_tail_bytes = length(context.limits.log_tail_bytes);
        let tail = Some(&context.log).filter(|_| context.log_tail).and_then(|log| log.tail(max_tail_bytes));
        let tail = tail.as_deref().map(|tail| (LOG_TAIL, tail));
        let caller = context.names_caller.then_some((NAMES_CALLER, "1"));
        let environment: Vec<_> =
            offer.iter().map(|(name, value)| (*name, value.as_str())).chain(tail).chain(caller).collect();
        let environment = environment.as_slice();
        let correlation_id = Some(Arc::clone(id));
        let call = Call { correlation_id, on_sleep, environment, trace: trace.clone() };
        let mut store = self.prepared.store(self.bounds, call);
        let meter = store.data().meter();
        let call = async {
            let mut http = store.data_mut().http();
            let request = http.new_incoming_request(Scheme::Http, request)?;
            let answer = http.new_response_outparam_from_callback(move |response| {
                if let Some(place) = place {
                    place.answered();
                }
                // Where nobody waits for it any more, the guest is about to be stopped.
                let _heard = answer.send(response);
            })?;
            let making = self.pre.instantiate_async(&mut store);
            let guest = trace.around(|| Operation::internal("instantiate"), making).await?;
            guest.wasi_http_incoming_handler().call_handle(&mut store, request, answer).await
        };
        let result = match within(self.bounds.timeout, &client, meter.measure(call)).await {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(CallFailure::of(&store, &error)),
            None => Err(CallFailure::timed_out()),
        };
        drop(store);
        if let Err(failure) = &result {
            self.context().numbers.failed(failure.kind);
            let event = Event::RequestFailed { reason: failure.kind.name(), cause: Some(&failure.text) };
            self.context().log.within(self.id(), Some(id), trace.context(), &event);
        }
        trace.end(result.as_ref().err().map(|failure| failure.kind.name()));
        result
    }
}
