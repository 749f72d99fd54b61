//! What a client sees of each kind of step.

use bytes::Bytes;
use etcd3_scripted::Scripted;
use h2::client::SendRequest;
use h2::Reason;
use http::{HeaderMap, Request};

/// A call's headers, data and trailers, or how it failed.
type Answer = Result<(HeaderMap, Vec<u8>, HeaderMap), h2::Error>;

struct Client {
    runtime: tokio::runtime::Runtime,
    send: SendRequest<Bytes>,
}

impl Client {
    fn connect(address: &str) -> Client {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let send = runtime.block_on(async {
            let socket = tokio::net::TcpStream::connect(address).await.unwrap();
            let (send, connection) = h2::client::handshake(socket).await.unwrap();
            tokio::spawn(connection);
            send
        });
        Client { runtime, send }
    }

    fn call(&self, method: &str, body: &'static [u8]) -> Answer {
        self.runtime.block_on(call(self.send.clone(), method.to_owned(), body))
    }
}

async fn call(send: SendRequest<Bytes>, method: String, body: &'static [u8]) -> Answer {
    let request = Request::post(format!("http://scripted/etcdserverpb.KV/{method}")).body(()).unwrap();
    let mut send = send.ready().await?;
    let (response, mut sending) = send.send_request(request, false)?;
    let mut framed = vec![0, 0, 0, 0, body.len() as u8];
    framed.extend_from_slice(body);
    sending.send_data(framed.into(), true)?;
    let (head, mut stream) = response.await?.into_parts();
    let mut data = Vec::new();
    while let Some(bytes) = stream.data().await {
        data.extend_from_slice(&bytes?);
    }
    let trailers = stream.trailers().await?.unwrap_or_default();
    Ok((head.headers, data, trailers))
}

fn start(steps: &[&str]) -> (Scripted, Client) {
    let scripted = Scripted::start().unwrap();
    let served = scripted.command("serve").unwrap();
    for steps in steps {
        scripted.command(&format!("on 0 Put {steps}")).unwrap();
    }
    let client = Client::connect(served.strip_prefix("0 ").unwrap());
    (scripted, client)
}

#[test]
fn answers_and_remembers() {
    let (scripted, client) = start(&[]);
    let (headers, data, trailers) = client.call("Put", b"\x0a\x01k").unwrap();
    assert_eq!(headers["content-type"], "application/grpc");
    assert_eq!(data[..5], [0, 0, 0, 0, data.len() as u8 - 5]);
    assert_eq!(trailers["grpc-status"], "0");
    assert_eq!(scripted.command("count 0 Put").unwrap(), "1");
    assert_eq!(scripted.command("body 0 Put 0").unwrap(), "0a016b");
    assert_eq!(scripted.command("header 0 Put 0 token").unwrap(), "-");
    assert!(scripted.command("dump 0").unwrap().contains(r#""method":"Put""#));
    assert!(scripted.command("header 0 Put 1 token").is_err());
    assert!(scripted.command("nonsense").is_err());
}

#[test]
fn statuses_come_in_both_shapes_and_in_turn() {
    let (_scripted, client) =
        start(&["1 status 14 etcdserver: 100% no leader", "1 trailers 3 x", "1 http 503 text/html"]);
    let (headers, data, trailers) = client.call("Put", b"").unwrap();
    assert_eq!((&headers["grpc-status"], data.len(), trailers.len()), (&"14".parse().unwrap(), 0, 0));
    assert_eq!(headers["grpc-message"], "etcdserver: 100%25 no leader");
    let (headers, _, trailers) = client.call("Put", b"").unwrap();
    assert!(!headers.contains_key("grpc-status"));
    assert_eq!(trailers["grpc-status"], "3");
    assert_eq!(client.call("Put", b"").unwrap().0["content-type"], "text/html");
    assert_eq!(client.call("Put", b"").unwrap().2["grpc-status"], "0");
}

#[test]
fn resets_and_says_goodbye() {
    let (_scripted, client) = start(&[
        "1 reset REFUSED_STREAM",
        "1 headers | message ok | reset INTERNAL_ERROR",
        "1 goaway below ENHANCE_YOUR_CALM too_many_pings | never",
    ]);
    assert_eq!(client.call("Put", b"").unwrap_err().reason(), Some(Reason::REFUSED_STREAM));
    assert_eq!(client.call("Put", b"").unwrap_err().reason(), Some(Reason::INTERNAL_ERROR));
    let error = client.call("Put", b"").unwrap_err();
    assert!(error.is_go_away() && error.is_remote(), "{error:?}");
    assert_eq!(error.reason(), Some(Reason::ENHANCE_YOUR_CALM));
}

#[test]
fn breaks_off() {
    for steps in ["* close", "* abort", "* headers | raw 0000000005ff | close", "* headers | cut 12 | message ok"] {
        let (scripted, client) = start(&[steps]);
        let error = client.call("Put", b"").unwrap_err();
        assert!(error.is_io() || error.is_go_away(), "{steps}: {error:?}");
        drop(client);
        assert_eq!(scripted.command("await-open 0 0").unwrap(), "0");
    }
}

#[test]
fn holds_until_released_and_notices_a_reset() {
    let (scripted, client) = start(&["2 hold | ok"]);
    let Client { runtime, send } = client;
    let held = runtime.spawn(call(send.clone(), "Put".into(), b""));
    let dropped = runtime.spawn(call(send, "Put".into(), b""));
    let scripted = std::sync::Arc::new(scripted);
    let asked = scripted.clone();
    runtime.block_on(async {
        let ask = |line: &'static str| {
            let asked = asked.clone();
            async move { tokio::task::spawn_blocking(move || asked.command(line).unwrap()).await.unwrap() }
        };
        assert_eq!(ask("await 0 Put 2").await, "2");
        dropped.abort();
        assert_eq!(ask("await-resets 0 Put 1").await, "1");
        ask("release 0 1").await;
        assert_eq!(held.await.unwrap().unwrap().2["grpc-status"], "0");
    });
}

#[test]
fn gives_tokens_and_takes_them_back() {
    let (scripted, client) = start(&["* token | ok"]);
    assert_eq!(client.call("Put", b"").unwrap().0["grpc-message"], "etcdserver: user name is empty");
    let (_, data, _) = client.call("Authenticate", b"").unwrap();
    assert!(String::from_utf8_lossy(&data).contains("token-1"));
    scripted.command("revoke").unwrap();
}

#[test]
fn stops_and_starts_again() {
    let (scripted, client) = start(&[]);
    client.call("Put", b"").unwrap();
    scripted.command("stop 0").unwrap();
    assert!(client.call("Put", b"").is_err());
    scripted.command("await-open 0 0").unwrap();
    scripted.command("start 0").unwrap();
    assert_eq!(scripted.command("connections 0").unwrap(), "1");
}
