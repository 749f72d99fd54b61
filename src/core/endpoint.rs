//! Endpoints as users write them: `host:port`, URLs, IPv6 literals in brackets, unix sockets (§1.1).

use super::error::{Error, Result};
use std::path::PathBuf;

const DEFAULT_PORT: u16 = 2379;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub security: Security,
    pub address: Address,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS if there is any configuration of it.
    AsConfigured,
    Plain,
    Tls,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

impl Endpoint {
    pub fn parse(text: &str) -> Result<Self> {
        // Before an @ some write a password.
        let shown = text.rfind('@').map_or(text, |at| &text[at..]);
        let wrong = |why: &str| Error::argument("endpoint", format!("{shown:?} {why}"));
        if let Some((scheme @ ("unix" | "unixs"), rest)) = text.split_once(':') {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            let security = if scheme == "unix" { Security::AsConfigured } else { Security::Tls };
            return match path.is_empty() || path.contains('\0') {
                true => Err(wrong("has no path")),
                false => Ok(Endpoint { security, address: Address::Unix(path.into()) }),
            };
        }
        let (security, authority) = match text.split_once("://") {
            None => (Security::AsConfigured, text),
            Some(("http", rest)) => (Security::Plain, rest.strip_suffix('/').unwrap_or(rest)),
            Some(("https", rest)) => (Security::Tls, rest.strip_suffix('/').unwrap_or(rest)),
            Some(_) => return Err(wrong("has an unknown scheme; use host:port, http, https, unix or unixs")),
        };
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or_else(|| wrong("has no closing bracket"))?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| wrong("has no IPv6 address in its brackets"))?;
                match after.strip_prefix(':') {
                    Some(port) => (host, Some(port)),
                    None if after.is_empty() => (host, None),
                    None => return Err(wrong("has more than a port after its brackets")),
                }
            }
            None => match authority.split_once(':') {
                Some((_, port)) if port.contains(':') => {
                    return Err(wrong("has more than one colon; put an IPv6 address in brackets"))
                }
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        if host.is_empty() {
            return Err(wrong("has no host"));
        }
        if !host.chars().all(|c| c.is_ascii_alphanumeric() || "-._:".contains(c)) {
            return Err(wrong("has a host with characters that no host name has"));
        }
        let port = match port {
            None => DEFAULT_PORT,
            Some(port) => match port.parse() {
                Ok(number @ 1..) if port.bytes().all(|b| b.is_ascii_digit()) => number,
                _ => return Err(wrong("has a port that is not 1 to 65535")),
            },
        };
        Ok(Endpoint { security, address: Address::Tcp { host: host.to_owned(), port } })
    }

    pub fn uses_tls(&self, configured: bool) -> bool {
        match self.security {
            Security::AsConfigured => configured,
            Security::Plain => false,
            Security::Tls => true,
        }
    }

    /// What the certificate of the server is to be for.
    pub fn server_name(&self) -> String {
        match &self.address {
            Address::Tcp { host, .. } => host.clone(),
            Address::Unix(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        }
    }

    /// With the scheme, where one was given: wherever it is parsed it is the same endpoint.
    pub fn url(&self) -> String {
        match (self.security, &self.address) {
            (Security::AsConfigured, _) => self.to_string(),
            (Security::Plain, _) => format!("http://{self}"),
            (Security::Tls, Address::Tcp { .. }) => format!("https://{self}"),
            (Security::Tls, Address::Unix(path)) => format!("unixs:{}", path.display()),
        }
    }

    /// The `:authority` of requests.
    pub fn authority(&self) -> String {
        match &self.address {
            Address::Tcp { .. } => self.to_string(),
            Address::Unix(_) => "localhost".to_owned(),
        }
    }
}

/// What error messages name: without the scheme.
impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.address {
            Address::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Address::Tcp { host, port } => write!(f, "{host}:{port}"),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Refuses a list that would have some endpoints without the protection of the others (§1.2).
pub fn check_mixture(endpoints: &[Endpoint], uses_tls: impl Fn(&Endpoint) -> bool, allowed: bool) -> Result<()> {
    // What goes through a socket file does not leave the machine.
    let remote = || endpoints.iter().filter(|endpoint| matches!(endpoint.address, Address::Tcp { .. }));
    match (remote().find(|endpoint| !uses_tls(endpoint)), remote().find(|endpoint| uses_tls(endpoint))) {
        (Some(plain), Some(tls)) if !allowed => Err(Error::argument(
            "endpoint",
            format!("{plain} is without TLS and {tls} is with TLS; etcd3_config_allow_mixed_schemes permits that"),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (text, expected, tls) in [
            ("localhost:2379", "localhost:2379", [false, true]),
            ("localhost", "localhost:2379", [false, true]),
            ("http://10.0.0.1:1", "10.0.0.1:1", [false, false]),
            ("https://a-b.example/", "a-b.example:2379", [true, true]),
            ("[::1]:99", "[::1]:99", [false, true]),
            ("http://[::1]", "[::1]:2379", [false, false]),
            ("unix:///run/etcd", "unix:/run/etcd", [false, true]),
            ("unix://etcd.sock", "unix:etcd.sock", [false, true]),
            ("unixs:etcd.sock", "unix:etcd.sock", [true, true]),
        ] {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!(endpoint.to_string(), expected);
            assert_eq!(Endpoint::parse(&endpoint.url()), Ok(endpoint.clone()));
            assert_eq!([false, true].map(|configured| endpoint.uses_tls(configured)), tls, "{text}");
        }
        for text in [
            "",
            ":2379",
            "a:b",
            "a:0",
            "a:65536",
            "a:+1",
            "a:",
            "::1",
            "[::1",
            "[::1]x",
            "[x]:1",
            "http://",
            "http://a/b",
            "ftp://a",
            "unix:",
            "unix://",
            "a b:1",
        ] {
            let error = Endpoint::parse(text).unwrap_err();
            assert!(error.message.contains("endpoint: ") && error.message.contains(text), "{error}");
        }
        let error = Endpoint::parse("http://user:secret@host:1").unwrap_err();
        assert!(!error.message.contains("secret") && error.message.contains("@host"), "{error}");
    }

    #[test]
    fn a_mixture_needs_permission() {
        let check = |texts: [&str; 2], configured, allowed| {
            let list = texts.map(|text| Endpoint::parse(text).unwrap());
            check_mixture(&list, |endpoint| endpoint.uses_tls(configured), allowed)
        };
        for (mixed, configured) in
            [(["http://a", "https://b"], false), (["a", "https://b"], false), (["http://a", "b"], true)]
        {
            let error = check(mixed, configured, false).unwrap_err();
            assert!(error.message.contains("a:2379") && error.message.contains("b:2379"), "{error}");
            assert!(check(mixed, configured, true).is_ok());
        }
        assert!(check(["a", "https://b"], true, false).is_ok());
        assert!(check(["http://a", "b"], false, false).is_ok());
        assert!(check(["unix:a", "https://b"], false, false).is_ok());
    }
}
