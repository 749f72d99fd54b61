//! A child process that never outlives this one.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus};
use std::sync::{mpsc, Arc, Condvar, Mutex};
use std::time::Duration;

/// How long a process may take to end after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(2);

/// A child process. It is killed when this process ends, however it ends.
#[derive(Debug)]
pub struct Process {
    pid: libc::pid_t,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    status: Mutex<Option<ExitStatus>>,
    ended: Condvar,
}

impl Process {
    /// Starts `command`.
    ///
    /// It is started by a thread that lives until the child has ended: the kernel kills a child
    /// with PR_SET_PDEATHSIG when the *thread* that started it ends, and the caller's may end long
    /// before the process does.
    pub fn spawn(mut command: Command) -> io::Result<Process> {
        let parent = std::process::id();
        let prepare = move || {
            // SAFETY: only async-signal-safe calls, on values of our own.
            unsafe {
                // Of the thread that starts it a child also inherits blocked signals, and one that
                // blocks SIGTERM cannot be asked to end.
                let mut none = std::mem::zeroed();
                libc::sigemptyset(&mut none);
                libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
                // What a shell starts in the background ignores this one, and so would what is to be interrupted.
                libc::signal(libc::SIGINT, libc::SIG_DFL);
                #[cfg(target_os = "linux")]
                if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                    return Err(io::Error::last_os_error());
                }
                // The parent may have ended before the prctl.
                if libc::getppid() as u32 != parent {
                    return Err(io::Error::from_raw_os_error(libc::ESRCH));
                }
            }
            Ok(())
        };
        // SAFETY: `prepare` does nothing that is forbidden after fork.
        unsafe { command.pre_exec(prepare) };
        let state = Arc::new(State::default());
        let theirs = Arc::clone(&state);
        let (started, start) = mpsc::channel();
        std::thread::Builder::new().name("etcd-run-child".into()).spawn(move || tend(command, &started, &theirs))?;
        let pid = start.recv().map_err(|_| io::Error::other("the starting thread panicked"))??;
        Ok(Process { pid, state })
    }

    pub fn pid(&self) -> u32 {
        self.pid as u32
    }

    /// Sends a signal; false if the process has ended already.
    pub fn signal(&self, signal: i32) -> bool {
        // With the lock held the pid is not reaped, so it cannot be another process's.
        let status = self.state.status.lock().unwrap();
        // SAFETY: no memory is involved.
        status.is_none() && unsafe { libc::kill(self.pid, signal) } == 0
    }

    /// Stops the process with SIGSTOP and waits until it stands still; false if it has ended.
    pub fn pause(&self) -> bool {
        if !self.signal(libc::SIGSTOP) {
            return false;
        }
        // Not taking the news away: a second pause waits for the same.
        let news = libc::WSTOPPED | libc::WEXITED | libc::WNOWAIT;
        wait_for(self.pid, news).is_ok_and(|code| code == libc::CLD_STOPPED)
    }

    /// Lets a paused process go on; false if it has ended.
    pub fn resume(&self) -> bool {
        self.signal(libc::SIGCONT)
    }

    /// Waits until the process ends.
    pub fn wait(&self) -> ExitStatus {
        let mut status = self.state.status.lock().unwrap();
        loop {
            match *status {
                Some(status) => return status,
                None => status = self.state.ended.wait(status).unwrap(),
            }
        }
    }

    /// Waits until the process ends, but no longer than `limit`.
    pub fn wait_timeout(&self, limit: Duration) -> Option<ExitStatus> {
        let status = self.state.status.lock().unwrap();
        let running = |status: &mut Option<ExitStatus>| status.is_none();
        let waited = self.state.ended.wait_timeout_while(status, limit, running);
        *waited.unwrap().0
    }

    pub fn kill(&self) -> ExitStatus {
        self.signal(libc::SIGKILL);
        self.wait()
    }

    /// Asks the process to end, and kills it if it does not.
    pub fn end(&self) -> ExitStatus {
        self.signal(libc::SIGTERM);
        // A paused process sees no SIGTERM.
        self.signal(libc::SIGCONT);
        match self.wait_timeout(PATIENCE) {
            Some(status) => status,
            None => self.kill(),
        }
    }
}

fn tend(mut command: Command, started: &mpsc::Sender<io::Result<libc::pid_t>>, state: &State) {
    let spawned = command.spawn();
    // Pipes may be among its arguments, and the other end waits for their last writer.
    drop(command);
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            let _ = started.send(Err(error));
            return;
        }
    };
    let pid = child.id() as libc::pid_t;
    let _ = started.send(Ok(pid));
    wait_for(pid, libc::WEXITED | libc::WNOWAIT).expect("our own child can be waited for");
    let mut status = state.status.lock().unwrap();
    *status = Some(child.wait().expect("our own child can be waited for"));
    state.ended.notify_all();
}

/// What happened to the process: CLD_EXITED, CLD_KILLED, CLD_STOPPED, …
fn wait_for(pid: libc::pid_t, what: i32) -> io::Result<i32> {
    // SAFETY: all zeroes are a valid siginfo_t.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: `info` is ours.
        if unsafe { libc::waitid(libc::P_PID, pid as libc::id_t, &mut info, what) } == 0 {
            return Ok(info.si_code);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
