package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/connect-processor/connect-processor/internal/redistest"
)

const exampleProduct = "PRD-100-200-300"

// emulated is the emulator as a process of its own, and a Redis, for
// processors to work on.
type emulated struct {
	t     *testing.T
	base  string // http://host:port
	redis *redistest.Server
	rdb   redis.UniversalClient
}

func newEmulated(t *testing.T) *emulated {
	t.Helper()
	server := redistest.Start(t)
	e := &emulated{t: t, redis: server, rdb: server.Client()}
	p := start(t, nil, "emulator", "--addr", "127.0.0.1:0")
	e.base = p.says(regexp.MustCompile(`Connect\s+(http://\S+)/public/v1`))
	return e
}

// says waits until the process prints what the pattern matches, and returns
// its first group.
func (p *process) says(pattern *regexp.Regexp) string {
	p.t.Helper()
	var found []string
	until(p.t, "it prints "+pattern.String(), func() bool {
		found = pattern.FindStringSubmatch(p.log.String())
		return found != nil
	})
	return found[1]
}

// environ is what an operator sets, and nothing else.
func (e *emulated) environ(extra ...string) []string {
	return append([]string{
		"CONNECT_ENDPOINT=" + e.base + "/public/v1",
		"CONNECT_API_KEY=SU-000-000-001:emulator",
		"VENDOR_BASE_URL=" + e.base + "/vendor",
		"PRODUCTS=" + exampleProduct,
		"ENVIRONMENTS=preview",
		"REDIS_URL=" + e.redis.URL(),
		"ADMIN_ADDR=127.0.0.1:0",
		"WEB_ADDR=127.0.0.1:0",
		"POLLER_INTERVAL=300ms",
		"RETRY_SCHEDULE=50ms",
	}, extra...)
}

// serve starts a processor with the shipped example configuration.
func (e *emulated) serve(extra ...string) *process {
	e.t.Helper()
	return start(e.t, e.environ(extra...), "serve", "--config", exampleConfig)
}

// call does one HTTP call, checks its status and decodes the answer into out
// when that is not nil. A body is sent as JSON, a string as it stands.
func (e *emulated) call(method, path string, status int, body, out any) {
	e.t.Helper()
	text, ok := body.(string)
	if !ok && body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			e.t.Fatal(err)
		}
		text = string(encoded)
	}
	request, err := http.NewRequestWithContext(e.t.Context(), method, e.base+path, strings.NewReader(text))
	if err != nil {
		e.t.Fatal(err)
	}
	request.Header.Set("Authorization", "ApiKey SU-000-000-001:tests")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status {
		e.t.Fatalf("%s %s: %d %s %v", method, path, response.StatusCode, answer, err)
	}
	if out == nil {
		return
	}
	if err := json.NewDecoder(bytes.NewReader(answer)).Decode(out); err != nil {
		e.t.Fatalf("%s %s: %v in %s", method, path, err, answer)
	}
}

// order places what the JSON says, and returns the IDs of the requests.
func (e *emulated) order(format string, args ...any) []string {
	e.t.Helper()
	var placed []struct{ ID string }
	e.call("POST", "/_emulator/requests", http.StatusCreated, fmt.Sprintf(format, args...), &placed)
	ids := make([]string, len(placed))
	for i, r := range placed {
		ids[i] = r.ID
	}
	return ids
}

// purchase places n purchases of the example product.
func (e *emulated) purchase(n int) []string {
	e.t.Helper()
	return e.order(`{"type":"purchase","items":[{"mpn":"MPN-A","quantity":10}],"count":%d}`, n)
}

// fault makes calls go wrong, and returns its ID.
func (e *emulated) fault(format string, args ...any) string {
	e.t.Helper()
	var made struct{ ID string }
	e.call("POST", "/_emulator/faults", http.StatusCreated, fmt.Sprintf(format, args...), &made)
	return made.ID
}

// mend ends a fault.
func (e *emulated) mend(fault string) {
	e.t.Helper()
	e.call("DELETE", "/_emulator/faults/"+fault, http.StatusNoContent, nil, nil)
}

// hits returns how many calls met the fault.
func (e *emulated) hits(fault string) int {
	e.t.Helper()
	var faults []struct {
		ID   string
		Hits int
	}
	e.call("GET", "/_emulator/faults", http.StatusOK, nil, &faults)
	for _, f := range faults {
		if f.ID == fault {
			return f.Hits
		}
	}
	e.t.Fatalf("there is no fault %s", fault)
	return 0
}

// counts are the emulator's counters.
type counts struct {
	Calls            map[string]int
	Approvals        map[string]int
	Tenants          int
	TenantsByRequest map[string]int `json:"tenants_by_request"`
	Duplicates       int
	MissingKey       int `json:"missing_key"`
}

func (e *emulated) counters() counts {
	e.t.Helper()
	var c counts
	e.call("GET", "/_emulator/counters", http.StatusOK, nil, &c)
	return c
}

// vendorCalls returns how many calls arrived at the vendor.
func (c counts) vendorCalls() int {
	n := 0
	for route, count := range c.Calls {
		if strings.HasPrefix(route, "vendor ") {
			n += count
		}
	}
	return n
}

// order is a request as the emulator keeps it, whatever it serves.
type order struct {
	ID, Status, Asset string
	TemplateID        string `json:"template_id"`
	Params            map[string]string
}

type tenant struct {
	ID, Request, State string
	Limit              any
}

func (e *emulated) state() (orders map[string]order, tenants map[string]tenant) {
	e.t.Helper()
	var state struct {
		Requests []order
		Tenants  []tenant
	}
	e.call("GET", "/_emulator/state", http.StatusOK, nil, &state)
	orders, tenants = make(map[string]order), make(map[string]tenant)
	for _, r := range state.Requests {
		orders[r.ID] = r
	}
	for _, t := range state.Tenants {
		tenants[t.Request] = t
	}
	return orders, tenants
}

// approvedOnce waits until each request is approved, and checks that nothing
// was done twice.
func (e *emulated) approvedOnce(ids ...string) {
	e.t.Helper()
	e.approved(ids...)
	c := e.counters()
	for _, id := range ids {
		if n := c.Approvals[id]; n != 1 {
			e.t.Errorf("%s was approved %d times", id, n)
		}
	}
	if c.Duplicates != 0 || c.MissingKey != 0 {
		e.t.Errorf("%d duplicate tenants, %d calls without an idempotency key", c.Duplicates, c.MissingKey)
	}
}

func (e *emulated) approved(ids ...string) {
	e.t.Helper()
	left := slices.Clone(ids)
	e.t.Cleanup(func() {
		if e.t.Failed() && len(left) > 0 {
			e.t.Logf("not approved: %v", left)
		}
	})
	until(e.t, "all are approved", func() bool {
		orders, _ := e.state()
		left = slices.DeleteFunc(left, func(id string) bool { return orders[id].Status == "approved" })
		return len(left) == 0
	})
}

// parked waits until each request is parked in that class of errors.
func (e *emulated) parked(class string, ids ...string) {
	e.t.Helper()
	for _, id := range ids {
		until(e.t, id+" is parked", func() bool { return journal(e.t, e.rdb, id, "state") == "parked" })
		if got := journal(e.t, e.rdb, id, "class"); got != class {
			e.t.Errorf("%s is parked as %s, want %s", id, got, class)
		}
	}
}

// noneParked checks that no request was ever parked.
func (e *emulated) noneParked() {
	e.t.Helper()
	if n := e.rdb.ZCard(e.t.Context(), "cp:{idx:parked}").Val(); n != 0 {
		e.t.Errorf("%d requests were parked", n)
	}
}

// admin returns the address of the operator's port.
func (p *process) admin() string {
	p.t.Helper()
	return p.says(regexp.MustCompile(`"msg":"serving".*"admin":"(http://[^"]+)"`))
}

// get reads a page, and returns no status while nobody answers.
func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}

// notReady waits until the processor says that it is not ready, and why.
func (p *process) notReady(check string) (reason string) {
	p.t.Helper()
	address := p.admin()
	until(p.t, "readiness is red for "+check, func() bool {
		status, body := get(p.t, address+"/readyz")
		var checks map[string]string
		if status != http.StatusServiceUnavailable || json.Unmarshal([]byte(body), &checks) != nil {
			return false
		}
		reason = checks[check]
		return reason != "" && reason != "ok"
	})
	return reason
}

// ready waits until the processor says that it is ready.
func (p *process) ready() {
	p.t.Helper()
	address := p.admin()
	until(p.t, "readiness is green", func() bool {
		status, _ := get(p.t, address+"/readyz")
		return status == http.StatusOK
	})
}
