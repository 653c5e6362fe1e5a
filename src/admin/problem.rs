//! Problems, and the HTTP status and title that go with each code.

use hyper::StatusCode;

use crate::actor::Refused;
use crate::api::{Code, Problem};

/// A problem of this code. `detail` is one sentence in lower case without a full stop: `cannot <verb> <thing>: …`.
#[must_use]
pub fn problem(code: Code, detail: impl Into<String>) -> Problem {
    Problem {
        kind: format!("urn:erasured:problem:{}", name(code)),
        title: title(code).to_owned(),
        status: status(code).as_u16(),
        code,
        detail: detail.into(),
        hint: None,
    }
}

/// The same with what the reader can do about it.
#[must_use]
pub fn with_hint(problem: Problem, hint: impl Into<String>) -> Problem {
    Problem { hint: Some(hint.into()), ..problem }
}

/// No grant gives the permission.
#[must_use]
pub fn not_permitted(refused: &Refused) -> Problem {
    let detail = format!("cannot do this: {refused}");
    let permission = refused.permission;
    with_hint(
        problem(Code::NotPermitted, detail),
        format!("the operator can give it in erasured.toml: a [[grant]] with permissions = [\"{permission}\"]"),
    )
}

/// The name of the code in JSON and in the problem's URI.
#[must_use]
pub fn name(code: Code) -> &'static str {
    match code {
        Code::Malformed => "malformed",
        Code::Invalid => "invalid",
        Code::UnknownPeer => "unknown-peer",
        Code::NotPermitted => "not-permitted",
        Code::NoSuchRoute => "no-such-route",
        Code::MethodNotAllowed => "method-not-allowed",
        Code::NoSuchRecord => "no-such-record",
        Code::NoSuchCategory => "no-such-category",
        Code::NoSuchRun => "no-such-run",
        Code::Conflict => "conflict",
        Code::RequestTimeout => "request-timeout",
        Code::TooLarge => "too-large",
        Code::SourceUnavailable => "source-unavailable",
        Code::TimedOut => "timed-out",
        Code::Stopping => "stopping",
        Code::RunIncomplete => "run-incomplete",
        Code::Internal => "internal",
        Code::Unknown => "unknown",
    }
}

/// The HTTP status of a code.
#[must_use]
pub fn status(code: Code) -> StatusCode {
    match code {
        Code::Malformed => StatusCode::BAD_REQUEST,
        Code::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Code::UnknownPeer | Code::NotPermitted => StatusCode::FORBIDDEN,
        Code::NoSuchRoute | Code::NoSuchRecord | Code::NoSuchCategory | Code::NoSuchRun => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::Conflict => StatusCode::CONFLICT,
        Code::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::SourceUnavailable | Code::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        Code::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        Code::RunIncomplete | Code::Internal | Code::Unknown => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn title(code: Code) -> &'static str {
    match code {
        Code::Malformed => "the request cannot be read",
        Code::Invalid => "the request makes no sense",
        Code::UnknownPeer => "the asker is not known",
        Code::NotPermitted => "not permitted",
        Code::NoSuchRoute => "no such path",
        Code::MethodNotAllowed => "no such verb on this path",
        Code::NoSuchRecord => "no such record",
        Code::NoSuchCategory => "no such category",
        Code::NoSuchRun => "no such run",
        Code::Conflict => "the state does not allow it",
        Code::RequestTimeout => "the request did not arrive in time",
        Code::TooLarge => "the request is too large",
        Code::SourceUnavailable => "the source cannot be read",
        Code::TimedOut => "not done in time",
        Code::Stopping => "the daemon is stopping",
        Code::RunIncomplete => "the run could not do all that it was to do",
        Code::Internal | Code::Unknown => "the daemon failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_one_in_json() {
        for code in ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), name(code));
        }
    }

    const ALL: [Code; 18] = [
        Code::Malformed,
        Code::Invalid,
        Code::UnknownPeer,
        Code::NotPermitted,
        Code::NoSuchRoute,
        Code::MethodNotAllowed,
        Code::NoSuchRecord,
        Code::NoSuchCategory,
        Code::NoSuchRun,
        Code::Conflict,
        Code::RequestTimeout,
        Code::TooLarge,
        Code::SourceUnavailable,
        Code::TimedOut,
        Code::Stopping,
        Code::RunIncomplete,
        Code::Internal,
        Code::Unknown,
    ];
}
