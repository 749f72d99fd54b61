//! Endpoints as users write them: `host:port`, `http://host:port`, IPv6 literals in brackets (§1.1).

use super::error::{Error, Result};

const DEFAULT_PORT: u16 = 2379;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    host: String,
    port: u16,
}

impl Endpoint {
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| Error::argument("endpoint", format!("{text:?} {why}"));
        let authority = match text.split_once("://") {
            None => text,
            Some(("http", rest)) => rest.strip_suffix('/').unwrap_or(rest),
            Some(("https" | "unix" | "unixs", _)) => {
                return Err(wrong("has a scheme that this version does not speak; use http"))
            }
            Some(_) => return Err(wrong("has an unknown scheme; use host:port or http://host:port")),
        };
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or_else(|| wrong("has no closing bracket"))?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| wrong("has no IPv6 address in its brackets"))?;
                match after {
                    "" => (host, None),
                    _ => (
                        host,
                        Some(after.strip_prefix(':').ok_or_else(|| wrong("has more than a port after its brackets"))?),
                    ),
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
            Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => {
                port.parse().ok().filter(|port| *port != 0).ok_or_else(|| wrong("has a port that is not 1 to 65535"))?
            }
            Some(_) => return Err(wrong("has a port that is not 1 to 65535")),
        };
        Ok(Endpoint { host: host.to_owned(), port })
    }

    pub fn address(&self) -> (&str, u16) {
        (&self.host, self.port)
    }
}

/// The authority of a URL: what error messages and requests name.
impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (text, expected) in [
            ("localhost:2379", "localhost:2379"),
            ("localhost", "localhost:2379"),
            ("http://10.0.0.1:1", "10.0.0.1:1"),
            ("http://a-b.example/", "a-b.example:2379"),
            ("[::1]:99", "[::1]:99"),
            ("http://[::1]", "[::1]:2379"),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().to_string(), expected);
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
            "https://a",
            "unix:///x",
            "a b:1",
        ] {
            let error = Endpoint::parse(text).unwrap_err();
            assert!(error.message.contains("endpoint: ") && error.message.contains(text), "{error}");
        }
    }
}
