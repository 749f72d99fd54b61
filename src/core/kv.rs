//! The plain calls, each one operation.

use super::client::Client;
use super::error::{Error, Result};
use super::op::{Op, Target};
use super::range::KeyRange;
use super::response::Response;
use bytes::Bytes;

/// `ETCD3_EQUAL`, as on the wire.
const EQUAL: i32 = 0;

impl Client {
    pub fn put(&self, key: Bytes, value: Bytes) -> Result<()> {
        self.execute(&Op::put(key, value)).map(drop)
    }

    /// Puts if the key does not exist; says whether it did.
    pub fn put_if_absent(&self, key: Bytes, value: Bytes) -> Result<bool> {
        self.put_if(key, Target::CreateRevision(0), value)
    }

    /// Puts if the key has the value `initial`; says whether it did.
    pub fn replace(&self, key: Bytes, initial: Bytes, value: Bytes) -> Result<bool> {
        self.put_if(key, Target::Value(initial), value)
    }

    fn put_if(&self, key: Bytes, target: Target, value: Bytes) -> Result<bool> {
        let mut txn = Op::txn();
        txn.compare(key.clone(), EQUAL, target)?;
        txn.then(Op::put(key, value))?;
        match self.execute(&txn)? {
            Response::Txn { succeeded, .. } => Ok(succeeded),
            _ => Err(Error::internal("a transaction was answered as something else")),
        }
    }

    /// Deletes, and says how many keys.
    pub fn delete(&self, range: KeyRange) -> Result<i64> {
        match self.execute(&Op::delete(range))? {
            Response::Delete(delete) => Ok(delete.deleted),
            _ => Err(Error::internal("a delete was answered as something else")),
        }
    }
}
