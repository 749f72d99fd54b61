//! What belongs to one process: the shared runtime, and the mark by which handles know a fork.

use crate::core::runtime::Shared;
use once_cell::sync::OnceCell;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::Duration;

pub struct Process {
    pub runtime: Shared,
}

static FIRST: Process = Process { runtime: Shared::new(with_signals_blocked, since_boot) };

/// `FIRST`, or in a forked child one that was made by the fork: locks that other threads of the parent held
/// at that moment stay locked for ever.
static CURRENT: AtomicPtr<Process> = AtomicPtr::new(&raw const FIRST as *mut Process);

pub fn current() -> &'static Process {
    static WATCH_FORKS: OnceCell<()> = OnceCell::new();
    WATCH_FORKS.get_or_init(|| {
        // SAFETY: the handler stays mapped, since the library is linked with -z nodelete.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
    // SAFETY: it points to FIRST or to a leaked box.
    unsafe { &*CURRENT.load(Ordering::Acquire) }
}

extern "C" fn in_child() {
    let process = Process { runtime: Shared::new(with_signals_blocked, since_boot) };
    CURRENT.store(Box::into_raw(Box::new(process)), Ordering::Release);
}

/// What a server's clock runs on while this machine sleeps, this one does too.
fn since_boot() -> Duration {
    #[cfg(target_os = "linux")]
    const CLOCK: libc::clockid_t = libc::CLOCK_BOOTTIME;
    #[cfg(not(target_os = "linux"))]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a plain libc call on a struct that lives here.
    unsafe { libc::clock_gettime(CLOCK, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// All but those that a fault raises in its own thread, and the profiler's.
fn with_signals_blocked(body: &mut dyn FnMut()) {
    // SAFETY: plain libc calls on sets that live here.
    unsafe {
        let mut blocked: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut blocked);
        for signal in [
            libc::SIGSEGV,
            libc::SIGBUS,
            libc::SIGFPE,
            libc::SIGILL,
            libc::SIGTRAP,
            libc::SIGSYS,
            libc::SIGABRT,
            libc::SIGPROF,
        ] {
            libc::sigdelset(&mut blocked, signal);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &blocked, &mut before);
        let _restore = Restore(before);
        body();
    }
}

/// The mask of before, also after a panic.
struct Restore(libc::sigset_t);

impl Drop for Restore {
    fn drop(&mut self) {
        // SAFETY: a plain libc call on a set that lives here.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, std::ptr::null_mut()) };
    }
}
