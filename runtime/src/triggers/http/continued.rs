//! Answers of more than one instance: a request that waits without one (`parking.rs`) is asked about again by fresh ones, one after the other.
//!
//! Where the answer that asks for it has a note for the next instance, its client gets it at once, and what further instances answer follows in the
//! same body. Nothing is spawned for it: the connection's task, which waits for more of the body, is what waits and asks. When the client goes away,
//! all of it is dropped.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http::{Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt as _, Limited};

use super::{
    arriving::Arriving,
    body::{Broken, ResponseBody, UnreadBody},
    call::{Asked, Service, whole},
    handler::Offer,
    parking::{Park, Parked},
    places::Place,
};
use crate::problem::Problem;

/// The longest answer, in bytes, that is kept of a request which waits by note. Of a longer one its client hears only what the next instance says.
const MAX_KEPT_ANSWER_BYTES: usize = 64 * 1024;

/// A request that may be asked about again.
pub(super) struct Again {
    pub(super) service: Arc<Service>,
    pub(super) asked: Asked,
    pub(super) parts: Parts,
    pub(super) parked: Parked,
    /// It can't be asked about as it was: what an instance did is in its note.
    by_note: bool,
    /// What the instance before left for the next one; some once the answer has begun, or by note once there is anything to go by.
    note: Option<Box<str>>,
}

/// An answer that goes on.
struct Going {
    again: Again,
    status: StatusCode,
    /// What is under way to the client.
    body: Option<ResponseBody>,
    /// When and for what the next instance is asked; none where there is no next one.
    park: Option<Park>,
}

impl Again {
    pub(super) fn new(
        service: Arc<Service>,
        asked: Asked,
        parts: Parts,
        parked: Parked,
        by_note: bool,
    ) -> Self {
        Self { service, asked, parts, parked, by_note, note: None }
    }

    /// Asks until there is something to say. The first instance gets what comes of the body.
    pub(super) async fn answer(mut self, mut place: Arc<Place>, body: Arriving) -> Response<ResponseBody> {
        let mut body = Some(body);
        // What was done by note is done: its client is told so, if there is nothing newer to tell.
        let mut last = None;
        loop {
            let (response, park) = self.ask(place, body.take()).await;
            let Some(park) = park else { return response };
            match park.note() {
                Some(note) if self.by_note => {
                    self.note = Some(note.into());
                    let (head, body) = response.into_parts();
                    let whole = Limited::new(body, MAX_KEPT_ANSWER_BYTES).collect().await;
                    last = whole.ok().map(|whole| Response::from_parts(head, whole.to_bytes()));
                }
                Some(_) => return self.go_on(response, park),
                // To its end, though nobody reads it: dropped before, it would end the instance in the middle of what is left to do.
                None => drop(Limited::new(response.into_body(), MAX_KEPT_ANSWER_BYTES).collect().await),
            }
            place = match self.turn(&park).await {
                Ok(place) => place,
                Err(problem) => {
                    let unread = UnreadBody::none(&self.service.behind);
                    if let Some(last) = last {
                        return whole(last, unread);
                    }
                    self.service.note_refusal(problem, &self.asked.id, self.asked.span());
                    return whole(problem.response(&self.asked.id), unread);
                }
            };
        }
    }

    /// Has a fresh instance answer, which may ask for another.
    async fn ask(
        &mut self,
        place: Arc<Place>,
        body: Option<Arriving>,
    ) -> (Response<ResponseBody>, Option<Park>) {
        let is_last = self.service.stop.is_cancelled() || self.has_gone_on_for_long();
        self.parked.asks();
        let offer = if self.by_note && self.note.is_none() {
            Offer::ByNote
        } else {
            // Where no other follows, all the time there was is over.
            let age = if is_last { Duration::MAX } else { self.parked.age() };
            Offer::Kept { age, note: self.note.clone() }
        };
        let parts = self.parts.clone();
        if self.by_note {
            // Of the body nothing is left for the next one.
            for name in [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::EXPECT] {
                self.parts.headers.remove(name);
            }
        }
        let mut response = self.service.ask(&self.asked, parts, body, place, Some(offer)).await;
        let park = Park::take(response.headers_mut()).filter(|_| !is_last);
        (response, park.filter(|park| !self.by_note || park.note().is_some()))
    }

    /// Whether its client has the beginning of the answer.
    fn has_begun(&self) -> bool {
        self.note.is_some() && !self.by_note
    }

    fn has_gone_on_for_long(&self) -> bool {
        self.has_begun() && self.parked.age() >= self.service.max_answer
    }

    /// Waits for the next time.
    ///
    /// # Errors
    /// There is no place, and no time is left.
    async fn turn(&mut self, park: &Park) -> Result<Arc<Place>, Problem> {
        let mut end = self.parked.age().saturating_add(park.time());
        if self.has_begun() {
            end = end.min(self.service.max_answer);
        }
        loop {
            self.parked.wait(park, end, &self.service.stop).await;
            match self.service.places.enter(true, true).await {
                Ok(place) => return Ok(place),
                Err(problem) if end <= self.parked.age() || self.service.stop.is_cancelled() => {
                    return Err(problem);
                }
                // It has the time to come back when there is less to do.
                Err(_) => self.parked.asks(),
            }
        }
    }

    /// Sends what there is, and what comes.
    fn go_on(mut self, response: Response<ResponseBody>, park: Park) -> Response<ResponseBody> {
        let unread = UnreadBody::none(&self.service.behind);
        self.note = park.note().map(Box::from);
        let (mut head, body) = response.into_parts();
        // It is that of the first piece.
        head.headers.remove(header::CONTENT_LENGTH);
        let going = Going { again: self, status: head.status, body: Some(body), park: Some(park) };
        let pieces = stream::unfold(going, |mut going| async move { Some((going.next().await?, going)) });
        Response::from_parts(head, ResponseBody::continued(pieces, unread))
    }
}

impl Going {
    /// The next piece of the body.
    async fn next(&mut self) -> Option<Result<Bytes, Broken>> {
        loop {
            if let Some(body) = &mut self.body {
                match body.frame().await {
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(data) if !data.is_empty() => return Some(Ok(data)),
                        _ => continue,
                    },
                    Some(Err(broken)) => {
                        (self.body, self.park) = (None, None);
                        return Some(Err(broken));
                    }
                    None => self.body = None,
                }
            }
            let park = self.park.take()?;
            let place = self.again.turn(&park).await.ok()?;
            let (response, park) = self.again.ask(place, None).await;
            if response.status() != self.status {
                // No piece of this answer. A client that asks anew is told.
                return None;
            }
            self.park = park.filter(|park| park.note().is_some());
            self.again.note = self.park.as_ref().and_then(Park::note).map(Box::from);
            self.body = Some(response.into_body());
        }
    }
}
