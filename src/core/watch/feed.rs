//! A watch whose events a task of the library's own waits for, without a thread and without C.

use super::super::client::Client;
use super::super::error::{Error, Result};
use super::super::event::{Body, Event};
use super::super::queue::{Queue, Wake};
use super::super::source::{Handler, Source};
use super::super::transport::Headers;
use super::one::{Spec, Start};
use super::MAX_WAITING;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Dropping it cancels the watch.
pub struct Feed {
    queue: Arc<Queue>,
    source: Arc<Source>,
    waiting: Arc<Notify>,
}

impl Feed {
    pub(super) fn start(client: &Client, headers: &Headers, spec: Spec, start: Start) -> Result<Self> {
        let watches = client.watches()?.clone();
        let waiting = Arc::<Notify>::default();
        let queue = Queue::new(Box::new(TaskWake(waiting.clone())));
        let source = Source::new(queue.clone(), Arc::new(Nobody))?;
        let (ended, same, id) = (watches.clone(), headers.clone(), source.id);
        client.adopt(&source, move || ended.remove(&same, id))?;
        watches.add(headers, spec, start, MAX_WAITING, source.clone());
        Ok(Feed { queue, source, waiting })
    }

    /// The next event; after `Body::Closed`, which comes once, none comes any more. Dropping the future in between loses
    /// nothing.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Ok(Some(event)) = self.queue.next(Some(Duration::ZERO)) {
                return event;
            }
            self.waiting.notified().await;
        }
    }

    /// What happened next; the end is an error.
    pub async fn heard(&mut self) -> Result<Body> {
        match self.next().await.body {
            Body::Closed { error } => Err(error.unwrap_or_else(Error::closed)),
            body => Ok(body),
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.source.cancel(None);
        // Events hold their source, and that the queue.
        self.queue.free();
    }
}

/// Wakes the task that holds the feed.
struct TaskWake(Arc<Notify>);

impl Wake for TaskWake {
    fn raise(&self) {
        self.0.notify_one();
    }

    fn clear(&self) {}

    /// Never: a feed asks its queue without waiting.
    fn wait(&self, _: Option<Duration>) -> Result<()> {
        Ok(())
    }
}

struct Nobody;

impl Handler for Nobody {
    fn call(&self, _: Event) {}

    fn user_data(&self) -> usize {
        0
    }
}
