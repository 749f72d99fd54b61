//! The network between the members of a cluster, which can be parted.

use super::{Flow, Plan, Proxy};
use etcd_run::{Builder, Cluster};
use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// A proxy in front of each member's peer address. Who connects says in its requests who it is, and
/// so each pair of members can be parted.
pub struct Peers {
    proxies: Arc<Vec<Proxy>>,
}

impl Peers {
    pub fn new(members: usize, seed: u64) -> io::Result<Peers> {
        // The targets are known when the cluster starts.
        let proxy = |member| Proxy::start("127.0.0.1:0", seed ^ (member as u64) << 32, true);
        let proxies = (0..members).map(proxy).collect::<io::Result<Vec<Proxy>>>()?;
        Ok(Peers { proxies: Arc::new(proxies) })
    }

    /// Has the cluster to be started use this network.
    pub fn install(&self, builder: Builder) -> Builder {
        let proxies = Arc::clone(&self.proxies);
        builder.peers_through(move |member, listening| {
            proxies[member].set_target(listening);
            proxies[member].address().to_owned()
        })
    }

    /// Parts the cluster: members in different groups do not hear of each other.
    pub fn part(&self, cluster: &Cluster, groups: &[&[usize]]) {
        let group_of = |member| groups.iter().position(|group| group.contains(&member));
        for (member, proxy) in self.proxies.iter().enumerate() {
            let strangers: HashSet<String> = (0..self.proxies.len())
                .filter(|other| group_of(*other) != group_of(member))
                .map(|other| format!("{:x}", cluster[other].id()))
                .collect();
            let flow = Flow { stalled: true, ..Flow::default() };
            proxy.set(Plan { up: flow.clone(), down: flow, members: Some(strangers), ..Plan::default() });
        }
    }

    /// Has all that goes to a member from the others, and back, come so much later.
    pub fn delay(&self, cluster: &Cluster, late: usize, latency: Duration) {
        for (member, proxy) in self.proxies.iter().enumerate() {
            let members = (member != late).then(|| HashSet::from([format!("{:x}", cluster[late].id())]));
            proxy.set(Plan { members, ..Plan::latency(latency, Duration::ZERO) });
        }
    }

    pub fn heal(&self) {
        for proxy in self.proxies.iter() {
            proxy.set(Plan::pass());
        }
    }
}
