package worker_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/internal/fulfillment"
	"github.com/connect-processor/connect-processor/internal/journal"
	"github.com/connect-processor/connect-processor/processor"
)

// refused is an attempt that Connect refused with the status.
func refused(class processor.ErrorClass, status int) fulfillment.Result {
	result := retry(class)
	result.After = never
	result.Err = &connect.Error{Op: "approving", Status: status}
	return result
}

func TestASingle403IsNotTheKeys(t *testing.T) {
	b := newBench(t)
	calls := make(chan fulfillment.Attempt, 20)
	cfg := b.config(engine{process: func(_ context.Context, a fulfillment.Attempt) fulfillment.Result {
		calls <- a
		if strings.HasPrefix(a.Request, "PR-denied") {
			return refused(processor.ClassConnectAuth, http.StatusForbidden)
		}
		return approved
	}})
	b.run(t, cfg)
	b.enqueue(t, task("PR-denied"))
	for _, good := range []string{"PR-1", "PR-2", "PR-3"} { // more than a row, but with successes between
		receive(t, "the denied attempt", calls)
		b.settled(t, "fulfillment:PR-denied")
		b.enqueue(t, task(good))
		receive(t, "the good attempt", calls)
		b.gone(t, "fulfillment:"+good)
		b.runNow(t, "fulfillment:PR-denied")
	}
	receive(t, "the denied attempt", calls)
	b.settled(t, "fulfillment:PR-denied")
	if err := cfg.Access.Err(); err != nil {
		t.Fatalf("the gate is closed: %v", err)
	}
	if got := b.record(t, "PR-denied"); got.Attempts != 0 || got.State != journal.Retrying {
		t.Errorf("record: %+v", got)
	}
	for _, id := range []string{"PR-denied-1", "PR-denied-2"} {
		b.enqueue(t, task(id))
		receive(t, "another denied attempt", calls)
	}
	receive(t, "the gate closes after three in a row", cfg.Access.Closed())
}

func TestAClosedGateLetsRunningRequestsEndInTheirTime(t *testing.T) {
	b := newBench(t)
	calls := make(chan fulfillment.Attempt, 10)
	finish := make(chan struct{})
	ended := make(chan error, 1)
	cfg := b.config(engine{process: func(ctx context.Context, a fulfillment.Attempt) fulfillment.Result {
		calls <- a
		if a.Request != "PR-slow" {
			return approved
		}
		select {
		case <-finish:
		case <-ctx.Done():
		}
		ended <- context.Cause(ctx)
		return approved
	}})
	cfg.DrainTimeout = 3 * time.Second // its margin is as long: a drain would cancel at once
	b.run(t, cfg)
	b.enqueue(t, task("PR-slow"))
	receive(t, "the slow attempt", calls)
	cfg.Access.Refused(errRefused)
	b.enqueue(t, task("PR-next"))
	select {
	case err := <-ended:
		t.Fatalf("the running request was ended: %v", err)
	case a := <-calls:
		t.Fatalf("%s was taken", a.Request)
	case <-time.After(4 * time.Second): // longer than a drain
	}
	close(finish)
	if err := receive(t, "its end", ended); err != nil {
		t.Errorf("ended by %v", err)
	}
	cfg.Access.Granted()
	receive(t, "the next attempt", calls)
	b.gone(t, "fulfillment:PR-next")
	if got := b.record(t, "PR-slow"); got.State != journal.Done {
		t.Errorf("record: %+v", got)
	}
}

func TestAConversationThatHangsDelaysNoParking(t *testing.T) {
	b := newBench(t)
	calls := make(chan fulfillment.Attempt, 10)
	result := retry(processor.ClassVendorRefused)
	result.Outcome = fulfillment.Park
	e := always(result, calls)
	noting := make(chan struct{})
	e.note = func(ctx context.Context, _, _ string) error {
		close(noting)
		<-ctx.Done()
		return ctx.Err()
	}
	b.run(t, b.config(e))
	b.enqueue(t, task("PR-1"))
	receive(t, "the attempt", calls)
	receive(t, "the note", noting)
	if got := b.record(t, "PR-1"); got.State != journal.Parked {
		t.Errorf("not parked while the note hangs: %+v", got)
	}
	b.gone(t, "fulfillment:PR-1")
	if len(calls) != 0 {
		t.Error("it was tried again")
	}
}

func TestA429HoldsTheOthers(t *testing.T) {
	b := newBench(t)
	calls := make(chan fulfillment.Attempt, 100)
	b.run(t, b.config(always(refused(processor.ClassRateLimited, http.StatusTooManyRequests), calls)))
	b.enqueue(t, task("PR-1"))
	receive(t, "the attempt", calls)
	b.settled(t, "fulfillment:PR-1")
	for _, id := range []string{"PR-2", "PR-3", "PR-4"} {
		b.enqueue(t, task(id))
		b.settled(t, "fulfillment:"+id)
	}
	if len(calls) != 0 {
		t.Errorf("%d more requests were tried, an hour early", len(calls))
	}
}
