//! Waiting for the next change, on the calling thread.

use super::super::client::Client;
use super::super::code;
use super::super::error::{Error, Result};
use super::super::event::{Body, Event};
use super::super::range::KeyRange;
use super::one::Start;
use super::{now, Feed, Options};
use std::time::Duration;

impl Client {
    /// Waits for the first event of changes in the range that are made from now on; `None`: however long it takes.
    pub fn watch_once(&self, range: KeyRange, limit: Option<Duration>) -> Result<Event> {
        let options = Options::new(range);
        let (spec, read) = (options.spec(&self.core.namespace)?, now(&options.range)?.request()?);
        let mut limits = self.limits(limit);
        if limit.is_none() {
            limits.without_deadline();
        }
        self.counters().watches.add(1);
        self.run(limits, async |limits| {
            let header = self.core.send(read, limits).await?.get()?.header.unwrap_or_default();
            let mut feed = Feed::start(self, &self.headers(&options), spec, Start::After(header.revision))?;
            let event = async {
                loop {
                    let event = feed.next().await;
                    match event.body {
                        Body::Watch { .. } => return Ok(event),
                        Body::Closed { error } => return Err(error.unwrap_or_else(Error::closed)),
                        _ => {}
                    }
                }
            };
            limits.bound(event).await.map_err(|error| match error.code {
                code::ERR_TIMEOUT => Error::new(code::ERR_TIMEOUT, "nothing changed within the time limit"),
                _ => error,
            })
        })
    }
}
