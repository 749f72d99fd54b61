//! The C interface. The machinery is in the first rooms; then one file for each section of the header.
//!
//! Comments with three slashes on what is exported become the header, so they speak to C programmers.
#![allow(non_camel_case_types)]
// What a function asks of its pointers stands once, at the top of the header.
#![allow(clippy::missing_safety_doc)]

// The machinery: every function of the interface passes through it.
mod builder;
mod guard;
mod handle;
mod input;
mod process;
mod wake;

// The interface, in the order of the header.
pub mod client;
pub mod config;
pub mod error;
pub mod event;
pub mod kv;
pub mod op;
pub mod queue;
pub mod result;
pub mod txn;
pub mod version;
pub mod watch;
