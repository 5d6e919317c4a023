//! A client of the service's HTTP interface, as a user would write one: multipart uploads, polling, downloads. Every call has a
//! deadline, so a hang fails a test instead of stalling it.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode, header, multipart};
use serde_json::Value;

/// No single request of a test takes longer; a slower one is a hang.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a job may stay `processing` before the test gives up on it.
const JOB_DEADLINE: Duration = Duration::from_secs(60);
/// Between two polls of a job.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Speaks to one running service.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base_url: String,
}

/// What came back, read whole.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the parts of an HTTP response")]
pub struct Reply {
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    /// The value of a header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!(
                "{} with a body that is not JSON ({error}): {}",
                self.status,
                String::from_utf8_lossy(&self.body)
            )
        })
    }
}

impl Client {
    /// `base_url` has no trailing slash.
    ///
    /// # Panics
    /// When no HTTP client can be made.
    #[must_use]
    pub fn new(base_url: impl Into<String>) -> Self {
        Self::sending(base_url.into(), header::HeaderMap::new())
    }

    /// The same service, asked with an API key.
    ///
    /// # Panics
    /// When the key is no text for a header.
    #[must_use]
    pub fn holding(&self, key: &str) -> Self {
        let value = format!("Bearer {key}").parse().expect("a key is plain text");
        Self::sending(self.base_url.clone(), [(header::AUTHORIZATION, value)].into_iter().collect())
    }

    fn sending(base_url: String, headers: header::HeaderMap) -> Self {
        let http = reqwest::Client::builder()
            .timeout(REQUEST_TIMEOUT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .default_headers(headers)
            .build()
            .expect("an HTTP client without TLS needs nothing");
        Self { http, base_url }
    }

    /// A request to `path`, to be completed by the caller and passed to [`Client::send`].
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base_url))
    }

    /// Sends and reads the whole response.
    ///
    /// # Panics
    /// When there is no response within the deadline.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let response = request.send().await.expect("the service answers");
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.expect("the response is whole").to_vec();
        Reply { status, headers, body }
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    /// `POST /jobs` with the image as a multipart field and the options as further fields.
    pub async fn upload(&self, image: &[u8], options: &[(&str, &str)]) -> Reply {
        let mut form = multipart::Form::new()
            .part("image", multipart::Part::bytes(image.to_vec()).file_name("upload.bin"));
        for (name, value) in options {
            form = form.text((*name).to_owned(), (*value).to_owned());
        }
        self.send(self.request(Method::POST, "/jobs").multipart(form)).await
    }

    /// `POST /batches` with each image as a part, named by its number from 1.
    pub async fn batch(&self, images: &[impl AsRef<[u8]>]) -> Reply {
        let parts = images.iter().enumerate().map(|(index, image)| {
            multipart::Part::bytes(image.as_ref().to_vec()).file_name(format!("{}.bin", index + 1))
        });
        let form = parts.fold(multipart::Form::new(), |form, part| form.part("image", part));
        self.send(self.request(Method::POST, "/batches").multipart(form)).await
    }

    /// Uploads and gives the id of the accepted job.
    ///
    /// # Panics
    /// When the upload is not accepted with 202.
    pub async fn submit(&self, image: &[u8], options: &[(&str, &str)]) -> String {
        let reply = self.upload(image, options).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", String::from_utf8_lossy(&reply.body));
        let job = reply.json();
        job["job_id"].as_str().expect("a job has an id").to_owned()
    }

    /// Polls until the job is `succeeded` or `failed`, and gives it.
    ///
    /// # Panics
    /// When it is still processing at the deadline, or an answer is no job.
    pub async fn finished(&self, id: &str) -> Value {
        self.polled(id, |_| None).await
    }

    /// The same while the service may have too much to do: where it is refused with a time to come back, it comes back then.
    ///
    /// # Panics
    /// As [`Client::finished`].
    pub async fn finished_in_the_end(&self, id: &str) -> Value {
        let pause = |reply: &Reply| {
            let secs =
                reply.header("retry-after").filter(|_| reply.status == StatusCode::SERVICE_UNAVAILABLE);
            secs?.parse().ok().map(Duration::from_secs)
        };
        self.polled(id, pause).await
    }

    /// `refused_for`: how long, where an answer is a refusal.
    async fn polled(&self, id: &str, refused_for: impl Fn(&Reply) -> Option<Duration>) -> Value {
        let start = Instant::now();
        loop {
            let reply = self.get(&format!("/jobs/{id}")).await;
            let pause = refused_for(&reply);
            if pause.is_none() {
                assert_eq!(reply.status, StatusCode::OK, "{}", String::from_utf8_lossy(&reply.body));
                let job = reply.json();
                match job["status"].as_str() {
                    Some("processing") => {}
                    Some("succeeded" | "failed") => return job,
                    _ => panic!("this is no state of a job: {job}"),
                }
            }
            let waited = start.elapsed();
            let last = String::from_utf8_lossy(&reply.body);
            assert!(waited < JOB_DEADLINE, "the job is not done after {waited:?}: {last}");
            tokio::time::sleep(pause.unwrap_or(POLL_INTERVAL)).await;
        }
    }

    /// Uploads, waits for success and downloads the thumbnail.
    ///
    /// # Panics
    /// When any of the three does not succeed.
    pub async fn thumbnail(&self, image: &[u8], options: &[(&str, &str)]) -> (Value, Reply) {
        let id = self.submit(image, options).await;
        let job = self.finished(&id).await;
        assert_eq!(job["status"], "succeeded", "{job}");
        let reply = self.get(&format!("/thumbnails/{id}")).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", String::from_utf8_lossy(&reply.body));
        (job, reply)
    }
}
