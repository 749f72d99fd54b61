//! Long work in the background: what it has to say comes as events, and its end as the last of them.

use super::client::Client;
use super::error::{Error, Result};
use super::queue::Queue;
use super::source::{Handler, Source};
use super::transport::Limits;
use std::future::Future;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub struct Job {
    pub source: Arc<Source>,
    /// Without a deadline; ended by whoever ends the job.
    pub limits: Limits,
}

impl Client {
    /// Starts it. What ends it early is the token given back, a freed queue, or the client's end.
    pub(super) fn job<W>(
        &self,
        queue: Option<Arc<Queue>>,
        handler: Arc<dyn Handler>,
        work: impl FnOnce(Job) -> W,
    ) -> Result<CancellationToken>
    where
        W: Future<Output = Result<()>> + Send + 'static,
    {
        let runtime = self.runtime()?;
        let queue = queue.map_or_else(|| self.own_queue(), Ok)?;
        let source = Source::new(queue, handler)?;
        let cancel = CancellationToken::new();
        let ended = cancel.clone();
        self.adopt(&source, move || ended.cancel())?;
        let limits = Limits { cancelled: Some(cancel.clone()), ..self.limits(None) }.lasting(None);
        let mut report = Report { source: source.clone(), done: false };
        let work = work(Job { source, limits });
        self.tasks.spawn_on(async move { report.end(work.await) }, runtime.handle());
        Ok(cancel)
    }
}

/// Reports the end once, also if the task is dropped on the way.
struct Report {
    source: Arc<Source>,
    done: bool,
}

impl Report {
    fn end(&mut self, result: Result<()>) {
        self.done = true;
        self.source.close(result.err());
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if !self.done {
            self.end(Err(Error::closed()));
        }
    }
}
