//! The page of a code: what it means as the answer to a request, and as the reason of a failed job, from the tables of the domain.

use serde_json::{Value, json};
use thumbs_domain::failure::{self, Fault, JobCode};
use thumbs_domain::problem::{OF_THE_HOST, ProblemKind, Row};

/// What a code means. The same code may be both.
pub(crate) struct Entry {
    code: &'static str,
    problem: Option<&'static Row>,
    job: Option<&'static failure::Row>,
}

/// The code's entry, where there is one.
pub(crate) fn find(code: &str) -> Option<Entry> {
    let mut rows = ProblemKind::ALL.iter().map(|kind| kind.row()).chain(OF_THE_HOST);
    let problem = rows.find(|row| row.code == code);
    let job = JobCode::ALL.iter().map(|code| code.row()).find(|row| row.code == code);
    let code = problem.map(|row| row.code).or(job.map(|row| row.code))?;
    Some(Entry { code, problem, job })
}

impl Entry {
    /// For programs.
    pub(crate) fn json(&self) -> Value {
        json!({
            "type": format!("/problems/{}", self.code),
            "code": self.code,
            "problem": self.problem.map(|row| json!({
                "status": row.status,
                "title": row.title,
                "meaning": format!("{}.", row.meaning),
                "remedy": format!("{}.", row.remedy),
                "retry_after_secs": row.retry_after_secs,
            })),
            "job": self.job.map(|row| json!({
                "meaning": row.sentence,
                "remedy": row.remedy,
                "tried_again": row.fault != Fault::Permanent,
            })),
        })
    }

    /// For people.
    pub(crate) fn html(&self) -> String {
        let title = self.problem.map_or(self.code, |row| row.title);
        let mut sections = String::new();
        if let Some(row) = self.problem {
            let again = match row.retry_after_secs {
                Some(1) => "It may pass by itself: ask again after a second.".to_owned(),
                Some(secs) => format!("It may pass by itself: ask again after {secs} seconds."),
                None => "The same request gets the same answer again.".to_owned(),
            };
            sections += &section(
                "As the answer to a request",
                &format!("HTTP status {}", row.status),
                &format!("{}.", row.meaning),
                &format!("{}.", row.remedy),
                &again,
            );
        }
        if let Some(row) = self.job {
            let again = match row.fault {
                Fault::Service => {
                    "It is tried again by itself, without being counted, until the job is too old."
                }
                Fault::Transient => "It is tried again by itself, until the attempts are used up.",
                Fault::Permanent => "It is not tried again: every attempt would end so.",
            };
            let status = "The job's <code>error.code</code>";
            sections += &section("As the reason of a failed job", status, row.sentence, row.remedy, again);
        }
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title} - Thumbs</title>\n\
             <link rel=\"icon\" href=\"/site/icon.svg\">\n<link rel=\"stylesheet\" href=\"/site/style.css\">\n</head>\n\
             <body>\n<header class=\"top\"><a class=\"brand\" href=\"/\"><img src=\"/site/icon.svg\" alt=\"\" width=\"28\" height=\"28\">Thumbs</a>\
             <nav aria-label=\"Pages\"><a href=\"/docs\">API</a></nav></header>\n\
             <main class=\"problem\">\n<p class=\"eyebrow\"><code>{code}</code></p>\n<h1>{title}</h1>\n{sections}</main>\n</body>\n</html>\n",
            title = escaped(title),
            code = self.code,
        )
    }
}

fn section(heading: &str, status: &str, meaning: &str, remedy: &str, again: &str) -> String {
    format!(
        "<section>\n<h2>{heading}</h2>\n<dl>\n<dt>Seen as</dt><dd>{status}</dd>\n<dt>What it means</dt><dd>{}</dd>\n\
         <dt>What to do</dt><dd>{}</dd>\n<dt>Once more?</dt><dd>{}</dd>\n</dl>\n</section>\n",
        marked_up(meaning),
        marked_up(remedy),
        marked_up(again),
    )
}

/// Texts of the tables have names of things between backticks.
fn marked_up(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts
        .map(|(index, part)| match index % 2 {
            0 => escaped(part),
            _ => format!("<code>{}</code>", escaped(part)),
        })
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_may_be_that_of_a_problem_of_a_job_or_of_both() {
        let kinds = |code| find(code).map(|entry| (entry.problem.is_some(), entry.job.is_some()));
        assert_eq!(kinds("not-found"), Some((true, false)));
        assert_eq!(kinds("worker-lost"), Some((false, true)));
        assert_eq!(kinds("image-over-limit"), Some((true, true)));
        assert_eq!(kinds("busy"), Some((true, false)));
        assert_eq!(kinds("nonsense"), None);
    }

    #[test]
    fn a_page_shows_names_as_code_and_no_markup_of_the_tables() {
        assert_eq!(marked_up("Use `Allow` <b> & more"), "Use <code>Allow</code> &lt;b&gt; &amp; more");
        for row in ProblemKind::ALL.iter().map(|kind| kind.row()).chain(OF_THE_HOST) {
            let html = find(row.code).unwrap().html();
            assert!(!html.contains('`') && html.contains(row.title), "{}", row.code);
        }
    }
}
