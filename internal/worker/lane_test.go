package worker_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/connect-processor/connect-processor/internal/fulfillment"
	"github.com/connect-processor/connect-processor/internal/journal"
	"github.com/connect-processor/connect-processor/processor"
)

func TestAStopWaitsForWhatRunsAndHandsBackTheRest(t *testing.T) {
	b := newBench(t)
	entered := make(chan string, 10)
	stopping, hung := make(chan struct{}), make(chan struct{})
	letGo := sync.OnceFunc(func() { close(hung) })
	defer letGo()
	interrupted := retry(processor.ClassInterrupted)
	cfg := b.config(engine{process: func(ctx context.Context, a fulfillment.Attempt) fulfillment.Result {
		entered <- a.Request
		switch a.Request {
		case "PR-in-time":
			<-stopping
			return approved
		case "PR-just-in-time": // its answer was under way when it was told to end
			<-ctx.Done()
			return approved
		case "PR-gives-up":
			<-ctx.Done()
			return interrupted
		default: // hangs, whatever its context says
			<-hung
			return interrupted
		}
	}})
	cfg.DrainTimeout = 4 * time.Second
	cancel, wait := b.start(t, cfg)
	b.enqueue(t, task("PR-in-time"), task("PR-just-in-time"), task("PR-gives-up"), task("PR-hangs"))
	for range 4 {
		receive(t, "a request", entered)
	}
	cancel()
	close(stopping)
	wait()

	for _, id := range []string{"PR-in-time", "PR-just-in-time"} {
		if info := b.task(t, "fulfillment:"+id); info != nil {
			t.Errorf("%s is answered, and its task %s", id, info.State)
		}
		if got := b.record(t, id); got.State != journal.Done || got.Attempts != 1 {
			t.Errorf("record of %s: %+v", id, got)
		}
	}
	info := b.task(t, "fulfillment:PR-gives-up")
	if info == nil || info.State != asynq.TaskStateRetry || info.Retried != 0 || b.leased(t, "AS-PR-gives-up") {
		t.Errorf("PR-gives-up: %+v", info)
	}
	if got := b.record(t, "PR-gives-up"); got.State != journal.Retrying || got.Attempts != 0 {
		t.Errorf("record of PR-gives-up: %+v", got)
	}
	info = b.task(t, "fulfillment:PR-hangs")
	if info == nil || info.State != asynq.TaskStatePending || info.Retried != 0 || !b.leased(t, "AS-PR-hangs") {
		t.Errorf("PR-hangs: %+v", info)
	}
	letGo()
	eventually(t, "the lease of PR-hangs ends", func() bool { return !b.leased(t, "AS-PR-hangs") })

	calls := make(chan fulfillment.Attempt, 10)
	b.run(t, b.config(always(approved, calls)))
	seen := make(map[string]int)
	for range 2 {
		a := receive(t, "what was handed back", calls)
		seen[a.Request] = a.Number
	}
	if len(seen) != 2 || seen["PR-gives-up"] != 1 || seen["PR-hangs"] != 1 {
		t.Errorf("attempts by request: %v", seen)
	}
}

// Every server subscribes once. Each stop is another chance to start one more.
func TestAStoppedLaneStartsNoServerAgain(t *testing.T) {
	b := newBench(t)
	subscribed := func() int {
		info, err := b.rdb.Info(t.Context(), "commandstats").Result()
		if err != nil {
			t.Fatal(err)
		}
		_, stats, _ := strings.Cut(info, "cmdstat_subscribe:calls=")
		count, _, _ := strings.Cut(stats, ",")
		n, _ := strconv.Atoi(count)
		return n
	}
	cfg := b.config(engine{})
	for started := range 8 {
		stop := b.run(t, cfg)
		eventually(t, "the lane is served", func() bool { return subscribed() > started })
		stop()
		if n := subscribed(); n != started+1 {
			t.Fatalf("%d servers for %d starts", n, started+1)
		}
	}
}

func TestATaskLeftInAnotherLaneEndsOnceTheNewLaneHasTheRequest(t *testing.T) {
	b := newBench(t)
	calls := make(chan fulfillment.Attempt, 10)
	result := retry(processor.ClassVendorUnavailable)
	result.After = never
	cfg := b.config(always(result, calls))
	cfg.Lanes["old"] = 1
	b.run(t, cfg)
	b.enqueue(t, task("PR-1"))
	receive(t, "the attempt in the new lane", calls)
	b.settled(t, "fulfillment:PR-1")
	left := task("PR-1")
	left.Lane = "old"
	b.enqueue(t, left)
	eventually(t, "the task in the old lane ends", func() bool {
		depth, err := b.queue.Depth("old")
		return err == nil && depth == 0
	})
	if len(calls) != 0 {
		t.Error("the request had another attempt, by the old lane")
	}
	if got := b.record(t, "PR-1"); got.Attempts != 1 || got.State != journal.Retrying {
		t.Errorf("record: %+v", got)
	}
}

func TestALaneThatNobodyServesAnyMoreIsServed(t *testing.T) {
	b := newBench(t)
	if err := b.queue.Register(t.Context(), []string{lane, "old", "empty"}); err != nil {
		t.Fatal(err)
	}
	old := task("PR-1")
	old.Lane = "old"
	b.enqueue(t, old)
	calls := make(chan fulfillment.Attempt, 10)
	b.run(t, b.config(always(approved, calls)))
	if got := receive(t, "the old lane's request", calls).Request; got != "PR-1" {
		t.Errorf("%s runs", got)
	}
	eventually(t, "it is settled", func() bool { return b.record(t, "PR-1").State == journal.Done })
	eventually(t, "two lanes have a server, and the empty one has none", func() bool {
		servers, err := b.inspector.Servers()
		return err == nil && len(servers) == 2
	})
}

func TestATaskThatIsNotOursIsDropped(t *testing.T) {
	b := newBench(t)
	calls := make(chan fulfillment.Attempt, 10)
	b.run(t, b.config(always(approved, calls)))
	b.enqueueRaw(t, "email:send", `{}`, "A")
	b.enqueueRaw(t, "fulfillment:purchase", `{"request":`, "B")
	b.enqueueRaw(t, "fulfillment:purchase", `{}`, "C")
	for _, id := range []string{"A", "B", "C"} {
		b.gone(t, id)
	}
	none(t, "it was carried out", calls)
	if n := strings.Count(b.log.String(), "dropping a task that is not ours"); n != 3 {
		t.Errorf("%d lines in the log:\n%s", n, b.log)
	}
}
