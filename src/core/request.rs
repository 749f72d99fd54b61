//! What an operation is on the wire: a request of its own, or part of a transaction's.

use super::proto::etcdserverpb as pb;

#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    Get(pb::RangeRequest),
    Put(pb::PutRequest),
    Delete(pb::DeleteRangeRequest),
    Txn(pb::TxnRequest),
}

impl From<Request> for pb::RequestOp {
    fn from(request: Request) -> Self {
        use pb::request_op::Request as Union;
        pb::RequestOp {
            request: Some(match request {
                Request::Get(get) => Union::RequestRange(get),
                Request::Put(put) => Union::RequestPut(put),
                Request::Delete(delete) => Union::RequestDeleteRange(delete),
                Request::Txn(txn) => Union::RequestTxn(txn),
            }),
        }
    }
}
