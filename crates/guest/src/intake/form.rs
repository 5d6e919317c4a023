//! A form: the image is its part `image`, any other part is an option. What a part is, is known by its name before a byte of
//! it is read.

use multer::{Constraints, Field, Multipart, SizeLimit};
use send_wrapper::SendWrapper;
use thumbs_domain::options::{Draft, OptionError, Row};

use super::disposition::Disposition;
use super::paced::{Pace, Paced};
use super::{broken_off, malformed, too_large, wrong_option};
use crate::http::body::append;
use crate::http::{Body, Failed};

const IMAGE_PART: &str = "image";

/// What may surround the image in a form: headers of parts, boundaries, options.
pub(crate) const FORM_OVERHEAD_BYTES: u64 = 64 * 1024;

/// Reads the whole form: the image is returned, options go to `options`. `max_bytes` bounds the image; `announced_bytes` is the
/// length of the form as far as the client said it.
///
/// # Errors
/// [`Failed::Problem`].
pub(super) async fn receive(
    body: Body,
    boundary: String,
    max_bytes: u64,
    announced_bytes: Option<u64>,
    options: &mut Draft,
) -> Result<Vec<u8>, Failed> {
    let max_form_bytes = max_bytes.saturating_add(FORM_OVERHEAD_BYTES);
    if announced_bytes.is_some_and(|announced| announced > max_form_bytes) {
        return Err(too_large());
    }
    let (body, pace) = Paced::new(body, FORM_OVERHEAD_BYTES);
    let sizes = SizeLimit::new().whole_stream(max_form_bytes);
    // The reader asks for a stream that may change threads. An instance has one thread, and never gives the stream away.
    let form =
        Multipart::with_constraints(SendWrapper::new(body), boundary, Constraints::new().size_limit(sizes));
    pace.run(parts(form, &pace, max_bytes, announced_bytes, options)).await
}

async fn parts(
    mut form: Multipart<'_>,
    pace: &Pace,
    max_bytes: u64,
    announced_bytes: Option<u64>,
    options: &mut Draft,
) -> Result<Vec<u8>, Failed> {
    let mut image = None;
    loop {
        pace.between_parts();
        let Some(part) = form.next_field().await.map_err(broken)? else { break };
        pace.within_a_part();
        let Disposition { name, is_file } = Disposition::of(part.headers());
        if name == IMAGE_PART {
            if image.is_some() {
                return Err(malformed(
                    "The form has more than one part \"image\". Send one image per request.",
                ));
            }
            // The image is nearly all of the form.
            let announced_bytes = announced_bytes.unwrap_or(0);
            image = Some(read(part, max_bytes, announced_bytes).await?.ok_or_else(too_large)?);
        } else {
            let option = options.option(&name).map_err(|error| no_such_part(error, is_file))?;
            let value = value(part, &option).await?;
            options.set(&name, &value).map_err(wrong_option)?;
        }
    }
    image.ok_or_else(|| malformed("The form has no part \"image\". Send the image under this name."))
}

async fn value(part: Field<'_>, option: &Row) -> Result<String, Failed> {
    let value = read(part, Draft::MAX_VALUE_BYTES as u64, 0).await?;
    let value = value.ok_or_else(|| wrong_option(option.refusal()))?;
    Ok(String::from_utf8_lossy(&value).into_owned())
}

/// All bytes of a part; none where there are more than `max_bytes`, of which no more are read then.
async fn read(mut part: Field<'_>, max_bytes: u64, announced_bytes: u64) -> Result<Option<Vec<u8>>, Failed> {
    let max_len = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    let announced_len = usize::try_from(announced_bytes).unwrap_or(0);
    let mut bytes = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(broken)? {
        if piece.len() > max_len - bytes.len() {
            return Ok(None);
        }
        append(&mut bytes, &piece, announced_len);
    }
    Ok(Some(bytes))
}

/// A file under another name than the image's is the image, nearly always.
fn no_such_part(error: OptionError, is_file: bool) -> Failed {
    match error {
        OptionError::Unknown(name) if is_file => malformed(format!(
            "The form has a file in the part \"{name}\". Send the image in the part \"{IMAGE_PART}\"."
        )),
        other => wrong_option(other),
    }
}

fn broken(error: multer::Error) -> Failed {
    match error {
        multer::Error::StreamSizeExceeded { .. } => too_large(),
        multer::Error::StreamReadFailed(_) => broken_off(),
        _ => malformed("The form can't be read. Send multipart/form-data as RFC 7578 has it."),
    }
}
