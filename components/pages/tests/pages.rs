//! The pages handler: what is where, under which headers, and that the pages know all that the tables of the domain do.

use http::HeaderMap;
use thumbs_domain::failure::JobCode;
use thumbs_domain::options::{self, Takes};
use thumbs_domain::problem::{OF_THE_HOST, ProblemKind};
use thumbs_guest::testing::{FixedVariables, request, text};
use thumbs_pages::{FILES, Pages};

fn get(path: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap, String) {
    let request = request("GET", path, headers);
    text(&request, Pages { variables: &FixedVariables::small() }.handle(&request))
}

fn page(path: &str) -> String {
    let (status, _, body) = get(path, &[]);
    assert_eq!(status, 200, "{path}");
    body
}

#[test]
fn every_code_has_its_page() {
    let problems = ProblemKind::ALL.iter().map(|kind| kind.row()).chain(OF_THE_HOST);
    for path in problems.map(|row| row.href()) {
        assert!(page(&path).contains("What to do"), "{path}");
    }
    for row in JobCode::ALL.iter().map(|code| code.row()) {
        assert!(page(&format!("/problems/{}", row.code)).contains("failed job"), "{}", row.code);
    }
}

#[test]
fn json_is_for_who_prefers_it() {
    for (accept, expected) in [
        ("text/html,*/*;q=0.8", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("application/json", "application/json"),
    ] {
        let (_, headers, _) = get("/problems/not-found", &[("accept", accept)]);
        assert_eq!(headers["content-type"], expected, "{accept}");
    }
}

/// A page that names a file which is not carried would be half a page, and one that has script or style in itself would be refused by its own
/// policy.
#[test]
fn pages_name_files_that_are_there_and_have_nothing_inline() {
    for path in ["/", "/docs", "/problems/not-found"] {
        let page = page(path);
        let named: Vec<_> =
            page.split("\"/site/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(!named.is_empty(), "{path}");
        for name in named {
            assert!(FILES.iter().any(|file| file.name == name), "{path} names {name}: add it to site.rs");
        }
        for forbidden in [" style=", "<style", " onclick=", " onload=", "<script>", "http://", "//cdn"] {
            assert!(!page.contains(forbidden), "{path} has {forbidden}");
        }
    }
}

#[test]
fn scripts_import_files_that_are_there() {
    for file in FILES.iter().filter(|file| file.name.ends_with(".js")) {
        let script = std::str::from_utf8(file.content).unwrap();
        for import in script.lines().filter(|line| line.starts_with("import ")) {
            let name = import.split("\"./").nth(1).unwrap().split('"').next().unwrap();
            assert!(
                FILES.iter().any(|other| other.name == name),
                "{} imports {name}: add it to site.rs",
                file.name
            );
        }
    }
}

#[test]
fn every_file_of_the_site_is_carried() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/site")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_page = name.ends_with(".html");
        assert!(
            is_page || FILES.iter().any(|file| file.name == name),
            "{name}: add it to site.rs, or remove it"
        );
    }
}

/// Whoever adds an option, or a word to one, adds it to the page as well.
#[test]
fn the_web_page_offers_every_option_and_each_of_its_words() {
    let page = page("/");
    for row in options::TABLE {
        assert!(
            page.contains(&format!("name=\"{}\"", row.name)),
            "site/index.html does not offer {}",
            row.name
        );
        let Takes::OneOf(words) = row.takes else { continue };
        if words == ["true", "false"] {
            continue;
        }
        for word in words {
            assert!(
                page.contains(&format!("value=\"{word}\"")),
                "site/index.html does not offer {}={word}",
                row.name
            );
        }
    }
}
