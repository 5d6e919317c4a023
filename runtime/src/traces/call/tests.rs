use std::sync::Arc;

use serde_json::json;

use super::{
    super::{Sampler, queue::Queue},
    *,
};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn tracer(name: &str) -> (Tracer, Arc<Queue>) {
    Tracer::of_test(Sampler::parse(name, None).unwrap())
}

fn message(tracer: &Tracer) -> CallTrace {
    tracer.message(&"work".into())
}

fn line(call: &CallTrace, event: &str, fields: Json) -> Map<String, Json> {
    let Json::Object(mut fields) = fields else { panic!("an object") };
    call.line(event, Some("req-1"), &mut fields);
    fields
}

async fn asks(call: &CallTrace) {
    call.around(|| Operation::sql("sqlite", "select 1"), std::future::ready(Ok::<_, ()>(1))).await.unwrap();
}

fn attribute<'a>(span: &'a Span, name: &str) -> Option<&'a Value> {
    span.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

fn said(value: &'static str) -> Value {
    Value::Text(value.into())
}

#[tokio::test]
async fn a_message_belongs_to_the_trace_that_its_guest_names_and_so_does_what_came_before() {
    let (tracer, queue) = tracer("parentbased_always_off");
    let call = message(&tracer);
    asks(&call).await;
    assert_eq!(call.context(), None);
    let fields = line(&call, "job-claimed", json!({"attempt": 1, "traceparent": PARENT}));
    assert_eq!(fields["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(fields["span_id"], call.context().unwrap().span_id());
    line(&call, "later", json!({"traceparent": PARENT.replace("4bf9", "5bf9")}));
    asks(&call).await;
    call.end(None);
    drop(call);
    let [spans] = &queue.drain()[..] else { panic!("one call") };
    assert_eq!(format!("{:032x}", spans.trace), "4bf92f3577b34da6a3ce929d0e0e4736");
    let [before, after, own] = &spans.spans[..] else { panic!("{spans:?}") };
    assert_eq!((own.parent, own.kind), (Some(0x00f0_67aa_0ba9_02b7), Kind::Consumer));
    assert_eq!((before.parent, after.parent), (Some(own.id), Some(own.id)));
    assert_eq!((before.name.as_ref(), before.kind), ("sqlite SELECT", Kind::Client));
    assert!(before.begin_ns >= own.begin_ns && after.end_ns <= own.end_ns && before.id != after.id);
    let events: Vec<_> =
        own.events.iter().map(|event| (event.name.as_str(), &event.attributes[..])).collect();
    assert_eq!(events, [("job-claimed", &[number("attempt", 1)][..]), ("later", &[][..])]);
    assert_eq!(attribute(own, "thumbs.correlation_id"), Some(&said("req-1")));
    assert!(!own.is_error);
}

#[test]
fn a_message_of_no_trace_begins_one_and_the_sampler_decides() {
    for (sampler, traces) in
        [("always_on", 1), ("parentbased_always_on", 1), ("parentbased_always_off", 0), ("always_off", 0)]
    {
        let (tracer, queue) = tracer(sampler);
        let call = message(&tracer);
        let fields = line(&call, "idle", json!({"traceparent": "junk"}));
        assert!(!fields.contains_key("trace_id"));
        call.end(None);
        drop(call);
        let told = queue.drain();
        assert_eq!(told.len(), traces, "{sampler}");
        assert!(told.iter().all(|spans| spans.trace != 0 && spans.spans[0].parent.is_none()));
    }
}

#[tokio::test]
async fn of_a_trace_that_is_not_recorded_nothing_is_kept_but_its_name() {
    let (tracer, queue) = tracer("parentbased_always_on");
    let call = message(&tracer);
    asks(&call).await;
    let fields = line(&call, "job-claimed", json!({"traceparent": PARENT.replace("-01", "-00")}));
    assert!(fields.contains_key("trace_id"));
    drop(call);
    assert_eq!(queue.drain(), []);
}

#[test]
fn what_was_given_up_says_so() {
    let (tracer, queue) = tracer("always_on");
    let call = message(&tracer);
    drop(call.open(|| Operation::blob("put")));
    call.open(|| Operation::blob("get")).unwrap().end(false);
    drop(call);
    let spans = &queue.drain()[0].spans;
    let errors: Vec<_> =
        spans.iter().map(|span| (span.is_error, attribute(span, "error.type").cloned())).collect();
    assert_eq!(
        errors,
        [(true, Some(said("cancelled"))), (true, Some(said("failed"))), (true, Some(said("cancelled")))]
    );
}

#[tokio::test]
async fn a_call_has_so_many_spans_and_the_rest_is_counted() {
    let (tracer, queue) = tracer("always_on");
    let call = message(&tracer);
    for _ in 0..200 {
        asks(&call).await;
    }
    for number in 0..40 {
        line(&call, "chatter", json!({"number": number}));
    }
    call.end(None);
    drop(call);
    let spans = &queue.drain()[0].spans;
    assert_eq!(spans.len(), 129);
    let own = spans.last().unwrap();
    assert_eq!(attribute(own, "thumbs.dropped_spans"), Some(&Value::Number(72)));
    assert_eq!((own.events.len(), own.dropped_events), (MAX_EVENTS, 8));
    assert_eq!(queue.fates().dropped, 72);
}

#[test]
fn a_line_tells_single_values_in_part() {
    let long = "é".repeat(MAX_TEXT_BYTES);
    let Json::Object(mut fields) = json!({"ts": "then", "cause": long, "n": 1.5, "yes": true, "list": [1], "none": null, "traceparent": PARENT})
    else {
        panic!("an object")
    };
    let told: Vec<_> = attributes(&fields).into_iter().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(told, ["cause", "n", "yes"]);
    assert!(matches!(&attributes(&fields)[0].1, Value::Text(text) if text.len() == MAX_TEXT_BYTES));
    fields.extend((0..40).map(|number| (format!("field{number}"), number.into())));
    assert_eq!(attributes(&fields).len(), MAX_EVENT_FIELDS);
}

#[tokio::test]
async fn where_nothing_is_traced_nothing_is_made() {
    let off = Tracer::off().message(&"work".into());
    assert!(off.open(|| unreachable!("nobody hears of it")).is_none());
    off.around(|| unreachable!("likewise"), std::future::ready(Ok::<_, ()>(()))).await.unwrap();
    assert_eq!(line(&off, "job-claimed", json!({"traceparent": PARENT})).len(), 1);
}
