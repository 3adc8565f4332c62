package emulator_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/connect-processor/connect-processor/internal/emulator"
)

func TestPatchBreaksWhatIsServed(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	r := e.purchase(t)
	patch := func(body string) {
		t.Helper()
		e.control(t, http.StatusOK, http.MethodPatch, "/requests/"+r.ID, body)
	}
	served := func(path string) string { return string(e.get(t, path).body) }

	patch(`{"type":"mystery","asset":{"params":null,"items":[{"quantity":10}]},"unknown":{"kept":true}}`)
	patch(`{"remove":["asset.tiers","note"]}`)
	for _, path := range []string{"/requests/" + r.ID, "/requests?status=pending"} {
		got := served(path)
		for _, part := range []string{`"type":"mystery"`, `"params":null`, `[{"quantity":10}]`, `"unknown":{"kept":true}`} {
			if !strings.Contains(got, part) {
				t.Errorf("%s lacks %s: %s", path, part, got)
			}
		}
		if strings.Contains(got, `"tiers"`) || strings.Contains(got, `"note"`) {
			t.Errorf("%s serves what was removed: %s", path, got)
		}
	}
	after := decodeAs[struct{ Updated string }](t, e.get(t, "/requests/"+r.ID)).Updated
	if after <= r.Updated {
		t.Errorf("updated %s, want later than %s", after, r.Updated)
	}
	other := e.purchase(t)
	patch(`{"raw":"{\"id\":"}`)
	if got := served("/requests/" + r.ID); got != `{"id":` {
		t.Errorf("raw text served as %s", got)
	}
	list := served("/requests?status=pending&select(-asset)")
	if !strings.HasPrefix(list, `[{"id":,{`) || !strings.Contains(list, other.ID) {
		t.Errorf("list %s, want the raw text and the other request", list)
	}
	patch(`{"raw":""}`)
	e.saveSubscription(t, r) // the request itself is whole
	e.approve(t, r)
}

func TestOrdersInThePlatformsForm(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	created := e.must(t, http.StatusCreated, http.MethodPost, "/public/v1/requests", `{"type":"purchase","sla":{"gold":1},
		"asset":{"product":{"id":"`+emulator.ProductID+`"},"connection":{"id":"CT-1000-0000-0001"},"external_id":77,
		"items":[{"id":"PRD-100-200-300-0001","quantity":2.5}],"params":[{"id":"admin_email","value":"a@b.c"}],
		"tiers":{"customer":{"name":"Acme"}}}}`)
	for _, part := range []string{
		`"sla":{"gold":1}`, `"external_id":"77"`, `"quantity":"2.5"`, `"a@b.c"`, `"name":"Acme"`, `"type":"test"`,
	} {
		if !strings.Contains(string(created.body), part) {
			t.Errorf("%s is not in %s", part, created.body)
		}
	}
	for _, body := range []string{`{"type":"purchase"}`, `{"type":"purchase","asset":{"items":{}}}`, `[]`, `{`} {
		e.refuses(t, "VAL_001", http.MethodPost, "/public/v1/requests", body)
	}
}

func TestStateAndReset(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	r := e.active(t)
	e.act(t, e.purchase(t).ID, "fail", `{"reason":"out of stock"}`)
	type row struct {
		ID, Status, Reason string
		TemplateID         string `json:"template_id"`
		Params             map[string]string
	}
	state := func() []row {
		return decodeAs[struct{ Requests []row }](t, e.control(t, http.StatusOK, http.MethodGet, "/state", "")).Requests
	}
	got := state()
	if len(got) != 2 || got[0].TemplateID != e.activationTemplate(t) || got[1].Reason != "out of stock" ||
		got[0].Params["subscription_id"] != "sub-"+r.Asset.ID {
		t.Errorf("state %+v, want an approved and a failed request", got)
	}
	counted := e.counters(t)
	if diff := cmp.Diff(map[string]int{"approved": 1, "failed": 1}, counted.RequestsByStatus); diff != "" {
		t.Errorf("requests by status (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"approve": 1}, counted.Decisions[r.ID]); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
	e.fault(t, `{"kind":"error"}`)
	e.control(t, http.StatusNoContent, http.MethodPost, "/reset", "")
	if left := state(); len(left) != 0 {
		t.Errorf("%d requests left after reset", len(left))
	}
	if calls := e.counters(t).Calls; len(calls) != 0 {
		t.Errorf("calls %v left after reset", calls)
	}
	if first := e.purchase(t); first.ID != r.ID {
		t.Errorf("first request after reset is %s, want %s again", first.ID, r.ID)
	}
	e.activationTemplate(t)
}

func TestDeletedTemplateIsGone(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	id := e.activationTemplate(t)
	path := "/products/" + emulator.ProductID + "/templates/" + id
	e.get(t, path)
	e.control(t, http.StatusNoContent, http.MethodDelete, path, "")
	e.must(t, http.StatusNotFound, http.MethodGet, "/public/v1"+path, "")
	r := e.purchase(t)
	e.saveSubscription(t, r)
	e.refuses(t, "VAL_001", http.MethodPost, "/public/v1/requests/"+r.ID+"/approve", `{"template_id":"`+id+`"}`)
}

func TestStampsAreNeverEqual(t *testing.T) {
	stopped := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	e := newEmulated(t, emulator.Config{Now: func() time.Time { return stopped }})
	r := e.purchase(t)
	last := r.Updated
	for range 5 {
		e.saveSubscription(t, r)
		now := e.request(t, r.ID).Updated
		if now <= last {
			t.Fatalf("updated %s after %s", now, last)
		}
		last = now
	}
}
