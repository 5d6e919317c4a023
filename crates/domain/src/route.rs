//! The addresses that the application answers: one row a path, from which come the `Allow` of a wrong method and the table of
//! docs/api.md, and what a request must show to be let in. `spin.toml`, by which hosts find a component, is held against it by a test.

pub use thumbs_access::Scope;

/// What a request must show where the operator lists keys. Where none is listed, nobody needs anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: a key that comes along is not looked at.
    Nothing,
    /// A key with this scope.
    Key(Scope),
    /// A key with this scope, or that the link was signed by the service.
    KeyOrLink(Scope),
    /// Nothing; but a key with this scope is told more.
    Anything(Scope),
    /// A key with this scope, and where the operator lists none, there is nothing here: it is for nobody whom a key does not tell from others.
    KeyAlways(Scope),
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// As clients read it; a segment in braces is any one segment.
    pub path: &'static str,
    /// The component of spin.toml that answers. A host chooses by the path alone, so it answers all methods.
    pub component: &'static str,
    /// The methods that do something, and OPTIONS, as `Allow` lists them.
    pub allow: &'static str,
    /// What each of them needs and does. HEAD is GET.
    pub methods: &'static [(&'static str, Needs, &'static str)],
}

const READ: Needs = Needs::Key(Scope::Read);
const WRITE: Needs = Needs::Key(Scope::Write);
const ADMIN: Needs = Needs::Key(Scope::Admin);
const DEBUG: Needs = Needs::KeyAlways(Scope::Admin);
const PUBLIC: Needs = Needs::Nothing;

impl Row {
    /// What this method needs; none where the path has no such method.
    pub fn needs(&self, method: &str) -> Option<Needs> {
        let method = if method == "HEAD" { "GET" } else { method };
        self.methods.iter().find(|(known, ..)| *known == method).map(|(_, needs, _)| *needs)
    }

    /// Whether this is the row of a path with these segments, the first of which `first` is.
    fn is_of<'a>(&self, first: &[u8], path: impl Iterator<Item = &'a [u8]>) -> bool {
        // Nearly all rows end here: no parameter comes first.
        if !self.path.as_bytes().get(1..).is_some_and(|own| own.starts_with(first)) {
            return false;
        }
        let mut path = path;
        let matches = |own: &[u8]| path.next().is_some_and(|segment| own.starts_with(b"{") || own == segment);
        bytes(self.path).all(matches) && path.next().is_none()
    }

    fn parameters(&self) -> usize {
        bytes(self.path).filter(|segment| segment.starts_with(b"{")).count()
    }
}

/// What stands between the slashes of a path.
pub fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// The same, byte by byte: a search through text that short takes longer than its whole length.
fn bytes(path: &str) -> impl Iterator<Item = &[u8]> {
    path.as_bytes().split(|byte| *byte == b'/').filter(|segment| !segment.is_empty())
}

/// The row of a path, not decoded and without a query; of two that fit, the one that hosts choose, which spells more of it out.
pub fn find(path: &str) -> Option<&'static Row> {
    let first = bytes(path).next().unwrap_or_default();
    let rows = TABLE.iter().filter(|row| row.is_of(first, bytes(path)));
    rows.min_by_key(|row| row.parameters())
}

/// `/jobs`.
pub const JOBS: Row = Row {
    path: "/jobs",
    component: "upload",
    allow: "GET, HEAD, OPTIONS, POST",
    methods: &[
        (
            "POST",
            WRITE,
            "Takes an image in as a job: 202 with the job, and `Location`; with `wait` as for a job, 200 with the job once it is done, or with `Accept: image/*` the thumbnail; with `source`, of the image of another job",
        ),
        (
            "GET",
            READ,
            "Lists jobs, newest first; parameters `status`, `code`, `limit`, `cursor`, or `ids` alone",
        ),
    ],
};

/// `/jobs/{id}`.
pub const JOB: Row = Row {
    path: "/jobs/{id}",
    component: "status",
    allow: "DELETE, GET, HEAD, OPTIONS",
    methods: &[
        (
            "GET",
            READ,
            "One job; `?wait=SECONDS` or `Prefer: wait=SECONDS` holds the answer until it is done, 30 at most",
        ),
        (
            "DELETE",
            WRITE,
            "Deletes a job, wherever it stands: 204; a worker deletes its original and its thumbnail",
        ),
    ],
};

/// `/jobs/{id}/events`.
pub const EVENTS: Row = Row {
    path: "/jobs/{id}/events",
    component: "status",
    allow: "GET, HEAD, OPTIONS",
    methods: &[(
        "GET",
        READ,
        "The job each time it changes, as server-sent events, until it is done; 204 where `Last-Event-ID` is the last",
    )],
};

/// `/batches`.
pub const BATCHES: Row = Row {
    path: "/batches",
    component: "upload",
    allow: "OPTIONS, POST",
    methods: &[(
        "POST",
        WRITE,
        "Takes each image of a form in as a job of its own: 202 with a job or a problem for each, 200 where no job was made",
    )],
};

/// `/batches/{id}`.
pub const BATCH: Row = Row {
    path: "/batches/{id}",
    component: "status",
    allow: "GET, HEAD, OPTIONS",
    methods: &[(
        "GET",
        READ,
        "The jobs of a batch, and how many there are of each status; `wait` holds the answer until all are done",
    )],
};

/// `/jobs/{id}/retry`.
pub const RETRY: Row = Row {
    path: "/jobs/{id}/retry",
    component: "status",
    allow: "OPTIONS, POST",
    methods: &[(
        "POST",
        WRITE,
        "Has a failed job tried again, with all its attempts before it: 202 with the job (`wait` as for a job); 409 where it did not fail, 410 where its original is kept no longer",
    )],
};

/// `/jobs/{id}/history`.
pub const HISTORY: Row = Row {
    path: "/jobs/{id}/history",
    component: "status",
    allow: "GET, HEAD, OPTIONS",
    methods: &[("GET", READ, "How the last attempts at a job went: when, how they ended, and why")],
};

/// `/thumbnails/{id}`.
pub const THUMBNAIL: Row = Row {
    path: "/thumbnails/{id}",
    component: "download",
    allow: "GET, HEAD, OPTIONS",
    methods: &[(
        "GET",
        Needs::KeyOrLink(Scope::Read),
        "The thumbnail of a job, with `ETag`; 409 and `Retry-After` while it is made (`wait` as for a job), 410 when there will be none",
    )],
};

/// `/thumbnails/{id}/{name}`.
pub const VARIANT: Row = Row {
    path: "/thumbnails/{id}/{name}",
    component: "download",
    allow: "GET, HEAD, OPTIONS",
    methods: &[(
        "GET",
        Needs::KeyOrLink(Scope::Read),
        "One of the thumbnails of a job with `variants`, by its name; otherwise as the thumbnail of a job",
    )],
};

/// `/`.
pub const HOME: Row = Row {
    path: "/",
    component: "pages",
    allow: "GET, HEAD, OPTIONS",
    methods: &[("GET", PUBLIC, "The page on which people make thumbnails")],
};

/// `/docs`.
pub const DOCS: Row = Row {
    path: "/docs",
    component: "pages",
    allow: "GET, HEAD, OPTIONS",
    methods: &[("GET", PUBLIC, "This API, to read and to try out")],
};

/// `/openapi.json`.
pub const OPENAPI: Row = Row {
    path: "/openapi.json",
    component: "pages",
    allow: "GET, HEAD, OPTIONS",
    methods: &[("GET", PUBLIC, "This API, as an OpenAPI 3.1 document")],
};

/// `/problems/{code}`.
pub const PROBLEM: Row = Row {
    path: "/problems/{code}",
    component: "pages",
    allow: "GET, HEAD, OPTIONS",
    methods: &[(
        "GET",
        PUBLIC,
        "What the code of a problem or of a failed job means, and what to do; a page, or JSON by `Accept`",
    )],
};

/// `/site/{file}`.
pub const SITE: Row = Row {
    path: "/site/{file}",
    component: "pages",
    allow: "GET, HEAD, OPTIONS",
    methods: &[("GET", PUBLIC, "A script, style or picture of the pages")],
};

/// `/healthz`.
pub const HEALTHZ: Row = Row {
    path: "/healthz",
    component: "ops",
    allow: "GET, HEAD, OPTIONS",
    methods: &[("GET", PUBLIC, "Whether the service is alive; asks nothing else")],
};

/// `/readyz`.
pub const READYZ: Row = Row {
    path: "/readyz",
    component: "ops",
    allow: "GET, HEAD, OPTIONS",
    methods: &[("GET", PUBLIC, "Whether it can serve: 200 where all that it needs answers, else 503")],
};

/// `/healthz/detailed`.
pub const HEALTHZ_DETAILED: Row = Row {
    path: "/healthz/detailed",
    component: "ops",
    allow: "GET, HEAD, OPTIONS",
    methods: &[(
        "GET",
        Needs::Anything(Scope::Admin),
        "Whether it is well, and how each thing that it depends on answers; 503 where one that it needs does not",
    )],
};

/// `/metrics`.
pub const METRICS: Row = Row {
    path: "/metrics",
    component: "ops",
    allow: "GET, HEAD, OPTIONS",
    methods: &[("GET", ADMIN, "Numbers of jobs, in the text format of Prometheus")],
};

/// `/debug/info`.
pub const DEBUG_INFO: Row = Row {
    path: "/debug/info",
    component: "ops",
    allow: "GET, HEAD, OPTIONS",
    methods: &[(
        "GET",
        DEBUG,
        "The version, the settings without what is secret in them, and the names of the keys",
    )],
};

/// `/debug/connectivity`.
pub const DEBUG_CONNECTIVITY: Row = Row {
    path: "/debug/connectivity",
    component: "ops",
    allow: "GET, HEAD, OPTIONS",
    methods: &[(
        "GET",
        DEBUG,
        "Where each thing is that the service depends on, and how it answers to three questions; 200 even where one does not",
    )],
};

/// `/debug/jobs`.
pub const DEBUG_JOBS: Row = Row {
    path: "/debug/jobs",
    component: "ops",
    allow: "GET, HEAD, OPTIONS",
    methods: &[("GET", DEBUG, "The queue: how long it is, the jobs at its head, and the last that failed")],
};

/// `/debug/logs`.
pub const DEBUG_LOGS: Row = Row {
    path: "/debug/logs",
    component: "ops",
    allow: "GET, HEAD, OPTIONS",
    methods: &[(
        "GET",
        DEBUG,
        "The last lines of the log of the process that answers, on `thumbs up`; on Spin the log is where Spin puts it",
    )],
};

/// All routes, in the order of the documentation.
pub const TABLE: &[Row] = &[
    JOBS,
    JOB,
    RETRY,
    HISTORY,
    EVENTS,
    BATCHES,
    BATCH,
    THUMBNAIL,
    VARIANT,
    OPENAPI,
    DOCS,
    PROBLEM,
    HOME,
    SITE,
    HEALTHZ,
    READYZ,
    HEALTHZ_DETAILED,
    METRICS,
    DEBUG_INFO,
    DEBUG_CONNECTIVITY,
    DEBUG_JOBS,
    DEBUG_LOGS,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_allows_the_methods_that_do_something_options_and_head_beside_get() {
        for row in TABLE {
            let mut methods: Vec<_> = row.methods.iter().map(|(method, ..)| *method).collect();
            if methods.contains(&"GET") {
                methods.push("HEAD");
            }
            methods.push("OPTIONS");
            methods.sort_unstable();
            assert_eq!(methods.join(", "), row.allow, "{}", row.path);
        }
    }

    #[test]
    fn a_path_finds_its_row_as_hosts_route_it() {
        for (path, row) in [
            ("/", Some("/")),
            ("/jobs", Some("/jobs")),
            ("/jobs/", Some("/jobs")),
            ("/jobs/x", Some("/jobs/{id}")),
            ("//jobs//x/", Some("/jobs/{id}")),
            ("/jobs/%2e%2e", Some("/jobs/{id}")),
            ("/healthz", Some("/healthz")),
            ("/healthz/detailed", Some("/healthz/detailed")),
            ("/jobs/x/y", None),
            ("/job", None),
            ("/job/x", None),
            ("/Jobs", None),
            ("/metricsx", None),
        ] {
            assert_eq!(find(path).map(|row| row.path), row, "{path}");
        }
        for row in TABLE {
            assert_eq!(find(row.path), Some(row), "{}", row.path);
        }
    }

    #[test]
    fn only_what_is_for_everybody_needs_nothing() {
        let open = TABLE.iter().filter(|row| row.needs("GET") == Some(Needs::Nothing)).map(|row| row.path);
        assert_eq!(
            open.collect::<Vec<_>>(),
            ["/openapi.json", "/docs", "/problems/{code}", "/", "/site/{file}", "/healthz", "/readyz"]
        );
        assert_eq!(
            (JOBS.needs("POST"), JOBS.needs("HEAD"), JOBS.needs("PUT")),
            (Some(WRITE), Some(READ), None)
        );
    }
}
