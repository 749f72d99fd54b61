//! What the scenarios with authentication or TLS share.

use crate::bench::Bench;
use crate::history::{Outcome, PROBES};
use crate::library::{Client, Config};
use crate::load::LIMIT;
use crate::world::{Result, World};
use serde_json::{json, Value};
use std::sync::Arc;

/// The user who may do all.
pub const ROOT: (&str, &str) = ("root", "secret");

/// Asks a member of the world as an administrator.
pub fn post(world: &World, path: &str, body: &Value) -> Result<()> {
    world.cluster[0].post(&format!("/v3/auth/{path}"), body.clone())?;
    Ok(())
}

/// root may do all, mover may read, guest may do nothing; then authentication is on.
pub fn turn_on(world: &World) -> Result<()> {
    for (name, password) in [ROOT, ("mover", "moved-0"), ("guest", "guest")] {
        post(world, "user/add", &json!({"name": name, "password": password}))?;
    }
    for role in ["root", "reads"] {
        post(world, "role/add", &json!({"name": role}))?;
    }
    // From "\0" to no end: all keys.
    let all = json!({"permType": "READ", "key": "AA==", "range_end": "AA=="});
    post(world, "role/grant", &json!({"name": "reads", "perm": all}))?;
    post(world, "user/grant", &json!({"user": "root", "role": "root"}))?;
    post(world, "user/grant", &json!({"user": "mover", "role": "reads"}))?;
    post(world, "enable", &json!({}))?;
    world.log_in(Some(ROOT));
    world.wait_healthy()?;
    Ok(())
}

pub fn client(endpoints: &[String], user: (&str, &str)) -> Result<Arc<Client>> {
    Ok(Arc::new(Client::open(Config::new(endpoints).timeout(LIMIT).credentials(user.0, user.1))?))
}

/// A key of which no record is kept.
pub fn unheard_of(i: usize) -> String {
    format!("{PROBES}{i}")
}

/// Nobody sees that a token has ended; and nothing else was wrong either.
pub fn demand_no_token_errors(bench: &mut Bench) {
    bench.demand_none("a call failed", |record| matches!(record.outcome, Outcome::Failed(_)));
    bench.demand_none("a read is ambiguous", |record| record.action.is_read() && record.is_ambiguous());
}

/// jwt.key and jwt.pub, in a directory.
pub fn jwt_keys() -> Result<tempfile::TempDir> {
    let directory = tempfile::tempdir()?;
    let (private, public) = etcd3_certs::signing_key();
    etcd3_certs::write(directory.path(), "jwt.key", &private)?;
    etcd3_certs::write(directory.path(), "jwt.pub", &public)?;
    Ok(directory)
}
