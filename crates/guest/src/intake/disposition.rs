//! The name of a part, and whether it is a file: its Content-Disposition (RFC 7578, section 4.2).
//!
//! The parameters are read one by one: `name=` may stand within the quoted name of a file as well.

use std::borrow::Cow;

/// What a part says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Disposition {
    /// Empty where there is none.
    pub(super) name: String,
    /// A name of a file is given.
    pub(super) is_file: bool,
    /// That name as it was sent; empty where it is, and where there is none.
    pub(super) file_name: String,
}

impl Disposition {
    pub(super) fn parse(header: &str) -> Self {
        let mut disposition = Self::default();
        let mut rest = header.split_once(';').map_or("", |(_, parameters)| parameters);
        while let Some((name, value)) = rest.split_once('=') {
            let (value, after) = parameter_value(value.trim_start());
            let name = name.trim();
            if name.eq_ignore_ascii_case("name") {
                disposition.name = value.into_owned();
            } else if name.eq_ignore_ascii_case("filename") {
                disposition.is_file = true;
                disposition.file_name = value.into_owned();
            }
            rest = after.split_once(';').map_or("", |(_, parameters)| parameters);
        }
        disposition
    }
}

/// The value that the text begins with, and what follows it. In quotes, only `\"` is an escape: there are clients that leave
/// the backslashes of a path as they are.
fn parameter_value(text: &str) -> (Cow<'_, str>, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        let (value, after) = text.split_at(end);
        return (value.trim_end().into(), after);
    };
    let ends = quoted.match_indices('"').map(|(at, _)| at);
    let end = ends.into_iter().find(|&at| !quoted[..at].ends_with('\\')).unwrap_or(quoted.len());
    let (value, after) = quoted.split_at(end);
    (value.replace("\\\"", "\"").into(), after.strip_prefix('"').unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_parameter_of_this_name() {
        for (header, name, file_name) in [
            ("form-data; name=\"image\"", "image", None),
            ("form-data; name=image", "image", None),
            ("form-data; name=image ; filename=a.png", "image", Some("a.png")),
            ("form-data;NAME = \"image\";FileName=\"a;b.png\"", "image", Some("a;b.png")),
            ("form-data; filename=\"x; name=evil.png\"; name=\"image\"", "image", Some("x; name=evil.png")),
            ("form-data; filename=\"a\\\"; name=\\\"b\"; name=image", "image", Some("a\"; name=\"b")),
            ("form-data; filename=\"C:\\dir\\photo.png\"; name=image", "image", Some("C:\\dir\\photo.png")),
            ("form-data; name=\"a\\\"b\"", "a\"b", None),
            ("form-data; name=\"größe\"", "größe", None),
            ("form-data; filename*=UTF-8''a.png; name=image", "image", None),
            ("form-data; name=\"no end", "no end", None),
            ("form-data; name=", "", None),
            ("form-data; name", "", None),
            ("form-data", "", None),
            ("", "", None),
        ] {
            let expected = Disposition {
                name: name.to_owned(),
                is_file: file_name.is_some(),
                file_name: file_name.unwrap_or_default().to_owned(),
            };
            assert_eq!(Disposition::parse(header), expected, "{header}");
        }
    }
}
