package httpvendor

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/processor"
)

// tenants is the vendor API of the Processor Example.
func tenants(baseURL string) Config {
	tenant := "/tenant/{params.subscription_id}"
	put := func(name, path string, body any) Operation {
		return Operation{Calls: []Call{{Name: name, Method: http.MethodPut, Path: path, Body: body, Idempotency: Repeatable}}}
	}
	licences := map[string]any{"licences": map[string]any{"limit": "{items.0.quantity}"}}
	change := put("set_licences", tenant, licences)
	change.Expect = &Expect{Items: 1, ElseFail: "Change not allowed"}
	return Config{BaseURL: baseURL, Operations: map[string]Operation{
		"purchase": {Calls: []Call{
			{
				Name: "create_tenant", Method: http.MethodPost, Path: "/tenant", Body: map[string]any{},
				Idempotency: Key, Save: map[string]string{"subscription_id": "/tenantId"},
			},
			{Name: "set_licences", Method: http.MethodPut, Path: tenant, Body: licences, Idempotency: Repeatable},
		}},
		"change": change,
		"cancel": {Calls: []Call{{
			Name: "delete_tenant", Method: http.MethodDelete, Path: tenant, Done: []int{404}, Idempotency: Repeatable,
		}}},
		"suspend": put("disable_tenant", tenant+"/disable", nil),
		"resume":  put("enable_tenant", tenant+"/enable", nil),
	}}
}

// seen is one call as the vendor's system sees it.
type seen struct{ Call, Body, Key string }

// recorder is a vendor's system that notes what it is asked.
type recorder struct {
	*httptest.Server

	mu     sync.Mutex
	noted  []seen
	answer http.HandlerFunc
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	rec := &recorder{answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"tenantId":"t-1"}`) }}
	rec.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		rec.mu.Lock()
		rec.noted = append(rec.noted, seen{r.Method + " " + r.URL.EscapedPath(), string(body), r.Header.Get("Idempotency-Key")})
		answer := rec.answer
		rec.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(rec.Close)
	return rec
}

// answers replaces what the system does, by default 200 {"tenantId":"t-1"}.
func (rec *recorder) answers(with http.HandlerFunc) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.answer = with
}

// calls returns what the system has been asked since the last time.
func (rec *recorder) calls() []seen {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	noted := rec.noted
	rec.noted = nil
	return noted
}

// order is a request with one item and, when it is not empty, the tenant's ID.
func order(quantity connect.Quantity, subscription string) *connect.Request {
	return &connect.Request{ID: "PR-1", Asset: connect.Asset{
		Items:  []connect.Item{{MPN: "MPN-A", Quantity: quantity}},
		Params: connect.Params{{ID: "subscription_id", Value: subscription}},
	}}
}

func mustNew(t *testing.T, cfg Config) processor.Vendor {
	t.Helper()
	vendor, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return vendor
}

func attempt(t *testing.T, h processor.Handler, request *connect.Request, steps processor.Steps) (processor.Decision, error) {
	t.Helper()
	return h(t.Context(), &processor.Task{Request: request, HTTP: &http.Client{}, Steps: steps})
}

func TestExampleMapping(t *testing.T) {
	rec := newRecorder(t)
	vendor := mustNew(t, tenants(rec.URL))
	saved := order("7", "t-1")
	for _, test := range []struct {
		name    string
		handler processor.Handler
		request *connect.Request
		want    processor.Decision
		calls   []seen
	}{
		{
			"purchase", vendor.Purchase, order("10", ""),
			processor.Approve{Params: processor.Params{"subscription_id": "t-1"}},
			[]seen{
				{"POST /tenant", "{}", "PR-1:create_tenant"},
				{"PUT /tenant/t-1", `{"licences":{"limit":10}}`, "PR-1:set_licences"},
			},
		},
		{
			"change", vendor.Change, saved,
			processor.Approve{Params: processor.Params{}},
			[]seen{{"PUT /tenant/t-1", `{"licences":{"limit":7}}`, "PR-1:set_licences"}},
		},
		{
			"cancel", vendor.Cancel, saved,
			processor.Approve{Params: processor.Params{}},
			[]seen{{"DELETE /tenant/t-1", "", "PR-1:delete_tenant"}},
		},
		{
			"suspend", vendor.Suspend, saved,
			processor.Approve{Params: processor.Params{}},
			[]seen{{"PUT /tenant/t-1/disable", "", "PR-1:disable_tenant"}},
		},
		{
			"resume", vendor.Resume, saved,
			processor.Approve{Params: processor.Params{}},
			[]seen{{"PUT /tenant/t-1/enable", "", "PR-1:enable_tenant"}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			decision, err := attempt(t, test.handler, test.request, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, decision); diff != "" {
				t.Errorf("decision (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.calls, rec.calls()); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
	if vendor.Renew != nil || vendor.Adjustment != nil || vendor.Transfer != nil || vendor.Revoke != nil {
		t.Error("an operation that is not configured has a handler")
	}
}

func TestCancelOfATenantThatIsGoneIsDone(t *testing.T) {
	rec := newRecorder(t)
	rec.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	decision, err := attempt(t, mustNew(t, tenants(rec.URL)).Cancel, order("1", "t-1"), nil)
	if diff := cmp.Diff(processor.Decision(processor.Approve{Params: processor.Params{}}), decision); diff != "" || err != nil {
		t.Errorf("error %v, decision (-want +got):\n%s", err, diff)
	}
}

func TestChangeOfMoreItemsThanExpectedFails(t *testing.T) {
	rec := newRecorder(t)
	request := order("1", "t-1")
	request.Asset.Items = append(request.Asset.Items, connect.Item{MPN: "MPN-B", Quantity: "1"})
	decision, err := attempt(t, mustNew(t, tenants(rec.URL)).Change, request, nil)
	if diff := cmp.Diff(processor.Decision(processor.Fail{Reason: "Change not allowed"}), decision); diff != "" || err != nil {
		t.Errorf("error %v, decision (-want +got):\n%s", err, diff)
	}
	if calls := rec.calls(); len(calls) > 0 {
		t.Errorf("the vendor was called: %v", calls)
	}
}

func TestRequestThatLacksWhatTheMappingNeedsIsParkedAndTheVendorNeverCalled(t *testing.T) {
	rec := newRecorder(t)
	vendor := mustNew(t, tenants(rec.URL))
	bare := order("1", "t-1")
	bare.Asset.Items = nil
	for name, test := range map[string]struct {
		handler processor.Handler
		request *connect.Request
	}{
		"cancel without subscription":     {vendor.Cancel, order("1", "")},
		"suspend without subscription":    {vendor.Suspend, order("1", "")},
		"resume without subscription":     {vendor.Resume, order("1", "")},
		"change without subscription":     {vendor.Change, order("1", "")},
		"change without items":            {vendor.Change, bare},
		"purchase without items":          {vendor.Purchase, &connect.Request{ID: "PR-1"}},
		"purchase without quantity":       {vendor.Purchase, order("", "")},
		"subscription that is a dot":      {vendor.Cancel, order("1", ".")},
		"subscription that leads upwards": {vendor.Suspend, order("1", "..")},
	} {
		_, err := attempt(t, test.handler, test.request, nil)
		if !processor.IsPermanent(err) || processor.ClassOf(err) != processor.ClassParams {
			t.Errorf("%s: error %v of class %s, want a permanent one of class params", name, err, processor.ClassOf(err))
		}
	}
	if calls := rec.calls(); len(calls) > 0 {
		t.Errorf("the vendor was called: %v", calls)
	}
}

func TestQuantityKeepsItsType(t *testing.T) {
	rec := newRecorder(t)
	change := mustNew(t, tenants(rec.URL)).Change
	for quantity, want := range map[connect.Quantity]string{
		"0":                    `{"licences":{"limit":0}}`,
		"2.50":                 `{"licences":{"limit":2.50}}`,
		"unlimited":            `{"licences":{"limit":"unlimited"}}`,
		"98765432109876543210": `{"licences":{"limit":98765432109876543210}}`,
	} {
		if _, err := attempt(t, change, order(quantity, "t-1"), nil); err != nil {
			t.Fatal(err)
		}
		if got := rec.calls()[0].Body; got != want {
			t.Errorf("quantity %s: body %s, want %s", quantity, got, want)
		}
	}
}

func TestValuesOfAPathAreEscaped(t *testing.T) {
	rec := newRecorder(t)
	if _, err := attempt(t, mustNew(t, tenants(rec.URL)).Suspend, order("1", "../a?b#c d%2e"), nil); err != nil {
		t.Fatal(err)
	}
	if got, want := rec.calls()[0].Call, "PUT /tenant/..%2Fa%3Fb%23c%20d%252e/disable"; got != want {
		t.Errorf("the vendor saw %s, want %s", got, want)
	}
}

func TestPurchaseAfterALostAnswerRepeatsTheSameKey(t *testing.T) {
	rec := newRecorder(t)
	purchase := mustNew(t, tenants(rec.URL)).Purchase
	steps := &processor.MemorySteps{}
	fine := rec.answer
	rec.answers(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if _, err := attempt(t, purchase, order("3", ""), steps); err == nil || processor.IsPermanent(err) || processor.IsNotDone(err) {
		t.Fatalf("error %v, want one that is tried again, of unknown effect", err)
	}
	create := seen{"POST /tenant", "{}", "PR-1:create_tenant"}
	for _, call := range rec.calls() { // net/http may have repeated it already
		if call != create {
			t.Errorf("call %v, want %v", call, create)
		}
	}
	rec.answers(fine)
	if _, err := attempt(t, purchase, order("3", ""), steps); err != nil {
		t.Fatal(err)
	}
	set := seen{"PUT /tenant/t-1", `{"licences":{"limit":3}}`, "PR-1:set_licences"}
	if diff := cmp.Diff([]seen{create, set}, rec.calls()); diff != "" {
		t.Errorf("calls of the second attempt (-want +got):\n%s", diff)
	}
	if _, err := attempt(t, purchase, order("3", ""), steps); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]seen{set}, rec.calls()); diff != "" {
		t.Errorf("calls of an attempt after the tenant was created (-want +got):\n%s", diff)
	}
}

func TestPurchaseWhoseTenantIsOnTheRequestCreatesNoOther(t *testing.T) {
	rec := newRecorder(t)
	if _, err := attempt(t, mustNew(t, tenants(rec.URL)).Purchase, order("3", "t-9"), nil); err != nil {
		t.Fatal(err)
	}
	want := []seen{{"PUT /tenant/t-9", `{"licences":{"limit":3}}`, "PR-1:set_licences"}}
	if diff := cmp.Diff(want, rec.calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestOtherOperationsSaveAnewWhatTheRequestHas(t *testing.T) {
	rec := newRecorder(t)
	cfg := Config{BaseURL: rec.URL, Operations: map[string]Operation{"renew": {Calls: []Call{{
		Name: "renew", Method: http.MethodPost, Path: "/renewals", Idempotency: Key, Save: map[string]string{"subscription_id": "/tenantId"},
	}}}}}
	decision, err := attempt(t, mustNew(t, cfg).Renew, order("1", "t-0"), nil)
	want := processor.Decision(processor.Approve{Params: processor.Params{"subscription_id": "t-1"}})
	if diff := cmp.Diff(want, decision); diff != "" || err != nil {
		t.Errorf("error %v, decision (-want +got):\n%s", err, diff)
	}
	if calls := rec.calls(); len(calls) != 1 {
		t.Errorf("the vendor was called %d times, want once", len(calls))
	}
}

func TestSavedNumberIsTextWithAllItsDigits(t *testing.T) {
	rec := newRecorder(t)
	rec.answers(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"tenantId":98765432109876543210}`)
	})
	decision, err := attempt(t, mustNew(t, tenants(rec.URL)).Purchase, order("1", ""), nil)
	want := processor.Decision(processor.Approve{Params: processor.Params{"subscription_id": "98765432109876543210"}})
	if diff := cmp.Diff(want, decision); diff != "" || err != nil {
		t.Errorf("error %v, decision (-want +got):\n%s", err, diff)
	}
	if got, want := rec.calls()[1].Call, "PUT /tenant/98765432109876543210"; got != want {
		t.Errorf("the second call is %s, want %s", got, want)
	}
}

func TestSavedObjectKeepsItsShape(t *testing.T) {
	rec := newRecorder(t)
	rec.answers(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"a/b":[{"~":{"x":1.0}}]}`)
	})
	cfg := Config{BaseURL: rec.URL, Operations: map[string]Operation{"purchase": {Calls: []Call{
		{Name: "one", Method: http.MethodPost, Path: "/", Idempotency: Key, Save: map[string]string{"details": "/a~1b/0/~0"}},
		{Name: "two", Method: http.MethodPost, Path: "/", Idempotency: Repeatable, Body: []any{"{params.details}", true, "{{{items.0.mpn}}}"}},
	}}}}
	decision, err := attempt(t, mustNew(t, cfg).Purchase, order("1", ""), nil)
	want := processor.Decision(processor.Approve{Params: processor.Params{"details": json.RawMessage(`{"x":1.0}`)}})
	if diff := cmp.Diff(want, decision); diff != "" || err != nil {
		t.Errorf("error %v, decision (-want +got):\n%s", err, diff)
	}
	if got, want := rec.calls()[1].Body, `[{"x":1.0},true,"{MPN-A}"]`; got != want {
		t.Errorf("body %s, want %s", got, want)
	}
}

func TestHandlerStopsWithItsContext(t *testing.T) {
	rec := newRecorder(t)
	ctx, cancel := context.WithCancel(t.Context())
	rec.answers(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	task := &processor.Task{Request: order("1", "t-1"), HTTP: &http.Client{}}
	if _, err := mustNew(t, tenants(rec.URL)).Cancel(ctx, task); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}
