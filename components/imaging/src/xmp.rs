//! The one thing we take from XMP (ISO 16684-1, an RDF document in XML): `tiff:Orientation`, where a file says it nowhere else. The
//! document is not parsed: the property is looked for by its name, as an attribute or as an element, as programs write it.

const PROPERTY: &[u8] = b"tiff:Orientation";

/// 1 to 8; `None` where there is none that makes sense.
pub(crate) fn orientation(document: &[u8]) -> Option<u8> {
    let mut rest = document;
    while let Some(at) = rest.windows(PROPERTY.len()).position(|window| window == PROPERTY) {
        rest = rest.get(at + PROPERTY.len()..)?;
        if let Some(value) = value(rest) {
            return Some(value);
        }
    }
    None
}

/// What follows the name: `="6"`, or `>6<`.
fn value(text: &[u8]) -> Option<u8> {
    let value = match text.trim_ascii_start().split_first()? {
        (b'=', value) => match value.trim_ascii_start().split_first()? {
            (b'"' | b'\'', value) => value,
            _ => return None,
        },
        (b'>', value) => value,
        _ => return None,
    };
    match value.trim_ascii_start() {
        [digit @ b'1'..=b'8', after, ..] if !after.is_ascii_digit() => Some(digit - b'0'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_attributes_and_elements() {
        for document in [
            "<rdf:Description tiff:Orientation=\"6\"/>",
            "<rdf:Description tiff:Orientation = '6'/>",
            "<tiff:Orientation>6</tiff:Orientation>",
            "<tiff:Orientation>\n  6\n</tiff:Orientation>",
            "<tiff:OrientationOfNothing/><tiff:Orientation>6</tiff:Orientation>",
        ] {
            assert_eq!(orientation(document.as_bytes()), Some(6), "{document}");
        }
    }

    #[test]
    fn ignores_what_makes_no_sense() {
        for document in [
            "",
            "<rdf:Description/>",
            "tiff:Orientation",
            "tiff:Orientation=",
            "tiff:Orientation=\"",
            "tiff:Orientation=\"6",
            "tiff:Orientation=\"9\"",
            "tiff:Orientation=\"0\"",
            "tiff:Orientation=\"16\"",
            "<tiff:Orientation>66</tiff:Orientation>",
            "<tiff:Orientation></tiff:Orientation>",
        ] {
            assert_eq!(orientation(document.as_bytes()), None, "{document}");
        }
    }
}
