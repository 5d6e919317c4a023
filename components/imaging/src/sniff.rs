//! What an image is, by its first bytes. Names and declared types are never asked: they are the sender's word.

use crate::options::SourceFormat;

/// `None` where the first bytes are of no format we decode.
#[must_use]
pub fn sniff(image: &[u8]) -> Option<SourceFormat> {
    match image {
        [0xFF, 0xD8, 0xFF, ..] => Some(SourceFormat::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(SourceFormat::Png),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(SourceFormat::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(SourceFormat::Webp),
        _ => None,
    }
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
