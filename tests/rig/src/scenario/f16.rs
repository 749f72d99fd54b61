//! F16: certificates are replaced on disk while there is traffic, and some are no good.

use super::{Scenario, Setting};
use crate::bench::Bench;
use crate::history::Outcome;
use crate::library::{Client, Config};
use crate::load::{Caller, Mix, LIMIT};
use crate::proxy::{End, Proxy};
use crate::report::Report;
use crate::world::{Result, World};
use etcd3_certs::{write, Authority, Pair, Validity};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

pub const SCENARIO: Scenario =
    Scenario { name: "F16", title: "certificates are replaced on disk", fast: 2, full: 10, run };

/// A client's certificate that is to be replaced is good for so long.
const LIFE: Duration = Duration::from_secs(8);
/// So soon has an error to come, and of the right kind.
const SOON: Duration = Duration::from_secs(6);
const TLS: i32 = 12;

const HERE: &[&str] = &["localhost", "127.0.0.1"];

/// Where the certificates are, and who signs them.
struct Files {
    directory: tempfile::TempDir,
    /// Of the clients: the servers read it once.
    clients: Authority,
    /// Of the servers: one after the other.
    servers: Vec<Authority>,
    current: usize,
}

impl Files {
    fn new(rounds: usize) -> Result<Files> {
        let clients = Authority::new("rig clients");
        let servers = (0..=rounds).map(|_| Authority::new("rig servers")).collect();
        let files = Files { directory: tempfile::tempdir()?, clients, servers, current: 0 };
        // A server's own gateway is a client that shows the server's certificate.
        let trusted = files.servers.iter().chain([&files.clients]).map(Authority::pem).collect::<String>();
        files.write("client-ca.pem", &trusted)?;
        files.write("ca.pem", files.servers[0].pem())?;
        files.renew_server()?;
        files.renew_client(Validity::good())?;
        Ok(files)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        write(self.directory.path(), name, text)?;
        Ok(())
    }

    /// From now on clients trust the next authority too.
    fn next_authority(&mut self) -> Result<()> {
        self.current += 1;
        let both: String = self.servers[self.current - 1..=self.current].iter().map(Authority::pem).collect();
        self.write("ca.pem", &both)
    }

    fn renew_server(&self) -> Result<()> {
        let pair = self.servers[self.current].server(HERE, Validity::good());
        pair.write(self.directory.path(), "server")?;
        Ok(())
    }

    fn renew_client(&self, validity: Validity) -> Result<()> {
        self.clients.client("root", validity).write(self.directory.path(), "client")?;
        Ok(())
    }

    fn config<T: AsRef<str>>(&self, endpoints: &[T], ca: &str, pair: &str) -> Config {
        let text = |name: &str| self.path(name).display().to_string();
        let (cert, key) = (text(&format!("{pair}.pem")), text(&format!("{pair}.key")));
        Config::new(endpoints).timeout(LIMIT).tls_files(Some(&text(ca)), Some((&cert, &key)))
    }
}

fn run(setting: &Setting) -> Result<Report> {
    let mut files = Files::new(setting.rounds)?;
    let world = World::build(setting, None, |builder| {
        builder.tls(files.path("server.pem"), files.path("server.key")).client_ca(files.path("client-ca.pem"))
    })?;
    let proxies = world.cluster.members().iter().map(|member| {
        let endpoint = member.tls_endpoint().ok_or_else(|| std::io::Error::other("no TLS"))?;
        Proxy::new(endpoint, setting.seed)
    });
    let proxies = proxies.collect::<std::io::Result<Vec<Proxy>>>()?;
    let endpoints: Vec<String> = proxies.iter().map(|proxy| format!("https://{}", proxy.address())).collect();
    let open = || Ok::<_, crate::world::Trouble>(Arc::new(Client::open(files.config(&endpoints, "ca.pem", "client"))?));
    let clients = [open()?, open()?];
    let caller = |i: usize| Caller::new(format!("mixed-{i}"), &clients[i % 2], Mix::Mixed, 40, LIMIT);
    let mut bench = Bench::start(world, setting, (0..4).map(caller).collect())?;
    while bench.next_round()? {
        let ends = SystemTime::now() + LIFE;
        files.renew_client(Validity::until(ends))?;
        bench.world.note("a certificate that ends soon");
        half_written(&mut bench, &files, &proxies)?;
        files.next_authority()?;
        files.renew_client(Validity::good())?;
        // The servers' certificate is of the new authority from here on.
        files.renew_server()?;
        bench.world.note("new certificates, of a new authority");
        break_off(&bench, &proxies);
        let broken = bench.world.now();
        bench.read_and_put_recovery(broken);
        std::thread::sleep(ends.duration_since(SystemTime::now()).unwrap_or_default() + Duration::from_secs(1));
        bench.world.note("the old certificate has expired");
        break_off(&bench, &proxies);
        let broken = bench.world.now();
        bench.read_and_put_recovery(broken);
        no_good(&mut bench, &files)?;
    }
    bench.demand_none("a read or a put failed", |record| matches!(record.outcome, Outcome::Failed(_)));
    bench.demand_recoveries(None, Duration::from_secs(4));
    bench.finish()
}

/// Has everyone connect again.
fn break_off(bench: &Bench, proxies: &[Proxy]) {
    proxies.iter().for_each(|proxy| proxy.drop_all(End::Fin));
    bench.world.note("all connections are dropped");
}

/// A file is being written while connections are made: what was good before stays in use.
fn half_written(bench: &mut Bench, files: &Files, proxies: &[Proxy]) -> Result<()> {
    let names = ["ca.pem", "client.pem", "client.key"];
    let whole: Vec<String> =
        names.iter().map(|name| std::fs::read_to_string(files.path(name))).collect::<std::io::Result<_>>()?;
    for (name, text) in names.iter().zip(&whole) {
        // Within the last certificate: half a list may be a whole one of half as many.
        std::fs::write(files.path(name), &text[..text.len() * 3 / 4])?;
        bench.world.note(format!("{name} is half written"));
        break_off(bench, proxies);
        let broken = bench.world.now();
        bench.read_and_put_recovery(broken);
        std::fs::write(files.path(name), text)?;
    }
    Ok(())
}

/// Clients that cannot be, or must not be, trusted; and one that must not trust. Without a proxy: where the server
/// resets the connection, the alert that came before must get through.
fn no_good(bench: &mut Bench, files: &Files) -> Result<()> {
    let members = bench.world.cluster.members().iter();
    let endpoints: Vec<String> = members.filter_map(|m| Some(format!("https://{}", m.tls_endpoint()?))).collect();
    let endpoints = &endpoints[..];
    let directory = files.directory.path();
    let stranger = Authority::new("nobody knows it");
    write(directory, "strange-ca.pem", stranger.pem())?;
    let make = |name: &str, pair: Pair| pair.write(directory, name);
    make("expired", files.clients.client("root", Validity::expired()))?;
    make("stranger", stranger.client("root", Validity::good()))?;
    let good = files.config(endpoints, "ca.pem", "client").tls_server_name("other.example");
    let cases = [
        ("a strange authority", files.config(endpoints, "strange-ca.pem", "client"), "Issuer"),
        ("another name", good, "other.example"),
        ("an expired certificate", files.config(endpoints, "ca.pem", "expired"), ""),
        ("a strange certificate", files.config(endpoints, "ca.pem", "stranger"), ""),
    ];
    for (what, config, reason) in cases {
        let client = Client::open(config)?;
        let begun = Instant::now();
        let fault = client.get(b"k/0", 2 * SOON).err();
        let took = begun.elapsed();
        let right = fault.as_ref().is_some_and(|fault| {
            fault.code == TLS && fault.message.contains(reason) && fault.message.contains("127.0.0.1:")
        });
        bench.report.demand(right && took <= SOON, || match fault {
            Some(fault) => format!("with {what}: {fault}, after {took:.1?}"),
            None => format!("with {what} a get succeeds"),
        });
    }
    half_a_file(bench, files, endpoints, directory)
}

fn half_a_file(bench: &mut Bench, files: &Files, endpoints: &[String], directory: &Path) -> Result<()> {
    let text = std::fs::read_to_string(files.path("client.key"))?;
    write(directory, "half.key", &text[..text.len() / 2])?;
    std::fs::copy(files.path("client.pem"), files.path("half.pem"))?;
    let opened = Client::open(files.config(endpoints, "ca.pem", "half")).err();
    let right = opened.as_ref().is_some_and(|fault| fault.code == TLS && fault.message.contains("half.key"));
    bench.report.demand(right, || match opened {
        Some(fault) => format!("with half a key: {fault}"),
        None => "half a key is taken".into(),
    });
    Ok(())
}
