//! One of several thumbnails of one image: the option `variants`. How its JSON is read is the business of [`crate::options`].

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::options::Options;

/// The most that a job has, whatever is configured: the database notes no more blobs of a job that goes (each may be there as WebP, too).
pub const MAX_VARIANTS: u32 = 8;

/// No list of variants is longer, as JSON.
pub const MAX_BYTES: usize = 8 * 1024;

/// What one thumbnail of several is called, in its job and in its address.
///
/// Invariant: 1 to [`VariantName::MAX_CHARS`] of `a-z 0-9 -`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct VariantName(String);

impl VariantName {
    /// The longest.
    pub const MAX_CHARS: usize = 32;

    /// Reads a name; none where the invariant is not met.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=Self::MAX_CHARS).contains(&text.len());
        let usual = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        (fits && usual).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for VariantName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not the name of a variant")
    }
}

impl std::fmt::Display for VariantName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The members of an object in JSON as they were sent: a name that stands twice is there twice, where a map would keep one of them and say
/// nothing of the other.
#[derive(Debug)]
pub(crate) struct Members(pub(crate) Vec<(String, serde_json::Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

/// A thumbnail that is asked for among others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// No other of the job is called so.
    pub name: VariantName,
    /// Complete.
    #[serde(flatten)]
    pub options: Options,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::AskedFormat;
    use crate::options::{Draft, OptionError};

    fn read(variants: &str) -> Result<Options, OptionError> {
        let mut draft = Draft::new(2048);
        draft.set("height", "50")?;
        draft.set("variants", variants)?;
        Ok(draft.finish(1))
    }

    #[test]
    fn each_has_its_own_options_and_those_outside_as_defaults() {
        let options = read(
            r##"[{"name":"a","width":64,"animated":false,"background":"#fff"},{"name":"b-2","height":7,"format":"webp","quality":null},{"name":"c","preset":"slack"}]"##,
        )
        .unwrap();
        let shown = options.outputs().into_iter();
        let shown: Vec<_> = shown
            .map(|(name, options)| {
                (name.unwrap().as_str().to_owned(), options.width, options.height, options.format)
            })
            .collect();
        let row = |name: &str, width, height, format| (name.to_owned(), width, height, format);
        assert_eq!(
            shown,
            [
                row("a", 64, 50, AskedFormat::Png),
                row("b-2", 100, 7, AskedFormat::Webp),
                row("c", 128, 50, AskedFormat::Png),
            ]
        );
        assert!(!options.variants[0].options.animated);
        assert_eq!((options.height, options.width), (50, 100));
        let json = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<Options>(&json).unwrap(), options);
    }

    #[test]
    fn what_is_no_list_of_variants_is_refused_as_a_whole() {
        let long = format!("[{{\"name\":\"{}\"}}]", "a".repeat(33));
        let many: Vec<_> = (0..9).map(|number| format!("{{\"name\":\"v{number}\"}}")).collect();
        let many = format!("[{}]", many.join(","));
        for text in [
            "",
            "x",
            "{}",
            "[]",
            "[1]",
            "[{}]",
            r#"[{"name":1}]"#,
            r#"[{"name":""}]"#,
            r#"[{"name":"A"}]"#,
            r#"[{"name":"a/b"}]"#,
            r#"[{"name":"a"},{"name":"a"}]"#,
            r#"[{"name":"a","name":"b"}]"#,
            &long,
            &many,
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(
                error.starts_with("The option \"variants\" takes a JSON array of 1 to 8 objects"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn what_is_wrong_in_one_is_told_with_its_name() {
        for (inner, told) in [
            (r#""width":0"#, "The option \"width\" takes a whole number from 1 to 2048."),
            (r#""width":1.5"#, "The option \"width\" takes a whole number from 1 to 2048."),
            (r#""width":[1]"#, "The option \"width\" takes a whole number from 1 to 2048."),
            (r#""fit":true"#, "The option \"fit\" takes one of: cover, contain, fill."),
            (r#""hieght":1"#, "There is no option \"hieght\"."),
            (r#""hieght":null"#, "There is no option \"hieght\"."),
            (r#""width":1,"width":2"#, "The option \"width\" is given more than once."),
            (r#""width":null,"fit":"fill","width":2"#, "The option \"width\" is given more than once."),
            (r#""width":1,"\u0077idth":1"#, "The option \"width\" is given more than once."),
            (r#""hieght":null,"hieght":null"#, "There is no option \"hieght\"."),
            (r#""variants":[]"#, "There is no option \"variants\"."),
        ] {
            let error = read(&format!(r#"[{{"name":"card",{inner}}}]"#)).unwrap_err();
            assert_eq!(error.to_string(), format!("In the variant \"card\": {told}"));
        }
    }

    #[test]
    fn an_operator_may_allow_fewer_or_none() {
        let two = r#"[{"name":"a"},{"name":"b"}]"#;
        let mut draft = Draft::new(2048).with_max_variants(1);
        let error = draft.set("variants", two).unwrap_err().to_string();
        assert!(error.contains("array of 1 to 1 objects"), "{error}");
        assert_eq!(
            Draft::new(2048).with_max_variants(0).set("variants", two),
            Err(OptionError::Unknown("variants".into()))
        );
    }
}
