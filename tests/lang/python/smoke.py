"""Smoke test: libetcd3 from Python. ETCD3_ENDPOINTS names the servers, ETCD3_LIBDIR the library's directory."""
import asyncio
import os
import select
import socket
import time

from etcd3 import (DELETE, ERR_CLOSED, ERR_UNAVAILABLE, EVENT_CLOSED, EVENT_STATE, EVENT_WATCH, PUT, STATE_LIVE,
                   Client, Error, Op)


def check(what, got, want=True):
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")


def past(prefix):
    """The first key that does not start with the prefix any more."""
    return prefix[:-1] + bytes([prefix[-1] + 1])


async def key_values(client, base):
    one, binary, empty = base + b"a", base + b"b\0\xff", base + b"c"
    check("a missing key", await client.get(one), None)
    for key, value in (one, b"1"), (binary, b"\0\xff\0"), (empty, b""), (past(base), b"unseen"):
        await client.put(key, value)
    kv = await client.get(one)
    check("what was put", (kv.key, kv.value, kv.version, kv.lease), (one, b"1", 1, 0))
    check("a binary value", (await client.get(binary)).value, b"\0\xff\0")
    check("a prefix", [(kv.key, kv.value) for kv in await client.get_prefix(base)],
          [(one, b"1"), (binary, b"\0\xff\0"), (empty, b"")])
    for succeeded, responses in (True, [[], [b"2"]]), (False, [[b"2"]]):
        result = await client.txn(compare=[(one, b"1")], then=[Op("put", one, b"2"), Op("get", one)],
                                  otherwise=[Op("get", one)])
        check("the branch of a transaction", result.succeeded, succeeded)
        check("its responses", [[kv.value for kv in r.kvs] for r in result.responses], responses)


async def watching(client, base):
    one, other = base + b"one", base + b"b\0\xff"
    watch, events = await client.watch(base), []
    async for event in watch:
        events += [event] if event.type == EVENT_WATCH else []
        if (event.type, event.state) == (EVENT_STATE, STATE_LIVE):
            await client.put(one, b"1")
            await client.put(other, b"\0\xff")
            await client.put(past(base), b"unseen")
            await client.txn(then=[Op("put", one, b"2"), Op("delete", other)])
            await client.txn(then=[Op("delete", one)])
        if sum(len(event.changes) for event in events) >= 5:
            watch.cancel()
            await client.put(one, b"after the cancel")
    changes = [change for event in events for change in event.changes]
    check("the changes", [(x.type, x.is_create, x.kv.key, x.kv.value, x.prev_kv and x.prev_kv.value)
                          for x in changes],
          [(PUT, True, one, b"1", None), (PUT, True, other, b"\0\xff", None), (PUT, False, one, b"2", b"1"),
           (DELETE, False, other, b"", b"\0\xff"), (DELETE, False, one, b"", b"2")])
    check("both changes of a transaction in one event", [e.changes for e in events if changes[2] in e.changes],
          [e.changes for e in events if changes[3] in e.changes])
    check("no event older than its changes", all(e.revision >= x.kv.mod_revision for e in events for x in e.changes))
    return watch


async def main():
    client, base = Client(os.environ["ETCD3_ENDPOINTS"].split(",")), b"smoke/python/"
    await client.delete_prefix(base)
    await key_values(client, base + b"kv/")
    watch = await watching(client, base + b"watch/")
    await client.close()
    client.drain()
    check("CLOSED is the last event, and comes once",
          (watch.seen[-1], watch.seen.count(EVENT_CLOSED)), (EVENT_CLOSED, 1))
    check("the descriptor of an empty queue rests", select.select([client.fd], [], [], 0)[0], [])
    try:
        check("a closed client", await client.get(base), Error)
    except Error as error:
        check("a closed client", error.code, ERR_CLOSED)
    client.free()

    with socket.socket() as nobody:  # bound and not listening: connections are refused
        nobody.bind(("127.0.0.1", 0))
        endpoint, begun = "127.0.0.1:%d" % nobody.getsockname()[1], time.monotonic()
        client = Client([endpoint], timeout_ms=500)
        try:
            check("a bad endpoint", await client.get(base), Error)
        except Error as error:
            check("its code", (error.code, error.name), (ERR_UNAVAILABLE, "ETCD3_ERR_UNAVAILABLE"))
            check(f"{endpoint} in '{error}'", endpoint in str(error))
        check("the client's timeout", time.monotonic() - begun < 4)
        await client.close()
        client.free()
    print("LANG python: passed")


asyncio.run(main())
