//! The addresses that the application answers: one row a path, from which come the `Allow` of a wrong method and the table of
//! docs/api.md. `spin.toml`, by which hosts find a component, is held against it by a test.

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// As clients read it; a segment in braces is any one segment.
    pub path: &'static str,
    /// The component of spin.toml that answers. A host chooses by the path alone, so it answers all methods.
    pub component: &'static str,
    /// The methods that do something, and OPTIONS, as `Allow` lists them.
    pub allow: &'static str,
    /// What each of them does.
    pub methods: &'static [(&'static str, &'static str)],
}

/// `/jobs`.
pub const JOBS: Row = Row {
    path: "/jobs",
    component: "upload",
    allow: "GET, HEAD, OPTIONS, POST",
    methods: &[
        ("POST", "Takes an image in as a job: 202 with the job, and `Location`"),
        ("GET", "Lists jobs, newest first; parameters `status`, `limit`, `cursor`"),
    ],
};

/// `/jobs/{id}`.
pub const JOB: Row = Row {
    path: "/jobs/{id}",
    component: "status",
    allow: "GET, HEAD, OPTIONS",
    methods: &[("GET", "One job; `?wait=SECONDS` holds the answer until it is done, 30 at most")],
};

/// `/thumbnails/{id}`.
pub const THUMBNAIL: Row = Row {
    path: "/thumbnails/{id}",
    component: "download",
    allow: "GET, HEAD, OPTIONS",
    methods: &[(
        "GET",
        "The thumbnail of a job, with `ETag`; 409 and `Retry-After` while it is made, 410 when there will be none",
    )],
};

/// `/`.
pub const HOME: Row = Row {
    path: "/",
    component: "pages",
    allow: "GET, HEAD, OPTIONS",
    methods: &[("GET", "The page on which people make thumbnails")],
};

/// `/docs`.
pub const DOCS: Row = Row {
    path: "/docs",
    component: "pages",
    allow: "GET, HEAD, OPTIONS",
    methods: &[("GET", "This API, to read and to try out")],
};

/// `/openapi.json`.
pub const OPENAPI: Row = Row {
    path: "/openapi.json",
    component: "pages",
    allow: "GET, HEAD, OPTIONS",
    methods: &[("GET", "This API, as an OpenAPI 3.1 document")],
};

/// `/problems/{code}`.
pub const PROBLEM: Row = Row {
    path: "/problems/{code}",
    component: "pages",
    allow: "GET, HEAD, OPTIONS",
    methods: &[(
        "GET",
        "What the code of a problem or of a failed job means, and what to do; a page, or JSON by `Accept`",
    )],
};

/// `/site/{file}`.
pub const SITE: Row = Row {
    path: "/site/{file}",
    component: "pages",
    allow: "GET, HEAD, OPTIONS",
    methods: &[("GET", "A script, style or picture of the pages")],
};

/// `/healthz`.
pub const HEALTHZ: Row = Row {
    path: "/healthz",
    component: "ops",
    allow: "GET, HEAD, OPTIONS",
    methods: &[("GET", "Whether the service is alive; asks nothing else")],
};

/// `/readyz`.
pub const READYZ: Row = Row {
    path: "/readyz",
    component: "ops",
    allow: "GET, HEAD, OPTIONS",
    methods: &[("GET", "Whether it can serve: 200 where all that it needs answers, else 503")],
};

/// `/healthz/detailed`.
pub const HEALTHZ_DETAILED: Row = Row {
    path: "/healthz/detailed",
    component: "ops",
    allow: "GET, HEAD, OPTIONS",
    methods: &[("GET", "How each thing that it depends on answers; 503 where one that it needs does not")],
};

/// `/metrics`.
pub const METRICS: Row = Row {
    path: "/metrics",
    component: "ops",
    allow: "GET, HEAD, OPTIONS",
    methods: &[("GET", "Numbers of jobs, in the text format of Prometheus")],
};

/// All routes, in the order of the documentation.
pub const TABLE: &[Row] =
    &[JOBS, JOB, THUMBNAIL, OPENAPI, DOCS, PROBLEM, HOME, SITE, HEALTHZ, READYZ, HEALTHZ_DETAILED, METRICS];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_allows_the_methods_that_do_something_options_and_head_beside_get() {
        for row in TABLE {
            let mut methods: Vec<_> = row.methods.iter().map(|(method, _)| *method).collect();
            if methods.contains(&"GET") {
                methods.push("HEAD");
            }
            methods.push("OPTIONS");
            methods.sort_unstable();
            assert_eq!(methods.join(", "), row.allow, "{}", row.path);
        }
    }
}
