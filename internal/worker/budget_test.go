package worker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/internal/fulfillment"
	"github.com/connect-processor/connect-processor/internal/journal"
	"github.com/connect-processor/connect-processor/processor"
)

func TestAnErrorIsTriedAgainUntilTheBudgetIsSpent(t *testing.T) {
	b := newBench(t)
	calls := make(chan fulfillment.Attempt, 10)
	notes := make(chan string, 10)
	e := always(retry(processor.ClassVendorUnavailable), calls)
	e.note = func(_ context.Context, requestID, text string) error {
		notes <- requestID + ": " + text
		return nil
	}
	e.updated = func(context.Context, string) (connect.Timestamp, error) {
		if len(notes) == 0 {
			return read, nil
		}
		return noted, nil
	}
	b.run(t, b.config(e))
	b.enqueue(t, task("PR-1"))
	b.gone(t, "fulfillment:PR-1")
	for want := 1; want <= 3; want++ {
		if got := receive(t, "an attempt", calls).Number; got != want {
			t.Errorf("attempt %d, want %d", got, want)
		}
	}
	none(t, "an attempt beyond the budget", calls)

	if got := b.record(t, "PR-1"); got.State != journal.Parked || got.Attempts != 3 || got.Updated != noted {
		t.Errorf("record: %+v", got)
	}
	const want = "PR-1: Parked by the processor after 3 attempts (vendor_unavailable): no luck"
	if note := receive(t, "a note", notes); note != want {
		t.Errorf("note %q, want %q", note, want)
	}
	if len(notes) != 0 {
		t.Errorf("another note: %q", <-notes)
	}
}

func TestARequestThatCannotBeNotedIsParkedAllTheSame(t *testing.T) {
	b := newBench(t)
	calls := make(chan fulfillment.Attempt, 10)
	result := retry(processor.ClassVendorRefused)
	result.Outcome = fulfillment.Park
	e := always(result, calls)
	e.note = func(context.Context, string, string) error { return errors.New("the conversation is closed") }
	e.updated = func(context.Context, string) (connect.Timestamp, error) { return "", errors.New("502") }
	b.run(t, b.config(e))
	b.enqueue(t, task("PR-1"))
	b.gone(t, "fulfillment:PR-1")
	if got := b.record(t, "PR-1"); got.State != journal.Parked || got.Updated != "" { // for the next poll to fill in
		t.Errorf("record: %+v", got)
	}
}

func TestWhatIsNobodysFaultSpendsNothing(t *testing.T) {
	waiting := fulfillment.Result{Outcome: fulfillment.Waiting, Request: request(), After: never}
	for name, result := range map[string]fulfillment.Result{
		"waiting":      waiting,
		"interrupted":  retry(processor.ClassInterrupted),
		"rate_limited": retry(processor.ClassRateLimited),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			calls := make(chan fulfillment.Attempt, 10)
			result.After = never
			cfg := b.config(always(result, calls))
			cfg.Retry.MaxAttempts = 1
			b.run(t, cfg)
			b.enqueue(t, task("PR-1"))
			for range 3 {
				if got := receive(t, "an attempt", calls).Number; got != 1 {
					t.Errorf("attempt %d", got)
				}
				info := b.settled(t, "fulfillment:PR-1")
				if info == nil || info.Retried != 0 {
					t.Fatalf("task: %+v", info)
				}
				b.runNow(t, "fulfillment:PR-1")
			}
		})
	}
}

// An operator may have lowered the limit since the last attempt was spent.
func TestAnInterruptionParksNothing(t *testing.T) {
	b := newBench(t)
	if err := b.journal.Settle(t.Context(), journal.Record{ID: "PR-1", State: journal.Retrying, Attempts: 7}, journal.Unfenced); err != nil {
		t.Fatal(err)
	}
	b.enqueue(t, task("PR-1"))
	calls := make(chan fulfillment.Attempt, 10)
	result := retry(processor.ClassInterrupted)
	result.After = never
	b.run(t, b.config(always(result, calls)))
	receive(t, "an attempt", calls)
	if info := b.settled(t, "fulfillment:PR-1"); info == nil {
		t.Error("the task is gone")
	}
	if got := b.record(t, "PR-1"); got.State != journal.Retrying || got.Attempts != 7 {
		t.Errorf("record: %+v", got)
	}
}

func TestWhatWaitsRunsAgainInTime(t *testing.T) {
	b := newBench(t)
	calls := make(chan fulfillment.Attempt, 10)
	b.run(t, b.config(always(fulfillment.Result{Outcome: fulfillment.Waiting, Request: request(), After: time.Second}, calls)))
	b.enqueue(t, task("PR-1"))
	for range 2 {
		if got := receive(t, "an attempt", calls).Number; got != 1 {
			t.Errorf("attempt %d", got)
		}
	}
}
