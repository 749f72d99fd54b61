//! A configuration from a text or from the environment, under the names that etcd's Go client and etcdctl use.

mod duration;
mod names;
mod text;
mod value;

use super::client::Config;
use super::discovery::{self, Discovery};
use super::endpoint::Endpoint;
use super::error::{Error, Result};
use super::tls::{self, Pem};
use super::transport::Credentials;
use names::{Setting, FLAGS};
use std::collections::HashSet;
use std::io::Read;
use std::path::Path;
use std::time::Duration;
use text::{entries, Entry};
use value::Value;
use zeroize::Zeroizing;

/// Servers take more frequent pings for abuse; Go, too, lengthens what is shorter.
const LEAST_PING_INTERVAL: Duration = Duration::from_secs(5);
const MOST_BYTES: u64 = 1 << 20;

impl Config {
    /// Takes what a text in YAML or JSON says.
    pub fn load_text(&mut self, text: &str) -> Result<()> {
        self.load("text", "", text)
    }

    pub fn load_file(&mut self, path: &str) -> Result<()> {
        let unreadable = |why: &dyn std::fmt::Display| Error::argument("path", format!("{path}: {why}"));
        let text = read(Path::new(path)).map_err(|why| unreadable(&why))?;
        let text = std::str::from_utf8(&text).map_err(|_| unreadable(&"must be UTF-8"))?;
        self.load("path", &format!("{path}: "), text)
    }

    fn load(&mut self, argument: &str, place: &str, text: &str) -> Result<()> {
        let wrong = |why: &dyn std::fmt::Display| Error::argument(argument, format!("{place}{why}"));
        if text.len() as u64 > MOST_BYTES {
            return Err(wrong(&format!("more than {MOST_BYTES} bytes are no configuration")));
        }
        let mut draft = Draft::new(self);
        for Entry { line, key, value } in entries(text).map_err(|why| wrong(&why))? {
            draft.set(&key, value).map_err(|why| wrong(&format!("line {line}: {key:?} {why}")))?;
        }
        *self = draft.finish().map_err(|error| named(error, |why| format!("{argument}: {place}{why}")))?;
        Ok(())
    }

    /// Takes what etcdctl would take from the environment.
    pub fn load_env(&mut self) -> Result<()> {
        let mut draft = Draft::new(self);
        for flag in FLAGS {
            let name = format!("ETCDCTL_{}", flag.replace('-', "_").to_ascii_uppercase());
            let Some(value) = std::env::var_os(&name).filter(|value| !value.is_empty()) else { continue };
            let text = value.into_string().map_err(|_| Error::argument(&name, "must be UTF-8"))?;
            let value = Value::Scalar { text: text.into(), is_plain: false };
            draft.set(flag, value).map_err(|why| Error::argument(&name, why))?;
        }
        *self = draft.finish().map_err(|error| named(error, |why| format!("ETCDCTL_*: {why}")))?;
        Ok(())
    }
}

fn named(error: Error, name: impl FnOnce(&str) -> String) -> Error {
    Error { message: name(&error.message), ..error }
}

/// Only of a file, which nobody else keeps open or writes to without end.
fn read(path: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("is not a file"));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    std::fs::File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A configuration while it is loaded: some settings make sense only together.
struct Draft {
    config: Config,
    given: HashSet<Setting>,
    user: Option<Zeroizing<String>>,
    password: Option<Zeroizing<String>>,
    token: Option<Zeroizing<String>>,
    cert: Option<Pem>,
    key: Option<Pem>,
    srv: Discovery,
    srv_insecure: bool,
}

type Set<T = ()> = std::result::Result<T, String>;

impl Draft {
    fn new(config: &Config) -> Self {
        Draft {
            config: config.clone(),
            given: HashSet::new(),
            user: None,
            password: None,
            token: None,
            cert: None,
            key: None,
            srv: Discovery::default(),
            srv_insecure: true,
        }
    }

    fn set(&mut self, key: &str, value: Value) -> Set {
        if let Some(name) = key.strip_prefix("metadata.") {
            let add = |value: &Zeroizing<String>| self.config.options.metadata.add(name, value);
            return value.list().iter().try_for_each(add).map_err(|error| error.message);
        }
        let setting = Setting::named(key).ok_or("is no setting there is")?;
        if !self.given.insert(setting) {
            return Err("is given twice".into());
        }
        let options = &mut self.config.options;
        match setting {
            Setting::Endpoints => {
                let list = value.list().into_iter();
                let parse = |text: Zeroizing<String>| Endpoint::parse(text.trim()).map_err(|error| error.message);
                self.config.endpoints = list.map(parse).collect::<Set<_>>()?;
            }
            // What Go has no value for is 0 there: left as it is.
            Setting::Timeout => self.config.timeout = value.time()?.unwrap_or(self.config.timeout),
            Setting::ConnectTimeout => options.connect_timeout = value.time()?.unwrap_or(options.connect_timeout),
            Setting::PingInterval => {
                let interval = value.time()?.map(|time| time.max(LEAST_PING_INTERVAL));
                options.ping_interval = interval.unwrap_or(options.ping_interval);
            }
            Setting::PingTimeout => options.ping_timeout = value.time()?.unwrap_or(options.ping_timeout),
            Setting::AutoSync => self.config.auto_sync = value.time()?,
            Setting::HedgeAfter => options.hedge_after = value.time()?,
            Setting::MaxRequest => match value.number(i32::MAX as u32)? {
                0 => {}
                bytes => options.max_request_bytes = bytes as usize,
            },
            Setting::MaxAnswer => match value.number(u32::MAX)? {
                0 => {}
                _ => return Err("must be 0: answers have no limit here".into()),
            },
            Setting::MaxAttempts => options.max_attempts = Some(value.number(u32::MAX)?).filter(|number| *number > 0),
            Setting::RequireLeader => options.require_leader = value.yes()?,
            Setting::MixedSchemes => options.mixed_schemes = value.yes()?,
            Setting::Ordering => self.config.ordering = value.yes()?,
            Setting::User | Setting::UserName => self.user = value.some()?,
            Setting::Password => self.password = value.some()?,
            Setting::Token => self.token = value.some()?,
            Setting::Ca => self.tls().ca = value.file()?,
            Setting::Cert => self.cert = value.file()?,
            Setting::Key => self.key = value.file()?,
            Setting::ServerName => match value.some()? {
                Some(name) if !tls::is_name(&name) => return Err("is no name a certificate can have".into()),
                name => self.tls().server_name = name.map(|name| (*name).clone()),
            },
            Setting::InsecureTransport => {
                if !value.yes()? {
                    self.tls();
                }
            }
            Setting::SkipVerify => {
                if value.yes()? {
                    self.tls().skip_verify = true;
                }
            }
            Setting::Srv => self.srv.domain = value.text()?.to_string(),
            Setting::SrvName => self.srv.service = value.some()?.map(|name| name.to_string()),
            Setting::SrvResolver => {
                self.srv.resolver = Some(discovery::resolver(value.text()?).map_err(|error| error.message)?);
            }
            Setting::SrvInsecure => self.srv_insecure = value.yes()?,
        }
        Ok(())
    }

    fn tls(&mut self) -> &mut tls::Options {
        self.config.tls.get_or_insert_default()
    }

    fn finish(mut self) -> Result<Config> {
        // "name:password", but for whoever gives the password by itself.
        if let (true, Some(user), None) = (self.given.contains(&Setting::User), &self.user, &self.password) {
            if let Some((user, password)) = user.split_once(':') {
                (self.user, self.password) = (Some(user.to_owned().into()), Some(password.to_owned().into()));
            }
        }
        match (self.user.take(), self.password.take(), self.token.take()) {
            (None, None, None) => {}
            (None, None, Some(token)) => self.config.credentials = Credentials::token(&token)?,
            (Some(user), Some(password), None) => self.config.credentials = Credentials::password(&user, &password)?,
            (Some(_), None, None) => return Err(Error::argument("password", "must be given with a user")),
            (None, Some(_), _) => return Err(Error::argument("user", "must be given with a password")),
            _ => return Err(Error::argument("token", "and a user exclude one another")),
        }
        if let Some(identity) = tls::identity(self.cert.take(), self.key.take())? {
            self.tls().identity = Some(identity);
        }
        if !self.srv.domain.is_empty() {
            let limit = self.config.options.connect_timeout;
            self.srv.secure_only = !self.srv_insecure;
            self.config.endpoints = self.srv.find(limit, self.config.options.mixed_schemes)?;
            if self.srv.secure_only {
                // Whoever answers the lookup could else name hosts of its own.
                let domain = self.srv.domain.clone();
                self.tls().server_name.get_or_insert(domain);
            }
        }
        Ok(self.config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config> {
        let mut config = Config::default();
        config.load_text(text).map(|()| config)
    }

    #[test]
    fn settings_arrive() {
        let config = load(
            r#"{"endpoints": ["http://a:1", "b"], "request-timeout": "1m30s", "dial-timeout": 2000000000,
                "keep-alive-time": "2s", "dial-keep-alive-timeout": "6s", "auto-sync-interval": "10m",
                "max-request-bytes": 1000, "max-recv-bytes": 0, "max-unary-retries": 3, "hedge-after": "0",
                "require-leader": false, "ordering": true, "auth": {"username": "u", "password": "p"},
                "secure": {"cacert": "c", "cert": "x", "key": "y", "server-name": "s", "insecure-skip-tls-verify": true},
                "metadata": {"x": ["1", "2"]}}"#,
        )
        .unwrap();
        let endpoints: Vec<_> = config.endpoints.iter().map(Endpoint::to_string).collect();
        assert_eq!(endpoints, ["a:1", "b:2379"]);
        assert_eq!(config.timeout, Duration::from_secs(90));
        assert_eq!(config.options.connect_timeout, Duration::from_secs(2));
        assert_eq!(config.options.ping_interval, LEAST_PING_INTERVAL);
        assert_eq!(config.options.ping_timeout, Duration::from_secs(6));
        assert_eq!(config.auto_sync, Some(Duration::from_secs(600)));
        assert_eq!(config.options.max_request_bytes, 1000);
        assert_eq!(config.options.max_attempts, Some(3));
        assert_eq!(config.options.hedge_after, None);
        assert!(!config.options.require_leader && config.ordering);
        assert!(matches!(config.credentials, Credentials::Password { ref user, .. } if user == "u"));
        let tls = config.tls.unwrap();
        assert!(tls.ca.is_some() && tls.identity.is_some() && tls.skip_verify);
        assert_eq!(tls.server_name.as_deref(), Some("s"));
    }

    #[test]
    fn a_later_text_adds_to_an_earlier_one() {
        let mut config = load("endpoints: a\nuser: u:p:q\ncommand-timeout: 7s").unwrap();
        config.load_text("endpoints: b,c\ntoken: t\ndial-timeout: 0").unwrap();
        assert_eq!(config.endpoints.len(), 2);
        assert_eq!(config.timeout, Duration::from_secs(7));
        assert_eq!(config.options.connect_timeout, Config::default().options.connect_timeout);
        assert!(matches!(config.credentials, Credentials::Token(_)));
        assert!(config.tls.is_none());
        let config = load("user: u:p\npassword: q").unwrap();
        assert!(matches!(config.credentials, Credentials::Password { ref user, .. } if user == "u:p"));
        assert!(load("insecure-transport: false").unwrap().tls.is_some());
        assert!(load("insecure-transport: true").unwrap().tls.is_none());
    }

    #[test]
    fn mistakes_are_named() {
        for (text, name) in [
            ("endpoint: a", "line 1: \"endpoint\" is no setting"),
            ("a: 1", "\"a\""),
            ("secure: {password: x}", "\"secure.password\""),
            ("endpoints: ftp://x", "ftp://x"),
            ("endpoints: []\nendpoints: []", "line 2: \"endpoints\" is given twice"),
            ("cert: a\nkey: b\ncert-file: c", "\"cert-file\" is given twice"),
            ("\n\ndial-timeout: 5", "line 3: \"dial-timeout\" must be a time"),
            ("dial-timeout: \"5\"", "must be a time"),
            ("dial-timeout: -5s", "must be a time"),
            ("dial-timeout: [5s]", "not a list"),
            ("max-request-bytes: -1", "0 to 2147483647"),
            ("max-request-bytes: 1.5", "0 to 2147483647"),
            ("max-recv-bytes: 5", "answers have no limit"),
            ("require-leader: yes", "true or false"),
            ("cert: a", "key"),
            ("key: a", "cert"),
            ("username: u", "password"),
            ("password: p", "user"),
            ("user: u:p\ntoken: t", "token"),
            ("token: two words", "token"),
            ("username: u:p", "password"),
            ("server-name: two words", "certificate"),
            ("metadata: {token: x}", "etcd3_config_set_token"),
            ("discovery-resolver: nobody", "resolver"),
            ("discovery-srv: two words", "domain"),
        ] {
            let error = load(text).err().expect(text);
            assert!(error.message.starts_with("text: ") && error.message.contains(name), "{text:?}: {error}");
        }
        for secret in ["password: s3cret", "token: \"s3cret \"", "password: [s3cret", "user: s3cret"] {
            let error = load(secret).err().expect(secret);
            assert!(!error.message.contains("s3cret"), "{error}");
        }
    }
}
