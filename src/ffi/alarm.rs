//! Alarms keep a cluster from taking writes until they are disarmed: NOSPACE that grow it, CORRUPT all. After NOSPACE,
//! compact and defragment first.

use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::guard::{self, Out};
use super::handle::{self, opaque};
use super::header::{self, etcd3_header_t, Headed};
use crate::core::code::Code;
use crate::core::error::Result;
use crate::core::maintenance::Alarm;
use crate::core::response;

/// A list of alarms. It never changes and may be read by many threads.
pub struct etcd3_alarms_t {
    _private: [u8; 0],
}

opaque!(etcd3_alarms_t = Headed<Vec<Alarm>>);

/// Any kind, where alarms are chosen.
pub const ETCD3_ALARM_NONE: i32 = 0;
/// A member's space quota is used up.
pub const ETCD3_ALARM_NOSPACE: i32 = 1;
/// A member's data differ from the others'.
pub const ETCD3_ALARM_CORRUPT: i32 = 2;

unsafe fn give(out: *mut *mut etcd3_alarms_t, alarms: response::Headed<Vec<Alarm>>) -> Result<()> {
    match out.is_null() {
        true => Ok(()),
        false => Out::new(out, "alarms")?.give(handle::give(Headed::new(alarms, |alarms| alarms))),
    }
}

/// Lists the alarms of a member, or of all with a `member_id` of 0, that are of the kind `alarm`, or of any with
/// ETCD3_ALARM_NONE. They come through `alarms`; free with etcd3_alarms_free. RPC: Maintenance.Alarm. Errors: those of
/// etcd3_get.
#[no_mangle]
pub unsafe extern "C" fn etcd3_alarm_list(
    client: *const etcd3_client_t,
    member_id: u64,
    alarm: i32,
    alarms: *mut *mut etcd3_alarms_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let client = handle::get(client, "client")?;
        Out::new(alarms, "alarms")?;
        give(alarms, client.alarm_list(member_id, alarm)?)
    })
}

/// Raises an alarm of the kind `alarm` for a member, or for every member with a `member_id` of 0. `alarms` is all alarms
/// then, free with etcd3_alarms_free; it may be NULL. RPC: Maintenance.Alarm. Errors: those of etcd3_put.
#[no_mangle]
pub unsafe extern "C" fn etcd3_alarm_raise(
    client: *const etcd3_client_t,
    member_id: u64,
    alarm: i32,
    alarms: *mut *mut etcd3_alarms_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || give(alarms, handle::get(client, "client")?.alarm_raise(member_id, alarm)?))
}

/// Disarms the alarms of a member, or of all with a `member_id` of 0, that are of the kind `alarm`, or of any with
/// ETCD3_ALARM_NONE: lists them, then disarms each. `alarms` is those that were, free with etcd3_alarms_free; it may be
/// NULL. That there are none is no error. RPC: Maintenance.Alarm. Errors: those of etcd3_put.
#[no_mangle]
pub unsafe extern "C" fn etcd3_alarm_disarm(
    client: *const etcd3_client_t,
    member_id: u64,
    alarm: i32,
    alarms: *mut *mut etcd3_alarms_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || give(alarms, handle::get(client, "client")?.alarm_disarm(member_id, alarm)?))
}

/// The header of the last answer to the call; NULL for NULL. Borrowed from `alarms`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_alarms_header(alarms: *const etcd3_alarms_t) -> *const etcd3_header_t {
    header::header(alarms)
}

/// How many alarms there are.
#[no_mangle]
pub unsafe extern "C" fn etcd3_alarms_count(alarms: *const etcd3_alarms_t) -> usize {
    guard::quiet(0, || handle::peek(alarms).map_or(0, |alarms| alarms.len()))
}

/// The id of the member that the alarm at `index`, from 0, is of; 0 past the end.
#[no_mangle]
pub unsafe extern "C" fn etcd3_alarms_member_id(alarms: *const etcd3_alarms_t, index: usize) -> u64 {
    guard::quiet(0, || handle::peek(alarms).and_then(|alarms| alarms.get(index)).map_or(0, |alarm| alarm.member))
}

/// The kind of the alarm at `index`, an ETCD3_ALARM_*; ETCD3_ALARM_NONE past the end.
#[no_mangle]
pub unsafe extern "C" fn etcd3_alarms_kind(alarms: *const etcd3_alarms_t, index: usize) -> i32 {
    guard::quiet(0, || handle::peek(alarms).and_then(|alarms| alarms.get(index)).map_or(0, |alarm| alarm.kind))
}

/// Frees a list of alarms.
#[no_mangle]
pub unsafe extern "C" fn etcd3_alarms_free(alarms: *mut etcd3_alarms_t) {
    guard::quiet((), || drop(handle::take(alarms)))
}
