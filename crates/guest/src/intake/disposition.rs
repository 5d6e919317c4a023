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
            }
            disposition.is_file |= name.eq_ignore_ascii_case("filename");
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
        for (header, name, is_file) in [
            ("form-data; name=\"image\"", "image", false),
            ("form-data; name=image", "image", false),
            ("form-data; name=image ; filename=a.png", "image", true),
            ("form-data;NAME = \"image\";FileName=\"a;b.png\"", "image", true),
            ("form-data; filename=\"x; name=evil.png\"; name=\"image\"", "image", true),
            ("form-data; filename=\"a\\\"; name=\\\"b\"; name=image", "image", true),
            ("form-data; filename=\"C:\\dir\\photo.png\"; name=image", "image", true),
            ("form-data; name=\"a\\\"b\"", "a\"b", false),
            ("form-data; name=\"größe\"", "größe", false),
            ("form-data; filename*=UTF-8''a.png; name=image", "image", false),
            ("form-data; name=\"no end", "no end", false),
            ("form-data; name=", "", false),
            ("form-data; name", "", false),
            ("form-data", "", false),
            ("", "", false),
        ] {
            let expected = Disposition { name: name.to_owned(), is_file };
            assert_eq!(Disposition::parse(header), expected, "{header}");
        }
    }
}
