//! One scripted server: its connections, its rules, and what it was asked.

use crate::answer::Identity;
use crate::call;
use crate::record::Record;
use crate::script::Step;
use crate::wire::{End, Tap, Wire};
use bytes::{BufMut, Bytes, BytesMut};
use h2::Reason;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::AbortHandle;

/// What a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Grpc,
    /// Takes connections and never says anything.
    Silent,
    /// HTTP/1.1, and that only to refuse.
    Text,
    /// Closes every connection at once.
    Dropping,
}

#[derive(Debug)]
pub(crate) struct Server {
    pub address: SocketAddr,
    kind: Kind,
    /// How many calls of one connection it serves at a time.
    streams: Option<u32>,
    pub state: Mutex<State>,
    pub changed: Notify,
    /// What the step `hold` waits for.
    pub permits: Semaphore,
}

#[derive(Debug)]
pub(crate) struct State {
    pub identity: Identity,
    pub rules: Vec<Rule>,
    pub records: Vec<Record>,
    /// Connections taken so far.
    pub taken: usize,
    pub open: HashMap<usize, Arc<Wire>>,
    listener: Option<AbortHandle>,
    /// Those that speak no HTTP/2.
    others: Vec<AbortHandle>,
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub method: String,
    /// For how many more calls; `None` for all.
    pub left: Option<usize>,
    pub steps: Vec<Step>,
}

/// What all servers of a test share.
#[derive(Debug)]
pub(crate) struct Group {
    pub servers: Mutex<Vec<Arc<Server>>>,
    pub tokens: Mutex<Tokens>,
    pub started: Instant,
    pub inspect: crate::Inspect,
}

#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub given: usize,
    pub valid: Vec<String>,
}

pub(crate) fn named(name: &str, asked: &str) -> bool {
    asked == "*" || name == asked
}

impl Server {
    pub async fn serve(group: &Arc<Group>, kind: Kind, streams: Option<u32>) -> io::Result<Arc<Server>> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let mut servers = group.servers.lock().unwrap();
        let identity = Identity { cluster: 1, member: servers.len() as u64 + 1, revision: 2 };
        let server = Arc::new(Server {
            address: listener.local_addr()?,
            kind,
            streams,
            state: Mutex::new(State {
                identity,
                rules: Vec::new(),
                records: Vec::new(),
                taken: 0,
                open: HashMap::new(),
                listener: None,
                others: Vec::new(),
            }),
            changed: Notify::new(),
            permits: Semaphore::new(0),
        });
        server.listen(group, listener);
        servers.push(server.clone());
        Ok(server)
    }

    fn listen(self: &Arc<Self>, group: &Arc<Group>, listener: TcpListener) {
        let (server, group) = (self.clone(), group.clone());
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                server.take(&group, socket);
            }
        });
        self.state.lock().unwrap().listener = Some(task.abort_handle());
    }

    /// Listens again after [`Server::stop`].
    pub async fn start(self: &Arc<Self>, group: &Arc<Group>) -> io::Result<()> {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(self.address)?;
        self.listen(group, socket.listen(1024)?);
        Ok(())
    }

    /// Ends all connections and refuses new ones.
    pub fn stop(&self) {
        if let Some(listener) = self.state.lock().unwrap().listener.take() {
            listener.abort();
        }
        self.end_all(End::Close);
    }

    pub fn end_all(&self, end: End) {
        let mut state = self.state.lock().unwrap();
        state.open.values().for_each(|wire| wire.end(end));
        state.others.drain(..).for_each(|task| task.abort());
    }

    fn take(self: &Arc<Self>, group: &Arc<Group>, socket: TcpStream) {
        let _ = socket.set_nodelay(true);
        let wire = Arc::new(Wire::default());
        let mut state = self.state.lock().unwrap();
        let number = state.taken;
        state.taken += 1;
        if self.kind == Kind::Grpc {
            state.open.insert(number, wire.clone());
            tokio::spawn(self.clone().speak(group.clone(), socket, wire, number));
        } else {
            state.others.push(tokio::spawn(refuse(self.kind, socket)).abort_handle());
        }
        drop(state);
        self.changed.notify_waiters();
    }

    async fn speak(self: Arc<Self>, group: Arc<Group>, socket: TcpStream, wire: Arc<Wire>, number: usize) {
        let mut builder = h2::server::Builder::new();
        if let Some(streams) = self.streams {
            builder.max_concurrent_streams(streams);
        }
        if let Ok(mut connection) = builder.handshake::<_, Bytes>(Tap { socket, wire: wire.clone() }).await {
            while let Some(Ok((request, respond))) = connection.accept().await {
                let place = call::Place { server: self.clone(), group: group.clone(), wire: wire.clone(), number };
                tokio::spawn(call::serve(place, request, respond));
            }
        }
        self.state.lock().unwrap().open.remove(&number);
        self.changed.notify_waiters();
    }

    /// What the script says of the next call of a method.
    pub fn steps(&self, method: &str) -> Option<Vec<Step>> {
        let mut state = self.state.lock().unwrap();
        let mut rules = state.rules.iter_mut();
        let rule = rules.find(|rule| named(method, &rule.method) && rule.left != Some(0))?;
        if let Some(left) = &mut rule.left {
            *left -= 1;
        }
        Some(rule.steps.clone())
    }

    /// Writes something down; its place.
    pub fn record(&self, record: Record) -> usize {
        let mut state = self.state.lock().unwrap();
        state.records.push(record);
        self.changed.notify_waiters();
        state.records.len() - 1
    }

    pub fn amend(&self, place: usize, change: impl FnOnce(&mut Record)) {
        // Forgotten meanwhile, perhaps.
        if let Some(record) = self.state.lock().unwrap().records.get_mut(place) {
            change(record);
        }
        self.changed.notify_waiters();
    }

    /// Waits until the state is as wanted.
    pub async fn until(&self, wanted: impl Fn(&State) -> bool) {
        let mut changed = std::pin::pin!(self.changed.notified());
        loop {
            changed.as_mut().enable();
            if wanted(&self.state.lock().unwrap()) {
                return;
            }
            changed.as_mut().await;
            changed.set(self.changed.notified());
        }
    }
}

impl State {
    pub fn of<'a>(&'a self, method: &'a str) -> impl Iterator<Item = &'a Record> {
        self.records.iter().filter(move |record| named(&record.method, method))
    }
}

async fn refuse(kind: Kind, mut socket: TcpStream) {
    if kind == Kind::Dropping {
        return;
    }
    let mut bytes = [0; 4096];
    loop {
        match socket.read(&mut bytes).await {
            Ok(n) if n > 0 => {}
            _ => return,
        }
        if kind == Kind::Text {
            let answer =
                b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nno gRPC here\n";
            let _ = socket.write_all(answer).await;
            return;
        }
    }
}

/// The frame by which a server says that it takes no more streams.
pub(crate) fn goaway(last: u32, reason: Reason, debug: &str) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_uint(8 + debug.len() as u64, 3);
    frame.put_slice(&[7, 0, 0, 0, 0, 0]);
    frame.put_u32(last);
    frame.put_u32(reason.into());
    frame.put_slice(debug.as_bytes());
    frame.freeze()
}
