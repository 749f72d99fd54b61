//! A range of any size, read part by part at one revision (§9.10): by RangeStream where the server has it, else in
//! pages.

use super::client::{Client, Core};
use super::code;
use super::error::{Error, Result};
use super::op::{Op, Request};
use super::proto::etcdserverpb as pb;
use super::response::Response;
use super::runtime::Runtime;
use super::transport::{Limits, Method, Reading, Repeat};
use bytes::{BufMut, Bytes, BytesMut};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

const RANGE_STREAM: Method = Method { path: "/etcdserverpb.KV/RangeStream", repeat: Repeat::Freely };

/// How many keys a page has if the caller does not say.
const PAGE: i64 = 1000;

/// A read under way.
pub struct Pages {
    core: Arc<Core>,
    /// It ends with its clients.
    runtime: Weak<Runtime>,
    /// For each step.
    timeout: Duration,
    limits: Limits,
    /// What is still to be read; its limit is what is left of the caller's, 0 for all.
    rest: pb::RangeRequest,
    page: i64,
    stream: Option<Reading<pb::RangeStreamResponse>>,
    done: bool,
    pub revision: i64,
    /// How many keys the range has at that revision.
    pub total: i64,
    pub read: i64,
}

impl Client {
    /// Fixes the revision and counts; `page` keys at a time, 0 for as many as seem good.
    pub fn pages(&self, op: &Op, page: i64) -> Result<Pages> {
        let Request::Get(rest) = op.request()? else {
            return Err(Error::argument("op", "must be a get"));
        };
        if page < 0 {
            return Err(Error::argument("page", format!("must not be negative, got {page}")));
        }
        if rest.sort_order != 0 || rest.count_only {
            return Err(Error::argument("op", "a read in pages is in the order of the keys, and has them"));
        }
        let page = if page == 0 { PAGE } else { page };
        let count = pb::RangeRequest { count_only: true, limit: 0, ..rest.clone() };
        let answer = self.run(op.limits(self), async |limits| range(&self.core, count, limits).await)?;
        let revision = match rest.revision {
            0 => answer.header.unwrap_or_default().revision,
            given => given,
        };
        let rest = pb::RangeRequest { revision, ..rest };
        Ok(Pages {
            core: self.core.clone(),
            runtime: Arc::downgrade(&self.runtime()?),
            timeout: op.timeout.unwrap_or(self.core.timeout),
            limits: op.limits(self),
            rest,
            page,
            stream: None,
            done: false,
            revision,
            total: answer.count,
            read: 0,
        })
    }
}

impl Pages {
    /// The next part; `None` when all was read. After an error it may be called again.
    pub fn next_page(&mut self) -> Result<Option<Response>> {
        let limits = self.limits.clone().lasting(Some(self.timeout));
        let core = self.core.clone();
        limits.check()?;
        let runtime = self.runtime.upgrade().ok_or_else(Error::closed)?;
        runtime.block_on(self.next(&core, &limits))?
    }

    async fn next(&mut self, core: &Arc<Core>, limits: &Limits) -> Result<Option<Response>> {
        while !self.done {
            let part = match self.part(core, limits).await {
                Err(error) if error.code == code::ERR_COMPACTED => {
                    let (revision, read) = (self.revision, self.read);
                    let why = format!("revision {revision} was compacted after {read} keys were read: start again");
                    return Err(Error { message: why, ..error });
                }
                // What is fixed is the same everywhere, but a member that lags has to be waited for.
                Err(error) if error.code == code::ERR_FUTURE_REVISION && self.rest.serializable => {
                    self.rest.serializable = false;
                    continue;
                }
                part => part?,
            };
            // A stream may be longer than its last keys.
            if !part.kvs.is_empty() {
                return Ok(Some(Response::Get(part)));
            }
        }
        Ok(None)
    }

    async fn part(&mut self, core: &Arc<Core>, limits: &Limits) -> Result<pb::RangeResponse> {
        if self.stream.is_some() || self.may_stream(core) {
            match self.streamed(core, limits).await {
                Err(error) if error.code == code::ERR_UNIMPLEMENTED => {
                    self.stream = None;
                    core.known.streams_ranges.store(false, Ordering::Relaxed);
                }
                part => return part,
            }
        }
        let left = if self.rest.limit == 0 { self.page } else { self.page.min(self.rest.limit) };
        let request = pb::RangeRequest { limit: left, ..self.rest.clone() };
        let part = range(core, request, limits).await?;
        self.done = !part.more;
        self.advance(&part);
        Ok(self.with_header(part))
    }

    /// The server takes neither filters nor a limit per part.
    fn may_stream(&self, core: &Core) -> bool {
        let filters = [
            self.rest.min_mod_revision,
            self.rest.max_mod_revision,
            self.rest.min_create_revision,
            self.rest.max_create_revision,
        ];
        filters == [0; 4] && core.known.streams_ranges.load(Ordering::Relaxed)
    }

    async fn streamed(&mut self, core: &Arc<Core>, limits: &Limits) -> Result<pb::RangeResponse> {
        let mut attempts = 0;
        loop {
            let stream = match &mut self.stream {
                Some(stream) => stream,
                None => {
                    let rest = core.namespace.range(&self.rest);
                    let opened = core.transport.read(RANGE_STREAM, &*rest, None, core.timeout, limits).await?;
                    self.stream.insert(opened)
                }
            };
            match stream.next(limits).await {
                Ok(Some(part)) => {
                    let mut part = part.range_response.unwrap_or_default();
                    if let Err(error) = core.namespace.strip_kvs(&mut part.kvs) {
                        self.stream = None;
                        return Err(error);
                    }
                    // The header comes with the last part only.
                    self.done = part.header.is_some();
                    self.advance(&part);
                    if self.done {
                        self.stream = None;
                    }
                    return Ok(self.with_header(part));
                }
                Ok(None) => {
                    self.stream = None;
                    self.done = true;
                    return Ok(pb::RangeResponse::default());
                }
                // The rest is to be had from another stream, since the revision is fixed.
                Err(error) if error.is_retryable() && attempts < MOST_STREAMS && limits.check().is_ok() => {
                    self.stream = None;
                    attempts += 1;
                }
                Err(error) => {
                    self.stream = None;
                    return Err(error);
                }
            }
        }
    }

    /// What every part says: the one revision, the count of the whole, whether there is more.
    fn with_header(&self, part: pb::RangeResponse) -> pb::RangeResponse {
        let header = pb::ResponseHeader { revision: self.revision, ..part.header.unwrap_or_default() };
        pb::RangeResponse { header: Some(header), more: !self.done || part.more, count: self.total, ..part }
    }

    fn advance(&mut self, part: &pb::RangeResponse) {
        let Some(last) = part.kvs.last() else { return };
        let count = part.kvs.len() as i64;
        self.read += count;
        self.rest.key = after(&last.key);
        if self.rest.range_end.is_empty() {
            self.done = true;
        }
        if self.rest.limit > 0 {
            self.rest.limit -= count;
            self.done |= self.rest.limit <= 0;
        }
    }
}

const MOST_STREAMS: u32 = 5;

async fn range(core: &Core, get: pb::RangeRequest, limits: &Limits) -> Result<pb::RangeResponse> {
    core.send_once(Request::Get(get), limits).await?.get()
}

/// The first key that comes after this one.
fn after(key: &[u8]) -> Bytes {
    let mut next = BytesMut::with_capacity(key.len() + 1);
    next.extend_from_slice(key);
    next.put_u8(0);
    next.freeze()
}
