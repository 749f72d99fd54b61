//! What a failed attempt means: whether to try again, and what to tell the caller (§2.3–2.8, appendix C).

use super::connection::Failure;
use super::{Repeat, Stop};
use crate::core::code;
use crate::core::error::Error;
use crate::core::mutant;
use std::time::Duration;
use tokio::time::Instant;

pub enum Verdict {
    /// To be told to the caller.
    Final(Error),
    /// Worth another attempt, and how long to ask other members first.
    Again(Error, Option<Duration>),
}

const LEARNER: Duration = Duration::from_secs(30);
const TROUBLED: Duration = Duration::from_secs(1);
/// A server that keeps the caller's deadline answers about when the caller gives up.
const DEADLINE_SLACK: Duration = Duration::from_millis(100);

const UNAVAILABLE: i32 = 14;
const DEADLINE_EXCEEDED: i32 = 4;

/// What else there is.
#[derive(Clone, Copy)]
pub struct Around {
    /// There are members, connected or about to be, that this call has not asked yet.
    pub others: bool,
    /// There is but one member.
    pub alone: bool,
    pub deadline: Instant,
}

pub fn judge(failure: Failure, repeat: Repeat, endpoint: &str, around: Around) -> Verdict {
    let at =
        |code, why: &str| Error { endpoint: Some(endpoint.into()), ..Error::new(code, format!("{endpoint}: {why}")) };
    match failure {
        Failure::NotSent => Verdict::Again(at(code::ERR_UNAVAILABLE, "the request could not be sent"), Some(TROUBLED)),
        Failure::Lost(why) => {
            let error = at(code::ERR_UNAVAILABLE, &format!("the connection was lost: {why}"));
            match repeat {
                Repeat::Never if mutant::is("retry-put") => Verdict::Again(error, None),
                Repeat::Never => Verdict::Final(error.into_ambiguous()),
                Repeat::Guarded => Verdict::Again(error.into_ambiguous(), Some(TROUBLED)),
                Repeat::Freely => Verdict::Again(error, Some(TROUBLED)),
            }
        }
        Failure::StoppedUnsent(stop) => Verdict::Final(Error { endpoint: Some(endpoint.into()), ..stopped(stop) }),
        Failure::Stopped(Stop::Deadline) => Verdict::Final(late(endpoint, repeat)),
        Failure::Stopped(stop) => {
            Verdict::Final(written(Error { endpoint: Some(endpoint.into()), ..stopped(stop) }, repeat))
        }
        Failure::Malformed(why) => Verdict::Final(malformed(&why, repeat, endpoint)),
        Failure::Status(status) => {
            let error = Error::from_status(status.code() as i32, status.message(), endpoint);
            answered(error, repeat, around)
        }
    }
}

fn answered(error: Error, repeat: Repeat, around: Around) -> Verdict {
    let repeat = if mutant::is("retry-put") { Repeat::Freely } else { repeat };
    let late_answer = Instant::now() + DEADLINE_SLACK >= around.deadline;
    match (error.code, error.grpc_status) {
        (_, Some(DEADLINE_EXCEEDED)) if late_answer => {
            let endpoint = error.endpoint.as_deref().unwrap_or_default();
            Verdict::Final(Error { grpc_status: error.grpc_status, ..late(endpoint, repeat) })
        }
        (code::ERR_NOT_SUPPORTED_FOR_LEARNER, _) if !around.alone => Verdict::Again(error, Some(LEARNER)),
        (code::ERR_NOT_SUPPORTED_FOR_LEARNER | code::ERR_NOT_CAPABLE, _) => Verdict::Final(error),
        (code::ERR_NO_LEADER, _) if around.others => Verdict::Again(error, Some(TROUBLED)),
        // The caller asked for this answer by requiring a leader.
        (code::ERR_NO_LEADER, _) => Verdict::Final(error),
        (_, Some(UNAVAILABLE)) if repeat == Repeat::Freely => Verdict::Again(error, Some(TROUBLED)),
        // Such a write was applied all the same where it is the one that crossed the quota.
        (code::ERR_NO_SPACE, _) => {
            let maybe_applied = repeat != Repeat::Freely && !mutant::is("no-space-is-sure");
            Verdict::Final(Error { maybe_applied, ..error })
        }
        _ if !is_open(&error) => Verdict::Final(error),
        (_, Some(UNAVAILABLE)) if repeat == Repeat::Guarded => Verdict::Again(error.into_ambiguous(), Some(TROUBLED)),
        _ => Verdict::Final(written(error, repeat)),
    }
}

/// Whether the server's answer leaves open what became of a write (§2.7, §2.8).
fn is_open(error: &Error) -> bool {
    match error.code {
        code::ERR_STOPPED | code::ERR_LEADER_CHANGED => true,
        code::ERR_REQUEST_CANCELED | code::ERR_WATCH_CANCELED => true,
        code::ERR_UNAVAILABLE => true,
        code::ERR_SERVER_TIMEOUT..=code::ERR_SERVER_TIMEOUT_WAIT_APPLIED => true,
        // Texts nobody knows: only what says that the request itself was wrong is sure.
        code::ERR_SERVER => !matches!(error.grpc_status, Some(3 | 5 | 6 | 7 | 9 | 11 | 16)),
        _ => false,
    }
}

fn late(endpoint: &str, repeat: Repeat) -> Error {
    let error = Error::new(code::ERR_TIMEOUT, format!("{endpoint}: no answer within the time limit"));
    written(Error { endpoint: Some(endpoint.into()), ..error }, repeat)
}

pub fn malformed(why: &str, repeat: Repeat, endpoint: &str) -> Error {
    let error = Error::new(code::ERR_PROTOCOL, format!("{endpoint}: {why}"));
    written(Error { endpoint: Some(endpoint.into()), ..error }, repeat)
}

pub fn stopped(stop: Stop) -> Error {
    match stop {
        Stop::Deadline => Error::new(code::ERR_TIMEOUT, "the time limit is over"),
        Stop::Cancelled => Error::new(code::ERR_CANCELED, "the call was cancelled"),
        Stop::Closed => Error::closed(),
    }
}

/// The error of a call that was sent and has no sure answer.
fn written(error: Error, repeat: Repeat) -> Error {
    match repeat {
        Repeat::Freely => error,
        Repeat::Guarded | Repeat::Never => error.into_ambiguous(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: tonic::Code, text: &str) -> Failure {
        Failure::Status(tonic::Status::new(code, text))
    }

    /// Again?, code, maybe_applied.
    fn verdict(failure: Failure, repeat: Repeat, others: bool) -> (bool, i32, bool) {
        let far = Instant::now() + Duration::from_secs(60);
        match judge(failure, repeat, "e:1", Around { others, alone: !others, deadline: far }) {
            Verdict::Final(error) => (false, error.code, error.maybe_applied),
            Verdict::Again(error, _) => (true, error.code, error.maybe_applied),
        }
    }

    #[test]
    fn a_write_is_repeated_only_if_nobody_executed_it() {
        use tonic::Code;
        let never = |failure| verdict(failure, Repeat::Never, true);
        assert_eq!(never(Failure::NotSent), (true, code::ERR_UNAVAILABLE, false));
        assert_eq!(never(Failure::Lost("x".into())), (false, code::ERR_AMBIGUOUS, true));
        assert_eq!(never(Failure::Stopped(Stop::Deadline)), (false, code::ERR_AMBIGUOUS, true));
        assert_eq!(never(Failure::StoppedUnsent(Stop::Cancelled)), (false, code::ERR_CANCELED, false));
        for open in
            ["etcdserver: request timed out", "etcdserver: leader changed", "etcdserver: server stopped", "anything"]
        {
            assert_eq!(never(status(Code::Unavailable, open)), (false, code::ERR_AMBIGUOUS, true), "{open}");
        }
        let learner = "etcdserver: rpc not supported for learner";
        assert_eq!(never(status(Code::Unavailable, learner)), (true, code::ERR_NOT_SUPPORTED_FOR_LEARNER, false));
        assert_eq!(never(status(Code::Unavailable, "etcdserver: no leader")), (true, code::ERR_NO_LEADER, false));
        assert_eq!(
            verdict(status(Code::Unavailable, "etcdserver: no leader"), Repeat::Never, false),
            (false, code::ERR_NO_LEADER, false)
        );
        let definite = "etcdserver: mvcc: database space exceeded";
        assert_eq!(never(status(Code::ResourceExhausted, definite)), (false, code::ERR_NO_SPACE, true));
        let definite = "etcdserver: requested lease not found";
        assert_eq!(never(status(Code::NotFound, definite)), (false, code::ERR_LEASE_NOT_FOUND, false));
    }

    #[test]
    fn a_read_is_repeated_while_that_can_help() {
        use tonic::Code;
        let freely = |failure| verdict(failure, Repeat::Freely, false);
        assert!(freely(Failure::Lost("x".into())).0);
        assert!(freely(status(Code::Unavailable, "etcdserver: leader changed")).0);
        assert!(!freely(status(Code::OutOfRange, "etcdserver: mvcc: required revision has been compacted")).0);
        assert_eq!(freely(Failure::Stopped(Stop::Deadline)), (false, code::ERR_TIMEOUT, false));
        assert_eq!(freely(Failure::Malformed("x".into())), (false, code::ERR_PROTOCOL, false));
    }
}
