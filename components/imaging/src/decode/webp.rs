//! WebP.

use super::{Still, malformed};
use crate::error::Error;
use crate::plan::Plan;
use crate::resample::Layout;

pub(super) fn decode(image: &[u8], _plan: &Plan) -> Result<Still, Error> {
    let error = |_| malformed("its WebP data is damaged");
    let mut decoder = image_webp::WebPDecoder::new(std::io::Cursor::new(image)).map_err(error)?;
    let (width, height) = decoder.dimensions();
    let layout = if decoder.has_alpha() { Layout::RGBA } else { Layout::RGB };
    let mut pixels = vec![0; layout.row_bytes(width) * height as usize];
    decoder.read_image(&mut pixels).map_err(error)?;
    Ok(Still { layout, width, height, scale: 1, pixels, truncated: false })
}
