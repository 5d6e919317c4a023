//! An image on its way from the request into the blob store. Its header is read and its digest made as it passes, so that nobody here holds
//! more of it than a piece.

use thumbs_domain::format::{AcceptedFormats, SourceFormat};
use thumbs_domain::limits::UploadLimits;
use thumbs_domain::object_key::ObjectKey;
use thumbs_domain::problem::ProblemKind;
use thumbs_guest::blobs::{BlobError, BlobWriter, Blobs, Unkept, Written};
use thumbs_guest::http::Failed;
use thumbs_guest::imaging::{Header, Probing, SourceInfo, check_format};
use thumbs_guest::intake::Sink;

/// Dropped before its end it leaves nothing.
pub(crate) struct Arrival<'a> {
    blobs: &'a dyn Blobs,
    /// Of the blob, where it is to be kept.
    key: Option<ObjectKey>,
    header: Box<dyn Header + 'a>,
    formats: AcceptedFormats,
    /// What came before the image's format was known, which its blob is labelled with.
    start: Vec<u8>,
    writer: Option<Box<dyn BlobWriter + 'a>>,
}

impl<'a> Arrival<'a> {
    /// Nothing has come yet. Without a key the image is looked at and not kept.
    pub(crate) fn new(
        blobs: &'a dyn Blobs,
        imaging: &'a dyn Probing,
        key: Option<ObjectKey>,
        limits: &UploadLimits,
    ) -> Self {
        let header = imaging.header(&limits.image);
        Self { blobs, key, header, formats: limits.formats, start: Vec::new(), writer: None }
    }

    /// What the image is, when all has come, and what puts its blob in its place.
    pub(crate) fn end(mut self) -> Result<(SourceInfo, Arrived<'a>), Failed> {
        let source = self.header.source().map_err(|error| error.problem())?;
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.open(source.format)?,
        };
        Ok((source, Arrived(writer)))
    }

    fn open(&mut self, format: SourceFormat) -> Result<Box<dyn BlobWriter + 'a>, Failed> {
        check_format(format, self.formats).map_err(|error| error.problem())?;
        let mut writer: Box<dyn BlobWriter + 'a> = match &self.key {
            Some(key) => self.blobs.write(key, format.content_type()).map_err(not_stored)?,
            None => Box::<Unkept>::default(),
        };
        writer.write(&std::mem::take(&mut self.start)).map_err(not_stored)?;
        Ok(writer)
    }
}

impl Sink for Arrival<'_> {
    fn take(&mut self, piece: &[u8]) -> Result<(), Failed> {
        let format = self.header.feed(piece).map_err(|error| error.problem())?;
        if let Some(writer) = &mut self.writer {
            return writer.write(piece).map_err(not_stored);
        }
        self.start.extend_from_slice(piece);
        if let Some(format) = format {
            self.writer = Some(self.open(format)?);
        }
        Ok(())
    }
}

/// An image that is there as a whole, and not yet in its place.
pub(crate) struct Arrived<'a>(Box<dyn BlobWriter + 'a>);

impl Arrived<'_> {
    /// Puts it there.
    pub(crate) fn store(self) -> Result<Written, Failed> {
        self.0.finish().map_err(not_stored)
    }
}

/// The blob store may have a bound of its own, below ours.
fn not_stored(error: BlobError) -> Failed {
    match error {
        BlobError::TooLarge { .. } => Failed::problem(
            ProblemKind::UploadTooLarge,
            "The image is too large to be stored. Send a smaller file.",
        ),
        other => other.into(),
    }
}
