//! etcd3ctl against etcdctl, on real servers: the care of clusters, and how a cluster is reached.

mod support;

use etcd3_certs::{Authority, Validity};
use etcd_run::Builder;
use support::ctl::{all_same, execute, mask_after, on_pairs, text, tools, DURATION, NUMBER};

#[test]
fn members() {
    on_pairs("CTL members", &[], |pair, _| {
        all_same(pair, &["member list", "member list --consistency=s"]);
        // Its columns are as wide as what is in them.
        pair.compare("member list -w table", "", &|text| text.replace([' ', '-'], ""));
        all_same(pair, &["member list -w json", "member list -w json --hex", "member list -w fields"]);
        all_same(pair, &["member remove 12", "member promote 12", "member update 12 --peer-urls=http://127.0.0.1:9"]);
        all_same(
            pair,
            &[
                "member update MEMBER --peer-urls=http://127.0.0.1:9 -w json",
                "member update MEMBER --peer-urls=http://127.0.0.1:9 -w json --hex",
            ],
        );
        // Ids are padded with blanks.
        let squeezed = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        pair.compare("member update MEMBER --peer-urls=http://127.0.0.1:9", "", &squeezed);
        all_same(pair, &["member list", "member promote MEMBER"]);
        // The new member's id comes from the time of day.
        let added = |text: String| in_any_order(mask_after(&text.replace("  ", " "), "Member ", HEX));
        pair.compare("member add new --peer-urls=http://127.0.0.1:10,http://127.0.0.1:11 --learner", "", &added);
        pair.same("member add new --peer-urls=http://127.0.0.1:10");
        pair.each(|side| {
            let listed = side.run(&["member", "list"], "").stdout;
            let learner = listed.lines().find(|line| line.ends_with(", true")).expect("it was added");
            let id = learner.split(',').next().expect("an id").to_owned();
            side.mask(u64::from_str_radix(&id, 16).expect("hex").to_string(), "LEARNER");
            side.learner = id.clone();
            side.mask(id, "LEARNER");
        });
        let sorted = |text: String| {
            let mut lines: Vec<_> = text.lines().collect();
            lines.sort_unstable();
            lines.join("\n")
        };
        pair.compare("member list", "", &sorted);
        pair.same("member promote LEARNER");
        pair.same("member remove LEARNER -w json");
        pair.same("member remove LEARNER"); // it is gone
    });
}

/// The members of a new one's configuration are listed in the order of their ids.
fn in_any_order(text: String) -> String {
    let line = |line: &str| {
        let mut parts: Vec<_> = line.split([',', '"']).collect();
        parts.sort_unstable();
        if line.starts_with("ETCD_INITIAL_CLUSTER=") {
            parts.join(",")
        } else {
            line.to_owned()
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

const HEX: &str = "0123456789abcdef";

#[test]
fn endpoints() {
    on_pairs("CTL endpoints", &[], |pair, _| {
        all_same(pair, &["put a 1", "put a 2"]);
        // Servers before 3.6 do not say which revision it is for, and then etcdctl does not either.
        let hash_alone = |text: String| text.rsplit_once(", ").map_or("".into(), |(hash, _)| hash.to_owned());
        pair.compare("endpoint hashkv", "", &hash_alone);
        pair.compare("endpoint hashkv --rev=2", "", &hash_alone);
        let unsaid = |text: String| {
            let text = mask_after(&mask_after(&text, ",\"hash_revision\":", NUMBER), "\"HashRevision\" : ", NUMBER);
            text.replace(",\"hash_revision\":*", "")
        };
        pair.compare("endpoint hashkv -w json", "", &unsaid);
        pair.compare("endpoint hashkv --rev=2 -w fields", "", &unsaid);
        if pair.ours.server.is_at_least(3, 6) {
            pair.await_storage_version();
            all_same(pair, &["endpoint hashkv", "endpoint hashkv --rev=2", "endpoint hashkv -w fields"]);
            all_same(pair, &["endpoint hashkv -w json", "endpoint hashkv -w table"]);
        }
        for how in ["", " -w json", " -w fields", " --cluster"] {
            pair.compare(&format!("endpoint health{how}"), "", &|text| {
                ["took = ", "took\":\"", "\"Took\" : "]
                    .iter()
                    .fold(text, |text, before| mask_after(&text, before, DURATION))
            });
            pair.compare(&format!("endpoint status{how}"), "", &status_figures);
        }
        pair.compare("defrag", "", &|text| mask_after(&text, "took ", DURATION));
        pair.compare("defrag --cluster", "", &|text| mask_after(&text, "took ", DURATION));
        for command in ["endpoint health", "endpoint status", "endpoint hashkv", "defrag"] {
            pair.both_end_with(1, &format!("{command} --endpoints=127.0.0.1:1 --command-timeout=200ms"));
        }
    });
}

/// A status without what the time and the server's chance make of it: the size of the file, the log's index.
fn status_figures(text: String) -> String {
    let fields = ["dbSize\":", "dbSizeInUse\":", "raftIndex\":", "raftAppliedIndex\":"];
    let text = fields.iter().fold(text, |text, field| mask_after(&text, field, NUMBER));
    let lines = ["\"DBSize\" : ", "\"DBSizeInUse\" : ", "\"RaftIndex\" : ", "\"RaftAppliedIndex\" : "];
    let text = lines.iter().fold(text, |text, line| mask_after(&text, line, NUMBER));
    let line = |line: &str| {
        let mut cells: Vec<_> = line.split(", ").collect();
        if cells.len() == 16 {
            for figure in [4, 5, 6, 11, 12] {
                cells[figure] = "*";
            }
        }
        cells.join(", ") + "\n"
    };
    text.lines().map(line).collect()
}

#[test]
fn alarms() {
    on_pairs("CTL alarms", &["--quota-backend-bytes=1048576"], |pair, _| {
        all_same(pair, &["alarm list", "alarm disarm"]);
        all_same(pair, &["alarm list -w json", "alarm disarm -w json"]);
        pair.each(|side| {
            let large = "x".repeat(900_000);
            while side.run(&["put", "large"], &large).code == Some(0) {}
        });
        pair.same("put a 1");
        pair.both_end_with(1, "endpoint health");
        pair.same("alarm list");
        // How many puts it takes is of chance.
        let unnumbered =
            |text: String| mask_after(&mask_after(&text, "\"revision\":", NUMBER), "\"Revision\" : ", NUMBER);
        pair.compare("alarm list -w json", "", &unnumbered);
        // With 3.4 etcdctl crashes.
        if pair.ours.server.is_at_least(3, 5) {
            pair.compare("alarm list -w fields", "", &unnumbered);
        }
        pair.same("alarm disarm -w json");
        all_same(pair, &["alarm list", "del large"]);
    });
}

#[test]
fn users_and_roles() {
    on_pairs("CTL users and roles", &[], |pair, _| {
        let fresh =
            ["auth status", "auth enable", "user list", "role list", "user get none", "role get none", "user add :x"];
        all_same(pair, &fresh);
        all_same(
            pair,
            &["user add root:secret", "user add bob:y", "user add bob:y", "user add eve --new-user-password=z"],
        );
        all_same(pair, &["user add cert --no-password", "role add r", "role add r", "role add other", "user list"]);
        assert_eq!(pair.same_with("user add typed --interactive=false", "password\n").code, Some(0));
        assert_eq!(pair.same_with("user passwd typed --interactive=false", "other\n").stdout, "Password updated\n");
        all_same(
            pair,
            &["role grant-permission r readwrite k --prefix", "role grant-permission r READ k", "role list"],
        );
        all_same(
            pair,
            &["role grant-permission r write a b", "role grant-permission r write x --from-key", "role get r"],
        );
        all_same(
            pair,
            &["role grant-permission other write '' --prefix", "role get other", "role grant-permission none read k"],
        );
        all_same(
            pair,
            &["user grant-role bob r", "user grant-role bob none", "user grant-role none r", "user get bob"],
        );
        all_same(pair, &["user get bob --detail", "auth status"]);
        for command in ["user list", "role list", "user get bob", "user get bob --detail", "role get r"] {
            pair.same(&format!("{command} -w json"));
        }
        pair.same("role get r -w fields");
        for command in ["auth status", "role add j"] {
            pair.same_but_header(&format!("{command} -w json"));
        }
        pair.same_but_header("role add i -w fields");
        all_same(
            pair,
            &["role revoke-permission r k zz", "role revoke-permission r a b", "role revoke-permission r k --prefix"],
        );
        all_same(
            pair,
            &["role revoke-permission r x --from-key", "role revoke-permission other '' --prefix", "role get r"],
        );
        all_same(pair, &["put k 1", "put secret 1", "auth enable", "get k"]);
        for (user, command) in [
            ("bob:y", "get k"),
            ("bob:y", "put k 2"),
            ("bob:y", "get secret"),
            ("bob:bad", "get k"),
            ("none:x", "get k"),
            ("typed:other", "get k"),
            ("root:secret", "get secret"),
            ("root:secret", "auth status"),
            ("root:secret", "role get root"),
            ("root:secret", "role grant-permission r readwrite k"),
            ("bob:y", "put k 2"),
            ("bob:y", "user list"),
            ("bob:y", "endpoint health"),
            ("root:secret", "user delete eve"),
            ("root:secret", "user delete root"),
            ("root:secret", "auth disable"),
        ] {
            pair.compare(&format!("--user {user} {command}"), "", &|text| mask_after(&text, "took = ", DURATION));
        }
        pair.same("--user root --password secret get k");
        all_same(
            pair,
            &["user revoke-role bob r", "user revoke-role bob r", "user delete bob", "role delete r", "role delete r"],
        );
    });
}

#[test]
fn the_environment() {
    on_pairs("CTL environment", &[], |pair, _| {
        pair.same("put a 1");
        for side in [&pair.theirs, &pair.ours] {
            let run = |args: &[&str], more: &[(&str, &str)]| {
                let env = [&[("ETCDCTL_ENDPOINTS", side.server.endpoint())], more].concat();
                execute(&side.program, args, "", &env)
            };
            assert_eq!(run(&["get", "a"], &[]).stdout, "a\n1\n");
            assert!(run(&["get", "a"], &[("ETCDCTL_WRITE_OUT", "json")]).stdout.contains("\"value\":\"MQ==\""));
            assert_eq!(run(&["get", "a"], &[("ETCDCTL_HEX", "true")]).stdout, "\\x61\n\\x31\n");
            assert_eq!(run(&["get", "a"], &[("ETCDCTL_USER", "bob:x")]).stdout, "a\n1\n");
            assert_eq!(run(&["get", "a"], &[("ETCDCTL_WRITE_OUT", "nonsense")]).code, Some(4));
        }
    });
}

#[test]
fn tls() {
    let Some(tools) = tools("CTL TLS") else { return };
    for version in etcd_run::versions_from_env() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path();
        let authority = Authority::new("etcd3 test authority");
        let (cert, key) =
            authority.server(&["localhost", "127.0.0.1"], Validity::good()).write(path, "server").expect("written");
        let ca = etcd3_certs::write(path, "ca.pem", authority.pem()).expect("written");
        let (client_cert, client_key) =
            authority.client("root", Validity::good()).write(path, "client").expect("written");
        let server = Builder::new(&version).tls(cert, key).client_ca(&ca).start().expect("it starts");
        let endpoint = format!("--endpoints={}", server.tls_endpoint().expect("asked for"));
        let flags = |names: &[&str]| {
            let files = [("--cacert", &ca), ("--cert", &client_cert), ("--key", &client_key)];
            let given = files.iter().filter(|(name, _)| names.contains(name));
            given.map(|(name, file)| format!("{name}={}", text(file))).collect::<Vec<_>>()
        };
        for program in [&tools.etcdctl, &tools.etcd3ctl] {
            let run = |flags: Vec<String>, args: &[&str]| {
                let flags: Vec<_> = flags.iter().map(String::as_str).collect();
                execute(program, &[&[&*endpoint], &flags[..], args].concat(), "", &[])
            };
            let all = flags(&["--cacert", "--cert", "--key"]);
            assert_eq!(run(all, &["put", "a", "1"]).stdout, "OK\n", "{}", program.display());
            let unverified = flags(&["--cert", "--key"]);
            assert_eq!(run(unverified.clone(), &["--insecure-skip-tls-verify", "get", "a"]).stdout, "a\n1\n");
            for flags in [flags(&["--cacert"]), unverified, vec![]] {
                assert_eq!(run(flags, &["get", "a", "--command-timeout=500ms"]).code, Some(1));
            }
            assert_eq!(run(vec!["--cacert=".into()], &["get", "a"]).code, Some(128));
        }
    }
}
