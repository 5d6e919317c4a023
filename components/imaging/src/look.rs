//! What several thumbnails of one image have in common: those that look alike are one picture, which is made once, and differ in how it is
//! encoded alone.

use crate::options::{Options, OutputFormat};
use crate::selection::Selection;

/// One picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Of these, what says how it is encoded is that of no thumbnail.
    pub(crate) options: Options,
    /// The frames that it takes.
    pub(crate) selection: Selection,
}

/// How a thumbnail of an image with so many frames is to look, whatever it is encoded as.
pub(crate) fn of(options: &Options, frames: u32) -> Options {
    let animated = frames > 1 && options.animated && options.format != OutputFormat::Jpeg;
    Options {
        animated,
        max_output_frames: options.max_output_frames.filter(|_| animated),
        format: OutputFormat::Png,
        quality: None,
        lossless: false,
        max_bytes: None,
        ..*options
    }
}

/// Each once, in the order in which they first come, and which of them each of the outputs is.
pub(crate) fn distinct(outputs: &[Options], frames: u32) -> (Vec<Options>, Vec<usize>) {
    let mut looks: Vec<Options> = Vec::new();
    let of_outputs = outputs.iter().map(|options| {
        let look = of(options, frames);
        looks.iter().position(|known| *known == look).unwrap_or_else(|| {
            looks.push(look);
            looks.len() - 1
        })
    });
    let of_outputs = of_outputs.collect();
    (looks, of_outputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_its_encoding_alone_is_one_picture() {
        let small = Options { width: 10, ..Options::default() };
        let jpeg = Options { format: OutputFormat::Jpeg, quality: Some(50), ..Options::default() };
        let still = Options { animated: false, max_bytes: Some(9), ..Options::default() };
        let outputs = [Options::default(), small, jpeg, still];
        assert_eq!(distinct(&outputs, 1).1, [0, 1, 0, 0]);
        let (looks, of_outputs) = distinct(&outputs, 2);
        assert_eq!(of_outputs, [0, 1, 2, 2], "a JPEG is no animation");
        assert_eq!(looks.iter().map(|look| look.animated).collect::<Vec<_>>(), [true, true, false]);
    }
}
