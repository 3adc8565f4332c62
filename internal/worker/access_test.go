package worker_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/internal/fulfillment"
	"github.com/connect-processor/connect-processor/internal/journal"
	"github.com/connect-processor/connect-processor/internal/worker"
	"github.com/connect-processor/connect-processor/processor"
)

var errRefused = &connect.Error{Op: "read request", Status: http.StatusUnauthorized}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestTheGateIsClosedByTheFirstRefusalUntilGranted(t *testing.T) {
	a := worker.NewAccess()
	check := func(when string, wantErr error) {
		t.Helper()
		if err := a.Err(); !errors.Is(err, wantErr) {
			t.Errorf("%s: %v", when, err)
		}
		closed, open := isClosed(a.Closed()), isClosed(a.Open())
		if closed != (wantErr != nil) || open == closed {
			t.Errorf("%s: Closed %t, Open %t", when, closed, open)
		}
	}
	check("new", nil)
	a.Granted()
	check("granted without need", nil)
	if !a.Refused(errRefused) {
		t.Error("the first refusal did not close it")
	}
	check("refused", errRefused)
	if a.Refused(errors.New("another")) {
		t.Error("the second refusal closed it again")
	}
	check("refused twice", errRefused)
	a.Granted()
	check("granted", nil)
	if !a.Refused(errRefused) {
		t.Error("it does not close again")
	}
	check("refused again", errRefused)
}

// refusals runs Probe over a number of refusals and returns how long each kept
// the gate closed. The key passes the second probe each time.
func refusals(t *testing.T, n int, after func(*worker.Access)) []time.Duration {
	t.Helper()
	var closed []time.Duration
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		a := worker.NewAccess()
		tries := 0
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			a.Probe(ctx, func(context.Context) error {
				if tries++; tries%2 == 1 {
					return errRefused
				}
				return nil
			})
		}()
		for range n {
			began := time.Now()
			a.Refused(errRefused)
			after(a)
			<-a.Open()
			closed = append(closed, time.Since(began))
			synctest.Wait()
		}
		if tries != 2*n {
			t.Errorf("%d probes for %d refusals", tries, n)
		}
		cancel()
		<-ended
	})
	return closed
}

func TestAKeyThatReadsButMayNotAnswerIsProbedEverMoreRarely(t *testing.T) {
	got := refusals(t, 7, func(*worker.Access) {})
	want := []time.Duration{
		4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, 64 * time.Second,
		2 * time.Minute, 2 * time.Minute,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// An answer that was under way when another was refused may still be taken.
func TestAnAnswerThatWasTakenMakesTheNextProbeSoon(t *testing.T) {
	got := refusals(t, 3, (*worker.Access).Proved)
	if diff := cmp.Diff([]time.Duration{4 * time.Second, 4 * time.Second, 4 * time.Second}, got); diff != "" {
		t.Error(diff)
	}
}

func TestProbingEndsWithItsContext(t *testing.T) {
	for _, refused := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			a := worker.NewAccess()
			if refused {
				a.Refused(errRefused)
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				a.Probe(ctx, func(context.Context) error {
					t.Error("probed without need")
					return nil
				})
			}()
			synctest.Wait()
			cancel()
			<-ended
		})
	}
}

func TestNothingIsTakenWhileConnectRefusesTheKey(t *testing.T) {
	b := newBench(t)
	calls := make(chan fulfillment.Attempt, 10)
	cfg := b.config(engine{process: func(_ context.Context, a fulfillment.Attempt) fulfillment.Result {
		calls <- a
		if a.Request != "PR-1" {
			return approved
		}
		result := retry(processor.ClassConnectAuth)
		result.After, result.Err = never, &connect.Error{Op: "approving", Status: http.StatusUnauthorized, Err: errRefused}
		return result
	}})
	b.run(t, cfg)
	b.enqueue(t, task("PR-1"))
	receive(t, "the refused attempt", calls)
	receive(t, "the gate closes", cfg.Access.Closed())
	if err := cfg.Access.Err(); !errors.Is(err, errRefused) {
		t.Errorf("Err: %v", err)
	}
	eventually(t, "the lane has no server", func() bool {
		servers, err := b.inspector.Servers()
		return err == nil && len(servers) == 0
	})
	info := b.settled(t, "fulfillment:PR-1")
	if info == nil || info.Retried != 0 {
		t.Errorf("the refused request's task: %+v", info)
	}
	if got := b.record(t, "PR-1"); got.State != journal.Retrying || got.Attempts != 0 {
		t.Errorf("record: %+v", got)
	}

	b.enqueue(t, task("PR-2"))
	none(t, "taken although the key is refused", calls)
	cfg.Access.Granted()
	if got := receive(t, "an attempt", calls).Request; got != "PR-2" {
		t.Errorf("%s was taken", got)
	}
	b.gone(t, "fulfillment:PR-2")
}
