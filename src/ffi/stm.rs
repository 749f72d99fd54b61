//! Software transactional memory: a function of yours reads and writes keys; what it wrote is committed in one transaction, if
//! what it read is still so, or else the function runs again. So it must have no effect but through these calls.

use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::guard::{self, Out};
use super::handle::{self, opaque};
use super::input::{self, bytes};
use crate::core::code::Code;
use crate::core::error::{Error, Result};
use crate::core::stm::{Decision, Isolation, Options, Stm};
use bytes::Bytes;
use std::ffi::c_void;

/// One attempt; lives until the function returns.
pub struct etcd3_stm_t {
    _private: [u8; 0],
}

/// The attempt, and the values that were handed out of it.
pub struct StmObject<'a, 'b> {
    stm: &'a mut Stm<'b>,
    values: Vec<Bytes>,
}

opaque!(etcd3_stm_t = StmObject<'static, 'static>);

/// Reads are of one revision, and neither what was read nor what is written has changed since then.
pub const ETCD3_STM_SERIALIZABLE_SNAPSHOT: i32 = 0;
/// Reads are of one revision, and nothing of what was read has changed since then.
pub const ETCD3_STM_SERIALIZABLE: i32 = 1;
/// Each key reads the same each time, and nothing of what was read has changed since.
pub const ETCD3_STM_REPEATABLE_READS: i32 = 2;
/// Each key reads the same each time; nothing is checked at the commit.
pub const ETCD3_STM_READ_COMMITTED: i32 = 3;

/// Returned by the function to have its writes committed.
pub const ETCD3_STM_COMMIT: i32 = 0;
/// Returned by the function to end it all, with nothing written.
pub const ETCD3_STM_ABORT: i32 = 1;

/// Reads and writes through `stm` and returns ETCD3_STM_COMMIT or ETCD3_STM_ABORT. Runs on the thread of etcd3_stm_run, once
/// for each attempt; it may call any function of this library, and must return.
pub type etcd3_stm_fn = Option<unsafe extern "C" fn(stm: *mut etcd3_stm_t, user_data: *mut c_void) -> i32>;

/// Runs `fn` with `user_data`, up to `max_attempts` times (0: 100), until what it did is committed: `*revision` is that
/// commit's; `revision` may be NULL. `isolation` is one of ETCD3_STM_…; all of it takes up to `timeout_ms` (above 0; 0: the
/// client's limit), the function's own time included. RPC: KV.Range, KV.Txn.
/// Errors: ETCD3_ERR_CONFLICT (others were faster each time), ETCD3_ERR_ABORTED (the function asked for it),
/// ETCD3_ERR_AMBIGUOUS (the commit's outcome is unknown; it was sent once), ETCD3_ERR_INVALID_ARGUMENT, and those of
/// etcd3_execute.
#[no_mangle]
pub unsafe extern "C" fn etcd3_stm_run(
    client: *const etcd3_client_t,
    isolation: i32,
    max_attempts: i32,
    timeout_ms: i64,
    r#fn: etcd3_stm_fn,
    user_data: *mut c_void,
    revision: *mut i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let client = handle::get(client, "client")?;
        let options = options(isolation, max_attempts, timeout_ms)?;
        let function = r#fn.ok_or_else(|| Error::argument("fn", "must not be NULL"))?;
        let mut unknown = None;
        let done = client.stm(&options, |stm| {
            let mut object = StmObject { stm, values: Vec::new() };
            match function((&raw mut object).cast(), user_data) {
                ETCD3_STM_COMMIT => Decision::Commit,
                other => {
                    unknown = (other != ETCD3_STM_ABORT).then_some(other);
                    Decision::Abort
                }
            }
        });
        match unknown {
            Some(other) => Err(Error::argument("fn", format!("it returned {other}, which is no decision"))),
            None => Out::optional(revision).give(done?),
        }
    })
}

fn options(isolation: i32, max_attempts: i32, timeout_ms: i64) -> Result<Options> {
    Ok(Options {
        isolation: match isolation {
            ETCD3_STM_SERIALIZABLE_SNAPSHOT => Isolation::SerializableSnapshot,
            ETCD3_STM_SERIALIZABLE => Isolation::Serializable,
            ETCD3_STM_REPEATABLE_READS => Isolation::RepeatableReads,
            ETCD3_STM_READ_COMMITTED => Isolation::ReadCommitted,
            other => return Err(Error::argument("isolation", format!("{other} is no isolation level"))),
        },
        max_attempts: match max_attempts {
            0 => 100,
            1.. => max_attempts.unsigned_abs(),
            _ => return Err(Error::argument("max_attempts", format!("must not be negative, got {max_attempts}"))),
        },
        timeout: match timeout_ms {
            0 => None,
            _ => Some(input::timeout(timeout_ms, "timeout_ms")?),
        },
    })
}

unsafe fn object<'a>(stm: *mut etcd3_stm_t) -> Result<&'a mut StmObject<'static, 'static>> {
    handle::peek_mut(stm).ok_or_else(|| Error::argument("stm", "must not be NULL"))
}

/// Reads a key. `*value` is its value, `*value_len` bytes, borrowed until the function returns; NULL if there is no such key.
/// What was written in this attempt reads as written. After an error, other than of an argument, the attempt is lost: return.
/// RPC: KV.Range. Errors: those of etcd3_get.
#[no_mangle]
pub unsafe extern "C" fn etcd3_stm_get(
    stm: *mut etcd3_stm_t,
    key: *const c_void,
    key_len: usize,
    value: *mut *const u8,
    value_len: *mut usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (object, key) = (object(stm)?, bytes(key, key_len, "key")?);
        let (value, value_len) = (Out::new(value, "value")?, Out::new(value_len, "value_len")?);
        match object.stm.get(key)? {
            None => {
                value.give(std::ptr::null())?;
                value_len.give(0)
            }
            Some(found) => {
                value.give(found.as_ptr())?;
                value_len.give(found.len())?;
                object.values.push(found);
                Ok(())
            }
        }
    })
}

/// Reads at which revision a key was last put, leaving out this attempt's writes; 0 if there is no such key. RPC: KV.Range.
/// Errors: those of etcd3_get.
#[no_mangle]
pub unsafe extern "C" fn etcd3_stm_mod_revision(
    stm: *mut etcd3_stm_t,
    key: *const c_void,
    key_len: usize,
    revision: *mut i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (object, key) = (object(stm)?, bytes(key, key_len, "key")?);
        let out = Out::new(revision, "revision")?;
        out.give(object.stm.revision(key)?)
    })
}

/// Puts a value to a key when the transaction is committed. Errors: ETCD3_ERR_INVALID_ARGUMENT.
#[no_mangle]
pub unsafe extern "C" fn etcd3_stm_put(
    stm: *mut etcd3_stm_t,
    key: *const c_void,
    key_len: usize,
    value: *const c_void,
    value_len: usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || object(stm)?.stm.put(bytes(key, key_len, "key")?, bytes(value, value_len, "value")?))
}

/// Deletes a key when the transaction is committed. Errors: ETCD3_ERR_INVALID_ARGUMENT.
#[no_mangle]
pub unsafe extern "C" fn etcd3_stm_delete(
    stm: *mut etcd3_stm_t,
    key: *const c_void,
    key_len: usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || object(stm)?.stm.delete(bytes(key, key_len, "key")?))
}
