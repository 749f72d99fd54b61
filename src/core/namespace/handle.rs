//! The handle of a namespace: a client that works over another's connections and streams, and ends with it.

use super::super::client::{Client, Core};
use super::super::error::{Error, Result};
use super::super::sync::lock;
use bytes::Bytes;
use std::sync::{Arc, Mutex, Weak};

/// The handles that were made from a client.
#[derive(Default)]
pub struct Children(Mutex<List>);

#[derive(Default)]
struct List {
    closed: bool,
    clients: Vec<Weak<Client>>,
}

impl Children {
    fn add(&self, child: &Arc<Client>) -> Result<()> {
        let mut list = lock(&self.0);
        if list.closed {
            return Err(Error::closed());
        }
        list.clients.retain(|client| client.strong_count() > 0);
        list.clients.push(Arc::downgrade(child));
        Ok(())
    }

    /// All there are, and from now on there will be no other.
    pub fn close(&self) -> Vec<Arc<Client>> {
        let mut list = lock(&self.0);
        list.closed = true;
        list.clients.iter().filter_map(Weak::upgrade).collect()
    }
}

impl Client {
    /// A handle whose keys are all behind a prefix.
    pub fn namespace(self: &Arc<Self>, prefix: &Bytes) -> Result<Arc<Self>> {
        let core = Core {
            namespace: self.core.namespace.within(prefix)?,
            closing: self.core.closing.child_token(),
            ..(*self.core).clone()
        };
        let child = Arc::new(Client::new(self.runtime()?, core, self.watch_settings, Some(self.clone())));
        self.children.add(&child)?;
        Ok(child)
    }
}
