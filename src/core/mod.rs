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
mod call;
pub mod client;
pub mod counters;
pub mod endpoint;
mod kv;
pub mod log;
mod members;
pub mod op;
mod request;
pub mod response;
pub mod watch;

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

pub use proto::mvccpb;
