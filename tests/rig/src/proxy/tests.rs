use super::*;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener as Listener, TcpStream as Stream};

const SOON: Duration = Duration::from_secs(5);
const WHILE: Duration = Duration::from_millis(100);

/// A server that sends back what it gets.
fn echo() -> String {
    let listener = Listener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut other = stream.try_clone().unwrap();
                let _ = std::io::copy(&mut stream, &mut other);
            });
        }
    });
    address
}

fn through(proxy: &Proxy) -> Stream {
    let stream = Stream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn echoed(stream: &mut Stream, text: &str) -> io::Result<String> {
    stream.write_all(text.as_bytes())?;
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back)?;
    Ok(String::from_utf8(back).unwrap())
}

fn silent(stream: &mut Stream) -> bool {
    stream.set_read_timeout(Some(WHILE)).unwrap();
    let read = stream.read(&mut [0]);
    stream.set_read_timeout(Some(SOON)).unwrap();
    matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock)
}

#[test]
fn passes_both_ways_and_counts() {
    let proxy = Proxy::new(&echo(), 1).unwrap();
    let mut stream = through(&proxy);
    assert_eq!(echoed(&mut stream, "hello").unwrap(), "hello");
    assert_eq!((proxy.open(), proxy.accepted()), (1, 1));
    assert_eq!((proxy.carried(Direction::Up), proxy.carried(Direction::Down)), (5, 5));
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    assert!(proxy.wait_open(|open| open == 0, SOON));
}

#[test]
fn refuses_and_listens_again_and_keeps_what_there_is() {
    let proxy = Proxy::new(&echo(), 1).unwrap();
    let mut old = through(&proxy);
    assert_eq!(echoed(&mut old, "a").unwrap(), "a");
    proxy.set(Plan::refuse());
    assert_eq!(Stream::connect(proxy.address()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(echoed(&mut old, "b").unwrap(), "b");
    proxy.set(Plan::pass());
    assert_eq!(echoed(&mut through(&proxy), "c").unwrap(), "c");
}

#[test]
fn resets_who_connects() {
    let proxy = Proxy::new(&echo(), 1).unwrap();
    proxy.set(Plan::reset());
    assert!(echoed(&mut through(&proxy), "a").is_err());
}

#[test]
fn a_server_that_is_down_resets() {
    let nobody = Listener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::new(&nobody.to_string(), 1).unwrap();
    assert_eq!(through(&proxy).read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn drops_all_by_close_and_by_reset() {
    let proxy = Proxy::new(&echo(), 1).unwrap();
    for end in [End::Fin, End::Rst] {
        let (mut one, mut other) = (through(&proxy), through(&proxy));
        assert_eq!(echoed(&mut one, "a").unwrap() + &echoed(&mut other, "b").unwrap(), "ab");
        proxy.drop_all(end);
        for stream in [&mut one, &mut other] {
            match end {
                End::Fin => assert_eq!(stream.read(&mut [0]).unwrap(), 0),
                End::Rst => assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset),
            }
        }
        assert!(proxy.wait_open(|open| open == 0, SOON));
    }
}

#[test]
fn a_blackhole_holds_old_and_new_connections_and_gives_back() {
    let proxy = Proxy::new(&echo(), 1).unwrap();
    let mut old = through(&proxy);
    assert_eq!(echoed(&mut old, "a").unwrap(), "a");
    proxy.set(Plan::blackhole());
    let mut new = through(&proxy);
    for stream in [&mut old, &mut new] {
        stream.write_all(b"b").unwrap();
        assert!(silent(stream));
    }
    proxy.set(Plan::pass());
    for stream in [&mut old, &mut new] {
        let mut back = [0];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"b");
    }
}

#[test]
fn half_open_is_dead_in_one_direction() {
    let server = Listener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::new(&server.local_addr().unwrap().to_string(), 1).unwrap();
    let mut client = through(&proxy);
    let (mut server, _) = server.accept().unwrap();
    let mut byte = [0];

    proxy.set(Plan::half_open(Direction::Up));
    client.write_all(b"u").unwrap();
    assert!(silent(&mut server));
    server.write_all(b"d").unwrap();
    client.read_exact(&mut byte).unwrap();
    assert_eq!(&byte, b"d");

    proxy.set(Plan::half_open(Direction::Down));
    server.set_read_timeout(Some(SOON)).unwrap();
    server.read_exact(&mut byte).unwrap();
    assert_eq!(&byte, b"u");
    server.write_all(b"d").unwrap();
    assert!(silent(&mut client));
}

#[test]
fn latency_delays_without_reordering() {
    let proxy = Proxy::new(&echo(), 7).unwrap();
    let mut stream = through(&proxy);
    assert_eq!(echoed(&mut stream, "warm").unwrap(), "warm");
    let (latency, jitter) = (Duration::from_millis(60), Duration::from_millis(30));
    proxy.set(Plan::latency(latency, jitter));
    let begun = Instant::now();
    let text: String = ('a'..='z').collect();
    for letter in text.bytes() {
        stream.write_all(&[letter]).unwrap();
    }
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(back, text.as_bytes());
    // There and back; all of it under way at once, and not one after another.
    assert!(begun.elapsed() >= 2 * (latency - jitter));
    assert!(begun.elapsed() < text.len() as u32 * 2 * (latency - jitter));
}

#[test]
fn a_pace_is_kept() {
    let proxy = Proxy::new(&echo(), 1).unwrap();
    proxy.set(Plan::pace(10, Duration::from_millis(10)));
    let begun = Instant::now();
    let text = "0123456789".repeat(10);
    assert_eq!(echoed(&mut through(&proxy), &text).unwrap(), text);
    assert!(begun.elapsed() >= Duration::from_millis(100));
}

#[test]
fn cuts_at_the_byte() {
    let proxy = Proxy::new(&echo(), 1).unwrap();
    for end in [End::Fin, End::Rst] {
        let mut stream = through(&proxy);
        assert_eq!(echoed(&mut stream, "whole").unwrap(), "whole");
        proxy.cut_after(3, Direction::Down, end);
        assert!(proxy.is_armed());
        stream.write_all(b"abcdef").unwrap();
        let mut back = Vec::new();
        let read = stream.read_to_end(&mut back);
        assert_eq!(read.is_ok(), end == End::Fin);
        if end == End::Fin {
            assert_eq!(back, b"abc");
        }
        assert!(proxy.wait_cut(SOON));
    }
    proxy.cut_after(3, Direction::Up, End::Fin);
    assert!(!proxy.wait_cut(WHILE));
    // It was taken back.
    assert_eq!(echoed(&mut through(&proxy), "whole").unwrap(), "whole");
}

#[test]
fn corrupts_one_byte() {
    let proxy = Proxy::new(&echo(), 1).unwrap();
    let mut stream = through(&proxy);
    proxy.corrupt_after(1, Direction::Down);
    assert_eq!(echoed(&mut stream, "aaaa").unwrap(), "a4aa");
    assert!(proxy.wait_cut(SOON));
    assert_eq!(echoed(&mut stream, "aaaa").unwrap(), "aaaa");
}

#[test]
fn members_are_parted_by_what_they_say() {
    let proxy = Proxy::start(&echo(), 1, true).unwrap();
    let hello = |name: &str| format!("GET / HTTP/1.1\r\nX-Server-From: {name}\r\n\r\n");
    let (mut one, mut other) = (through(&proxy), through(&proxy));
    assert_eq!(echoed(&mut one, &hello("abc")).unwrap(), hello("abc"));
    let flow = Flow { stalled: true, ..Flow::default() };
    let members = Some(HashSet::from(["abc".to_owned()]));
    proxy.set(Plan { up: flow.clone(), down: flow, members, ..Plan::default() });
    // One that is known, one that says who it is now, and one that never does.
    one.write_all(b"x").unwrap();
    assert!(silent(&mut one));
    assert_eq!(echoed(&mut other, &hello("def")).unwrap(), hello("def"));
    let mut stranger = through(&proxy);
    stranger.write_all(b"x").unwrap();
    assert!(silent(&mut stranger));
    proxy.set(Plan::pass());
    let mut back = [0];
    one.read_exact(&mut back).unwrap();
    stranger.read_exact(&mut back).unwrap();
}

#[test]
fn a_cluster_can_be_parted() {
    let peers = Peers::new(3, 1).unwrap();
    let cluster = peers.install(etcd_run::Builder::new(etcd_run::NEWEST)).start_cluster(3).unwrap();
    let reads_within = |member: usize, limit: Duration| {
        let body = serde_json::json!({"key": "YQ=="});
        cluster[member].post_within("/v3/kv/range", body, limit).is_ok()
    };
    let reads = |member: usize| reads_within(member, Duration::from_secs(1));
    let leader = cluster.leader(0).unwrap().unwrap();
    let (alone, other) = ((leader + 1) % 3, (leader + 2) % 3);
    peers.part(&cluster, &[&[alone], &[leader, other]]);
    for _ in 0..5 {
        assert!(!reads(alone));
        assert!(reads_within(leader, SOON) && reads_within(other, SOON));
    }
    peers.heal();
    let healed = Instant::now();
    while !reads(alone) {
        assert!(healed.elapsed() < Duration::from_secs(60));
    }
}

#[test]
fn says_goodbye_between_two_frames() {
    let listener = Listener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // Sends back every frame.
    std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        stream.read_exact(&mut [0; 24]).unwrap();
        let mut other = stream.try_clone().unwrap();
        let _ = std::io::copy(&mut stream, &mut other);
    });
    let frame = |kind: u8, stream: u8| vec![0, 0, 2, kind, 0, 0, 0, 0, stream, b'o', b'k'];
    let goaway = |last: [u8; 4]| [&[0, 0, 8, 7, 0, 0, 0, 0, 0], &last[..], &[0; 4]].concat();
    let proxy = Proxy::new(&address, 1).unwrap();
    let mut stream = through(&proxy);
    let mut said = |send: Vec<u8>, want: Vec<u8>| {
        stream.write_all(&send).unwrap();
        let mut back = vec![0; want.len()];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(back, want);
    };
    said([b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(1, 3)].concat(), frame(1, 3));
    proxy.goaway(Goaway::Graceful);
    said(vec![], [goaway([0x7f, 255, 255, 255]), goaway([0, 0, 0, 3])].concat());
    // The frame under way comes first, and then the end.
    said(frame(0, 3)[..10].to_vec(), frame(0, 3)[..10].to_vec());
    proxy.goaway(Goaway::Closing);
    assert_eq!(proxy.parted(), 1);
    said([&frame(0, 3)[10..], &frame(1, 5)].concat(), [&frame(0, 3)[10..], &goaway([0, 0, 0, 3])].concat());
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    assert_eq!(proxy.parted(), 2);
}
