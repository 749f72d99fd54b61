//! Certificates made on the spot, good and bad, for the tests of TLS.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// An authority of one's own.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate with its key, in PEM.
#[derive(Debug, Clone)]
pub struct Pair {
    pub cert: String,
    pub key: String,
}

/// When a certificate is valid.
#[derive(Debug, Clone, Copy)]
pub struct Validity {
    from: SystemTime,
    to: SystemTime,
}

impl Validity {
    /// For a day, since an hour ago.
    pub fn good() -> Validity {
        Validity::until(SystemTime::now() + DAY)
    }

    pub fn until(to: SystemTime) -> Validity {
        let now = SystemTime::now();
        Validity { from: now.min(to) - Duration::from_secs(3600), to }
    }

    pub fn expired() -> Validity {
        let now = SystemTime::now();
        Validity { from: now - 2 * DAY, to: now - DAY }
    }

    pub fn not_yet() -> Validity {
        let now = SystemTime::now();
        Validity { from: now + DAY, to: now + 2 * DAY }
    }
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let mut params = params(name, &[], Validity::good());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("it signs itself").pem();
        Authority { issuer: Issuer::new(params, key), pem }
    }

    /// Its own certificate, in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// For a server with these names and addresses; a client's too, as etcd uses it.
    pub fn server(&self, names: &[&str], validity: Validity) -> Pair {
        self.sign("etcd3 test server", names, validity)
    }

    /// For a client of this common name.
    pub fn client(&self, name: &str, validity: Validity) -> Pair {
        self.sign(name, &[], validity)
    }

    fn sign(&self, name: &str, names: &[&str], validity: Validity) -> Pair {
        let mut params = params(name, names, validity);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        let cert = params.signed_by(&key, &self.issuer).expect("it signs");
        Pair { cert: cert.pem(), key: key.serialize_pem() }
    }
}

fn params(name: &str, names: &[&str], validity: Validity) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names that a certificate can hold");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = OffsetDateTime::from(validity.from);
    params.not_after = OffsetDateTime::from(validity.to);
    params
}

impl Pair {
    /// Writes NAME.pem and NAME.key; their paths.
    pub fn write(&self, directory: &Path, name: &str) -> io::Result<(PathBuf, PathBuf)> {
        let cert = write(directory, &format!("{name}.pem"), &self.cert)?;
        let key = write(directory, &format!("{name}.key"), &self.key)?;
        Ok((cert, key))
    }
}

/// A key pair for signing by ES256: private, public, in PEM.
pub fn signing_key() -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    (key.serialize_pem(), key.public_key_pem())
}

/// Writes a file at once: whoever reads it finds the old text or the new one.
pub fn write(directory: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    let path = directory.join(name);
    let fresh = directory.join(format!(".{name}.new"));
    std::fs::write(&fresh, text)?;
    std::fs::rename(&fresh, &path)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_pairs() {
        let authority = Authority::new("one");
        let pair = authority.server(&["localhost", "127.0.0.1", "::1"], Validity::good());
        assert!(pair.cert.starts_with("-----BEGIN CERTIFICATE-----"));
        assert!(pair.key.starts_with("-----BEGIN PRIVATE KEY-----"));
        assert_ne!(pair.cert, authority.client("root", Validity::expired()).cert);
        assert_ne!(authority.pem(), Authority::new("one").pem());
    }
}
