package emulator_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/connect-processor/connect-processor/internal/emulator"
)

func (e *emulated) fault(tb testing.TB, body string) {
	tb.Helper()
	e.control(tb, http.StatusCreated, http.MethodPost, "/faults", body)
}

func TestFaultsBeforeAndAfterTheEffect(t *testing.T) {
	for kind, test := range map[string]struct {
		status   int // 0: no answer
		approved int
	}{
		"error":       {http.StatusServiceUnavailable, 0},
		"error_after": {http.StatusServiceUnavailable, 1},
		"drop":        {0, 0},
		"drop_after":  {0, 1},
		"rate_limit":  {http.StatusTooManyRequests, 0},
		"garbage":     {http.StatusOK, 0},
	} {
		t.Run(kind, func(t *testing.T) {
			e := newEmulated(t, emulator.Config{})
			r := e.purchase(t)
			e.saveSubscription(t, r)
			body := `{"template_id":"` + e.activationTemplate(t) + `"}`
			e.fault(t, `{"target":"connect","method":"POST","path":"^/requests/[^/]+/approve$","kind":"`+kind+
				`","retry_after":7,"times":1}`)
			got, err := e.call(t, http.MethodPost, "/public/v1/requests/"+r.ID+"/approve/", body)
			if (err != nil) != (test.status == 0) || got.status != test.status {
				t.Fatalf("status %d, error %v; want status %d", got.status, err, test.status)
			}
			switch kind {
			case "rate_limit":
				if after := got.header.Get("Retry-After"); after != "7" {
					t.Errorf("Retry-After %q, want 7", after)
				}
			case "garbage":
				if !strings.HasPrefix(string(got.body), "<!DOCTYPE html>") {
					t.Errorf("body %q, want a page", got.body)
				}
			}
			counted := e.counters(t)
			if n := counted.Calls["POST /requests/{id}/approve"]; n != 1 {
				t.Errorf("%d approvals arrived, want 1", n)
			}
			if counted.Approvals[r.ID] != test.approved || counted.RequestsByStatus["approved"] != test.approved {
				t.Errorf("%d approvals took effect on %d requests, want %d",
					counted.Approvals[r.ID], counted.RequestsByStatus["approved"], test.approved)
			}
			if test.approved == 0 {
				e.act(t, r.ID, "approve", body) // the fault was for one call
			}
		})
	}
}

func TestFaultsMatch(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	e.fault(t, `{"target":"vendor","kind":"error","status":500,"times":2}`)
	e.fault(t, `{"target":"connect","method":"GET","path":"^/assets","kind":"error","status":502}`)
	for _, test := range []struct {
		method, path string
		want         int
	}{
		{http.MethodPost, "/vendor/tenant", http.StatusInternalServerError},
		{http.MethodGet, "/public/v1/requests", http.StatusOK},
		{http.MethodGet, "/public/v1/assets", http.StatusBadGateway},
		{http.MethodPost, "/vendor/tenant", http.StatusInternalServerError},
		{http.MethodPost, "/vendor/tenant", http.StatusCreated},
		{http.MethodGet, "/public/v1/assets/AS-1", http.StatusBadGateway},
		{http.MethodGet, "/_emulator/state", http.StatusOK},
	} {
		e.must(t, test.want, test.method, test.path, "")
	}
	type listed struct {
		ID   string
		Hits int
	}
	faults := decodeAs[[]listed](t, e.control(t, http.StatusOK, http.MethodGet, "/faults", ""))
	if len(faults) != 2 || faults[0].Hits != 2 || faults[1].Hits != 2 {
		t.Errorf("faults %v, want two with two hits each", faults)
	}
	e.control(t, http.StatusNoContent, http.MethodDelete, "/faults/"+faults[1].ID, "")
	e.get(t, "/assets")
	e.control(t, http.StatusNotFound, http.MethodDelete, "/faults/"+faults[1].ID, "")
	e.fault(t, `{"kind":"error"}`)
	e.control(t, http.StatusNoContent, http.MethodDelete, "/faults", "")
	e.get(t, "/assets")
}

func TestLatencyAddsToOtherFaults(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	e.fault(t, `{"kind":"latency","latency":"30ms"}`)
	e.fault(t, `{"kind":"error","latency":"30ms","status":504}`)
	start := time.Now()
	e.must(t, http.StatusGatewayTimeout, http.MethodGet, "/public/v1/requests", "")
	if took := time.Since(start); took < 60*time.Millisecond {
		t.Errorf("answered after %s, want 60ms at least", took)
	}
}

func TestProbabilityOfFaults(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	e.fault(t, `{"kind":"error","probability":0.5}`)
	failed := 0
	for range 200 {
		got, err := e.call(t, http.MethodGet, "/public/v1/assets", "")
		if err != nil {
			t.Fatal(err)
		}
		if got.status != http.StatusOK {
			failed++
		}
	}
	if failed < 60 || failed > 140 {
		t.Errorf("%d of 200 calls failed, want about half", failed)
	}
}

func TestWrongFaultsAreRefused(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	for _, body := range []string{
		`{"kind":"earthquake"}`, `{"kind":"error","path":"("}`, `{"kind":"latency"}`, `{"kind":"latency","latency":"5"}`,
		`{"kind":"error","probability":2}`, `{"kind":"error","times":-1}`, `{"kind":"error","status":42}`,
		`{"kind":"error","target":"control"}`, `{"kind":"error","tagret":"vendor"}`,
	} {
		e.refuses(t, "VAL_001", http.MethodPost, "/_emulator/faults", body)
	}
}
