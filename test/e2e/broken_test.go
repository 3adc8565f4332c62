package e2e_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// document is a request as it is served, to be changed and served instead.
type document map[string]any

func (d document) asset() document { return part(d, "asset") }

func (d document) param(id string) document {
	params, _ := d.asset()["params"].([]any)
	for _, p := range params {
		if param, ok := p.(map[string]any); ok && param["id"] == id {
			return param
		}
	}
	return nil
}

func part(d document, key string) document {
	inner, _ := d[key].(map[string]any)
	return inner
}

// odd serves the request in another form.
func (e *emulated) odd(id string, change func(document)) {
	e.t.Helper()
	var served document
	e.call("GET", "/public/v1/requests/"+id, http.StatusOK, nil, &served)
	change(served)
	text, err := json.Marshal(served)
	if err != nil {
		e.t.Fatal(err)
	}
	e.raw(id, string(text))
}

// raw serves a text in place of the request; an empty one ends it.
func (e *emulated) raw(id, text string) {
	e.t.Helper()
	body, err := json.Marshal(map[string]string{"raw": text})
	if err != nil {
		e.t.Fatal(err)
	}
	// The answer is the text, which need not be JSON.
	e.call("PATCH", "/_emulator/requests/"+id, http.StatusOK, string(body), nil)
}

// item is the request's only item.
func item(d document) document {
	items, _ := d.asset()["items"].([]any)
	only, _ := items[0].(map[string]any)
	return only
}

// lacking are purchases that do not say what to provision, by what is wrong
// with them.
func lacking() map[string]func(document) {
	return map[string]func(document){
		"items missing":          func(d document) { delete(d.asset(), "items") },
		"items null":             func(d document) { d.asset()["items"] = nil },
		"items empty":            func(d document) { d.asset()["items"] = []any{} },
		"items a text":           func(d document) { d.asset()["items"] = "MPN-A" },
		"items of wrong types":   func(d document) { d.asset()["items"] = []any{7, "MPN-A", nil, []any{}} },
		"quantity missing":       func(d document) { delete(item(d), "quantity") },
		"quantity an object":     func(d document) { item(d)["quantity"] = document{"value": 3} },
		"quantity null":          func(d document) { item(d)["quantity"] = nil },
		"quantity an empty text": func(d document) { item(d)["quantity"] = "" },
	}
}

// hidden are purchases that nobody can tell as such: they stay pending.
func hidden() map[string]func(document) {
	return map[string]func(document){
		"type unknown":  func(d document) { d["type"] = "mystery" },
		"type a number": func(d document) { d["type"] = 5 },
		"type missing":  func(d document) { delete(d, "type") },
		"id missing":    func(d document) { delete(d, "id") },
		"status a list": func(d document) { d["status"] = []any{"pending"} },
	}
}

// unreadable are texts in place of a purchase.
func unreadable() map[string]string {
	return map[string]string{
		"a number":            `42`,
		"a text":              `"PR-1000-0000-0001-001"`,
		"null":                `null`,
		"a list":              `[{"id":"PR-1000-0000-0001-001"}]`,
		"nothing but a comma": `,`,
		"cut off":             `{"id":"PR-1000-0000-0001-001","type":"purchase","asset":{"id":`,
		"without quotes":      `{id: PR-1000-0000-0001-001}`,
	}
}

// harmless are odd forms of a purchase that say all that is needed, with the
// limit that the vendor is told.
func harmless() map[string]struct {
	change func(document)
	limit  any
} {
	type form = struct {
		change func(document)
		limit  any
	}
	quantity := func(q any) func(document) { return func(d document) { item(d)["quantity"] = q } }
	params := func(p any) func(document) { return func(d document) { d.asset()["params"] = p } }
	return map[string]form{
		"quantity a number":     {quantity(12), 12.0},
		"quantity a decimal":    {quantity(2.5), 2.5},
		"quantity unlimited":    {quantity("unlimited"), "unlimited"},
		"params null":           {params(nil), 10.0},
		"params a text":         {params("none"), 10.0},
		"params an object":      {params(document{"admin_email": "a@b.c"}), 10.0},
		"params of odd types":   {params([]any{1, "x", nil, document{"id": 7, "value": document{"a": 1}}}), 10.0},
		"tiers and more null":   {func(d document) { maps.Copy(d.asset(), document{"tiers": nil, "connection": nil, "external_id": 77}) }, 10.0},
		"fields of wrong types": {func(d document) { maps.Copy(d, document{"note": 5, "template": "x", "assignee": []any{}, "events": 1}) }, 10.0},
	}
}

func TestBrokenPurchasesNeverStopTheOthers(t *testing.T) {
	t.Parallel()
	e := newEmulated(t)
	var good, parked, waiting []string
	limits := make(map[string]any)
	purchase := func() string {
		t.Helper()
		good = append(good, e.purchase(1)...) // one between any two broken ones
		return e.purchase(1)[0]
	}
	names := make(map[string]string)
	for name, change := range lacking() {
		id := purchase()
		e.odd(id, change)
		parked, names[id] = append(parked, id), name
	}
	for name, change := range hidden() {
		id := purchase()
		e.odd(id, change)
		waiting, names[id] = append(waiting, id), name
	}
	for name, text := range unreadable() {
		id := purchase()
		e.raw(id, text)
		waiting, names[id] = append(waiting, id), name
	}
	for name, form := range harmless() {
		id := purchase()
		e.odd(id, form.change)
		good, limits[id], names[id] = append(good, id), form.limit, name
	}
	page := purchase()
	html := e.fault(`{"target":"connect","method":"GET","path":"^/requests/%s$","kind":"garbage"}`, page)
	waiting, names[page] = append(waiting, page), "an HTML page"

	e.serve("RETRY_SCHEDULE=1s", "RETRY_MAX_ATTEMPTS=100")
	e.approved(good...)
	e.parked("params", parked...)
	until(t, "the request that answers a page is tried again", func() bool {
		return e.hits(html) >= 2 && journal(t, e.rdb, page, "class") == "connect_unavailable"
	})
	orders, tenants := e.state()
	for _, id := range slices.Concat(parked, waiting) {
		if _, provisioned := tenants[id]; provisioned || orders[id].Status != "pending" {
			t.Errorf("%s (%s): provisioned %v, %s", id, names[id], provisioned, orders[id].Status)
		}
	}
	for id, limit := range limits {
		if got := tenants[id].Limit; got != limit {
			t.Errorf("%s (%s): the limit is %v, want %v", id, names[id], got, limit)
		}
	}

	e.mend(html)
	for _, id := range slices.Concat(parked, waiting) {
		e.raw(id, "")
	}
	all := slices.Concat(good, parked, waiting)
	e.approvedOnce(all...)
	if got := e.counters().Tenants; got != len(all) {
		t.Errorf("%d tenants for %d purchases", got, len(all))
	}
}

func TestARequestWithoutItsParametersLeavesTheVendorAlone(t *testing.T) {
	t.Parallel()
	e := newEmulated(t)
	forms := map[string]func(document){
		"params null":         func(d document) { d.asset()["params"] = nil },
		"params missing":      func(d document) { delete(d.asset(), "params") },
		"params a text":       func(d document) { d.asset()["params"] = "subscription_id" },
		"params odd":          func(d document) { d.asset()["params"] = []any{1, nil, "subscription_id"} },
		"value null":          func(d document) { d.param("subscription_id")["value"] = nil },
		"value an empty list": func(d document) { d.param("subscription_id")["value"] = []any{} },
		"value missing":       func(d document) { delete(d.param("subscription_id"), "value") },
	}
	purchases := e.purchase(3 * len(forms))
	p := e.serve()
	e.approvedOnce(purchases...)
	p.stop()
	before := e.counters().vendorCalls()
	orders, _ := e.state()
	var broken []string
	for i, name := range slices.Sorted(maps.Keys(forms)) {
		for k, typ := range []string{`"suspend"`, `"cancel"`, `"change","items":[{"mpn":"MPN-A","quantity":5}]`} {
			id := e.order(`{"type":%s,"asset":%q}`, typ, orders[purchases[3*i+k]].Asset)[0]
			e.odd(id, forms[name])
			broken = append(broken, id)
		}
	}
	e.serve()
	e.parked("params", broken...)
	if after := e.counters().vendorCalls(); after != before {
		t.Errorf("%d calls arrived at the vendor", after-before)
	}
	for _, id := range broken {
		e.raw(id, "")
	}
	e.approvedOnce(broken...)
}

func TestAnAssetThatIsNotThereIsNoProblemOfOthers(t *testing.T) {
	t.Parallel()
	e := newEmulated(t)
	broken := e.purchase(3)
	e.odd(broken[0], func(d document) { delete(d, "asset") })
	e.odd(broken[1], func(d document) { d["asset"] = []any{"AS-1000"} })
	e.odd(broken[2], func(d document) { delete(d.asset(), "product") })
	good := e.purchase(3)
	p := e.serve("RETRY_MAX_ATTEMPTS=3")
	e.approvedOnce(good...)
	until(t, "several polls have seen them", func() bool {
		return e.counters().Calls["GET /requests"] > 8
	})
	if c := e.counters(); c.Tenants != len(good) {
		t.Errorf("tenants: %v", c.TenantsByRequest)
	}
	for _, id := range broken {
		e.raw(id, "")
	}
	e.approvedOnce(slices.Concat(broken, good)...)
	if strings.Contains(p.log.String(), `panic`) {
		t.Error("something panicked")
	}
}
