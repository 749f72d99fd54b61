//! The fault rig: real clusters of etcd, a network that misbehaves on command, libetcd3 under load
//! through its C interface, and checkers of what it said against what the cluster did.

pub mod bench;
pub mod check;
pub mod contender;
pub mod evidence;
pub mod follow;
pub mod history;
pub mod lease;
pub mod library;
pub mod load;
pub mod mutants;
pub mod proxy;
pub mod report;
pub mod scenario;
pub mod world;

use std::path::Path;

/// The root of the repository.
pub fn repository() -> &'static Path {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.expect("it is tests/rig")
}
