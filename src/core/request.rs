//! What an operation is on the wire: a request of its own, or part of a transaction's.

use super::error::{Error, Result};
use super::proto::etcdserverpb as pb;
use super::raw::Raw;

#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    Get(pb::RangeRequest),
    Put(pb::PutRequest),
    Delete(pb::DeleteRangeRequest),
    Txn(pb::TxnRequest),
    Raw(Raw),
}

impl TryFrom<Request> for pb::RequestOp {
    type Error = Error;

    fn try_from(request: Request) -> Result<Self> {
        use pb::request_op::Request as Union;
        let request = match request {
            Request::Get(get) => Union::RequestRange(get),
            Request::Put(put) => Union::RequestPut(put),
            Request::Delete(delete) => Union::RequestDeleteRange(delete),
            Request::Txn(txn) => Union::RequestTxn(txn),
            Request::Raw(_) => return Err(Error::internal("a raw call got into a transaction")),
        };
        Ok(pb::RequestOp { request: Some(request) })
    }
}
