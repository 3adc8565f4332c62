package httpvendor

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/connect-processor/connect-processor/processor"
)

func TestStatusTable(t *testing.T) {
	for _, test := range []struct {
		status                     int
		class                      processor.ErrorClass
		permanent, notDone, delays bool
	}{
		{status: 200},
		{status: 204},
		{status: 304, class: processor.ClassVendorRefused, permanent: true},
		{status: 400, class: processor.ClassVendorRefused, permanent: true},
		{status: 401, class: processor.ClassVendorAuth, notDone: true},
		{status: 403, class: processor.ClassVendorAuth, notDone: true},
		{status: 404, class: processor.ClassVendorRefused, permanent: true},
		{status: 408, class: processor.ClassVendorUnavailable},
		{status: 409, class: processor.ClassVendorRefused, permanent: true},
		{status: 425, class: processor.ClassVendorUnavailable},
		{status: 429, class: processor.ClassRateLimited, notDone: true, delays: true},
		{status: 500, class: processor.ClassVendorUnavailable},
		{status: 503, class: processor.ClassVendorUnavailable, delays: true},
		{status: 599, class: processor.ClassVendorUnavailable},
	} {
		rec := newRecorder(t)
		rec.answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(test.status)
		})
		_, err := attempt(t, mustNew(t, tenants(rec.URL)).Suspend, order("1", "t-1"), nil)
		if test.class == "" {
			if err != nil {
				t.Errorf("%d: %v, want success", test.status, err)
			}
			continue
		}
		if got := processor.ClassOf(err); err == nil || got != test.class {
			t.Errorf("%d: class %s, want %s (%v)", test.status, got, test.class, err)
		}
		if got := processor.IsPermanent(err); got != test.permanent {
			t.Errorf("%d: permanent %t, want %t", test.status, got, test.permanent)
		}
		if got := processor.IsNotDone(err); got != test.notDone {
			t.Errorf("%d: not done %t, want %t", test.status, got, test.notDone)
		}
		if after, ok := processor.RetryDelay(err); ok != test.delays || ok && after != 7*time.Second {
			t.Errorf("%d: delay %s, %t; want one of 7s: %t", test.status, after, ok, test.delays)
		}
	}
}

func TestEveryStatusHasARule(t *testing.T) {
	for status := 100; status <= 599; status++ {
		r := ruleFor(status, nil)
		if success := status >= 200 && status <= 299; (r.class == "") != success {
			t.Errorf("%d: class %q", status, r.class)
		}
		if r.permanent && r.notDone {
			t.Errorf("%d: permanent errors are not tried again, so nothing takes their note back", status)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	const sent = "Tue, 24 Nov 2026 02:00:00 GMT"
	for asked, want := range map[string]time.Duration{
		"0": 0, "90": 90 * time.Second, "2000000000": maxRetryAfter,
		"Tue, 24 Nov 2026 02:01:00 GMT": time.Minute,
		"Tue, 24 Nov 2026 01:00:00 GMT": 0,
		"":                              -1, "soon": -1, "-5": -1, "99999999999999999999": -1,
	} {
		got, ok := retryAfter(http.Header{"Retry-After": {asked}, "Date": {sent}})
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %s, %t; want %s", asked, got, ok, want)
		}
	}
}

func TestRefusalTellsWhatTheVendorSaidOnOneLine(t *testing.T) {
	rec := newRecorder(t)
	rec.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, "tenant\r\n is\tlocked "+strings.Repeat("é", 1000))
	})
	_, err := attempt(t, mustNew(t, tenants(rec.URL)).Suspend, order("1", "t-1"), nil)
	want := "calling the vendor's PUT /tenant/{params.subscription_id}/disable (disable_tenant): 409 Conflict: tenant is locked " +
		strings.Repeat("é", maxMessage-len("tenant is locked "))
	if err == nil || err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

func TestAnswersThatAreNotWhatWasAgreedAreTriedAgain(t *testing.T) {
	for name, body := range map[string]string{
		"no JSON":   "<html>",
		"empty":     "",
		"no member": `{"id":"t-1"}`,
		"null":      `{"tenantId":null}`,
		"no text":   `{"tenantId":""}`,
		"a list":    `["t-1"]`,
		"too long":  `{"tenantId":"` + strings.Repeat("x", maxAnswer) + `"}`,
	} {
		rec := newRecorder(t)
		rec.answers(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		_, err := attempt(t, mustNew(t, tenants(rec.URL)).Purchase, order("1", ""), nil)
		if processor.ClassOf(err) != processor.ClassVendorAnswer || processor.IsPermanent(err) || processor.IsNotDone(err) {
			t.Errorf("%s: error %v of class %s, want vendor_answer, tried again", name, err, processor.ClassOf(err))
		}
		if calls := rec.calls(); len(calls) != 1 {
			t.Errorf("%s: %d calls, want 1", name, len(calls))
		}
	}
}

func TestVendorThatIsNotThereIsCertainlyNotCalled(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	_, err := attempt(t, mustNew(t, tenants(closed.URL)).Purchase, order("1", ""), nil)
	if !processor.IsNotDone(err) || processor.ClassOf(err) != processor.ClassVendorUnavailable {
		t.Errorf("error %v of class %s, want vendor_unavailable, not done", err, processor.ClassOf(err))
	}
}

func TestCallThatTakesTooLongHasAnUnknownEffect(t *testing.T) {
	rec := newRecorder(t)
	rec.answers(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	cfg := tenants(rec.URL)
	cfg.Timeout = 20 * time.Millisecond
	_, err := attempt(t, mustNew(t, cfg).Suspend, order("1", "t-1"), nil)
	if processor.ClassOf(err) != processor.ClassTimeout || processor.IsNotDone(err) || processor.IsPermanent(err) {
		t.Errorf("error %v of class %s, want timeout, effect unknown", err, processor.ClassOf(err))
	}
}

func TestRedirects(t *testing.T) {
	other := newRecorder(t)
	for name, test := range map[string]struct {
		status int
		to     string
		calls  int
		fine   bool
	}{
		"other host":                {http.StatusTemporaryRedirect, other.URL + "/tenant", 1, false},
		"own host, same method":     {http.StatusTemporaryRedirect, "/moved", 2, true},
		"own host, becomes a GET":   {http.StatusFound, "/moved", 1, false},
		"own host, again and again": {http.StatusPermanentRedirect, "/tenant/t-1/disable", maxHops + 1, false},
	} {
		rec := newRecorder(t)
		rec.answers(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/moved" {
				http.Redirect(w, r, test.to, test.status)
			}
		})
		_, err := attempt(t, mustNew(t, tenants(rec.URL)).Suspend, order("1", "t-1"), nil)
		if test.fine != (err == nil) || err != nil && processor.ClassOf(err) != processor.ClassVendorRefused {
			t.Errorf("%s: error %v", name, err)
		}
		if calls := rec.calls(); len(calls) != test.calls {
			t.Errorf("%s: %d calls, want %d", name, len(calls), test.calls)
		}
	}
	if calls := other.calls(); len(calls) > 0 {
		t.Errorf("another host was called: %v", calls)
	}
}

// once is an operation whose only call must not be made twice.
func once(baseURL, method string) Config {
	return Config{BaseURL: baseURL, Operations: map[string]Operation{"purchase": {Calls: []Call{
		{Name: "charge", Method: method, Path: "/charges", Idempotency: None},
	}}}}
}

func TestCallOfUnknownEffectIsNotMadeAgain(t *testing.T) {
	rec := newRecorder(t)
	steps := &processor.MemorySteps{}
	purchase := mustNew(t, once(rec.URL, http.MethodPost)).Purchase
	rec.answers(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if _, err := attempt(t, purchase, order("1", ""), steps); err == nil || processor.IsNotDone(err) {
		t.Fatalf("error %v, want one of unknown effect", err)
	}
	_, err := attempt(t, purchase, order("1", ""), steps)
	if processor.ClassOf(err) != processor.ClassOutcomeUnknown || !processor.IsPermanent(err) {
		t.Errorf("error %v of class %s, want outcome_unknown", err, processor.ClassOf(err))
	}
	if calls := rec.calls(); len(calls) != 1 {
		t.Errorf("the vendor was called %d times", len(calls))
	}
}

func TestCallThatWasTurnedAwayIsMadeAgain(t *testing.T) {
	rec := newRecorder(t)
	steps := &processor.MemorySteps{}
	purchase := mustNew(t, once(rec.URL, http.MethodPost)).Purchase
	fine := rec.answer
	for _, status := range []int{http.StatusTooManyRequests, http.StatusUnauthorized, http.StatusForbidden} {
		rec.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		if _, err := attempt(t, purchase, order("1", ""), steps); err == nil {
			t.Fatalf("%d is taken for a success", status)
		}
	}
	rec.answers(fine)
	if _, err := attempt(t, purchase, order("1", ""), steps); err != nil {
		t.Error(err)
	}
}

// TestKeptConnectionThatBreaksIsNoReasonToRepeat guards against net/http, which
// makes a call again by itself when it carries an idempotency key and a
// connection from an earlier call breaks before the answer.
func TestKeptConnectionThatBreaksIsNoReasonToRepeat(t *testing.T) {
	for _, method := range []string{http.MethodPost, http.MethodDelete} {
		rec := newRecorder(t)
		purchase := mustNew(t, once(rec.URL, method)).Purchase
		client := &http.Client{Transport: &http.Transport{}}
		t.Cleanup(client.CloseIdleConnections)
		call := func() error {
			_, err := purchase(t.Context(), &processor.Task{Request: order("1", ""), HTTP: client})
			return err
		}
		if err := call(); err != nil {
			t.Fatal(err)
		}
		rec.answers(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		if err := call(); err == nil {
			t.Fatal("a lost answer is taken for a success")
		}
		calls := rec.calls()
		if len(calls) != 2 {
			t.Errorf("%s: %d calls, want 2", method, len(calls))
		}
		for _, call := range calls {
			if call.Key != "PR-1:charge" {
				t.Errorf("%s: key %q", method, call.Key)
			}
		}
	}
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func TestErrorsOfOurOwnKeepTheirClass(t *testing.T) {
	lost := processor.NotDone(processor.WithClass(processor.ClassInterrupted, errors.New("lease lost")))
	client := &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) { return nil, lost })}
	_, err := mustNew(t, tenants("http://vendor.example")).Cancel(t.Context(), &processor.Task{Request: order("1", "t-1"), HTTP: client})
	if processor.ClassOf(err) != processor.ClassInterrupted || !processor.IsNotDone(err) {
		t.Errorf("error %v of class %s, want interrupted, not done", err, processor.ClassOf(err))
	}
}

func TestConnectionThatBreaksIsNotOneThatWasNeverMade(t *testing.T) {
	for op, want := range map[string]bool{"dial": true, "proxyconnect": true, "read": false, "write": false} {
		if got := neverSent(&net.OpError{Op: op, Err: errors.New("broken")}); got != want {
			t.Errorf("%s: never sent %t, want %t", op, got, want)
		}
	}
}
