package main

// libetcd3 for Go, as small as the smoke test needs it: cgo, no callback. CGO_CFLAGS and
// CGO_LDFLAGS say where etcd3.h and the library are.

/*
#include <stdlib.h>
#include <etcd3.h>
*/
import "C"

import (
	"os"
	"unsafe"
)

// Error is what the library says when a call fails.
type Error struct {
	Code          int
	Name, Message string
}

func (e *Error) Error() string { return e.Name + ": " + e.Message }

// newError reads a borrowed error; nil gives nil.
func newError(e *C.etcd3_error_t) error {
	if e == nil {
		return nil
	}
	code := C.etcd3_error_code(e)
	return &Error{int(code), C.GoString(C.etcd3_code_name(code)), C.GoString(C.etcd3_error_message(e))}
}

// takeError reads and frees the error that a call handed out.
func takeError(e *C.etcd3_error_t) error {
	defer C.etcd3_error_free(e)
	return newError(e)
}

type KeyValue struct {
	Key, Value                                  string
	CreateRevision, ModRevision, Version, Lease int64
}

func newKeyValue(kv *C.etcd3_kv_t) *KeyValue {
	if kv == nil {
		return nil
	}
	return &KeyValue{goString(kv.key, kv.key_len), goString(kv.value, kv.value_len),
		int64(kv.create_revision), int64(kv.mod_revision), int64(kv.version), int64(kv.lease)}
}

func goString(p *C.uint8_t, n C.size_t) string {
	return C.GoStringN((*C.char)(unsafe.Pointer(p)), C.int(n))
}

// bytes gives C the bytes of a string; the library copies them before a call returns.
func bytes(s string) (unsafe.Pointer, C.size_t) {
	if s == "" {
		return nil, 0
	}
	return unsafe.Pointer(&[]byte(s)[0]), C.size_t(len(s))
}

type Result struct {
	Succeeded bool
	KVs       []*KeyValue
	Responses []*Result
}

func newResult(r *C.etcd3_result_t) *Result {
	result := &Result{Succeeded: C.etcd3_result_succeeded(r) != 0}
	for i := C.size_t(0); i < C.etcd3_result_kv_count(r); i++ {
		result.KVs = append(result.KVs, newKeyValue(C.etcd3_result_kv(r, i)))
	}
	for i := C.size_t(0); i < C.etcd3_result_response_count(r); i++ {
		result.Responses = append(result.Responses, newResult(C.etcd3_result_response(r, i)))
	}
	return result
}

// takeResult reads and frees what a call handed out: one of the two is nil.
func takeResult(r *C.etcd3_result_t, e *C.etcd3_error_t) (*Result, error) {
	if e != nil {
		return nil, takeError(e)
	}
	defer C.etcd3_result_free(r)
	return newResult(r), nil
}

// An Op is built anew for every call that uses it.
type Op func() *C.etcd3_op_t

func OpGet(key string) Op {
	return func() *C.etcd3_op_t { k, n := bytes(key); return C.etcd3_op_get(k, n) }
}

func OpPut(key, value string) Op {
	return func() *C.etcd3_op_t {
		k, n := bytes(key)
		v, m := bytes(value)
		return C.etcd3_op_put(k, n, v, m)
	}
}

func OpDelete(key string) Op {
	return func() *C.etcd3_op_t { k, n := bytes(key); return C.etcd3_op_delete(k, n) }
}

// OpTxn runs then if every key has its value, else otherwise.
func OpTxn(values map[string]string, then, otherwise []Op) Op {
	return func() *C.etcd3_op_t {
		txn := C.etcd3_op_txn()
		for key, value := range values {
			k, n := bytes(key)
			v, m := bytes(value)
			C.etcd3_txn_if_value(txn, k, n, C.ETCD3_EQUAL, v, m)
		}
		for _, op := range then {
			o := op()
			C.etcd3_txn_then(txn, o)
			C.etcd3_op_free(o)
		}
		for _, op := range otherwise {
			o := op()
			C.etcd3_txn_else(txn, o)
			C.etcd3_op_free(o)
		}
		return txn
	}
}

type Client struct {
	client *C.etcd3_client_t
	queue  *C.etcd3_queue_t
	wake   *os.File // a pipe, so a goroutine that reads it waits in Go's own poller, holding no thread
	done   chan struct{}
}

// Open makes a client and starts the goroutine that hands out its events.
func Open(timeoutMs int, endpoints ...string) (*Client, error) {
	config := C.etcd3_config_new()
	defer C.etcd3_config_free(config)
	for _, endpoint := range endpoints {
		s := C.CString(endpoint)
		C.etcd3_config_add_endpoint(config, s)
		C.free(unsafe.Pointer(s))
	}
	C.etcd3_config_set_timeout(config, C.int64_t(timeoutMs))
	c := &Client{done: make(chan struct{})}
	var e *C.etcd3_error_t
	if C.etcd3_client_open(config, &c.client, &e) != C.ETCD3_OK {
		return nil, takeError(e)
	}
	if C.etcd3_queue_new(&c.queue, &e) != C.ETCD3_OK {
		C.etcd3_client_free(c.client)
		return nil, takeError(e)
	}
	c.wake = os.NewFile(uintptr(C.etcd3_queue_dup_fd(c.queue)), "etcd3 events")
	go c.deliver()
	return c, nil
}

func (c *Client) Put(key, value string) error {
	var e *C.etcd3_error_t
	k, n := bytes(key)
	v, m := bytes(value)
	C.etcd3_put(c.client, k, n, v, m, &e)
	return takeError(e)
}

func (c *Client) Get(key string) (*KeyValue, error) {
	var r *C.etcd3_result_t
	var e *C.etcd3_error_t
	k, n := bytes(key)
	C.etcd3_get(c.client, k, n, &r, &e)
	result, err := takeResult(r, e)
	if err != nil || len(result.KVs) == 0 {
		return nil, err
	}
	return result.KVs[0], nil
}

func (c *Client) GetPrefix(prefix string) ([]*KeyValue, error) {
	var r *C.etcd3_result_t
	var e *C.etcd3_error_t
	p, n := bytes(prefix)
	C.etcd3_get_prefix(c.client, p, n, &r, &e)
	result, err := takeResult(r, e)
	if err != nil {
		return nil, err
	}
	return result.KVs, nil
}

func (c *Client) DeletePrefix(prefix string) error {
	var e *C.etcd3_error_t
	p, n := bytes(prefix)
	C.etcd3_delete_prefix(c.client, p, n, nil, &e)
	return takeError(e)
}

func (c *Client) Do(op Op) (*Result, error) {
	var r *C.etcd3_result_t
	var e *C.etcd3_error_t
	o := op()
	defer C.etcd3_op_free(o)
	C.etcd3_execute(c.client, o, &r, &e)
	return takeResult(r, e)
}

// Close ends the watches; their channels close once their last events have come.
func (c *Client) Close() error {
	var e *C.etcd3_error_t
	C.etcd3_client_close(c.client, 5000, &e)
	c.wake.Close()
	<-c.done
	c.drain()
	return takeError(e)
}

// Free is for after Close.
func (c *Client) Free() {
	C.etcd3_queue_free(c.queue)
	C.etcd3_client_free(c.client)
}
