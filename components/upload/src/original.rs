//! `POST /jobs?source=<job>`: another job of an image that was uploaded before, as long as that is kept.
//!
//! The new job gets a copy of its own, so that each may go when it likes. A sweep that takes the original away meanwhile does no harm: either
//! the copy is whole, or there is no new job.

use thumbs_domain::id::JobId;
use thumbs_domain::limits::UploadLimits;
use thumbs_domain::object_key::ObjectKey;
use thumbs_domain::problem::ProblemKind;
use thumbs_guest::blobs::BlobError;
use thumbs_guest::http::{Body, Failed, Request};
use thumbs_guest::intake::{self, SOURCE_PARAMETER, Sink};

use crate::Upload;
use crate::answer::Accepted;
use crate::create::Intent;

/// The job whose image is asked for, if one is.
///
/// # Errors
/// [`Failed::Problem`] where what is given is not one id.
pub(crate) fn source(request: &Request) -> Result<Option<JobId>, Failed> {
    let pairs = request.query_pairs();
    let mut given = pairs.iter().filter(|(name, _)| name == SOURCE_PARAMETER).map(|(_, value)| value);
    let Some(text) = given.next() else { return Ok(None) };
    let only = JobId::parse(text).ok().filter(|_| given.next().is_none());
    let wrong =
        || Failed::problem(ProblemKind::InvalidOption, "The parameter \"source\" takes the id of one job.");
    only.map(Some).ok_or_else(wrong)
}

impl Upload<'_> {
    /// As [`Upload::accept`], of the image of this job.
    pub(crate) async fn accept_original(
        &self,
        request: &Request,
        body: Body,
        limits: &UploadLimits,
        intent: Intent<'_>,
        id: JobId,
    ) -> Result<Accepted, Failed> {
        let not_found =
            || Failed::problem(ProblemKind::NotFound, "There is no job with the id that \"source\" names.");
        let of = self.store.get(&id, request.caller.reach())?.ok_or_else(not_found)?;
        let options = intake::receive_nothing(request, body, limits).await?;
        if let Some(key) = &intent.idempotency_key
            && let Some(existing) = self.store.find_by_idempotency_key(key, request.caller.owner())?
        {
            // The row knows the digest; the image itself may be gone by now.
            let callback = self.callback(&options)?;
            let options = options.finish(of.source.frames);
            return self.repeated(existing, &of.source.sha256, &options, callback.as_ref());
        }
        let copy = async |image: &mut dyn Sink| {
            let key = ObjectKey::upload(&id);
            let mut original = self.blobs.read(&key, limits.max_upload_bytes).map_err(not_read)?;
            loop {
                let piece = original.read().map_err(not_read)?;
                if piece.is_empty() {
                    return Ok(options);
                }
                image.take(&piece)?;
            }
        };
        self.accept(request, limits, intent, copy).await
    }
}

fn not_read(error: BlobError) -> Failed {
    match error {
        BlobError::NotFound => Failed::problem(
            ProblemKind::OriginalGone,
            "The image of the job that \"source\" names is kept no longer. Upload it again.",
        ),
        BlobError::TooLarge { .. } => Failed::problem(
            ProblemKind::UploadTooLarge,
            "The image has more bytes than one may have by now. Send a smaller file.",
        ),
        unavailable => unavailable.into(),
    }
}
