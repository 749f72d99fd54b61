//! Users on a real server, made over its JSON gateway.

use etcd_run::Server;

/// "root" with the password "secret" may do all, "guest" with "guest" nothing, "reader" with "reader" may read
/// what starts with "auth/". Then authentication is turned on.
pub fn turn_on(server: &Server) {
    post(server, "user/add", r#"{"name": "root", "password": "secret"}"#);
    post(server, "user/add", r#"{"name": "guest", "password": "guest"}"#);
    post(server, "user/add", r#"{"name": "reader", "password": "reader"}"#);
    post(server, "role/add", r#"{"name": "root"}"#);
    post(server, "role/add", r#"{"name": "reads"}"#);
    // "auth/" to "auth0", in base64.
    let permission = r#"{"name": "reads", "perm": {"permType": "READ", "key": "YXV0aC8=", "range_end": "YXV0aDA="}}"#;
    post(server, "role/grant", permission);
    post(server, "user/grant", r#"{"user": "root", "role": "root"}"#);
    post(server, "user/grant", r#"{"user": "reader", "role": "reads"}"#);
    post(server, "enable", "{}");
}

fn post(server: &Server, path: &str, body: &str) {
    server.post(&format!("/v3/auth/{path}"), body.parse().expect("JSON")).expect("the server does it");
}
