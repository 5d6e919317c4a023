//! A form: the image is its part `image`, any other part is an option. What a part is, is known by its name before a byte of
//! it is read.

use thumbs_domain::options::{Draft, OptionError, Row};

use super::disposition::Disposition;
use super::multipart::Multipart;
use super::{Bounded, malformed, too_large, wrong_option};
use crate::http::{Body, Failed};

pub(super) const IMAGE_PART: &str = "image";

/// What may surround the image in a form: headers of parts, boundaries, options.
pub(crate) const FORM_OVERHEAD_BYTES: u64 = 64 * 1024;

/// Reads the whole form: its image goes to `image`, options go to `options`. `announced_bytes` is the length of the form as far as the
/// client said it.
///
/// # Errors
/// [`Failed::Problem`], and what the image's sink says.
pub(super) async fn receive(
    body: Body,
    boundary: &str,
    announced_bytes: Option<u64>,
    image: &mut Bounded<'_>,
    options: &mut Draft,
) -> Result<(), Failed> {
    let max_form_bytes = image.max_bytes.saturating_add(FORM_OVERHEAD_BYTES);
    if announced_bytes.is_some_and(|announced| announced > max_form_bytes) {
        return Err(too_large());
    }
    let form = Multipart::new(body, boundary, max_form_bytes, FORM_OVERHEAD_BYTES);
    parts(form, image, options).await
}

async fn parts(mut form: Multipart, image: &mut Bounded<'_>, options: &mut Draft) -> Result<(), Failed> {
    let mut has_image = false;
    while let Some(head) = form.next_part().await? {
        let Disposition { name, is_file, .. } = Disposition::parse(&String::from_utf8_lossy(&head));
        if name == IMAGE_PART {
            if std::mem::replace(&mut has_image, true) {
                return Err(malformed(
                    "The form has more than one part \"image\". Send one image per request.",
                ));
            }
            while let Some(piece) = form.chunk().await? {
                image.take(&piece)?;
            }
        } else {
            let option = options.option(&name).map_err(|error| no_such_part(error, is_file))?;
            let value = value(&mut form, &option).await?;
            options.set(&name, &value).map_err(wrong_option)?;
        }
    }
    if has_image {
        return Ok(());
    }
    Err(malformed("The form has no part \"image\". Send the image under this name."))
}

/// All of the part, which is an option's value.
pub(super) async fn value(form: &mut Multipart, option: &Row) -> Result<String, Failed> {
    let mut value = Vec::new();
    while let Some(piece) = form.chunk().await? {
        if piece.len() > option.max_value_bytes() - value.len() {
            return Err(wrong_option(option.refusal()));
        }
        value.extend_from_slice(&piece);
    }
    Ok(String::from_utf8_lossy(&value).into_owned())
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
