//! The functions of libetcd3, found at run time.

use std::ffi::{c_char, c_int, c_void};
use std::path::PathBuf;
use std::sync::OnceLock;

/// Any object of the library's.
pub type Handle = *mut c_void;
pub type Code = i32;

#[repr(C)]
pub struct RawKv {
    pub key: *const u8,
    pub key_len: usize,
    pub value: *const u8,
    pub value_len: usize,
    pub create_revision: i64,
    pub mod_revision: i64,
    pub version: i64,
    pub lease: i64,
}

#[repr(C)]
pub struct RawChange {
    pub kind: i32,
    pub is_create: c_int,
    pub kv: *const RawKv,
    pub prev_kv: *const RawKv,
    /// Only where there is `etcd3_watch_opts_set_relist`.
    pub is_synthetic: i32,
}

pub type EventFn = unsafe extern "C" fn(Handle, *mut c_void);

/// A function that this build of the library does not have is found out when it is called, so that
/// a scenario can be written before what it tests.
macro_rules! functions {
    ($(fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $back:ty)?;)*) => {
        #[allow(non_snake_case)]
        pub struct Api {
            $($name: Option<unsafe extern "C" fn($($type),*) $(-> $back)?>,)*
        }

        impl Api {
            fn find(library: &'static libloading::Library) -> Api {
                Api {
                    // SAFETY: the types are those of etcd3.h.
                    $($name: unsafe { library.get(stringify!($name)) }.ok().map(|symbol| *symbol),)*
                }
            }

            $(
                /// # Safety
                /// That of the C function.
                #[allow(clippy::too_many_arguments)]
                pub unsafe fn $name(&self $(, $arg: $type)*) $(-> $back)? {
                    let function = self.$name.unwrap_or_else(|| panic!("this libetcd3 has no {}", stringify!($name)));
                    function($($arg),*)
                }
            )*

            /// Whether this build of the library has a function.
            pub fn has(&self, name: &str) -> bool {
                match name {
                    $(stringify!($name) => self.$name.is_some(),)*
                    _ => false,
                }
            }
        }
    };
}

functions! {
    fn etcd3_version_string() -> *const c_char;
    fn etcd3_code_name(code: Code) -> *const c_char;
    fn etcd3_error_code(error: Handle) -> Code;
    fn etcd3_error_message(error: Handle) -> *const c_char;
    fn etcd3_error_grpc_status(error: Handle) -> i32;
    fn etcd3_error_endpoint(error: Handle) -> *const c_char;
    fn etcd3_error_is_retryable(error: Handle) -> c_int;
    fn etcd3_error_maybe_applied(error: Handle) -> c_int;
    fn etcd3_error_free(error: Handle);

    fn etcd3_config_new() -> Handle;
    fn etcd3_config_add_endpoint(config: Handle, endpoint: *const c_char);
    fn etcd3_config_set_timeout(config: Handle, ms: i64);
    fn etcd3_config_set_connect_timeout(config: Handle, ms: i64);
    fn etcd3_config_set_keepalive(config: Handle, interval_ms: i64, timeout_ms: i64);
    fn etcd3_config_set_hedge_after(config: Handle, ms: i64);
    fn etcd3_config_set_credentials(config: Handle, user: *const c_char, password: *const c_char);
    fn etcd3_config_set_token(config: Handle, token: *const c_char);
    fn etcd3_config_set_tls_files(config: Handle, ca: *const c_char, cert: *const c_char, key: *const c_char);
    fn etcd3_config_set_tls_server_name(config: Handle, name: *const c_char);
    fn etcd3_config_free(config: Handle);

    fn etcd3_client_open(config: Handle, client: *mut Handle, error: *mut Handle) -> Code;
    fn etcd3_client_close(client: Handle, timeout_ms: i64, error: *mut Handle) -> Code;
    fn etcd3_client_free(client: Handle);
    fn etcd3_client_wait_connected(client: Handle, timeout_ms: i64, error: *mut Handle) -> Code;
    fn etcd3_client_set_endpoints(
        client: Handle, endpoints: *const *const c_char, count: usize, error: *mut Handle,
    ) -> Code;
    fn etcd3_client_set_credentials(
        client: Handle, user: *const c_char, password: *const c_char, error: *mut Handle,
    ) -> Code;
    fn etcd3_client_set_token(client: Handle, token: *const c_char, error: *mut Handle) -> Code;
    fn etcd3_client_reload_tls(client: Handle, error: *mut Handle) -> Code;
    fn etcd3_client_counter(client: Handle, name: *const c_char) -> i64;

    fn etcd3_op_get(key: *const u8, len: usize) -> Handle;
    fn etcd3_op_put(key: *const u8, len: usize, value: *const u8, value_len: usize) -> Handle;
    fn etcd3_op_delete(key: *const u8, len: usize) -> Handle;
    fn etcd3_op_txn() -> Handle;
    fn etcd3_op_set_prefix(op: Handle);
    fn etcd3_op_set_serializable(op: Handle);
    fn etcd3_op_set_require_leader(op: Handle);
    fn etcd3_op_set_timeout(op: Handle, ms: i64);
    fn etcd3_txn_if_mod_revision(txn: Handle, key: *const u8, len: usize, cmp: i32, revision: i64);
    fn etcd3_txn_then(txn: Handle, op: Handle);
    fn etcd3_op_free(op: Handle);
    fn etcd3_execute(client: Handle, op: Handle, result: *mut Handle, error: *mut Handle) -> Code;

    fn etcd3_result_revision(result: Handle) -> i64;
    fn etcd3_result_member_id(result: Handle) -> u64;
    fn etcd3_result_count(result: Handle) -> i64;
    fn etcd3_result_succeeded(result: Handle) -> c_int;
    fn etcd3_result_kv_count(result: Handle) -> usize;
    fn etcd3_result_kv(result: Handle, index: usize) -> *const RawKv;
    fn etcd3_result_response_count(result: Handle) -> usize;
    fn etcd3_result_response(result: Handle, index: usize) -> Handle;
    fn etcd3_result_free(result: Handle);

    fn etcd3_compact(client: Handle, revision: i64, physical: c_int, timeout_ms: i64, error: *mut Handle) -> Code;
    fn etcd3_defragment(client: Handle, endpoint: *const c_char, timeout_ms: i64, error: *mut Handle) -> Code;
    fn etcd3_alarm_list(client: Handle, member: u64, alarm: i32, alarms: *mut Handle, error: *mut Handle) -> Code;
    fn etcd3_alarm_disarm(client: Handle, member: u64, alarm: i32, alarms: *mut Handle, error: *mut Handle) -> Code;
    fn etcd3_alarms_count(alarms: Handle) -> usize;
    fn etcd3_alarms_free(alarms: Handle);
    fn etcd3_snapshot_to_file(
        client: Handle, endpoint: *const c_char, path: *const c_char, timeout_ms: i64, cancel: Handle,
        bytes: *mut i64, error: *mut Handle,
    ) -> Code;
    fn etcd3_snapshot_to_fd(
        client: Handle, endpoint: *const c_char, fd: c_int, timeout_ms: i64, cancel: Handle, bytes: *mut i64,
        error: *mut Handle,
    ) -> Code;

    fn etcd3_queue_new(queue: *mut Handle, error: *mut Handle) -> Code;
    fn etcd3_queue_next(queue: Handle, timeout_ms: i64, event: *mut Handle, error: *mut Handle) -> Code;
    fn etcd3_queue_dispatch(
        queue: Handle, max: usize, timeout_ms: i64, ran: *mut usize, error: *mut Handle,
    ) -> Code;
    fn etcd3_queue_free(queue: Handle);
    fn etcd3_event_type(event: Handle) -> i32;
    fn etcd3_event_revision(event: Handle) -> i64;
    fn etcd3_event_change_count(event: Handle) -> usize;
    fn etcd3_event_change(event: Handle, index: usize) -> *const RawChange;
    fn etcd3_event_state(event: Handle) -> i32;
    fn etcd3_event_error(event: Handle) -> Handle;
    fn etcd3_event_user_data(event: Handle) -> *mut c_void;
    fn etcd3_event_compact_revision(event: Handle) -> i64;
    fn etcd3_event_lost_reason(event: Handle) -> i32;
    fn etcd3_event_leader(event: Handle) -> *const RawKv;
    fn etcd3_event_free(event: Handle);
    fn etcd3_watch_opts_new(key: *const u8, len: usize) -> Handle;
    fn etcd3_watch_opts_set_prefix(opts: Handle);
    fn etcd3_watch_opts_set_start_revision(opts: Handle, revision: i64);
    fn etcd3_watch_opts_set_prev_kv(opts: Handle);
    fn etcd3_watch_opts_set_relist(opts: Handle);
    fn etcd3_watch_opts_set_buffer(opts: Handle, max_bytes: i64, policy: i32);
    fn etcd3_watch_opts_free(opts: Handle);
    fn etcd3_watch_start(
        client: Handle, opts: Handle, queue: Handle, callback: Option<EventFn>, user_data: *mut c_void,
        watch: *mut Handle, error: *mut Handle,
    ) -> Code;
    fn etcd3_watch_cancel(watch: Handle);
    fn etcd3_watch_join(watch: Handle, timeout_ms: i64, error: *mut Handle) -> Code;
    fn etcd3_watch_free(watch: Handle);

    fn etcd3_op_set_lease(op: Handle, lease: i64);
    fn etcd3_lease_open(
        client: Handle, ttl_s: i64, id: i64, queue: Handle, callback: Option<EventFn>, user_data: *mut c_void,
        lease: *mut Handle, error: *mut Handle,
    ) -> Code;
    fn etcd3_lease_id(lease: Handle) -> i64;
    fn etcd3_lease_is_alive(lease: Handle) -> c_int;
    fn etcd3_lease_refresh(lease: Handle, error: *mut Handle) -> Code;
    fn etcd3_lease_revoke(lease: Handle, error: *mut Handle) -> Code;
    fn etcd3_lease_free(lease: Handle);
    fn etcd3_session_open(
        client: Handle, ttl_s: i64, id: i64, queue: Handle, callback: Option<EventFn>, user_data: *mut c_void,
        session: *mut Handle, error: *mut Handle,
    ) -> Code;
    fn etcd3_session_lease_id(session: Handle) -> i64;
    fn etcd3_session_is_alive(session: Handle) -> c_int;
    fn etcd3_session_free(session: Handle);
    fn etcd3_lock_new(
        session: Handle, name: *const u8, len: usize, lock: *mut Handle, error: *mut Handle,
    ) -> Code;
    fn etcd3_lock_acquire(lock: Handle, timeout_ms: i64, error: *mut Handle) -> Code;
    fn etcd3_lock_release(lock: Handle, error: *mut Handle) -> Code;
    fn etcd3_lock_watch_loss(
        lock: Handle, queue: Handle, callback: Option<EventFn>, user_data: *mut c_void, error: *mut Handle,
    ) -> Code;
    fn etcd3_lock_token(lock: Handle) -> i64;
    fn etcd3_lock_put(
        lock: Handle, key: *const u8, len: usize, value: *const u8, value_len: usize, error: *mut Handle,
    ) -> Code;
    fn etcd3_lock_free(lock: Handle);
    fn etcd3_election_new(
        session: Handle, name: *const u8, len: usize, election: *mut Handle, error: *mut Handle,
    ) -> Code;
    fn etcd3_election_campaign(
        election: Handle, value: *const u8, len: usize, timeout_ms: i64, error: *mut Handle,
    ) -> Code;
    fn etcd3_election_proclaim(election: Handle, value: *const u8, len: usize, error: *mut Handle) -> Code;
    fn etcd3_election_resign(election: Handle, error: *mut Handle) -> Code;
    fn etcd3_election_is_leader(election: Handle) -> c_int;
    fn etcd3_election_token(election: Handle) -> i64;
    fn etcd3_election_free(election: Handle);
    fn etcd3_election_observe(
        client: Handle, name: *const u8, len: usize, queue: Handle, callback: Option<EventFn>, user_data: *mut c_void,
        observer: *mut Handle, error: *mut Handle,
    ) -> Code;
    fn etcd3_observer_free(observer: Handle);
}

/// Where the library is: in `ETCD3_LIBDIR`, or where cargo puts its release build.
pub fn path() -> PathBuf {
    let directory = std::env::var_os("ETCD3_LIBDIR").map_or_else(
        || {
            let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
            target.unwrap_or_else(|| crate::repository().join("target")).join("release")
        },
        PathBuf::from,
    );
    directory.join("libetcd3.so")
}

/// The library. It is never unloaded: it has threads of its own.
pub fn api() -> &'static Api {
    static API: OnceLock<Api> = OnceLock::new();
    API.get_or_init(|| {
        let path = path();
        // SAFETY: loading libetcd3 runs nothing.
        let library = unsafe { libloading::Library::new(&path) };
        let library = library.unwrap_or_else(|error| panic!("{}: {error} (run make first)", path.display()));
        Api::find(Box::leak(Box::new(library)))
    })
}
