//! TLS: what to trust, what to show, and reading it again when the files change (§5).

use super::code;
use super::error::{Error, Result};
use super::log::Log;
use bytes::Bytes;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{ring, CryptoProvider};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{self, version, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

#[derive(Clone)]
pub enum Pem {
    File(PathBuf),
    Memory(Bytes),
}

#[derive(Clone, Default)]
pub struct Options {
    pub ca: Option<Pem>,
    /// Certificate chain and key.
    pub identity: Option<(Pem, Pem)>,
    pub system_roots: bool,
    pub server_name: Option<String>,
    pub only_1_3: bool,
    pub skip_verify: bool,
}

/// What a client's connections use, shared by all of them.
pub struct Tls {
    options: Options,
    log: Arc<Log>,
    loaded: Mutex<Loaded>,
}

struct Loaded {
    config: Arc<ClientConfig>,
    stamps: Vec<Option<Stamp>>,
}

type Stamp = (SystemTime, u64, u64);

impl Tls {
    pub fn new(options: Options, log: Arc<Log>) -> Result<Self> {
        let stamps = stamps(&options);
        let config = Arc::new(load(&options)?);
        if options.skip_verify {
            log.warning(|| "TLS: the server's certificate is not verified, as configured".into());
        }
        Ok(Tls { options, log, loaded: Mutex::new(Loaded { config, stamps }) })
    }

    /// The configuration for the next connection: read again if a file has changed. Where that fails, since a file
    /// is half-written, the former one stays.
    pub fn current(&self) -> Arc<ClientConfig> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = stamps(&self.options);
        if stamps != loaded.stamps {
            match load(&self.options) {
                Ok(config) => {
                    self.log.info(|| "TLS: the files have changed and were read again".into());
                    *loaded = Loaded { config: Arc::new(config), stamps };
                }
                Err(error) => self.log.warning(|| format!("TLS: what was read before stays in use: {error}")),
            }
        }
        loaded.config.clone()
    }

    /// Reads the files again now.
    pub fn reload(&self) -> Result<()> {
        let stamps = stamps(&self.options);
        let config = Arc::new(load(&self.options)?);
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = Loaded { config, stamps };
        Ok(())
    }

    pub fn server_name(&self, of_endpoint: String) -> std::result::Result<ServerName<'static>, String> {
        let name = self.options.server_name.clone().unwrap_or(of_endpoint);
        ServerName::try_from(name.clone()).map_err(|_| format!("{name:?} is no name a certificate can have"))
    }
}

fn stamps(options: &Options) -> Vec<Option<Stamp>> {
    use std::os::unix::fs::MetadataExt;
    let identity = options.identity.iter().flat_map(|(cert, key)| [cert, key]);
    let stamp = |pem: &Pem| match pem {
        Pem::File(path) => {
            let meta = std::fs::metadata(path).ok()?;
            Some((meta.modified().ok()?, meta.len(), meta.ino()))
        }
        Pem::Memory(_) => None,
    };
    options.ca.iter().chain(identity).map(stamp).collect()
}

fn load(options: &Options) -> Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let versions: &[_] = if options.only_1_3 { &[&version::TLS13] } else { &[&version::TLS12, &version::TLS13] };
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .map_err(|e| Error::new(code::ERR_TLS, e.to_string()))?;
    let builder = if options.skip_verify {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone(provider)))
    } else {
        builder.with_root_certificates(roots(options)?)
    };
    let mut config = match &options.identity {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let chain = certificates(cert, "certificate")?;
            let pem = read(key, "key")?;
            let der = PrivateKeyDer::from_pem_slice(&pem).map_err(|e| unusable(key, "key", &e.to_string()))?;
            builder
                .with_client_auth_cert(chain, der)
                .map_err(|e| unusable(cert, "certificate and key", &e.to_string()))?
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn roots(options: &Options) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    if let Some(ca) = &options.ca {
        for certificate in certificates(ca, "CA")? {
            roots.add(certificate).map_err(|e| unusable(ca, "CA", &e.to_string()))?;
        }
    }
    if options.system_roots || options.ca.is_none() {
        let system = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(system.certs);
        if roots.is_empty() {
            return Err(Error::new(code::ERR_TLS, "TLS: the system has no root certificates, and no CA is configured"));
        }
    }
    Ok(roots)
}

fn certificates(pem: &Pem, what: &str) -> Result<Vec<CertificateDer<'static>>> {
    let text = read(pem, what)?;
    let certificates: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(unusable(pem, what, "there is no certificate in it")),
        Err(e) => Err(unusable(pem, what, &e.to_string())),
    }
}

fn read(pem: &Pem, what: &str) -> Result<zeroize::Zeroizing<Vec<u8>>> {
    match pem {
        Pem::Memory(bytes) => Ok(bytes.to_vec().into()),
        Pem::File(path) => std::fs::read(path).map(Into::into).map_err(|e| unusable(pem, what, &e.to_string())),
    }
}

fn unusable(pem: &Pem, what: &str, why: &str) -> Error {
    let place = match pem {
        Pem::File(path) => path.display().to_string(),
        Pem::Memory(_) => "in memory".to_owned(),
    };
    Error::new(code::ERR_TLS, format!("TLS {what} ({place}): {why}"))
}

/// What the client shows: both, or nothing.
pub fn identity(cert: Option<Pem>, key: Option<Pem>) -> Result<Option<(Pem, Pem)>> {
    match (cert, key) {
        (Some(cert), Some(key)) => Ok(Some((cert, key))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(Error::argument("key", "must be given with a certificate")),
        (None, Some(_)) => Err(Error::argument("cert", "must be given with a key")),
    }
}

pub fn is_name(name: &str) -> bool {
    ServerName::try_from(name).is_ok()
}

/// Why a handshake failed, for people.
pub fn reason(error: &std::io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(match error {
        rustls::Error::InvalidMessage(_) => "the server does not speak TLS".to_owned(),
        rustls::Error::AlertReceived(alert) => format!("the server refused the handshake: {alert:?}"),
        other => other.to_string(),
    })
}

/// Trusts any certificate, but still wants the server to have the key to it.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
