//! The span of a request: from its header to the beginning of its answer.
//!
//! What goes on behind that (a guest that is not done, an answer that further instances go on with) has spans of its own, of each call, which
//! name this one as their parent and may outlive it.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, StatusCode};

use super::{
    CallTrace, TraceParent, Tracer, Tracing, context,
    span::{Attribute, Clock, Ids, Kind, Span, Spans, fresh_trace, number, text},
};
use crate::telemetry::SpanContext;

/// A request's part in a trace. Where its client goes away before it was answered, dropping it says so.
#[derive(Debug)]
pub(crate) struct RequestTrace(Option<Box<Open>>);

#[derive(Debug)]
struct Open {
    parent: Parent,
    of: Arc<Requested>,
    clock: Clock,
    ids: Ids,
    method: http::Method,
    route: Option<Arc<str>>,
    attributes: Vec<Attribute>,
    waited: Option<Span>,
    is_answered: bool,
}

/// What the calls of one request are part of. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parent(Option<Arc<Requested>>);

#[derive(Debug)]
struct Requested {
    tracing: Arc<Tracing>,
    context: SpanContext,
    asked_by: Option<u64>,
    state: Option<Arc<str>>,
}

impl RequestTrace {
    /// Begins where the request's header is there.
    pub(crate) fn begin(
        tracer: &Tracer,
        method: &http::Method,
        headers: &HeaderMap,
        correlation_id: &str,
    ) -> Self {
        Self(
            tracer
                .0
                .as_ref()
                .and_then(|tracing| Open::begin(tracing, method, headers, correlation_id))
                .map(Box::new),
        )
    }

    /// Which span this is.
    pub(crate) fn context(&self) -> Option<SpanContext> {
        self.0.as_ref().map(|open| open.of.context)
    }

    /// What calls for this request are part of.
    pub(crate) fn parent(&self) -> Parent {
        self.0.as_ref().map(|open| open.parent.clone()).unwrap_or_default()
    }

    /// Which route it fits.
    pub(crate) fn fits(&mut self, route: &str) {
        if let Some(open) = &mut self.0 {
            open.route = Some(route.into());
        }
    }

    /// It is one that nobody wants to see: a probe, which the host answers by itself.
    pub(crate) fn forget(&mut self) {
        self.0 = None;
    }

    /// It has waited for a place until now.
    pub(crate) fn waited(&mut self, time: Duration) {
        let Some(open) = &mut self.0 else { return };
        let end_ns = open.clock.now_ns();
        open.waited = Some(Span {
            id: open.ids.next(),
            parent: Some(open.of.context.span),
            name: "wait for a place".into(),
            kind: Kind::Internal,
            begin_ns: end_ns.saturating_sub(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
            end_ns,
            attributes: Vec::new(),
            events: Vec::new(),
            dropped_events: 0,
            is_error: false,
        });
    }

    /// Its answer begins.
    pub(crate) fn answered(mut self, status: StatusCode) {
        if let Some(open) = &mut self.0 {
            open.is_answered = true;
            open.attributes.push(number("http.response.status_code", status.as_u16()));
            if status.is_server_error() {
                open.attributes.push(text("error.type", status.as_str().to_owned()));
            }
            open.end(status.is_server_error());
        }
    }
}

impl Drop for RequestTrace {
    fn drop(&mut self) {
        if let Some(open) = self.0.as_mut().filter(|open| !open.is_answered) {
            open.attributes.push(text("error.type", "client-gone"));
            open.end(true);
        }
    }
}

impl Open {
    fn begin(
        tracing: &Arc<Tracing>,
        method: &http::Method,
        headers: &HeaderMap,
        correlation_id: &str,
    ) -> Option<Self> {
        let mut ids = Ids::random()?;
        let span = ids.next();
        let (trace, is_sampled, asked_by, state) = match TraceParent::of(headers) {
            Some(TraceParent { context, state }) => {
                let is_sampled = tracing.sampler.takes_on(context.trace, context.is_sampled);
                (context.trace, is_sampled, Some(context.span), state)
            }
            None => {
                let trace = fresh_trace()?;
                (trace, tracing.sampler.takes(trace), None, None)
            }
        };
        let context = SpanContext { trace, span, is_sampled };
        let of = Arc::new(Requested { tracing: Arc::clone(tracing), context, asked_by, state });
        Some(Self {
            parent: Parent(Some(Arc::clone(&of))),
            of,
            clock: Clock::start(),
            ids,
            method: method.clone(),
            route: None,
            attributes: vec![text("thumbs.correlation_id", correlation_id.to_owned())],
            waited: None,
            is_answered: false,
        })
    }

    fn end(&mut self, is_error: bool) {
        let Requested { tracing, context, asked_by, state } = &*self.of;
        if !context.is_sampled {
            return;
        }
        // What a client sends as a method is bounded by its header alone.
        let method = match self.method.as_str() {
            known @ ("GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "OPTIONS" | "PATCH") => known.to_owned(),
            _ => "_OTHER".to_owned(),
        };
        let name = match &self.route {
            Some(route) => format!("{method} {route}"),
            None => method.clone(),
        };
        let mut attributes = std::mem::take(&mut self.attributes);
        attributes.push(text("http.request.method", method));
        if let Some(route) = &self.route {
            attributes.push(text("http.route", route.to_string()));
        }
        let own = Span {
            id: context.span,
            parent: *asked_by,
            name: name.into(),
            kind: Kind::Server,
            begin_ns: self.clock.begin_ns(),
            end_ns: self.clock.now_ns(),
            attributes,
            events: Vec::new(),
            dropped_events: 0,
            is_error,
        };
        let spans = self.waited.take().into_iter().chain([own]).collect();
        tracing.queue.push(Spans { trace: context.trace, state: state.clone(), spans });
    }
}

impl Parent {
    /// Which span the request is.
    pub(crate) fn context(&self) -> Option<SpanContext> {
        self.0.as_ref().map(|of| of.context)
    }

    /// Begins a call of a component for this request, which its guest is told of in the request's header.
    pub(crate) fn call(&self, component: &Arc<str>, headers: &mut HeaderMap) -> CallTrace {
        let Some(of) = &self.0 else { return CallTrace::default() };
        let call = CallTrace::of_request(&of.tracing, component, of.context, of.state.clone());
        if let Some(context) = call.context() {
            context::set(headers, context, of.state.as_deref());
        }
        call
    }
}
