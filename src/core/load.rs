//! How much of what was sent to a client waits in queues, and when a watch has to stop (§6.24).

use super::event::Body;
use super::proto::mvccpb;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

/// What counts as nothing: word of a connection that came and went.
const NOTHING: i64 = 4096;

/// What all watches of a client together may have waiting.
#[derive(Debug)]
pub struct Budget {
    most: i64,
    used: AtomicI64,
}

impl Budget {
    pub fn new(most: i64) -> Arc<Self> {
        Arc::new(Budget { most, used: AtomicI64::new(0) })
    }
}

/// What a source has waiting in its queue, and how far it was delivered.
#[derive(Default)]
pub struct Load {
    bytes: AtomicI64,
    events: AtomicI64,
    resume: AtomicI64,
    flow: OnceLock<Box<Flow>>,
}

/// The limits of a watch.
pub struct Flow {
    /// The most bytes it may have waiting.
    pub most: i64,
    pub budget: Arc<Budget>,
    /// Called when a parked watch is half drained.
    pub drained: Box<dyn Fn() + Send + Sync>,
    pub parked: AtomicBool,
}

impl Load {
    pub fn set_flow(&self, flow: Flow) {
        let _ = self.flow.set(Box::new(flow));
    }

    pub fn is_watch(&self) -> bool {
        self.flow.get().is_some()
    }

    pub fn bytes(&self) -> i64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub fn events(&self) -> i64 {
        self.events.load(Ordering::Relaxed)
    }

    /// With which start revision a watch would go on after what the caller took; 0 if that is not known yet.
    pub fn resume(&self) -> i64 {
        self.resume.load(Ordering::Relaxed)
    }

    pub fn reached(&self, resume: i64) {
        self.resume.fetch_max(resume, Ordering::Relaxed);
    }

    /// What was delivered is of no use any more.
    pub fn restart(&self) {
        self.resume.store(0, Ordering::Relaxed);
    }

    /// Whether so many bytes more may wait. Who has nothing waiting may always get one response, however large, so
    /// that everybody gets on; and the last eighth of the client's budget is for those who hold little of it, so that
    /// a caller who takes nothing does not stop the others.
    pub fn has_room(&self, more: i64) -> bool {
        let (Some(flow), bytes) = (self.flow.get(), self.bytes()) else { return true };
        if bytes < NOTHING {
            return true;
        }
        let share = flow.budget.most / 8;
        let most = flow.budget.most - if bytes > NOTHING.max(share / 32) { share } else { 0 };
        bytes + more <= flow.most && flow.budget.used.load(Ordering::Relaxed) + more <= most
    }

    pub(super) fn add(&self, bytes: i64) {
        self.bytes.fetch_add(bytes, Ordering::AcqRel);
        self.events.fetch_add(1, Ordering::Relaxed);
        if let Some(flow) = self.flow.get() {
            flow.budget.used.fetch_add(bytes, Ordering::AcqRel);
        }
    }

    pub(super) fn take(&self, bytes: i64) {
        self.events.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::AcqRel);
        if let Some(flow) = self.flow.get() {
            flow.budget.used.fetch_sub(bytes, Ordering::AcqRel);
            self.look(flow);
        }
    }

    /// Has `drained` called once, when half of what waits is taken; now if it is already.
    pub fn park(&self) {
        if let Some(flow) = self.flow.get() {
            flow.parked.store(true, Ordering::SeqCst);
            self.look(flow);
        }
    }

    fn look(&self, flow: &Flow) {
        let bytes = self.bytes.load(Ordering::SeqCst);
        let fits = 2 * bytes <= flow.most && 2 * flow.budget.used.load(Ordering::SeqCst) <= flow.budget.most;
        if (bytes < NOTHING || fits) && flow.parked.swap(false, Ordering::SeqCst) {
            (flow.drained)();
        }
    }
}

/// About what an event takes in memory while it waits.
pub fn cost(body: &Body) -> i64 {
    let data = match body {
        Body::Watch { changes, .. } => changes.iter().map(weight).sum(),
        Body::State { error: Some(error), .. } => error.message.len(),
        _ => 0,
    };
    (size_of::<super::event::Event>() + data) as i64
}

pub fn weight(change: &mvccpb::Event) -> usize {
    let bytes = |kv: &Option<mvccpb::KeyValue>| kv.as_ref().map_or(0, |kv| kv.key.len() + kv.value.len());
    size_of::<mvccpb::Event>() + bytes(&change.kv) + bytes(&change.prev_kv)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(most: i64, budget: &Arc<Budget>, drained: &Arc<AtomicI64>) -> Load {
        let (load, drained) = (Load::default(), drained.clone());
        let drained = Box::new(move || {
            drained.fetch_add(1, Ordering::Relaxed);
        });
        load.set_flow(Flow { most, budget: budget.clone(), drained, parked: AtomicBool::new(false) });
        load
    }

    const K: i64 = 10_000;

    #[test]
    fn one_response_always_fits() {
        let (budget, drained) = (Budget::new(1000 * K), Arc::default());
        let load = flow(100 * K, &budget, &drained);
        load.add(100);
        assert!(load.has_room(5000 * K));
        load.add(60 * K - 100);
        assert!(load.has_room(40 * K) && !load.has_room(40 * K + 1));
    }

    #[test]
    fn half_drained_is_told_once() {
        let (budget, drained) = (Budget::new(1000 * K), Arc::<AtomicI64>::default());
        let load = flow(100 * K, &budget, &drained);
        (0..4).for_each(|_| load.add(25 * K));
        load.park();
        load.take(25 * K);
        assert_eq!(drained.load(Ordering::Relaxed), 0);
        load.take(25 * K);
        load.take(25 * K);
        assert_eq!(drained.load(Ordering::Relaxed), 1);
        load.park();
        assert_eq!(drained.load(Ordering::Relaxed), 2);
        assert_eq!((load.bytes(), load.events()), (25 * K, 1));
    }

    #[test]
    fn who_takes_nothing_does_not_stop_the_others() {
        let (budget, drained) = (Budget::new(6400 * K), Arc::<AtomicI64>::default());
        let (stuck, other) = (flow(6400 * K, &budget, &drained), flow(6400 * K, &budget, &drained));
        stuck.add(5600 * K);
        assert!(!stuck.has_room(K));
        other.add(20 * K);
        assert!(other.has_room(700 * K) && !other.has_room(900 * K));
        // While the budget is used up a watch goes on when it has nothing waiting.
        other.park();
        assert_eq!(drained.load(Ordering::Relaxed), 0);
        other.take(20 * K);
        assert_eq!(drained.load(Ordering::Relaxed), 1);
    }
}
