//! The client, in safe Rust that knows nothing of C. In the order in which data flows:
#![forbid(unsafe_code)]

// what every room speaks of
pub mod code;
pub mod error;
mod mutant;
mod proto;
pub mod range;
mod sync;

// what the caller asks for and gets
pub mod access;
mod ask;
mod call;
pub mod client;
pub mod cluster;
pub mod counters;
pub mod discovery;
pub mod endpoint;
mod job;
mod kv;
pub mod lease;
pub mod log;
pub mod maintenance;
mod members;
mod namespace;
pub mod op;
mod ordering;
pub mod pages;
pub mod raw;
mod request;
pub mod response;
pub mod session;
mod settings;
pub mod snapshot;
pub mod watch;

// what is built of that
pub mod barrier;
mod claim;
pub mod election;
mod line;
pub mod lock;
mod observe;
mod persist;
mod seat;
pub mod stm;
mod tenure;
pub mod work;

// how it gets to the network and back
pub mod runtime;
pub mod tls;
pub mod transport;

// how what happens later gets to the caller
mod callbacks;
pub mod event;
pub mod load;
pub mod queue;
pub mod source;

pub use proto::etcdserverpb::ResponseHeader;
pub use proto::mvccpb;
