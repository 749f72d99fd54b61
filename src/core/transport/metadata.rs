//! What the caller adds to the headers of calls.

use crate::core::error::{Error, Result};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;

/// What servers and proxies take without being told to take more.
const MOST_BYTES: usize = 8 << 10;

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Metadata(Arc<[(HeaderName, HeaderValue)]>);

impl Metadata {
    /// Adds a value; a name may have several.
    pub fn add(&mut self, name: &str, value: &str) -> Result<()> {
        let wrong = |why: String| Err(Error::argument("name", format!("{name:?} {why}")));
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b))
        {
            return wrong("is no name of metadata: those have a-z, 0-9, '_', '-' and '.'".into());
        }
        if let Some(instead) = reserved(name) {
            return wrong(format!("is for the client itself{instead}"));
        }
        match name.ends_with("-bin") {
            true if !is_base64(value) => return Err(Error::argument("value", "must be base64 under a name with -bin")),
            false if !is_plain(value) => {
                return Err(Error::argument("value", "must be printable ASCII without a space at either end"))
            }
            _ => {}
        }
        let before: usize = self.0.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if before + name.len() + value.len() > MOST_BYTES {
            return Err(Error::argument("value", format!("makes the metadata larger than {MOST_BYTES} bytes")));
        }
        let unfit = |e: &dyn std::fmt::Display| Error::argument("name", e);
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|e| unfit(&e))?;
        let mut value = HeaderValue::from_str(value).map_err(|e| Error::argument("value", e))?;
        // It may be a credential.
        value.set_sensitive(true);
        self.0 = self.0.iter().cloned().chain([(key, value)]).collect();
        Ok(())
    }

    pub fn add_to(&self, headers: &mut HeaderMap) {
        for (name, value) in self.0.iter() {
            headers.append(name.clone(), value.clone());
        }
    }
}

/// Whether a name is taken, and what to use in its place.
fn reserved(name: &str) -> Option<&'static str> {
    match name {
        "token" => Some("; see etcd3_config_set_token"),
        "hasleader" => Some("; see etcd3_op_set_require_leader"),
        "user-agent" | "te" | "content-type" | "content-length" | "content-encoding" | "host" => Some(""),
        // HTTP/2 has no such headers.
        "connection" | "keep-alive" | "proxy-connection" | "transfer-encoding" | "upgrade" => Some(""),
        _ if name.starts_with("grpc-") => Some(""),
        _ => None,
    }
}

fn is_plain(value: &str) -> bool {
    value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && value.trim_matches(' ') == value
}

/// As gRPC sends binary values: with padding or without.
fn is_base64(value: &str) -> bool {
    let bare = value.trim_end_matches('=');
    let padding = value.len() - bare.len();
    bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
        && bare.len() % 4 != 1
        && (padding == 0 || (padding <= 2 && value.len().is_multiple_of(4)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(name: &str, value: &str) -> Result<()> {
        Metadata::default().add(name, value)
    }

    #[test]
    fn names_and_values_are_checked() {
        for (name, value) in
            [("x-tenant", "a b"), ("x", ""), ("a.b_c-1", "~"), ("t-bin", "AAEC"), ("t-bin", "AA=="), ("t-bin", "")]
        {
            assert!(add(name, value).is_ok(), "{name} {value}");
        }
        for name in ["", "X-Tenant", ":path", "a b", "caf\u{e9}", "a:", "grpc-timeout", "te", "token", "hasleader"] {
            assert!(add(name, "v").is_err_and(|e| e.message.starts_with("name: ")), "{name}");
        }
        let long = "v".repeat(MOST_BYTES);
        for (name, value) in
            [("x", " v"), ("x", "v "), ("x", "a\nb"), ("x", "\u{e9}"), ("x", &long), ("x-bin", "A"), ("x-bin", "A===")]
        {
            assert!(add(name, value).is_err_and(|e| e.message.starts_with("value: ")), "{name} {value}");
        }
    }

    #[test]
    fn a_name_may_have_several_values() {
        let mut metadata = Metadata::default();
        metadata.add("x", "1").unwrap();
        metadata.add("x", "2").unwrap();
        let mut headers = HeaderMap::new();
        metadata.add_to(&mut headers);
        assert_eq!(headers.get_all("x").iter().count(), 2);
    }
}
