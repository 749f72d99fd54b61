//! What an operation brought: the decoded answer, whose keys and values are slices of the received frame.

use super::error::{Error, Result};
use super::proto::etcdserverpb as pb;
use bytes::Bytes;

/// Something of an answer, with its header.
pub struct Headed<T> {
    pub header: pb::ResponseHeader,
    pub body: T,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Response {
    Get(pb::RangeResponse),
    Put(pb::PutResponse),
    Delete(pb::DeleteRangeResponse),
    Txn {
        header: Option<pb::ResponseHeader>,
        succeeded: bool,
        responses: Vec<Response>,
    },
    /// The message of a method that only the caller knows.
    Raw(Bytes),
}

impl Response {
    pub fn header(&self) -> pb::ResponseHeader {
        match self {
            Response::Get(get) => get.header,
            Response::Put(put) => put.header,
            Response::Delete(delete) => delete.header,
            Response::Txn { header, .. } => *header,
            Response::Raw(_) => None,
        }
        .unwrap_or_default()
    }

    /// The answer to a get.
    pub fn get(self) -> Result<pb::RangeResponse> {
        match self {
            Response::Get(get) => Ok(get),
            _ => Err(Error::internal("a get was answered as something else")),
        }
    }
}

impl TryFrom<pb::TxnResponse> for Response {
    type Error = Error;

    fn try_from(txn: pb::TxnResponse) -> Result<Self> {
        use pb::response_op::Response as Union;
        let responses = txn.responses.into_iter().map(|op| match op.response {
            Some(Union::ResponseRange(get)) => Ok(Response::Get(get)),
            Some(Union::ResponsePut(put)) => Ok(Response::Put(put)),
            Some(Union::ResponseDeleteRange(delete)) => Ok(Response::Delete(delete)),
            Some(Union::ResponseTxn(txn)) => txn.try_into(),
            None => Err(Error::new(
                super::code::ERR_PROTOCOL,
                "the answer to a transaction has an operation of an unknown kind",
            )),
        });
        Ok(Response::Txn { header: txn.header, succeeded: txn.succeeded, responses: responses.collect::<Result<_>>()? })
    }
}
