//! How a request goes out and its answer is checked: what calls share with tasks that outlive them.

use super::super::claim::Slots;
use super::super::code;
use super::super::error::{Error, Result};
use super::super::mutant;
use super::super::namespace::Namespace;
use super::super::op::Request;
use super::super::ordering;
use super::super::proto::etcdserverpb as pb;
use super::super::raw::Verbatim;
use super::super::response::Response;
use super::super::runtime::Clock;
use super::super::transport::{malformed, Limits, Method, Repeat, Transport};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What calls need that outlive the call that started them.
#[derive(Clone)]
pub struct Core {
    pub transport: Arc<Transport>,
    pub timeout: Duration,
    pub ordering: bool,
    pub closing: CancellationToken,
    pub clock: Clock,
    pub slots: Arc<Slots>,
    pub namespace: Namespace,
    pub known: Arc<Known>,
}

/// What the answers told of the cluster.
pub struct Known {
    /// The one that answered first; 0 before.
    cluster: AtomicU64,
    epoch: AtomicU64,
    /// The highest revision an answer had.
    pub seen: AtomicI64,
    /// Until a server says otherwise.
    pub streams_ranges: AtomicBool,
}

impl Default for Known {
    fn default() -> Self {
        Known {
            cluster: AtomicU64::new(0),
            epoch: AtomicU64::new(0),
            seen: AtomicI64::new(0),
            streams_ranges: AtomicBool::new(true),
        }
    }
}

const RANGE: Method = Method { path: "/etcdserverpb.KV/Range", repeat: Repeat::Freely };
const PUT: Method = Method { path: "/etcdserverpb.KV/Put", repeat: Repeat::Never };
const DELETE_RANGE: Method = Method { path: "/etcdserverpb.KV/DeleteRange", repeat: Repeat::Never };
const TXN: Method = Method { path: "/etcdserverpb.KV/Txn", repeat: Repeat::Never };

impl Core {
    /// For a call with its own time limit, or the client's.
    pub fn limits(&self, timeout: Option<Duration>) -> Limits {
        let deadline = Instant::now() + timeout.unwrap_or(self.timeout);
        Limits::until(deadline, &self.closing)
    }

    pub async fn send(&self, request: Request, limits: &Limits) -> Result<Response> {
        match self.ordering && ordering::is_read(&request) {
            true => self.in_order(request, limits).await,
            false => self.send_once(request, limits).await,
        }
    }

    pub(in crate::core) async fn send_once(&self, request: Request, limits: &Limits) -> Result<Response> {
        match request {
            Request::Get(mut get) => {
                get.serializable |= mutant::is("read-stale-endpoint");
                self.namespace.place(&mut get.key, &mut get.range_end);
                self.call(RANGE, &get, Response::Get, limits).await
            }
            Request::Put(mut put) => {
                put.key = self.namespace.key(&put.key);
                self.call(PUT, &put, Response::Put, limits).await
            }
            Request::Delete(mut delete) => {
                self.namespace.place(&mut delete.key, &mut delete.range_end);
                self.call(DELETE_RANGE, &delete, Response::Delete, limits).await
            }
            Request::Txn(txn) => {
                let repeat = if reads_only(&txn) { Repeat::Freely } else { Repeat::Never };
                self.transact(&txn, repeat, limits).await.map(|(response, _)| response)
            }
            Request::Raw(raw) => {
                let reply = self.transport.unary::<_, Verbatim>(raw.method(), &raw.request, limits).await?;
                Ok(Response::Raw(reply.message.0))
            }
        }
    }

    async fn call<Req: prost::Message, Res: prost::Message + Default>(
        &self,
        method: Method,
        request: &Req,
        wrap: impl FnOnce(Res) -> Response,
        limits: &Limits,
    ) -> Result<Response> {
        let epoch = self.epoch();
        let reply = self.transport.unary(method, request, limits).await?;
        let mut response = wrap(reply.message);
        self.check(response.header(), epoch, method, &reply.endpoint)?;
        self.strip(&mut response, method.repeat, &reply.endpoint)?;
        Ok(response)
    }

    fn strip(&self, response: &mut Response, repeat: Repeat, endpoint: &str) -> Result<()> {
        self.namespace.strip(response).map_err(|error| malformed(&error.message, repeat, endpoint))
    }

    /// A transaction; with whether it answers an attempt after one that may have been executed too.
    pub async fn transact(&self, txn: &pb::TxnRequest, repeat: Repeat, limits: &Limits) -> Result<(Response, bool)> {
        let method = Method { repeat, ..TXN };
        let epoch = self.epoch();
        let txn = self.namespace.txn(txn);
        let reply = self.transport.unary::<_, pb::TxnResponse>(method, &*txn, limits).await?;
        let mut response =
            Response::try_from(reply.message).map_err(|error| malformed(&error.message, repeat, &reply.endpoint))?;
        self.check(response.header(), epoch, method, &reply.endpoint)?;
        self.strip(&mut response, repeat, &reply.endpoint)?;
        Ok((response, reply.resent))
    }

    /// Passes the outcome of a call on, having counted it.
    pub(in crate::core) fn counted<T>(&self, outcome: Result<T>) -> Result<T> {
        outcome.inspect_err(|error| self.transport.base().counters.ambiguous.add(error.maybe_applied.into()))
    }

    /// Which list of endpoints there is.
    pub(in crate::core) fn epoch(&self) -> u64 {
        self.known.epoch.load(Ordering::Acquire)
    }

    /// All answers must come from one cluster, as long as the endpoints are the same (§1.16).
    pub(in crate::core) fn check(
        &self,
        header: pb::ResponseHeader,
        epoch: u64,
        method: Method,
        endpoint: &str,
    ) -> Result<()> {
        if epoch != self.epoch() || header.cluster_id == 0 {
            return Ok(());
        }
        match self.known.cluster.compare_exchange(0, header.cluster_id, Ordering::Relaxed, Ordering::Relaxed) {
            Err(known) if known != header.cluster_id => Err(Error {
                maybe_applied: method.repeat != Repeat::Freely,
                endpoint: Some(endpoint.to_owned()),
                ..Error::new(
                    code::ERR_CLUSTER_MISMATCH,
                    format!("{endpoint}: cluster {:x} answered, and before it cluster {known:x}", header.cluster_id),
                )
            }),
            _ => {
                let before = self.known.seen.fetch_max(header.revision, Ordering::Relaxed);
                if self.ordering && header.revision < before {
                    self.transport.avoid(endpoint);
                }
                Ok(())
            }
        }
    }

    /// Other endpoints may be another cluster's.
    pub(in crate::core) fn forget_cluster(&self) {
        self.known.epoch.fetch_add(1, Ordering::AcqRel);
        self.known.cluster.store(0, Ordering::Relaxed);
        self.known.seen.store(0, Ordering::Relaxed);
    }
}

/// A transaction without a write may be sent again like any read (§2.11).
pub(in crate::core) fn reads_only(txn: &pb::TxnRequest) -> bool {
    use pb::request_op::Request as Union;
    txn.success.iter().chain(&txn.failure).all(|op| match &op.request {
        Some(Union::RequestRange(_)) => true,
        Some(Union::RequestTxn(txn)) => reads_only(txn),
        _ => false,
    })
}
