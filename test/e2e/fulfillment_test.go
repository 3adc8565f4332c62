package e2e_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/connect-processor/connect-processor/test/minimal"
)

func TestAllUseCasesOnAServerFromAnotherHand(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]minimal.Options{
		"as in the samples":            {},
		"small pages, no select":       {PageCap: 3, RefuseSelect: true},
		"numbers, null":                {QuantityForm: minimal.QuantityNumber, NullForm: minimal.NullNull},
		"decimals, absent, no filter":  {QuantityForm: minimal.QuantityDecimal, NullForm: minimal.NullAbsent, IgnoreTemplateFilter: true},
		"empty texts, strict on slash": {NullForm: minimal.NullString, StrictSlash: true},
		"empty objects":                {NullForm: minimal.NullObject},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, options)
			var purchases []string
			for quantity := 1; quantity <= 5; quantity++ {
				purchases = append(purchases, w.Purchase(quantity))
			}
			p := w.serve()
			w.settled(purchases...)
			w.approved(purchases...)

			asset := w.AssetOf(purchases[0])
			tenant := w.Asset(asset).Params[minimal.ParameterID]
			follow := func(order func(string) (string, error)) {
				t.Helper()
				id, err := order(asset)
				if err != nil {
					t.Fatal(err)
				}
				w.settled(id)
				w.approved(id)
			}
			follow(func(a string) (string, error) { return w.Change(a, 42) })
			if limit := w.Tenant(tenant).Limit; limit != 42 {
				t.Errorf("after the change the limit is %v", limit)
			}
			follow(w.Suspend)
			if w.Tenant(tenant).Enabled {
				t.Error("suspended, but the tenant is enabled")
			}
			follow(w.Resume)
			if !w.Tenant(tenant).Enabled {
				t.Error("resumed, but the tenant is disabled")
			}
			refused, err := w.Change(asset, 1, 2)
			if err != nil {
				t.Fatal(err)
			}
			w.settled(refused)
			if status, reason, _ := w.Request(refused); status != "failed" || reason != "Change not allowed" {
				t.Errorf("a change of two items is %s: %s", status, reason)
			}
			follow(w.Cancel)
			if !w.Tenant(tenant).Deleted {
				t.Error("canceled, but the tenant is there")
			}
			if got := w.Stats().Tenants; got != len(purchases) {
				t.Errorf("%d tenants for %d purchases", got, len(purchases))
			}
			w.obeyed()
			p.stop()
		})
	}
}

func TestOnePollTakesEveryPage(t *testing.T) {
	for name, test := range map[string]struct {
		options minimal.Options
		size    string
	}{
		"pages of 100 as asked for":        {minimal.Options{}, "100"},
		"pages of 100 whatever is asked":   {minimal.Options{PageCap: 100}, "500"},
		"pages of 7, and fewer asked than": {minimal.Options{PageCap: 7}, "5"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.options)
			var ids []string
			for range 250 {
				ids = append(ids, w.Purchase(1))
			}
			w.serve("POLLER_INTERVAL=1h", "POLLER_PAGE_SIZE="+test.size, "WORKER_CONCURRENCY=50")
			w.settled(ids...)
			w.approved(ids...)
			w.obeyed()
		})
	}
}

func TestTwoProcessorsShareTheWork(t *testing.T) {
	w := newWorld(t, minimal.Options{})
	var ids []string
	for range 200 {
		ids = append(ids, w.Purchase(1))
	}
	first, second := w.serve("WORKER_CONCURRENCY=5"), w.serve("WORKER_CONCURRENCY=5")
	w.settled(ids...)
	w.approved(ids...)
	if got := w.Stats().Tenants; got != len(ids) {
		t.Errorf("%d tenants for %d purchases", got, len(ids))
	}
	w.obeyed()
	first.stop()
	second.stop()
	for name, p := range map[string]*process{"first": first, "second": second} {
		if !strings.Contains(p.log.String(), `"outcome":"approved"`) {
			t.Errorf("the %s processor did nothing", name)
		}
	}
}

func TestAnEmptiedQueueIsFilledAgain(t *testing.T) {
	w := newWorld(t, minimal.Options{})
	rdb := w.redis.Client()
	var ids []string
	for range 300 {
		ids = append(ids, w.Purchase(1))
	}
	w.serve("WORKER_CONCURRENCY=4", "POLLER_INTERVAL=500ms")
	w.until("some are approved", func() bool { return len(w.Stats().Approvals) >= 20 })
	if err := rdb.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if done := len(w.Stats().Approvals); done >= len(ids) {
		t.Fatalf("all %d were done before Redis was emptied: nothing is shown", done)
	}
	w.settled(ids...)
	w.approved(ids...)
	if got := w.Stats().Tenants; got != len(ids) {
		t.Errorf("%d tenants for %d purchases", got, len(ids))
	}
	queues, err := rdb.SMembers(t.Context(), "asynq:queues").Result()
	if err != nil || !slices.Contains(queues, "default") {
		t.Errorf("asynq's tools know the queues %v, %v", queues, err)
	}
}

func TestLostAnswersLeaveNoSecondTenant(t *testing.T) {
	var calls atomic.Int64
	w := newWorld(t, minimal.Options{LoseAnswer: func(method, _ string) bool {
		return method != "GET" && calls.Add(1)%3 == 0
	}})
	var ids []string
	for range 40 {
		ids = append(ids, w.Purchase(3))
	}
	w.serve("RETRY_SCHEDULE=100ms", "RETRY_MAX_ATTEMPTS=20")
	w.settled(ids...)
	w.approved(ids...)
	if got := w.Stats().Tenants; got != len(ids) {
		t.Errorf("%d tenants for %d purchases", got, len(ids))
	}
	w.obeyed()
}

func TestAKilledProcessorsRequestsAreTakenOver(t *testing.T) {
	hang := make(chan struct{})
	var hung atomic.Int64
	w := newWorld(t, minimal.Options{LoseAnswer: func(method, path string) bool {
		// The first calls to the vendor take effect and are never answered.
		if method == "POST" && strings.HasSuffix(path, "/tenant") && hung.Add(1) <= 5 {
			<-hang
			return true
		}
		return false
	}})
	t.Cleanup(func() { close(hang) })
	var ids []string
	for range 5 {
		ids = append(ids, w.Purchase(1))
	}
	first := w.serve()
	w.until("five calls hang at the vendor", func() bool { return hung.Load() >= 5 })
	first.kill()
	w.serve()
	w.settled(ids...)
	w.approved(ids...)
	if got := w.Stats().Tenants; got != len(ids) {
		t.Errorf("%d tenants for %d purchases", got, len(ids))
	}
}

func TestARequestWithoutItsSubscriptionIsParkedAndTheVendorNotCalled(t *testing.T) {
	w := newWorld(t, minimal.Options{})
	rdb := w.redis.Client()
	purchase := w.Purchase(1)
	p := w.serve()
	w.settled(purchase)
	p.stop()
	w.SetParameter(purchase, "")
	asset := w.AssetOf(purchase)
	before := vendorCalls(w)
	cancel, err := w.Cancel(asset)
	if err != nil {
		t.Fatal(err)
	}
	w.serve()
	w.until("it is parked", func() bool { return w.journal(rdb, cancel, "state") == "parked" })
	if class := w.journal(rdb, cancel, "class"); class != "params" {
		t.Errorf("error class %q", class)
	}
	if after := vendorCalls(w); after != before {
		t.Errorf("the vendor was called %d times", after-before)
	}
	if status, _, _ := w.Request(cancel); status != "pending" {
		t.Errorf("on Connect it is %s", status)
	}
}

func vendorCalls(w *world) int {
	n := 0
	for route, count := range w.Stats().Calls {
		if strings.Contains(route, minimal.VendorPath) {
			n += count
		}
	}
	return n
}

func TestAVendorThatRefusesForGoodParksAfterItsBudget(t *testing.T) {
	w := newWorld(t, minimal.Options{Refuse: func(method, path string) int {
		if method == "POST" && strings.HasSuffix(path, "/tenant") {
			return 500
		}
		return 0
	}})
	rdb := w.redis.Client()
	id := w.Purchase(1)
	w.serve("RETRY_SCHEDULE=50ms", "RETRY_MAX_ATTEMPTS=3")
	w.until("it is parked", func() bool { return w.journal(rdb, id, "state") == "parked" })
	if attempts := w.journal(rdb, id, "attempts"); attempts != "3" {
		t.Errorf("parked after %s attempts", attempts)
	}
	if class := w.journal(rdb, id, "class"); class != "vendor_unavailable" {
		t.Errorf("error class %q", class)
	}
	w.until("the note is left", func() bool { return notes(w) > 0 && w.journal(rdb, id, "updated") != "" })
	if n := notes(w); n != 1 {
		t.Errorf("%d notes were left in the conversation", n)
	}
	w.obeyed()
}

// notes counts the messages that were posted.
func notes(w *world) int {
	n := 0
	for route, count := range w.Stats().Calls {
		if strings.HasPrefix(route, "POST") && strings.HasSuffix(route, "/messages") {
			n += count
		}
	}
	return n
}
