//! One request, from its head to its answer.
//!
//! The order is the security of the room: route, then who, then permission, then body, then handler.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited, StreamBody};
use hyper::body::{Body, Bytes, Frame};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use hyper::{Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::timeout;

use super::backend::{Backend, Lines, RequestId};
use super::problem::{name, problem, with_hint};
use super::refusals::{Refusal, Refusals};
use super::routes::{Found, Route, Verb, find};
use super::{WhoIs, peer};
use crate::actor::{Authorised, Identity, Permission};
use crate::api::{Code, Problem};
use crate::record::{hex, random_bytes};

/// Largest body of a request, in bytes.
pub(super) const BODY_MAX_BYTES: usize = 1024 * 1024;
/// How long a body may take to arrive.
pub(super) const BODY_LIMIT: Duration = Duration::from_secs(10);
/// How long an answer may take to begin: the longest `?wait=`, and half a minute for the work itself.
const ANSWER_LIMIT: Duration = Duration::from_secs(runs_wait_max() + 30);
/// How long a reader of a long answer may stand still before it is given up.
const READER_LIMIT: Duration = Duration::from_secs(30);
/// How long the name of a request is, in bytes of two hexadecimal digits each.
const REQUEST_ID_BYTES: usize = 8;
/// The header that tells a peer the name of its request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// How many lines of a long answer go in one piece.
const LINES_IN_PIECE: usize = 256;

const fn runs_wait_max() -> u64 {
    super::runs::WAIT_MAX_SECONDS as u64
}

/// A request whose permission was granted. Nothing else can make one, for nothing else gets an [`Authorised`].
pub struct Call<B> {
    pub(super) backend: Arc<B>,
    pub(super) leave: Authorised,
    pub(super) id: RequestId,
    captures: Vec<String>,
    query: String,
    body: Bytes,
}

impl<B> Call<B> {
    /// The `index`th part of the path that the route leaves open, decoded.
    pub(super) fn capture(&self, index: usize) -> Result<String, Problem> {
        let raw = self.captures.get(index).map_or("", String::as_str);
        let decoded = percent_decode_str(raw).decode_utf8();
        decoded.map(Into::into).map_err(|_| problem(Code::Malformed, "cannot read the path: it is not UTF-8"))
    }

    /// The query's parameters.
    pub(super) fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_urlencoded::from_str(&self.query)
            .map_err(|error| problem(Code::Malformed, format!("cannot read the query: {error}")))
    }

    /// The body, which is JSON.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.body)
            .map_err(|error| problem(Code::Malformed, format!("cannot read the request: {error}")))
    }
}

/// What a handler answers.
pub struct Answer {
    status: StatusCode,
    location: Option<String>,
    body: Content,
    /// Whether a part of the request was refused for want of permission.
    refused: bool,
}

enum Content {
    Json(Vec<u8>),
    /// With its media type.
    Text(&'static str, String),
    Lines(Lines),
}

impl Answer {
    /// All is well, and this is the answer.
    pub(super) fn json(value: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_vec(value)
            .map_err(|error| problem(Code::Internal, format!("cannot write the answer: {error}")))?;
        Ok(Self { status: StatusCode::OK, location: None, body: Content::Json(body), refused: false })
    }

    /// All is well, and this is the answer, of this media type.
    pub(super) const fn text(kind: &'static str, text: String) -> Self {
        Self { status: StatusCode::OK, location: None, body: Content::Text(kind, text), refused: false }
    }

    /// All is well, and the answer comes line by line.
    pub(super) fn lines(lines: Lines) -> Self {
        Self { status: StatusCode::OK, location: None, body: Content::Lines(lines), refused: false }
    }

    /// The work goes on; `location` tells how it stands.
    pub(super) fn accepted(self, location: String) -> Self {
        Self { status: StatusCode::ACCEPTED, location: Some(location), ..self }
    }

    /// Says whether a part of the request was refused for want of permission.
    pub(super) fn refused(self, refused: bool) -> Self {
        Self { refused, ..self }
    }
}

/// The body of an answer.
pub(super) type Outgoing = UnsyncBoxBody<Bytes, io::Error>;

/// What all requests share.
pub(super) struct Shared<B> {
    pub(super) backend: Arc<B>,
    pub(super) routes: Vec<Route<B>>,
    pub(super) who_is: WhoIs,
    pub(super) refusals: Refusals,
}

/// Answers one request of the peer `uid`. `place` is the peer's place among the connections; it is kept until the work
/// is done, even where the peer has gone.
pub(super) async fn answer<B: Backend, R>(
    shared: Arc<Shared<B>>,
    uid: u32,
    place: Arc<OwnedSemaphorePermit>,
    request: Request<R>,
) -> Result<Response<Outgoing>, Infallible>
where
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    let (index, captures) = match find(&shared.routes, &head.method, head.uri.path()) {
        Found::Route { index, captures } => (index, captures),
        Found::OtherVerbs(verbs) => return Ok(method_not_allowed(head.method.as_str(), &verbs)),
        Found::Nothing => return Ok(write_problem(&no_such_route())),
    };
    let Some(route) = shared.routes.get(index) else {
        return Ok(write_problem(&no_such_route()));
    };
    let Ok(id) = random_bytes::<REQUEST_ID_BYTES>().map(|bytes| RequestId(hex(&bytes))) else {
        return Ok(write_problem(&problem(Code::Internal, "cannot name the request: there are no random bytes")));
    };
    let mut needed = route.permission;
    let work = async {
        let leave = admit(&shared, route, uid, &mut needed).await?;
        let body = read_body(body).await?;
        let query = head.uri.query().unwrap_or_default().to_owned();
        let call = Call { backend: Arc::clone(&shared.backend), leave, id: id.clone(), captures, query, body };
        handle(route, call, place).await
    };
    let outcome = work.await;
    report_refusal(&shared, route, needed, uid, &outcome).await;
    let mut response = outcome.map_or_else(|problem| write_problem(&problem), write_answer);
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    tracing::debug!(uid, request = id.as_str(), route = %route.name(), status = response.status().as_u16(), "answered");
    Ok(response)
}

/// Finds out who asks, and whether they may; `needed` is what was asked for last.
async fn admit<B: Backend>(
    shared: &Shared<B>,
    route: &Route<B>,
    uid: u32,
    needed: &mut Permission,
) -> Result<Authorised, Problem> {
    let identity = identify(&shared.who_is, uid).await?;
    let leave = shared.backend.authorise(identity.clone(), route.permission).await?;
    if let Some(also) = route.also {
        *needed = also;
        shared.backend.authorise(identity, also).await?;
    }
    Ok(leave)
}

async fn identify(who_is: &WhoIs, uid: u32) -> Result<Identity, Problem> {
    let who_is = Arc::clone(who_is);
    let looked_up = tokio::task::spawn_blocking(move || who_is(uid)).await;
    let unknown = || problem(Code::UnknownPeer, format!("cannot find out who user {uid} is"));
    let cause: peer::PeerError = match looked_up {
        Ok(Ok(identity)) => return Ok(identity),
        Ok(Err(cause)) => cause,
        Err(_) => return Err(unknown()),
    };
    tracing::error!(error = &cause as &dyn std::error::Error, "cannot identify a peer");
    Err(with_hint(unknown(), "the machine's user database does not answer; the daemon's log says why"))
}

async fn read_body<R>(body: R) -> Result<Bytes, Problem>
where
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match timeout(BODY_LIMIT, Limited::new(body, BODY_MAX_BYTES).collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(with_hint(
            problem(Code::TooLarge, format!("cannot take a request of more than {BODY_MAX_BYTES} bytes")),
            "decide on fewer records at a time",
        )),
        Ok(Err(error)) => Err(problem(Code::Malformed, format!("cannot read the request: {error}"))),
        Err(_) => Err(problem(Code::RequestTimeout, "cannot wait any longer for the rest of the request")),
    }
}

/// Runs the handler. What changes something runs to its end in a task of its own, also when the peer goes away in
/// between or its time is over: half of a decision helps nobody.
async fn handle<B: Backend>(
    route: &Route<B>,
    call: Call<B>,
    place: Arc<OwnedSemaphorePermit>,
) -> Result<Answer, Problem> {
    let work = (route.handler)(call);
    let outcome = match route.verb {
        Verb::Get => timeout(ANSWER_LIMIT, work).await,
        Verb::Post => {
            let task = tokio::spawn(async move {
                let outcome = work.await;
                drop(place);
                outcome
            });
            timeout(ANSWER_LIMIT, task)
                .await
                .map(|ended| ended.unwrap_or_else(|_| Err(problem(Code::Internal, "cannot go on: the daemon failed"))))
        }
    };
    outcome.unwrap_or_else(|_| {
        Err(with_hint(
            problem(Code::TimedOut, "cannot answer in time"),
            "what was asked for may still be done; look before you ask again",
        ))
    })
}

async fn report_refusal<B: Backend>(
    shared: &Shared<B>,
    route: &Route<B>,
    permission: Permission,
    uid: u32,
    outcome: &Result<Answer, Problem>,
) {
    let code = match outcome {
        Err(Problem { code: code @ (Code::NotPermitted | Code::UnknownPeer), .. }) => *code,
        Ok(Answer { refused: true, .. }) => Code::NotPermitted,
        _ => return,
    };
    tracing::warn!(uid, route = %route.name(), code = name(code), "refused");
    if let Some(unreported) = shared.refusals.admit(uid) {
        let who_is = Arc::clone(&shared.who_is);
        let user = match tokio::task::spawn_blocking(move || who_is(uid)).await {
            Ok(Ok(identity)) => identity.user,
            _ => uid.to_string(),
        };
        let refusal = Refusal { uid, user, route: route.name(), permission, code, unreported };
        shared.backend.refused(refusal).await;
    }
}

fn no_such_route() -> Problem {
    with_hint(problem(Code::NoSuchRoute, "cannot find this path"), "GET /openapi.json lists every path there is")
}

fn method_not_allowed(verb: &str, verbs: &[Verb]) -> Response<Outgoing> {
    let allowed = verbs.iter().map(|verb| verb.as_str()).collect::<Vec<_>>().join(", ");
    let detail = format!("cannot {verb} this path: it takes {allowed}");
    let mut response = write_problem(&problem(Code::MethodNotAllowed, detail));
    if let Ok(value) = HeaderValue::from_str(&allowed) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

fn write_answer(answer: Answer) -> Response<Outgoing> {
    let (kind, body) = match answer.body {
        Content::Json(json) => ("application/json", whole(json)),
        Content::Text(kind, text) => (kind, whole(text.into_bytes())),
        Content::Lines(lines) => ("application/jsonl", flowing(lines)),
    };
    let mut response = write(answer.status, kind, body);
    if let Some(value) = answer.location.and_then(|location| HeaderValue::from_str(&location).ok()) {
        response.headers_mut().insert(LOCATION, value);
    }
    response
}

fn write_problem(problem: &Problem) -> Response<Outgoing> {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // A problem is strings and a number; writing it as JSON cannot fail.
    let json = serde_json::to_vec(problem).unwrap_or_default();
    write(status, "application/problem+json", whole(json))
}

fn write(status: StatusCode, kind: &'static str, body: Outgoing) -> Response<Outgoing> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    // Answers name people: nothing between us and the reader may keep them.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn whole(bytes: Vec<u8>) -> Outgoing {
    Full::new(Bytes::from(bytes)).map_err(|never| match never {}).boxed_unsync()
}

/// A body that follows `lines`. A reader that stands still is given up, so that it does not hold what feeds them.
fn flowing(mut lines: Lines) -> Outgoing {
    let (into, from) = mpsc::channel::<Result<Frame<Bytes>, io::Error>>(1);
    tokio::spawn(async move {
        let mut batch = Vec::with_capacity(LINES_IN_PIECE);
        while lines.recv_many(&mut batch, LINES_IN_PIECE).await > 0 {
            let (piece, broken) = join(&mut batch);
            let frame = Ok(Frame::data(Bytes::from(piece)));
            if !matches!(timeout(READER_LIMIT, into.send(frame)).await, Ok(Ok(()))) {
                // A body that only ends would look whole: it has to end with an error.
                let _ = into.try_send(Err(io::ErrorKind::TimedOut.into()));
                return;
            }
            if let Some(problem) = broken {
                tracing::error!(detail = problem.detail, "a long answer broke off");
                let _ = timeout(READER_LIMIT, into.send(Err(io::Error::other(problem.detail)))).await;
                return;
            }
        }
    });
    let frames = stream::unfold(from, |mut from| async move { from.recv().await.map(|frame| (frame, from)) });
    StreamBody::new(frames).boxed_unsync()
}

/// The lines up to the first problem as one piece of text, and the problem.
fn join(batch: &mut Vec<Result<String, Problem>>) -> (String, Option<Problem>) {
    let mut piece = String::new();
    let mut broken = None;
    for line in batch.drain(..) {
        match line {
            Ok(line) if broken.is_none() => {
                piece.push_str(&line);
                piece.push('\n');
            }
            Ok(_) => {}
            Err(problem) => broken = broken.or(Some(problem)),
        }
    }
    (piece, broken)
}
