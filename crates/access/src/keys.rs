//! All keys, as the operator lists them.

use chrono::{DateTime, Days, NaiveDate};
use subtle::{Choice, ConstantTimeEq as _};
use thiserror::Error;

use crate::{Key, KeyName, Scope, Scopes};

/// As many as one service may have: each request looks at all.
const MAX_ENTRIES: usize = 200;

/// What an entry says where its key does not expire.
const NEVER: &str = "never";

/// One key of the list: `<name>:<scopes>:<last day>:<SHA-256>`.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    name: KeyName,
    scopes: Scopes,
    last_day: Option<NaiveDate>,
    digest: [u8; 32],
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry({}:{})", self.name, self.scopes)
    }
}

impl std::fmt::Display for Entry {
    /// As the list has it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let last_day = self.last_day.map_or_else(|| NEVER.to_owned(), |day| day.to_string());
        write!(f, "{}:{}:{last_day}:{:x}", self.name, self.scopes, base16ct::HexDisplay(&self.digest))
    }
}

/// The last day of a key that is made at this moment (seconds since 1970) and is good for so many days. None where the calendar ends
/// before.
pub fn last_day(unix_secs: i64, days: u64) -> Option<NaiveDate> {
    DateTime::from_timestamp(unix_secs, 0)?.date_naive().checked_add_days(Days::new(days))
}

impl Entry {
    /// Of this key, which is taken up to the end of `last_day` (UTC), or for ever.
    pub fn new(key: &Key, name: KeyName, scopes: Scopes, last_day: Option<NaiveDate>) -> Self {
        Self { name, scopes, last_day, digest: key.digest() }
    }

    /// Whose the jobs are that the key makes.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// What it may do.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// The day with whose end (UTC) it expires; none where it does not.
    pub fn last_day(&self) -> Option<NaiveDate> {
        self.last_day
    }

    /// Whether it may do this.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.has(scope)
    }

    fn is_expired(&self, unix_secs: i64) -> bool {
        let today = DateTime::from_timestamp(unix_secs, 0).map(|moment| moment.date_naive());
        // A moment that is in no calendar is after every day.
        self.last_day.is_some_and(|last_day| today.is_none_or(|today| today > last_day))
    }

    fn parse(text: &str) -> Result<Self, EntryError> {
        let parts: Vec<_> = text.split(':').collect();
        let [name, scopes, last_day, digest] = parts[..] else { return Err(EntryError::Parts) };
        let mut bytes = [0; 32];
        let decoded = base16ct::lower::decode(digest, &mut bytes).is_ok_and(|decoded| decoded.len() == 32);
        Ok(Self {
            name: KeyName::parse(name).ok_or(EntryError::Name)?,
            scopes: Scopes::parse(scopes).ok_or(EntryError::Scopes)?,
            last_day: match last_day {
                NEVER => None,
                day => Some(day.parse().map_err(|_| EntryError::LastDay)?),
            },
            digest: if decoded { bytes } else { return Err(EntryError::Digest) },
        })
    }
}

/// What became of a search for a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// It is taken.
    Good(&'a Entry),
    /// It was taken, and is no longer.
    Expired(&'a Entry),
    /// Nobody has this key.
    Nothing,
}

/// The list. The default is empty: nobody needs a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(Vec<Entry>);

/// Why a text is no list of keys. It names the entry, and shows nothing of it but its name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeysError {
    /// Somebody meant to list keys: to serve everybody then would be the worst that could be made of it.
    #[error("is not empty and holds no key; where nobody is to need one, leave it empty")]
    Blank,
    /// More than are looked at.
    #[error("holds more than {MAX_ENTRIES} keys")]
    TooMany,
    /// One entry is wrong.
    #[error("entry {number}{}: {cause}", .name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default())]
    Entry {
        /// The first is 1.
        number: usize,
        /// Where it is one.
        name: Option<KeyName>,
        /// What is wrong with it.
        cause: EntryError,
    },
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EntryError {
    /// Not four parts.
    #[error(
        "write it as <name>:<scopes>:<last day or \"never\">:<SHA-256 of the key>, as `thumbs key new` prints it"
    )]
    Parts,
    /// No name.
    #[error("a name is 1 to 40 of a-z 0-9 . _ -")]
    Name,
    /// No scopes.
    #[error("scopes are one or more of read, write and admin, with + between them")]
    Scopes,
    /// No day.
    #[error("the last day is written as 2027-12-31, or \"never\"")]
    LastDay,
    /// No digest.
    #[error(
        "the last part is the SHA-256 of the key, 64 digits of 0-9 a-f; the key itself does not belong here"
    )]
    Digest,
    /// A key stands twice.
    #[error("its key is that of entry {0} as well")]
    Again(usize),
}

impl Keys {
    /// Reads the entries, with white space, line breaks or commas between them. An empty text is an empty list.
    ///
    /// # Errors
    /// [`KeysError`] for the first entry that is wrong.
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        let mut entries: Vec<Entry> = Vec::new();
        let between = |c: char| c.is_whitespace() || c == ',';
        for (index, text) in text.split(between).filter(|text| !text.is_empty()).enumerate() {
            let number = index + 1;
            let name = text.split(':').next().and_then(KeyName::parse).filter(|_| text.contains(':'));
            let wrong = |cause| KeysError::Entry { number, name, cause };
            if number > MAX_ENTRIES {
                return Err(KeysError::TooMany);
            }
            let entry = match Entry::parse(text) {
                Ok(entry) => entry,
                Err(cause) => return Err(wrong(cause)),
            };
            if let Some(other) = entries.iter().position(|other| other.digest == entry.digest) {
                return Err(wrong(EntryError::Again(other + 1)));
            }
            entries.push(entry);
        }
        if entries.is_empty() && !text.is_empty() { Err(KeysError::Blank) } else { Ok(Self(entries)) }
    }

    /// All of them, in the order of the list.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// Whether anybody needs a key at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entry of this key at this moment, in seconds since 1970. Takes the same time wherever in the list the key stands, and
    /// however much of a wrong one is right.
    pub fn find(&self, key: &Key, unix_secs: i64) -> Found<'_> {
        let digest = key.digest();
        let found = self.0.iter().fold(None, |found, entry| {
            let same: Choice = entry.digest.ct_eq(&digest);
            if bool::from(same) { Some(entry) } else { found }
        });
        match found {
            Some(entry) if entry.is_expired(unix_secs) => Found::Expired(entry),
            Some(entry) => Found::Good(entry),
            None => Found::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-28T12:00:00Z.
    const NOON: i64 = 1_795_867_200;
    const A_DAY: i64 = 86_400;

    fn key(seed: u8) -> Key {
        Key::from_random([seed; 24])
    }

    fn entry(seed: u8, name: &str, scopes: &str, last_day: Option<&str>) -> Entry {
        let last_day = last_day.map(|day| day.parse().unwrap());
        Entry::new(&key(seed), KeyName::parse(name).unwrap(), Scopes::parse(scopes).unwrap(), last_day)
    }

    #[test]
    fn a_list_holds_what_was_put_in_it_one_a_line_or_with_commas() {
        let entries = [entry(1, "shop", "read+write", None), entry(2, "ops", "admin", Some("2026-11-28"))];
        for between in ["\n", ", ", "\r\n\r\n", " "] {
            let keys = Keys::parse(&format!("{}{between}{}\n", entries[0], entries[1])).unwrap();
            assert_eq!(keys.0, entries, "{between:?}");
        }
        assert!(Keys::parse("").unwrap().is_empty());
    }

    #[test]
    fn a_key_is_good_up_to_the_end_of_its_last_day() {
        let keys = Keys::parse(&entry(1, "shop", "read", Some("2026-11-28")).to_string()).unwrap();
        let (evening, midnight) = (NOON + A_DAY / 2 - 1, NOON + A_DAY / 2);
        assert!(matches!(keys.find(&key(1), evening), Found::Good(entry) if entry.may(Scope::Read)));
        assert!(matches!(keys.find(&key(1), midnight), Found::Expired(_)));
        assert!(matches!(keys.find(&key(1), i64::MAX), Found::Expired(_)));
        assert_eq!(keys.find(&key(2), NOON), Found::Nothing);
        assert_eq!(last_day(NOON, 30).unwrap().to_string(), "2026-12-28");
        assert_eq!(last_day(NOON, u64::MAX), None);
    }

    #[test]
    fn keys_of_one_name_follow_each_other() {
        let text = format!("{} {}", entry(1, "shop", "read", None), entry(2, "shop", "read+write", None));
        let keys = Keys::parse(&text).unwrap();
        for seed in [1, 2] {
            assert!(
                matches!(keys.find(&key(seed), NOON), Found::Good(entry) if entry.name().as_str() == "shop")
            );
        }
    }

    #[test]
    fn an_error_names_the_entry_and_shows_no_secret() {
        let good = entry(1, "shop", "read", None).to_string();
        let digest = good.rsplit(':').next().unwrap();
        let secret = key(9).expose().to_owned();
        for (text, error) in [
            (" \n".to_owned(), "holds no key"),
            (secret.clone(), "entry 1: write it as"),
            (format!("{good} {secret}:read:never:{digest}"), "entry 2: a name"),
            (format!("{good},web:read:never:{secret}"), "entry 2 (web): the last part is the SHA-256"),
            (format!("web:all:never:{digest}"), "entry 1 (web): scopes"),
            (format!("web:read:2026-13-01:{digest}"), "entry 1 (web): the last day"),
            (format!("web:read:never:{}", digest.to_uppercase()), "entry 1 (web): the last part"),
            (format!("web:read:{digest}"), "entry 1 (web): write it as"),
            (format!("{good} web:read:never:{digest}"), "entry 2 (web): its key is that of entry 1"),
        ] {
            let told = Keys::parse(&text).unwrap_err().to_string();
            assert!(told.starts_with(error) || told.contains(error), "{told}");
            assert!(!told.contains(&secret) && !told.contains(digest), "{told}");
        }
        let many: Vec<_> = (0..=200).map(|seed: u8| entry(seed, "n", "read", None).to_string()).collect();
        assert_eq!(Keys::parse(&many.join("\n")), Err(KeysError::TooMany));
        assert!(Keys::parse(&many[1..].join("\n")).is_ok());
    }

    #[test]
    fn what_is_looked_at_shows_no_digest() {
        let entry = entry(1, "shop", "read", None);
        assert_eq!(format!("{entry:?}"), "Entry(shop:read)");
    }
}
