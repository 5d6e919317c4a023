//! The pages component: the web page, and what the service says of itself: its API as a document and as a
//! page, its problems explained.
//!
//! Here is only the entry point and what it is wired to; `handler.rs` decides, `site.rs` holds the files of `site/`, `problem.rs` writes the
//! page of a code. It sees no job and no blob: the pages ask the other components as any client does.

mod handler;
mod problem;
mod site;

pub use handler::Pages;
pub use site::FILES;

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "the SDK's macro writes the entry point of the component")]
mod entry {
    use spin_sdk::http::{IncomingRequest, ResponseOutparam};
    use spin_sdk::http_component;
    use thumbs_guest::config::HostVariables;
    use thumbs_guest::http::serve::serve_unmetered;

    use super::Pages;

    #[http_component]
    async fn handle(request: IncomingRequest, out: ResponseOutparam) {
        serve_unmetered("pages", request, out, async |request, _, _| {
            Pages { variables: &HostVariables }.handle(&request)
        })
        .await;
    }
}
