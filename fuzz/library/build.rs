#[path = "../../build.rs"]
#[allow(dead_code)]
mod library;

fn main() {
    for path in ["build.rs", "cbindgen.toml", "proto", "src"] {
        println!("cargo:rerun-if-changed=../../{path}");
    }
    std::env::set_current_dir("../..").expect("the library is there");
    library::generate();
}
