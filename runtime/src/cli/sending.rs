//! From a file to a job, and on to a thumbnail: what `submit` and `make` do with each file.

use std::path::{Path, PathBuf};

use clap::Args;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    client::{Ask, Client, ClientError},
    files::{self, Input},
    jobs::{thumbnail, variant},
};
use crate::blocking::blocking;

/// For how long one request waits for its job, in seconds: as long as the service lets it.
const WAIT_SECS: u32 = 30;
/// A larger file is not even read: it is held in memory while it is sent, and some are sent at a time.
const MAX_FILE_BYTES: u64 = 256 << 20;
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What is made of each image. The values are the service's to judge: it says what is wrong with one.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Wishes {
    /// Defaults that make a custom emoji of this platform: slack, discord or mastodon.
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// Pixels from left to right.
    #[arg(long, value_name = "PIXELS")]
    width: Option<String>,
    /// Pixels from top to bottom.
    #[arg(long, value_name = "PIXELS")]
    height: Option<String>,
    /// How the image meets the box: cover, contain or fill.
    #[arg(long, value_name = "HOW")]
    fit: Option<String>,
    /// What the thumbnail is encoded as: png, jpeg, webp or gif.
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<String>,
    /// Which part of the image `cover` keeps: center, north, ..., or attention.
    #[arg(long, value_name = "WHERE")]
    gravity: Option<String>,
    /// Whether an animation stays one.
    #[arg(long, value_name = "true|false")]
    animated: Option<String>,
    /// What `contain` pads with: transparent, or a colour as 1e90ff.
    #[arg(long, value_name = "COLOUR")]
    background: Option<String>,
    /// How faithful JPEG and WebP are, 1 to 100.
    #[arg(long, value_name = "NUMBER")]
    quality: Option<String>,
    /// Whether WebP and PNG keep every pixel as it is.
    #[arg(long, value_name = "true|false")]
    lossless: Option<String>,
    /// Bytes that the thumbnail has at most.
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<String>,
    /// Several thumbnails of each image: a JSON array of objects, each with a `name` and options of its own. They lie in a folder of the image's.
    #[arg(long, value_name = "JSON")]
    variants: Option<String>,
}

/// How a file is sent.
pub(super) struct Sending<'a> {
    pub(super) client: &'a Client,
    pub(super) wishes: &'a Wishes,
    /// Whether its job is waited for.
    pub(super) waits: bool,
    /// Whether it becomes a job of its own, even where the same was sent before.
    pub(super) fresh: bool,
    /// Whether its job is deleted once its thumbnail is there.
    pub(super) forgets: bool,
}

/// What became of a file.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) file: PathBuf,
    pub(super) job_id: Option<String>,
    pub(super) end: End,
}

/// How it stands with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It is a job, which nobody waited for.
    Sent,
    /// Its job is done, and the thumbnail is where it should be, if it should be anywhere.
    Made { output: Option<PathBuf>, bytes: u64 },
    /// It was found in a folder and is no image.
    Skipped(String),
    /// There is no thumbnail.
    Failed(String),
    /// The service can't be asked.
    Unreachable(String),
}

/// Where a thumbnail goes.
pub(super) enum Place<'a> {
    Nowhere,
    /// This name, with the extension of what it became.
    Stem(&'a Path),
    /// This very file.
    File(&'a Path),
}

impl Wishes {
    /// As the query of a request, without `?`; empty where nothing is wished for.
    pub(super) fn query(&self) -> String {
        let wishes = [
            ("preset", &self.preset),
            ("width", &self.width),
            ("height", &self.height),
            ("fit", &self.fit),
            ("format", &self.format),
            ("gravity", &self.gravity),
            ("animated", &self.animated),
            ("background", &self.background),
            ("quality", &self.quality),
            ("lossless", &self.lossless),
            ("max_bytes", &self.max_bytes),
            ("variants", &self.variants),
        ];
        let given = wishes.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish()
    }
}

impl Sending<'_> {
    /// Sends a file, and waits for what becomes of it where that is wanted.
    pub(super) async fn file(&self, input: &Input, place: Place<'_>) -> Outcome {
        let mut job_id = None;
        let end = match self.send(input, place, &mut job_id).await {
            Ok(end) => end,
            Err(Failure::Client(ClientError::Unreachable(text) | ClientError::Option(text))) => {
                End::Unreachable(text)
            }
            Err(Failure::Client(ClientError::Refused { status, detail, .. }))
                if input.found && status == StatusCode::UNSUPPORTED_MEDIA_TYPE =>
            {
                End::Skipped(detail)
            }
            Err(Failure::Client(error)) => End::Failed(error.to_string()),
            Err(Failure::File(error)) => End::Failed(error.to_string()),
        };
        Outcome { file: input.path.clone(), job_id, end }
    }

    async fn send(&self, input: &Input, place: Place<'_>, id: &mut Option<String>) -> Result<End, Failure> {
        let path = input.path.clone();
        let image = blocking(move || match std::fs::metadata(&path)?.len() {
            0..=MAX_FILE_BYTES => std::fs::read(&path).map(Some),
            _ => Ok(None),
        });
        let Some(image) = image.await.map_err(Failure::File)? else {
            let why = format!("It has more than {} MiB.", MAX_FILE_BYTES >> 20);
            return Ok(if input.found { End::Skipped(why) } else { End::Failed(why) });
        };
        let query = self.wishes.query();
        let mut path = format!("/jobs?{query}");
        if self.waits {
            path.push_str(&format!("{}wait={WAIT_SECS}", if query.is_empty() { "" } else { "&" }));
        }
        let key = if self.fresh { uuid::Uuid::new_v4().to_string() } else { digest(&image, &query) };
        let key = HeaderValue::try_from(key).map_err(|_| ClientError::Strange("no key".to_owned()))?;
        let upload = Ask::new(http::Method::POST, path.trim_end_matches('?'))
            .header(IDEMPOTENCY_KEY, key)
            .header(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
            .body(image.into());
        let reply = self.client.ask(upload).await?;
        let is_repetition = reply.headers.contains_key(IDEMPOTENCY_REPLAYED);
        let job = reply.json()?;
        *id = text(&job, "job_id");
        let Some(id) = id.as_deref() else {
            return Err(ClientError::Strange("the service gave no job_id; is it Thumbs?".to_owned()).into());
        };
        if !self.waits {
            return Ok(End::Sent);
        }
        let job = finished(self.client, id, job).await?;
        if let Some(why) = failure(&job) {
            let hint = if is_repetition {
                // Sent again, the image would only find this job, for ever.
                format!(" It was sent before; to try again: thumbs retry {id}, or --fresh.")
            } else {
                String::new()
            };
            return Ok(End::Failed(format!("{why}{hint}")));
        }
        let made = made(&job)?;
        let bytes = made.iter().map(|thumbnail| thumbnail.bytes).sum();
        let mut output = match place {
            Place::Nowhere => return Ok(End::Made { output: None, bytes }),
            Place::Stem(stem) => stem.to_owned(),
            Place::File(file) => file.with_extension(""),
        };
        for Made { name, content_type, .. } in &made {
            let to = match (name, &place) {
                (Some(name), _) => files::with_extension(&output.join(name), extension(content_type)),
                (None, Place::File(file)) => (*file).to_owned(),
                (None, _) => files::with_extension(&output, extension(content_type)),
            };
            let path = thumbnail(id, name.as_deref());
            let thumbnail = self.client.ask(Ask::get(path)).await?.body;
            // Several lie in a folder, which is then what came of the file.
            if name.is_none() {
                output.clone_from(&to);
            }
            blocking(move || files::write(&to, &thumbnail)).await.map_err(Failure::File)?;
        }
        if self.forgets {
            self.client.ask(Ask::new(http::Method::DELETE, format!("/jobs/{id}"))).await?;
        }
        Ok(End::Made { output: Some(output), bytes })
    }
}

/// A thumbnail that a job has made.
struct Made {
    /// Where it is one of several.
    name: Option<String>,
    content_type: String,
    bytes: u64,
}

/// What a job has made that succeeded: its variants, or the one thumbnail.
fn made(job: &Value) -> Result<Vec<Made>, ClientError> {
    let read = |name, made: &Value| Made {
        name,
        content_type: text(made, "content_type").unwrap_or_default(),
        bytes: made.get("bytes").and_then(Value::as_u64).unwrap_or(0),
    };
    let variants = job.get("variants").and_then(Value::as_array).filter(|variants| !variants.is_empty());
    let Some(variants) = variants else {
        return Ok(vec![read(None, job.get("result").unwrap_or(&Value::Null))]);
    };
    let named = variants.iter().map(|made| {
        let name = text(made, "name").and_then(|name| variant(&name).ok());
        let strange = || ClientError::Strange("the service gave a variant no name; is it Thumbs?".to_owned());
        Ok(read(Some(name.ok_or_else(strange)?), made))
    });
    named.collect()
}

/// Why a file has no thumbnail.
enum Failure {
    Client(ClientError),
    File(std::io::Error),
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

/// The job once it is done, of which this was known last.
pub(super) async fn finished(client: &Client, id: &str, mut job: Value) -> Result<Value, ClientError> {
    while text(&job, "status").as_deref() == Some("processing") {
        job = client.json(Ask::get(format!("/jobs/{id}?wait={WAIT_SECS}"))).await?;
    }
    Ok(job)
}

/// Why a job has no thumbnail, if it failed.
pub(super) fn failure(job: &Value) -> Option<String> {
    if text(job, "status").as_deref() == Some("succeeded") {
        return None;
    }
    let part = |name| job.pointer(name).and_then(Value::as_str);
    let message = part("/error/message").unwrap_or("The job failed.");
    Some(part("/error/code").map_or_else(|| message.to_owned(), |code| format!("{message} ({code})")))
}

/// A member that is a text.
pub(super) fn text(object: &Value, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// The key of an upload: who sends the same image with the same wishes again gets the job that is there.
fn digest(image: &[u8], query: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(Sha256::digest(image));
    digest.update(query);
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the name of a file of this type ends with.
pub(super) fn extension(content_type: &str) -> &str {
    match content_type {
        "image/jpeg" => "jpg",
        other => other.strip_prefix("image/").filter(|kind| !kind.contains(['/', '.'])).unwrap_or("bin"),
    }
}

impl Outcome {
    /// Whether there is what was asked for.
    pub(super) fn is_well(&self) -> bool {
        matches!(self.end, End::Sent | End::Made { .. } | End::Skipped(_))
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let (status, output, bytes, error) = match &self.end {
            End::Sent => ("sent", None, None, None),
            End::Made { output, bytes } => ("succeeded", output.as_ref(), Some(bytes), None),
            End::Skipped(why) => ("skipped", None, None, Some(why)),
            End::Failed(why) | End::Unreachable(why) => ("failed", None, None, Some(why)),
        };
        let output = output.map(|path| path.display().to_string());
        json!({"file": self.file.display().to_string(), "status": status, "job_id": self.job_id, "output": output,
            "bytes": bytes, "error": error})
    }

    /// For people.
    pub(super) fn sentence(&self) -> String {
        let (file, id) = (self.file.display(), self.job_id.as_deref().unwrap_or("-"));
        match &self.end {
            End::Sent => format!("{file}: sent as {id}"),
            End::Made { output: Some(output), bytes } => {
                format!("{file}: {} ({bytes} bytes)", output.display())
            }
            End::Made { output: None, bytes } => format!("{file}: done as {id} ({bytes} bytes)"),
            End::Skipped(why) => format!("{file}: skipped. {why}"),
            End::Failed(why) | End::Unreachable(why) => format!("{file}: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_a_query_that_nothing_breaks_out_of() {
        assert_eq!(Wishes::default().query(), "");
        let wishes =
            Wishes { width: Some("320".into()), background: Some("#fff&wait=1".into()), ..Wishes::default() };
        assert_eq!(wishes.query(), "width=320&background=%23fff%26wait%3D1");
    }

    #[test]
    fn the_same_image_with_the_same_wishes_has_the_same_key() {
        assert_eq!(digest(b"a", "width=1"), digest(b"a", "width=1"));
        assert_ne!(digest(b"a", "width=1"), digest(b"a", "width=2"));
        assert_ne!(digest(b"a", "b"), digest(b"ab", ""));
    }

    #[test]
    fn a_name_ends_as_its_type_says_and_no_type_leads_elsewhere() {
        for (kind, end) in
            [("image/png", "png"), ("image/jpeg", "jpg"), ("image/../x", "bin"), ("text/html", "bin")]
        {
            assert_eq!(extension(kind), end);
        }
    }

    #[test]
    fn a_job_has_made_its_variants_or_one_thumbnail() {
        let names = |job: &Value| {
            made(job)
                .map(|made| made.into_iter().map(|made| (made.name, made.bytes)).collect::<Vec<_>>())
                .ok()
        };
        let result = json!({"content_type": "image/png", "bytes": 9});
        assert_eq!(names(&json!({"result": result})), Some(vec![(None, 9)]));
        let variants = json!([{"name": "s", "bytes": 1}, {"name": "l", "bytes": 2}]);
        let expected = vec![(Some("s".to_owned()), 1), (Some("l".to_owned()), 2)];
        assert_eq!(names(&json!({"result": result, "variants": variants})), Some(expected));
        assert_eq!(names(&json!({"variants": [{"name": "../x", "bytes": 1}]})), None, "a name is no path");
    }

    #[test]
    fn a_job_that_failed_says_why() {
        let job = json!({"status": "failed", "error": {"code": "trap", "message": "It trapped."}});
        assert_eq!(failure(&job).as_deref(), Some("It trapped. (trap)"));
        assert_eq!(failure(&json!({"status": "succeeded"})), None);
        assert!(failure(&json!({"status": "failed", "error": null})).is_some());
    }
}
