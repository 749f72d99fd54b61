//! One etcd server.

use crate::builder::READY;
use crate::gateway::Gateway;
use crate::log::Log;
use crate::{fail, Builder, Error, Process, Result};
use serde_json::Value;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How often a starting server is asked whether it is ready.
const INTERVAL: Duration = Duration::from_millis(20);

/// What tells one member of a cluster from the others.
pub(crate) struct Layout {
    pub name: String,
    pub client: u16,
    pub peer: u16,
    /// Where the other members find `peer`.
    pub advertised: String,
    pub tls: Option<u16>,
}

/// An etcd server of one's own. It ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    name: String,
    endpoint: String,
    tls_endpoint: Option<String>,
    binary: PathBuf,
    args: Vec<String>,
    stop: Option<Arc<AtomicBool>>,
    gateway: Gateway,
    log: Log,
    process: Mutex<Option<Arc<Process>>>,
    directory: tempfile::TempDir,
}

impl Server {
    /// Starts a server of a version such as "3.6" and waits until it answers.
    pub fn start(version: &str) -> Result<Server> {
        Builder::new(version).start()
    }

    /// For a server with more than the defaults.
    pub fn builder(version: &str) -> Builder {
        Builder::new(version)
    }

    pub(crate) fn new(
        binary: &Path,
        layout: Layout,
        flags: &[String],
        stop: Option<Arc<AtomicBool>>,
    ) -> Result<Server> {
        let directory = tempfile::Builder::new()
            .prefix("etcd-run-")
            .tempdir()
            .map_err(|error| Error(format!("no temporary directory: {error}")))?;
        let Layout { name, client, peer, advertised, tls } = layout;
        let endpoint = format!("127.0.0.1:{client}");
        let tls_endpoint = tls.map(|port| format!("127.0.0.1:{port}"));
        let mut urls = format!("http://{endpoint}");
        if let Some(endpoint) = &tls_endpoint {
            urls += &format!(",https://{endpoint}");
        }
        let mut args = vec![
            format!("--name={name}"),
            format!("--data-dir={}", directory.path().join("data").display()),
            format!("--listen-client-urls={urls}"),
            format!("--advertise-client-urls={urls}"),
            format!("--listen-peer-urls=http://127.0.0.1:{peer}"),
            format!("--initial-advertise-peer-urls=http://{advertised}"),
        ];
        args.extend_from_slice(flags);
        Ok(Server {
            gateway: Gateway::new(&name, &endpoint),
            name,
            endpoint,
            tls_endpoint,
            binary: binary.to_owned(),
            args,
            stop,
            log: Log::new(directory.path().join("etcd.log")),
            process: Mutex::new(None),
            directory,
        })
    }

    /// As in "127.0.0.1:2379".
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Where it answers TLS, if [`Builder::tls`] was asked for.
    pub fn tls_endpoint(&self) -> Option<&str> {
        self.tls_endpoint.as_deref()
    }

    /// The version that the server itself names, as in "3.6.15".
    pub fn version(&self) -> &str {
        self.gateway.version()
    }

    /// Whether the server is of this or a later version.
    pub fn is_at_least(&self, major: u32, minor: u32) -> bool {
        let mut parts = self.version().split('.').map_while(|part| part.parse().ok());
        (parts.next(), parts.next()) >= (Some(major), Some(minor))
    }

    /// Its name in the cluster.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its member id.
    pub fn id(&self) -> u64 {
        self.gateway.member_id()
    }

    /// The process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        let running = |process: &Arc<Process>| process.wait_timeout(Duration::ZERO).is_none();
        self.process().filter(running).map(|process| process.pid())
    }

    pub fn is_running(&self) -> bool {
        self.pid().is_some()
    }

    /// Its temporary directory. The data is in `data`.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// All that it has logged so far.
    pub fn log(&self) -> String {
        self.log.read()
    }

    /// Asks the JSON gateway: `post("/v3/lease/grant", json!({"TTL": 5}))`.
    pub fn post(&self, path: &str, body: Value) -> Result<Value> {
        self.gateway.post(path, &body)
    }

    /// The same, for a server that may not answer.
    pub fn post_within(&self, path: &str, body: Value, limit: Duration) -> Result<Value> {
        self.gateway.post_within(path, &body, limit)
    }

    /// What it says of itself, as in "etcd_debugging_mvcc_watcher_total".
    pub fn metric(&self, name: &str) -> Result<f64> {
        self.gateway.metric(name)
    }

    /// Asks the JSON gateway for a stream, such as `/v3/watch`, which ends after `limit`.
    pub fn stream(&self, path: &str, body: Value, limit: Duration) -> Result<impl Iterator<Item = Result<Value>>> {
        self.gateway.stream(path, &body, limit)
    }

    /// Has `post` and its like ask as this user from now on, for a server with authentication.
    pub fn log_in(&self, user: Option<(&str, &str)>) {
        self.gateway.log_in(user);
    }

    /// Kills it with SIGKILL. Its data stays for [`Server::restart`].
    pub fn kill(&self) {
        if let Some(process) = self.process() {
            process.kill();
        }
    }

    /// Ends it with SIGTERM. Its data stays for [`Server::restart`].
    pub fn stop(&self) {
        if let Some(process) = self.process() {
            process.end();
        }
    }

    /// Stops it with SIGSTOP: its connections stay, but it answers nothing.
    pub fn pause(&self) {
        if let Some(process) = self.process() {
            process.pause();
        }
    }

    /// Lets a paused server go on.
    pub fn resume(&self) {
        if let Some(process) = self.process() {
            process.resume();
        }
    }

    /// Kills it if it runs, starts it again with its data and ports, and waits until it answers.
    pub fn restart(&self) -> Result<()> {
        self.kill();
        self.launch()?;
        self.wait_ready()
    }

    /// Starts it again after a [`Server::kill`] without waiting until it answers.
    pub fn launch(&self) -> Result<()> {
        let mut process = self.process.lock().unwrap();
        if let Some(old) = process.as_ref() {
            if old.wait_timeout(Duration::ZERO).is_none() {
                return fail(format!("{} is running", self.name));
            }
        }
        let spawned = self.command().and_then(Process::spawn);
        let spawned = spawned.map_err(|error| Error(format!("{} does not start: {error}", self.binary.display())))?;
        *process = Some(Arc::new(spawned));
        Ok(())
    }

    fn command(&self) -> std::io::Result<Command> {
        let log = self.log.open()?;
        let mut command = Command::new(&self.binary);
        command
            .args(&self.args)
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // A Ctrl-C is for the one that started the server, who then ends it.
            .process_group(0);
        for (name, _) in std::env::vars_os() {
            // etcd takes them for flags.
            if name.as_encoded_bytes().starts_with(b"ETCD_") {
                command.env_remove(name);
            }
        }
        Ok(command)
    }

    /// Waits until a server that was launched answers.
    pub fn wait_ready(&self) -> Result<()> {
        self.wait_ready_until(Instant::now() + READY)
    }

    pub(crate) fn wait_ready_until(&self, deadline: Instant) -> Result<()> {
        let Some(process) = self.process() else {
            return fail(format!("{} was not launched", self.name));
        };
        loop {
            let why = match self.gateway.check() {
                Ok(()) => return Ok(()),
                Err(why) => why,
            };
            if let Some(status) = process.wait_timeout(INTERVAL) {
                return fail(format!("etcd ended with {status}{}", self.log.tail()));
            }
            if Instant::now() > deadline {
                return fail(format!("etcd is not ready: {why}{}", self.log.tail()));
            }
            if self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::SeqCst)) {
                return fail("told to stop");
            }
        }
    }

    pub(crate) fn port_was_taken(&self) -> bool {
        !self.is_running() && self.log.read().contains("address already in use")
    }

    /// Kills it without waiting until it has ended.
    pub(crate) fn signal_kill(&self) {
        if let Some(process) = self.process() {
            process.signal(libc::SIGKILL);
        }
    }

    fn process(&self) -> Option<Arc<Process>> {
        self.process.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
