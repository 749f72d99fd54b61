//! A watch that a task of the library's own listens to, in place of a caller's queue.

use super::client::Client;
use super::error::{Error, Result};
use super::event::{Body, Event};
use super::queue::{Queue, Wake};
use super::range::KeyRange;
use super::source::{Handler, Source};
use super::watch::Spec;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

pub struct Listening {
    queue: Arc<Queue>,
    raised: Arc<Notify>,
}

impl Listening {
    /// Hears every change from the revision `next` on.
    pub fn start(client: &Client, range: &KeyRange, next: i64) -> Result<Self> {
        let watches = client.watches()?.clone();
        let raised = Arc::<Notify>::default();
        let queue = Queue::new(Box::new(Raise(raised.clone())));
        let source = Source::new(queue.clone(), Arc::new(Nobody))?;
        let (ended, id) = (watches.clone(), source.id);
        client.adopt(&source, move || ended.remove(id))?;
        let (key, range_end) = range.finish()?;
        watches.add(Spec { key, range_end, ..Spec::default() }, next, source);
        Ok(Listening { queue, raised })
    }

    /// What happened next. Dropping the future in between loses nothing.
    pub async fn next(&self) -> Result<Body> {
        loop {
            match self.queue.next(Some(Duration::ZERO))? {
                Some(Event { body: Body::Closed { error }, .. }) => return Err(error.unwrap_or_else(Error::closed)),
                Some(event) => return Ok(event.body),
                None => self.raised.notified().await,
            }
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // Ends the watch; and what still waits would keep its queue.
        self.queue.free();
    }
}

struct Raise(Arc<Notify>);

impl Wake for Raise {
    fn raise(&self) {
        self.0.notify_one();
    }

    fn clear(&self) {}

    fn wait(&self, _: Option<Duration>) -> Result<()> {
        Err(Error::internal("a task does not block"))
    }
}

struct Nobody;

impl Handler for Nobody {
    fn call(&self, _: Event) {}

    fn user_data(&self) -> usize {
        0
    }
}
