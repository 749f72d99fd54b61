package main

import "testing"

func at(ns int64) *int64 { return &ns }

func text(value string) *string { return &value }

func put(value string, called, returned int64) Call {
	return Call{Key: "k", Kind: "put", Value: value, Known: true, Called: called, Returned: at(returned)}
}

func get(seen *string, called, returned int64) Call {
	return Call{Key: "k", Kind: "get", Seen: seen, Known: true, Called: called, Returned: at(returned)}
}

func verdict(t *testing.T, ordered bool, calls ...Call) {
	t.Helper()
	wrong, undecided := check(History{LimitMs: 10000, Calls: calls})
	if len(undecided) > 0 || ordered != (len(wrong) == 0) {
		t.Fatalf("wrong %v, undecided %v", wrong, undecided)
	}
}

func TestReads(t *testing.T) {
	verdict(t, true, put("1", 0, 10), get(text("1"), 11, 20), put("2", 21, 30), get(text("2"), 22, 31))
	verdict(t, true, put("1", 0, 10), put("2", 11, 30), get(text("1"), 12, 20), get(text("2"), 21, 22))
	// A stale one, and one that goes back.
	verdict(t, false, put("1", 0, 10), put("2", 11, 20), get(text("1"), 21, 30))
	verdict(t, false, put("1", 0, 10), put("2", 11, 40), get(text("2"), 12, 20), get(text("1"), 21, 30))
	verdict(t, false, put("1", 0, 10), get(nil, 11, 20))
}

func TestGuards(t *testing.T) {
	guarded := func(value string, expected *string, applied bool, called, returned int64) Call {
		return Call{Key: "k", Kind: "put_if", Value: value, Expected: expected, Applied: applied, Known: true,
			Called: called, Returned: at(returned)}
	}
	verdict(t, true, guarded("1", nil, true, 0, 10), guarded("2", nil, false, 0, 10))
	verdict(t, false, guarded("1", nil, true, 0, 10), guarded("2", nil, true, 0, 10))
	verdict(t, false, put("1", 0, 10), guarded("2", text("1"), false, 11, 20))
}

func TestDeletes(t *testing.T) {
	gone := func(applied bool, called, returned int64) Call {
		return Call{Key: "k", Kind: "delete", Applied: applied, Known: true, Called: called, Returned: at(returned)}
	}
	verdict(t, true, put("1", 0, 10), gone(true, 11, 20), gone(false, 21, 30))
	verdict(t, false, put("1", 0, 10), gone(true, 11, 20), gone(true, 21, 30))
}

func TestWhatNobodyWasTold(t *testing.T) {
	lost := Call{Key: "k", Kind: "put", Value: "2", Called: 11}
	verdict(t, true, put("1", 0, 10), lost, get(text("1"), 20, 30), get(text("2"), 40, 50))
	verdict(t, false, put("1", 0, 10), lost, get(text("2"), 20, 30), get(text("1"), 40, 50))
}
