//! Calls that do not block: their outcome arrives as an event.

use super::client::Client;
use super::error::{Error, Result};
use super::event::Body;
use super::op::Op;
use super::queue::Queue;
use super::response::Response;
use super::source::{cut_off, Handler, Source};
use super::transport::Fate;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

impl Client {
    /// Starts an operation. What ends it is the token given back, the op's own, its limit or the client's end.
    pub fn execute_async(
        &self,
        op: &Op,
        queue: Option<Arc<Queue>>,
        handler: Arc<dyn Handler>,
    ) -> Result<CancellationToken> {
        let request = op.request_in(&self.core.namespace)?;
        let runtime = self.runtime()?;
        let queue = queue.map_or_else(|| self.own_queue(), Ok)?;
        let (sent, writes) = (Arc::<Fate>::default(), op.writes());
        // Only what writes is of interest after it was sent.
        let written = if writes { sent.clone() } else { Arc::default() };
        let source = Source::of_call(queue, handler, written.clone())?;
        let cancel = op.cancel.as_ref().map_or_else(CancellationToken::new, CancellationToken::child_token);
        let mut limits = op.limits(self);
        limits.cancelled = Some(cancel.clone());
        limits.sent = Some(sent);
        // A queue that is freed has no use for the outcome.
        let ended = cancel.clone();
        self.adopt(&source, move || ended.cancel())?;
        let mut report = Report { source, written, done: false };
        let core = self.core.clone();
        let work = async move { report.done(core.counted(core.send(request, &limits).await)) };
        self.tasks.spawn_on(work, runtime.handle());
        Ok(cancel)
    }
}

/// Reports the outcome once, also if the task is dropped on the way.
struct Report {
    source: Arc<Source>,
    written: Arc<Fate>,
    done: bool,
}

impl Report {
    fn done(&mut self, result: Result<Response>) {
        self.done = true;
        self.source.close_with(Body::Done { result: Some(result) });
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if !self.done {
            let written = self.written.cut();
            self.done(Err(cut_off(Error::closed(), written)));
        }
    }
}
