package poller

import (
	"context"
	"iter"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq" //nolint:depguard // plays the worker that dies and the tool that archives
	"github.com/redis/go-redis/v9"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/internal/journal"
	"github.com/connect-processor/connect-processor/internal/limit"
	"github.com/connect-processor/connect-processor/internal/queue"
	"github.com/connect-processor/connect-processor/internal/redistest"
)

// takeoverBench is a poller with one task in its queue, and a clock.
type takeoverBench struct {
	*Poller
	rdb  redis.UniversalClient
	task queue.Task
	now  time.Time
}

func newTakeoverBench(t *testing.T) *takeoverBench {
	t.Helper()
	rdb := redistest.Start(t).Client()
	b := &takeoverBench{rdb: rdb, now: time.Now()}
	b.task = queue.Task{Request: "PR-1", Asset: "AS-1", Product: "PRD-1", Type: "purchase", Lane: "default"}
	q := queue.New(queue.Config{Redis: rdb, Journal: journal.New(rdb, time.Now), TaskTimeout: 5 * time.Minute})
	b.Poller = New(Config{
		Queue: q, Leases: limit.NewLeases(rdb, time.Hour, time.Now), Lanes: []string{"default"},
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return b.now },
	})
	if _, _, err := q.Enqueue(t.Context(), []queue.Item{{Task: b.task}}); err != nil {
		t.Fatal(err)
	}
	return b
}

// dies has a worker take the task, which dies with it before anybody renews
// its lease. The task stays active, as asynq would see it.
func (b *takeoverBench) dies(t *testing.T) {
	t.Helper()
	taken, end := make(chan struct{}), make(chan struct{})
	server := asynq.NewServerFromRedisClient(b.rdb, asynq.Config{
		Queues: map[string]int{"default": 1}, TaskCheckInterval: 10 * time.Millisecond, LogLevel: asynq.FatalLevel,
		ShutdownTimeout: time.Millisecond,
	})
	err := server.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
		close(taken)
		<-end
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		close(end)
		server.Shutdown()
	})
	<-taken
	server.Stop()
}

func (b *takeoverBench) pending(t *testing.T) []string {
	t.Helper()
	ids, err := b.rdb.LRange(t.Context(), "asynq:{default}:pending", 0, -1).Result()
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// look looks for dead workers' tasks after d, and checks what is enqueued then.
func (b *takeoverBench) look(t *testing.T, d time.Duration, want ...string) {
	t.Helper()
	b.now = b.now.Add(d)
	b.takeOver(t.Context())
	if got := b.pending(t); !cmp.Equal(append([]string{}, want...), got) {
		t.Errorf("after %s pending are %v, want %v", d, got, want)
	}
}

func TestTheTaskOfADeadWorkerIsTakenOverOnce(t *testing.T) {
	b := newTakeoverBench(t)
	b.look(t, 0, "fulfillment:PR-1")
	b.look(t, time.Hour, "fulfillment:PR-1") // waits, and nobody died
	b.dies(t)
	b.look(t, 0)
	b.look(t, takeOverAfter-time.Millisecond)
	b.look(t, time.Millisecond, "fulfillment:PR-1:1")
	b.look(t, time.Second, "fulfillment:PR-1:1")
	b.look(t, time.Hour, "fulfillment:PR-1:1")
}

func TestTheTaskOfALivingWorkerIsLeftToIt(t *testing.T) {
	b := newTakeoverBench(t)
	b.dies(t) // as far as asynq goes
	b.look(t, 0)
	lease, err := b.cfg.Leases.Acquire(t.Context(), b.task.LeaseName(), "worker")
	if err != nil {
		t.Fatal(err)
	}
	b.look(t, time.Hour)
	if err := lease.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.look(t, time.Hour) // the time begins anew
	b.look(t, takeOverAfter, "fulfillment:PR-1:1")
}

// What a poller saw when it led before says nothing.
func TestANewLeadBeginsWithoutSuspicions(t *testing.T) {
	b := newTakeoverBench(t)
	b.dies(t)
	b.look(t, 0)
	b.now = b.now.Add(time.Hour)
	lease, err := b.cfg.Leases.Acquire(t.Context(), leaderLease, "test")
	if err != nil {
		t.Fatal(err)
	}
	b.cfg.Interval = time.Hour
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	b.lead(ended, lease)
	b.look(t, 0)
}

func (b *takeoverBench) parked(t *testing.T) []journal.Record {
	t.Helper()
	parked, err := journal.New(b.rdb, time.Now).Parked(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	return parked
}

// archive does what asynq's own tools do to a task.
func (b *takeoverBench) archive(t *testing.T, task queue.Task) {
	t.Helper()
	if _, _, err := b.cfg.Queue.Enqueue(t.Context(), []queue.Item{{Task: task}}); err != nil {
		t.Fatal(err)
	}
	if err := asynq.NewInspectorFromRedisClient(b.rdb).ArchiveTask(task.Lane, task.ID()); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsArchivedIsParkedByTheSweep(t *testing.T) {
	b := newTakeoverBench(t)
	archived := queue.Task{Request: "PR-2", Asset: "AS-2", Product: "PRD-1", Type: "change", Lane: "default"}
	b.archive(t, archived)
	b.sweep(t.Context())
	if parked := b.parked(t); len(parked) != 1 || parked[0].ID != "PR-2" || parked[0].Type != "change" {
		t.Errorf("parked: %+v", parked)
	}
	if n, err := b.rdb.ZCard(t.Context(), "asynq:{default}:archived").Result(); err != nil || n != 0 {
		t.Errorf("%d tasks archived, %v", n, err)
	}
	b.look(t, 0, "fulfillment:PR-1")
}

func TestALeaderTakesOverAndSweeps(t *testing.T) {
	b := newTakeoverBench(t)
	b.archive(t, queue.Task{Request: "PR-2", Asset: "AS-2", Product: "PRD-1", Type: "change", Lane: "default"})
	b.dies(t)
	b.cfg.Now, b.cfg.Interval, b.cfg.Lister = time.Now, time.Hour, nothing{}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for len(b.parked(t)) != 1 || !cmp.Equal(b.pending(t), []string{"fulfillment:PR-1:1"}) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("pending %v, parked %+v", b.pending(t), b.parked(t))
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}

// nothing is a Lister of an empty list.
type nothing struct{}

func (nothing) Requests(context.Context, connect.Query) iter.Seq2[*connect.Request, error] {
	return func(func(*connect.Request, error) bool) {}
}
