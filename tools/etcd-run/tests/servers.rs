use etcd_run::{Cluster, Server};
use serde_json::json;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// At the same time: most of it is waiting for elections.
fn with_each_version(test: impl Fn(&str) + Sync) {
    std::thread::scope(|scope| {
        for version in etcd_run::VERSIONS {
            let test = &test;
            scope.spawn(move || test(version));
        }
    });
}

fn put(server: &Server) -> etcd_run::Result<serde_json::Value> {
    // "a" and "b" in base64.
    server.post("/v3/kv/put", json!({"key": "YQ==", "value": "Yg=="}))
}

fn kept(server: &Server) -> bool {
    let range = server.post("/v3/kv/range", json!({"key": "YQ=="})).unwrap();
    range["kvs"][0]["value"] == "Yg=="
}

#[test]
fn each_version_starts_and_restarts_and_leaves_nothing() {
    with_each_version(|version| {
        let server = Server::start(version).unwrap();
        if std::env::var_os("ETCD").is_none() {
            assert!(server.version().starts_with(version), "{}", server.version());
        }
        assert!(server.is_at_least(3, 4) && !server.is_at_least(3, 40));
        let lease = server.post("/v3/lease/grant", json!({"TTL": 60})).unwrap();
        assert_eq!(lease["TTL"], "60");
        put(&server).unwrap();
        let first = server.pid().unwrap();
        server.restart().unwrap();
        assert_ne!(server.pid().unwrap(), first);
        assert!(kept(&server));

        let directory = server.directory().to_owned();
        let pid = server.pid().unwrap();
        drop(server);
        assert!(!directory.exists());
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    });
}

#[test]
fn a_server_with_users_restarts() {
    with_each_version(|version| {
        let server = Server::start(version).unwrap();
        let post = |path: &str, body| server.post(path, body).unwrap();
        post("/v3/auth/role/add", json!({"name": "root"}));
        post("/v3/auth/user/add", json!({"name": "root", "password": "secret"}));
        post("/v3/auth/user/grant", json!({"user": "root", "role": "root"}));
        post("/v3/auth/enable", json!({}));
        assert!(put(&server).is_err());
        server.log_in(Some(("root", "secret")));
        put(&server).unwrap();
        // Its tokens do not outlive it.
        server.restart().unwrap();
        put(&server).unwrap();
        server.log_in(None);
        assert!(put(&server).is_err());
    });
}

#[test]
fn two_servers_do_not_collide() {
    let start = || std::thread::spawn(|| Server::start(etcd_run::NEWEST).unwrap());
    let (one, other) = (start(), start());
    // The threads that started them end here, and the servers stay.
    let (one, other) = (one.join().unwrap(), other.join().unwrap());
    assert_ne!(one.endpoint(), other.endpoint());
    put(&one).unwrap();
    assert!(kept(&one));
    assert!(!kept(&other));
}

#[test]
fn a_taken_port_is_not_waited_for() {
    let taken = Server::start(etcd_run::NEWEST).unwrap();
    let url = format!("http://{}", taken.endpoint());
    let begun = Instant::now();
    let error = Server::builder(etcd_run::NEWEST).flag(format!("--listen-client-urls={url}")).start().unwrap_err();
    assert!(error.to_string().contains("address already in use"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_wrong_flag_is_reported_with_the_log() {
    let error = Server::builder(etcd_run::NEWEST).flag("--no-such-flag").start();
    let error = error.unwrap_err().to_string();
    assert!(error.contains("no-such-flag"), "{error}");
    assert!(Server::start("2.3").unwrap_err().to_string().contains("ETCD=<path>"));
}

#[test]
fn a_cluster_loses_and_regains_members() {
    let cluster = Cluster::start(etcd_run::NEWEST, 3).unwrap();
    assert_eq!(cluster.endpoints().len(), 3);
    put(&cluster[0]).unwrap();
    let leader = cluster.leader(0).unwrap().unwrap();
    let (follower, other) = ((leader + 1) % 3, (leader + 2) % 3);

    cluster[follower].kill();
    assert!(!cluster[follower].is_running());
    assert!(kept(&cluster[leader]));
    cluster[follower].restart().unwrap();
    assert!(kept(&cluster[follower]));

    cluster[follower].pause();
    // A second pause returns at once, too.
    cluster[follower].pause();
    assert!(kept(&cluster[other]));
    cluster[follower].resume();
    assert!(kept(&cluster[follower]));

    for member in cluster.members() {
        member.kill();
    }
    cluster.restart_dead().unwrap();
    assert!(kept(&cluster[other]));
}

#[test]
fn members_meet_where_they_are_told_to() {
    let relayed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&relayed);
    let advertise = move |_, listening: &str| relay(listening.to_owned(), Arc::clone(&count));
    let cluster = Server::builder(etcd_run::NEWEST).peers_through(advertise).start_cluster(3).unwrap();
    put(&cluster[0]).unwrap();
    assert!(kept(&cluster[1]) && kept(&cluster[2]));
    assert!(relayed.load(Ordering::SeqCst) >= 3);
}

/// Passes on what comes to the address it returns, until the process ends.
fn relay(to: String, count: Arc<AtomicUsize>) -> String {
    let listener = etcd_run::free_port().unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::SeqCst);
            let Ok(server) = TcpStream::connect(&to) else { continue };
            for (mut from, mut to) in [
                (client.try_clone().unwrap(), server.try_clone().unwrap()),
                (server.try_clone().unwrap(), client.try_clone().unwrap()),
            ] {
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Both);
                });
            }
        }
    });
    address
}

#[test]
fn a_stream_says_what_happened() {
    let server = Server::start(etcd_run::NEWEST).unwrap();
    put(&server).unwrap();
    let watch = json!({"create_request": {"key": "YQ==", "start_revision": "1"}});
    let answers = server.stream("/v3/watch", watch, Duration::from_secs(10)).unwrap();
    let mut events = answers.map(|answer| answer.unwrap()["result"]["events"].clone());
    assert!(events.any(|events| events[0]["kv"]["value"] == "Yg=="));
    let begun = Instant::now();
    server.pause();
    assert!(server.post_within("/v3/kv/range", json!({"key": "YQ=="}), Duration::from_millis(100)).is_err());
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_paused_server_ends_too() {
    let server = Server::start(etcd_run::NEWEST).unwrap();
    let directory = server.directory().to_owned();
    server.pause();
    drop(server);
    assert!(!directory.exists());
}

#[test]
fn tls_is_answered_beside_plain_text() {
    let directory = tempfile::tempdir().unwrap();
    let (cert, key) = (directory.path().join("cert"), directory.path().join("key"));
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt"])
        .args(["ec_paramgen_curve:prime256v1", "-subj", "/CN=localhost", "-days", "1"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-out"])
        .arg(&cert)
        .arg("-keyout")
        .arg(&key)
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        assert!(std::env::var_os("CI").is_none(), "openssl makes no certificate");
        println!("SKIPPED etcd-run with TLS: no openssl");
        return;
    }
    with_each_version(|version| {
        let server = Server::builder(version).tls(&cert, &key).start().unwrap();
        let endpoint = server.tls_endpoint().unwrap();
        let shown = std::process::Command::new("openssl")
            .args(["s_client", "-verify_return_error", "-connect", endpoint, "-CAfile"])
            .arg(&cert)
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&shown.stdout);
        assert!(text.contains("Verify return code: 0 (ok)"), "{version}: {text}");
    });
}
