//! What outgoing requests of the component under test meet: the answers that the suite set, one request each. There is no network: a URL
//! without an answer can't be reached.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use http::{Request, Response, Uri};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use crate::capabilities::http::{Carrier, IoResult, Sending};

/// How a request is answered.
pub(super) enum Answer {
    /// With 200 and its own body.
    Echo,
    /// With this.
    Response(Response<WasiBody>),
}

/// Answers by URL.
#[derive(Default)]
pub(super) struct Answers(Mutex<BTreeMap<String, Answer>>);

impl Answers {
    /// Has the next request to this URL answered so; one that was set for it before is replaced.
    ///
    /// # Errors
    /// It is no `scheme://host[:port][/path]`.
    pub(super) fn set(&self, url: &str, answer: Answer) -> Result<(), String> {
        let name = url
            .parse()
            .ok()
            .and_then(|url| name(&url))
            .ok_or_else(|| format!("{url:?} is not a URL that a component could ask"))?;
        self.with(|answers| answers.insert(name, answer));
        Ok(())
    }

    fn with<T>(&self, use_answers: impl FnOnce(&mut BTreeMap<String, Answer>) -> T) -> T {
        use_answers(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A URL in one spelling: with and without the slash that is its whole path are one.
fn name(url: &Uri) -> Option<String> {
    let path = url.path_and_query().map(http::uri::PathAndQuery::as_str).filter(|path| *path != "/");
    Some(format!("{}://{}{}", url.scheme()?, url.authority()?, path.unwrap_or_default()))
}

impl Carrier for Answers {
    fn carry(&self, request: Request<WasiBody>, _: RequestOptions) -> Sending {
        let found = name(request.uri()).and_then(|name| self.with(|answers| answers.remove(&name)));
        let response = match found {
            Some(Answer::Echo) => Ok(Response::new(request.into_body())),
            Some(Answer::Response(response)) => Ok(response),
            None => Err(Error::DestinationUnavailable),
        };
        let done: IoResult = Box::new(std::future::ready(Ok(())));
        Box::new(std::future::ready(response.map(|response| (response, done))))
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with(|answers| f.debug_set().entries(answers.keys()).finish())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::{BodyExt as _, Full};

    use super::*;

    fn body(text: &'static str) -> WasiBody {
        Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed_unsync()
    }

    async fn ask(answers: &Answers, url: &'static str) -> Result<(u16, Bytes), Error> {
        let mut request = Request::new(body("sent"));
        *request.uri_mut() = Uri::from_static(url);
        let (response, _) = Box::into_pin(answers.carry(request, RequestOptions::default())).await?;
        Ok((response.status().as_u16(), response.into_body().collect().await?.to_bytes()))
    }

    #[tokio::test]
    async fn an_answer_is_for_one_request_to_its_url() {
        let answers = Answers::default();
        let created = Response::builder().status(201).body(body("made")).unwrap();
        answers.set("http://a.example/", Answer::Response(created)).unwrap();
        answers.set("https://b.example/x?y", Answer::Echo).unwrap();
        assert!(ask(&answers, "http://b.example/x?y").await.is_err(), "another scheme");
        assert_eq!(ask(&answers, "http://a.example").await.unwrap(), (201, "made".into()));
        assert!(ask(&answers, "http://a.example").await.is_err(), "it was answered already");
        assert_eq!(ask(&answers, "https://b.example/x?y").await.unwrap(), (200, "sent".into()));
    }

    #[test]
    fn what_is_no_url_has_no_answer() {
        for url in ["", "/path", "a.example", "http://"] {
            assert!(Answers::default().set(url, Answer::Echo).is_err(), "{url}");
        }
    }
}
