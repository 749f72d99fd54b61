package main

/*
#include <etcd3.h>

// A cgo.Handle is a number, and go vet rightly dislikes numbers in Go's pointers.
static etcd3_code_t start(etcd3_client_t *client, const etcd3_watch_opts_t *opts, etcd3_queue_t *queue,
                          uintptr_t user_data, etcd3_watch_t **watch, etcd3_error_t **err) {
	return etcd3_watch_start(client, opts, queue, NULL, (void *)user_data, watch, err);
}
static uintptr_t user_data(const etcd3_event_t *event) { return (uintptr_t)etcd3_event_user_data(event); }
*/
import "C"

import "runtime/cgo"

const (
	EventWatch  = C.ETCD3_EVENT_WATCH
	EventState  = C.ETCD3_EVENT_STATE
	EventClosed = C.ETCD3_EVENT_CLOSED
	StateLive   = C.ETCD3_STATE_LIVE
	Put         = C.ETCD3_CHANGE_PUT
	Delete      = C.ETCD3_CHANGE_DELETE
)

type Change struct {
	Type       int
	IsCreate   bool
	KV, PrevKV *KeyValue
}

type Event struct {
	Type, State int
	Revision    int64
	Err         error
	Changes     []Change
}

func newEvent(e *C.etcd3_event_t) Event {
	event := Event{Type: int(C.etcd3_event_type(e)), State: int(C.etcd3_event_state(e)),
		Revision: int64(C.etcd3_event_revision(e)), Err: newError(C.etcd3_event_error(e))}
	for i := C.size_t(0); i < C.etcd3_event_change_count(e); i++ {
		c := C.etcd3_event_change(e, i)
		event.Changes = append(event.Changes,
			Change{int(c._type), c.is_create != 0, newKeyValue(c.kv), newKeyValue(c.prev_kv)})
	}
	return event
}

// A Watch's channel is closed after its last event.
type Watch struct {
	Events chan Event
	watch  *C.etcd3_watch_t
	handle cgo.Handle
}

func (c *Client) Watch(prefix string) (*Watch, error) {
	p, n := bytes(prefix)
	opts := C.etcd3_watch_opts_new(p, n)
	defer C.etcd3_watch_opts_free(opts)
	C.etcd3_watch_opts_set_prefix(opts)
	C.etcd3_watch_opts_set_prev_kv(opts)
	w := &Watch{Events: make(chan Event, 64)}
	w.handle = cgo.NewHandle(w)
	var e *C.etcd3_error_t
	if C.start(c.client, opts, c.queue, C.uintptr_t(w.handle), &w.watch, &e) != C.ETCD3_OK {
		w.handle.Delete()
		return nil, takeError(e)
	}
	return w, nil
}

func (w *Watch) Cancel() { C.etcd3_watch_cancel(w.watch) }
func (w *Watch) Free()   { C.etcd3_watch_free(w.watch) }

// deliver drains the queue whenever its pipe has bytes, until Close closes our end.
func (c *Client) deliver() {
	defer close(c.done)
	for buffer := make([]byte, 64); ; c.drain() {
		if _, err := c.wake.Read(buffer); err != nil {
			return
		}
	}
}

// drain hands out the events that wait. CLOSED ends a watch: one more event of it would panic.
func (c *Client) drain() {
	for {
		var e *C.etcd3_event_t
		var err *C.etcd3_error_t
		if C.etcd3_queue_next(c.queue, 0, &e, &err) != C.ETCD3_OK {
			panic(takeError(err))
		}
		if e == nil {
			return
		}
		handle := cgo.Handle(C.user_data(e))
		w := handle.Value().(*Watch)
		event := newEvent(e)
		C.etcd3_event_free(e)
		w.Events <- event
		if event.Type == EventClosed {
			close(w.Events)
			handle.Delete()
		}
	}
}
