// Porcupine's search for an order of all calls in which each saw what it had to see. Reads calls as JSON from
// standard input and says ok, unknown (no order was found or excluded in time), or which keys have none.
package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

// History is what the rig writes.
type History struct {
	LimitMs int64  `json:"limit_ms"`
	Calls   []Call `json:"calls"`
}

// Call is one call on one key. A value of nil is that of a key that does not exist.
type Call struct {
	Caller   int     `json:"caller"`
	Key      string  `json:"key"`
	Kind     string  `json:"kind"` // put, put_if, delete, get
	Value    string  `json:"value"`
	Expected *string `json:"expected"` // what put_if puts over
	Seen     *string `json:"seen"`     // what get got
	Applied  bool    `json:"applied"`  // whether put_if put, and delete deleted
	Known    bool    `json:"known"`    // whether the caller was told what came of it
	Called   int64   `json:"called"`
	Returned *int64  `json:"returned"` // nil: it may take effect at any time
}

// state is what a key holds.
type state struct {
	exists bool
	value  string
}

func of(value *string) state {
	if value == nil {
		return state{}
	}
	return state{true, *value}
}

func step(before, input, _ interface{}) (bool, interface{}) {
	now, call := before.(state), input.(Call)
	put := state{true, call.Value}
	switch call.Kind {
	case "put":
		return true, put
	case "put_if":
		matches := now == of(call.Expected)
		if matches {
			return !call.Known || call.Applied, put
		}
		return !call.Known || !call.Applied, now
	case "delete":
		return !call.Known || call.Applied == now.exists, state{}
	case "get":
		return now == of(call.Seen), now
	}
	panic("what is " + call.Kind + "?")
}

// check returns the keys without an order, and those of which that could not be decided in time.
func check(history History) (wrong, undecided []string) {
	model := porcupine.Model{Init: func() interface{} { return state{} }, Step: step}
	keys := map[string][]porcupine.Operation{}
	for _, call := range history.Calls {
		returned := int64(math.MaxInt64)
		if call.Returned != nil {
			returned = *call.Returned
		}
		keys[call.Key] = append(keys[call.Key], porcupine.Operation{
			ClientId: call.Caller, Input: call, Call: call.Called, Return: returned,
		})
	}
	deadline := time.Now().Add(time.Duration(history.LimitMs) * time.Millisecond)
	for key, calls := range keys {
		left := time.Until(deadline)
		if left <= 0 {
			undecided = append(undecided, key)
			continue
		}
		switch porcupine.CheckOperationsTimeout(model, calls, left) {
		case porcupine.Illegal:
			wrong = append(wrong, key)
		case porcupine.Unknown:
			undecided = append(undecided, key)
		}
	}
	sort.Strings(wrong)
	sort.Strings(undecided)
	return wrong, undecided
}

func main() {
	var history History
	if err := json.NewDecoder(os.Stdin).Decode(&history); err != nil {
		fmt.Fprintln(os.Stderr, "porcupine:", err)
		os.Exit(2)
	}
	wrong, undecided := check(history)
	switch {
	case len(wrong) > 0:
		fmt.Println("no order of", wrong)
	case len(undecided) > 0:
		fmt.Println("unknown", undecided)
	default:
		fmt.Println("ok")
	}
}
