//! Reads that never go back: not behind what this client has seen already, whichever member answers (§9.4).

use super::client::{reads_only, Core};
use super::code;
use super::error::{Error, Result};
use super::request::Request;
use super::response::Response;
use super::transport::Limits;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often each member is asked, on average.
const ROUNDS: usize = 5;
const PAUSE_FIRST: Duration = Duration::from_millis(25);

pub fn is_read(request: &Request) -> bool {
    match request {
        Request::Get(_) => true,
        Request::Txn(txn) => reads_only(txn),
        _ => false,
    }
}

impl Core {
    /// Repeats a read until its answer is as new as what was seen before it. A member whose answer is not is asked last
    /// for a while, so that the next attempt goes elsewhere; after each round they get time to catch up.
    pub(super) async fn in_order(&self, request: Request, limits: &Limits) -> Result<Response> {
        let (least, epoch) = (self.known.seen.load(Ordering::Relaxed), self.epoch());
        let (mut attempts, mut pause) = (0, PAUSE_FIRST);
        loop {
            let response = self.send_once(request.clone(), limits).await?;
            let revision = response.header().revision;
            // Other endpoints may be another cluster's.
            if revision >= least || epoch != self.epoch() {
                return Ok(response);
            }
            attempts += 1;
            let members = self.transport.member_count();
            let give_up = attempts >= ROUNDS * members;
            if give_up || attempts % members == 0 && !self.transport.rest(pause, limits).await? {
                let text = format!(
                    "all answers were behind: at revision {revision}, where this client has seen {least} before"
                );
                return Err(Error::new(code::ERR_NO_GREATER_REVISION, text));
            }
            if attempts % members == 0 {
                pause = pause.mul_f64(1.5);
            }
        }
    }
}
