// Smoke test: libetcd3 from Go. ETCD3_ENDPOINTS names the servers.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"reflect"
	"strings"
	"time"
)

func main() {
	const base = "smoke/go/"
	client := must(Open(5000, strings.Split(os.Getenv("ETCD3_ENDPOINTS"), ",")...))
	do(client.DeletePrefix(base))
	keyValues(client, base+"kv/")
	watching(client, base+"watch/")
	do(client.Close())
	_, err := client.Get(base)
	check("a closed client", code(err), "ETCD3_ERR_CLOSED")
	client.Free()
	badEndpoint()
	fmt.Println("LANG go: passed")
}

func keyValues(client *Client, base string) {
	one, binary, empty := base+"a", base+"b\x00\xff", base+"c"
	check("a missing key", must(client.Get(one)), (*KeyValue)(nil))
	do(client.Put(one, "1"))
	do(client.Put(binary, "\x00\xff\x00"))
	do(client.Put(empty, ""))
	do(client.Put(past(base), "unseen"))
	kv := must(client.Get(one))
	check("what was put", *kv, KeyValue{one, "1", kv.ModRevision, kv.ModRevision, 1, 0})
	check("a binary value", must(client.Get(binary)).Value, "\x00\xff\x00")
	var pairs []string
	for _, kv := range must(client.GetPrefix(base)) {
		pairs = append(pairs, kv.Key, kv.Value)
	}
	check("a prefix", pairs, []string{one, "1", binary, "\x00\xff\x00", empty, ""})

	txn := OpTxn(map[string]string{one: "1"}, []Op{OpPut(one, "2"), OpGet(one)}, []Op{OpGet(one)})
	result := must(client.Do(txn))
	check("the branch of a transaction", result.Succeeded, true)
	check("its responses", len(result.Responses), 2)
	check("a put's response", result.Responses[0].KVs, []*KeyValue(nil))
	check("a get's response", result.Responses[1].KVs[0].Value, "2")
	result = must(client.Do(txn))
	check("the other branch", result.Succeeded, false)
	check("its responses", len(result.Responses), 1)
	check("a get's response", result.Responses[0].KVs[0].Value, "2")
}

func watching(client *Client, base string) {
	one, other := base+"one", base+"b\x00\xff"
	watch := must(client.Watch(base))
	defer watch.Free()
	do(client.Put(one, "1"))
	do(client.Put(other, "\x00\xff"))
	do(client.Put(past(base), "unseen"))
	must(client.Do(OpTxn(nil, []Op{OpPut(one, "2"), OpDelete(other)}, nil)))
	must(client.Do(OpTxn(nil, []Op{OpDelete(one)}, nil)))

	first := <-watch.Events
	check("the first event", []int{first.Type, first.State}, []int{EventState, StateLive})
	var seen []string
	together := 0
	for len(seen) < 5 {
		event := <-watch.Events
		check("the event", event.Type, EventWatch)
		for i, c := range event.Changes {
			check("no event older than its changes", event.Revision >= c.KV.ModRevision, true)
			if i > 0 && c.KV.ModRevision == event.Changes[i-1].KV.ModRevision {
				together++
			}
			prev := "none"
			if c.PrevKV != nil {
				prev = c.PrevKV.Value
			}
			seen = append(seen, fmt.Sprintf("%d %v %q %q %q", c.Type, c.IsCreate, c.KV.Key, c.KV.Value, prev))
		}
	}
	check("the changes", seen, []string{
		fmt.Sprintf("%d true %q %q %q", Put, one, "1", "none"),
		fmt.Sprintf("%d true %q %q %q", Put, other, "\x00\xff", "none"),
		fmt.Sprintf("%d false %q %q %q", Put, one, "2", "1"),
		fmt.Sprintf("%d false %q %q %q", Delete, other, "", "\x00\xff"),
		fmt.Sprintf("%d false %q %q %q", Delete, one, "", "2")})
	check("both changes of a transaction in one event", together, 1)

	watch.Cancel()
	do(client.Put(one, "after the cancel"))
	last := <-watch.Events
	check("the last event", last.Type, EventClosed)
	check("why", last.Err, nil)
	_, more := <-watch.Events
	check("an event after CLOSED", more, false)
}

func badEndpoint() {
	nobody := must(net.Listen("tcp", "127.0.0.1:0"))
	endpoint, begun := nobody.Addr().String(), time.Now()
	nobody.Close() // connections are refused from now on
	client := must(Open(500, endpoint))
	_, err := client.Get("key")
	check("the code of a bad endpoint", code(err), "ETCD3_ERR_UNAVAILABLE")
	check(fmt.Sprintf("%s in '%v'", endpoint, err), strings.Contains(err.Error(), endpoint), true)
	check("the client's timeout", time.Since(begun) < 4*time.Second, true)
	do(client.Close())
	client.Free()
}

// past is the first key that does not start with the prefix any more.
func past(prefix string) string {
	last := len(prefix) - 1
	return prefix[:last] + string(rune(prefix[last]+1))
}

// code names the library's code in err.
func code(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return fmt.Sprintf("%v, which is not the library's", err)
	}
	return e.Name
}

func check(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		panic(fmt.Sprintf("%s: got %#v, want %#v", what, got, want))
	}
}

func do(err error) {
	if err != nil {
		panic(err)
	}
}

func must[T any](value T, err error) T {
	do(err)
	return value
}
