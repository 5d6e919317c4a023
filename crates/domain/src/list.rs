//! The question that `GET /jobs` asks: which jobs, how many, from where on; or what became of these.

use thiserror::Error;

use crate::cursor::Cursor;
use crate::failure::JobCode;
use crate::id::JobId;
use crate::job::Status;

/// Jobs of a page where no `limit` is given.
pub const DEFAULT_LIMIT: u32 = 20;

/// The largest page.
pub const MAX_LIMIT: u32 = 100;

/// The most jobs that can be asked for by their ids at once.
pub const MAX_IDS: usize = 100;

/// What a list holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobsQuery {
    /// A page of all.
    Page(ListQuery),
    /// These, in this order, as far as there are such; at most [`MAX_IDS`].
    Ids(Vec<JobId>),
}

/// One page of jobs, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// Only jobs that stand so; none is all.
    pub status: Option<Status>,
    /// Only jobs that failed for this reason; they all stand so.
    pub code: Option<JobCode>,
    /// Jobs on the page, 1 to [`MAX_LIMIT`].
    pub limit: u32,
    /// Only jobs older than this one; none is from the newest on.
    pub after: Option<Cursor>,
}

/// The query is wrong. The text is for the client.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ListError {
    /// No parameter has this name.
    #[error("There is no parameter \"{0}\"; a list takes status, code, limit and cursor, or ids alone.")]
    Unknown(String),
    /// The same parameter came twice.
    #[error("The parameter \"{0}\" is given more than once.")]
    Repeated(&'static str),
    /// No status has this name.
    #[error("The parameter \"status\" takes one of: {}.", Status::WORDS.join(", "))]
    Status,
    /// No job fails so.
    #[error("The parameter \"code\" takes the code of a failed job, such as {}.", JobCode::MalformedImage.row().code)]
    Code,
    /// Jobs that stand otherwise have no code.
    #[error("The parameter \"code\" goes with status=failed alone.")]
    CodeOfNoFailure,
    /// None, or too many.
    #[error("The parameter \"ids\" takes 1 to {MAX_IDS} ids of jobs with commas between them.")]
    Ids,
    /// Not a number, or not in the range.
    #[error("The parameter \"limit\" takes a whole number from 1 to {MAX_LIMIT}.")]
    Limit,
    /// Not one that a page gave out.
    #[error("The parameter \"cursor\" takes what the \"next\" link of a list holds. Start again without it.")]
    Cursor,
}

impl JobsQuery {
    /// Reads the decoded pairs of a query.
    ///
    /// # Errors
    /// [`ListError`] for the first pair that is wrong.
    pub fn parse(pairs: &[(&str, &str)]) -> Result<Self, ListError> {
        match pairs {
            [("ids", ids)] => Self::of_ids(ids),
            _ => ListQuery::parse(pairs.iter().copied()).map(Self::Page),
        }
    }

    /// A text that is the id of no job is left out, as the id of a job that is not there will be.
    fn of_ids(text: &str) -> Result<Self, ListError> {
        let texts: Vec<&str> = text.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
        if texts.is_empty() || texts.len() > MAX_IDS {
            return Err(ListError::Ids);
        }
        let mut ids = Vec::new();
        for id in texts.into_iter().filter_map(|text| JobId::parse(text).ok()) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(Self::Ids(ids))
    }
}

impl ListQuery {
    /// Reads the decoded pairs of a query.
    ///
    /// # Errors
    /// [`ListError`] for the first pair that is wrong.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ListError> {
        let (mut status, mut code, mut limit, mut after) = (None, None, None, None);
        for (name, value) in pairs {
            match name {
                "status" => once("status", &mut status, Status::from_name(value).ok_or(ListError::Status))?,
                "code" => once("code", &mut code, JobCode::of(value).ok_or(ListError::Code))?,
                "limit" => once("limit", &mut limit, parse_limit(value))?,
                "cursor" => once("cursor", &mut after, Cursor::parse(value).map_err(|_| ListError::Cursor))?,
                unknown => return Err(ListError::Unknown(unknown.chars().take(40).collect())),
            }
        }
        let status = match (status, code) {
            (None, Some(_)) => Some(Status::Failed),
            (Some(Status::Processing | Status::Succeeded), Some(_)) => {
                return Err(ListError::CodeOfNoFailure);
            }
            (status, _) => status,
        };
        Ok(Self { status, code, limit: limit.unwrap_or(DEFAULT_LIMIT), after })
    }

    /// The address of the page that begins after `last`.
    pub fn next_href(&self, last: Cursor) -> String {
        let status = self.status.map(|status| format!("&status={}", status.name())).unwrap_or_default();
        let code = self.code.map(|code| format!("&code={}", code.row().code)).unwrap_or_default();
        format!("/jobs?limit={}{status}{code}&cursor={last}", self.limit)
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
        assert_eq!(ListQuery::parse([]), Ok(ListQuery { status: None, code: None, limit: 20, after: None }));
    }

    #[test]
    fn the_next_link_asks_for_the_same_list_further_on() {
        for (status, code, limit) in [
            (None, None, 1),
            (Some(Status::Failed), None, 100),
            (Some(Status::Failed), Some(JobCode::Trap), 5),
        ] {
            let query = ListQuery { status, code, limit, after: None };
            let href = query.next_href(cursor());
            let pairs =
                href.strip_prefix("/jobs?").unwrap().split('&').map(|pair| pair.split_once('=').unwrap());
            assert_eq!(ListQuery::parse(pairs), Ok(ListQuery { after: Some(cursor()), ..query }));
        }
    }

    #[test]
    fn a_code_is_of_failed_jobs() {
        let expected = ListQuery {
            status: Some(Status::Failed),
            code: Some(JobCode::MalformedImage),
            limit: 20,
            after: None,
        };
        for pairs in
            [&[("code", "malformed-image")][..], &[("status", "failed"), ("code", "malformed-image")]]
        {
            assert_eq!(JobsQuery::parse(pairs), Ok(JobsQuery::Page(expected)));
        }
    }

    #[test]
    fn ids_are_asked_for_in_an_order_and_once_each() {
        let (a, b) = ("01932c07-20a4-7b3c-8d4e-5f6071829304", "01932c07-20a4-7b3c-8d4e-5f6071829305");
        let parse = |ids: &str| JobsQuery::parse(&[("ids", ids)]);
        let id = |text: &str| JobId::parse(text).unwrap();
        assert_eq!(parse(&format!("{b}, {a},,{b},x")), Ok(JobsQuery::Ids(vec![id(b), id(a)])));
        assert_eq!(parse("x"), Ok(JobsQuery::Ids(vec![])));
        let many = [a; MAX_IDS].join(",");
        assert_eq!(parse(&many), Ok(JobsQuery::Ids(vec![id(a)])));
        for wrong in ["", ",", &format!("{many},{b}")] {
            assert_eq!(parse(wrong), Err(ListError::Ids), "{wrong}");
        }
    }

    #[test]
    fn refuses_wrong_values_unknown_names_and_repetitions() {
        for (pairs, error) in [
            (vec![("status", "done")], ListError::Status),
            (vec![("status", "")], ListError::Status),
            (vec![("code", "no-such-code")], ListError::Code),
            (vec![("code", "trap"), ("status", "succeeded")], ListError::CodeOfNoFailure),
            (vec![("limit", "5"), ("ids", "x")], ListError::Unknown("ids".into())),
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
