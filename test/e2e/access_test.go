package e2e_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestAKeyThatIsRefusedFromTheStartTakesNothing(t *testing.T) {
	t.Parallel()
	e := newEmulated(t)
	refused := e.fault(`{"target":"connect","kind":"error","status":401}`)
	ids := e.purchase(5)
	p := e.serve("RETRY_MAX_ATTEMPTS=1")
	if reason := p.notReady("connect_key"); !strings.Contains(reason, "401") || !strings.Contains(reason, "CONNECT_API_KEY") {
		t.Errorf("readiness says %q", reason)
	}
	if n := e.counters().vendorCalls(); n != 0 {
		t.Errorf("%d calls arrived at the vendor", n)
	}
	e.mend(refused)
	e.approvedOnce(ids...)
	p.ready()
}

func TestAKeyThatIsRefusedInMidRunStopsTheWorkUntilItIsAcceptedAgain(t *testing.T) {
	t.Parallel()
	e := newEmulated(t)
	slow := e.fault(`{"target":"vendor","kind":"latency","latency":"200ms"}`)
	ids := e.purchase(30)
	p := e.serve("RETRY_MAX_ATTEMPTS=1", "WORKER_CONCURRENCY=2")
	until(t, "some are approved", func() bool { return len(e.counters().Approvals) >= 2 })
	refused := e.fault(`{"target":"connect","kind":"error","status":401}`)
	if reason := p.notReady("connect_key"); !strings.Contains(reason, "401") || !strings.Contains(reason, "CONNECT_API_KEY") {
		t.Errorf("readiness says %q", reason)
	}
	e.mend(slow)
	calm := e.counters().Tenants
	hits := e.hits(refused)
	until(t, "Connect has been asked several times more", func() bool { return e.hits(refused) >= hits+4 })
	if n := e.counters().Tenants; n > calm+2 || n >= len(ids) {
		t.Errorf("%d tenants were made while the key was refused: from %d to %d", n-calm, calm, n)
	}
	e.mend(refused)
	e.approvedOnce(ids...)
	e.noneParked()
	p.ready()
}

func TestAKeyThatMayNotApproveParksAndFailsNothing(t *testing.T) {
	t.Parallel()
	e := newEmulated(t)
	refused := e.fault(`{"target":"connect","method":"POST","path":"/approve$","kind":"error","status":403}`)
	ids := e.purchase(6)
	p := e.serve("RETRY_MAX_ATTEMPTS=1", "WORKER_CONCURRENCY=1")
	if reason := p.notReady("connect_key"); !strings.Contains(reason, "403") || !strings.Contains(reason, "permission") {
		t.Errorf("readiness says %q", reason)
	}
	until(t, "it is tried again", func() bool { return e.hits(refused) >= 2 })
	e.noneParked()
	orders, _ := e.state()
	for _, id := range ids {
		if orders[id].Status != "pending" {
			t.Errorf("%s is %s", id, orders[id].Status)
		}
	}
	e.mend(refused)
	e.approvedOnce(ids...)
	e.noneParked()
	p.ready()
}

func TestTheOperatorsPort(t *testing.T) {
	t.Parallel()
	e := newEmulated(t)
	id := e.purchase(1)[0]
	p := e.serve()
	e.approvedOnce(id)
	p.ready()
	address := p.admin()
	for path, want := range map[string]string{
		"/healthz":           `"alive"`,
		"/readyz":            `"redis":"ok"`,
		"/queues/":           "<title>Asynq",
		"/queues/api/queues": `"queue":"default"`,
		"/":                  "<title>Asynq", // led there
	} {
		if status, body := get(t, address+path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %.300s", path, status, body)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/queues/api/queues/default:pause", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode < http.StatusBadRequest {
		t.Errorf("the queue could be paused: %s", response.Status)
	}
	if err := e.rdb.Get(t.Context(), "asynq:{default}:paused").Err(); err == nil {
		t.Error("the queue is paused")
	}
	p.stop()
	if status, _ := get(t, address+"/healthz"); status != 0 {
		t.Errorf("after the stop the port answers %d", status)
	}
}
