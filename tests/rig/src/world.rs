//! A cluster, the networks before and within it, and what it says about itself.

use crate::evidence::Evidence;
use crate::history::{Event, Held, Recorder, PROBES};
use crate::proxy::{Peers, Proxy};
use crate::scenario::Setting;
use base64::prelude::{Engine, BASE64_STANDARD};
use etcd_run::{Builder, Cluster};
use serde_json::{json, Value};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What kept a scenario from being run; not a verdict on the library.
pub type Trouble = Box<dyn std::error::Error + Send + Sync>;
pub type Result<T> = std::result::Result<T, Trouble>;

const MEMBERS: usize = 3;
/// So many operations a transaction may have.
const TXN_OPS: usize = 128;
const A_DAY: Duration = Duration::from_secs(86_400);
/// How often a server is asked for what it does not report by itself.
const POLL: Duration = Duration::from_millis(10);
const PROBE: Duration = Duration::from_millis(500);

pub struct World {
    pub cluster: Cluster,
    /// One before each member, for its clients.
    pub proxies: Vec<Proxy>,
    /// Between the members, if it was asked for.
    pub peers: Option<Peers>,
    /// What has happened so far, if it is kept.
    kept: Option<Arc<Mutex<Vec<Event>>>>,
    pub recorder: Arc<Recorder>,
    pub evidence: Arc<Evidence>,
}

impl World {
    pub fn start(setting: &Setting) -> Result<World> {
        World::build(setting, None, |builder| builder)
    }

    /// One whose members can be parted.
    pub fn with_peers(setting: &Setting) -> Result<World> {
        World::build(setting, Some(Peers::new(MEMBERS, setting.seed)?), |builder| builder)
    }

    /// One with more flags, or TLS.
    pub fn build(setting: &Setting, peers: Option<Peers>, more: impl FnOnce(Builder) -> Builder) -> Result<World> {
        // A member that was away gets a snapshot, and not only what it missed.
        let mut builder = more(Builder::new(&setting.version).flag("--snapshot-count=100"));
        if let Some(peers) = &peers {
            builder = peers.install(builder);
        }
        let cluster = builder.start_cluster(MEMBERS)?;
        let proxies = (cluster.members().iter().enumerate())
            .map(|(i, member)| Proxy::new(member.endpoint(), setting.seed.wrapping_add(i as u64)))
            .collect::<std::io::Result<Vec<Proxy>>>()?;
        let recorder = Arc::new(Recorder::default());
        let logs = cluster.members().iter().map(|member| member.directory().join("etcd.log")).collect();
        let evidence = Evidence::new(setting.name, setting.seed, cluster.version(), logs, Arc::clone(&recorder));
        Ok(World { cluster, proxies, peers, kept: None, recorder, evidence })
    }

    /// The members themselves.
    pub fn endpoints(&self) -> Vec<String> {
        self.cluster.endpoints()
    }

    /// The proxies before them.
    pub fn proxied(&self) -> Vec<String> {
        self.proxies.iter().map(|proxy| proxy.address().to_owned()).collect()
    }

    /// Has the world ask the members as this user, where that is needed.
    pub fn log_in(&self, user: Option<(&str, &str)>) {
        self.cluster.members().iter().for_each(|member| member.log_in(user));
    }

    pub fn now(&self) -> Duration {
        self.recorder.now()
    }

    /// Writes down what is done now; the time.
    pub fn note(&self, text: impl AsRef<str>) -> Duration {
        self.evidence.note(text.as_ref());
        self.now()
    }

    /// Whom a member takes for the leader, if it answers and has one.
    pub fn leader_of(&self, member: usize) -> Option<usize> {
        let status = self.cluster[member].post_within("/v3/maintenance/status", json!({}), PROBE).ok()?;
        let leader: u64 = status["leader"].as_str()?.parse().ok()?;
        self.cluster.members().iter().position(|other| other.id() == leader)
    }

    /// Whether a member says that there is no leader.
    pub fn is_leaderless(&self, member: usize) -> bool {
        let status = self.cluster[member].post_within("/v3/maintenance/status", json!({}), PROBE);
        status.is_ok_and(|status| matches!(status["leader"].as_str(), None | Some("0")))
    }

    /// Whether the cluster answers through this member, not asked through the library.
    pub fn answers(&self, member: usize) -> bool {
        let key = BASE64_STANDARD.encode(PROBES);
        self.cluster[member].post_within("/v3/kv/range", json!({"key": key}), PROBE).is_ok()
    }

    /// Waits until every member answers and all agree on the leader, who is returned.
    pub fn wait_healthy(&self) -> Result<usize> {
        let agreed = || {
            let leader = self.leader_of(0)?;
            let others = (1..MEMBERS).all(|member| self.leader_of(member) == Some(leader));
            (others && (0..MEMBERS).all(|member| self.answers(member))).then_some(leader)
        };
        wait("all members to agree", Duration::from_secs(30), agreed)
    }

    /// Waits until one of `members` has a leader other than `old`.
    pub fn wait_elected(&self, members: &[usize], old: usize) -> Result<usize> {
        let elected = || members.iter().find_map(|member| self.leader_of(*member).filter(|leader| *leader != old));
        wait("an election", Duration::from_secs(20), elected)
    }

    /// Keeps what happens from now on as it happens, since it will be compacted away. Member 0 has to stay.
    pub fn keep_history(&mut self) -> Result<()> {
        let events = self.cluster[0].stream("/v3/watch", all_from(2), A_DAY)?;
        let kept = Arc::new(Mutex::new(Vec::new()));
        let theirs = Arc::clone(&kept);
        std::thread::spawn(move || {
            // It ends with the member.
            for answer in events.map_while(std::result::Result::ok) {
                theirs.lock().unwrap().extend(told(&answer));
            }
        });
        self.kept = Some(kept);
        Ok(())
    }

    /// The store's revision.
    pub fn revision(&self) -> Result<i64> {
        let key = BASE64_STANDARD.encode(PROBES);
        let member = &self.cluster[self.wait_healthy()?];
        Ok(number(&member.post("/v3/kv/range", json!({"key": key}))?["header"]["revision"]))
    }

    /// All that has happened, from revision 2 on.
    pub fn events(&self) -> Result<Vec<Event>> {
        let last = self.revision()?;
        if let Some(kept) = &self.kept {
            return wait("the history", Duration::from_secs(20), || {
                let events = kept.lock().unwrap();
                let complete = last < 2 || events.last().is_some_and(|event: &Event| event.revision >= last);
                complete.then(|| events.clone())
            });
        }
        let mut events = Vec::new();
        if last < 2 {
            return Ok(events);
        }
        let member = &self.cluster[self.wait_healthy()?];
        for answer in member.stream("/v3/watch", all_from(2), Duration::from_secs(60))? {
            let answer = answer?;
            let result = &answer["result"];
            if result["canceled"] == true || !answer["error"].is_null() {
                return Err(format!("no history: {answer}").into());
            }
            events.extend(told(&answer));
            if events.last().is_some_and(|event: &Event| event.revision >= last) {
                return Ok(events);
            }
        }
        Err("the history ends early".into())
    }

    /// Puts keys in transactions as large as a server takes them, not through the library.
    pub fn put_all(&self, pairs: &[(String, String)]) -> Result<()> {
        let member = &self.cluster[self.wait_healthy()?];
        for pairs in pairs.chunks(TXN_OPS) {
            let put = |(key, value): &(String, String)| json!({"request_put": {"key": BASE64_STANDARD.encode(key), "value": BASE64_STANDARD.encode(value)}});
            let puts: Vec<Value> = pairs.iter().map(put).collect();
            member.post("/v3/kv/txn", json!({"success": puts}))?;
        }
        Ok(())
    }

    /// How many keys there are with a prefix.
    pub fn count(&self, prefix: &str) -> Result<usize> {
        let mut end = prefix.as_bytes().to_vec();
        // None of the rig's prefixes ends with the last byte there is.
        *end.last_mut().ok_or("a prefix")? += 1;
        let (key, range_end) = (BASE64_STANDARD.encode(prefix), BASE64_STANDARD.encode(end));
        let member = &self.cluster[self.wait_healthy()?];
        let ask = json!({"key": key, "range_end": range_end, "count_only": true});
        Ok(number(&member.post("/v3/kv/range", ask)?["count"]) as usize)
    }

    /// How many watches the members have, all together.
    pub fn watchers(&self) -> Result<usize> {
        let count = |member: &etcd_run::Server| member.metric("etcd_debugging_mvcc_watcher_total");
        let counts = self.cluster.members().iter().map(count).collect::<etcd_run::Result<Vec<f64>>>()?;
        Ok(counts.iter().sum::<f64>() as usize)
    }

    /// Makes history end at a revision.
    pub fn compact(&self, revision: i64) -> Result<()> {
        let leader = self.wait_healthy()?;
        self.note(format!("history is compacted at {revision}"));
        self.cluster[leader].post("/v3/kv/compaction", json!({"revision": revision.to_string()}))?;
        Ok(())
    }
}

/// All keys: from "\0" to no end.
fn all_from(revision: i64) -> Value {
    json!({"create_request": {"key": "AA==", "range_end": "AA==", "start_revision": revision.to_string()}})
}

/// The changes in an answer of a watch.
fn told(answer: &Value) -> Vec<Event> {
    answer["result"]["events"].as_array().into_iter().flatten().map(event).collect()
}

impl Drop for World {
    fn drop(&mut self) {
        // While the servers still have their logs.
        self.evidence.settle_early("it did not come to its end");
    }
}

fn event(event: &Value) -> Event {
    let text = |value: &Value| {
        let bytes = BASE64_STANDARD.decode(value.as_str().unwrap_or_default()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let kv = &event["kv"];
    let held = || Held {
        value: text(&kv["value"]),
        create_revision: number(&kv["create_revision"]),
        mod_revision: number(&kv["mod_revision"]),
        version: number(&kv["version"]),
    };
    Event { revision: number(&kv["mod_revision"]), key: text(&kv["key"]), held: (event["type"] != "DELETE").then(held) }
}

/// The gateway writes 64-bit numbers as strings, and leaves out a 0.
fn number(value: &Value) -> i64 {
    value.as_str().map_or(0, |text| text.parse().unwrap_or(0))
}

/// Waits for what can only be asked for again and again.
pub fn wait<T>(what: &str, limit: Duration, found: impl Fn() -> Option<T>) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = found() {
            return Ok(found);
        }
        if Instant::now() > deadline {
            return Err(format!("waited {limit:?} for {what}").into());
        }
        std::thread::sleep(POLL);
    }
}
