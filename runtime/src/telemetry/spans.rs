//! What the runtime measures for other layers than the log's, an exporter of traces say: a span for each call of a component.
//!
//! Names and fields are those of OpenTelemetry's semantic conventions where it has some. Without such a layer no span is made.

use tracing::{Span, dispatcher::with_default, field::Empty, info_span};

use super::{Logger, events::TARGET};

/// The span of one request, which lives as long as its guest.
#[derive(Clone, Debug)]
pub struct RequestSpan(Span);

impl Logger {
    /// For a request that a component answers.
    #[must_use]
    pub fn request_span(
        &self,
        method: &str,
        route: &str,
        component: &str,
        correlation_id: &str,
    ) -> RequestSpan {
        RequestSpan(with_default(&self.dispatch, || {
            info_span!(
                target: TARGET,
                "request",
                "http.request.method" = method,
                "http.route" = route,
                "http.response.status_code" = Empty,
                component,
                correlation_id,
            )
        }))
    }

    /// For a message that a component handles.
    #[must_use]
    pub fn message_span(&self, component: &str) -> Span {
        with_default(&self.dispatch, || info_span!(target: TARGET, "message", component))
    }
}

impl RequestSpan {
    /// What the client was told.
    pub fn answered(&self, status: http::StatusCode) {
        self.0.record("http.response.status_code", status.as_u16());
    }

    /// For the guest's future: what it says is within the span.
    #[must_use]
    pub fn span(&self) -> Span {
        self.0.clone()
    }
}
