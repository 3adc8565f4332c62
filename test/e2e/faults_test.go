package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
)

// everyCall are the calls that change something while a purchase is carried
// out: a fault's target, method and path.
func everyCall() []string {
	return []string{
		`"target":"vendor","method":"POST","path":"^/tenant$"`,
		`"target":"vendor","method":"PUT","path":"^/tenant/[^/]+$"`,
		`"target":"connect","method":"PUT","path":"^/requests/[^/]+$"`,
		`"target":"connect","method":"POST","path":"/approve$"`,
	}
}

func TestTroubleOnTheWayLosesNothingAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	reading := `"target":"connect","method":"GET","path":"^/requests/PR-"`
	listing := `"target":"connect","method":"GET","path":"^/requests/?$"`
	for name, test := range map[string]struct {
		calls []string
		fault string // each of the calls meets it
		times int
		env   string
	}{
		"slow":                        {append(everyCall(), reading), `"kind":"latency","latency":"300ms"`, 6, "WORKER_CONCURRENCY=6"},
		"refused before the effect":   {append(everyCall(), reading), `"kind":"error","status":500`, 6, "RETRY_MAX_ATTEMPTS=100"},
		"refused after the effect":    {everyCall(), `"kind":"error_after","status":502`, 6, "RETRY_MAX_ATTEMPTS=100"},
		"dropped before the effect":   {append(everyCall(), reading), `"kind":"drop"`, 6, "RETRY_MAX_ATTEMPTS=100"},
		"dropped after the effect":    {everyCall(), `"kind":"drop_after"`, 6, "RETRY_MAX_ATTEMPTS=100"},
		"an odd page instead":         {[]string{everyCall()[0], everyCall()[2], everyCall()[3], reading}, `"kind":"garbage"`, 6, "RETRY_MAX_ATTEMPTS=100"},
		"lists that break or are odd": {[]string{listing}, `"kind":"garbage"`, 2, "RETRY_MAX_ATTEMPTS=2"},
		// Twelve among six: at least one request is told twice to slow down.
		"asked by Connect to slow down":    {everyCall()[3:], `"kind":"rate_limit","retry_after":1`, 12, "RETRY_MAX_ATTEMPTS=2"},
		"asked by the vendor to slow down": {everyCall()[:1], `"kind":"rate_limit","retry_after":1`, 12, "RETRY_MAX_ATTEMPTS=2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEmulated(t)
			ids := e.purchase(6)
			var faults []string
			for _, call := range test.calls {
				faults = append(faults, e.fault(`{%s,%s,"times":%d}`, call, test.fault, test.times))
			}
			e.serve(test.env)
			e.approvedOnce(ids...)
			e.noneParked()
			_, tenants := e.state()
			for _, id := range ids {
				if got := tenants[id]; got.State != "enabled" || got.Limit != 10.0 {
					t.Errorf("the tenant of %s is %+v", id, got)
				}
			}
			for i, fault := range faults {
				if got := e.hits(fault); got != test.times {
					t.Errorf("%s met the fault %d times, want %d: nothing is shown", test.calls[i], got, test.times)
				}
			}
		})
	}
}

func TestAStopFinishesWhatIsRunningAndLeavesTheRest(t *testing.T) {
	t.Parallel()
	e := newEmulated(t)
	slow := e.fault(`{"target":"vendor","method":"POST","path":"^/tenant$","kind":"latency","latency":"2s"}`)
	ids := e.purchase(10)
	first := e.serve("WORKER_CONCURRENCY=4")
	until(t, "four calls are at the vendor", func() bool { return e.hits(slow) == 4 })
	first.stop()
	c := e.counters()
	if done := len(c.Approvals); c.Tenants != done || done < 4 || done == len(ids) {
		t.Errorf("the first processor left %d tenants and %d approvals; 4 were running", c.Tenants, done)
	}
	e.mend(slow)
	second := e.serve()
	e.approvedOnce(ids...)
	if calls := e.counters().Calls["vendor POST /tenant"]; calls != len(ids) {
		t.Errorf("%d calls for %d tenants", calls, len(ids))
	}
	second.stop()
}

func TestRedisDiesAndComesBackInMidRun(t *testing.T) {
	t.Parallel()
	e := newEmulated(t)
	slow := e.fault(`{"target":"vendor","kind":"latency","latency":"200ms"}`)
	ids := e.purchase(60)
	p := e.serve("WORKER_CONCURRENCY=4")
	until(t, "some are approved", func() bool { return len(e.counters().Approvals) >= 4 })
	e.redis.Kill()
	p.notReady("redis")
	if done := len(e.counters().Approvals); done == len(ids) {
		t.Fatal("all were done before Redis died: nothing is shown")
	}
	e.mend(slow)
	e.redis.Run()
	p.ready()
	e.approvedOnce(ids...)
	if got := e.counters().Tenants; got != len(ids) {
		t.Errorf("%d tenants for %d purchases", got, len(ids))
	}
	e.noneParked()
}

func TestAMissingTemplateProvisionsNothing(t *testing.T) {
	t.Parallel()
	e := newEmulated(t)
	e.dropTemplate(exampleProduct, "Default Activation Template")
	ids := e.purchase(3)
	e.serve()
	e.parked("template", ids...)
	if n := e.counters().vendorCalls(); n != 0 {
		t.Errorf("%d calls arrived at the vendor", n)
	}
	orders, _ := e.state()
	for _, id := range ids {
		if orders[id].Status != "pending" {
			t.Errorf("%s is %s", id, orders[id].Status)
		}
	}
}

func TestATemplateReplacedMeanwhileIsFoundAgain(t *testing.T) {
	t.Parallel()
	e := newEmulated(t)
	const product = "PRD-700-000-001"
	e.call("POST", "/_emulator/products", http.StatusCreated, fmt.Sprintf(`{"id":%q,
		"params":[{"id":"subscription_id","phase":"fulfillment","required":true}],
		"templates":[{"name":"Default Activation Template","type":"fulfillment"},{"name":"Its successor","type":"fulfillment"}]}`, product), nil)
	buy := func() string {
		t.Helper()
		return e.order(`{"product":%q,"items":[{"mpn":"MPN-A","quantity":1}]}`, product)[0]
	}
	e.serve("PRODUCTS=" + product)
	before := buy()
	e.approvedOnce(before)
	old := e.dropTemplate(product, "Default Activation Template")
	after := buy()
	e.approvedOnce(before, after)
	orders, _ := e.state()
	if orders[before].TemplateID != old || orders[after].TemplateID == old {
		t.Errorf("approved with the templates %s and %s; %s was replaced", orders[before].TemplateID, orders[after].TemplateID, old)
	}
	if calls := e.counters().Calls["POST /requests/{id}/approve"]; calls != 3 {
		t.Errorf("%d approvals were sent, want 3: the second was refused once", calls)
	}
	e.noneParked()
}

// dropTemplate deletes a product's template, and returns its ID.
func (e *emulated) dropTemplate(product, name string) string {
	e.t.Helper()
	var templates []struct{ ID, Name string }
	e.call("GET", "/public/v1/products/"+product+"/templates", http.StatusOK, nil, &templates)
	for _, template := range templates {
		if template.Name == name {
			e.call("DELETE", "/_emulator/products/"+product+"/templates/"+template.ID, http.StatusNoContent, nil, nil)
			return template.ID
		}
	}
	e.t.Fatalf("%s has no template %q", product, name)
	return ""
}

func TestSubscriptionsLiveOnUnderTrouble(t *testing.T) {
	t.Parallel()
	e := newEmulated(t)
	e.serve("RETRY_MAX_ATTEMPTS=100")
	purchases := e.purchase(4)
	e.approvedOnce(purchases...)
	for _, fault := range []string{"error", "error_after", "drop_after"} {
		e.fault(`{"target":"vendor","path":"^/tenant/","kind":%q,"times":2}`, fault)
		e.fault(`{"target":"connect","method":"POST","path":"/approve$","kind":%q,"times":2}`, fault)
	}
	all := slices.Clone(purchases)
	for _, typ := range []string{"suspend", "resume", "change", "cancel"} {
		orders, _ := e.state()
		var ids []string
		for _, purchase := range purchases {
			items := ""
			if typ == "change" {
				items = `,"items":[{"mpn":"MPN-A","quantity":33}]`
			}
			ids = append(ids, e.order(`{"type":%q,"asset":%q%s}`, typ, orders[purchase].Asset, items)...)
		}
		e.approvedOnce(ids...)
		all = append(all, ids...)
	}
	_, tenants := e.state()
	for _, purchase := range purchases {
		if tenant := tenants[purchase]; tenant.State != "deleted" || tenant.Limit != 33.0 {
			t.Errorf("in the end the tenant of %s is %+v", purchase, tenant)
		}
	}
	e.approvedOnce(all...)
	e.noneParked()
}
