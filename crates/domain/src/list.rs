//! The question that `GET /jobs` asks: which jobs, how many, from where on.

use thiserror::Error;

use crate::cursor::Cursor;
use crate::job::Status;

/// Jobs of a page where no `limit` is given.
pub const DEFAULT_LIMIT: u32 = 20;

/// The largest page.
pub const MAX_LIMIT: u32 = 100;

/// One page of jobs, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// Only jobs that stand so; none is all.
    pub status: Option<Status>,
    /// Jobs on the page, 1 to [`MAX_LIMIT`].
    pub limit: u32,
    /// Only jobs older than this one; none is from the newest on.
    pub after: Option<Cursor>,
}

/// The query is wrong. The text is for the client.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ListError {
    /// No parameter has this name.
    #[error("There is no parameter \"{0}\"; a list takes status, limit and cursor.")]
    Unknown(String),
    /// The same parameter came twice.
    #[error("The parameter \"{0}\" is given more than once.")]
    Repeated(&'static str),
    /// No status has this name.
    #[error("The parameter \"status\" takes one of: {}.", Status::WORDS.join(", "))]
    Status,
    /// Not a number, or not in the range.
    #[error("The parameter \"limit\" takes a whole number from 1 to {MAX_LIMIT}.")]
    Limit,
    /// Not one that a page gave out.
    #[error("The parameter \"cursor\" takes what the \"next\" link of a list holds. Start again without it.")]
    Cursor,
}

impl ListQuery {
    /// Reads the decoded pairs of a query.
    ///
    /// # Errors
    /// [`ListError`] for the first pair that is wrong.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ListError> {
        let (mut status, mut limit, mut after) = (None, None, None);
        for (name, value) in pairs {
            match name {
                "status" => once("status", &mut status, Status::from_name(value).ok_or(ListError::Status))?,
                "limit" => once("limit", &mut limit, parse_limit(value))?,
                "cursor" => once("cursor", &mut after, Cursor::parse(value).map_err(|_| ListError::Cursor))?,
                unknown => return Err(ListError::Unknown(unknown.chars().take(40).collect())),
            }
        }
        Ok(Self { status, limit: limit.unwrap_or(DEFAULT_LIMIT), after })
    }

    /// The address of the page that begins after `last`.
    pub fn next_href(&self, last: Cursor) -> String {
        let status = self.status.map(|status| format!("&status={}", status.name())).unwrap_or_default();
        format!("/jobs?limit={}{status}&cursor={last}", self.limit)
    }
}

fn once<T>(name: &'static str, slot: &mut Option<T>, value: Result<T, ListError>) -> Result<(), ListError> {
    if slot.is_some() {
        return Err(ListError::Repeated(name));
    }
    *slot = Some(value?);
    Ok(())
}

fn parse_limit(text: &str) -> Result<u32, ListError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let limit = text.parse().ok().filter(|limit| digits && (1..=MAX_LIMIT).contains(limit));
    limit.ok_or(ListError::Limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::JobId;

    fn cursor() -> Cursor {
        Cursor(JobId::parse("01932c07-20a4-7b3c-8d4e-5f6071829304").unwrap())
    }

    #[test]
    fn nothing_asked_is_the_newest_twenty() {
        assert_eq!(ListQuery::parse([]), Ok(ListQuery { status: None, limit: 20, after: None }));
    }

    #[test]
    fn the_next_link_asks_for_the_same_list_further_on() {
        for (status, limit) in [(None, 1), (Some(Status::Failed), 100)] {
            let query = ListQuery { status, limit, after: None };
            let href = query.next_href(cursor());
            let pairs =
                href.strip_prefix("/jobs?").unwrap().split('&').map(|pair| pair.split_once('=').unwrap());
            assert_eq!(ListQuery::parse(pairs), Ok(ListQuery { after: Some(cursor()), ..query }));
        }
    }

    #[test]
    fn refuses_wrong_values_unknown_names_and_repetitions() {
        for (pairs, error) in [
            (vec![("status", "done")], ListError::Status),
            (vec![("status", "")], ListError::Status),
            (vec![("limit", "0")], ListError::Limit),
            (vec![("limit", "101")], ListError::Limit),
            (vec![("limit", "+5")], ListError::Limit),
            (vec![("limit", "")], ListError::Limit),
            (vec![("limit", "99999999999")], ListError::Limit),
            (vec![("cursor", "x")], ListError::Cursor),
            (vec![("page", "2")], ListError::Unknown("page".into())),
            (vec![("limit", "5"), ("limit", "5")], ListError::Repeated("limit")),
        ] {
            assert_eq!(ListQuery::parse(pairs.clone()), Err(error), "{pairs:?}");
        }
    }
}
