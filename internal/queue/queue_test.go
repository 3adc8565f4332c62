package queue_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/connect-processor/connect-processor/internal/journal"
	"github.com/connect-processor/connect-processor/internal/queue"
	"github.com/connect-processor/connect-processor/internal/redistest"
	"github.com/connect-processor/connect-processor/processor"
)

const (
	lane    = "default"
	updated = "2024-05-01T10:00:05+00:00"
	later   = "2024-05-01T11:00:00+00:00"
)

// bench is a queue with what the tests look at it through.
type bench struct {
	*queue.Queue
	journal   *journal.Journal
	inspector *asynq.Inspector
	rdb       redis.UniversalClient
	now       time.Time
}

func newBench(rdb redis.UniversalClient) *bench {
	b := &bench{rdb: rdb, now: time.Now(), inspector: asynq.NewInspectorFromRedisClient(rdb)}
	b.journal = journal.New(rdb, func() time.Time { return b.now })
	b.Queue = queue.New(queue.Config{
		Redis: rdb, Journal: b.journal, TaskTimeout: 5 * time.Minute,
	})
	return b
}

func purchase() queue.Item {
	return queue.Item{
		Task:    queue.Task{Request: "PR-1", Asset: "AS-PR-1", Product: "PRD-1", Type: "purchase", Lane: lane},
		Updated: updated,
	}
}

func (b *bench) enqueue(t *testing.T, item queue.Item) queue.Result {
	t.Helper()
	item.Listed = b.now
	_, results, err := b.Enqueue(t.Context(), []queue.Item{item})
	if err != nil {
		t.Fatal(err)
	}
	return results[0]
}

func (b *bench) settle(t *testing.T, r journal.Record) {
	t.Helper()
	if err := b.journal.Settle(t.Context(), r, journal.Unfenced); err != nil {
		t.Fatal(err)
	}
}

func TestARequestIsEnqueuedOnce(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b := newBench(rdb)
		if got := b.enqueue(t, purchase()); got != queue.Enqueued {
			t.Errorf("first: %v", got)
		}
		if got := b.enqueue(t, purchase()); got != queue.Live {
			t.Errorf("second: %v", got)
		}
		info, err := b.inspector.GetTaskInfo(lane, "fulfillment:PR-1")
		if err != nil {
			t.Fatal(err)
		}
		if info.Type != "fulfillment:purchase" || info.MaxRetry != math.MaxInt32 || info.Timeout != 5*time.Minute {
			t.Errorf("task: %+v", info)
		}
		if payload := string(info.Payload); payload != `{"request":"PR-1","asset":"AS-PR-1","product":"PRD-1"}` {
			t.Errorf("a task carries IDs only, not %s", payload)
		}
	})
}

func TestAParkedOrSkippedRequestIsLeftAloneUntilItChanges(t *testing.T) {
	for _, state := range []journal.State{journal.Parked, journal.Skipped} {
		t.Run(string(state), func(t *testing.T) {
			redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
				b := newBench(rdb)
				b.settle(t, journal.Record{ID: "PR-1", State: state, Updated: updated, Attempts: 10})
				item := purchase()
				if got := b.enqueue(t, item); got != queue.LeftAlone {
					t.Errorf("unchanged: %v", got)
				}
				item.Updated = later
				if got := b.enqueue(t, item); got != queue.LookAgain {
					t.Errorf("changed, by a list that may be older than the record: %v", got)
				}
				b.now = b.now.Add(time.Minute)
				if got := b.enqueue(t, item); got != queue.Enqueued {
					t.Errorf("changed: %v", got)
				}
				records, err := b.journal.Lookup(t.Context(), []string{"PR-1"})
				if err != nil || records[0].Attempts != 0 {
					t.Errorf("a changed request has a fresh budget: %+v, %v", records, err)
				}
			})
		})
	}
}

func TestAnAnsweredRequestIsLeftAloneWhileListsAreBehind(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b := newBench(rdb)
		b.settle(t, journal.Record{ID: "PR-1", State: journal.Done, Updated: updated})
		if got := b.enqueue(t, purchase()); got != queue.LookAgain {
			t.Errorf("a moment later: %v", got)
		}
		b.now = b.now.Add(2 * time.Minute)
		if got := b.enqueue(t, purchase()); got != queue.Enqueued {
			t.Errorf("still pending after minutes: %v", got)
		}
	})
}

func TestAChangedRequestThatWaitsRunsNow(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b := newBench(rdb)
		client := asynq.NewClientFromRedisClient(rdb)
		_, err := client.Enqueue(asynq.NewTask("fulfillment:purchase", []byte(`{"request":"PR-1"}`)),
			asynq.TaskID("fulfillment:PR-1"), asynq.Queue(lane), asynq.ProcessIn(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		b.settle(t, journal.Record{ID: "PR-1", State: journal.Waiting, Updated: updated})
		item := purchase()
		if got := b.enqueue(t, item); got != queue.Live {
			t.Errorf("unchanged: %v", got)
		}
		item.Updated = later
		if got := b.enqueue(t, item); got != queue.LookAgain {
			t.Errorf("changed, by a list that may be older than the record: %v", got)
		}
		b.now = b.now.Add(time.Minute)
		if got := b.enqueue(t, item); got != queue.RunNow {
			t.Errorf("changed: %v", got)
		}
		info, err := b.inspector.GetTaskInfo(lane, "fulfillment:PR-1")
		if err != nil || info.State != asynq.TaskStatePending {
			t.Errorf("task: %+v, %v", info, err)
		}
	})
}

func TestADeadWorkersRequestIsTakenOverOnce(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b := newBench(rdb)
		item := purchase()
		b.enqueue(t, item)
		if _, err := b.journal.Begin(t.Context(), "PR-1", 1, 0); err != nil {
			t.Fatal(err)
		}
		if taken, err := b.TakeOver(t.Context(), item.Task); !taken || err != nil {
			t.Fatalf("TakeOver = %t, %v", taken, err)
		}
		if taken, err := b.TakeOver(t.Context(), item.Task); taken || err != nil {
			t.Errorf("taken over again from the same task: %t, %v", taken, err)
		}
		if _, err := b.inspector.GetTaskInfo(lane, "fulfillment:PR-1:1"); err != nil {
			t.Errorf("the new generation: %v", err)
		}
		tasks, results, err := b.Enqueue(t.Context(), []queue.Item{item})
		if err != nil || results[0] != queue.Live || tasks[0].Generation != 1 {
			t.Errorf("the poller finds %+v %v, %v", tasks, results, err)
		}
		sights, err := b.Look(t.Context(), []queue.Task{tasks[0], {Request: "PR-2", Lane: lane}})
		if err != nil || !slices.Equal(sights, []queue.Sight{{Exists: true}, {}}) {
			t.Errorf("Look = %v, %v", sights, err)
		}
	})
}

func TestWhatOthersArchiveIsParked(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b := newBench(rdb)
		b.enqueue(t, purchase())
		if err := b.inspector.ArchiveTask(lane, "fulfillment:PR-1"); err != nil {
			t.Fatal(err)
		}
		if swept, err := b.SweepArchive(t.Context(), lane); swept != 1 || err != nil {
			t.Fatalf("SweepArchive = %d, %v", swept, err)
		}
		if _, err := b.inspector.GetTaskInfo(lane, "fulfillment:PR-1"); !errors.Is(err, asynq.ErrTaskNotFound) {
			t.Errorf("asynq's archive still has it: %v", err)
		}
		parked, err := b.journal.Parked(t.Context(), 10)
		if err != nil || len(parked) != 1 || parked[0].Class != processor.ClassInterrupted {
			t.Fatalf("parked: %+v, %v", parked, err)
		}
		for range 2 { // the poll that learns what it looks like, and the next
			if got := b.enqueue(t, purchase()); got != queue.LeftAlone {
				t.Errorf("parked by hand: %v", got)
			}
		}
		if err := b.Reopen(t.Context(), purchase().Task); err != nil {
			t.Fatal(err)
		}
		if got := b.enqueue(t, purchase()); got != queue.Live {
			t.Errorf("after the operator's retry: %v", got)
		}
	})
}

func TestAnEmptiedRedisBeginsAnotherEpoch(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b := newBench(rdb)
		epoch := func() string {
			t.Helper()
			e, err := b.Epoch(t.Context())
			if err != nil || e == "" {
				t.Fatalf("Epoch = %q, %v", e, err)
			}
			return e
		}
		first := epoch()
		if again := epoch(); again != first {
			t.Errorf("epoch changed from %q to %q", first, again)
		}
		if err := rdb.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if after := epoch(); after == first {
			t.Error("an emptied Redis has the same epoch")
		}
	})
}

func TestRegisteredLanesAreKnownToAsynq(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b := newBench(rdb)
		if err := b.Register(t.Context(), []string{"default", "slow"}); err != nil {
			t.Fatal(err)
		}
		queues, err := b.inspector.Queues()
		if err != nil || len(queues) != 2 {
			t.Errorf("asynq knows %v, %v", queues, err)
		}
		lanes, err := b.Lanes(t.Context())
		slices.Sort(lanes)
		if err != nil || !slices.Equal(lanes, []string{"default", "slow"}) {
			t.Errorf("lanes: %v, %v", lanes, err)
		}
	})
}

func TestAnUnknownVersionIsNoChange(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b := newBench(rdb)
		b.enqueue(t, purchase())
		b.settle(t, journal.Record{ID: "PR-1", State: journal.Retrying}) // it could not even be read
		b.now = b.now.Add(time.Hour)
		if got := b.enqueue(t, purchase()); got != queue.Live {
			t.Errorf("the delay of a request that was never read is cut short: %v", got)
		}
	})
}
