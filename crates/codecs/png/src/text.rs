//! Texts that are no texts: what programs keep under a keyword because they have no chunk of its own (PNG specification, section 11.3.3).

/// A text as it stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text<'a> {
    /// As it is.
    Plain(&'a [u8]),
    /// A zlib stream.
    Deflated(&'a [u8]),
}

/// Adobe's XMP, in iTXt.
const XMP: &[u8] = b"XML:com.adobe.xmp";
/// ImageMagick's way to keep EXIF, in any of the three, from before there was a chunk for it.
const RAW_EXIF: [&[u8]; 2] = [b"Raw profile type exif", b"Raw profile type APP1"];
/// Zlib's is the only compression there is.
const ZLIB: u8 = 0;

/// The texts that tell something of the picture; of each kind the first.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Texts<'a> {
    pub(crate) xmp: Option<Text<'a>>,
    pub(crate) raw_exif: Option<Text<'a>>,
}

impl<'a> Texts<'a> {
    /// Takes one up; chunks of other kinds leave it as it is.
    pub(crate) fn take(&mut self, kind: [u8; 4], body: &'a [u8]) {
        let Some((keyword, text)) = keyword(body) else { return };
        let place = match &kind {
            b"iTXt" if keyword == XMP => &mut self.xmp,
            b"tEXt" | b"zTXt" | b"iTXt" if RAW_EXIF.contains(&keyword) => &mut self.raw_exif,
            _ => return,
        };
        if place.is_none() {
            *place = match &kind {
                b"tEXt" => Some(Text::Plain(text)),
                b"zTXt" => deflated(text),
                _ => international(text),
            };
        }
    }
}

/// What stands before the first zero byte, and behind it.
fn keyword(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = body.iter().take(80).position(|&byte| byte == 0)?;
    Some((body.get(..end)?, body.get(end + 1..)?))
}

fn deflated(text: &[u8]) -> Option<Text<'_>> {
    match text {
        [ZLIB, stream @ ..] => Some(Text::Deflated(stream)),
        _ => None,
    }
}

/// Whether it is compressed, how, a language, the keyword in that language, the text.
fn international(text: &[u8]) -> Option<Text<'_>> {
    let (&[is_deflated, method], rest) = text.split_first_chunk()?;
    let mut parts = rest.splitn(3, |&byte| byte == 0).skip(2);
    let text = parts.next()?;
    match is_deflated {
        0 => Some(Text::Plain(text)),
        _ if method == ZLIB => Some(Text::Deflated(text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken<'a>(chunks: &[(&[u8; 4], &'a [u8])]) -> (Option<Text<'a>>, Option<Text<'a>>) {
        let mut texts = Texts::default();
        chunks.iter().for_each(|(kind, body)| texts.take(**kind, body));
        (texts.xmp, texts.raw_exif)
    }

    #[test]
    fn each_kind_is_read_where_it_may_stand() {
        let plain = Some(Text::Plain(b"text"));
        let stream = Some(Text::Deflated(b"zlib"));
        for (kind, body, expected) in [
            (b"iTXt", &b"XML:com.adobe.xmp\0\0\0en\0so\0text"[..], (plain, None)),
            (b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0zlib", (stream, None)),
            (b"tEXt", b"Raw profile type exif\0text", (None, plain)),
            (b"zTXt", b"Raw profile type APP1\0\0zlib", (None, stream)),
            (b"iTXt", b"Raw profile type exif\0\0\0\0\0text", (None, plain)),
            (b"tEXt", b"XML:com.adobe.xmp\0text", (None, None)),
            (b"tEXt", b"Comment\0text", (None, None)),
            (b"zTXt", b"Raw profile type exif\0\x01zlib", (None, None)),
            (b"iTXt", b"XML:com.adobe.xmp\0\0", (None, None)),
        ] {
            assert_eq!(taken(&[(kind, body)]), expected, "{body:?}");
        }
    }

    #[test]
    fn the_first_of_a_kind_counts() {
        let bodies = [&b"Raw profile type exif\0one"[..], b"Raw profile type exif\0two"];
        assert_eq!(taken(&bodies.map(|body| (b"tEXt", body))).1, Some(Text::Plain(b"one")));
    }
}
