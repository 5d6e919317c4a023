//! Types whose values are words: one list gives the variants and how options, rows and clients spell them.

/// Makes an enum of words. Its doc comments are its documentation, the texts its spelling everywhere.
macro_rules! words {
    ($(#[doc = $doc:expr])+ $name:ident { $($(#[doc = $variant_doc:expr])+ $variant:ident = $word:literal,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[doc = $variant_doc])+ #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All, in the order in which texts list them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Their words, in the same order.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// As options, rows and clients spell it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The one that is spelled so.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    use crate::framing::Gravity;

    #[test]
    fn a_word_is_spelled_alike_everywhere() {
        assert_eq!(Gravity::ALL.len(), Gravity::WORDS.len());
        for (gravity, word) in Gravity::ALL.iter().zip(Gravity::WORDS) {
            assert_eq!(gravity.name(), *word);
            assert_eq!(Gravity::from_name(word), Some(*gravity));
            let json = format!("\"{word}\"");
            assert_eq!(serde_json::to_string(gravity).unwrap(), json);
            assert_eq!(serde_json::from_str::<Gravity>(&json).unwrap(), *gravity);
        }
        for other in ["", "North", "northeast", "north-east "] {
            assert_eq!(Gravity::from_name(other), None);
        }
    }
}
