//! The endpoints that a domain's service records name: `_etcd-client-ssl._tcp` and `_etcd-client._tcp`.
//!
//! The library asks the name servers itself: the C library's resolver knows no time limit of a call's, and no server
//! but the system's.

mod dns;

use super::code;
use super::endpoint::Endpoint;
use super::error::{Error, Result};
use dns::{Answer, Service};
use std::io::{Error as IoError, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

const ROUNDS: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const DNS_PORT: u16 = 53;

#[derive(Default)]
pub struct Discovery {
    pub domain: String,
    /// What follows "etcd-client" in the service's name.
    pub service: Option<String>,
    /// `None`: the system's.
    pub resolver: Option<SocketAddr>,
    /// Leave out what is without TLS.
    pub secure_only: bool,
}

/// "address" or "address:port" of a name server.
pub fn resolver(text: &str) -> Result<SocketAddr> {
    let address = text.parse().or_else(|_| text.parse().map(|ip: IpAddr| SocketAddr::new(ip, DNS_PORT)));
    address.map_err(|_| Error::argument("resolver", format!("{text:?} is no IP address, with or without a port")))
}

impl Discovery {
    /// The endpoints, by priority. Those with TLS are found alone if there are any, unless `mixed`: what is meant to be
    /// protected must not go out in the clear because a record says so, nor because a lookup failed.
    pub fn find(&self, limit: Duration, mixed: bool) -> Result<Vec<Endpoint>> {
        self.check()?;
        let servers = self.resolver.map_or_else(system_servers, |server| vec![server]);
        let deadline = Instant::now() + limit;
        let mut endpoints = self.ask("-ssl", "https", &servers, Instant::now() + limit / 2)?;
        if !self.secure_only && (mixed || endpoints.is_empty()) {
            endpoints.extend(self.ask("", "http", &servers, deadline)?);
        }
        match endpoints.is_empty() {
            false => Ok(endpoints),
            true => {
                let names =
                    if self.secure_only { self.name("-ssl") } else { self.name("-ssl") + " and " + &self.name("") };
                let text = format!("domain: there are no service records {names}");
                Err(Error::new(code::ERR_UNAVAILABLE, text))
            }
        }
    }

    fn check(&self) -> Result<()> {
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if self.name("-ssl").len() > 253 || !self.domain.trim_end_matches('.').split('.').all(label) {
            return Err(Error::argument("domain", format!("{:?} is no domain name", self.domain)));
        }
        match self.service.as_deref() {
            Some(service) if service.is_empty() || !label(&format!("_etcd-client-ssl-{service}")) => {
                Err(Error::argument("service_name", format!("{service:?} is no part of a service's name")))
            }
            _ => Ok(()),
        }
    }

    fn name(&self, ssl: &str) -> String {
        let service = self.service.iter().map(|service| format!("-{service}")).collect::<String>();
        format!("_etcd-client{ssl}{service}._tcp.{}", self.domain.trim_end_matches('.'))
    }

    fn ask(&self, ssl: &str, scheme: &str, servers: &[SocketAddr], deadline: Instant) -> Result<Vec<Endpoint>> {
        let name = self.name(ssl);
        let mut services = lookup(&name, servers, deadline)
            .map_err(|(code, why)| Error::new(code, format!("domain: the lookup of {name} failed: {why}")))?;
        services.sort_by_key(|service| (service.priority, std::cmp::Reverse(service.weight)));
        // A lone dot says that there is no such service.
        let offered = services.iter().filter(|service| !service.target.is_empty() && service.port != 0);
        let endpoint = |Service { target, port, .. }: &Service| {
            Endpoint::parse(&format!("{scheme}://{target}:{port}")).map_err(|error| {
                Error::new(code::ERR_UNAVAILABLE, format!("domain: a record of {name} leads nowhere: {error}"))
            })
        };
        offered.map(endpoint).collect()
    }
}

fn lookup(
    name: &str,
    servers: &[SocketAddr],
    deadline: Instant,
) -> std::result::Result<Vec<Service>, (code::Code, String)> {
    let question = dns::question(name);
    let mut trouble = (code::ERR_TIMEOUT, "the time limit is over".to_owned());
    for round in 0..ROUNDS {
        for server in servers {
            let until = deadline.min(Instant::now() + FIRST_WAIT * 2u32.pow(round));
            if Instant::now() >= deadline {
                return Err(trouble);
            }
            trouble = match ask_one(server, &question, until) {
                Ok(Answer::Records(services)) => return Ok(services),
                Ok(Answer::Failed(why)) => (code::ERR_UNAVAILABLE, format!("{server}: {why}")),
                Ok(Answer::Truncated) => (code::ERR_UNAVAILABLE, format!("{server}: it cuts its answer short")),
                Err(error) if is_late(&error) => (code::ERR_TIMEOUT, format!("{server}: no answer")),
                Err(error) => (code::ERR_UNAVAILABLE, format!("{server}: {error}")),
            };
        }
    }
    Err(trouble)
}

fn is_late(error: &IoError) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn left(until: Instant) -> std::io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        Err(ErrorKind::TimedOut.into())
    } else {
        Ok(left)
    }
}

fn ask_one(server: &SocketAddr, question: &[u8], until: Instant) -> std::io::Result<Answer> {
    let id = dns::random_id();
    let query = dns::query(id, question);
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    // So that nobody else's answers arrive.
    socket.connect(server)?;
    socket.send(&query)?;
    let mut buffer = [0; 4096];
    loop {
        socket.set_read_timeout(Some(left(until)?))?;
        let length = match socket.recv(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other?,
        };
        match dns::read(&buffer[..length], id, question) {
            None => continue,
            Some(Answer::Truncated) => return ask_by_stream(server, id, question, until),
            Some(answer) => return Ok(answer),
        }
    }
}

fn ask_by_stream(server: &SocketAddr, id: u16, question: &[u8], until: Instant) -> std::io::Result<Answer> {
    let query = dns::query(id, question);
    let mut stream = TcpStream::connect_timeout(server, left(until)?)?;
    stream.set_write_timeout(Some(left(until)?))?;
    stream.write_all(&[&(query.len() as u16).to_be_bytes()[..], &query].concat())?;
    let mut read = |length: usize| {
        let (mut bytes, mut got) = (vec![0; length], 0);
        while got < length {
            stream.set_read_timeout(Some(left(until)?))?;
            match stream.read(&mut bytes[got..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(more) => got += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(bytes)
    };
    let length = read(2)?;
    let message = read(u16::from_be_bytes([length[0], length[1]]) as usize)?;
    dns::read(&message, id, question).ok_or_else(|| IoError::other("it answers something else"))
}

fn system_servers() -> Vec<SocketAddr> {
    parse_servers(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default())
}

/// As resolv.conf(5): without any, the one on this machine.
fn parse_servers(text: &str) -> Vec<SocketAddr> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("nameserver"));
    let servers = lines.filter_map(|rest| rest.split_whitespace().next()?.parse().ok());
    let servers: Vec<_> = servers.map(|ip: IpAddr| SocketAddr::new(ip, DNS_PORT)).collect();
    if servers.is_empty() {
        vec![(Ipv4Addr::LOCALHOST, DNS_PORT).into()]
    } else {
        servers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolvers() {
        assert_eq!(resolver("127.0.0.1").unwrap().to_string(), "127.0.0.1:53");
        assert_eq!(resolver("127.0.0.1:8600").unwrap().to_string(), "127.0.0.1:8600");
        assert_eq!(resolver("[::1]:53").unwrap().to_string(), "[::1]:53");
        for text in ["", "localhost", "127.0.0.1:", "127.0.0.1:x", "::1:x"] {
            assert!(resolver(text).is_err(), "{text}");
        }
        let servers =
            parse_servers("# nameserver 9.9.9.9\nsearch a\nnameserver 1.2.3.4\nnameserver\tfe80::1\nnameserver x\n");
        assert_eq!(servers.iter().map(SocketAddr::to_string).collect::<Vec<_>>(), ["1.2.3.4:53", "[fe80::1]:53"]);
        assert_eq!(parse_servers("")[0].to_string(), "127.0.0.1:53");
    }

    #[test]
    fn names() {
        let of = |domain: &str, service: Option<&str>| Discovery {
            domain: domain.into(),
            service: service.map(str::to_owned),
            ..Discovery::default()
        };
        assert_eq!(of("a.test.", Some("blue")).name("-ssl"), "_etcd-client-ssl-blue._tcp.a.test");
        assert!(of("a.test", None).check().is_ok());
        for domain in ["", ".", "a..b", "a b", "caf\u{e9}", &"a".repeat(64), &"a.".repeat(130)] {
            assert!(of(domain, None).check().is_err_and(|error| error.message.starts_with("domain: ")), "{domain}");
        }
        for service in ["", "a.b", "a b", &"a".repeat(60)] {
            let wrong = of("a.test", Some(service)).check();
            assert!(wrong.is_err_and(|error| error.message.starts_with("service_name: ")), "{service}");
        }
    }
}
