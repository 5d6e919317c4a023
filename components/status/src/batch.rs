//! Jobs that came in one request, at once or as soon as all of them are done.

use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use thumbs_domain::batch::{BatchId, BatchView, PartView};
use thumbs_domain::event::Event;
use thumbs_domain::problem::ProblemKind;
use thumbs_guest::http::response::json;
use thumbs_guest::http::{Failed, Request, Response, park};
use thumbs_guest::wait::{Wait, WaitedBatch};

use crate::Status;

impl Status<'_> {
    pub(crate) fn batch(&self, request: &Request) -> Result<Response, Failed> {
        let id = BatchId::parse(request.last_segment()).map_err(|_| not_found())?;
        let wait = Wait::alone(request)?;
        let WaitedBatch { batch, keep } =
            self.waiter(self.offer.age).read_batch(self.batches, &id, request.caller.reach(), wait)?;
        for error in &batch.unreadable {
            self.log.event(Event::RowUnreadable { cause: &error.to_string() });
        }
        if batch.members.is_empty() && batch.unreadable.is_empty() {
            return Err(not_found());
        }
        let parts = batch.members.iter().map(|member| PartView {
            part: member.part,
            file_name: member.file_name.as_ref(),
            job: Some(request.caller.view(&member.job)),
            problem: None,
        });
        let view = BatchView::new(id, parts.collect());
        let mut response = json(StatusCode::OK, &view);
        if view.counts.processing > 0 {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        wait.say(&mut response);
        if let Some((left, job)) = keep {
            park::ask_again(&mut response, &job.to_string(), left)?;
        }
        Ok(response)
    }
}

fn not_found() -> Failed {
    Failed::problem(ProblemKind::NotFound, "There is no batch with this id, or none of its jobs is left.")
}
