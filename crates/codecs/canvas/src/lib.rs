//! What codecs of animations have in common: the canvas that frames are drawn on, and how large and how many they may be. GIF, APNG and
//! WebP differ in what they draw; here is what they do alike.
//!
//! - [`Canvas`]: pixels of `R G B A` bytes, alpha not multiplied in, transparent at first; [`Disposal`] and [`blend`]
//! - [`Frame`], [`Outcome`]: what comes out, and how whole it is
//! - [`Limits`]: what a caller allows
//!
//! Not here: when a frame is shown, which pixels it has, how they are coded.

mod canvas;
mod frame;
mod limits;

pub use canvas::{Area, Canvas, Disposal, blend};
pub use frame::{Frame, Outcome};
pub use limits::{Limit, Limits};
