//! The inputs that fuzzing has kept, once more, with any compiler.

fn each(target: &str, run: fn(&[u8])) {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut paths: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(paths.len() > 20, "{target} has only {} inputs", paths.len());
    paths.sort();
    for path in paths {
        eprintln!("{}", path.display());
        run(&std::fs::read(path).unwrap());
    }
}

#[test]
fn calls() {
    each("calls", etcd3_fuzz::calls);
}

#[test]
fn answers() {
    each("answers", etcd3_fuzz::answers);
}

#[test]
fn config() {
    each("config", etcd3_fuzz::config);
}
