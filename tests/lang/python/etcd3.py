"""libetcd3 for Python, as small as the smoke test needs it: ctypes and asyncio only.

ETCD3_LIBDIR names the directory of the library."""
import asyncio
import ctypes as c
import os
import sys
from collections import namedtuple

lib = c.CDLL(os.path.join(os.environ["ETCD3_LIBDIR"],
                          "libetcd3.dylib" if sys.platform == "darwin" else "libetcd3.so"))
OK, ERR_UNAVAILABLE, ERR_CLOSED, EQUAL = 0, 4, 5, 0
EVENT_WATCH, EVENT_STATE, EVENT_CLOSED, STATE_LIVE = 1, 3, 4, 1
PUT, DELETE = 0, 1


class KvStruct(c.Structure):
    _fields_ = [("key", c.c_void_p), ("key_len", c.c_size_t),
                ("value", c.c_void_p), ("value_len", c.c_size_t),
                ("create_revision", c.c_int64), ("mod_revision", c.c_int64),
                ("version", c.c_int64), ("lease", c.c_int64)]


class ChangeStruct(c.Structure):
    _fields_ = [("type", c.c_int32), ("is_create", c.c_int32),
                ("kv", c.POINTER(KvStruct)), ("prev_kv", c.POINTER(KvStruct))]


def declare(returns, signatures):
    for name, arguments in map(str.split, signatures.split(",")):
        function = getattr(lib, "etcd3_" + name)
        function.restype, function.argtypes = returns, [t for letter in arguments for t in LETTERS[letter]]


# P a pointer, S text, N a size, i and I integers of 32 and 64 bits, v nothing. B is a bytes object
# and its length: c_char_p passes its address, NULs and all.
LETTERS = {"P": [c.c_void_p], "S": [c.c_char_p], "N": [c.c_size_t], "i": [c.c_int32], "I": [c.c_int64],
           "B": [c.c_char_p, c.c_size_t], "v": []}
declare(c.c_int32, "client_open PPP, client_close PIP, put PBBP, get PBPP, get_prefix PBPP, delete_prefix PBPP,"
        "execute PPPP, queue_new PP, queue_next PIPP, queue_fd P, watch_start PPPPPPP, error_code P,"
        "result_succeeded P, event_type P, event_state P")
declare(c.c_void_p, "config_new v, op_get B, op_put BB, op_delete B, op_txn v, result_response PN,"
        "watch_opts_new B, event_user_data P, event_error P")
declare(c.c_char_p, "code_name i, error_message P")
declare(c.c_int64, "event_revision P")
declare(c.c_size_t, "result_kv_count P, result_response_count P, event_change_count P")
declare(c.POINTER(KvStruct), "result_kv PN")
declare(c.POINTER(ChangeStruct), "event_change PN")
declare(None, "config_add_endpoint PS, config_set_timeout PI, txn_if_value PBiB, txn_then PP, txn_else PP,"
        "watch_opts_set_prefix P, watch_opts_set_prev_kv P, watch_cancel P, config_free P, client_free P,"
        "op_free P, result_free P, error_free P, queue_free P, event_free P, watch_opts_free P, watch_free P")


class Error(Exception):
    def __init__(self, handle):
        self.code = lib.etcd3_error_code(handle)
        self.name = lib.etcd3_code_name(self.code).decode()
        super().__init__(f"{self.name}: {lib.etcd3_error_message(handle).decode()}")


def call(function, *args):
    """Calls with `err` added, and raises what comes through it."""
    error = c.c_void_p()
    if function(*args, c.byref(error)) != OK:
        try:
            raise Error(error)
        finally:
            lib.etcd3_error_free(error)


def take(function, *args):
    """The same for a call that hands something out, just before `err`."""
    out = c.c_void_p()
    call(function, *args, c.byref(out))
    return out.value


def read_kv(pointer):
    kv = pointer.contents if pointer else None
    return kv and KeyValue(c.string_at(kv.key, kv.key_len), c.string_at(kv.value, kv.value_len),
                           kv.create_revision, kv.mod_revision, kv.version, kv.lease)


def read_result(r):
    return Result(bool(lib.etcd3_result_succeeded(r)),
                  [read_kv(lib.etcd3_result_kv(r, i)) for i in range(lib.etcd3_result_kv_count(r))],
                  [read_result(lib.etcd3_result_response(r, i)) for i in range(lib.etcd3_result_response_count(r))])


def read_event(e):
    error = lib.etcd3_event_error(e)
    changes = [lib.etcd3_event_change(e, i).contents for i in range(lib.etcd3_event_change_count(e))]
    return Event(lib.etcd3_event_type(e), lib.etcd3_event_state(e), lib.etcd3_event_revision(e),
                 lib.etcd3_event_user_data(e), Error(error) if error else None,
                 [Change(x.type, bool(x.is_create), read_kv(x.kv), read_kv(x.prev_kv)) for x in changes])


KeyValue = namedtuple("KeyValue", "key value create_revision mod_revision version lease")
Result = namedtuple("Result", "succeeded kvs responses")
Change = namedtuple("Change", "type is_create kv prev_kv")
Event = namedtuple("Event", "type state revision user_data error changes")


class Op:
    """Op("get", key), Op("put", key, value), Op("delete", key), Op("txn")."""

    def __init__(self, kind, *inputs):
        self.handle = getattr(lib, "etcd3_op_" + kind)(*(x for i in inputs for x in (i, len(i))))

    def __del__(self):
        lib.etcd3_op_free(self.handle)


class Watch:
    """An asynchronous iterator of events that ends when the watch does."""

    def __init__(self):
        self.inbox, self.seen, self.handle = asyncio.Queue(), [], None

    def cancel(self):
        lib.etcd3_watch_cancel(self.handle)

    async def __aiter__(self):
        while (event := await self.inbox.get()).type != EVENT_CLOSED:
            yield event
        if event.error:
            raise event.error


class Client:
    """Calls block, so asyncio's threads make them; events arrive through the queue's descriptor."""

    def __init__(self, endpoints, timeout_ms=5000):
        config = lib.etcd3_config_new()
        for endpoint in endpoints:
            lib.etcd3_config_add_endpoint(config, endpoint.encode())
        lib.etcd3_config_set_timeout(config, timeout_ms)
        try:
            self.handle = take(lib.etcd3_client_open, config)
        finally:
            lib.etcd3_config_free(config)
        self.watches, self.queue = {}, take(lib.etcd3_queue_new)
        self.fd = lib.etcd3_queue_fd(self.queue)
        asyncio.get_running_loop().add_reader(self.fd, self.drain)

    def drain(self):
        while handle := take(lib.etcd3_queue_next, self.queue, 0):
            event = read_event(handle)
            lib.etcd3_event_free(handle)
            watch = self.watches[event.user_data]
            watch.seen.append(event.type)
            watch.inbox.put_nowait(event)

    async def result(self, function, *args):
        handle = await asyncio.to_thread(take, function, self.handle, *args)
        try:
            return read_result(handle)
        finally:
            lib.etcd3_result_free(handle)

    async def put(self, key, value):
        await asyncio.to_thread(call, lib.etcd3_put, self.handle, key, len(key), value, len(value))

    async def get(self, key):
        return next(iter((await self.result(lib.etcd3_get, key, len(key))).kvs), None)

    async def get_prefix(self, prefix):
        return (await self.result(lib.etcd3_get_prefix, prefix, len(prefix))).kvs

    async def delete_prefix(self, prefix):
        await asyncio.to_thread(call, lib.etcd3_delete_prefix, self.handle, prefix, len(prefix), None)

    async def txn(self, compare=(), then=(), otherwise=()):
        txn = Op("txn")
        for key, value in compare:
            lib.etcd3_txn_if_value(txn.handle, key, len(key), EQUAL, value, len(value))
        for add, ops in (lib.etcd3_txn_then, then), (lib.etcd3_txn_else, otherwise):
            for op in ops:
                add(txn.handle, op.handle)
        return await self.result(lib.etcd3_execute, txn.handle)

    async def watch(self, prefix):
        watch = Watch()
        self.watches[id(watch)] = watch  # its first event may be drained before the call is over
        options = lib.etcd3_watch_opts_new(prefix, len(prefix))
        lib.etcd3_watch_opts_set_prefix(options)
        lib.etcd3_watch_opts_set_prev_kv(options)
        try:
            watch.handle = await asyncio.to_thread(take, lib.etcd3_watch_start, self.handle, options, self.queue,
                                                   None, id(watch))
        finally:
            lib.etcd3_watch_opts_free(options)
        return watch

    async def close(self):
        await asyncio.to_thread(call, lib.etcd3_client_close, self.handle, 5000)

    def free(self):
        asyncio.get_running_loop().remove_reader(self.fd)
        for watch in self.watches.values():
            lib.etcd3_watch_free(watch.handle)
        lib.etcd3_queue_free(self.queue)
        lib.etcd3_client_free(self.handle)
