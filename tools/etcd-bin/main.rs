// Prints the path of the etcd binary that the crate etcd-bin-vendored brings.
fn main() {
    match etcd_bin_vendored::etcd_bin_path() {
        Ok(path) => println!("{}", path.display()),
        Err(error) => {
            eprintln!("no etcd binary for this platform: {error}");
            std::process::exit(1);
        }
    }
}
