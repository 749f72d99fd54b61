//! libetcd3: an etcd v3 client for C.
//!
//! Two floors. `core` is the client: safe Rust that knows nothing of C. `ffi` is the C interface: a thin
//! layer of `extern "C"` functions, one file for each noun of the header, over opaque handles. The header
//! include/etcd3.h is generated from `ffi` by build.rs.
//!
//! A call goes from a function of `ffi` through its guard, as an operation of `core`, by the client's
//! transport to the server. What happens later comes back as an event of a source, through a queue, to a
//! handler that `ffi` made of a C callback.

mod core;
pub mod ffi;
