//! F23: snapshots whose connection is cut or damaged, whose checksum is wrong, or for which there is no room. None of them
//! leaves anything in place of what was there.

use super::{Scenario, Setting};
use crate::evidence::Evidence;
use crate::history::Recorder;
use crate::library::{Client, Config, Fault, Op, SNAPSHOT_CORRUPT, SYSTEM};
use crate::proxy::{Direction, End, Proxy};
use crate::report::Report;
use crate::world::Result;
use etcd3_scripted::Scripted;
use etcd_run::Server;
use std::ffi::CString;
use std::fs::File;
use std::io::Error;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

pub const SCENARIO: Scenario =
    Scenario { name: "F23", title: "snapshots cut, damaged, without room", fast: 2, full: 20, run };

const LARGE: usize = 200;
const SMALLER: usize = 16;
const MEGABYTE: usize = 1_000_000;
const FILLERS: usize = 4;
/// For all of a snapshot.
const LIMIT: Duration = Duration::from_secs(60);
/// More than is under way before the first bytes are read: from there on no other attempt is made.
const UNDER_WAY: u64 = 4_000_000;
/// What comes after the last of the data: a checksum, trailers, an acknowledged ping or two.
const END: u64 = 4096;
/// The largest pieces in which a server sends it.
const PIECE: usize = 32 * 1024;
const PAGE: usize = 512;

/// What is snapshot, and from where.
struct Stage {
    report: Report,
    rng: fastrand::Rng,
    evidence: Arc<Evidence>,
    proxy: Proxy,
    client: Client,
    scripted: Scripted,
    directory: tempfile::TempDir,
    /// The size of a snapshot, and how many bytes carry it.
    bytes: u64,
    carried: u64,
    slowest: Duration,
}

fn run(setting: &Setting) -> Result<Report> {
    let server = Server::builder(&setting.version).flag("--quota-backend-bytes=8589934592").start()?;
    fill(server.endpoint(), if setting.full { LARGE } else { SMALLER }, setting.seed)?;
    let proxy = Proxy::new(server.endpoint(), setting.seed)?;
    let log = server.directory().join("etcd.log");
    let recorder = Arc::new(Recorder::default());
    let mut stage = Stage {
        report: Report { version: server.version().into(), ..Report::default() },
        rng: fastrand::Rng::with_seed(setting.seed),
        evidence: Evidence::new(setting.name, setting.seed, server.version(), vec![log], recorder),
        client: Client::open(Config::new(&[proxy.address()]).timeout(LIMIT))?,
        proxy,
        scripted: Scripted::start()?,
        directory: tempfile::tempdir()?,
        bytes: 0,
        carried: 0,
        slowest: Duration::ZERO,
    };
    stage.whole()?;
    stage.report.figure(format!("a snapshot of {} bytes", stage.bytes));
    while stage.report.rounds < setting.rounds {
        stage.report.rounds += 1;
        stage.cut()?;
        stage.damaged()?;
        stage.odd_ends()?;
        stage.no_room()?;
        stage.whole()?;
    }
    let slowest = stage.slowest;
    stage.report.figure(format!("the slowest failure took {slowest:.2?}"));
    stage.report.demand(slowest < LIMIT, || format!("a call took {slowest:?}"));
    stage.evidence.settle(&stage.report.problems);
    Ok(stage.report)
}

/// So many megabytes that cannot be made smaller.
fn fill(endpoint: &str, megabytes: usize, seed: u64) -> Result<()> {
    let client = Client::open(Config::new(&[endpoint]).timeout(LIMIT))?;
    let fill = |filler: usize| -> Result<()> {
        let mut rng = fastrand::Rng::with_seed(seed.wrapping_add(filler as u64));
        let mut value = vec![0; MEGABYTE];
        for i in (filler..megabytes).step_by(FILLERS) {
            rng.fill(&mut value);
            client.execute(&Op::put(format!("fill/{i:03}").as_bytes(), &value))?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let fill = &fill;
        let fillers: Vec<_> = (0..FILLERS).map(|filler| scope.spawn(move || fill(filler))).collect();
        fillers.into_iter().try_for_each(|filler| filler.join().expect("it does not panic"))
    })
}

impl Stage {
    /// One that succeeds, and is whole as another program sees it.
    fn whole(&mut self) -> Result<()> {
        let path = self.directory.path().join("old.db");
        let before = self.proxy.carried(Direction::Down);
        let taken = Instant::now();
        match self.client.snapshot_to_file(&path, LIMIT) {
            Ok(bytes) => self.bytes = bytes as u64,
            Err(fault) if self.bytes == 0 => return Err(fault.into()),
            Err(fault) => self.report.problem(format!("a snapshot failed with nothing in its way: {fault}")),
        }
        self.report.recovered("whole", Some(taken.elapsed()));
        self.carried = self.proxy.carried(Direction::Down) - before;
        let (body, sum) = split(&path)?;
        let length = std::fs::metadata(&path)?.len();
        self.report.demand(length == self.bytes, || format!("{length} bytes in the file, {} said", self.bytes));
        self.report.demand(body == sum, || format!("the file is not what its checksum says: {body} {sum}"));
        Ok(())
    }

    /// Its connection is cut midway.
    fn cut(&mut self) -> Result<()> {
        let end = if self.rng.bool() { End::Fin } else { End::Rst };
        let at = self.rng.u64(UNDER_WAY..self.carried - END);
        self.evidence.note(&format!("{end:?} after {at} bytes of {}", self.carried));
        self.proxy.cut_after(at, Direction::Down, end);
        self.fails("cut", SNAPSHOT_CORRUPT, "ended early", |stage, path| stage.client.snapshot_to_file(path, LIMIT))
    }

    /// A byte of it is changed on its way: of the data, or of a frame.
    fn damaged(&mut self) -> Result<()> {
        let at = self.rng.u64(UNDER_WAY..self.carried - UNDER_WAY / 4);
        self.evidence.note(&format!("byte {at} of {} is changed", self.carried));
        self.proxy.corrupt_after(at, Direction::Down);
        self.fails("damaged", SNAPSHOT_CORRUPT, "", |stage, path| stage.client.snapshot_to_file(path, LIMIT))
    }

    /// Ends that a server never sends.
    fn odd_ends(&mut self) -> Result<()> {
        let mut body = vec![0; 8 * PIECE];
        self.rng.fill(&mut body);
        let file = self.directory.path().join("body");
        std::fs::write(&file, &body)?;
        let right = sha256(&file, body.len() as u64)?;
        std::fs::remove_file(&file)?;
        let mut wrong = right.clone().into_bytes();
        let digit = self.rng.usize(..wrong.len());
        wrong[digit] = if wrong[digit] == b'0' { b'1' } else { b'0' };
        let (wrong, less) = (String::from_utf8(wrong)?, body.len() - PAGE);
        let ends = [
            ("another checksum", body.len(), &*wrong, "trailers 0", "not what its checksum says"),
            ("a page too few", less, &right, "trailers 0", "not what its checksum says"),
            ("no checksum", body.len(), "", "trailers 0", "not whole"),
            ("half a checksum", body.len(), &right[..32], "trailers 0", "not whole"),
            ("an error at the end", body.len(), &right, "trailers 13 disk on fire", "disk on fire"),
            ("no end", body.len(), &right, "abort", "ended early"),
        ];
        let served = self.scripted.command("serve")?;
        let (number, address) = served.split_once(' ').ok_or("no address")?;
        let client = Client::open(Config::new(&[address]).timeout(LIMIT))?;
        for (what, length, sum, end, text) in ends {
            let pieces: String = body[..length].chunks(PIECE).map(|piece| message(&hex(piece))).collect();
            let sum = if sum.is_empty() { String::new() } else { message(sum) };
            self.scripted.command(&format!("on {number} Snapshot 1 headers{pieces}{sum} | {end}"))?;
            self.evidence.note(what);
            self.fails(what, SNAPSHOT_CORRUPT, text, |_, path| client.snapshot_to_file(path, LIMIT))?;
        }
        self.scripted.command(&format!("stop {number}"))?;
        Ok(())
    }

    /// There is no room for all of it: in the file system, for this process, at what a descriptor is of.
    fn no_room(&mut self) -> Result<()> {
        let room = self.rng.u64(PIECE as u64..self.bytes - PIECE as u64);
        self.evidence.note(&format!("room for {room} bytes"));
        match self.in_small_file_system(room) {
            Ok(done) => done?,
            Err(why) if self.report.rounds == 1 => {
                self.report.figure(format!("SKIPPED a full file system, since none can be made here: {why}"));
            }
            Err(_) => {}
        }
        self.fails("a limit", SYSTEM, "File too large", |stage, path| {
            let limited = Limited::to(room);
            let failed = stage.client.snapshot_to_file(path, LIMIT);
            drop(limited);
            failed
        })?;
        let full = File::options().write(true).open("/dev/full")?;
        let failed = self.client.snapshot_to_fd(full.as_fd(), LIMIT);
        self.demand("/dev/full", SYSTEM, "No space left on device", failed);
        Ok(())
    }

    /// Has a thread of its own, with a file system that nobody else sees and that is gone with it; why it could not have.
    fn in_small_file_system(&mut self, room: u64) -> std::result::Result<Result<()>, Error> {
        let mount_point = self.directory.path().join("small");
        std::fs::create_dir_all(&mount_point)?;
        let work = || {
            mount_privately(&mount_point, room)?;
            Ok(self.fails_in(&mount_point, "no space", SYSTEM, "No space left on device", |stage, path| {
                stage.client.snapshot_to_file(path, LIMIT)
            }))
        };
        std::thread::scope(|scope| scope.spawn(work).join().expect("it does not panic"))
    }

    fn fails(
        &mut self,
        what: &str,
        code: i32,
        text: &str,
        make: impl Fn(&Stage, &Path) -> std::result::Result<i64, Fault>,
    ) -> Result<()> {
        let directory = self.directory.path().to_owned();
        self.fails_in(&directory, what, code, text, make)
    }

    /// A snapshot fails, where there is a file already or where there is none, and what is there is as it was.
    fn fails_in(
        &mut self,
        directory: &Path,
        what: &str,
        code: i32,
        text: &str,
        make: impl Fn(&Stage, &Path) -> std::result::Result<i64, Fault>,
    ) -> Result<()> {
        let (old, new) = (directory.join("old.db"), directory.join("new.db"));
        if !old.exists() {
            std::fs::write(&old, "what was there before")?;
        }
        let path = if self.rng.bool() { &old } else { &new };
        let before = listing(directory)?;
        let begun = Instant::now();
        let failed = make(self, path);
        self.slowest = self.slowest.max(begun.elapsed());
        self.demand(what, code, text, failed);
        let after = listing(directory)?;
        self.report.demand(before == after, || format!("{what}: {before:?} has become {after:?}"));
        Ok(())
    }

    fn demand(&mut self, what: &str, code: i32, text: &str, failed: std::result::Result<i64, Fault>) {
        let right = |fault: &Fault| fault.code == code && fault.message.contains(text) && !fault.maybe_applied;
        match failed {
            Ok(bytes) => self.report.problem(format!("{what}: a snapshot of {bytes} bytes succeeded")),
            Err(fault) => self.report.demand(right(&fault), || format!("{what}: not {code} with {text:?}: {fault}")),
        }
    }
}

/// A message with a blob, as a step of a script.
fn message(hex: &str) -> String {
    let mut length = hex.len() / 2;
    let mut varint = String::new();
    while length >= 128 {
        varint += &format!("{:02x}", length % 128 + 128);
        length /= 128;
    }
    format!(" | message hex 1a{varint}{length:02x}{hex}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 of the first bytes of a file, by another program.
fn sha256(path: &Path, bytes: u64) -> Result<String> {
    let script = r#"head -c "$1" "$2" | sha256sum"#;
    let output = Command::new("sh").args(["-c", script, "sh", &bytes.to_string()]).arg(path).output()?;
    let text = String::from_utf8(output.stdout)?;
    let sum = text.split(' ').next().filter(|sum| sum.len() == 64);
    Ok(sum.ok_or_else(|| format!("sha256sum: {}", String::from_utf8_lossy(&output.stderr)))?.into())
}

/// The checksum of what a snapshot has before its own, and that one.
fn split(path: &Path) -> Result<(String, String)> {
    const SUM: usize = 32;
    let bytes = std::fs::read(path)?;
    let body = bytes.len().checked_sub(SUM).ok_or("the file is too short")?;
    Ok((sha256(path, body as u64)?, hex(&bytes[body..])))
}

/// What is in a directory: names, and of each which file it is, how large, and when it was written to.
fn listing(directory: &Path) -> Result<Vec<(PathBuf, u64, u64, SystemTime)>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let about = std::fs::metadata(&path)?;
        if about.is_file() {
            all.push((path, about.ino(), about.len(), about.modified()?));
        }
    }
    all.sort();
    Ok(all)
}

/// Mounts a file system of so many bytes for this thread alone.
fn mount_privately(at: &Path, bytes: u64) -> std::result::Result<(), Error> {
    let at = CString::new(at.to_str().expect("a path in UTF-8"))?;
    let size = CString::new(format!("size={bytes}"))?;
    let (none, kind) = (std::ptr::null(), c"tmpfs".as_ptr());
    let check = |code: libc::c_int| if code == 0 { Ok(()) } else { Err(Error::last_os_error()) };
    // SAFETY: strings that end with NUL, and this thread's own view of the file systems.
    unsafe {
        check(libc::unshare(libc::CLONE_NEWNS))?;
        check(libc::mount(none, c"/".as_ptr(), none, libc::MS_REC | libc::MS_PRIVATE, none.cast()))?;
        check(libc::mount(kind, at.as_ptr(), kind, 0, size.as_ptr().cast()))
    }
}

/// While it lives, this process may write files of so many bytes only.
struct Limited(libc::rlimit);

impl Limited {
    fn to(bytes: u64) -> Limited {
        let mut before = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: structures of ours. Without a handler the signal would end the process.
        unsafe {
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            libc::getrlimit(libc::RLIMIT_FSIZE, &mut before);
            libc::setrlimit(libc::RLIMIT_FSIZE, &libc::rlimit { rlim_cur: bytes, ..before });
        }
        Limited(before)
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        // SAFETY: a structure of ours.
        unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &self.0) };
    }
}
