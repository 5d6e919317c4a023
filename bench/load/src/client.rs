//! A client: one request at a time or many, each on a connection that is free, or a new one.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client as Http, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use serde_json::Value;

/// A client gives up then, which counts as an error.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks one service, perhaps with a key.
#[derive(Clone)]
pub(crate) struct Client {
    http: Http<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
    key: Option<String>,
}

/// What came back, whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    body: Bytes,
}

impl Answer {
    /// A job's id and its status, where that is what it tells.
    pub(crate) fn job(&self) -> Option<(String, String)> {
        let job: Value = serde_json::from_slice(&self.body).ok()?;
        Some((job["job_id"].as_str()?.to_owned(), job["status"].as_str()?.to_owned()))
    }
}

impl Client {
    pub(crate) fn new(address: SocketAddr, key: Option<String>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let http = Http::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Self { http, address, key }
    }

    pub(crate) async fn upload(&self, image: Bytes) -> Result<Answer> {
        self.ask("POST", "/jobs", image).await
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer> {
        self.ask("GET", path, Bytes::new()).await
    }

    async fn ask(&self, method: &str, path: &str, body: Bytes) -> Result<Answer> {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        if let Some(key) = &self.key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        let request = request.body(Full::new(body))?;
        let exchange = async {
            let (parts, body) = self.http.request(request).await?.into_parts();
            anyhow::Ok(Answer { status: parts.status, body: body.collect().await?.to_bytes() })
        };
        tokio::time::timeout(PATIENCE, exchange).await.context("no whole answer in 30 s")?
    }
}
