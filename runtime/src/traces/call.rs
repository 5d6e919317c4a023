//! One call of a component, and what it asks of the host meanwhile.
//!
//! Spans of a call are kept together and leave together when the last of them is over. Of a message it is not known before then to which
//! trace it belongs: its guest finds that out when it has claimed its work, and says so by the field `traceparent` of a line that it writes (on
//! every host the line is one of the log). The call goes on with that trace; one that never says so is a trace of its own.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Map, Value as Json};

use super::{
    Operation, TraceParent, Tracer, Tracing,
    span::{Attribute, Clock, Ids, Kind, Span, SpanEvent, Spans, Value, fresh_trace, number, text},
};
use crate::telemetry::SpanContext;

/// The field of a guest's line that names the trace which a message belongs to.
const TRACEPARENT: &str = "traceparent";
/// What is kept of the lines that a guest writes.
const MAX_EVENTS: usize = 32;
/// What is kept of the fields of one.
const MAX_EVENT_FIELDS: usize = 16;
/// What is kept of a text in one.
const MAX_TEXT_BYTES: usize = 256;

/// A call's part in a trace. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct CallTrace(Option<Arc<Call>>);

#[derive(Debug)]
struct Call {
    tracing: Arc<Tracing>,
    clock: Clock,
    /// Whether spans are kept: in a trace that is not recorded only its name is handed on.
    records: bool,
    said: Mutex<Said>,
}

#[derive(Debug)]
struct Said {
    ids: Ids,
    id: u64,
    /// None of a message whose guest has not said yet.
    of: Option<Of>,
    name: Cow<'static, str>,
    kind: Kind,
    attributes: Vec<Attribute>,
    has_correlation_id: bool,
    events: Vec<SpanEvent>,
    dropped_events: u32,
    is_error: bool,
    end_ns: Option<u64>,
    spans: Vec<Span>,
    dropped_spans: usize,
}

#[derive(Clone, Debug)]
struct Of {
    trace: u128,
    parent: Option<u64>,
    is_sampled: bool,
    state: Option<Arc<str>>,
}

impl Tracer {
    /// Begins the handling of a message.
    #[must_use]
    pub fn message(&self, component: &Arc<str>) -> CallTrace {
        let Some(tracing) = &self.0 else { return CallTrace::default() };
        let records = !tracing.sampler.takes_nothing();
        CallTrace::begin(
            tracing,
            format!("{component} message").into(),
            Kind::Consumer,
            component,
            None,
            records,
        )
    }
}

impl CallTrace {
    pub(super) fn of_request(
        tracing: &Arc<Tracing>,
        component: &Arc<str>,
        asked_by: SpanContext,
        state: Option<Arc<str>>,
    ) -> Self {
        let SpanContext { trace, span, is_sampled } = asked_by;
        let of = Of { trace, parent: Some(span), is_sampled, state };
        let name = component.to_string().into();
        Self::begin(tracing, name, Kind::Internal, component, Some(of), is_sampled)
    }

    fn begin(
        tracing: &Arc<Tracing>,
        name: Cow<'static, str>,
        kind: Kind,
        component: &Arc<str>,
        of: Option<Of>,
        records: bool,
    ) -> Self {
        let Some(mut ids) = Ids::random() else { return Self(None) };
        let said = Said {
            id: ids.next(),
            ids,
            of,
            name,
            kind,
            attributes: vec![text("thumbs.component", component.to_string())],
            has_correlation_id: false,
            events: Vec::new(),
            dropped_events: 0,
            is_error: false,
            end_ns: None,
            spans: Vec::new(),
            dropped_spans: 0,
        };
        let tracing = Arc::clone(tracing);
        Self(Some(Arc::new(Call { tracing, clock: Clock::start(), records, said: Mutex::new(said) })))
    }

    /// Which span the call is; none where nothing is traced, and of a message whose guest has not said to which trace it belongs.
    #[must_use]
    pub fn context(&self) -> Option<SpanContext> {
        let said = self.0.as_ref()?.lock();
        let of = said.of.as_ref()?;
        Some(SpanContext { trace: of.trace, span: said.id, is_sampled: of.is_sampled })
    }

    /// Has a span around work of which the call is told how it ended.
    ///
    /// # Errors
    /// Those of the work.
    ///
    /// # Cancel safety
    /// As of the work; the span of one that is given up says so.
    pub async fn around<T, E>(
        &self,
        operation: impl FnOnce() -> Operation,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let Some(span) = self.open(operation) else { return work.await };
        let result = work.await;
        span.end(result.is_ok());
        result
    }

    /// Begins a span; none where nobody would hear of it.
    #[must_use]
    pub fn open(&self, operation: impl FnOnce() -> Operation) -> Option<OpenSpan> {
        let call = self.0.as_ref().filter(|call| call.records)?;
        let mut said = call.lock();
        if said.spans.len() >= call.tracing.max_call_spans {
            said.dropped_spans += 1;
            return None;
        }
        let id = said.ids.next();
        drop(said);
        let begin_ns = call.clock.now_ns();
        Some(OpenSpan { call: Arc::clone(call), id, begin_ns, operation: Some(operation()) })
    }

    /// The guest wrote a line that is an event: one of the call's span, with what the line has to say, and of a message perhaps the word to
    /// which trace it belongs. The line gets the names of trace and span.
    pub(crate) fn line(&self, event: &str, correlation_id: Option<&str>, fields: &mut Map<String, Json>) {
        let Some(call) = &self.0 else { return };
        let at_ns = call.clock.now_ns();
        let mut said = call.lock();
        if said.of.is_none() {
            said.of =
                fields.get(TRACEPARENT).and_then(Json::as_str).and_then(TraceParent::parse).map(|parent| {
                    let TraceParent { context, state } = parent;
                    let is_sampled = call.tracing.sampler.takes_on(context.trace, context.is_sampled);
                    Of { trace: context.trace, parent: Some(context.span), is_sampled, state }
                });
        }
        if call.records {
            if let Some(id) =
                correlation_id.filter(|_| said.kind == Kind::Consumer && !said.has_correlation_id)
            {
                said.attributes.push(text("thumbs.correlation_id", id.to_owned()));
                said.has_correlation_id = true;
            }
            if said.events.len() < MAX_EVENTS {
                said.events.push(SpanEvent { at_ns, name: cut(event), attributes: attributes(fields) });
            } else {
                said.dropped_events += 1;
            }
        }
        if let Some(of) = &said.of {
            let own = SpanContext { trace: of.trace, span: said.id, is_sampled: of.is_sampled };
            fields.insert("trace_id".to_owned(), own.trace_id().into());
            fields.insert("span_id".to_owned(), own.span_id().into());
        }
    }

    /// What the guest took.
    pub(crate) fn took(&self, cpu: Duration, memory_bytes: usize) {
        if let Some(call) = self.0.as_ref().filter(|call| call.records) {
            let mut said = call.lock();
            said.attributes.push(("thumbs.cpu_seconds".into(), Value::Fraction(cpu.as_secs_f64())));
            said.attributes.push(number("thumbs.memory_bytes", memory_bytes));
        }
    }

    /// The call is over; `failure` is why it had no end of its own.
    pub(crate) fn end(&self, failure: Option<&'static str>) {
        let Some(call) = &self.0 else { return };
        let end_ns = call.clock.now_ns();
        let mut said = call.lock();
        said.end_ns = Some(end_ns);
        if let Some(failure) = failure {
            said.is_error = true;
            said.attributes.push(text("error.type", failure));
        }
    }
}

impl Call {
    fn lock(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.records {
            return;
        }
        let end_ns = self.clock.now_ns();
        let said = self.said.get_mut().unwrap_or_else(PoisonError::into_inner);
        let of = said.of.take().or_else(|| {
            let trace = fresh_trace()?;
            Some(Of { trace, parent: None, is_sampled: self.tracing.sampler.takes(trace), state: None })
        });
        let Some(Of { trace, parent, state, .. }) = of.filter(|of| of.is_sampled) else { return };
        let mut attributes = std::mem::take(&mut said.attributes);
        if said.dropped_spans > 0 {
            self.tracing.queue.drop_some(said.dropped_spans);
            attributes.push(number("thumbs.dropped_spans", said.dropped_spans));
        }
        let mut is_error = said.is_error;
        if said.end_ns.is_none() {
            attributes.push(text("error.type", "cancelled"));
            is_error = true;
        }
        let mut spans = std::mem::take(&mut said.spans);
        spans.push(Span {
            id: said.id,
            parent,
            name: std::mem::take(&mut said.name),
            kind: said.kind,
            begin_ns: self.clock.begin_ns(),
            end_ns: said.end_ns.unwrap_or(end_ns),
            attributes,
            events: std::mem::take(&mut said.events),
            dropped_events: said.dropped_events,
            is_error,
        });
        self.tracing.queue.push(Spans { trace, state, spans });
    }
}

/// A span that is not over. Dropped, it says that what it was about was given up.
#[derive(Debug)]
pub struct OpenSpan {
    call: Arc<Call>,
    id: u64,
    begin_ns: u64,
    operation: Option<Operation>,
}

impl OpenSpan {
    /// Ends it.
    pub fn end(mut self, is_ok: bool) {
        self.record((!is_ok).then_some("failed"), None);
    }

    /// Ends that of a request; none answered where there is no status.
    pub fn answered(mut self, status: Option<http::StatusCode>) {
        let error = match status {
            None => Some("no-answer"),
            Some(status) => (status.is_client_error() || status.is_server_error()).then_some("status"),
        };
        self.record(error, status.map(|status| number("http.response.status_code", status.as_u16())));
    }

    fn record(&mut self, error: Option<&'static str>, attribute: Option<Attribute>) {
        let Some(Operation { name, kind, mut attributes }) = self.operation.take() else { return };
        let end_ns = self.call.clock.now_ns();
        attributes.extend(attribute);
        attributes.extend(error.map(|error| text("error.type", error)));
        let mut said = self.call.lock();
        if said.spans.len() >= self.call.tracing.max_call_spans {
            said.dropped_spans += 1;
            return;
        }
        let parent = Some(said.id);
        said.spans.push(Span {
            id: self.id,
            parent,
            name,
            kind,
            begin_ns: self.begin_ns,
            end_ns,
            attributes,
            events: Vec::new(),
            dropped_events: 0,
            is_error: error.is_some(),
        });
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        self.record(Some("cancelled"), None);
    }
}

/// What of a line's fields has a place in a span: single values, texts in part.
fn attributes(fields: &Map<String, Json>) -> Vec<Attribute> {
    let known = |name: &&String| !matches!(name.as_str(), "ts" | TRACEPARENT | "trace_id" | "span_id");
    let value = |value: &Json| match value {
        Json::String(text) => Some(Value::Text(cut(text).into())),
        Json::Bool(truth) => Some(Value::Truth(*truth)),
        Json::Number(number) => {
            number.as_i64().map(Value::Number).or_else(|| number.as_f64().map(Value::Fraction))
        }
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    };
    let fields = fields.iter().filter(|(name, _)| known(name));
    fields
        .filter_map(|(name, field)| Some((cut(name).into(), value(field)?)))
        .take(MAX_EVENT_FIELDS)
        .collect()
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_TEXT_BYTES)].to_owned()
}

#[cfg(test)]
mod tests;
