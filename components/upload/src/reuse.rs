//! Finishing a job at once whose thumbnails were made before: of the same image with the same options, under the same limits, by the same
//! engine, for the same owner ([`Recipe`]).
//!
//! The job gets copies, so that no blob is of two jobs and each may go when it likes. The order is blobs, row, and then the row's end, under a
//! lease: whatever breaks in between leaves blobs that no row names, or a job that is made as any other when the lease ends.

use std::fmt::Display;
use std::time::Duration;

use http::header::CACHE_CONTROL;
use thumbs_domain::event::Event;
use thumbs_domain::id::{JobId, WorkerId};
use thumbs_domain::job::{Cost, Job, NewJob, Status, Thumbnail};
use thumbs_domain::limits::ImageLimits;
use thumbs_domain::object_key::ObjectKey;
use thumbs_guest::clock::millis;
use thumbs_guest::config;
use thumbs_guest::http::{Failed, Request};
use thumbs_guest::jobs::{Created, Lease};
use thumbs_guest::log::Log;
use thumbs_guest::recipe::Recipe;

use crate::Upload;

/// Thumbnails that lie where the new job will look for it.
pub(crate) struct Reused {
    recipe: Recipe,
    thumbnail: Thumbnail,
    /// Whose it was.
    of: JobId,
    /// Since when it was looked for, by the instance's clock.
    since: Duration,
}

impl Reused {
    /// The copies.
    pub(crate) fn keys(&self, job: &JobId) -> Vec<ObjectKey> {
        let stored = self.thumbnail.stored().into_iter();
        stored.map(|thumbnail| ObjectKey::thumbnail(job, &thumbnail.sha256)).collect()
    }
}

impl Upload<'_> {
    /// The thumbnails of an earlier job, where there is one and the client takes them, copied for this one. Whatever fails here costs the
    /// shortcut and nothing else.
    pub(crate) fn reuse(
        &self,
        request: &Request,
        job: &NewJob,
        limits: &ImageLimits,
        log: &Log,
    ) -> Option<Reused> {
        let is_on = config::result_cache(self.variables).unwrap_or_else(|error| {
            log.event(Event::Misconfigured { cause: &error.to_string() });
            false
        });
        if !is_on || wants_it_anew(request) {
            return None;
        }
        let since = self.clock.elapsed();
        let missed = |of: Option<&JobId>, cause: &dyn Display| {
            let of = of.map(ToString::to_string);
            log.event(Event::CacheMissed { of: of.as_deref(), cause: &cause.to_string() });
        };
        let recipe = Recipe::of(&job.source.sha256, &job.options, limits);
        let earlier = recipe.and_then(|recipe| {
            Ok(self.store.find_made(&recipe, job.owner.as_ref())?.map(|earlier| (recipe, earlier)))
        });
        let (recipe, earlier) = earlier.inspect_err(|error| missed(None, error)).ok()??;
        let (of, thumbnail) = (earlier.id, earlier.thumbnail?);
        for stored in thumbnail.stored() {
            let from = ObjectKey::thumbnail(&of, &stored.sha256);
            let to = ObjectKey::thumbnail(&job.id, &stored.sha256);
            let data = self.blobs.get(&from, stored.bytes);
            let copied = data.and_then(|data| self.blobs.put(&to, stored.format.content_type(), &data));
            copied.inspect_err(|error| missed(Some(&of), error)).ok()?;
        }
        Some(Reused { recipe, thumbnail, of, since })
    }

    /// Writes the job down and, unless another request under its key was faster, finishes it. The job as it stands then.
    ///
    /// # Errors
    /// [`Failed`], where it is not known whether the job is there.
    pub(crate) fn create_reusing(
        &self,
        job: &NewJob,
        reused: &Reused,
        log: &Log,
    ) -> Result<(Created, Job), Failed> {
        let holder =
            self.ids.job_id(self.clock.now()).map_err(|error| Failed::Internal(error.to_string()))?;
        let lease_end = config::policy(self.variables)?.lease_end(self.clock.now());
        let holder = WorkerId::new(holder.to_string());
        let held = Job { due_at: Some(lease_end), ..job.clone().stored() };
        let created = self.store.create_held(job, &holder, lease_end)?;
        if created != Created::New {
            return Ok((created, held));
        }
        let (Reused { recipe, thumbnail, of, .. }, now) = (reused, self.clock.now());
        let cost = reused.cost(self.clock.elapsed());
        let lease = Lease { job: &job.id, worker: &holder };
        match self.store.succeed(lease, thumbnail, &cost, recipe, now) {
            Ok(true) => {
                log.event(Event::JobCached { of: &of.to_string(), bytes: thumbnail.stored_bytes() });
                let (thumbnail, cost) = (Some(thumbnail.clone()), Some(cost));
                let (status, callback) =
                    (Status::Succeeded, held.callback.clone().map(|callback| callback.of_ended(now)));
                Ok((
                    created,
                    Job { status, thumbnail, cost, due_at: None, updated_at: now, callback, ..held },
                ))
            }
            // It was deleted meanwhile, or is made when the lease ends.
            Ok(false) => Ok((created, held)),
            Err(error) => {
                log.event(Event::CacheMissed { of: Some(&of.to_string()), cause: &error.to_string() });
                Ok((created, held))
            }
        }
    }
}

impl Reused {
    /// Nothing was decoded.
    fn cost(&self, now: Duration) -> Cost {
        Cost {
            decode_ms: 0.0,
            finish_ms: 0.0,
            encode_ms: 0.0,
            total_ms: millis(now.saturating_sub(self.since)),
            peak_memory_bytes: 0,
            pixels: 0,
            frames: 0,
        }
    }
}

/// `Cache-Control: no-cache` (RFC 9111, section 5.2.1.4), as who tries the service sends it.
fn wants_it_anew(request: &Request) -> bool {
    let values = request.headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|directive| directive.trim().eq_ignore_ascii_case("no-cache"))
}
