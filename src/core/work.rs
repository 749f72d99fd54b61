//! Queues of work in the store: whoever takes an item has it alone. The keys are those of clientv3's recipes.

use super::client::Client;
use super::code;
use super::error::{Error, Result};
use super::line::{if_created, ASCENDING, DESCENDING, EQUAL, LESS};
use super::lock::check_name;
use super::op::{Op, Target};
use super::proto::etcdserverpb::RangeResponse;
use super::proto::mvccpb::KeyValue;
use super::range::KeyRange;
use super::response::Response;
use super::transport::{Limits, Repeat};
use bytes::Bytes;
use std::time::{Duration, SystemTime};

const BY_KEY: i32 = 0;
const BY_MODIFICATION: i32 = 3;

/// Which item is next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The one that was put first: `<name>/<time>`.
    Age,
    /// The one with the lowest priority number, and of these the one that was put first: `<name>/<priority>/<number>`.
    Priority,
}

fn path(name: &[u8], rest: String) -> Bytes {
    [name, rest.as_bytes()].concat().into()
}

impl Client {
    pub fn enqueue(&self, name: &[u8], value: Bytes) -> Result<()> {
        check_name(name)?;
        self.run(self.limits(None), async |limits| {
            loop {
                let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                let key = path(name, format!("/{}", now.as_nanos()));
                let mut txn = if_created(&key, EQUAL, 0)?;
                txn.then(Op::put(key, value.clone()))?;
                // Another may have been put in the same nanosecond.
                if self.once(&txn, Repeat::Never, limits).await?.succeeded {
                    return Ok(());
                }
            }
        })
    }

    pub fn enqueue_with_priority(&self, name: &[u8], priority: i32, value: Bytes) -> Result<()> {
        check_name(name)?;
        if !(0..=0xffff).contains(&priority) {
            return Err(Error::argument("priority", format!("must be 0 to 65535, got {priority}")));
        }
        let class = path(name, format!("/{priority:05}"));
        self.run(self.limits(None), async |limits| {
            loop {
                let mut last = Op::get(KeyRange::prefix(path(&class, "/".into())));
                last.set_sort(BY_KEY, DESCENDING)?;
                last.set_limit(1)?;
                last.set_keys_only()?;
                let answer = self.persist(&last, limits).await?;
                let number = answer.found(0).map_or(Ok(0), |kv| number_of(&kv.key).map(|number| number + 1))?;
                // Whoever gives out a number puts this key; so a number is given out once.
                let base: Bytes = [b"__", &class[..]].concat().into();
                let mut txn = Op::txn();
                txn.compare(base.clone(), LESS, Target::ModRevision(answer.revision + 1))?;
                txn.then(Op::put(base, Bytes::new()))?;
                txn.then(Op::put(path(&class, format!("/{number:016}")), value.clone()))?;
                if self.once(&txn, Repeat::Never, limits).await?.succeeded {
                    return Ok(());
                }
            }
        })
    }

    /// Takes the next item, waiting for one; its key-value as the answer to a get.
    pub fn dequeue(&self, name: &[u8], order: Order, timeout: Option<Duration>) -> Result<Response> {
        check_name(name)?;
        let all = KeyRange::prefix(path(name, "/".into()));
        self.run(self.limits_or_none(timeout), async |limits| self.take_next(&all, order, limits).await)
    }

    async fn take_next(&self, all: &KeyRange, order: Order, limits: &Limits) -> Result<Response> {
        let mut first = Op::get(all.clone());
        first.set_sort(if order == Order::Age { BY_MODIFICATION } else { BY_KEY }, ASCENDING)?;
        first.set_limit(1)?;
        loop {
            let answer = self.persist(&first, limits).await?;
            let Some(kv) = answer.found(0).cloned() else {
                limits.bound(self.until_put(all, answer.revision + 1, limits)).await?;
                continue;
            };
            if self.take_item(&kv, limits).await? {
                return Ok(Response::Get(RangeResponse { count: 1, kvs: vec![kv], ..Default::default() }));
            }
        }
    }

    /// Whether it was this call that took the item.
    async fn take_item(&self, kv: &KeyValue, limits: &Limits) -> Result<bool> {
        let mut txn = Op::txn();
        txn.compare(kv.key.clone(), EQUAL, Target::ModRevision(kv.mod_revision))?;
        txn.then(Op::delete(KeyRange::new(kv.key.clone())))?;
        let key = String::from_utf8_lossy(&kv.key);
        let why = |what: &str| format!("the item {key} may have been taken by this call: {what}");
        match self.once(&txn, Repeat::Guarded, limits).await {
            Ok(answer) if answer.resent && !answer.succeeded => {
                Err(Error { maybe_applied: true, ..Error::new(code::ERR_AMBIGUOUS, why("an answer was lost")) })
            }
            Ok(answer) => Ok(answer.succeeded),
            Err(error) if error.maybe_applied => Err(Error { message: why(&error.message), ..error }),
            Err(error) => Err(error),
        }
    }
}

/// The number at the end of an item's key.
fn number_of(key: &[u8]) -> Result<u64> {
    let last = key.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let number = std::str::from_utf8(last).ok().and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| {
        let key = String::from_utf8_lossy(key);
        Error::argument("name", format!("the key {key} is no item of a queue with priorities"))
    })
}
