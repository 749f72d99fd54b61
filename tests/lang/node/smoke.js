'use strict';
// Smoke test: libetcd3 from Node. ETCD3_ENDPOINTS names the servers, ETCD3_LIBDIR the library's directory.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const net = require('node:net');
const { Client, EtcdError, EventType, State, op } = require('./etcd3.js');

const join = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
const text = (buffer) => buffer?.toString('latin1') ?? null;

// The first key that does not start with the prefix any more.
const past = (prefix) => join(prefix.subarray(0, -1), [prefix.at(-1) + 1]);

async function keyValues(client, base) {
  const [one, binary, empty] = [join(base, 'a'), join(base, 'b', [0, 255]), join(base, 'c')];
  assert.equal(await client.get(one), null, 'a missing key');
  await client.put(one, '1');
  await client.put(binary, Buffer.from([0, 255, 0]));
  await client.put(empty, '');
  await client.put(past(base), 'unseen');
  const kv = await client.get(one);
  const revision = kv.mod_revision;
  assert.deepEqual(kv, { key: one, value: Buffer.from('1'), create_revision: revision, mod_revision: revision,
    version: 1, lease: 0 });
  assert.deepEqual((await client.get(binary)).value, Buffer.from([0, 255, 0]));
  assert.deepEqual((await client.getPrefix(base)).map(({ key, value }) => [key, text(value)]),
    [[one, '1'], [binary, '\0\xff\0'], [empty, '']]);

  for (const [succeeded, responses] of [[true, [[], ['2']]], [false, [['2']]]]) {
    const result = await client.txn({ values: [[one, '1']], success: [op.put(one, '2'), op.get(one)],
      failure: [op.get(one)] });
    assert.equal(result.succeeded, succeeded);
    assert.deepEqual(result.responses.map(({ kvs }) => kvs.map(({ value }) => text(value))), responses);
  }
}

async function watching(client, base) {
  const [one, other] = [join(base, 'one'), join(base, 'b', [0, 255])];
  const watch = await client.watch(base);
  const types = [];
  const events = [];
  let count = 0;
  for await (const event of watch) { // ends when the watch does
    types.push(event.type);
    if (event.type === EventType.STATE && event.state === State.LIVE) {
      await client.put(one, '1');
      await client.put(other, Buffer.from([0, 255]));
      await client.put(past(base), 'unseen');
      await client.txn({ success: [op.put(one, '2'), op.delete(other)] });
      await client.txn({ success: [op.delete(one)] });
    } else {
      events.push(event);
      count += event.changes.length;
    }
    if (count === 5) {
      watch.cancel();
      await client.put(one, 'after the cancel');
    }
  }
  const changes = events.flatMap((event) => event.changes);
  assert.deepEqual(
    changes.map(({ isDelete, isCreate, kv, prevKv }) =>
      [isDelete ? 'delete' : isCreate ? 'create' : 'put', text(kv.key), text(kv.value), prevKv && text(prevKv.value)]),
    [['create', text(one), '1', null], ['create', text(other), '\0\xff', null], ['put', text(one), '2', '1'],
      ['delete', text(other), '', '\0\xff'], ['delete', text(one), '', '2']]);
  const eventOf = (change) => events.find((event) => event.changes.includes(change));
  assert.equal(eventOf(changes[2]), eventOf(changes[3]), 'both changes of a transaction in one event');
  for (const { revision, changes } of events) {
    assert(changes.every(({ kv }) => kv.mod_revision <= revision), 'no event older than its changes');
  }
  assert.deepEqual([...new Set(types)], [EventType.STATE, EventType.WATCH]);
}

async function refusedEndpoint() {
  const nobody = net.createServer().listen(0, '127.0.0.1');
  await once(nobody, 'listening');
  const { port } = nobody.address();
  await new Promise((closed) => nobody.close(closed));
  return `127.0.0.1:${port}`;
}

async function main() {
  const base = Buffer.from('smoke/node/');
  const client = new Client(process.env.ETCD3_ENDPOINTS.split(','));
  await client.deletePrefix(base);
  await keyValues(client, join(base, 'kv/'));
  await watching(client, join(base, 'watch/'));
  await client.close();
  await assert.rejects(client.get(base), { name: 'EtcdError', code: 'ETCD3_ERR_CLOSED' });
  client.free();

  const endpoint = await refusedEndpoint();
  const begun = performance.now();
  const lost = new Client([endpoint], { timeout: 500 });
  await assert.rejects(lost.get(base), (error) => {
    assert(error instanceof EtcdError);
    assert.equal(error.code, 'ETCD3_ERR_UNAVAILABLE');
    assert(error.message.includes(endpoint), `${endpoint} in '${error.message}'`);
    return true;
  });
  assert(performance.now() - begun < 4000, "the client's timeout");
  await lost.close();
  lost.free();
  process.on('exit', (code) => { if (code === 0) console.log('LANG node: passed'); });
}

main();
