//! A job in each state, serialised by the code that serves jobs, so that an example shows what a client gets.

use serde_json::{Value, json};
use thumbs_domain::batch::{BatchId, BatchView, FileName, PartView};
use thumbs_domain::cursor::Cursor;
use thumbs_domain::dependency::{Dependency, Health};
use thumbs_domain::digest::Digest;
use thumbs_domain::failure::JobCode;
use thumbs_domain::format::{OutputFormat, SourceFormat};
use thumbs_domain::history::{self, HistoryView};
use thumbs_domain::id::JobId;
use thumbs_domain::job::{Concession, Cost, Job, NamedThumbnail, NewJob, Source, Status, Thumbnail, Warning};
use thumbs_domain::list::ListQuery;
use thumbs_domain::options::{self, Draft};
use thumbs_domain::owner::Owner;
use thumbs_domain::problem::{Problem, ProblemKind};
use thumbs_domain::timestamp::Timestamp;
use thumbs_domain::trace::CorrelationId;
use thumbs_domain::view::{JobListView, JobView, SignedLink};

/// The job of the examples.
pub(crate) const JOB_ID: &str = "01a20b45-91bc-7e9f-a641-b8a86e025ba7";

/// The batch of the examples.
pub(crate) const BATCH_ID: &str = "01a20b45-91b8-7c4d-8e21-3f6a0d9b5c12";

/// When it was uploaded: 2026-11-28.
const UPLOADED_MS: i64 = 1_795_867_200_000;

/// `processing`, `succeeded` and `failed`, under these names.
pub(crate) fn jobs() -> Value {
    let states = [Status::Processing, Status::Succeeded, Status::Failed];
    let examples = states.into_iter().filter_map(|status| {
        let job = job(status)?;
        Some((status.name().to_owned(), json!({ "value": JobView::new(&job) })))
    });
    let with_keys = job(Status::Succeeded).map(|mut job| {
        job.owner = Owner::parse("shop");
        let signed = SignedLink {
            href: format!("/thumbnails/{JOB_ID}?expires=1795953600&signature=o_G9FG5Vw2ix9iu4R_Bes0v30aoqOKqy_Pz1JxCojE0"),
            expires_at: Timestamp::from_unix_millis(UPLOADED_MS + 86_400_000),
        };
        ("with-keys".to_owned(), json!({ "value": JobView::new(&job).signed(|_| Some(signed.clone())).owned(job.owner.as_ref()) }))
    });
    let with_variants = with_variants().map(|job| {
        let link = |path: &str| {
            let href =
                format!("{path}?expires=1795953600&signature=o_G9FG5Vw2ix9iu4R_Bes0v30aoqOKqy_Pz1JxCojE0");
            Some(SignedLink { href, expires_at: Timestamp::from_unix_millis(UPLOADED_MS + 86_400_000) })
        };
        ("with-variants".to_owned(), json!({ "value": JobView::new(&job).signed(link) }))
    });
    Value::Object(examples.chain(with_keys).chain(with_variants).collect())
}

/// A job that made two thumbnails, one of them in the format that each client takes.
fn with_variants() -> Option<Job> {
    let asked = r#"[{"name":"small","width":64,"height":64},{"name":"card","format":"auto"}]"#;
    let mut draft = Draft::new(2048);
    draft.set(options::VARIANTS.name, asked).ok()?;
    let options = draft.finish(1);
    let webp = Thumbnail {
        format: OutputFormat::Webp,
        bytes: 3_254,
        sha256: Digest::from_bytes([0x7b; 32]),
        ..thumbnail()
    };
    let card = Thumbnail {
        format: OutputFormat::Jpeg,
        bytes: 4_127,
        sha256: Digest::from_bytes([0x7c; 32]),
        webp: Some(Box::new(webp)),
        ..thumbnail()
    };
    let small = Thumbnail { bytes: 9_873, width: 64, height: 64, ..thumbnail() };
    let variants = options.variants.iter().zip([small, card]);
    let variants =
        variants.map(|(variant, thumbnail)| NamedThumbnail { name: variant.name.clone(), thumbnail });
    let thumbnail = Thumbnail::of_variants(variants.collect());
    Some(Job { options, thumbnail, ..job(Status::Succeeded)? })
}

/// The job that an upload makes.
pub(crate) fn accepted() -> Value {
    json!({ "accepted": { "value": job(Status::Processing).as_ref().map(JobView::new) } })
}

/// A page with another behind it.
pub(crate) fn page() -> Value {
    let jobs: Vec<Job> = job(Status::Succeeded).into_iter().collect();
    let query = ListQuery { status: None, code: None, limit: 1, after: None };
    let next = jobs.last().map(|job| query.next_href(Cursor(job.id)));
    json!({ "page": { "value": JobListView::new(jobs.iter().map(JobView::new).collect(), next) } })
}

/// What is answered to a form with an image and a text.
pub(crate) fn batch_answer() -> Value {
    let (Ok(id), Some(job)) = (BatchId::parse(BATCH_ID), job(Status::Processing)) else { return Value::Null };
    let detail =
        "The first bytes are not those of a JPEG, PNG, GIF, WebP, HEIC or AVIF image. Send one of these.";
    let problem = Problem::new(ProblemKind::UnsupportedImage, detail);
    let (photo, note) = (FileName::of("photo.jpg"), FileName::of("note.png"));
    let parts = vec![
        PartView { part: 1, file_name: photo.as_ref(), job: Some(JobView::new(&job)), problem: None },
        PartView {
            part: 2,
            file_name: note.as_ref(),
            job: None,
            problem: Some(problem.document(crate::answers::CORRELATION_ID)),
        },
    ];
    json!({ "answer": { "value": BatchView::answer(id, parts, true) } })
}

/// The same when its job is done.
pub(crate) fn batch() -> Value {
    let (Ok(id), Some(job)) = (BatchId::parse(BATCH_ID), job(Status::Succeeded)) else { return Value::Null };
    let photo = FileName::of("photo.jpg");
    let part = PartView { part: 1, file_name: photo.as_ref(), job: Some(JobView::new(&job)), problem: None };
    json!({ "done": { "value": BatchView::new(id, vec![part]) } })
}

/// Of a job whose second attempt was the last.
pub(crate) fn history() -> Value {
    let entries = format!(
        "{began} {} postponed storage-unavailable;{} {} succeeded -;",
        UPLOADED_MS + 10_012,
        UPLOADED_MS + 11_020,
        UPLOADED_MS + 11_051,
        began = UPLOADED_MS + 2,
    );
    let view = JobId::parse(JOB_ID).ok().map(|id| HistoryView::new(id, history::read(&entries)));
    json!({ "second": { "value": view } })
}

/// What a page's link to the next one holds.
pub(crate) fn cursor() -> Value {
    JobId::parse(JOB_ID).map(|id| Cursor(id).to_string()).ok().into()
}

/// A report of health, with the database up or down.
pub(crate) fn health(is_down: bool) -> Value {
    let probes = Dependency::ALL.iter().map(|&dependency| {
        let row = dependency.row();
        let is_up = !(is_down && dependency == Dependency::Database);
        json!({
            "name": row.name,
            "is_needed": row.is_needed,
            "state": if is_up { "up" } else { "down" },
            "latency_ms": 0.31,
            "remedy": (!is_up).then(|| format!("{}.", row.remedy)),
        })
    });
    let probes: Vec<Value> = probes.collect();
    let health = if is_down { Health::Down } else { Health::Ok };
    json!({ health.name(): { "value": { "status": health.name(), "dependencies": probes } } })
}

/// None only where the ids above were none; a test shows that they are.
fn job(status: Status) -> Option<Job> {
    let new = NewJob {
        id: JobId::parse(JOB_ID).ok()?,
        created_at: Timestamp::from_unix_millis(UPLOADED_MS),
        options: Draft::new(2048).finish(1),
        source: Source {
            sha256: Digest::from_bytes([0x6e; 32]),
            format: SourceFormat::Jpeg,
            bytes: 698_472,
            width: 2560,
            height: 1600,
            frames: 1,
        },
        correlation_id: CorrelationId::parse(crate::answers::CORRELATION_ID).ok()?,
        trace_parent: None,
        idempotency_key: None,
        owner: None,
        place: None,
        callback: None,
    };
    let job = new.stored();
    let ended = Job {
        status,
        attempts: 1,
        due_at: None,
        updated_at: Timestamp::from_unix_millis(UPLOADED_MS + 31),
        ..job.clone()
    };
    Some(match status {
        Status::Processing => job,
        Status::Failed => Job { failure: Some(JobCode::MalformedImage.into()), ..ended },
        Status::Succeeded => Job { thumbnail: Some(thumbnail()), cost: Some(cost()), ..ended },
    })
}

fn thumbnail() -> Thumbnail {
    Thumbnail {
        format: OutputFormat::Png,
        bytes: 18_634,
        width: 100,
        height: 100,
        sha256: Digest::from_bytes([0x7a; 32]),
        frames: 1,
        placeholder: "HwcGHwhriqdeiVeIqGcHuueRKPiHgW8J".to_owned(),
        warnings: vec![Warning::ProfileIgnored],
        concessions: vec![Concession::Colours(64)],
        webp: None,
        variants: Vec::new(),
    }
}

const fn cost() -> Cost {
    Cost {
        decode_ms: 15.182,
        finish_ms: 0.017,
        encode_ms: 0.775,
        total_ms: 18.571,
        peak_memory_bytes: 2_949_120,
        pixels: 4_096_000,
        frames: 1,
    }
}
