//! The plain calls, each one operation.

use super::client::Client;
use super::error::{Error, Result};
use super::op::{Op, Request, Target};
use super::range::KeyRange;
use super::response::Response;
use super::transport::Repeat;
use bytes::Bytes;
use std::sync::atomic::Ordering;

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

    /// Puts if the key was last put at `revision`; says whether it did.
    pub fn put_if_revision(&self, key: Bytes, revision: i64, value: Bytes) -> Result<bool> {
        if revision < 0 {
            return Err(Error::argument("mod_revision", format!("must not be negative, got {revision}")));
        }
        self.put_if(key, Target::ModRevision(revision), value)
    }

    /// Puts if the key has the value `initial`; says whether it did.
    pub fn replace(&self, key: Bytes, initial: Bytes, value: Bytes) -> Result<bool> {
        self.put_if(key, Target::Value(initial), value)
    }

    /// A revision never comes again, so a put that wants one cannot be done twice: it is sent again where an outcome is
    /// unknown, and the key then tells whether the first attempt made it (§2.10). A key can be deleted and a value come
    /// again between two attempts of the others.
    fn put_if(&self, key: Bytes, target: Target, value: Bytes) -> Result<bool> {
        let repeat = match &target {
            Target::ModRevision(1..) => Repeat::Guarded,
            _ => Repeat::Never,
        };
        let mut txn = Op::txn();
        txn.compare(key.clone(), EQUAL, target)?;
        txn.then(Op::put(key.clone(), value.clone()))?;
        txn.or_else(Op::get(KeyRange::new(key)))?;
        let Request::Txn(request) = txn.request()? else {
            return Err(Error::internal("a transaction became something else"));
        };
        let before = self.core.known.seen.load(Ordering::Relaxed);
        let answer = self.run(txn.limits(self), async |limits| self.core.transact(&request, repeat, limits).await)?;
        let (Response::Txn { succeeded, responses, .. }, resent) = answer else {
            return Err(Error::internal("a transaction was answered as something else"));
        };
        if succeeded || !resent {
            return Ok(succeeded);
        }
        // An earlier attempt may have won, which is why this one did not.
        let found = match responses.first() {
            Some(Response::Get(get)) => get.kvs.first(),
            _ => None,
        };
        match found {
            Some(kv) if kv.mod_revision <= before => Ok(false),
            Some(kv) if kv.value == value => Ok(true),
            _ => self.core.counted(Err(Error {
                maybe_applied: true,
                ..Error::new(
                    super::code::ERR_AMBIGUOUS,
                    "the write may have been applied: its answer was lost, and the key has changed since",
                )
            })),
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
