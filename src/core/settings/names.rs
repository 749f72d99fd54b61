//! What can be set, and what it is called in texts and in the environment.

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setting {
    Endpoints,
    Timeout,
    ConnectTimeout,
    PingInterval,
    PingTimeout,
    AutoSync,
    MaxRequest,
    MaxAnswer,
    MaxAttempts,
    HedgeAfter,
    RequireLeader,
    Ordering,
    MixedSchemes,
    User,
    UserName,
    Password,
    Token,
    Ca,
    Cert,
    Key,
    ServerName,
    InsecureTransport,
    SkipVerify,
    Srv,
    SrvName,
    SrvResolver,
    SrvInsecure,
}

/// The first name is that of etcdctl's flag, where it has one.
const NAMES: &[(Setting, &[&str])] = &[
    (Setting::Endpoints, &["endpoints"]),
    (Setting::Timeout, &["command-timeout", "request-timeout"]),
    (Setting::ConnectTimeout, &["dial-timeout"]),
    (Setting::PingInterval, &["keepalive-time", "keep-alive-time", "dial-keep-alive-time"]),
    (Setting::PingTimeout, &["keepalive-timeout", "keep-alive-timeout", "dial-keep-alive-timeout"]),
    (Setting::AutoSync, &["auto-sync-interval"]),
    (Setting::MaxRequest, &["max-request-bytes", "max-call-send-msg-size", "MaxCallSendMsgSize"]),
    (Setting::MaxAnswer, &["max-recv-bytes", "max-call-recv-msg-size", "MaxCallRecvMsgSize"]),
    (Setting::MaxAttempts, &["max-attempts", "max-unary-retries"]),
    (Setting::HedgeAfter, &["hedge-after"]),
    (Setting::RequireLeader, &["require-leader"]),
    (Setting::Ordering, &["ordering"]),
    (Setting::MixedSchemes, &["allow-mixed-schemes"]),
    (Setting::User, &["user"]),
    (Setting::UserName, &["username", "auth.username"]),
    (Setting::Password, &["password", "auth.password"]),
    (Setting::Token, &["auth-jwt-token", "token", "auth.token"]),
    (Setting::Ca, &["cacert", "trusted-ca-file", "ca-file", "secure.cacert"]),
    (Setting::Cert, &["cert", "cert-file", "secure.cert"]),
    (Setting::Key, &["key", "key-file", "secure.key"]),
    (Setting::ServerName, &["server-name", "secure.server-name"]),
    (Setting::InsecureTransport, &["insecure-transport", "secure.insecure-transport"]),
    (Setting::SkipVerify, &["insecure-skip-tls-verify", "insecure-skip-verify", "secure.insecure-skip-tls-verify"]),
    (Setting::Srv, &["discovery-srv"]),
    (Setting::SrvName, &["discovery-srv-name"]),
    (Setting::SrvResolver, &["discovery-resolver"]),
    (Setting::SrvInsecure, &["insecure-discovery"]),
];

/// What etcdctl takes from the environment. Its flags for output are not a client's.
pub const FLAGS: &[&str] = &[
    "endpoints",
    "command-timeout",
    "dial-timeout",
    "keepalive-time",
    "keepalive-timeout",
    "max-request-bytes",
    "max-recv-bytes",
    "user",
    "password",
    "auth-jwt-token",
    "cacert",
    "cert",
    "key",
    "insecure-transport",
    "insecure-skip-tls-verify",
    "discovery-srv",
    "discovery-srv-name",
    "insecure-discovery",
];

impl Setting {
    pub fn named(key: &str) -> Option<Self> {
        NAMES.iter().find(|(_, names)| names.contains(&key)).map(|(setting, _)| *setting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_of_the_environment_is_a_setting() {
        for flag in FLAGS {
            assert!(NAMES.iter().any(|(_, names)| names[0] == *flag), "{flag}");
        }
    }

    #[test]
    fn a_name_is_of_one_setting() {
        let mut all: Vec<_> = NAMES.iter().flat_map(|(_, names)| *names).collect();
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
