"""Contends for a lock with python-etcd3, as contender.c does with libetcd3: HOST PORT NAME COUNT WHO HISTORY."""
import sys

import etcd3

host, port, name, count, who, history = sys.argv[1:]
client = etcd3.client(host=host, port=int(port))
lock = client.lock(name, ttl=30)
for n in range(int(count)):
    if not lock.acquire(timeout=120):
        sys.exit("not acquired")
    for step in ("in", "out"):
        done, _ = client.transaction(
            compare=[client.transactions.value(lock.key) == lock.uuid],
            success=[client.transactions.put(f"{history}/{who}-{n}/{step}", "0")],
            failure=[],
        )
        if not done:
            sys.exit(f"{who}-{n}: the lock is not held")
    if not lock.release():
        sys.exit("it was not released")
    lock.lease.revoke()
