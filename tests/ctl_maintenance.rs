//! etcd3ctl against etcdctl, on real servers: what takes its time with a cluster.

mod support;

use etcd_run::{Cluster, Server};
use std::path::Path;
use support::ctl::{all_same, execute, on_pairs, snapshot_status, text, tools, words, Ended, Pair, Talk};

#[test]
fn snapshots() {
    on_pairs("CTL snapshots", &[], |pair, tools| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for n in 0..200 {
            let value = format!("{n}").repeat(300);
            assert_eq!(pair.ours.run(&["put", &format!("k{}", n % 50)], &value).code, Some(0));
        }
        // Of one server, by both.
        let endpoint = format!("--endpoints={}", pair.ours.server.endpoint());
        let save = |program: &Path, name| {
            let file = directory.path().join(name);
            let ended = execute(program, &[&*endpoint, "snapshot", "save", text(&file)], "", &[]);
            assert_eq!(ended.code, Some(0), "{ended:?}");
            (Ended { stdout: ended.stdout.replace(text(&file), "FILE"), ..ended }, snapshot_status(tools, &file))
        };
        // A server writes in its own time too: its version, and pages of its file for what was put before.
        const TRIES: usize = 20;
        let quiet = (0..TRIES).find_map(|_| {
            let before = save(&tools.etcdctl, "before.db");
            let ours = save(&tools.etcd3ctl, "ours.db");
            (before == save(&tools.etcdctl, "after.db")).then_some((ours, before))
        });
        let (ours, theirs) = quiet.expect("a server to which nobody writes comes to rest");
        assert_eq!(ours, theirs);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 3);
        unfinished_snapshots_are_removed(pair);
        pair.both_end_with(5, "snapshot save /nonexistent/file");
        pair.both_end_with(5, "snapshot save /nonexistent/file --endpoints=127.0.0.1:1");
    });
}

fn unfinished_snapshots_are_removed(pair: &Pair) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let [file, part] = ["large.db", "large.db.part"].map(|name| directory.path().join(name));
    for n in 0..40 {
        assert_eq!(pair.ours.run(&["put", &format!("large{n}")], &"x".repeat(1_000_000)).code, Some(0));
    }
    let snapshot = pair.ours.start(&["snapshot", "save", text(&file)]);
    while !part.exists() && !file.exists() {
        std::thread::yield_now();
    }
    let code = snapshot.interrupt_at_any_time();
    // It may have been faster.
    assert_eq!(code, if file.exists() { Some(0) } else { Some(130) });
    assert!(!part.exists());
    // Nothing of it is left either when its time is over.
    let ended = pair.ours.run(&["snapshot", "save", text(&part), "--command-timeout=1ms"], "");
    assert_eq!((ended.code, part.exists()), (Some(5), false), "{ended:?}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), usize::from(file.exists()));
}

#[test]
fn mirrors() {
    on_pairs("CTL mirrors", &[], |pair, tools| {
        pair.each(|side| {
            let more = Server::start(side.server.version().rsplit_once('.').expect("a version").0).expect("it starts");
            let there = |args: &[&str]| {
                let endpoint = format!("--endpoints={}", more.endpoint());
                execute(&tools.etcdctl, &[&[&*endpoint], args].concat(), "", &[]).stdout
            };
            for n in 0..3 {
                let puts: String = (0..100).map(|key| format!("put m/{n}-{key} v{key}\n")).collect();
                assert_eq!(side.run(&["txn"], &format!("\n{puts}\n\n")).code, Some(0));
            }
            side.run(&["put", "other", "1"], "");
            let command = ["make-mirror", "--prefix=m/", "--dest-prefix=there/", "--max-txn-ops=7", more.endpoint()];
            let (watch, mirror) = (
                Talk::start(&tools.etcdctl, more.endpoint(), &words("watch there/ --prefix --rev=1")),
                side.start(&command),
            );
            watch.lines(3 * 300);
            side.run(&["put", "m/new", "1"], "");
            assert_eq!(watch.lines(3), ["PUT", "there/new", "1"]);
            side.run(&["put", "other", "2"], "");
            side.run(&["del", "m/", "--prefix"], "");
            let deletes = watch.lines(3 * 301);
            assert_eq!(deletes.iter().filter(|line| *line == "DELETE").count(), 301);
            assert_eq!(there(&["get", "", "--prefix", "--keys-only"]), "");
            watch.interrupt();
            mirror.interrupt_at_any_time();
        });
    });
}

#[test]
fn downgrades() {
    on_pairs("CTL downgrades", &[], |pair, _| {
        let server = &pair.ours.server;
        if !server.is_at_least(3, 5) {
            for command in ["downgrade validate 3.3", "downgrade enable 3.3", "downgrade cancel"] {
                pair.both_end_with(1, command);
            }
            return;
        }
        if server.is_at_least(3, 6) {
            pair.await_storage_version();
        }
        let minor: u32 = server.version().split('.').nth(1).and_then(|minor| minor.parse().ok()).expect("3.x.y");
        let lower = format!("3.{}", minor - 1);
        for how in ["", " -w json"] {
            let cancel = format!("downgrade cancel{how}");
            all_same(pair, &[&format!("downgrade validate 3.0{how}"), &cancel]);
            pair.same(&format!("downgrade validate {lower}{how}"));
            if server.is_at_least(3, 6) {
                let enable = format!("downgrade enable {lower}{how}");
                all_same(pair, &[&enable, &enable, &cancel]);
            }
        }
        for how in ["fields", "table"] {
            pair.both_end_with(4, &format!("downgrade validate {lower} -w {how}"));
        }
        if !server.is_at_least(3, 6) {
            // Such servers begin it, and do not answer.
            pair.both_end_with(1, &format!("downgrade enable {lower} --command-timeout=500ms"));
        }
    });
}

/// Of a server that compacts one revision at a time.
#[test]
fn slow_compactions() {
    let Some(tools) = tools("CTL slow compactions") else { return };
    for version in etcd_run::versions_from_env() {
        if ["3.4", "3.5"].iter().any(|fixed| version.starts_with(fixed)) {
            continue; // their pause is always short
        }
        let pair = Pair::start(tools, &version, &["--compaction-batch-limit=1", "--compaction-sleep-interval=2s"]);
        for n in 2..12 {
            pair.same(&format!("put k {n}"));
        }
        // Longer than a command's usual limit, which ends etcdctl's.
        let ended = pair.ours.run(&words("compaction 5 --physical"), "");
        assert_eq!((ended.code, &*ended.stdout), (Some(0), "compacted revision 5\n"), "{ended:?}");
        pair.both_end_with(1, "compaction 6 --physical --command-timeout=300ms");
        for side in [&pair.theirs, &pair.ours] {
            let compaction = side.start(&words("compaction 11 --physical"));
            while side.run(&words("get k --rev=10"), "").code == Some(0) {}
            let code = compaction.interrupt();
            // etcdctl lets the signal end it.
            assert!(code == Some(130) || code.is_none() && side.program == tools.etcdctl, "{code:?}");
        }
    }
}

#[test]
fn leadership() {
    let Some(tools) = tools("CTL leadership") else { return };
    for version in etcd_run::versions_from_env() {
        let cluster = Cluster::start(&version, 3).expect("it starts");
        let endpoints = format!("--endpoints={}", cluster.endpoints().join(","));
        let ids: Vec<_> = cluster.members().iter().map(|member| format!("{:x}", member.id())).collect();
        let mut leader = cluster.leader(0).unwrap().expect("there is one");
        for program in [&tools.etcd3ctl, &tools.etcdctl, &tools.etcd3ctl, &tools.etcdctl] {
            let next = (leader + 1) % 3;
            let ended = execute(program, &[&*endpoints, "move-leader", &ids[next]], "", &[]);
            assert_eq!(ended.stdout, format!("Leadership transferred from {} to {}\n", ids[leader], ids[next]));
            assert_eq!(ended.code, Some(0));
            leader = next;
        }
        for program in [&tools.etcdctl, &tools.etcd3ctl] {
            assert_eq!(execute(program, &[&*endpoints, "move-leader", "12"], "", &[]).code, Some(1));
        }
    }
}
