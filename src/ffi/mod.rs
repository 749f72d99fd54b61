//! The C interface. The machinery is in the first rooms; then one file for each section of the header.
//!
//! Comments with three slashes on what is exported become the header, so they speak to C programmers.
#![allow(non_camel_case_types)]
// What a function asks of its pointers stands once, at the top of the header.
#![allow(clippy::missing_safety_doc)]
// The order is that of the header.
#![cfg_attr(rustfmt, rustfmt_skip)]

// The machinery: every function of the interface passes through it.
mod builder;
mod guard;
mod handle;
mod input;
mod output;
mod descriptor;
mod process;
mod wake;

// The interface.
pub mod version;
pub mod error;
pub mod header;
pub mod result;
pub mod event_kind;
pub mod event;
pub mod queue;
pub mod config;
pub mod load;
pub mod client;
pub mod endpoints;
pub mod security;
pub mod op;
pub mod txn;
pub mod kv;
pub mod raw;
pub mod call;
pub mod watch_opts;
pub mod watch;
pub mod lease;
pub mod lease_info;
pub mod session;
pub mod lock;
pub mod election;
pub mod barrier;
pub mod work;
pub mod stm;
pub mod pages;
pub mod namespace;
pub mod cluster;
pub mod status;
pub mod alarm;
pub mod maintenance;
pub mod hash;
pub mod snapshot;
pub mod access;
pub mod role;
