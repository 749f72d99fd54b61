//! One operation: get, put, delete or a transaction of operations. Setters check what they are given; nothing
//! malformed can be built, since some malformed requests bring a server down (§10.9).

use super::client::Client;
use super::error::{Error, Result};
use super::namespace::Namespace;
use super::proto::etcdserverpb as pb;
use super::range::{Extent, KeyRange};
use super::raw::Raw;
pub use super::request::Request;
use super::transport::{Limits, Metadata, Repeat};
use bytes::Bytes;
use pb::compare::{CompareResult, CompareTarget, TargetUnion};
use pb::range_request::{SortOrder, SortTarget};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[derive(Debug, Clone)]
pub struct Op {
    pub timeout: Option<Duration>,
    pub cancel: Option<CancellationToken>,
    pub require_leader: bool,
    pub metadata: Metadata,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Get(KeyRange, pb::RangeRequest),
    Put(pb::PutRequest),
    Delete(KeyRange, pb::DeleteRangeRequest),
    Txn(Txn),
    Raw(Raw),
}

#[derive(Debug, Clone, Default)]
struct Txn {
    compares: Vec<(KeyRange, pb::Compare)>,
    success: Vec<Op>,
    failure: Vec<Op>,
    /// How many levels of transactions are inside.
    depth: usize,
    /// Where guards have their keys.
    guards: Vec<Namespace>,
}

/// What the decoder of the answer can take, with room to spare.
const MOST_NESTED: usize = 32;

/// What a comparison looks at, and with what it compares.
pub enum Target {
    Value(Bytes),
    Version(i64),
    CreateRevision(i64),
    ModRevision(i64),
    Lease(i64),
}

fn not_negative(name: &str, number: i64) -> Result<i64> {
    match number {
        0.. => Ok(number),
        _ => Err(Error::argument(name, format!("must not be negative, got {number}"))),
    }
}

impl Op {
    fn new(kind: Kind) -> Self {
        Op { timeout: None, cancel: None, require_leader: false, metadata: Metadata::default(), kind }
    }

    pub fn get(range: KeyRange) -> Self {
        Self::new(Kind::Get(range, pb::RangeRequest::default()))
    }

    pub fn put(key: Bytes, value: Bytes) -> Self {
        Self::new(Kind::Put(pb::PutRequest { key, value, ..Default::default() }))
    }

    pub fn delete(range: KeyRange) -> Self {
        Self::new(Kind::Delete(range, pb::DeleteRangeRequest::default()))
    }

    pub fn txn() -> Self {
        Self::new(Kind::Txn(Txn::default()))
    }

    pub fn raw(raw: Raw) -> Self {
        Self::new(Kind::Raw(raw))
    }

    /// What the call of this op keeps to.
    pub fn limits(&self, client: &Client) -> Limits {
        let limits = client.limits(self.timeout);
        let (cancelled, metadata) = (self.cancel.clone(), self.metadata.clone());
        Limits { cancelled, require_leader: self.require_leader, metadata, ..limits }
    }

    pub fn writes(&self) -> bool {
        match &self.kind {
            Kind::Get(..) => false,
            Kind::Put(_) | Kind::Delete(..) => true,
            Kind::Txn(txn) => txn.success.iter().chain(&txn.failure).any(Op::writes),
            Kind::Raw(raw) => raw.repeat != Repeat::Freely,
        }
    }

    fn misplaced<T>(&self, option: &str, fits: &str) -> Result<T> {
        let kind = match self.kind {
            Kind::Get(..) => "a get",
            Kind::Put(_) => "a put",
            Kind::Delete(..) => "a delete",
            Kind::Txn(_) => "a transaction",
            Kind::Raw(_) => "a raw call",
        };
        Err(Error::argument("op", format!("{option} is for {fits}, this is {kind}")))
    }

    fn as_get(&mut self, option: &str) -> Result<&mut pb::RangeRequest> {
        match self.kind {
            Kind::Get(_, ref mut get) => Ok(get),
            _ => self.misplaced(option, "a get"),
        }
    }

    fn as_put(&mut self, option: &str) -> Result<&mut pb::PutRequest> {
        match self.kind {
            Kind::Put(ref mut put) => Ok(put),
            _ => self.misplaced(option, "a put"),
        }
    }

    fn as_txn(&mut self, option: &str) -> Result<&mut Txn> {
        match self.kind {
            Kind::Txn(ref mut txn) => Ok(txn),
            _ => self.misplaced(option, "a transaction"),
        }
    }

    pub fn widen(&mut self, option: &str, extent: Extent) -> Result<()> {
        match self.kind {
            Kind::Get(ref mut range, _) | Kind::Delete(ref mut range, _) => range.widen(extent),
            _ => self.misplaced(option, "a get or a delete"),
        }
    }

    pub fn set_limit(&mut self, limit: i64) -> Result<()> {
        self.as_get("limit")?.limit = not_negative("limit", limit)?;
        Ok(())
    }

    pub fn set_revision(&mut self, revision: i64) -> Result<()> {
        self.as_get("revision")?.revision = not_negative("revision", revision)?;
        Ok(())
    }

    pub fn set_sort(&mut self, target: i32, order: i32) -> Result<()> {
        let get = self.as_get("sort")?;
        let target = SortTarget::try_from(target)
            .map_err(|_| Error::argument("target", format!("{target} is no sort target")))?;
        let order =
            SortOrder::try_from(order).map_err(|_| Error::argument("order", format!("{order} is no sort order")))?;
        // By key is how the store answers anyway, and NONE spares the server the sorting (§9.9); by anything
        // else NONE would let it cut the limit before it sorts.
        let order = match (target, order) {
            (SortTarget::Key, SortOrder::Ascend) => SortOrder::None,
            (SortTarget::Key, order) => order,
            (_, SortOrder::None) => SortOrder::Ascend,
            (_, order) => order,
        };
        get.set_sort_target(target);
        get.set_sort_order(order);
        Ok(())
    }

    pub fn set_serializable(&mut self) -> Result<()> {
        self.as_get("serializable")?.serializable = true;
        Ok(())
    }

    pub fn set_keys_only(&mut self) -> Result<()> {
        self.as_get("keys_only")?.keys_only = true;
        Ok(())
    }

    pub fn set_count_only(&mut self) -> Result<()> {
        self.as_get("count_only")?.count_only = true;
        Ok(())
    }

    pub fn set_min_mod_revision(&mut self, revision: i64) -> Result<()> {
        self.as_get("min_mod_revision")?.min_mod_revision = not_negative("revision", revision)?;
        Ok(())
    }

    pub fn set_max_mod_revision(&mut self, revision: i64) -> Result<()> {
        self.as_get("max_mod_revision")?.max_mod_revision = not_negative("revision", revision)?;
        Ok(())
    }

    pub fn set_min_create_revision(&mut self, revision: i64) -> Result<()> {
        self.as_get("min_create_revision")?.min_create_revision = not_negative("revision", revision)?;
        Ok(())
    }

    pub fn set_max_create_revision(&mut self, revision: i64) -> Result<()> {
        self.as_get("max_create_revision")?.max_create_revision = not_negative("revision", revision)?;
        Ok(())
    }

    pub fn set_lease(&mut self, lease: i64) -> Result<()> {
        self.as_put("lease")?.lease = lease;
        Ok(())
    }

    pub fn set_ignore_value(&mut self) -> Result<()> {
        self.as_put("ignore_value")?.ignore_value = true;
        Ok(())
    }

    pub fn set_ignore_lease(&mut self) -> Result<()> {
        self.as_put("ignore_lease")?.ignore_lease = true;
        Ok(())
    }

    pub fn set_prev_kv(&mut self) -> Result<()> {
        match self.kind {
            Kind::Put(ref mut put) => put.prev_kv = true,
            Kind::Delete(_, ref mut delete) => delete.prev_kv = true,
            _ => return self.misplaced("prev_kv", "a put or a delete"),
        }
        Ok(())
    }

    pub fn compare(&mut self, key: Bytes, result: i32, target: Target) -> Result<()> {
        let txn = self.as_txn("a comparison")?;
        CompareResult::try_from(result).map_err(|_| Error::argument("cmp", format!("{result} is no comparison")))?;
        let (kind, union) = match target {
            Target::Value(value) => (CompareTarget::Value, TargetUnion::Value(value)),
            Target::Version(n) => (CompareTarget::Version, TargetUnion::Version(not_negative("version", n)?)),
            Target::CreateRevision(n) => {
                (CompareTarget::Create, TargetUnion::CreateRevision(not_negative("revision", n)?))
            }
            Target::ModRevision(n) => (CompareTarget::Mod, TargetUnion::ModRevision(not_negative("revision", n)?)),
            Target::Lease(id) => (CompareTarget::Lease, TargetUnion::Lease(id)),
        };
        let compare = pb::Compare { result, target: kind as i32, target_union: Some(union), ..Default::default() };
        txn.compares.push((KeyRange::new(key), compare));
        Ok(())
    }

    /// Compares a key of this namespace: in another it would be another key.
    pub fn guard(&mut self, namespace: &Namespace, key: Bytes, result: i32, target: Target) -> Result<()> {
        self.compare(key, result, target)?;
        self.as_txn("a guard")?.guards.push(namespace.clone());
        Ok(())
    }

    /// Makes the comparison added last one over a range.
    pub fn widen_compare(&mut self, extent: Extent) -> Result<()> {
        match self.as_txn("a comparison's range")?.compares.last_mut() {
            Some((range, _)) => range.widen(extent),
            None => Err(Error::argument("txn", "there is no comparison yet whose range could be set")),
        }
    }

    pub fn then(&mut self, op: Op) -> Result<()> {
        let op = self.nest("then", op)?;
        self.as_txn("then")?.success.push(op);
        Ok(())
    }

    pub fn or_else(&mut self, op: Op) -> Result<()> {
        let op = self.nest("else", op)?;
        self.as_txn("else")?.failure.push(op);
        Ok(())
    }

    fn nest(&mut self, branch: &str, op: Op) -> Result<Op> {
        let txn = self.as_txn(branch)?;
        if let Kind::Raw(_) = &op.kind {
            return op.misplaced(branch, "a get, a put, a delete or a transaction");
        }
        if let Kind::Txn(inner) = &op.kind {
            if inner.depth >= MOST_NESTED {
                return Err(Error::argument("op", format!("transactions nest at most {MOST_NESTED} deep")));
            }
            txn.depth = txn.depth.max(inner.depth + 1);
            txn.guards.extend_from_slice(&inner.guards);
        }
        Ok(op)
    }

    /// The message to send, if the op may be executed in this namespace.
    pub fn request_in(&self, namespace: &Namespace) -> Result<Request> {
        let guards: &[Namespace] = if let Kind::Txn(txn) = &self.kind { &txn.guards } else { &[] };
        match guards.iter().find(|guard| *guard != namespace) {
            None => self.request(),
            Some(guard) => {
                let why = format!("has a guard of a lock or leadership in {guard}, and is executed in {namespace}");
                Err(Error::argument("op", why))
            }
        }
    }

    /// Checks the whole and gives the message to send.
    pub fn request(&self) -> Result<Request> {
        Ok(match &self.kind {
            Kind::Get(range, get) => {
                let (key, range_end) = range.finish()?;
                Request::Get(pb::RangeRequest { key, range_end, ..get.clone() })
            }
            Kind::Delete(range, delete) => {
                let (key, range_end) = range.finish()?;
                Request::Delete(pb::DeleteRangeRequest { key, range_end, ..*delete })
            }
            Kind::Put(put) => {
                KeyRange::new(put.key.clone()).finish()?;
                if put.ignore_value && !put.value.is_empty() {
                    return Err(Error::argument("value", "must be empty with ignore_value"));
                }
                if put.ignore_lease && put.lease != 0 {
                    return Err(Error::argument("lease_id", "must be 0 with ignore_lease"));
                }
                Request::Put(put.clone())
            }
            Kind::Raw(raw) => Request::Raw(raw.clone()),
            Kind::Txn(txn) => {
                let compare = |(range, compare): &(KeyRange, pb::Compare)| {
                    let (key, range_end) = range.finish()?;
                    Ok(pb::Compare { key, range_end, ..compare.clone() })
                };
                let branch = |ops: &[Op]| ops.iter().map(|op| op.request()?.try_into()).collect::<Result<_>>();
                Request::Txn(pb::TxnRequest {
                    compare: txn.compares.iter().map(compare).collect::<Result<_>>()?,
                    success: branch(&txn.success)?,
                    failure: branch(&txn.failure)?,
                })
            }
        })
    }
}

#[cfg(test)]
mod tests;
