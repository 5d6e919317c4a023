//! `POST /batches`: each image of a form becomes a job of its own, as `POST /jobs` would make it.
//!
//! An image is stored, and its job due, before the next one is read: so no more is held of a hundred images than of one, and a client that
//! vanishes leaves the jobs of those that had come whole. One that is refused is told so in its place, and the others go on. What ends the
//! reading early (the form breaks off or goes beyond a bound, a store is away) is told in the place of what was not read.

use std::cell::Cell;
use std::time::Duration;

use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use thumbs_domain::batch::{BatchId, BatchView, FileName, PartView, Place, batch_href};
use thumbs_domain::job::IdempotencyKey;
use thumbs_domain::limits::UploadLimits;
use thumbs_domain::problem::{Problem, ProblemKind};
use thumbs_guest::clock::Clock;
use thumbs_guest::config;
use thumbs_guest::http::response::json;
use thumbs_guest::http::{Body, Failed, Request, Response};
use thumbs_guest::intake::{BatchForm, ImagePart, Sink};
use thumbs_guest::log::Log;
use thumbs_guest::wake::Wake;

use crate::Upload;
use crate::answer::{Accepted, IDEMPOTENCY_REPLAYED, header};
use crate::create::{Intent, idempotency_key};

/// A wake-up that took longer than this is not waited for again.
const MAX_WAKE_UP: Duration = Duration::from_millis(100);

/// How long images are worked on, beside what their client is waited for. Our host ends a guest that computes for 30 s (`request_cpu_ms`), the
/// reading of the form included, which is not counted here; and then nobody could tell what was made.
const MAX_WORK: Duration = Duration::from_secs(20);

/// What became of one part.
struct Outcome {
    part: u32,
    file_name: Option<FileName>,
    made: Result<Accepted, Problem>,
}

/// What all images of a batch have in common.
struct Batch<'a> {
    id: BatchId,
    idempotency_key: Option<IdempotencyKey>,
    limits: UploadLimits,
    wake: Prompt<'a>,
    /// How long it was worked on.
    worked: Cell<Duration>,
}

impl Upload<'_> {
    pub(crate) async fn create_batch(&self, request: &Request, body: Body) -> Result<Response, Failed> {
        let limits = config::limits(self.variables)?;
        // As for one job: nobody would work on them.
        config::policy(self.variables)?;
        let idempotency_key = idempotency_key(request)?;
        let mut form = BatchForm::of(request, body, &limits, config::batch_bounds(self.variables)?)?;
        let existing = match &idempotency_key {
            Some(key) => self.batches.batch_of_key(key, request.caller.owner())?,
            None => None,
        };
        let id = match existing {
            Some(id) => id,
            None => {
                self.has_room(request)?;
                let id = self.ids.batch_id(self.clock.now());
                id.map_err(|error| Failed::Internal(error.to_string()))?
            }
        };
        let wake =
            Prompt { now: self.wake_now, later: self.wake, clock: self.clock, is_slow: Cell::default() };
        let batch = Batch { id, idempotency_key, limits, wake, worked: Cell::default() };
        let (outcomes, is_complete) = self.take_all(request, &mut form, &batch).await?;
        self.answer_batch(request, id, &outcomes, is_complete)
    }

    /// One image after the other, and whether that was all of the form.
    ///
    /// # Errors
    /// What ends the reading before there was an image.
    async fn take_all(
        &self,
        request: &Request,
        form: &mut BatchForm,
        batch: &Batch<'_>,
    ) -> Result<(Vec<Outcome>, bool), Failed> {
        let mut outcomes: Vec<Outcome> = Vec::new();
        loop {
            let part = match form.next_image().await {
                Ok(Some(part)) => part,
                Ok(None) if outcomes.is_empty() => return Err(no_image()),
                Ok(None) => return Ok((outcomes, true)),
                Err(failed) if outcomes.is_empty() => return Err(failed),
                Err(failed) => {
                    let part = outcomes.last().map_or(1, |last| last.part.saturating_add(1));
                    outcomes.push(Outcome {
                        part,
                        file_name: None,
                        made: Err(failed.into_problem(self.log)),
                    });
                    return Ok((outcomes, false));
                }
            };
            let (number, file_name) = (part.number, part.file_name.clone());
            let made = self.take_one(request, form, batch, part).await;
            let goes_on = !form.is_broken() && !made.as_ref().is_err_and(Failed::is_ours);
            match made {
                Err(failed) if !goes_on && outcomes.is_empty() => return Err(failed),
                made => {
                    let made = made.map_err(|failed| failed.into_problem(self.log));
                    outcomes.push(Outcome { part: number, file_name, made });
                }
            }
            if !goes_on {
                return Ok((outcomes, false));
            }
            if batch.worked.get() > MAX_WORK {
                return self.put_off_the_rest(form, outcomes).await;
            }
        }
    }

    /// Tells where the work has taken too long, if there is more of it.
    async fn put_off_the_rest(
        &self,
        form: &mut BatchForm,
        mut outcomes: Vec<Outcome>,
    ) -> Result<(Vec<Outcome>, bool), Failed> {
        let problem = match form.next_image().await {
            Ok(None) => return Ok((outcomes, true)),
            Ok(Some(_)) => {
                let detail = "The service is too slow just now for all of this batch. Send this image and what follows as another.";
                Problem::new(ProblemKind::Unavailable, detail)
            }
            Err(failed) => failed.into_problem(self.log),
        };
        let part = outcomes.last().map_or(1, |last| last.part.saturating_add(1));
        outcomes.push(Outcome { part, file_name: None, made: Err(problem) });
        Ok((outcomes, false))
    }

    async fn take_one(
        &self,
        request: &Request,
        form: &mut BatchForm,
        batch: &Batch<'_>,
        part: ImagePart,
    ) -> Result<Accepted, Failed> {
        if let Some(problem) = part.refused {
            return Err(problem.into());
        }
        let place = Place { batch: batch.id, part: part.number, file_name: part.file_name };
        let intent = Intent {
            idempotency_key: batch.idempotency_key.as_ref().map(|key| key.of_part(part.number)),
            place: Some(place),
            wake: &batch.wake,
        };
        let begin = self.clock.elapsed();
        let waiting = Cell::new(Duration::ZERO);
        let receive = async |image: &mut dyn Sink| {
            let begin = self.clock.elapsed();
            let mut image = Timed { image, clock: self.clock, worked: Duration::ZERO };
            let options = form.read(&mut image).await;
            waiting.set(self.clock.elapsed().saturating_sub(begin).saturating_sub(image.worked));
            options
        };
        let accepted = self.accept(request, &batch.limits, intent, receive).await;
        let worked = self.clock.elapsed().saturating_sub(begin).saturating_sub(waiting.get());
        batch.worked.set(batch.worked.get() + worked);
        accepted
    }

    fn answer_batch(
        &self,
        request: &Request,
        id: BatchId,
        outcomes: &[Outcome],
        is_complete: bool,
    ) -> Result<Response, Failed> {
        let accepted = || outcomes.iter().filter_map(|outcome| outcome.made.as_ref().ok());
        let parts = outcomes.iter().map(|outcome| PartView {
            part: outcome.part,
            file_name: outcome.file_name.as_ref(),
            job: outcome.made.as_ref().ok().map(|accepted| request.caller.view(&accepted.job)),
            problem: outcome
                .made
                .as_ref()
                .err()
                .map(|problem| problem.document(request.correlation_id.as_str())),
        });
        let view = BatchView::answer(id, parts.collect(), is_complete);
        let has_jobs = view.links.batch.is_some();
        let status = if has_jobs { StatusCode::ACCEPTED } else { StatusCode::OK };
        let mut response = json(status, &view);
        if has_jobs {
            response.headers_mut().insert(LOCATION, header(&batch_href(&id))?);
        }
        if has_jobs && accepted().all(|accepted| accepted.is_repetition) {
            response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
        Ok(response)
    }
}

/// Tells how long an image's bytes were worked on, apart from how long they took to come.
struct Timed<'a> {
    image: &'a mut dyn Sink,
    clock: &'a dyn Clock,
    worked: Duration,
}

impl Sink for Timed<'_> {
    fn take(&mut self, piece: &[u8]) -> Result<(), Failed> {
        let begin = self.clock.elapsed();
        let taken = self.image.take(piece);
        self.worked += self.clock.elapsed().saturating_sub(begin);
        taken
    }
}

/// Wakes the workers for each job as it comes, for the rest of the batch may take a while; behind the answer, once that takes long itself.
struct Prompt<'a> {
    now: &'a dyn Wake,
    later: &'a dyn Wake,
    clock: &'a dyn Clock,
    is_slow: Cell<bool>,
}

impl Wake for Prompt<'_> {
    fn wake(&self, log: &Log) {
        if self.is_slow.get() {
            return self.later.wake(log);
        }
        let begin = self.clock.elapsed();
        self.now.wake(log);
        self.is_slow.set(self.clock.elapsed().saturating_sub(begin) > MAX_WAKE_UP);
    }
}

fn no_image() -> Failed {
    let detail = "The form has no image. Send each image as a part \"image\".";
    Failed::problem(ProblemKind::MalformedRequest, detail)
}
