//! What an image is, by its first bytes. Names and declared types are never asked: they are the sender's word.

use thumbs_heif::Coding;

use crate::options::SourceFormat;

/// `None` where the first bytes are of no format we decode.
#[must_use]
pub fn sniff(image: &[u8]) -> Option<SourceFormat> {
    match image {
        [0xFF, 0xD8, 0xFF, ..] => Some(SourceFormat::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(SourceFormat::Png),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(SourceFormat::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(SourceFormat::Webp),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => thumbs_heif::brand(image).map(|coding| match coding {
            Coding::Hevc => SourceFormat::Heic,
            Coding::Av1 => SourceFormat::Avif,
        }),
        _ => None,
    }
}

/// No more is looked at to say what an image is.
pub(crate) const MAX_SNIFFED_BYTES: usize = 1024;

/// What it is instead, where that is known and people send it: its name, without an article.
pub(crate) fn other_kind(image: &[u8]) -> Option<&'static str> {
    match image {
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand.first_chunk()? {
            b"mif1" | b"mif2" | b"msf1" | b"miaf" => Some("HEIF, but neither HEIC nor AVIF"),
            b"crx " => Some("a raw photograph (CR3)"),
            _ => Some("a video"),
        },
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some("TIFF"),
        [b'I', b'I', 43, 0, ..] | [b'M', b'M', 0, 43, ..] => Some("TIFF"),
        [b'%', b'P', b'D', b'F', b'-', ..] => Some("PDF"),
        [b'B', b'M', rest @ ..] if is_bitmap(rest) => Some("BMP"),
        [0xFF, 0x0A, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Some("JPEG XL"),
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] | [0xFF, 0x4F, 0xFF, 0x51, ..] => Some("JPEG 2000"),
        [0, 0, 1, 0, count, 0, ..] if *count > 0 => Some("ICO"),
        [b'8', b'B', b'P', b'S', 0, 1 | 2, ..] => Some("a Photoshop document (PSD)"),
        [0x1F, 0x8B, 8, ..] => Some("a gzip archive"),
        [b'P', b'K', 3, 4, ..] => Some("a ZIP archive"),
        _ => {
            let text = image.get(..MAX_SNIFFED_BYTES.min(image.len()))?.trim_ascii_start();
            let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).trim_ascii_start();
            let holds = |tag: &[u8]| text.windows(tag.len()).any(|window| window.eq_ignore_ascii_case(tag));
            match text.first()? {
                b'<' if holds(b"<svg") => Some("SVG"),
                b'<' if holds(b"<html") || holds(b"<!doctype html") => Some("a web page (HTML)"),
                _ => None,
            }
        }
    }
}

/// Behind `BM`: its size, four reserved bytes of which all writers make zeros, where the pixels are, the size of one of the headers that
/// there are.
fn is_bitmap(rest: &[u8]) -> bool {
    rest.get(4..8) == Some(&[0; 4]) && rest.get(12).is_some_and(|size| matches!(size, 12..=124))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_each_format_by_its_signature() {
        assert_eq!(sniff(b"\xFF\xD8\xFF\xE0"), Some(SourceFormat::Jpeg));
        assert_eq!(sniff(b"\x89PNG\r\n\x1A\n"), Some(SourceFormat::Png));
        assert_eq!(sniff(b"GIF87a"), Some(SourceFormat::Gif));
        assert_eq!(sniff(b"GIF89a"), Some(SourceFormat::Gif));
        assert_eq!(sniff(b"RIFF\0\0\0\0WEBPVP8 "), Some(SourceFormat::Webp));
        assert_eq!(sniff(b"\0\0\0\x18ftypheic\0\0\0\0mif1"), Some(SourceFormat::Heic));
        assert_eq!(sniff(b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif"), Some(SourceFormat::Avif));
    }

    #[test]
    fn names_what_it_is_instead() {
        for (bytes, name) in [
            (&b"\0\0\0\x18ftypmif1\0\0\0\0jpeg"[..], "HEIF, but neither HEIC nor AVIF"),
            (b"\0\0\0\x20ftypisom\0\0\0\0", "a video"),
            (b"II*\0\x08\0\0\0", "TIFF"),
            (b"MM\0*\0\0\0\x08", "TIFF"),
            (b"%PDF-1.7", "PDF"),
            (b"BM\x3A\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "BMP"),
            (b"\xFF\x0A\xFA\x1F", "JPEG XL"),
            (b"\0\0\0\x0CJXL \r\n\x87\n", "JPEG XL"),
            (b"\0\0\0\x0CjP  \r\n\x87\n", "JPEG 2000"),
            (b"\0\0\x01\0\x01\0\x10\x10", "ICO"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
            (b"\xEF\xBB\xBF<?xml version='1.0'?>\n<!-- drawn -->\n<svg/>", "SVG"),
            (b"\n<!DOCTYPE html><p>Not found", "a web page (HTML)"),
        ] {
            assert_eq!((sniff(bytes), other_kind(bytes)), (None, Some(name)), "{bytes:?}");
        }
    }

    #[test]
    fn names_nothing_that_it_does_not_know() {
        for bytes in
            [&b""[..], b"hello", b"BM", b"BMW is a car of Munich", b"<p>svg", b"\0\0\x01\0\0\0", b"II", b"<"]
        {
            assert_eq!(other_kind(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn refuses_what_only_looks_similar() {
        for bytes in
            [&b""[..], b"GIF88a", b"RIFF\0\0\0\0WAVE", b"\x89PNG\n\x1A\n", b"\xFF\xD8", b"<svg>", b"BM"]
        {
            assert_eq!(sniff(bytes), None, "{bytes:?}");
        }
    }
}
