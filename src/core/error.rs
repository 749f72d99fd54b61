//! The error every fallible function of core returns: what happened, where, and what it means for the caller.

use super::code::{self, Code};

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub code: Code,
    pub message: String,
    /// The gRPC status the server sent, if one came.
    pub grpc_status: Option<i32>,
    pub endpoint: Option<String>,
    /// A write may have been, or may yet be, applied.
    pub maybe_applied: bool,
    /// The revision history was compacted to, for `ERR_COMPACTED` of a watch.
    pub compact_revision: i64,
}

impl Error {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Error {
            code,
            message: message.into(),
            grpc_status: None,
            endpoint: None,
            maybe_applied: false,
            compact_revision: 0,
        }
    }

    /// A wrong argument: `name` as it stands in the header.
    pub fn argument(name: &str, why: impl std::fmt::Display) -> Self {
        Self::new(code::ERR_INVALID_ARGUMENT, format!("{name}: {why}"))
    }

    pub fn closed() -> Self {
        Self::new(code::ERR_CLOSED, "the client is closed")
    }

    pub fn internal(what: impl std::fmt::Display) -> Self {
        Self::new(code::ERR_INTERNAL, format!("bug in libetcd3: {what}"))
    }

    /// An answer of the server, classified by its text.
    pub fn from_status(grpc_status: i32, message: &str, endpoint: &str) -> Self {
        Error {
            grpc_status: Some(grpc_status),
            endpoint: Some(endpoint.to_owned()),
            ..Self::new(code::classify(grpc_status, message), message)
        }
    }

    /// The same, of a write whose outcome is unknown.
    pub fn into_ambiguous(self) -> Self {
        if self.maybe_applied {
            return self;
        }
        let message = format!("the write may have been applied: {}", self.message);
        Error { code: code::ERR_AMBIGUOUS, message, maybe_applied: true, ..self }
    }

    /// The server did not take the token, in a way that another one may mend.
    pub fn refuses_token(&self) -> bool {
        matches!(self.code, code::ERR_INVALID_AUTH_TOKEN | code::ERR_AUTH_OLD_REVISION | code::ERR_USER_EMPTY)
    }

    /// The same call, made again later, may succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.code,
            code::ERR_TIMEOUT
                | code::ERR_UNAVAILABLE
                | code::ERR_INTERRUPTED
                | code::ERR_BUSY
                | code::ERR_NO_GREATER_REVISION
                | code::ERR_TOO_MANY_REQUESTS
                | code::ERR_NO_LEADER
                | code::ERR_LEADER_CHANGED
                | code::ERR_NOT_LEADER
                | code::ERR_NOT_SUPPORTED_FOR_LEARNER
                | code::ERR_STOPPED
                | code::ERR_SERVER_TIMEOUT
                | code::ERR_SERVER_TIMEOUT_LEADER_FAIL
                | code::ERR_SERVER_TIMEOUT_CONNECTION_LOST
                | code::ERR_SERVER_TIMEOUT_WAIT_APPLIED
                | code::ERR_UNHEALTHY
        ) && !self.maybe_applied
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
