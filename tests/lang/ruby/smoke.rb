# frozen_string_literal: true

# Smoke test: libetcd3 from Ruby. ETCD3_ENDPOINTS names the servers, ETCD3_LIBDIR the library's directory.
require "socket"
require_relative "etcd3"
include Etcd3

def check(what, got, want = true)
  raise "#{what}: got #{got.inspect}, want #{want.inspect}" unless got == want
end

def error_of
  yield
  nil
rescue Etcd3::Error => e
  e
end

# The first key that does not start with the prefix any more.
def past(prefix) = prefix[0...-1] + prefix[-1].succ

def key_values(client, base)
  one, binary, empty = base + "a", base + "b\0\xff".b, base + "c"
  check "a missing key", client.get(one), nil
  client.put(one, "1")
  client.put(binary, "\0\xff\0".b)
  client.put(empty, "")
  client.put(past(base), "unseen")
  kv = client.get(one)
  check "what was put", [kv.key, kv.value, kv.version, kv.lease], [one, "1", 1, 0]
  check "its revisions", kv.create_revision.positive? && kv.create_revision == kv.mod_revision
  check "a binary value", client.get(binary).value, "\0\xff\0".b
  check "a prefix", client.get_prefix(base).map { |kv| [kv.key, kv.value] },
        [[one, "1"], [binary, "\0\xff\0".b], [empty, ""]]

  [[true, [[], ["2"]]], [false, [["2"]]]].each do |succeeded, responses|
    result = client.txn(values: { one => "1" }, success: [Op.new(:put, one, "2"), Op.new(:get, one)],
                        failure: [Op.new(:get, one)])
    check "the branch of a transaction", result.succeeded, succeeded
    check "its responses", result.responses.map { |r| r.kvs.map(&:value) }, responses
  end
end

# Returns every event there was up to CLOSED.
def watching(client, queue, base)
  one, other = base + "one", base + "b\0\xff".b
  watch = client.watch(base, queue, 42)
  writer = Thread.new do
    client.put(one, "1")
    client.put(other, "\0\xff".b)
    client.put(past(base), "unseen")
    client.txn(success: [Op.new(:put, one, "2"), Op.new(:delete, other)])
    client.txn(success: [Op.new(:delete, one)])
  end
  events = [queue.wait]
  check "the first event", [events[0].type, events[0].state], %i[state live]
  events << queue.wait while events.sum { |event| event.changes.size } < 5
  writer.join

  changes = events.flat_map(&:changes)
  check "the changes", changes.map { |c| [c.type, c.is_create, c.kv.key, c.kv.value, c.prev_kv&.value] },
        [[:put, true, one, "1", nil], [:put, true, other, "\0\xff".b, nil], [:put, false, one, "2", "1"],
         [:delete, false, other, "", "\0\xff".b], [:delete, false, one, "", "2"]]
  check "both changes of a transaction in one event", events.one? { |event| (changes[2, 2] - event.changes).empty? }
  check "no event older than its changes",
        events.all? { |event| event.changes.all? { |c| c.kv.mod_revision <= event.revision } }

  C.etcd3_watch_cancel(watch)
  client.put(one, "after the cancel")
  events << queue.wait until events.last.type == :closed
  C.etcd3_watch_free(watch)
  events
end

queue = Etcd3::Queue.new
client = Client.new(*ENV.fetch("ETCD3_ENDPOINTS").split(","))
base = "smoke/ruby/".b
client.delete_prefix(base)
key_values(client, base + "kv/")
events = watching(client, queue, base + "watch/")
client.close
while (event = queue.take)
  events << event
end
check "CLOSED is the last event, and comes once", events.map(&:type).each_index.select { |i| events[i].type == :closed },
      [events.size - 1]
check "why", events.last.error, nil
check "the watch's own number in every event", events.map(&:user_data).uniq, [42]
check "the events", events.map(&:type).uniq, %i[state watch closed]
check "the descriptor of an empty queue rests", IO.select([queue.io], nil, nil, 0), nil
check "a closed client", error_of { client.get(base) }&.code, C::ERR_CLOSED
queue.free
client.free

nobody = Socket.new(:INET, :STREAM) # bound and not listening: connections are refused
nobody.bind(Addrinfo.tcp("127.0.0.1", 0))
endpoint = nobody.local_address.inspect_sockaddr
begun = Process.clock_gettime(Process::CLOCK_MONOTONIC)
client = Client.new(endpoint, timeout_ms: 500)
error = error_of { client.get(base) }
check "the code of a bad endpoint", [error&.code, error&.name], [C::ERR_UNAVAILABLE, "ETCD3_ERR_UNAVAILABLE"]
check "#{endpoint} in '#{error.message}'", error.message.include?(endpoint)
check "the client's timeout", Process.clock_gettime(Process::CLOCK_MONOTONIC) - begun < 4
client.close
client.free
puts "LANG ruby: passed"
