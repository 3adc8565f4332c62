package emulator_test

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/connect-processor/connect-processor/internal/emulator"
)

func (e *emulated) tenant(tb testing.TB, key string) string {
	tb.Helper()
	created := e.must(tb, http.StatusCreated, http.MethodPost, "/vendor/tenant", "{}", "Idempotency-Key", key)
	return decodeAs[struct {
		TenantID string `json:"tenantId"`
	}](tb, created).TenantID
}

type tenantState struct {
	ID      string `json:"id"`
	Request string `json:"request"`
	State   string `json:"state"`
	Limit   any    `json:"limit"`
}

func (e *emulated) tenants(tb testing.TB) []tenantState {
	tb.Helper()
	return decodeAs[struct{ Tenants []tenantState }](tb, e.control(tb, http.StatusOK, http.MethodGet, "/state", "")).Tenants
}

func TestIdempotencyKeys(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	const one, two = "PR-1000-0000-0001-001/create", "PR-1000-0000-0002-001/create"
	first := e.tenant(t, one)
	if again := e.tenant(t, one); again != first {
		t.Errorf("the same key gave %s, then %s", first, again)
	}
	if other := e.tenant(t, two); other == first {
		t.Errorf("another key gave %s again", other)
	}
	e.tenant(t, one+"-2")
	if anonymous := e.tenant(t, ""); anonymous == e.tenant(t, "") {
		t.Errorf("calls without a key gave %s twice", anonymous)
	}
	got := e.counters(t)
	want := counters{
		Tenants: 5, Duplicates: 1, MissingKey: 2,
		TenantsByRequest: map[string]int{one[:21]: 2, two[:21]: 1},
	}
	if diff := cmp.Diff(want.TenantsByRequest, got.TenantsByRequest); diff != "" {
		t.Errorf("tenants by request (-want +got):\n%s", diff)
	}
	if got.Tenants != want.Tenants || got.Duplicates != want.Duplicates || got.MissingKey != want.MissingKey {
		t.Errorf("tenants %d, duplicates %d, missing keys %d; want 5, 1, 2", got.Tenants, got.Duplicates, got.MissingKey)
	}
	if n := got.Calls["vendor POST /tenant"]; n != 6 {
		t.Errorf("%d calls counted, want 6", n)
	}
}

func TestLostAnswerAndSameKeyMakeOneTenant(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	e.fault(t, `{"target":"vendor","kind":"drop_after","times":1}`)
	// On a connection it kept, the client's transport would repeat a call that carries an idempotency key by itself.
	e.client.CloseIdleConnections()
	if _, err := e.call(t, http.MethodPost, "/vendor/tenant", "{}", "Idempotency-Key", "PR-1000-0000-0001-001"); err == nil {
		t.Fatal("the dropped call was answered")
	}
	e.tenant(t, "PR-1000-0000-0001-001")
	if got := e.counters(t); got.Tenants != 1 || got.Calls["vendor POST /tenant"] != 2 {
		t.Errorf("%d tenants of %d calls, want 1 of 2", got.Tenants, got.Calls["vendor POST /tenant"])
	}
}

func TestLifeOfATenant(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	id := e.tenant(t, "PR-1000-0000-0001-001")
	path := "/vendor/tenant/" + id
	for _, step := range []struct {
		method, path, body string
		status             int
		state              string
		limit              any
	}{
		{http.MethodGet, path, "", http.StatusOK, "enabled", nil},
		{http.MethodPut, path, `{"licences":{"limit":10}}`, http.StatusOK, "enabled", 10.0},
		{http.MethodPut, path, `{"licences":{"limit":"unlimited"}}`, http.StatusOK, "enabled", "unlimited"},
		{http.MethodPut, path, `{"licences":{"limit":-1}}`, http.StatusBadRequest, "enabled", "unlimited"},
		{http.MethodPut, path, `{"licences":{"limit":"10"}}`, http.StatusBadRequest, "enabled", "unlimited"},
		{http.MethodPut, path, `{"licences":{}}`, http.StatusBadRequest, "enabled", "unlimited"},
		{http.MethodPut, path, `{}`, http.StatusBadRequest, "enabled", "unlimited"},
		{http.MethodPut, path, `{`, http.StatusBadRequest, "enabled", "unlimited"},
		{http.MethodPut, path + "/disable", "", http.StatusOK, "disabled", "unlimited"},
		{http.MethodPut, path + "/disable", "", http.StatusOK, "disabled", "unlimited"},
		{http.MethodPut, path + "/enable", "", http.StatusOK, "enabled", "unlimited"},
		{http.MethodDelete, path, "", http.StatusNoContent, "deleted", "unlimited"},
		{http.MethodDelete, path, "", http.StatusNotFound, "deleted", "unlimited"},
		{http.MethodPut, path + "/enable", "", http.StatusNotFound, "deleted", "unlimited"},
		{http.MethodGet, path, "", http.StatusNotFound, "deleted", "unlimited"},
		{http.MethodDelete, "/vendor/tenant/t-0", "", http.StatusNotFound, "deleted", "unlimited"},
	} {
		got := e.must(t, step.status, step.method, step.path, step.body)
		if len(got.body) > 0 && !json.Valid(got.body) {
			t.Errorf("%s %s: %s is no JSON", step.method, step.path, got.body)
		}
		want := []tenantState{{ID: id, Request: "PR-1000-0000-0001-001", State: step.state, Limit: step.limit}}
		if diff := cmp.Diff(want, e.tenants(t)); diff != "" {
			t.Errorf("after %s %s %s (-want +got):\n%s", step.method, step.path, step.body, diff)
		}
	}
}

func TestManyCallersAtOnce(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	e.order(t, `{"count":40,"items":[{"mpn":"MPN-A","quantity":1}]}`)
	all := decodeAs[[]request](t, e.get(t, "/requests"))
	template := e.activationTemplate(t)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for _, r := range all {
				header := []string{"Idempotency-Key", r.ID}
				for _, step := range []struct{ method, path, body string }{
					{http.MethodPost, "/vendor/tenant", "{}"},
					{http.MethodPut, "/public/v1/requests/" + r.ID, params(`{"id":"subscription_id","value":"` + r.ID + `"}`)},
					{http.MethodGet, "/public/v1/requests?in(status,(pending))&ordering(created)", ""},
					{http.MethodPost, "/public/v1/requests/" + r.ID + "/approve", `{"template_id":"` + template + `"}`},
				} {
					if _, err := e.call(t, step.method, step.path, step.body, header...); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
	got := e.counters(t)
	if got.Tenants != 40 || got.RequestsByStatus["approved"] != 40 || len(got.Approvals) != 40 {
		t.Errorf("%d tenants, %d approved, %d approvals; want 40 each",
			got.Tenants, got.RequestsByStatus["approved"], len(got.Approvals))
	}
	for id, n := range got.Approvals {
		if n != 1 {
			t.Errorf("%s was approved %d times", id, n)
		}
	}
}
