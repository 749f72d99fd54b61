//! Clients and how they are configured.

use super::api::{api, Handle};
use super::{call, make, Answer, Fault, Op};
use std::ffi::{CString, NulError};
use std::ptr::{null, null_mut};
use std::time::Duration;

pub(super) fn millis(time: Duration) -> i64 {
    time.as_millis() as i64
}

pub(super) fn c(text: &str) -> CString {
    let made: Result<CString, NulError> = CString::new(text);
    made.expect("no NUL in a test's text")
}

/// How to reach a cluster.
pub struct Config(Handle);

impl Config {
    pub fn new<T: AsRef<str>>(endpoints: &[T]) -> Config {
        // SAFETY: here and below the handle is ours and alive, and the strings end with NUL.
        let config = Config(unsafe { api().etcd3_config_new() });
        for endpoint in endpoints {
            unsafe { api().etcd3_config_add_endpoint(config.0, c(endpoint.as_ref()).as_ptr()) };
        }
        config
    }

    pub fn timeout(self, limit: Duration) -> Config {
        unsafe { api().etcd3_config_set_timeout(self.0, millis(limit)) };
        self
    }

    pub fn connect_timeout(self, limit: Duration) -> Config {
        unsafe { api().etcd3_config_set_connect_timeout(self.0, millis(limit)) };
        self
    }

    pub fn keepalive(self, interval: Duration, timeout: Duration) -> Config {
        unsafe { api().etcd3_config_set_keepalive(self.0, millis(interval), millis(timeout)) };
        self
    }

    pub fn hedge_after(self, limit: Duration) -> Config {
        unsafe { api().etcd3_config_set_hedge_after(self.0, millis(limit)) };
        self
    }

    pub fn credentials(self, user: &str, password: &str) -> Config {
        unsafe { api().etcd3_config_set_credentials(self.0, c(user).as_ptr(), c(password).as_ptr()) };
        self
    }

    pub fn token(self, token: &str) -> Config {
        unsafe { api().etcd3_config_set_token(self.0, c(token).as_ptr()) };
        self
    }

    pub fn tls_files(self, ca: Option<&str>, pair: Option<(&str, &str)>) -> Config {
        let (ca, cert, key) = (ca.map(c), pair.map(|pair| c(pair.0)), pair.map(|pair| c(pair.1)));
        let pointer = |text: &Option<CString>| text.as_ref().map_or(null(), |text| text.as_ptr());
        unsafe { api().etcd3_config_set_tls_files(self.0, pointer(&ca), pointer(&cert), pointer(&key)) };
        self
    }

    pub fn tls_server_name(self, name: &str) -> Config {
        unsafe { api().etcd3_config_set_tls_server_name(self.0, c(name).as_ptr()) };
        self
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        unsafe { api().etcd3_config_free(self.0) };
    }
}

/// A client, for any number of threads.
pub struct Client(pub(super) Handle);

// SAFETY: etcd3.h says "Clients, queues and watches: any thread, any time".
unsafe impl Send for Client {}
unsafe impl Sync for Client {}

impl Client {
    pub fn open(config: Config) -> Result<Client, Fault> {
        // SAFETY: here and below the handles are alive, and what is written is ours.
        make(|client, error| unsafe { api().etcd3_client_open(config.0, client, error) }).map(Client)
    }

    pub fn execute(&self, op: &Op) -> Result<Answer, Fault> {
        let result = make(|result, error| unsafe { api().etcd3_execute(self.0, op.0, result, error) })?;
        let answer = unsafe { Answer::read(result) };
        unsafe { api().etcd3_result_free(result) };
        Ok(answer)
    }

    pub fn get(&self, key: &[u8], limit: Duration) -> Result<Answer, Fault> {
        self.execute(&Op::get(key).timeout(limit))
    }

    pub fn put(&self, key: &[u8], value: &[u8], limit: Duration) -> Result<Answer, Fault> {
        self.execute(&Op::put(key, value).timeout(limit))
    }

    pub fn wait_connected(&self, limit: Duration) -> Result<(), Fault> {
        call(|error| unsafe { api().etcd3_client_wait_connected(self.0, millis(limit), error) })
    }

    pub fn set_endpoints<T: AsRef<str>>(&self, endpoints: &[T]) -> Result<(), Fault> {
        let owned: Vec<CString> = endpoints.iter().map(|endpoint| c(endpoint.as_ref())).collect();
        let pointers: Vec<_> = owned.iter().map(|endpoint| endpoint.as_ptr()).collect();
        call(|error| unsafe { api().etcd3_client_set_endpoints(self.0, pointers.as_ptr(), pointers.len(), error) })
    }

    pub fn set_credentials(&self, user: &str, password: &str) -> Result<(), Fault> {
        let (user, password) = (c(user), c(password));
        call(|error| unsafe { api().etcd3_client_set_credentials(self.0, user.as_ptr(), password.as_ptr(), error) })
    }

    pub fn set_token(&self, token: &str) -> Result<(), Fault> {
        let token = c(token);
        call(|error| unsafe { api().etcd3_client_set_token(self.0, token.as_ptr(), error) })
    }

    pub fn reload_tls(&self) -> Result<(), Fault> {
        call(|error| unsafe { api().etcd3_client_reload_tls(self.0, error) })
    }

    /// −1 if there is no such counter.
    pub fn counter(&self, name: &str) -> i64 {
        unsafe { api().etcd3_client_counter(self.0, c(name).as_ptr()) }
    }

    pub fn close(&self, limit: Duration) -> Result<(), Fault> {
        call(|error| unsafe { api().etcd3_client_close(self.0, millis(limit), error) })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        unsafe { api().etcd3_client_free(self.0) };
        self.0 = null_mut();
    }
}
