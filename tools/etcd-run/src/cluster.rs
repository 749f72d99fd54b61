//! Several servers that are one cluster.

use crate::builder::READY;
use crate::{Builder, Result, Server};
use serde_json::json;
use std::ops::Index;
use std::time::Instant;

/// A cluster. All its members end when it is dropped. `cluster[0]` is its first member.
#[derive(Debug)]
pub struct Cluster {
    members: Vec<Server>,
}

impl Cluster {
    /// Starts `n` members and waits until each of them answers.
    pub fn start(version: &str, n: usize) -> Result<Cluster> {
        Builder::new(version).start_cluster(n)
    }

    pub(crate) fn of(members: Vec<Server>) -> Cluster {
        Cluster { members }
    }

    pub fn members(&self) -> &[Server] {
        &self.members
    }

    /// As in "127.0.0.1:2379", one for each member.
    pub fn endpoints(&self) -> Vec<String> {
        let endpoint = |member: &Server| member.endpoint().to_owned();
        self.members.iter().map(endpoint).collect()
    }

    /// The server version of the members.
    pub fn version(&self) -> &str {
        self.members[0].version()
    }

    /// The index of the leader, asked of member `asked`; `None` while there is none.
    pub fn leader(&self, asked: usize) -> Result<Option<usize>> {
        let status = self.members[asked].post("/v3/maintenance/status", json!({}))?;
        // No member has the id 0.
        let leader = (status["leader"].as_str()).map_or(0, |id| id.parse().unwrap_or(0));
        Ok((self.members.iter()).position(|member| member.id() == leader))
    }

    /// Starts the members again that are not running, all at once: a majority of dead members
    /// answers only together.
    pub fn restart_dead(&self) -> Result<()> {
        let dead: Vec<&Server> = (self.members.iter()).filter(|member| !member.is_running()).collect();
        for member in &dead {
            member.launch()?;
        }
        let deadline = Instant::now() + READY;
        dead.iter().try_for_each(|member| member.wait_ready_until(deadline))
    }
}

impl Index<usize> for Cluster {
    type Output = Server;

    fn index(&self, index: usize) -> &Server {
        &self.members[index]
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Not asked to end: each would first wait for another one to take over its leadership.
        for member in &self.members {
            member.signal_kill();
        }
    }
}
