//! One named endpoint, also one that is not on the list (§9.8).

use super::channel::{Channel, Purpose};
use super::{check_mixture, Auth, Base, Endpoint, Member, Mutex, Result, RwLock, Transport};
use crate::core::endpoint::Security;
use std::ops::Deref;
use std::sync::atomic::AtomicUsize;
use std::sync::Arc;
use tokio::time::Instant;

/// The same room with but one member in it.
pub struct At {
    transport: Transport,
    /// It is not on the list, and may be of another cluster.
    pub is_foreign: bool,
    /// Its connections are this one's alone, and end with it.
    apart: Option<Arc<Member>>,
}

impl Deref for At {
    type Target = Transport;

    fn deref(&self) -> &Transport {
        &self.transport
    }
}

impl Drop for At {
    fn drop(&mut self) {
        if let Some(member) = &self.apart {
            member.unary.remove();
            member.streams.remove();
        }
    }
}

impl Transport {
    /// The endpoint with the connections there are to it; with ones of its own if it is not on the list.
    pub fn at(&self, endpoint: &Endpoint) -> Result<At> {
        match self.listed(endpoint) {
            Some(member) => Ok(At { transport: self.with_one(member), is_foreign: false, apart: None }),
            None => self.apart(endpoint),
        }
    }

    /// The member that is meant. Without a scheme, as errors name it, it is the one with this address.
    fn listed(&self, endpoint: &Endpoint) -> Option<Arc<Member>> {
        let (members, tls) = (self.members(), self.base.uses_tls(endpoint));
        let mut here = members.iter().filter(|member| member.endpoint.address == endpoint.address);
        let same = here.clone().find(|member| self.base.uses_tls(&member.endpoint) == tls);
        same.or_else(|| here.find(|_| endpoint.security == Security::AsConfigured)).cloned()
    }

    /// The endpoint with connections of its own.
    pub(super) fn apart(&self, endpoint: &Endpoint) -> Result<At> {
        let listed = self.listed(endpoint);
        let is_foreign = listed.is_none();
        if is_foreign {
            self.check_foreign(endpoint)?;
        }
        let endpoint = listed.map_or_else(|| endpoint.clone(), |member| member.endpoint.clone());
        let member = Member::apart(endpoint, &self.base);
        Ok(At { transport: self.with_one(member.clone()), is_foreign, apart: Some(member) })
    }

    /// The token goes there: what is protected must not go out in the clear (§1.2).
    fn check_foreign(&self, endpoint: &Endpoint) -> Result<()> {
        match self.base.uses_tls(endpoint) {
            true => self.base.tls().map(drop),
            false => {
                let mut all = self.endpoints();
                all.push(endpoint.clone());
                check_mixture(&all, |endpoint| self.base.uses_tls(endpoint), self.base.options.mixed_schemes)
            }
        }
    }

    fn with_one(&self, member: Arc<Member>) -> Transport {
        let (base, auth): (Arc<Base>, Arc<Auth>) = (self.base.clone(), self.auth.clone());
        Transport { members: RwLock::new(Arc::from([member])), turn: AtomicUsize::new(0), auth, base }
    }

    /// The endpoints on the list.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.members().iter().map(|member| member.endpoint.clone()).collect()
    }
}

impl Member {
    fn apart(endpoint: Endpoint, base: &Arc<Base>) -> Arc<Self> {
        let channel = || Channel::new(endpoint.clone(), Purpose::Bulk, base.clone());
        let (unary, streams) = (channel(), channel());
        Arc::new(Member { endpoint, unary, streams, avoid: Mutex::new(Instant::now()) })
    }
}
