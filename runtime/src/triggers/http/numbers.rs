//! What is counted of requests. Places and connections are not: their bounds know how many are taken.

use std::time::Duration;

use http::StatusCode;

use crate::{
    numbers::{Counter, Histogram},
    problem::Problem,
    telemetry::SpanContext,
};

/// The least status of HTTP, and how many there may be: RFC 9110, section 15.
const FIRST_STATUS: u16 = 100;
const STATUSES: usize = 500;

/// What of the host's own answers is a refusal of a request, and how it is named.
const REFUSALS: [(Problem, &str); 7] = [
    (Problem::Busy, "busy"),
    (Problem::TooManyUploads, "uploading"),
    (Problem::TooManyWaiting, "waiting"),
    (Problem::BodyTooLarge, "body-too-large"),
    (Problem::BodyTimeout, "body-timeout"),
    (Problem::Malformed, "malformed"),
    (Problem::MethodNotAllowed, "method"),
];

/// What was counted of a server's requests.
#[derive(Debug)]
pub(super) struct HttpNumbers {
    /// In the router's order.
    routes: Box<[RouteNumbers]>,
    /// Of what fits none.
    elsewhere: RouteNumbers,
    refused: [Counter; REFUSALS.len()],
    connected: Counter,
    disconnected: Counter,
}

/// Of one route.
#[derive(Debug)]
pub(crate) struct RouteNumbers {
    by_status: Box<[Counter]>,
    answers: Histogram,
}

impl HttpNumbers {
    /// For so many routes.
    pub(super) fn new(routes: usize) -> Self {
        Self {
            routes: (0..routes).map(|_| RouteNumbers::new()).collect(),
            elsewhere: RouteNumbers::new(),
            refused: Default::default(),
            connected: Counter::default(),
            disconnected: Counter::default(),
        }
    }

    /// A request was answered; `route` is its place in the router, if it fits one.
    pub(super) fn answered(
        &self,
        route: Option<usize>,
        status: StatusCode,
        time: Duration,
        span: Option<SpanContext>,
    ) {
        let route = route.and_then(|route| self.routes.get(route)).unwrap_or(&self.elsewhere);
        let status = usize::from(status.as_u16().saturating_sub(FIRST_STATUS));
        if let Some(count) = route.by_status.get(status) {
            count.one();
        }
        // A trace that is not recorded is nothing that somebody could look at.
        let trace = span.filter(|span| span.is_sampled).map(|span| span.trace);
        route.answers.observe(time, trace);
    }

    /// The host answered a request so, and no component did. What is no refusal is not counted here.
    pub(super) fn refused(&self, problem: Problem) {
        if let Some((_, count)) = REFUSALS.iter().zip(&self.refused).find(|((known, _), _)| *known == problem)
        {
            count.one();
        }
    }

    /// A client connected.
    pub(super) fn connected(&self) {
        self.connected.one();
    }

    /// A connection ended.
    pub(super) fn disconnected(&self) {
        self.disconnected.one();
    }

    /// How many connections are open.
    pub(super) fn connections(&self) -> u64 {
        // In this order: one that comes and goes in between must not make it less than none.
        let ended = self.disconnected.get();
        self.connected.get().saturating_sub(ended)
    }

    /// Of each route, in the router's order, and at last of what fits none.
    pub(super) fn routes(&self) -> impl Iterator<Item = &RouteNumbers> {
        self.routes.iter().chain([&self.elsewhere])
    }

    /// How many requests were refused, by why.
    pub(super) fn refusals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        REFUSALS.iter().map(|(_, name)| *name).zip(self.refused.iter().map(Counter::get))
    }
}

impl RouteNumbers {
    fn new() -> Self {
        Self { by_status: (0..STATUSES).map(|_| Counter::default()).collect(), answers: Histogram::default() }
    }

    /// How many requests were answered with each status that occurred.
    pub(crate) fn by_status(&self) -> impl Iterator<Item = (u16, u64)> {
        let counted = (FIRST_STATUS..).zip(self.by_status.iter().map(Counter::get));
        counted.filter(|(_, count)| *count > 0)
    }

    /// How long it took until answers began.
    pub(crate) fn answers(&self) -> &Histogram {
        &self.answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_for_its_route_and_its_status() {
        let numbers = HttpNumbers::new(2);
        for (route, status) in [(Some(1), 200), (Some(1), 200), (Some(1), 599), (None, 404), (Some(0), 100)] {
            numbers.answered(route, StatusCode::from_u16(status).unwrap(), Duration::ZERO, None);
        }
        // HTTP's type takes statuses that HTTP does not have.
        numbers.answered(Some(0), StatusCode::from_u16(999).unwrap(), Duration::ZERO, None);
        let counts: Vec<Vec<_>> = numbers.routes().map(|route| route.by_status().collect()).collect();
        assert_eq!(counts, [vec![(100, 1)], vec![(200, 2), (599, 1)], vec![(404, 1)]]);
    }

    #[test]
    fn what_the_host_refuses_counts_by_its_reason() {
        let numbers = HttpNumbers::new(0);
        for problem in
            [Problem::Busy, Problem::Busy, Problem::BodyTimeout, Problem::NotFound, Problem::Crashed]
        {
            numbers.refused(problem);
        }
        let counts: Vec<_> = numbers.refusals().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counts, [("busy", 2), ("body-timeout", 1)]);
    }
}
