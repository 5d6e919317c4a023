//! Which route a path belongs to, by Spin's rules.
//!
//! A route is exact (`/jobs`), has named segments (`/jobs/:id`), or ends in `/...`, which takes the rest, nothing included. Slashes
//! at the end of a path do not count. Where several routes match, segments decide from the left: an exact one before a named one
//! before the rest. Paths are compared as they were sent: nothing is decoded, so `%2e` is no dot and no route can be reached by a
//! second spelling. For that reason two slashes in a row are not what they are on Spin, where they may stand before a path, and between
//! them a named segment that is empty.

use std::cmp::Ordering;

/// Routes and what they lead to.
#[derive(Clone, Debug)]
pub struct Router<T> {
    /// The most specific first.
    routes: Vec<(Pattern, T)>,
}

/// A route as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    segments: Vec<Segment>,
    takes_rest: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Exact(String),
    Named(String),
}

/// A path's place among the routes.
#[derive(Debug, PartialEq, Eq)]
pub struct Match<'r, 'p, T> {
    /// The route.
    pub pattern: &'r Pattern,
    /// What it leads to.
    pub target: &'r T,
    /// Its place among [`Router::routes`].
    pub index: usize,
    /// The named segments and what stood in their place.
    pub named: Vec<(&'r str, &'p str)>,
    /// What a trailing `/...` took, with the slash before it; empty without one.
    pub rest: &'p str,
}

impl Pattern {
    /// Takes a route apart.
    ///
    /// # Errors
    /// A clause that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |reason: &str| format!("the route {text:?} {reason}");
        let path = text.strip_prefix('/').ok_or_else(|| wrong("must begin with `/`"))?;
        let (path, takes_rest) = match path.strip_suffix("...") {
            Some(before) if before.is_empty() || before.ends_with('/') => (before, true),
            _ => (path, false),
        };
        let mut segments = Vec::new();
        for segment in path.strip_suffix('/').unwrap_or(path).split('/').filter(|_| !path.is_empty()) {
            segments.push(match segment.strip_prefix(':') {
                Some(name) if is_name(name) && !segments.contains(&Segment::Named(name.to_owned())) => {
                    Segment::Named(name.to_owned())
                }
                Some(_) => {
                    return Err(wrong("has a `:` without a name of its own (letters, digits, `-`, `_`)"));
                }
                None if segment.is_empty() => return Err(wrong("has an empty segment")),
                None if segment.contains(['*', '?', '#', ' ', ':']) || segment.contains("...") => {
                    return Err(wrong(
                        "has a character that no path has, or a wildcard that is not `/...` at the end",
                    ));
                }
                None => Segment::Exact(segment.to_owned()),
            });
        }
        Ok(Self { text: text.to_owned(), segments, takes_rest })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Without the trailing `/...`.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.text.strip_suffix("/...").unwrap_or(&self.text)
    }

    fn matches<'r, 'p>(&'r self, path: &'p str) -> Option<(Vec<(&'r str, &'p str)>, &'p str)> {
        let mut named = Vec::new();
        let mut rest = path.trim_end_matches('/');
        for segment in &self.segments {
            let tail = rest.strip_prefix('/')?;
            let (value, after) = tail.find('/').map_or((tail, ""), |end| tail.split_at(end));
            match segment {
                Segment::Exact(text) if text == value => {}
                Segment::Named(name) if !value.is_empty() => named.push((name.as_str(), value)),
                _ => return None,
            }
            rest = after;
        }
        match (self.takes_rest, rest) {
            // With the slashes that ended the path: Spin hands them on.
            (true, _) => path.get(path.trim_end_matches('/').len() - rest.len()..).map(|rest| (named, rest)),
            (false, "") => Some((named, "")),
            (false, _) => None,
        }
    }

    /// Less is more specific.
    fn compare(&self, other: &Self) -> Ordering {
        let rank = |segment: Option<&Segment>, takes_rest: bool| match segment {
            Some(Segment::Exact(_)) => 0,
            Some(Segment::Named(_)) => 1,
            None if !takes_rest => 2,
            None => 3,
        };
        let longest = self.segments.len().max(other.segments.len()) + 1;
        (0..longest)
            .map(|at| {
                rank(self.segments.get(at), self.takes_rest)
                    .cmp(&rank(other.segments.get(at), other.takes_rest))
            })
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// Whether both match exactly the same paths.
    fn same_paths(&self, other: &Self) -> bool {
        let same = |(a, b): (&Segment, &Segment)| match (a, b) {
            (Segment::Exact(a), Segment::Exact(b)) => a == b,
            (Segment::Named(_), Segment::Named(_)) => true,
            _ => false,
        };
        self.takes_rest == other.takes_rest
            && self.segments.len() == other.segments.len()
            && self.segments.iter().zip(&other.segments).all(same)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

impl<T> Router<T> {
    /// Sorts routes by how specific they are.
    ///
    /// # Errors
    /// Two routes match the same paths. (Spin lets the later win; here one of them is a mistake.)
    pub fn new(routes: impl IntoIterator<Item = (Pattern, T)>) -> Result<Self, String> {
        let mut sorted: Vec<(Pattern, T)> = Vec::new();
        for (pattern, target) in routes {
            if let Some((earlier, _)) = sorted.iter().find(|(earlier, _)| earlier.same_paths(&pattern)) {
                return Err(format!(
                    "the routes {:?} and {:?} match the same paths; remove one",
                    earlier.text, pattern.text
                ));
            }
            sorted.push((pattern, target));
        }
        sorted.sort_by(|(a, _), (b, _)| a.compare(b));
        Ok(Self { routes: sorted })
    }

    /// The most specific route that a path matches.
    #[must_use]
    pub fn find<'r, 'p>(&'r self, path: &'p str) -> Option<Match<'r, 'p, T>> {
        self.routes.iter().enumerate().find_map(|(index, (pattern, target))| {
            pattern.matches(path).map(|(named, rest)| Match { pattern, target, index, named, rest })
        })
    }

    /// All routes, the most specific first.
    pub fn routes(&self) -> impl Iterator<Item = (&Pattern, &T)> {
        self.routes.iter().map(|(pattern, target)| (pattern, target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(routes: &[&'static str]) -> Router<&'static str> {
        Router::new(routes.iter().map(|route| (Pattern::parse(route).unwrap(), *route))).unwrap()
    }

    #[test]
    fn the_most_specific_route_wins() {
        let router = router(&[
            "/...",
            "/jobs/...",
            "/jobs",
            "/jobs/:id",
            "/jobs/batch",
            "/:any/batch",
            "/jobs/:id/events",
            "/",
        ]);
        for (path, route) in [
            ("/", "/"),
            ("/x", "/..."),
            ("/x/y/z", "/..."),
            ("/jobs", "/jobs"),
            ("/jobs/", "/jobs"),
            ("/jobs/7", "/jobs/:id"),
            ("/jobs/batch", "/jobs/batch"),
            ("/x/batch", "/:any/batch"),
            ("/jobs/7/events", "/jobs/:id/events"),
            ("/jobs/7/other", "/jobs/..."),
            ("/jobsx", "/..."),
        ] {
            assert_eq!(router.find(path).map(|found| *found.target), Some(route), "{path}");
        }
    }

    /// Spin 3.6 hands its routes to `routefinder`, with `/...` written as `/*`.
    #[test]
    fn a_path_finds_the_route_that_it_finds_on_spin() {
        const ROUTES: &[&str] = &[
            "/",
            "/...",
            "/jobs",
            "/jobs/...",
            "/jobs/:id",
            "/jobs/batch",
            "/:any",
            "/:any/batch",
            "/:any/...",
            "/jobs/:id/events",
            "/jobs/:id/...",
            "/:any/:id",
            "/a/b/c",
            "/a/:x/c/...",
            "/a/b/...",
        ];
        const PATHS: &[&str] = &[
            "/",
            "/x",
            "/x/",
            "/x/y",
            "/x/batch",
            "/jobs",
            "/jobs/",
            "/jobs/7",
            "/jobs/7/",
            "/jobs/batch",
            "/jobs/batch/",
            "/jobs/7/events",
            "/jobs/7/events/",
            "/jobs/7/other",
            "/jobs/7/a/b",
            "/jobsx",
            "/jobs/%2e",
            "/a/b/c",
            "/a/b/c/d",
            "/a/x/c",
            "/a/x/c/d",
            "/a/b/x",
            "/A/b/c",
            "/a",
            "/a/",
            "/a/b",
            "/a.b",
            "/jobs/1.png",
        ];
        // Every route alone, each with each, and all together.
        let mut tables: Vec<Vec<&'static str>> = vec![ROUTES.to_vec()];
        for (index, first) in ROUTES.iter().enumerate() {
            tables.push(vec![first]);
            tables.extend(ROUTES.iter().skip(index + 1).map(|second| vec![*first, *second]));
        }
        for routes in tables {
            let ours = router(&routes);
            let mut theirs = routefinder::Router::new();
            for route in &routes {
                theirs.add(route.replace("...", "*"), *route).unwrap();
            }
            for path in PATHS {
                assert_eq!(
                    ours.find(path).map(|found| *found.target),
                    theirs.best_match(path).map(|found| *found.handler()),
                    "{path} among {routes:?}"
                );
            }
        }
    }

    #[test]
    fn a_doubled_slash_is_no_segment_here_and_is_one_on_spin() {
        for (route, path) in [("/jobs/:id/...", "/jobs//7"), ("/jobs/:id", "//jobs/7")] {
            assert_eq!(router(&[route]).find(path), None, "{path}");
            let mut theirs = routefinder::Router::new();
            theirs.add(route.replace("...", "*"), ()).unwrap();
            assert!(theirs.best_match(path).is_some(), "{path}");
        }
    }

    #[test]
    fn named_segments_and_the_rest_are_given_as_they_were_sent() {
        let router = router(&["/a/:x/b/:y", "/foo/...", "/user/:id/..."]);
        let found = router.find("/a/1%2f2/b/..").unwrap();
        assert_eq!(found.named, [("x", "1%2f2"), ("y", "..")]);
        for (path, rest) in [
            ("/foo", ""),
            ("/foo/", "/"),
            ("/foo/bar", "/bar"),
            ("/foo/bar/", "/bar/"),
            ("/foo//bar", "//bar"),
        ] {
            assert_eq!(router.find(path).unwrap().rest, rest, "{path}");
        }
        let found = router.find("/user/42/x").unwrap();
        assert_eq!((found.named, found.rest), (vec![("id", "42")], "/x"));
        assert_eq!(found.pattern.prefix(), "/user/:id");
    }

    #[test]
    fn what_matches_nothing_is_not_found() {
        let router = router(&["/jobs/:id"]);
        for path in ["", "/", "/jobs", "/jobs/", "/jobs//", "/jobs/1/2", "//jobs/1", "/Jobs/1", "jobs/1", "*"]
        {
            assert!(router.find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn wrong_and_doubled_routes_are_refused() {
        for route in
            ["", "jobs", "//", "/a//b", "/:", "/a/:x/:x", "/a*", "/*", "/.../a", "/a...", "/a?b", "/a/:x y"]
        {
            assert!(Pattern::parse(route).is_err(), "{route}");
        }
        for (a, b) in [("/a", "/a"), ("/a/:x", "/a/:y"), ("/a/...", "/a/..."), ("/a", "/a/")] {
            assert!(
                Router::new([a, b].map(|route| (Pattern::parse(route).unwrap(), ()))).is_err(),
                "{a} {b}"
            );
        }
        assert!(Router::new(["/a", "/a/..."].map(|route| (Pattern::parse(route).unwrap(), ()))).is_ok());
    }
}
