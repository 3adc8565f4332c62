package emulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/connect-processor/connect-processor/internal/emulator"
)

func params(changes string) string { return `{"asset":{"params":[` + changes + `]}}` }

func TestParametersArePartiallyUpdated(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	r := e.order(t, `{"items":[{"mpn":"MPN-A","quantity":1}],"params":{"admin_email":"a@b.c"}}`)
	e.put(t, r.ID, params(`{"id":"subscription_id","value":"s-1"}`))
	e.put(t, r.ID, params(`{"id":"admin_email","value_error":"unknown domain"}`))
	got := decodeAs[request](t, e.put(t, r.ID, `{"note":"half done"}`))
	want := []param{{"admin_email", "a@b.c", "unknown domain"}, {"subscription_id", "s-1", ""}}
	if diff := cmp.Diff(want, got.Asset.Params); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	if got.Note != "half done" || got.Updated <= r.Updated {
		t.Errorf("note %q, updated %s; want the note, and later than %s", got.Note, got.Updated, r.Updated)
	}
	got = decodeAs[request](t, e.put(t, r.ID, params(`{"id":"admin_email","value":null,"value_error":""}`)))
	if diff := cmp.Diff(param{"admin_email", "", ""}, got.Asset.Params[0]); diff != "" {
		t.Errorf("cleared parameter (-want +got):\n%s", diff)
	}
	typed := e.put(t, r.ID, params(`{"id":"subscription_id","structured_value":{"choice":true},"value":42}`))
	for _, part := range []string{`"structured_value":{"choice":true}`, `"value":"42"`} {
		if !strings.Contains(string(typed.body), part) {
			t.Errorf("%s is not in %s", part, typed.body)
		}
	}
}

func TestRefusedParameters(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	r := e.purchase(t)
	for name, body := range map[string]string{
		"unknown":          params(`{"id":"shade","value":"red"}`),
		"without ID":       params(`{"value":"red"}`),
		"too long":         params(`{"id":"admin_email","value":"` + strings.Repeat("é", 2049) + `"}`),
		"error too long":   params(`{"id":"admin_email","value_error":"` + strings.Repeat("é", 513) + `"}`),
		"value an object":  params(`{"id":"admin_email","value":{}}`),
		"no objects":       params(`"admin_email"`),
		"no list":          `{"asset":{"params":{}}}`,
		"asset no object":  `{"asset":[]}`,
		"second one wrong": params(`{"id":"subscription_id","value":"s-9"},{"id":"shade","value":"red"}`),
	} {
		e.refuses(t, "VAL_001", http.MethodPut, "/public/v1/requests/"+r.ID, body)
		if after := e.request(t, r.ID); after.Updated != r.Updated || after.value("subscription_id") != "" {
			t.Errorf("%s: refused, and yet something was saved", name)
		}
	}
}

func TestParametersAreFixedOutsideOpenStatuses(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	body := params(`{"id":"admin_email","value":"new@example.com"}`)
	for _, status := range []string{"approved", "failed", "inquiring", "scheduled", "revoking", "revoked"} {
		e.refuses(t, "REQ_003", http.MethodPut, "/public/v1/requests/"+e.in(t, status).ID, body)
	}
	for _, status := range []string{"draft", "pending"} {
		e.put(t, e.in(t, status).ID, body)
	}
	e.control(t, http.StatusCreated, http.MethodPost, "/products", `{"id":"PRD-9","params":[{"id":"size","required":true}],
		"capabilities":{"inquiring":{"validation":true}}}`)
	r := e.order(t, `{"product":"PRD-9","items":[{"mpn":"MPN-A","quantity":1}]}`)
	e.put(t, r.ID, params(`{"id":"size","value_error":"choose one"}`))
}

func TestUniqueValues(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	first, second := e.purchase(t), e.purchase(t)
	save := func(r request, value string) { e.put(t, r.ID, params(`{"id":"subscription_id","value":"`+value+`"}`)) }
	taken := func(r request, value string) {
		t.Helper()
		e.refuses(t, "VAL_001", http.MethodPut, "/public/v1/requests/"+r.ID,
			params(`{"id":"subscription_id","value":"`+value+`"}`))
	}
	save(first, "s-1")
	save(first, "s-1")
	taken(second, "s-1")
	save(first, "s-2")
	save(second, "s-1")
	e.approve(t, first)
	e.approve(t, second)

	change := e.ordered(t, "change", first.Asset.ID)
	save(change, "s-3")
	third := e.purchase(t)
	taken(third, "s-2") // the asset's own until the change is approved
	taken(third, "s-3")
	e.act(t, change.ID, "fail", `{"reason":"no"}`)
	taken(third, "s-2")
	save(third, "s-3")
	if got := e.request(t, first.ID).value("subscription_id"); got != "s-2" {
		t.Errorf("failed change left %q in the first request, want s-2", got)
	}
}

func TestAssetTakesParametersAtApproval(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	asset := e.active(t).Asset.ID
	change := e.ordered(t, "change", asset)
	e.put(t, change.ID, params(`{"id":"admin_email","value":"new@example.com"}`))
	email := func() string {
		return decodeAs[struct{ Params []param }](t, e.get(t, "/assets/"+asset)).Params[0].Value
	}
	if got := email(); got != "" {
		t.Errorf("the open change's value %q is the asset's already", got)
	}
	e.approve(t, change)
	if got := email(); got != "new@example.com" {
		t.Errorf("the asset has %q, want the approved value", got)
	}
}
