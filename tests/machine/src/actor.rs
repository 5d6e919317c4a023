//! A request or a message: which handler it runs, and how far it is. An actor is a value: a copy of it goes on from the same point.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures::executor::block_on;
use thumbs_domain::id::JobId;
use thumbs_domain::message::{EndReason, Message};
use thumbs_guest::http::park::Offer;
use thumbs_guest::http::{Failed, Request, Response, body, response};
use thumbs_guest::imaging::ImagingError;
use thumbs_guest::testing::{ScriptedImaging, request};
use thumbs_resize::Resize;
use thumbs_status::Status;
use thumbs_upload::Upload;

use crate::turn::{Fate, Past, Paused, Turn};
use crate::world::World;

/// Which job is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The first that was there before.
    First,
    /// The one that this actor has made, counted from 0.
    Of(usize),
}

/// What the decoder makes of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sees {
    /// Each has its thumbnail.
    Pictures,
    /// None can be decoded.
    Rubbish,
}

/// What an actor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Program {
    /// `POST /jobs` with this image, and maybe under this `Idempotency-Key`.
    Upload {
        /// Its bytes.
        image: &'static str,
        /// The header.
        key: Option<&'static str>,
    },
    /// A wake-up.
    Worker(Sees),
    /// The host has ended the worker that this actor is, and reports it.
    Report {
        /// Whose end.
        of: usize,
        /// Why.
        reason: EndReasonName,
    },
    /// `DELETE /jobs/{id}`.
    Delete(Target),
    /// `POST /jobs/{id}/retry`.
    Retry(Target),
}

/// A reason that is one of the image, or one of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndReasonName {
    /// It broke.
    Trap,
    /// The host ended.
    Stopped,
}

impl From<EndReasonName> for EndReason {
    fn from(name: EndReasonName) -> Self {
        match name {
            EndReasonName::Trap => Self::Trap,
            EndReasonName::Stopped => Self::Stopped,
        }
    }
}

/// What came of an actor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// A client got this status, and the id of a job where the answer has one.
    Answered(u16, Option<JobId>),
    /// A message was handled, or not.
    Handled(Result<(), String>),
}

/// How far an actor is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It has not begun.
    Waiting,
    /// It has, and may go on at any time, or never.
    UnderWay,
    /// It is over.
    Ended(End),
    /// It was ended, wherever it was.
    Killed,
}

/// One request or message.
#[derive(Clone, Debug)]
pub struct Actor {
    /// What it does.
    pub program: Program,
    /// How far it is.
    pub stage: Stage,
    /// Which one it is, counted over all.
    pub(crate) serial: u32,
    pub(crate) past: Past,
}

/// What an actor did in one run.
#[derive(Debug)]
pub(crate) struct Stepped {
    pub(crate) did: Vec<String>,
    pub(crate) wake_ups: u32,
}

impl Actor {
    /// One that has not begun.
    pub fn new(program: Program, serial: u32) -> Self {
        Self { program, stage: Stage::Waiting, serial, past: Past::default() }
    }

    /// The job that a client was told is its own.
    pub fn accepted(&self) -> Option<JobId> {
        match (self.program, &self.stage) {
            (Program::Upload { .. }, Stage::Ended(End::Answered(200..=202, job))) => *job,
            _ => None,
        }
    }

    /// Goes on for so many calls; `target` is the job that it is about, and `of` the worker.
    ///
    /// # Errors
    /// What a handler panicked with.
    pub(crate) fn go_on(
        &mut self,
        world: &World,
        (target, of): (Option<JobId>, Option<u32>),
        calls: u32,
        fate: Fate,
    ) -> Result<Stepped, String> {
        let turn = Turn::new(world, self.serial, std::mem::take(&mut self.past), calls, fate);
        let program = self.program;
        let run = AssertUnwindSafe(|| handle(&turn, program, self.serial, target, of));
        let (result, stage) = match catch_unwind(run) {
            Ok(end) => (Ok(()), Stage::Ended(end)),
            Err(payload) if payload.is::<Paused>() => (Ok(()), Stage::UnderWay),
            Err(payload) => (Err(panic_text(payload.as_ref())), Stage::Killed),
        };
        let (past, did, wake_ups) = turn.end();
        (self.past, self.stage) = (past, stage);
        result.map(|()| Stepped { did, wake_ups })
    }
}

fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    format!("a handler panicked: {}", text.unwrap_or("with no text"))
}

fn handle(turn: &Turn<'_>, program: Program, serial: u32, target: Option<JobId>, of: Option<u32>) -> End {
    let path = |rest: &str| format!("/jobs/{}{rest}", target.expect("a job to speak of"));
    match program {
        Program::Upload { image, key } => post(turn, image, key),
        Program::Worker(sees) => message(turn, serial, sees, Message::WakeUp),
        Program::Report { reason, .. } => {
            let worker = Turn::worker(of.expect("a worker to speak of"));
            message(turn, serial, Sees::Pictures, Message::Ended { worker, reason: reason.into() })
        }
        Program::Delete(_) => ask(turn, "DELETE", &path("")),
        Program::Retry(_) => ask(turn, "POST", &path("/retry")),
    }
}

fn imaging(sees: Sees) -> ScriptedImaging {
    match sees {
        Sees::Pictures => ScriptedImaging::jpeg(),
        Sees::Rubbish => ScriptedImaging(Err(ImagingError::Malformed("it is rubbish".to_owned()))),
    }
}

fn post(turn: &Turn<'_>, image: &'static str, key: Option<&str>) -> End {
    let store = turn.world.store(turn);
    let upload = Upload {
        store: store.as_ref(),
        batches: store.as_ref(),
        blobs: turn,
        imaging: &imaging(Sees::Pictures),
        wake: turn,
        wake_now: turn,
        offer: Offer::default(),
        callbacks: turn,
        clock: turn,
        ids: turn,
        variables: &turn.world.variables,
        log: &turn.world.log,
    };
    let headers: Vec<_> = key.iter().map(|key| ("idempotency-key", *key)).collect();
    let request = request("POST", "/jobs", &headers);
    let answer = block_on(upload.handle(&request, body::from_bytes(image.as_bytes())));
    answered(turn, &request, answer)
}

fn ask(turn: &Turn<'_>, method: &str, path: &str) -> End {
    let store = turn.world.store(turn);
    let status = Status {
        store: store.as_ref(),
        batches: store.as_ref(),
        wake: turn,
        wake_now: turn,
        offer: Offer::default(),
        clock: turn,
        log: &turn.world.log,
    };
    let request = request(method, path, &[]);
    answered(turn, &request, status.handle(&request))
}

fn answered(turn: &Turn<'_>, request: &Request, answer: Result<Response, Failed>) -> End {
    let (id, log) = (&request.correlation_id, &turn.world.log);
    let answer = answer.unwrap_or_else(|failed| failed.into_response(id, log));
    let (head, body) = response::finish(answer, id).into_parts();
    let body: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
    let job = body.as_ref().and_then(|body| body["job_id"].as_str()).and_then(|job| JobId::parse(job).ok());
    End::Answered(head.status.as_u16(), job)
}

fn message(turn: &Turn<'_>, serial: u32, sees: Sees, message: Message) -> End {
    let store = turn.world.store(turn);
    let resize = Resize {
        store: store.as_ref(),
        blobs: turn,
        imaging: &imaging(sees),
        wake: turn,
        tell: turn,
        callbacks: turn,
        clock: turn,
        worker: &Turn::worker(serial),
        limits: turn.world.limits,
        policy: turn.world.policy,
        retention: turn.world.retention,
        log: &turn.world.log,
    };
    End::Handled(resize.handle(message).map_err(|error| error.to_string()))
}
