package worker_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/connect-processor/connect-processor/internal/fulfillment"
	"github.com/connect-processor/connect-processor/internal/journal"
	"github.com/connect-processor/connect-processor/internal/limit"
	"github.com/connect-processor/connect-processor/processor"
)

var approved = fulfillment.Result{Outcome: fulfillment.Approved, Request: request()}

func TestTwoRequestsOfOneAssetNeverRunSideBySide(t *testing.T) {
	b := newBench(t)
	entered := make(chan string, 10)
	release := make(chan struct{})
	letGo := sync.OnceFunc(func() { close(release) })
	defer letGo()
	b.run(t, b.config(engine{process: func(_ context.Context, a fulfillment.Attempt) fulfillment.Result {
		entered <- a.Request
		<-release
		return approved
	}}))
	first, second, other := task("PR-1"), task("PR-2"), task("PR-3")
	second.Asset = first.Asset
	b.enqueue(t, first)
	if got := receive(t, "the first request", entered); got != "PR-1" {
		t.Fatalf("%s runs", got)
	}
	b.enqueue(t, second, other)
	if got := receive(t, "a request of another asset", entered); got != "PR-3" {
		t.Errorf("%s runs beside PR-1", got)
	}
	info := b.settled(t, "fulfillment:PR-2")
	if info == nil || info.Retried != 0 || !strings.Contains(info.LastErr, limit.ErrHeld.Error()) {
		t.Errorf("the second request's task: %+v", info)
	}
	letGo()
	b.gone(t, "fulfillment:PR-1")
	if got := receive(t, "the second request", entered); got != "PR-2" {
		t.Errorf("%s runs", got)
	}
	b.gone(t, "fulfillment:PR-2")
	if got := b.record(t, "PR-2"); got.State != journal.Done || got.Attempts != 1 {
		t.Errorf("record: %+v", got)
	}
}

func TestATaskOfALowerGenerationDoesNothing(t *testing.T) {
	b := newBench(t)
	b.enqueue(t, task("PR-1"))
	if taken, err := b.queue.TakeOver(t.Context(), task("PR-1")); !taken || err != nil {
		t.Fatalf("TakeOver: %t, %v", taken, err)
	}
	if err := b.inspector.DeleteTask(lane, "fulfillment:PR-1:1"); err != nil { // to see the old one alone
		t.Fatal(err)
	}
	calls := make(chan fulfillment.Attempt, 10)
	b.run(t, b.config(always(approved, calls)))
	b.gone(t, "fulfillment:PR-1")
	none(t, "the old task was carried out", calls)

	b.enqueue(t, task("PR-1"))
	b.gone(t, "fulfillment:PR-1:1")
	receive(t, "the attempt of the new generation", calls)
	if got := b.record(t, "PR-1"); got.State != journal.Done || got.Generation != 1 {
		t.Errorf("record: %+v", got)
	}
}

func TestTheTaskOfAParkedRequestDoesNothing(t *testing.T) {
	b := newBench(t)
	b.enqueue(t, task("PR-1"))
	parked := journal.Record{ID: "PR-1", State: journal.Parked, Updated: created, Attempts: 3, Error: "no such plan"}
	if err := b.journal.Settle(t.Context(), parked, journal.Unfenced); err != nil {
		t.Fatal(err)
	}
	calls := make(chan fulfillment.Attempt, 10)
	e := always(approved, calls)
	e.note = func(context.Context, string, string) error {
		t.Error("another note")
		return nil
	}
	b.run(t, b.config(e))
	b.gone(t, "fulfillment:PR-1")
	none(t, "it was carried out", calls)
	if got := b.record(t, "PR-1"); got.State != journal.Parked || got.Error != parked.Error {
		t.Errorf("record: %+v", got)
	}
}

func TestALostLeaseEndsTheAttempt(t *testing.T) {
	b := newBench(t)
	b.leases = limit.NewLeases(b.rdb, time.Second, time.Now)
	causes := make(chan error, 10)
	b.run(t, b.config(engine{process: func(ctx context.Context, a fulfillment.Attempt) fulfillment.Result {
		if a.Number == 1 && len(causes) == 0 {
			b.rdb.Del(context.WithoutCancel(ctx), "cp:{AS-PR-1}:lease")
		}
		<-ctx.Done()
		causes <- context.Cause(ctx)
		result := retry(processor.ClassInterrupted)
		result.After = never
		return result
	}}))
	b.enqueue(t, task("PR-1"))
	if cause := receive(t, "the end of the attempt", causes); !errors.Is(cause, limit.ErrLost) {
		t.Errorf("cause: %v", cause)
	}
	info := b.settled(t, "fulfillment:PR-1")
	if info == nil || info.Retried != 0 {
		t.Errorf("task: %+v", info)
	}
}

// overtaker is a fence number above that of any lease.
const overtaker = 1 << 52

func TestAnAttemptThatWasOvertakenWritesNothing(t *testing.T) {
	b := newBench(t)
	calls := make(chan fulfillment.Attempt, 10)
	b.run(t, b.config(engine{process: func(ctx context.Context, a fulfillment.Attempt) fulfillment.Result {
		if _, err := b.journal.Begin(ctx, a.Request, overtaker, 0); err != nil {
			t.Error(err)
		}
		calls <- a
		return retry(processor.ClassVendorUnavailable)
	}}))
	b.enqueue(t, task("PR-1"))
	receive(t, "the attempt", calls)
	info := b.settled(t, "fulfillment:PR-1")
	if info == nil || info.State != asynq.TaskStateRetry || !strings.Contains(info.LastErr, journal.ErrFenced.Error()) {
		t.Errorf("task: %+v", info)
	}
	if got := b.record(t, "PR-1"); got.State != journal.Running || got.Attempts != 0 {
		t.Errorf("record: %+v", got)
	}
}
