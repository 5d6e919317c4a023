//! A form with several images: each goes where its reader wants it before the next one is looked at, so that no more is held of all of them than
//! of one.
//!
//! An option counts for the images after it, until it is given again; an empty value takes it back. So what stands before the first image is for
//! all of them, and each may have its own.

use http::header::CONTENT_LENGTH;
use thumbs_domain::batch::{BatchBounds, FileName};
use thumbs_domain::limits::UploadLimits;
use thumbs_domain::options::{Draft, OptionError};
use thumbs_domain::problem::{Problem, ProblemKind};

use super::content_type::BodyKind;
use super::disposition::Disposition;
use super::form::{FORM_OVERHEAD_BYTES, IMAGE_PART, value};
use super::multipart::Multipart;
use super::{Bounded, Sink, malformed, wrong_option};
use crate::http::{Body, Failed, Request};

/// An image may be sent under this name as well.
const FILE_PART: &str = "file";

/// A form that is being read.
pub struct BatchForm {
    form: Multipart,
    options: Draft,
    /// Why no image after it is made: an option among them is wrong.
    wrong_option: Option<Problem>,
    images: u32,
    bounds: BatchBounds,
    max_upload_bytes: u64,
    is_broken: bool,
}

/// One image, of which only the head was read.
#[derive(Clone, Debug)]
pub struct ImagePart {
    /// 1 for the first.
    pub number: u32,
    /// What the client calls the file.
    pub file_name: Option<FileName>,
    /// Why it is not to be read.
    pub refused: Option<Problem>,
}

impl BatchForm {
    /// Of this request, of which nothing was read. Options in its query count for all images.
    ///
    /// # Errors
    /// [`Failed::Problem`] where it is no form, or is said to be longer than one may be, or an option is wrong.
    pub fn of(
        request: &Request,
        body: Body,
        limits: &UploadLimits,
        bounds: BatchBounds,
    ) -> Result<Self, Failed> {
        let mut options = Draft::new(limits.image.max_output_side).with_max_variants(limits.max_variants);
        for (name, value) in request.query_pairs() {
            options.set(&name, &value).map_err(wrong_option)?;
        }
        let BodyKind::Form { boundary } = BodyKind::of(request)? else {
            return Err(malformed(
                "A batch is a form. Send multipart/form-data, with each image as a part \"image\".",
            ));
        };
        let announced = request.header(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
        if announced.is_some_and(|announced| announced > bounds.max_bytes) {
            return Err(too_large(bounds));
        }
        Ok(Self {
            form: Multipart::new(body, &boundary, bounds.max_bytes, FORM_OVERHEAD_BYTES),
            options,
            wrong_option: None,
            images: 0,
            bounds,
            max_upload_bytes: limits.max_upload_bytes,
            is_broken: false,
        })
    }

    /// The head of the next image; what was not read of the one before is passed over. None at the end of the form.
    ///
    /// # Errors
    /// [`Failed::Problem`], and then nothing more can be read: the form breaks a rule or a bound, or an option is wrong that all images
    /// would have had.
    pub async fn next_image(&mut self) -> Result<Option<ImagePart>, Failed> {
        loop {
            let Some(head) = self.form.next_part().await.map_err(|failed| self.broken(failed))? else {
                return Ok(None);
            };
            let part = Disposition::parse(&String::from_utf8_lossy(&head));
            let is_image = part.name == IMAGE_PART || part.name == FILE_PART;
            if is_image || part.is_file {
                return self.image(&part, is_image).map(Some);
            }
            self.option(&part.name).await?;
        }
    }

    /// Hands the image on whose head was read last. Gives the options that count for it.
    ///
    /// # Errors
    /// [`Failed::Problem`] where it is too large or empty, what `image` says, and what ends the form.
    pub async fn read(&mut self, image: &mut dyn Sink) -> Result<Draft, Failed> {
        let mut image = Bounded { image, bytes: 0, max_bytes: self.max_upload_bytes };
        while let Some(piece) = self.form.chunk().await.map_err(|failed| self.broken(failed))? {
            image.take(&piece)?;
        }
        if image.bytes == 0 {
            return Err(malformed("The image is empty. Send the bytes of an image file."));
        }
        Ok(self.options.clone())
    }

    /// Whether nothing more can be read, though its end was not reached.
    pub fn is_broken(&self) -> bool {
        self.is_broken
    }

    fn image(&mut self, part: &Disposition, is_image: bool) -> Result<ImagePart, Failed> {
        if self.images == self.bounds.max_parts {
            let detail = format!(
                "A batch has at most {} images. Send this one and what follows as another.",
                self.bounds.max_parts
            );
            return Err(self.broken(Failed::problem(ProblemKind::BatchTooLarge, detail)));
        }
        self.images += 1;
        let misnamed = || {
            let name: String = part.name.chars().take(40).collect();
            let detail = format!(
                "The form has a file in the part \"{name}\". Send each image in a part \"{IMAGE_PART}\"."
            );
            Problem::new(ProblemKind::MalformedRequest, detail)
        };
        let refused = self.wrong_option.clone().or_else(|| (!is_image).then(misnamed));
        Ok(ImagePart { number: self.images, file_name: FileName::of(&part.file_name), refused })
    }

    async fn option(&mut self, name: &str) -> Result<(), Failed> {
        let row = match self.options.known(name) {
            Ok(row) => row,
            Err(error) => return self.wrong(error),
        };
        match value(&mut self.form, &row).await {
            Ok(value) => self.options.set_anew(name, &value).or_else(|error| self.wrong(error)),
            // It is too long.
            Err(Failed::Problem(problem)) if problem.kind == ProblemKind::InvalidOption => {
                self.wrong(row.refusal())
            }
            Err(failed) => Err(self.broken(failed)),
        }
    }

    /// Images that are made already stay; of those that follow none is made otherwise than it was meant.
    fn wrong(&mut self, error: OptionError) -> Result<(), Failed> {
        if self.images == 0 {
            return Err(self.broken(wrong_option(error)));
        }
        self.wrong_option.get_or_insert(Problem::new(ProblemKind::InvalidOption, error.to_string()));
        Ok(())
    }

    /// What the reader of forms calls an image too many bytes is here the whole.
    fn broken(&mut self, failed: Failed) -> Failed {
        self.is_broken = true;
        match failed {
            Failed::Problem(problem) if problem.kind == ProblemKind::UploadTooLarge => too_large(self.bounds),
            other => other,
        }
    }
}

fn too_large(bounds: BatchBounds) -> Failed {
    let detail = format!(
        "A batch has at most {} bytes in all. Send what was not taken as another batch.",
        bounds.max_bytes
    );
    Failed::problem(ProblemKind::BatchTooLarge, detail)
}
