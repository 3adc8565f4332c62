package httpvendor

import (
	"errors"
	"strings"
	"testing"
)

func TestEmptyConfigOffersNothing(t *testing.T) {
	vendor := mustNew(t, Config{})
	for name, handler := range handlers(&vendor) {
		if *handler != nil {
			t.Errorf("%s is offered", name)
		}
	}
}

func TestFaultsOfAMappingAreReportedTogether(t *testing.T) {
	_, err := New(Config{Operations: map[string]Operation{
		"purchase": {Expect: &Expect{}, Calls: []Call{
			{Name: "a", Method: "post", Path: "tenant", Idempotency: Key, Save: map[string]string{"id": "tenantId"}},
			{Name: "a", Method: "PUT", Path: "/x/{params.late}", Idempotency: "sometimes", Body: map[string]any{"n": []any{"{item.0}"}}},
			{Method: "PUT", Path: "/../{params.x", Save: map[string]string{"late": "/l"}, Done: []int{500}},
		}},
		"purchse": {},
		"cancel":  {},
	}})
	if err == nil {
		t.Fatal("no error")
	}
	var list interface{ Unwrap() []error }
	if !errors.As(err, &list) {
		t.Fatalf("the faults are not a list: %v", err)
	}
	want := []string{
		"base_url: is missing",
		"operations.cancel.calls: is empty",
		"operations.purchase.expect.items: ",
		"operations.purchase.expect.else_fail: ",
		`operations.purchase.calls[0] (a): method: "post"`,
		`operations.purchase.calls[0] (a): path: "tenant"`,
		"operations.purchase.calls[0] (a): save.id: ",
		"operations.purchase.calls[1] (a): another call",
		`operations.purchase.calls[1] (a): idempotency: "sometimes"`,
		"operations.purchase.calls[1] (a): body: n: [0]: unknown placeholder {item.0}",
		"operations.purchase.calls[2]: name: is missing",
		"operations.purchase.calls[2]: idempotency: is missing",
		"operations.purchase.calls[2]: path: a brace",
		"operations.purchase.calls[2]: done: 500",
		"operations.purchase.calls[1] (a): uses {params.late} before it is saved",
		"operations.purchse: unknown operation",
	}
	got := list.Unwrap()
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(got):
			t.Errorf("missing fault: %s", want[i])
		case i >= len(want):
			t.Errorf("fault that was not planted: %v", got[i])
		case !strings.HasPrefix(got[i].Error(), want[i]):
			t.Errorf("fault %v, want %s…", got[i], want[i])
		}
	}
}

func TestAddressesThatAreRefused(t *testing.T) {
	for _, base := range []string{"vendor.example", "ftp://vendor.example", "http://", "https://u:p@vendor.example", "https://vendor.example?x=1"} {
		if _, err := New(Config{BaseURL: base}); err == nil {
			t.Errorf("%s is accepted", base)
		} else if strings.Contains(err.Error(), "u:p") {
			t.Errorf("the error tells a password: %v", err)
		}
	}
	for _, path := range []string{"", "x", "/a/../b", "/./a", "/a?b=1", "/a#b", "/a b"} {
		if _, err := parsePath(path); err == nil {
			t.Errorf("path %q is accepted", path)
		}
	}
}
