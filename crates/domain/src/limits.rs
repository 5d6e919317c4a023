//! The upper bounds on what a client may ask of the service. Their values are configuration; docs/configuration.md has the table.

use crate::format::AcceptedFormats;

/// Inclusive upper bounds on one upload, and what it may be at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadLimits {
    /// Bytes of one image, as uploaded. A request may be a little longer, for what surrounds the image in a form.
    pub max_upload_bytes: u64,
    /// What the image may be encoded as.
    pub formats: AcceptedFormats,
    /// Thumbnails of one image that are asked for by name; 0 where none may be.
    pub max_variants: u32,
    /// What the image may be, and its thumbnail.
    pub image: ImageLimits,
}

/// Inclusive upper bounds on an image and its thumbnail, checked by imaging before it allocates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageLimits {
    /// Width x height of one frame (the canvas of an animation).
    pub max_pixels: u64,
    /// Width, and height, in pixels.
    pub max_side: u32,
    /// Frames of an animation that its thumbnail needs.
    pub max_frames: u32,
    /// Width x height x frames that the thumbnail needs. A thumbnail may also be refused for what of an animation is held at once (wit/imaging).
    pub max_total_pixels: u64,
    /// Width, and height, of a thumbnail in pixels.
    pub max_output_side: u32,
    /// Width x height of a thumbnail, over all its frames: an animation that has more loses frames. Of several of one image, together.
    pub max_output_pixels: u64,
}
