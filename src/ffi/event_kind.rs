//! What arrives in a queue. In a callback the event is borrowed until the callback returns.

/// Watched keys changed: see etcd3_event_change. One event is one whole response of the server; the changes of one
/// revision are never split.
pub const ETCD3_EVENT_WATCH: i32 = 1;
/// Every change up to and including etcd3_event_revision was delivered; see etcd3_watch_opts_set_progress_notify.
pub const ETCD3_EVENT_PROGRESS: i32 = 2;
/// A watch went live, lost its connection or went on; or the client's connections came or went: see etcd3_event_state.
pub const ETCD3_EVENT_STATE: i32 = 3;
/// The end, exactly once and always last; see etcd3_event_error for why. Free what user_data points to.
pub const ETCD3_EVENT_CLOSED: i32 = 4;
/// A call that does not block has ended: see etcd3_event_result, or etcd3_event_error. Its only event, and the last.
pub const ETCD3_EVENT_DONE: i32 = 5;
/// A lease, or what hangs on one, is lost: see etcd3_event_lost_reason. Comes once; ETCD3_EVENT_CLOSED follows.
pub const ETCD3_EVENT_LOST: i32 = 6;
/// An observed election has this leader, or none: see etcd3_event_leader.
pub const ETCD3_EVENT_LEADER: i32 = 7;
/// A lock is held, or an election won: etcd3_event_revision is the fencing token.
pub const ETCD3_EVENT_ACQUIRED: i32 = 8;
/// A lease was renewed, for whoever asked to be told of it: see etcd3_event_ttl and etcd3_lease_tell_renewals.
pub const ETCD3_EVENT_RENEWED: i32 = 9;
/// A piece of a snapshot: see etcd3_event_data.
pub const ETCD3_EVENT_DATA: i32 = 10;
/// Long work has come further: see etcd3_event_notice, etcd3_event_done and etcd3_event_total.
pub const ETCD3_EVENT_NOTICE: i32 = 11;

/// No renewal was answered in time: the server may delete the lease and its keys from now on.
pub const ETCD3_LOST_EXPIRED: i32 = 1;
/// The server does not know the lease any more: it expired there, or somebody else revoked it.
pub const ETCD3_LOST_GONE: i32 = 2;
/// This client revoked the lease.
pub const ETCD3_LOST_REVOKED: i32 = 3;
/// The user may not renew the lease.
pub const ETCD3_LOST_PERMISSION: i32 = 4;
/// The client or the queue was ended, or the session closed, and nobody keeps the lease alive any more.
pub const ETCD3_LOST_CLOSED: i32 = 5;
/// The key of the lock or of the leadership was deleted, by somebody or with its lease.
pub const ETCD3_LOST_DELETED: i32 = 6;

/// The server has taken the watch on.
pub const ETCD3_STATE_LIVE: i32 = 1;
/// The connection was lost, or of a client the last one; it goes on by itself when there is one again. See
/// etcd3_event_error for why.
pub const ETCD3_STATE_DISCONNECTED: i32 = 2;
/// The server has taken the watch on again, after etcd3_event_revision. Nothing was missed; if history does not go back so
/// far any more, the server says so next.
pub const ETCD3_STATE_RESUMED: i32 = 3;
/// The client has a connection; see etcd3_config_set_events.
pub const ETCD3_STATE_CONNECTED: i32 = 4;
/// A re-list watch has read its range anew, at etcd3_event_revision; the WATCH events up to the next STATE say what is
/// otherwise than it was told before, and their changes are marked is_synthetic.
pub const ETCD3_STATE_RELISTED: i32 = 5;
/// Too many events wait to be taken. The server was asked to stop; when half of them are taken the watch goes on after
/// etcd3_event_revision, and nothing is missed.
pub const ETCD3_STATE_PARKED: i32 = 6;
/// A mirror begins from scratch: empty the copy. The WATCH events up to ETCD3_STATE_COPIED bring all that is there at
/// etcd3_event_revision. etcd3_event_error is NULL the first time, and then ETCD3_ERR_COMPACTED: what came after the last
/// event is lost.
pub const ETCD3_STATE_COPYING: i32 = 7;
/// The copy is whole, and what the store was at etcd3_event_revision; every change made after it follows.
pub const ETCD3_STATE_COPIED: i32 = 8;

/// A key was put.
pub const ETCD3_CHANGE_PUT: i32 = 0;
/// A key was deleted, by a call or since its lease ended.
pub const ETCD3_CHANGE_DELETE: i32 = 1;
