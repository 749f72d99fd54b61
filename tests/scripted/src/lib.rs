//! A gRPC server that answers by script, for exact frames and for faults that a real etcd cannot be made to show.
//!
//! A [`Scripted`] runs in the process of a test; the test, or a C program that it starts, talks to it in lines
//! over [`Scripted::control`]: `on 0 Put 1 status 14 etcdserver: no leader` scripts the next Put of server 0,
//! `count 0 Put` asks how many came. [`help`] lists the commands; the steps are those of `script::Step`.

mod answer;
mod call;
mod command;
mod record;
mod script;
mod server;
mod wire;

use server::{Group, Tokens};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::sync::oneshot;

/// Looks at every message of every request, by the method it came with, on the servers' own thread.
pub type Inspect = fn(method: &str, message: &[u8]);

/// Scripted servers with one control port. They end when it is dropped.
#[derive(Debug)]
pub struct Scripted {
    control: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Scripted {
    pub fn start() -> io::Result<Scripted> {
        Scripted::inspected(|_, _| {})
    }

    pub fn inspected(inspect: Inspect) -> io::Result<Scripted> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let control = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("scripted".into()).spawn(move || {
            // Also when the sender is dropped.
            runtime.block_on(async {
                tokio::select! { () = listen(listener, inspect) => {}, _ = stopped => {} }
            });
        })?;
        Ok(Scripted { control, stop: Some(stop), thread: Some(thread) })
    }

    /// "127.0.0.1:port", where each connection takes commands. All share the servers.
    pub fn control(&self) -> String {
        self.control.to_string()
    }

    /// Gives one command; what the answer says after "ok".
    pub fn command(&self, line: &str) -> Result<String, String> {
        let answer = self.ask(line).map_err(|error| format!("{line}: {error}"))?;
        match answer.strip_prefix("ok") {
            Some(answer) => Ok(answer.trim_start().to_owned()),
            None => Err(answer),
        }
    }

    fn ask(&self, line: &str) -> io::Result<String> {
        let mut socket = TcpStream::connect(self.control)?;
        socket.write_all(format!("{line}\n").as_bytes())?;
        let mut answer = String::new();
        BufReader::new(socket).read_line(&mut answer)?;
        Ok(answer.trim_end().to_owned())
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The commands, one a line.
pub fn help() -> &'static str {
    command::HELP
}

async fn listen(listener: TcpListener, inspect: Inspect) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let group = Arc::new(Group {
        servers: Mutex::new(Vec::new()),
        tokens: Mutex::new(Tokens::default()),
        started: Instant::now(),
        inspect,
    });
    while let Ok((socket, _)) = listener.accept().await {
        let group = group.clone();
        tokio::spawn(async move {
            let _ = socket.set_nodelay(true);
            let (read, mut write) = socket.into_split();
            let mut lines = tokio::io::BufReader::new(read).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let answer = command::execute(&group, &line).await;
                if write.write_all(format!("{answer}\n").as_bytes()).await.is_err() {
                    return;
                }
            }
        });
    }
}
