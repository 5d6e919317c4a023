//! `thumbs jobs`, `get`, `retry` and `delete`: jobs of a service.

use std::path::PathBuf;

use clap::Args;
use http::Method;
use serde_json::{Value, json};

use super::{
    client::{Ask, Client, ClientError, Server},
    files,
    sending::{failure, finished, text},
};
use crate::blocking::blocking;

type Error = Box<dyn std::error::Error>;

#[derive(Args, Debug)]
pub(super) struct Jobs {
    /// Only those that stand so: processing, succeeded or failed.
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// Only those that failed of this.
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// How many, the newest first.
    #[arg(long, default_value_t = 20, value_name = "NUMBER")]
    limit: u32,
    #[command(flatten)]
    server: Server,
}

#[derive(Args, Debug)]
pub(super) struct Get {
    /// The id of the job.
    #[arg(value_parser = job, value_name = "JOB")]
    job: String,
    /// Wait until it is done.
    #[arg(long)]
    wait: bool,
    /// Wait until it is done, and put the thumbnail there.
    #[arg(short = 'o', long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Which of its thumbnails, where it has several [default: the first].
    #[arg(long, requires = "output", value_parser = variant, value_name = "NAME")]
    variant: Option<String>,
    #[command(flatten)]
    server: Server,
}

#[derive(Args, Debug)]
pub(super) struct Named {
    /// The ids of jobs.
    #[arg(required = true, value_parser = job, value_name = "JOB")]
    jobs: Vec<String>,
    #[command(flatten)]
    server: Server,
}

/// What is done to jobs that are named.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deed {
    Retry,
    Delete,
}

/// An id is part of a path, so nothing else may come there.
fn job(text: &str) -> Result<String, String> {
    uuid::Uuid::try_parse(text)
        .map(|id| id.hyphenated().to_string())
        .map_err(|_| "that is no job_id".to_owned())
}

/// The name of one of several thumbnails, which is part of a path as well, and of the name of a file.
pub(super) fn variant(text: &str) -> Result<String, String> {
    let is_one = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    match (1..=32).contains(&text.len()) && text.bytes().all(is_one) {
        true => Ok(text.to_owned()),
        false => Err("a name is 1 to 32 of a-z 0-9 -".to_owned()),
    }
}

/// Where a thumbnail of a job is: the one of this name, or the first.
pub(super) fn thumbnail(job: &str, variant: Option<&str>) -> String {
    match variant {
        Some(name) => format!("/thumbnails/{job}/{name}"),
        None => format!("/thumbnails/{job}"),
    }
}

impl Jobs {
    /// Lists them, page by page.
    pub(super) async fn run(self) -> Result<bool, Error> {
        let client = self.server.client()?;
        let mut left = self.limit;
        let mut next = Some(self.first_page());
        while let Some(path) = next.take().filter(|_| left > 0) {
            let page = client.json(Ask::get(path)).await?;
            let jobs = page.get("jobs").and_then(Value::as_array).cloned().unwrap_or_default();
            for job in jobs.iter().take(left as usize) {
                println!("{}", if self.server.json { job.to_string() } else { row(job) });
            }
            left = left.saturating_sub(u32::try_from(jobs.len()).unwrap_or(u32::MAX));
            next = page.pointer("/links/next").and_then(Value::as_str).map(str::to_owned);
        }
        Ok(true)
    }

    fn first_page(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("status", &self.status), ("code", &self.code)] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        query.append_pair("limit", &self.limit.clamp(1, 100).to_string());
        format!("/jobs?{}", query.finish())
    }
}

impl Get {
    /// Shows one; whether it did not fail.
    pub(super) async fn run(self) -> Result<bool, Error> {
        let client = self.server.client()?;
        let mut job = client.json(Ask::get(format!("/jobs/{}", self.job))).await?;
        if self.wait || self.output.is_some() {
            job = finished(&client, &self.job, job).await?;
        }
        let failed = (text(&job, "status").as_deref() == Some("failed")).then(|| failure(&job)).flatten();
        match &self.output {
            Some(output) if failed.is_none() => {
                let thumbnail =
                    client.ask(Ask::get(thumbnail(&self.job, self.variant.as_deref()))).await?.body;
                let to = output.clone();
                blocking(move || files::write(&to, &thumbnail)).await?;
            }
            _ => {}
        }
        if self.server.json {
            println!("{job}");
        } else {
            println!("{}", row(&job));
            if let Some(why) = &failed {
                eprintln!("{why}");
            }
        }
        Ok(failed.is_none())
    }
}

impl Named {
    /// Does it to each; whether it was done to all.
    pub(super) async fn run(self, deed: Deed) -> Result<bool, Error> {
        let client = self.server.client()?;
        let mut all = true;
        for job in &self.jobs {
            match deed.to(&client, job).await {
                Ok(status) if self.server.json => println!("{}", json!({"job_id": job, "status": status})),
                Ok(status) => println!("{job}  {status}"),
                Err(ClientError::Refused { detail, code, .. }) => {
                    all = false;
                    if self.server.json {
                        println!(
                            "{}",
                            json!({"job_id": job, "status": "refused", "error": detail, "code": code})
                        );
                    } else {
                        eprintln!("{job}: {detail}");
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(all)
    }
}

impl Deed {
    /// How it stands with the job then.
    async fn to(self, client: &Client, job: &str) -> Result<&'static str, ClientError> {
        match self {
            Self::Retry => {
                client.ask(Ask::new(Method::POST, format!("/jobs/{job}/retry"))).await?;
                Ok("processing")
            }
            Self::Delete => {
                client.ask(Ask::new(Method::DELETE, format!("/jobs/{job}"))).await?;
                Ok("deleted")
            }
        }
    }
}

/// A job in one line: id, how it stands, when it was made, and what it became or why not.
fn row(job: &Value) -> String {
    let of = |pointer: &str| job.pointer(pointer).and_then(Value::as_str).unwrap_or("-");
    let number = |pointer: &str| job.pointer(pointer).and_then(Value::as_u64);
    let became = match (number("/result/width"), number("/result/height"), number("/result/bytes")) {
        (Some(width), Some(height), Some(bytes)) => {
            format!("{}, {width}x{height}, {bytes} bytes", of("/result/content_type"))
        }
        _ => match job.pointer("/error/code").and_then(Value::as_str) {
            Some(code) => code.to_owned(),
            None => String::new(),
        },
    };
    format!("{}  {:10}  {}  {became}", of("/job_id"), of("/status"), of("/created_at")).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_one_line() {
        let made = json!({"job_id": "7", "status": "succeeded", "created_at": "now",
            "result": {"content_type": "image/png", "width": 100, "height": 50, "bytes": 9}});
        assert_eq!(row(&made), "7  succeeded   now  image/png, 100x50, 9 bytes");
        let failed = json!({"job_id": "7", "status": "failed", "created_at": "now", "result": null, "error": {"code": "trap"}});
        assert_eq!(row(&failed), "7  failed      now  trap");
        assert_eq!(
            row(&json!({"job_id": "7", "status": "processing", "created_at": "now"})),
            "7  processing  now"
        );
    }

    #[test]
    fn a_variant_is_a_name_and_no_path() {
        assert_eq!(variant("card-2").as_deref(), Ok("card-2"));
        for wrong in ["", "Card", "a/b", "..", "a.b", &"a".repeat(33)] {
            assert!(variant(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_id_is_a_uuid_and_no_path() {
        assert!(job("../metrics").is_err());
        assert_eq!(
            job("01932C07-20A4-7B3C-8D4E-5F6071829304").as_deref(),
            Ok("01932c07-20a4-7b3c-8d4e-5f6071829304")
        );
    }
}
