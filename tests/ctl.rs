//! etcd3ctl against etcdctl, on real servers: every pair of commands has to print the same and to end the same.

mod support;

use base64::prelude::{Engine, BASE64_STANDARD};
use support::ctl::{all_same, compile_etcd3ctl, mask_after, on_pairs, without_header, words, Pair, Talk, NUMBER};

#[test]
fn compiles_as_every_standard() {
    compile_etcd3ctl("c11");
}

#[test]
fn keys_and_values() {
    on_pairs("CTL keys and values", &[], |pair, _| {
        all_same(pair, &["put a 1", "put a 2 --prev-kv", "put a 3 --prev-kv -w json", "put b <x> -w json", "put c 1"]);
        all_same(pair, &["put d 5 -w fields", "put d 6 -w fields --prev-kv", "put d --ignore-value --prev-kv"]);
        all_same(pair, &["put -- -key -value", "put q -- -v", "put q v2 --ignore-lease", "get q", "get -- -key"]);
        assert_eq!(pair.same_with("put in", "two\nlines\n").stdout, "OK\n");
        assert_eq!(pair.same("get in").stdout, "in\ntwo\nlines\n\n");
        assert_eq!(pair.same("get a --hex").stdout, "\\x61\n\\x33\n");
        for how in ["", " -w json", " -w fields", " -w fields --hex", " --hex"] {
            for get in
                ["get a", "get none", "get '' --prefix", "get b --from-key --limit 2", "get a c", "get a --rev=2"]
            {
                pair.same(&format!("{get}{how}"));
            }
        }
        for order in ["ascend", "DESCEND"] {
            for target in ["key", "CREATE", "modify", "VALUE", "version"] {
                pair.same(&format!("get '' --from-key --order={order} --sort-by {target} --limit=3"));
            }
        }
        all_same(pair, &["get a z --keys-only", "get a z --print-value-only", "get a z --sort-by VERSION"]);
        all_same(
            pair,
            &["get a z --count-only -w fields", "get a z --consistency=s -w json", "get a z --keys-only -w json"],
        );
        for bound in ["min-create-rev", "max-create-rev", "min-mod-rev", "max-mod-rev"] {
            pair.same(&format!("get '' --prefix --{bound}=4"));
        }
        all_same(
            pair,
            &["del none", "del a --prev-kv", "del a c --range -w json", "del -- -key", "del d -w fields --prev-kv"],
        );
        all_same(
            pair,
            &["del c --from-key --prev-kv -w json", "put k1 v", "put k2 v", "del k --prefix", "del '' --prefix"],
        );
    });
}

#[test]
fn words_that_are_wrong() {
    on_pairs("CTL wrong words", &[], |pair, _| {
        let args =
            ["get", "get a b --prefix", "get a --prefix --from-key", "get a --keys-only --count-only", "put", "put k"];
        all_same(pair, &args);
        all_same(
            pair,
            &["put k v --ignore-value", "put k v --lease=zz", "del", "del a b c", "del a --prefix --from-key"],
        );
        all_same(pair, &["get a --count-only", "get a --print-value-only -w json", "lease grant", "lease grant x"]);
        all_same(
            pair,
            &["lease timetolive zz", "lease revoke", "lock", "elect", "elect n", "elect n p -l", "member add"],
        );
        all_same(pair, &["member add n", "member add a b", "member remove", "member remove zz", "member update zz"]);
        all_same(pair, &["member update 12", "member promote", "move-leader", "move-leader zz", "snapshot save"]);
        all_same(
            pair,
            &["compaction", "alarm list x", "alarm disarm x", "user add", "user get", "user list x", "role add"],
        );
        all_same(
            pair,
            &["role grant-permission r read", "role grant-permission r what k", "role list x", "auth enable x"],
        );
        all_same(
            pair,
            &["watch --", "make-mirror", "downgrade validate", "downgrade enable a b", "txn x", "lock --ttl 5"],
        );
        for (code, command) in [
            (1, "nonsense"),
            (1, "get --nonsense a"),
            (1, "get a --limit=x"),
            (1, "get a --dial-timeout=5"),
            (1, "get a --limit"),
            (1, "compaction x"),
            (1, "put '' 1"),
            (1, "get ''"),
            (4, "get a -w nonsense"),
            (4, "get a --consistency=x"),
            (4, "get a --order=x"),
            (4, "get a --sort-by=x"),
            (4, "get a --min-mod-rev=5 --max-mod-rev=3"),
            (3, "txn"),
            (1, "get a --rev=1000"),
            (1, "put none --ignore-value"),
            (1, "put k v --lease=77"),
        ] {
            pair.both_end_with(code, command);
        }
        for (code, input) in [
            (3, "mod(\"a\") > \"0\"\n"),
            (3, "mod(\"a\") > 0\n\n\n\n"),
            (3, "mood(\"a\") > \"0\"\n\n\n\n"),
            (3, "mod(\"a\") > \"x\"\n\n\n\n"),
            (3, "\nget\n\n\n"),
            (3, "\nwatch a\n\n\n"),
            (3, "\nput a --nonsense b\n\n\n"),
            (128, "\nget a b --prefix\n\n\n"),
        ] {
            let ended = pair.same_with("txn", input);
            assert_eq!(ended.code, Some(code), "{input:?}: {ended:?}");
        }
    });
}

#[test]
fn transactions() {
    let inputs = [
        "\n\n\n",
        "\nput a 1\nput b \"two words\"\nput c \"\"\n\n\n",
        "mod(\"a\") > \"0\"\nval(\"b\") = \"two words\"\n\nget a --limit 1\nput z 9 --prev-kv\ndel b --prev-kv\n\n\n",
        "value(\"z\") != \"9\"\n\nput no 1\n\nget z\ndel none\nput a \"x\\n\\x41\\u00e9\\\"\\\\\" --prev-kv\n\n",
        "ver(\"a\") = \"2\"\nversion(\"none\") < \"1\"\nc(\"a\") < \"3\"\ncreate(\"none\") = \"0\"\nm(\"z\") > \"1\"\n\nget a --from-key\n\n\n",
        "  mod(`a`) > \"0\"  \n  \n  get a --keys-only  \n \n \n",
    ];
    on_pairs("CTL transactions", &[], |pair, _| {
        for how in ["txn", "txn -w json", "txn -w fields", "txn -i", "txn --hex"] {
            for input in inputs {
                let ended = pair.same_with(how, input);
                assert_eq!(ended.code, Some(0), "{input:?}: {ended:?}");
            }
        }
    });
}

#[test]
fn history() {
    on_pairs("CTL history", &[], |pair, _| {
        all_same(
            pair,
            &["put a 1", "put a 2", "put b 1", "compaction 3", "compaction 3", "compaction 100", "get a --rev=2"],
        );
        all_same(
            pair,
            &["compaction 4 --physical", "get a --rev=4", "put e/1 x", "put e/1 y", "del e/1", "put e/2 END"],
        );
        for (how, last) in [
            ("--prefix", "END"),
            ("--prefix --prev-kv", "END"),
            ("e0 --hex", r"\x45\x4e\x44"),
            ("--prefix --prev-kv -w fields", "\"Value\" : \"END\""),
        ] {
            let command = format!("watch e/ {how} --rev=5");
            let [theirs, ours] = [&pair.theirs, &pair.ours].map(|side| {
                let talk = side.start(&words(&command));
                let said = talk.until(last).join("\n");
                let said = side.masked(&said);
                let code = talk.interrupt_at_any_time();
                // etcdctl lets the signal end it.
                assert!(code.is_none() || code == Some(130), "{code:?}");
                said
            });
            assert_eq!(ours, theirs, "{command}");
        }
        let [theirs, ours] = [&pair.theirs, &pair.ours].map(|side| {
            let talk = side.start(&words("watch e/ --prefix --prev-kv -w json --rev=5"));
            let line = side.masked(&talk.line());
            assert!(line.contains("\"revision\":8"), "{line}");
            talk.interrupt();
            line
        });
        assert_eq!(ours, theirs);
    });
}

#[test]
fn watches_as_it_happens_and_runs_commands() {
    let script = r#"echo "$ETCD_WATCH_REVISION $ETCD_WATCH_EVENT_TYPE $ETCD_WATCH_KEY $ETCD_WATCH_VALUE""#;
    on_pairs("CTL watch", &[], |pair, _| {
        for side in [&pair.theirs, &pair.ours] {
            let (plain, running) = (
                side.start(&words("watch k --rev=2")),
                side.start(&["watch", "k", "--rev=2", "--", "sh", "-c", script]),
            );
            for (change, said, ran) in [
                (["put", "k", "1"], vec!["PUT", "k", "1"], r#"2 "PUT" "k" "1""#),
                (["put", "k", "a \"b\""], vec!["PUT", "k", "a \"b\""], r#"3 "PUT" "k" "a \"b\"""#),
                (["del", "k", "--prev-kv"], vec!["DELETE", "k", ""], r#"4 "DELETE" "k" """#),
            ] {
                assert_eq!(side.run(&change, "").code, Some(0));
                assert_eq!(plain.lines(said.len()), said);
                assert_eq!(running.lines(1 + said.len())[said.len()], ran);
            }
            plain.interrupt();
            running.interrupt();
            // A command that fails ends the watch.
            assert_eq!(side.run(&["watch", "k", "--rev=2", "--", "false"], "").code, Some(1));
        }
        // A watch of what is no longer there.
        all_same(pair, &["compaction 4"]);
        pair.both_end_with(5, "watch k --rev=2");
    });
}

#[test]
fn leases() {
    on_pairs("CTL leases", &[], |pair, _| {
        all_same(pair, &["lease list", "lease grant 99999999999", "lease timetolive 77", "lease revoke 77"]);
        all_same(pair, &["lease keep-alive 77", "lease keep-alive 77 --once"]);
        all_same(pair, &["lease timetolive 77 -w json", "lease list -w json", "lease list -w fields"]);
        // Each picks an id of its own. Of a grant and a single renewal the interface gives no header.
        for how in ["", " -w json", " -w fields"] {
            let granted =
                |text: String| mask_after(&without_header(text), if how.is_empty() { "lease " } else { "ID" }, ID);
            let ended = pair.compare(&format!("lease grant 500{how}"), "", &granted);
            assert_eq!(ended.code, Some(0));
        }
        pair.each(|side| {
            for line in side.run(&["lease", "list"], "").stdout.lines().skip(1) {
                assert_eq!(side.run(&["lease", "revoke", line], "").code, Some(0));
            }
            let id = side.run(&["lease", "grant", "500"], "").stdout[6..22].to_owned();
            assert_eq!(side.run(&["put", "l/1", "v", "--lease", &id], "").code, Some(0));
            side.lease = id.clone();
            side.mask(i64::from_str_radix(&id, 16).unwrap().to_string(), "LEASE");
            side.mask(id, "LEASE");
        });
        all_same(
            pair,
            &["get l/ --prefix -w json", "get l/1 -w fields", "lease list", "put l/1 w --ignore-lease -w json"],
        );
        for command in ["list", "timetolive LEASE", "timetolive LEASE --keys", "keep-alive LEASE --once"] {
            for how in ["", " -w json", " -w fields"] {
                let left = |text: String| {
                    let text = if command.starts_with("keep-alive") { without_header(text) } else { text };
                    ["remaining(", "\"ttl\":", "\"TTL\" : "]
                        .iter()
                        .fold(text, |text, before| mask_after(&text, before, NUMBER))
                };
                pair.compare(&format!("lease {command}{how}"), "", &left);
            }
        }
        for side in [&pair.theirs, &pair.ours] {
            let alive = side.start(&["lease", "keep-alive", &side.lease]);
            assert_eq!(alive.line(), format!("lease {} keepalived with TTL(500)", side.lease));
            alive.interrupt();
        }
        pair.same_but_header("lease revoke LEASE -w json");
        all_same(pair, &["lease revoke LEASE", "get l/ --prefix", "lease list", "lease keep-alive LEASE"]);
    });
}

const ID: &str = "0123456789abcdef\": ";

#[test]
fn locks() {
    on_pairs("CTL locks", &[], |pair, tools| {
        for side in [&pair.theirs, &pair.ours] {
            let ran = side.run(&["lock", "name", "--", "sh", "-c", r#"echo "$ETCD_LOCK_KEY $ETCD_LOCK_REV""#], "");
            let (key, revision) = ran.stdout.trim_end().split_once(' ').expect("two words");
            assert!(key.starts_with("name/") && revision.parse::<i64>().is_ok_and(|rev| rev > 1), "{ran:?}");
            assert_eq!(ran.code, Some(0));
            assert_eq!(side.run(&["lock", "name", "--", "sh", "-c", "exit 7"], "").code, Some(7));
            assert_eq!(side.run(&["lock", "name", "/nonexistent"], "").code, Some(1));
            assert_eq!(side.run(&["get", "name", "--prefix", "--keys-only"], "").stdout, "");
        }
        // A server where both stand in one line, in either order, twice.
        let endpoint = pair.ours.server.endpoint();
        let [theirs, ours] = [&tools.etcdctl, &tools.etcd3ctl];
        let (mut holders, watch) = (Vec::new(), Talk::start(theirs, endpoint, &words("watch both --prefix --rev=1")));
        for program in [ours, theirs, ours, theirs, theirs, ours] {
            holders.push(Talk::start(program, endpoint, &["lock", "both"]));
            // The next one comes when this one stands in line.
            assert_eq!(watch.line(), "PUT");
            watch.lines(2);
        }
        let mut before = String::new();
        for holder in holders {
            let held = holder.lines(2);
            assert!(held[0].starts_with("both/") && held[1].is_empty() && held[0] != before, "{held:?}");
            assert_eq!(holder.interrupt(), Some(0));
            assert_eq!(watch.lines(3)[..2], ["DELETE", &held[0]]);
            before.clone_from(&held[0]);
        }
        watch.interrupt();
        waiting_can_be_given_up(pair, &["lock", "name"]);
    });
}

/// Ctrl-C ends who waits, with 1, and leaves nothing behind; then who holds, with 0. etcdctl leaves its key behind if Ctrl-C
/// comes just when it was put, so it is asked for less.
fn waiting_can_be_given_up(pair: &Pair, command: &[&str]) {
    for (side, is_ours) in [(&pair.theirs, false), (&pair.ours, true)] {
        let range = format!("{}/", command[1]);
        let current = side.run(&["put", "now", "1", "-w", "json"], "").stdout;
        let revision: i64 = number_after(&current, "\"revision\":").parse().expect("a revision");
        let watch = side.start(&["watch", &range, "--prefix", &format!("--rev={}", revision + 1)]);
        let holder = side.start(command);
        assert_eq!(watch.lines(3)[0], "PUT");
        holder.lines(2);
        let waiting = side.start(command);
        assert_eq!(watch.lines(3)[0], "PUT");
        assert_eq!(waiting.interrupt(), Some(1));
        if is_ours {
            assert_eq!(watch.lines(3)[0], "DELETE");
        }
        assert_eq!(holder.interrupt(), Some(0));
        assert_eq!(watch.lines(3)[0], "DELETE");
        watch.interrupt_at_any_time();
    }
}

/// The number after these words.
fn number_after<'a>(text: &'a str, before: &str) -> &'a str {
    let rest = &text[text.find(before).expect("it is there") + before.len()..];
    &rest[..rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len())]
}

#[test]
fn elections() {
    on_pairs("CTL elections", &[], |pair, tools| {
        observers_tell_the_same(pair);
        let endpoint = pair.ours.server.endpoint();
        let [theirs, ours] = [&tools.etcdctl, &tools.etcd3ctl];
        let watch = Talk::start(theirs, endpoint, &words("watch both --prefix --rev=1"));
        let mut candidates = Vec::new();
        for (program, proposal) in [(ours, "one"), (theirs, "two"), (ours, "three"), (theirs, "four")] {
            candidates.push((Talk::start(program, endpoint, &["elect", "both", proposal]), proposal));
            assert_eq!(watch.line(), "PUT");
            watch.lines(2);
        }
        let observers = [theirs, ours].map(|program| Talk::start(program, endpoint, &words("elect both -l")));
        for (candidate, proposal) in candidates {
            let leader = candidate.lines(2);
            assert!(leader[0].starts_with("both/") && leader[1] == proposal, "{leader:?}");
            for observer in &observers {
                assert_eq!(observer.lines(2), leader);
            }
            assert_eq!(candidate.interrupt(), Some(0));
        }
        for observer in observers {
            assert_eq!(observer.interrupt(), Some(0));
        }
        watch.interrupt_at_any_time();
        waiting_can_be_given_up(pair, &["elect", "name", "me"]);
    });
}

/// The header too, and a leader, whose key and lease are its own; on servers that are equal still.
fn observers_tell_the_same(pair: &Pair) {
    for (how, last) in [("json", "}"), ("fields", "\"Count\" : 0")] {
        let [theirs, ours] = [&pair.theirs, &pair.ours].map(|side| {
            let leader = side.start(&["elect", how, "me"]);
            let key = leader.lines(2)[0].clone();
            let observer = side.start(&["elect", how, "-l", "-w", how]);
            let mut said = String::new();
            while !said.trim_end().ends_with(last) {
                said += &(observer.line() + "\n");
            }
            observer.interrupt();
            assert_eq!(leader.interrupt(), Some(0));
            let said = side.masked(&said).replace(&key, "KEY").replace(&BASE64_STANDARD.encode(&key), "KEY");
            ["\"lease\":", "\"Lease\" : "].iter().fold(said, |said, before| mask_after(&said, before, NUMBER))
        });
        assert_eq!(ours, theirs);
    }
}
