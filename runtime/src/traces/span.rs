//! What is known of a span: a name, a time, what it was about.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Instant, SystemTime},
};

/// Which side of an exchange a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Within this process.
    Internal = 1,
    /// It answers.
    Server = 2,
    /// It asks.
    Client = 3,
    /// It takes a message.
    Consumer = 5,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(Cow<'static, str>),
    Number(i64),
    Fraction(f64),
    Truth(bool),
}

/// An attribute: its name, those of the semantic conventions of OpenTelemetry where they have one, and its value.
pub(crate) type Attribute = (Cow<'static, str>, Value);

/// Something that was said within a span.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SpanEvent {
    /// Nanoseconds since 1970.
    pub(crate) at_ns: u64,
    pub(crate) name: String,
    pub(crate) attributes: Vec<Attribute>,
}

/// A span that is over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Span {
    pub(crate) id: u64,
    /// None where it is the first of its trace.
    pub(crate) parent: Option<u64>,
    pub(crate) name: Cow<'static, str>,
    pub(crate) kind: Kind,
    /// Nanoseconds since 1970.
    pub(crate) begin_ns: u64,
    /// Nanoseconds since 1970.
    pub(crate) end_ns: u64,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) events: Vec<SpanEvent>,
    /// What was said beyond what is kept.
    pub(crate) dropped_events: u32,
    /// Whether it ended badly; the attribute `error.type` says how.
    pub(crate) is_error: bool,
}

/// Spans of one trace.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spans {
    pub(crate) trace: u128,
    pub(crate) state: Option<Arc<str>>,
    pub(crate) spans: Vec<Span>,
}

/// A text that is an attribute.
pub(crate) fn text(name: &'static str, value: impl Into<Cow<'static, str>>) -> Attribute {
    (name.into(), Value::Text(value.into()))
}

/// A number that is an attribute.
pub(crate) fn number(name: &'static str, value: impl TryInto<i64>) -> Attribute {
    (name.into(), Value::Number(value.try_into().unwrap_or(i64::MAX)))
}

/// Times of spans: the day's at its beginning, and from there on one that nobody sets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    begin_ns: u64,
    begin: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { begin_ns: u64::try_from(since.as_nanos()).unwrap_or(u64::MAX), begin: Instant::now() }
    }

    /// When it was started.
    pub(super) fn begin_ns(&self) -> u64 {
        self.begin_ns
    }

    pub(super) fn now_ns(&self) -> u64 {
        let gone = u64::try_from(self.begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.begin_ns.saturating_add(gone)
    }
}

/// A new trace; where the system has no random numbers, none.
pub(super) fn fresh_trace() -> Option<u128> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(u128::from_be_bytes(bytes)).filter(|trace| *trace != 0)
}

/// The names of spans: each another, from one that is random.
#[derive(Debug)]
pub(super) struct Ids(u64);

impl Ids {
    pub(super) fn random() -> Option<Self> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).ok()?;
        Some(Self(u64::from_be_bytes(bytes)))
    }

    /// Steps of an odd length come by every number before they come by one again; mixing keeps neighbours apart (SplitMix64).
    pub(super) fn next(&mut self) -> u64 {
        loop {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let id = mixed ^ (mixed >> 31);
            if id != 0 {
                return id;
            }
        }
    }
}
