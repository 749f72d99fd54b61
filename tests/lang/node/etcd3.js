'use strict';
// libetcd3 for Node, as small as the smoke test needs it: koffi, no callback, so no thread of the
// library enters JavaScript. ETCD3_LIBDIR names the directory of the library.
const koffi = require('koffi');
const net = require('node:net');
const path = require('node:path');
const { Readable } = require('node:stream');
const { promisify } = require('node:util');

const file = process.platform === 'darwin' ? 'libetcd3.dylib' : 'libetcd3.so';
const lib = koffi.load(path.join(process.env.ETCD3_LIBDIR, file));
const C = {};
for (const declaration of `
  void *config_new(void)
  void config_add_endpoint(void *config, const char *endpoint)
  void config_set_timeout(void *config, int64_t timeout_ms)
  void config_free(void *config)
  int32_t client_open(void *config, _Out_ void **client, _Out_ void **err)
  int32_t client_close(void *client, int64_t timeout_ms, _Out_ void **err)
  void client_free(void *client)
  int32_t error_code(void *error)
  const char *error_message(void *error)
  const char *code_name(int32_t code)
  void error_free(void *error)
  int32_t put(void *client, void *key, size_t key_len, void *value, size_t value_len, _Out_ void **err)
  int32_t get(void *client, void *key, size_t key_len, _Out_ void **result, _Out_ void **err)
  int32_t get_prefix(void *client, void *prefix, size_t prefix_len, _Out_ void **result, _Out_ void **err)
  int32_t delete_prefix(void *client, void *prefix, size_t prefix_len, _Out_ int64_t *deleted, _Out_ void **err)
  int32_t execute(void *client, void *op, _Out_ void **result, _Out_ void **err)
  void *op_get(void *key, size_t key_len)
  void *op_put(void *key, size_t key_len, void *value, size_t value_len)
  void *op_delete(void *key, size_t key_len)
  void *op_txn(void)
  void op_free(void *op)
  void txn_if_value(void *txn, void *key, size_t key_len, int32_t cmp, void *value, size_t value_len)
  void txn_then(void *txn, void *op)
  void txn_else(void *txn, void *op)
  size_t result_kv_count(void *result)
  void *result_kv(void *result, size_t i)
  int result_succeeded(void *result)
  size_t result_response_count(void *result)
  void *result_response(void *result, size_t i)
  void result_free(void *result)
  int32_t queue_new(_Out_ void **queue, _Out_ void **err)
  int queue_dup_fd(void *queue)
  int32_t queue_next(void *queue, int64_t timeout_ms, _Out_ void **event, _Out_ void **err)
  void queue_free(void *queue)
  int32_t event_type(void *event)
  int32_t event_state(void *event)
  int64_t event_revision(void *event)
  void *event_user_data(void *event)
  void *event_error(void *event)
  size_t event_change_count(void *event)
  void *event_change(void *event, size_t i)
  void event_free(void *event)
  void *watch_opts_new(void *key, size_t key_len)
  void watch_opts_set_prefix(void *opts)
  void watch_opts_set_prev_kv(void *opts)
  void watch_opts_free(void *opts)
  int32_t watch_start(void *client, void *opts, void *queue, void *f, void *user_data, _Out_ void **w, _Out_ void **err)
  void watch_cancel(void *watch)
  void watch_free(void *watch)`.trim().split('\n')) {
  const [, returns, name, rest] = /^\s*(.*?)(\w+)(\(.*)$/.exec(declaration);
  C[name] = lib.func(`${returns}etcd3_${name}${rest}`);
}

koffi.struct('etcd3_kv_t', {
  key: 'void *', key_len: 'size_t', value: 'void *', value_len: 'size_t',
  create_revision: 'int64_t', mod_revision: 'int64_t', version: 'int64_t', lease: 'int64_t',
});
koffi.struct('etcd3_change_t', { type: 'int32_t', is_create: 'int32_t', kv: 'void *', prev_kv: 'void *' });

const [EQUAL, State, EventType] = [0, { LIVE: 1 }, { WATCH: 1, STATE: 3, CLOSED: 4 }];

class EtcdError extends Error {
  constructor(handle) {
    const number = C.error_code(handle);
    const code = C.code_name(number); // Node's own errors have such text in their code, too
    super(`${code}: ${C.error_message(handle)}`);
    Object.assign(this, { name: 'EtcdError', code, number });
  }
}

function check(code, err) {
  if (code === 0) return;
  const error = new EtcdError(err[0]);
  C.error_free(err[0]);
  throw error;
}

// Calls with `err` added, and throws what comes through it.
function call(fn, ...args) {
  const err = [null];
  check(fn(...args, err), err);
}

// The same on a thread of koffi's, for calls that wait for the server. koffi hands over the bare
// addresses of the Buffers in `args`, so something must keep them until the call is over.
const underWay = new Set();
async function callAsync(fn, ...args) {
  const err = [null];
  underWay.add(args);
  check(await promisify(fn.async)(...args, err).finally(() => underWay.delete(args)), err);
}

// A key or value, a string or a Buffer, as C takes it.
const bytes = (data) => [Buffer.from(data), Buffer.byteLength(data)];
const list = (count, item) => Array.from({ length: Number(count) }, (_, i) => item(i));
const copy = (pointer, length) => Buffer.from(length ? koffi.decode(pointer, 'uint8_t', length) : []);

function readKv(pointer) {
  if (!pointer) return null;
  const { key, key_len, value, value_len, ...numbers } = koffi.decode(pointer, 'etcd3_kv_t');
  return { key: copy(key, key_len), value: copy(value, value_len), ...numbers };
}

function readResult(result) {
  return {
    succeeded: C.result_succeeded(result) !== 0,
    kvs: list(C.result_kv_count(result), (i) => readKv(C.result_kv(result, i))),
    responses: list(C.result_response_count(result), (i) => readResult(C.result_response(result, i))),
  };
}

function readEvent(event) {
  const error = C.event_error(event);
  return {
    type: C.event_type(event), state: C.event_state(event), revision: C.event_revision(event),
    error: error && new EtcdError(error),
    changes: list(C.event_change_count(event), (i) => {
      const { type, is_create, kv, prev_kv } = koffi.decode(C.event_change(event, i), 'etcd3_change_t');
      return { isDelete: type === 1, isCreate: is_create !== 0, kv: readKv(kv), prevKv: readKv(prev_kv) };
    }),
  };
}

// Operations of a transaction, made when it is sent: op.put('key', 'value').
const op = {
  get: (key) => () => C.op_get(...bytes(key)),
  put: (key, value) => () => C.op_put(...bytes(key), ...bytes(value)),
  delete: (key) => () => C.op_delete(...bytes(key)),
};

// A stream of events, ended or destroyed by the watch's last.
class Watch extends Readable {
  constructor() { super({ objectMode: true, read() {} }); }

  cancel() { C.watch_cancel(this.handle); }
  take(event) {
    if (this.ended) throw new Error('an event after CLOSED');
    this.ended = event.type === EventType.CLOSED;
    if (!this.ended) this.push(event);
    else if (event.error) this.destroy(event.error);
    else this.push(null);
  }
}

class Client {
  watches = new Map();

  constructor(endpoints, { timeout = 5000 } = {}) {
    const config = C.config_new();
    const out = [null];
    for (const endpoint of endpoints) C.config_add_endpoint(config, endpoint);
    C.config_set_timeout(config, timeout);
    try {
      call(C.client_open, config, out);
      this.handle = out[0];
    } finally {
      C.config_free(config);
    }
    call(C.queue_new, out);
    this.queue = out[0];
    this.socket = new net.Socket({ fd: C.queue_dup_fd(this.queue), readable: true, writable: false });
    this.socket.on('data', () => this.drain());
  }

  drain() {
    const out = [null];
    for (;;) {
      call(C.queue_next, this.queue, 0, out);
      if (!out[0]) return;
      this.watches.get(Number(C.event_user_data(out[0]))).take(readEvent(out[0]));
      C.event_free(out[0]);
    }
  }

  async result(fn, ...args) {
    const out = [null];
    await callAsync(fn, this.handle, ...args, out);
    try {
      return readResult(out[0]);
    } finally {
      C.result_free(out[0]);
    }
  }

  put(key, value) { return callAsync(C.put, this.handle, ...bytes(key), ...bytes(value)); }
  async get(key) { return (await this.result(C.get, ...bytes(key))).kvs[0] ?? null; }
  async getPrefix(prefix) { return (await this.result(C.get_prefix, ...bytes(prefix))).kvs; }
  deletePrefix(prefix) { return callAsync(C.delete_prefix, this.handle, ...bytes(prefix), null); }

  async txn({ values = [], success = [], failure = [] }) {
    const txn = C.op_txn();
    const add = (branch) => (make) => { const one = make(); branch(txn, one); C.op_free(one); };
    for (const [key, value] of values) C.txn_if_value(txn, ...bytes(key), EQUAL, ...bytes(value));
    success.forEach(add(C.txn_then));
    failure.forEach(add(C.txn_else));
    try {
      return await this.result(C.execute, txn);
    } finally {
      C.op_free(txn);
    }
  }

  async watch(prefix) {
    const watch = new Watch();
    const id = this.watches.size + 1;
    this.watches.set(id, watch); // its first event may come before the call is over
    const opts = C.watch_opts_new(...bytes(prefix));
    C.watch_opts_set_prefix(opts);
    C.watch_opts_set_prev_kv(opts);
    const out = [null];
    try {
      await callAsync(C.watch_start, this.handle, opts, this.queue, null, id, out);
    } finally {
      C.watch_opts_free(opts);
    }
    watch.handle = out[0];
    return watch;
  }

  // Ends the watches, hands out their last events, and lets the process exit.
  async close() {
    await callAsync(C.client_close, this.handle, 5000);
    this.drain();
    this.socket.destroy();
  }

  free() {
    for (const watch of this.watches.values()) C.watch_free(watch.handle);
    C.queue_free(this.queue);
    C.client_free(this.handle);
  }
}

module.exports = { Client, EtcdError, EventType, State, op };
