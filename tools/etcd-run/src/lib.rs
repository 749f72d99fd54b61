//! Private etcd servers for tests.
//!
//! ```no_run
//! for version in etcd_run::versions_from_env() {
//!     let server = etcd_run::Server::start(&version)?;
//!     println!("etcd {} answers at {}", server.version(), server.endpoint());
//! }
//! # Ok::<(), etcd_run::Error>(())
//! ```
//!
//! Every server has ports, a name, a cluster token and a temporary directory of its own. It ends
//! when its [`Server`] is dropped, and at the latest with the process that started it, however
//! that one ends.

mod binary;
mod builder;
mod cluster;
mod gateway;
mod log;
mod ports;
mod process;
mod server;

pub use binary::{binary, versions_from_env, NEWEST, VERSIONS};
pub use builder::Builder;
pub use cluster::Cluster;
pub use ports::free as free_port;
pub use process::Process;
pub use server::Server;

/// What went wrong, in words for a person; of a server that did not start also the end of its log.
#[derive(Debug, Clone)]
pub struct Error(pub(crate) String);

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

pub type Result<T> = std::result::Result<T, Error>;

pub(crate) fn fail<T>(message: impl Into<String>) -> Result<T> {
    Err(Error(message.into()))
}
