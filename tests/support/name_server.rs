//! A name server on loopback for service records, with zones that are as they should be and zones that are not.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;

/// The ports where hosts of the zones listen.
pub struct Ports {
    pub plain: u16,
    pub tls: u16,
}

/// Answers, over UDP and TCP at one port, until the process ends.
pub fn start(ports: Ports) -> SocketAddr {
    let (datagrams, streams) = sockets();
    let address = datagrams.local_addr().expect("it is bound");
    let ports = Arc::new(ports);
    let of_streams = ports.clone();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = datagrams.recv_from(&mut buffer) {
            for answer in answers(&buffer[..length], &ports, true) {
                let _ = datagrams.send_to(&answer, from);
            }
        }
    });
    std::thread::spawn(move || {
        for stream in streams.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut length = [0; 2];
            let mut query = Vec::new();
            if stream.read_exact(&mut length).is_ok() {
                query.resize(u16::from_be_bytes(length).into(), 0);
            }
            if stream.read_exact(&mut query).is_ok() && !query.is_empty() {
                for answer in answers(&query, &of_streams, false) {
                    let _ = stream.write_all(&[&(answer.len() as u16).to_be_bytes()[..], &answer].concat());
                }
            }
        }
    });
    address
}

/// A port that is free for both.
fn sockets() -> (UdpSocket, TcpListener) {
    loop {
        let streams = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
        if let Ok(datagrams) = UdpSocket::bind(streams.local_addr().expect("it is bound")) {
            return (datagrams, streams);
        }
    }
}

const NO_SUCH_NAME: u8 = 3;
const FAILED: u8 = 2;

fn answers(query: &[u8], ports: &Ports, is_datagram: bool) -> Vec<Vec<u8>> {
    let name = name_of(query);
    let (plain, tls) = (record("localhost", ports.plain, 10), record("localhost", ports.tls, 5));
    let dead = |priority| record("localhost", 1, priority);
    let one = match &*name {
        "_etcd-client._tcp.plain.test" | "_etcd-client-blue._tcp.named.test" | "_etcd-client._tcp.half.test" => {
            message(query, 0, &[plain])
        }
        "_etcd-client-ssl._tcp.tls.test" => message(query, 0, &[tls]),
        "_etcd-client._tcp.tls.test" => message(query, 0, &[dead(1)]),
        "_etcd-client._tcp.big.test" if is_datagram => {
            let mut cut = message(query, 0, &[]);
            cut[2] |= 2;
            cut
        }
        "_etcd-client._tcp.big.test" => message(query, 0, &[vec![plain], (1..60).map(dead).collect()].concat()),
        "_etcd-client._tcp.noisy.test" => {
            let right = message(query, 0, &[plain]);
            let (mut other_id, mut no_answer) = (right.clone(), right.clone());
            other_id[0] ^= 1;
            no_answer[2] = 0;
            return vec![b"noise".to_vec(), Vec::new(), other_id, no_answer, right];
        }
        "_etcd-client._tcp.alias.test" => {
            let mut alias = vec![0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 2, 0xc0, 12];
            alias.extend(plain);
            let mut answer = message(query, 0, &[alias]);
            answer[7] = 2;
            answer
        }
        "_etcd-client._tcp.empty.test" | "_etcd-client-ssl._tcp.empty.test" => message(query, 0, &[]),
        "_etcd-client._tcp.dot.test" => message(query, 0, &[record("", 0, 0)]),
        "_etcd-client._tcp.spaced.test" => message(query, 0, &[record("two words", 1, 0)]),
        "_etcd-client._tcp.loop.test" => {
            let here = query.len() as u8;
            message(query, 0, &[vec![0xc0, here, 0, 33, 0, 1, 0, 0, 0, 0, 0, 0]])
        }
        "_etcd-client-ssl._tcp.half.test" => message(query, FAILED, &[]),
        name if name.ends_with(".broken.test") => message(query, FAILED, &[]),
        name if name.ends_with(".silent.test") => return Vec::new(),
        _ => message(query, NO_SUCH_NAME, &[]),
    };
    vec![one]
}

fn name_of(query: &[u8]) -> String {
    let (mut at, mut labels) = (12, Vec::new());
    while query[at] != 0 {
        let length = query[at] as usize;
        labels.push(String::from_utf8_lossy(&query[at + 1..=at + length]).into_owned());
        at += 1 + length;
    }
    labels.join(".")
}

/// A service record of the name that was asked for.
fn record(target: &str, port: u16, priority: u16) -> Vec<u8> {
    let mut data = [priority.to_be_bytes(), 0u16.to_be_bytes(), port.to_be_bytes()].concat();
    if !target.is_empty() {
        data.push(target.len() as u8);
        data.extend(target.bytes());
    }
    data.push(0);
    let head = [0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60];
    [&head[..], &(data.len() as u16).to_be_bytes(), &data].concat()
}

fn message(query: &[u8], code: u8, records: &[Vec<u8>]) -> Vec<u8> {
    let count = (records.len() as u16).to_be_bytes();
    let head = [query[0], query[1], 0x81, 0x80 | code, 0, 1, count[0], count[1], 0, 0, 0, 0];
    [&head[..], &query[12..], &records.concat()].concat()
}
