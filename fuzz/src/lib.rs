//! The C interface under arbitrary use: what the fuzzer and the test of the committed corpus run.
//!
//! An input is a program: bytes that choose functions and arguments. Whatever it does, no request that leaves the
//! library may be malformed ([`check`]), no call may outlive its limit, nothing may panic ([`ground`]); what it reads
//! has to be there, which AddressSanitizer sees to.
#![allow(clippy::missing_safety_doc)]

mod answers;
mod callers;
mod check;
mod ground;
mod input;
mod world;

use ground::ground;
use input::Input;

/// Arbitrary calls with arbitrary arguments, to a server that answers plainly.
pub fn calls(bytes: &[u8]) {
    world::World::new(ground(), Input::new(bytes), false).run(64);
}

/// Sane calls, to a server that answers arbitrarily.
pub fn answers(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    answers::script(ground(), &mut input);
    world::World::new(ground(), input, true).run(12);
    answers::forget(ground());
}

/// Arbitrary text as a configuration.
pub fn config(bytes: &[u8]) {
    use etcd3::ffi::{config::*, load::*};
    ground();
    // A service record would be looked for on the network.
    if bytes.windows(3).any(|word| word == b"srv") {
        return;
    }
    unsafe {
        let config = etcd3_config_new();
        etcd3_config_load_text(config, bytes.as_ptr().cast(), bytes.len());
        etcd3_config_free(config);
        let (first, rest) = bytes.split_at(bytes.len().min(1));
        if let Ok(text) = std::ffi::CString::new(rest) {
            let config = etcd3_config_new();
            match first.first().map_or(0, |byte| byte % 6) {
                0 => etcd3_config_add_endpoint(config, text.as_ptr()),
                1 => etcd3_config_add_metadata(config, text.as_ptr(), text.as_ptr()),
                2 => etcd3::ffi::security::etcd3_config_set_tls_server_name(config, text.as_ptr()),
                3 => etcd3::ffi::security::etcd3_config_set_token(config, text.as_ptr()),
                4 => etcd3::ffi::security::etcd3_config_set_tls_pem(
                    config,
                    rest.as_ptr().cast(),
                    rest.len(),
                    std::ptr::null(),
                    0,
                    std::ptr::null(),
                    0,
                ),
                _ => {
                    let key = std::ffi::CString::new("x").expect("no NUL");
                    etcd3::ffi::security::etcd3_config_set_credentials(config, text.as_ptr(), key.as_ptr());
                }
            }
            etcd3_config_free(config);
        }
    }
}
