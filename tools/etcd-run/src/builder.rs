//! A server or a cluster with more than the defaults.

use crate::server::Layout;
use crate::{binary, fail, ports, Cluster, Error, Result, Server};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long servers may take to answer.
pub(crate) const READY: Duration = Duration::from_secs(60);

/// How often to try other ports.
const ATTEMPTS: usize = 5;

/// Starts a [`Server`] or a [`Cluster`].
#[derive(Debug, Clone)]
pub struct Builder {
    version: String,
    flags: Vec<String>,
    tls: bool,
    stop: Option<Arc<AtomicBool>>,
    through: Through,
}

/// Gives the address at which others find a member's peer address.
type Advertise = dyn Fn(usize, &str) -> String + Send + Sync;

#[derive(Clone, Default)]
struct Through(Option<Arc<Advertise>>);

impl std::fmt::Debug for Through {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Through(..)" } else { "Direct" })
    }
}

impl Builder {
    /// `version` as in "3.6".
    pub fn new(version: &str) -> Builder {
        Builder { version: version.into(), flags: Vec::new(), tls: false, stop: None, through: Through::default() }
    }

    /// One more argument for every etcd, as in `--max-txn-ops=10`.
    pub fn flag(mut self, flag: impl Into<String>) -> Builder {
        self.flags.push(flag.into());
        self
    }

    /// Lets the servers answer TLS as well, at another port: [`Server::tls_endpoint`].
    pub fn tls(mut self, cert: impl AsRef<Path>, key: impl AsRef<Path>) -> Builder {
        self.tls = true;
        self.flag(format!("--cert-file={}", cert.as_ref().display()))
            .flag(format!("--key-file={}", key.as_ref().display()))
    }

    /// Asks TLS clients for a certificate that this authority signed.
    pub fn client_ca(self, ca: impl AsRef<Path>) -> Builder {
        self.flag("--client-cert-auth").flag(format!("--trusted-ca-file={}", ca.as_ref().display()))
    }

    /// Gives up starting, with an error, as soon as `flag` is set.
    pub fn stop_flag(mut self, flag: Arc<AtomicBool>) -> Builder {
        self.stop = Some(flag);
        self
    }

    /// Has the members talk to each other through something of the caller's. `advertise` is called
    /// for each member before any of them starts, with its index and the address where it listens
    /// for the others, and returns the address that it tells them. If a port was taken and others
    /// are tried, it is called again.
    pub fn peers_through(mut self, advertise: impl Fn(usize, &str) -> String + Send + Sync + 'static) -> Builder {
        self.through = Through(Some(Arc::new(advertise)));
        self
    }

    /// Starts one server and waits until it answers.
    pub fn start(self) -> Result<Server> {
        let mut servers = self.start_members(1)?;
        Ok(servers.remove(0))
    }

    /// Starts a cluster of `n` members and waits until each of them answers.
    pub fn start_cluster(self, n: usize) -> Result<Cluster> {
        if n == 0 {
            return fail("a cluster has at least one member");
        }
        Ok(Cluster::of(self.start_members(n)?))
    }

    fn start_members(&self, n: usize) -> Result<Vec<Server>> {
        let mut attempt = 1;
        loop {
            let servers = self.prepare(n)?;
            match start_all(&servers, Instant::now() + READY) {
                Ok(()) => return Ok(servers),
                Err(_) if attempt < ATTEMPTS && servers.iter().any(Server::port_was_taken) => {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn prepare(&self, n: usize) -> Result<Vec<Server>> {
        let binary = binary(&self.version)?;
        let mut flags = self.flags.clone();
        if binary::knows_unsafe_no_fsync(&binary)? {
            flags.push("--unsafe-no-fsync".into());
        }
        let token = format!("etcd-run-{:016x}", ports::random());
        let port = || ports::free().map_err(|error| Error(format!("no free port: {error}")));
        // All held until all are chosen, so that none is chosen twice.
        let mut held = Vec::new();
        for _ in 0..n {
            let tls = if self.tls { Some(port()?) } else { None };
            held.push((port()?, port()?, tls));
        }
        let number = |listener: &std::net::TcpListener| listener.local_addr().unwrap().port();
        let members: Vec<Layout> = (held.iter().enumerate())
            .map(|(i, (client, peer, tls))| Layout {
                name: format!("{token}-{i}"),
                client: number(client),
                peer: number(peer),
                advertised: self.advertised(i, &format!("127.0.0.1:{}", number(peer))),
                tls: tls.as_ref().map(number),
            })
            .collect();
        drop(held);
        let cluster: Vec<String> =
            (members.iter()).map(|member| format!("{}=http://{}", member.name, member.advertised)).collect();
        flags.push(format!("--initial-cluster={}", cluster.join(",")));
        flags.push(format!("--initial-cluster-token={token}"));
        (members.into_iter()).map(|member| Server::new(&binary, member, &flags, self.stop.clone())).collect()
    }

    fn advertised(&self, member: usize, listening: &str) -> String {
        self.through.0.as_ref().map_or_else(|| listening.to_owned(), |advertise| advertise(member, listening))
    }
}

fn start_all(servers: &[Server], deadline: Instant) -> Result<()> {
    for server in servers {
        server.launch()?;
    }
    for server in servers {
        server.wait_ready_until(deadline)?;
    }
    Ok(())
}
