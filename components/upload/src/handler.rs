//! Which request does what. Spin chooses a component by path alone, so the whole collection `/jobs` is here
//! (docs/decisions/0002), and `/batches`, which takes the same in.

use http::{Method, StatusCode};
use thumbs_domain::event::Event;
use thumbs_domain::list::JobsQuery;
use thumbs_domain::problem::ProblemKind;
use thumbs_domain::route;
use thumbs_domain::view::JobListView;
use thumbs_guest::blobs::Blobs;
use thumbs_guest::clock::Clock;
use thumbs_guest::config::Variables;
use thumbs_guest::http::response::json;
use thumbs_guest::http::{Body, Failed, Request, Response, park};
use thumbs_guest::ids::Ids;
use thumbs_guest::imaging::Probing;
use thumbs_guest::jobs::{Batches, JobStore};
use thumbs_guest::log::Log;
use thumbs_guest::wait::Memo;
use thumbs_guest::wake::{Wake, wake_for_overdue};

/// What the component works with, for one request.
pub struct Upload<'a> {
    /// The rows.
    pub store: &'a dyn JobStore,
    /// The same rows, of jobs that came together.
    pub batches: &'a dyn Batches,
    /// The images.
    pub blobs: &'a dyn Blobs,
    /// The reader of headers.
    pub imaging: &'a dyn Probing,
    /// The way to the workers, for a client that is not to wait for it.
    pub wake: &'a dyn Wake,
    /// The same, for one that waits for the job.
    pub wake_now: &'a dyn Wake,
    /// Whether the host can keep the request.
    pub offer: park::Offer,
    /// The way to those who tell others of a job's end, for one that is done at once.
    pub callbacks: &'a dyn Wake,
    /// Time.
    pub clock: &'a dyn Clock,
    /// New ids.
    pub ids: &'a dyn Ids,
    /// The limits.
    pub variables: &'a dyn Variables,
    /// The log of this request.
    pub log: &'a Log,
}

impl Upload<'_> {
    /// Answers one request.
    ///
    /// # Errors
    /// [`Failed`], which becomes a problem.
    pub async fn handle(&self, request: &Request, body: Body) -> Result<Response, Failed> {
        let is_batch = route::find(&request.path) == Some(&route::BATCHES);
        match request.method {
            Method::POST if is_batch => self.create_batch(request, body).await,
            _ if is_batch => Err(Failed::Method(route::BATCHES.allow)),
            Method::POST => match self.offer.note.as_deref().and_then(Memo::parse) {
                // An instance before this one took the image in.
                Some(memo) => self.go_on(request, &memo),
                None => self.create(request, body).await,
            },
            Method::GET | Method::HEAD => self.list(request),
            _ => Err(Failed::Method(route::JOBS.allow)),
        }
    }

    fn list(&self, request: &Request) -> Result<Response, Failed> {
        let pairs = request.query_pairs();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        let query = JobsQuery::parse(&pairs)
            .map_err(|error| Failed::problem(ProblemKind::InvalidOption, error.to_string()))?;
        let reach = request.caller.reach();
        let page = match &query {
            JobsQuery::Page(query) => self.store.list(query, reach)?,
            JobsQuery::Ids(ids) => {
                let mut page = self.store.find(ids, reach)?;
                page.jobs.sort_by_key(|job| ids.iter().position(|id| *id == job.id));
                page
            }
        };
        wake_for_overdue(&page.jobs, self.store, self.wake, self.clock.now(), self.log);
        for error in &page.unreadable {
            self.log.event(Event::RowUnreadable { cause: &error.to_string() });
        }
        let next = match (&query, page.next) {
            (JobsQuery::Page(query), Some(last)) => Some(query.next_href(last)),
            _ => None,
        };
        let jobs = page.jobs.iter().map(|job| request.caller.view(job)).collect();
        Ok(json(StatusCode::OK, &JobListView::new(jobs, next)))
    }
}
