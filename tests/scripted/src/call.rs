//! One call: reads the request, does the steps.

use crate::answer::{self, Identity, Watched};
use crate::record::Record;
use crate::script::{Body, Last, Step};
use crate::server::{goaway, Group, Server};
use crate::wire::Wire;
use bytes::{Buf, Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, HeaderValue, Request, Response};
use std::future::{poll_fn, Future};
use std::sync::Arc;
use std::time::Instant;

/// Where a call comes in.
pub(crate) struct Place {
    pub server: Arc<Server>,
    pub group: Arc<Group>,
    pub wire: Arc<Wire>,
    pub number: usize,
}

struct Call {
    place: Place,
    stream: u32,
    method: String,
    token: Option<String>,
    respond: SendResponse<Bytes>,
    send: Option<SendStream<Bytes>>,
    /// The DATA sent so far.
    data: usize,
    record: usize,
}

/// Nothing more is to be done for the call.
struct Over;
type Going = Result<(), Over>;

pub(crate) async fn serve(place: Place, request: Request<RecvStream>, respond: SendResponse<Bytes>) {
    let (head, body) = request.into_parts();
    let method = head.uri.path().rsplit('/').next().unwrap_or_default().to_owned();
    let streaming = matches!(&*method, "Watch" | "LeaseKeepAlive");
    let mut incoming = Incoming { body, bytes: BytesMut::new() };
    let mut record = Record {
        connection: place.number,
        stream: respond.stream_id().as_u32(),
        method: method.clone(),
        headers: head.headers,
        messages: Vec::new(),
        at: Instant::now(),
        reset: false,
    };
    if !streaming {
        loop {
            match incoming.message().await {
                Some(Ok(message)) => {
                    (place.group.inspect)(&method, &message);
                    record.messages.push(message);
                }
                None => break,
                // Given up before it was whole.
                Some(Err(())) => return,
            }
        }
    }
    let (stream, token) = (record.stream, record.header("token"));
    let record = place.server.record(record);
    let steps = place.server.steps(&method);
    let mut call = Call { place, stream, method, token, respond, send: None, data: 0, record };
    let _ = match steps {
        Some(steps) => call.run(steps, &mut incoming).await,
        None if streaming => call.stream(&mut incoming).await,
        None => call.step(Step::Ok, &mut incoming).await,
    };
}

impl Call {
    async fn run(&mut self, steps: Vec<Step>, incoming: &mut Incoming) -> Going {
        for step in steps {
            self.step(step, incoming).await?;
        }
        self.step(if self.send.is_some() { Step::Trailers(0, String::new()) } else { Step::Ok }, incoming).await
    }

    async fn step(&mut self, step: Step, incoming: &mut Incoming) -> Going {
        match step {
            Step::Ok => {
                let body = self.plain();
                self.message(&body)?;
                self.trailers(0, "")
            }
            Step::Status(code, text) if self.send.is_none() => self.status_alone(code, &text),
            Step::Status(code, text) | Step::Trailers(code, text) => self.trailers(code, &text),
            Step::Headers => self.headers("application/grpc"),
            Step::ContentType(kind) => self.headers(&kind),
            Step::Message(body) => {
                let message = self.encode(body);
                self.message(&message)
            }
            Step::Raw(bytes) => self.raw(bytes),
            Step::Http(status, kind, text) => self.http(status, &kind, text),
            Step::Delay(time) => self.unless_reset(tokio::time::sleep(time)).await,
            Step::Hold => {
                let server = self.place.server.clone();
                let released = async move { server.permits.acquire().await.map(|permit| permit.forget()) };
                self.unless_reset(async { drop(released.await) }).await
            }
            Step::Never => self.unless_reset(std::future::pending()).await,
            Step::Reset(reason) => {
                match &mut self.send {
                    Some(send) => send.send_reset(reason),
                    None => self.respond.send_reset(reason),
                }
                Err(Over)
            }
            Step::GoAway(last, reason, debug) => {
                let last = match last {
                    Last::Below => self.stream.saturating_sub(2),
                    Last::Here => self.stream,
                    Last::Id(id) => id,
                };
                self.place.wire.inject(goaway(last, reason, &debug));
                self.place.wire.injected().await;
                Ok(())
            }
            Step::End(end) => {
                let (headers, data) = (usize::from(self.send.is_some()), self.data);
                let wire = self.place.wire.clone();
                wire.written(self.stream, |w| w.headers >= headers && w.data >= data).await;
                wire.end(end);
                Err(Over)
            }
            Step::Cut(bytes) => {
                self.place.wire.cut_after(bytes);
                Ok(())
            }
            Step::Recv => self.receive(incoming).await.map(drop),
            Step::Renew(ttl, denied) => self.renew(ttl, denied, incoming).await,
            Step::Token => self.check_token(),
        }
    }

    fn identity(&self) -> Identity {
        self.place.server.state.lock().unwrap().identity
    }

    fn plain(&self) -> Vec<u8> {
        match &*self.method {
            "Authenticate" => {}
            "LeaseGrant" => return answer::granted(self.identity(), self.asked_id(), 60),
            method => return answer::plain(method, self.identity()),
        }
        let mut tokens = self.place.group.tokens.lock().unwrap();
        tokens.given += 1;
        let token = format!("token-{}", tokens.given);
        tokens.valid.push(token.clone());
        answer::token(self.identity(), &token)
    }

    fn encode(&self, body: Body) -> Vec<u8> {
        let of = self.identity();
        match body {
            Body::Plain => self.plain(),
            Body::Bytes(bytes) => bytes,
            Body::Found(key, value, revision) => answer::found(of, &key, &value, revision),
            Body::NotHeld(kv) => answer::not_held(of, kv.as_ref().map(|(k, v, revision)| (&**k, &**v, *revision))),
            Body::Members(urls) => answer::members(of, &urls.iter().map(String::as_str).collect::<Vec<_>>()),
            Body::Watched(watched) => answer::watched(of, &watched),
            Body::Granted(ttl) => answer::granted(of, self.asked_id(), ttl as i64),
            Body::Lease(left, granted) => answer::lease(of, left, granted),
        }
    }

    /// The id in a LeaseGrant: after the time to live.
    fn asked_id(&self) -> u64 {
        let state = self.place.server.state.lock().unwrap();
        let message = state.records[self.record].messages.first().cloned().unwrap_or_default();
        let ttl = message.iter().skip(1).take_while(|byte| **byte >= 0x80).count() + 2;
        varint(message.get(ttl + 1..).unwrap_or_default()) as u64
    }

    async fn renew(&mut self, ttl: i64, denied: Option<u64>, incoming: &mut Incoming) -> Going {
        loop {
            let message = self.receive(incoming).await?;
            let id = varint(message.get(1..).unwrap_or_default()) as u64;
            if denied == Some(id) {
                return self.trailers(7, "etcdserver: permission denied");
            }
            let renewed = answer::granted(self.identity(), id, ttl);
            self.message(&renewed)?;
        }
    }

    fn check_token(&mut self) -> Going {
        let Some(token) = self.token.clone() else {
            self.status_alone(3, "etcdserver: user name is empty")?;
            return Err(Over);
        };
        if !self.place.group.tokens.lock().unwrap().valid.contains(&token) {
            self.status_alone(16, "etcdserver: invalid auth token")?;
            return Err(Over);
        }
        Ok(())
    }

    fn headers(&mut self, kind: &str) -> Going {
        if self.send.is_none() {
            let response = Response::builder().header("content-type", kind).body(()).map_err(|_| Over)?;
            self.send = Some(self.respond.send_response(response, false).map_err(|_| Over)?);
        }
        Ok(())
    }

    fn raw(&mut self, bytes: Vec<u8>) -> Going {
        self.headers("application/grpc")?;
        self.data += bytes.len();
        let send = self.send.as_mut().ok_or(Over)?;
        send.send_data(bytes.into(), false).map_err(|_| Over)
    }

    fn message(&mut self, message: &[u8]) -> Going {
        self.raw(answer::framed(message))
    }

    fn trailers(&mut self, code: i32, text: &str) -> Going {
        self.headers("application/grpc")?;
        let send = self.send.as_mut().ok_or(Over)?;
        let _ = send.send_trailers(status(code, text));
        Err(Over)
    }

    fn status_alone(&mut self, code: i32, text: &str) -> Going {
        let mut response = Response::new(());
        *response.headers_mut() = status(code, text);
        response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
        let _ = self.respond.send_response(response, true);
        Err(Over)
    }

    fn http(&mut self, status: u16, kind: &str, text: String) -> Going {
        let mut response = Response::builder().status(status);
        if !kind.is_empty() {
            response = response.header("content-type", kind);
        }
        let response = response.body(()).map_err(|_| Over)?;
        let mut send = self.respond.send_response(response, false).map_err(|_| Over)?;
        let _ = send.send_data(text.into(), true);
        Err(Over)
    }

    /// Waits for something, or for the client to give up.
    async fn unless_reset(&mut self, work: impl Future<Output = ()>) -> Going {
        let (respond, send) = (&mut self.respond, &mut self.send);
        let reset = poll_fn(|cx| match send {
            Some(send) => send.poll_reset(cx),
            None => respond.poll_reset(cx),
        });
        let given_up = tokio::select! {
            _ = work => return Ok(()),
            reset = reset => reset,
        };
        if given_up.is_ok() {
            self.place.server.amend(self.record, |record| record.reset = true);
        }
        Err(Over)
    }

    async fn receive(&mut self, incoming: &mut Incoming) -> Result<Bytes, Over> {
        match incoming.message().await {
            Some(Ok(message)) => {
                (self.place.group.inspect)(&self.method, &message);
                self.place.server.amend(self.record, |record| record.messages.push(message.clone()));
                Ok(message)
            }
            Some(Err(())) => {
                self.place.server.amend(self.record, |record| record.reset = true);
                Err(Over)
            }
            None => Err(Over),
        }
    }

    /// What a stream does without a script: takes every watch on, and renews every lease.
    async fn stream(&mut self, incoming: &mut Incoming) -> Going {
        self.headers("application/grpc")?;
        let mut watches = 0;
        loop {
            let message = match self.receive(incoming).await {
                Ok(message) => message,
                Err(over) => {
                    let _ = self.trailers(0, "");
                    return Err(over);
                }
            };
            let mut watched = Watched::default();
            match (&*self.method, message.first()) {
                ("Watch", Some(0x0a)) => {
                    watched = Watched { id: watches, created: true, ..watched };
                    watches += 1;
                }
                // An id of 0 is not written down.
                ("Watch", Some(0x12)) => {
                    let id = varint(message.get(3..).unwrap_or_default());
                    watched = Watched { id, canceled: true, ..watched };
                }
                ("Watch", _) => watched.id = -1,
                _ => {
                    let id = varint(message.get(1..).unwrap_or_default());
                    let renewed = answer::granted(self.identity(), id as u64, 60);
                    self.message(&renewed)?;
                    continue;
                }
            }
            let message = answer::watched(self.identity(), &watched);
            self.message(&message)?;
        }
    }
}

fn varint(bytes: &[u8]) -> i64 {
    let mut value = 0;
    for (i, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            break;
        }
    }
    value as i64
}

fn status(code: i32, text: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("grpc-status", HeaderValue::from(code));
    let plain = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b'%';
    let escaped = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    let text: String = text.bytes().map(escaped).collect();
    if let Ok(text) = HeaderValue::from_str(&text) {
        headers.insert("grpc-message", text);
    }
    headers
}

/// The messages of a request.
struct Incoming {
    body: RecvStream,
    bytes: BytesMut,
}

impl Incoming {
    /// `None` at the end.
    async fn message(&mut self) -> Option<Result<Bytes, ()>> {
        loop {
            if self.bytes.len() >= 5 {
                let length = u32::from_be_bytes([self.bytes[1], self.bytes[2], self.bytes[3], self.bytes[4]]) as usize;
                if self.bytes.len() >= 5 + length {
                    self.bytes.advance(5);
                    return Some(Ok(self.bytes.split_to(length).freeze()));
                }
            }
            match self.body.data().await {
                Some(Ok(bytes)) => {
                    let _ = self.body.flow_control().release_capacity(bytes.len());
                    self.bytes.extend_from_slice(&bytes);
                }
                Some(Err(_)) => return Some(Err(())),
                None => return None,
            }
        }
    }
}
