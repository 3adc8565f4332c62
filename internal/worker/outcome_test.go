package worker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hibiken/asynq"

	"github.com/connect-processor/connect-processor/internal/fulfillment"
	"github.com/connect-processor/connect-processor/internal/journal"
	"github.com/connect-processor/connect-processor/processor"
)

// Two attempts have been spent of three before each of these.
func TestWhatFollowsAnOutcome(t *testing.T) {
	const slow = time.Hour // the schedule
	table := []struct {
		name   string
		result fulfillment.Result

		state    journal.State
		attempts int
		updated  string
		class    processor.ErrorClass

		again time.Duration // 0: the task is gone
	}{
		{
			name: "approved", result: fulfillment.Result{Outcome: fulfillment.Approved, Request: request()},
			state: journal.Done, attempts: 2, updated: read,
		},
		{
			name: "failed", result: fulfillment.Result{Outcome: fulfillment.Failed, Request: request()},
			state: journal.Done, attempts: 2, updated: read,
		},
		{
			name: "inquired", result: fulfillment.Result{Outcome: fulfillment.Inquired, Request: request()},
			state: "", attempts: 0, updated: read,
		},
		{
			name: "scheduled", result: fulfillment.Result{Outcome: fulfillment.Scheduled, Request: request()},
			state: "", attempts: 0, updated: read,
		},
		{
			name:   "waiting",
			result: fulfillment.Result{Outcome: fulfillment.Waiting, Request: request(), After: 20 * time.Minute, Note: "building"},
			state:  journal.Waiting, attempts: 0, updated: read, again: 20 * time.Minute,
		},
		{
			name: "skipped", result: fulfillment.Result{Outcome: fulfillment.Skipped, Request: request()},
			state: journal.Skipped, attempts: 1, updated: read,
		},
		{
			name: "nothing to do", result: fulfillment.Result{Outcome: fulfillment.NothingToDo, Request: request()},
			state: "", attempts: 1, updated: read,
		},
		{
			name: "not offered", result: fulfillment.Result{Outcome: fulfillment.NotOffered, Request: request()},
			state: "", attempts: 1, updated: read,
		},
		{
			name: "an error", result: retry(processor.ClassVendorUnavailable),
			state: journal.Retrying, attempts: 2, updated: read, class: processor.ClassVendorUnavailable, again: slow,
		},
		{
			name: "an error before the request was read",
			result: fulfillment.Result{
				Outcome: fulfillment.Retry, Class: processor.ClassConnectUnavailable, Err: errors.New("502"), After: 30 * time.Minute,
			},
			state: journal.Retrying, attempts: 2, updated: created, class: processor.ClassConnectUnavailable, again: 30 * time.Minute,
		},
		{
			name: "interrupted", result: retry(processor.ClassInterrupted),
			state: journal.Retrying, attempts: 1, updated: read, class: processor.ClassInterrupted, again: 2 * time.Second,
		},
		{
			name: "rate limited", result: retry(processor.ClassRateLimited),
			state: journal.Retrying, attempts: 1, updated: read, class: processor.ClassRateLimited, again: 5 * time.Second,
		},
		{
			name: "permanent",
			result: fulfillment.Result{
				Outcome: fulfillment.Park, Request: request(), Class: processor.ClassVendorRefused, Err: errors.New("no such plan"),
			},
			state: journal.Parked, attempts: 2, updated: noted, class: processor.ClassVendorRefused,
		},
	}

	b := newBench(t)
	results := make(map[string]fulfillment.Result)
	for _, row := range table {
		id := "PR-" + row.name
		results[id] = row.result
		b.enqueue(t, task(id))
		before := journal.Record{ID: id, State: journal.Retrying, Attempts: 1, Updated: created, Class: processor.ClassTimeout}
		if err := b.journal.Settle(t.Context(), before, journal.Unfenced); err != nil {
			t.Fatal(err)
		}
	}
	numbers := make(chan int, len(table))
	cfg := b.config(engine{process: func(_ context.Context, a fulfillment.Attempt) fulfillment.Result {
		numbers <- a.Number
		return results[a.Request]
	}})
	cfg.Retry.Schedule = []time.Duration{time.Minute, slow}
	started := time.Now()
	stop := b.run(t, cfg)
	for range table {
		if number := receive(t, "an attempt", numbers); number != 2 {
			t.Errorf("attempt %d, want 2", number)
		}
	}
	stop() // so that what comes again soon does not
	took := time.Since(started)

	for _, row := range table {
		t.Run(row.name, func(t *testing.T) {
			id := "PR-" + row.name
			info := b.task(t, "fulfillment:"+id)
			if row.again == 0 {
				if info != nil {
					t.Errorf("the task is still there: %+v", info)
				}
			} else {
				checkAgain(t, info, row.again, started, took)
			}
			got := b.record(t, id)
			want := journal.Record{
				ID: id, Type: "purchase", Product: product, Asset: "AS-" + id, Lane: lane,
				State: row.state, Attempts: row.attempts, Updated: row.updated, Class: row.class,
			}
			if row.result.Err != nil {
				want.Error = row.result.Err.Error()
			}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(journal.Record{}, "At")); diff != "" {
				t.Errorf("record (-want +got):\n%s", diff)
			}
			if b.leased(t, "AS-"+id) {
				t.Error("the lease is still held")
			}
		})
	}
}

// checkAgain checks that the task runs again when it should, give or take the
// jitter of the schedule and asynq's whole seconds.
func checkAgain(t *testing.T, info *asynq.TaskInfo, again time.Duration, started time.Time, took time.Duration) {
	t.Helper()
	if info == nil {
		t.Fatal("the task is gone")
	}
	if info.State == asynq.TaskStateRetry {
		soonest := started.Add(again*8/10 - time.Second)
		latest := started.Add(again*12/10 + took + time.Second)
		if at := info.NextProcessAt; at.Before(soonest) || at.After(latest) {
			t.Errorf("again at %s, want between %s and %s", at, soonest, latest)
		}
	} else if again > time.Minute {
		t.Errorf("the task is %s", info.State)
	}
}

// The journal is out of reach when the attempt has ended; asynq is not.
func TestAnOutcomeThatCannotBeWrittenDown(t *testing.T) {
	for _, tt := range []struct {
		outcome fulfillment.Outcome
		again   bool
	}{
		{fulfillment.Approved, false},
		{fulfillment.Failed, false},
		{fulfillment.Inquired, false},
		{fulfillment.Scheduled, false},
		{fulfillment.Retry, true},
		{fulfillment.Park, true},
		{fulfillment.Waiting, true},
		{fulfillment.Skipped, true},
	} {
		t.Run(string(tt.outcome), func(t *testing.T) {
			b := newBench(t)
			away := b.server.Client()
			calls := make(chan fulfillment.Attempt, 10)
			cfg := b.config(engine{process: func(_ context.Context, a fulfillment.Attempt) fulfillment.Result {
				_ = away.Close()
				calls <- a
				result := retry(processor.ClassVendorUnavailable)
				result.Outcome = tt.outcome
				return result
			}})
			cfg.Journal = journal.New(away, time.Now)
			stop := b.run(t, cfg)
			b.enqueue(t, task("PR-1"))
			receive(t, "an attempt", calls)
			info := b.settled(t, "fulfillment:PR-1")
			stop()
			if again := info != nil; again != tt.again {
				t.Errorf("runs again: %t", again)
			}
			if info != nil && info.Retried != 0 {
				t.Errorf("spent %d", info.Retried)
			}
			if got := b.record(t, "PR-1"); got.State != journal.Running {
				t.Errorf("record: %+v", got)
			}
		})
	}
}
