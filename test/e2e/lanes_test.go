package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	quickProduct  = "PRD-800-000-001"
	slowProduct   = "PRD-800-000-002"
	silentProduct = "PRD-800-000-003"
)

// threeProducts is a processor for products that differ in vendor and lane.
const threeProducts = `
products:
  - {id: PRD-800-000-001, vendor: quick}
  - {id: PRD-800-000-002, vendor: slow, lane: slow}
  - {id: PRD-800-000-003, vendor: silent}
lanes:
  slow: {concurrency: 2}
vendors:
  quick:
    base_url: %[1]s/vendor
    operations:
      purchase:
        calls:
          - {name: create, method: POST, path: /tenant, body: {}, idempotency: key, save: {subscription_id: /tenantId}}
  slow:
    base_url: %[1]s/vendor
    timeout: 4s
    operations:
      purchase:
        calls:
          - {name: create, method: POST, path: /tenant, body: {}, idempotency: key, save: {subscription_id: /tenantId}}
          - {name: enable, method: PUT, path: "/tenant/{params.subscription_id}/enable", idempotency: repeatable}
  silent:
    base_url: %[1]s/vendor
    operations:
      cancel:
        calls:
          - {name: delete, method: DELETE, path: "/tenant/{params.subscription_id}", idempotency: repeatable}
`

func TestProductsOfSeveralVendorsDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	e := newEmulated(t)
	for _, product := range []string{quickProduct, slowProduct, silentProduct} {
		e.call("POST", "/_emulator/products", http.StatusCreated,
			fmt.Sprintf(`{"id":%q,"params":[{"id":"subscription_id","phase":"fulfillment","required":true}]}`, product), nil)
	}
	buy := func(product string, n int) []string {
		t.Helper()
		return e.order(`{"product":%q,"items":[{"mpn":"MPN-A","quantity":1}],"count":%d}`, product, n)
	}
	file := filepath.Join(t.TempDir(), "connect-processor.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, threeProducts, e.base), 0o600); err != nil {
		t.Fatal(err)
	}
	hangs := e.fault(`{"target":"vendor","path":"/enable$","kind":"latency","latency":"1h"}`)
	slow, silent := buy(slowProduct, 15), buy(silentProduct, 2)
	environ := slices.DeleteFunc(e.environ("WORKER_CONCURRENCY=2", "RETRY_MAX_ATTEMPTS=100"), func(variable string) bool {
		return strings.HasPrefix(variable, "PRODUCTS=") || strings.HasPrefix(variable, "VENDOR_BASE_URL=")
	})
	p := start(t, environ, "serve", "--config", file)
	until(t, "the slow vendor's calls hang", func() bool { return e.hits(hangs) >= 2 })
	quick := buy(quickProduct, 5)
	e.approvedOnce(quick...)
	orders, _ := e.state()
	for _, id := range slow {
		if orders[id].Status != "pending" {
			t.Errorf("%s of the vendor that hangs is %s", id, orders[id].Status)
		}
	}
	e.mend(hangs)
	e.approvedOnce(slices.Concat(quick, slow)...)

	queues, err := e.rdb.SMembers(t.Context(), "asynq:queues").Result()
	if slices.Sort(queues); err != nil || !slices.Equal(queues, []string{"default", "slow"}) {
		t.Errorf("the queues are %v, %v", queues, err)
	}
	orders, tenants := e.state()
	for _, id := range silent {
		if _, provisioned := tenants[id]; provisioned || orders[id].Status != "pending" {
			t.Errorf("%s, which nobody answers, is provisioned %v, %s", id, provisioned, orders[id].Status)
		}
	}
	p.says(regexp.MustCompile(`"nobody answers some types of requests: they stay pending","product_id":"(` + silentProduct + `)","types":"purchase,`))
	p.says(regexp.MustCompile(`"msg":"polled".*"not_offered":"(purchase:2)"`))
	p.stop()
}
