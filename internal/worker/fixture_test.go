package worker_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/internal/fulfillment"
	"github.com/connect-processor/connect-processor/internal/journal"
	"github.com/connect-processor/connect-processor/internal/limit"
	"github.com/connect-processor/connect-processor/internal/queue"
	"github.com/connect-processor/connect-processor/internal/redistest"
	"github.com/connect-processor/connect-processor/internal/worker"
	"github.com/connect-processor/connect-processor/processor"
)

const (
	lane    = "default"
	product = "PRD-1"
	created = "2024-05-01T10:00:05+00:00"
	read    = "2024-05-01T10:00:07+00:00" // what an attempt saw
	noted   = "2024-05-01T10:00:09+00:00" // after the note

	never   = time.Hour
	leaseIs = 10 * time.Second
)

// engine is an Engine of functions.
type engine struct {
	process func(ctx context.Context, a fulfillment.Attempt) fulfillment.Result
	note    func(ctx context.Context, requestID, text string) error
	updated func(ctx context.Context, requestID string) (connect.Timestamp, error)
}

func (e engine) Process(ctx context.Context, a fulfillment.Attempt) fulfillment.Result {
	return e.process(ctx, a)
}

func (e engine) Note(ctx context.Context, requestID, text string) error {
	if e.note == nil {
		return nil
	}
	return e.note(ctx, requestID, text)
}

func (e engine) Updated(ctx context.Context, requestID string) (connect.Timestamp, error) {
	if e.updated == nil {
		return noted, nil
	}
	return e.updated(ctx, requestID)
}

// always is an engine whose attempts all end alike. It tells calls of each.
func always(result fulfillment.Result, calls chan<- fulfillment.Attempt) engine {
	return engine{process: func(_ context.Context, a fulfillment.Attempt) fulfillment.Result {
		calls <- a
		return result
	}}
}

// bench is a Redis of the test's own with all that a worker needs.
type bench struct {
	server    *redistest.Server
	rdb       redis.UniversalClient
	queue     *queue.Queue
	journal   *journal.Journal
	leases    *limit.Leases
	client    *asynq.Client
	inspector *asynq.Inspector
	log       *logged
}

func newBench(t *testing.T) *bench {
	t.Helper()
	server := redistest.Start(t)
	rdb := server.Client()
	b := &bench{
		server: server, rdb: rdb, journal: journal.New(rdb, time.Now), leases: limit.NewLeases(rdb, leaseIs, time.Now),
		client: asynq.NewClientFromRedisClient(rdb), inspector: asynq.NewInspectorFromRedisClient(rdb), log: &logged{},
	}
	b.queue = queue.New(queue.Config{Redis: rdb, Journal: b.journal, TaskTimeout: 5 * time.Minute})
	return b
}

// config of a worker whose retries come at once.
func (b *bench) config(e worker.Engine) worker.Config {
	return worker.Config{
		Redis: b.rdb, Queue: b.queue, Journal: b.journal, Leases: b.leases, Engine: e,
		Lanes: map[string]int{lane: 5}, Concurrency: 1, Lane: func(string) string { return lane },
		Retry:       worker.RetryPolicy{Schedule: []time.Duration{time.Millisecond}, MaxAttempts: 3},
		TaskTimeout: 5 * time.Minute, DrainTimeout: 10 * time.Second,
		Access: worker.NewAccess(), Name: "test", Log: slog.New(slog.NewTextHandler(b.log, nil)), Now: time.Now,
	}
}

// run starts a worker. The returned function stops it and waits for its end,
// as the end of the test does.
func (b *bench) run(t *testing.T, cfg worker.Config) (stop func()) {
	t.Helper()
	cancel, wait := b.start(t, cfg)
	return func() {
		t.Helper()
		cancel()
		wait()
	}
}

// start is run with the two halves of stopping apart.
func (b *bench) start(t *testing.T, cfg worker.Config) (cancel, wait func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- worker.New(cfg).Run(ctx) }()
	wait = sync.OnceFunc(func() {
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			t.Error("Run goes on after its context has ended")
		}
	})
	t.Cleanup(func() {
		cancel()
		wait()
	})
	return cancel, wait
}

func task(id string) queue.Task {
	return queue.Task{Request: id, Asset: "AS-" + id, Product: product, Type: "purchase", Lane: lane}
}

func (b *bench) enqueue(t *testing.T, tasks ...queue.Task) {
	t.Helper()
	items := make([]queue.Item, len(tasks))
	for i, task := range tasks {
		items[i] = queue.Item{Task: task, Updated: created}
	}
	_, results, err := b.queue.Enqueue(t.Context(), items)
	if err != nil {
		t.Fatal(err)
	}
	for i, result := range results {
		if result != queue.Enqueued {
			t.Fatalf("enqueueing %s: %v", items[i].Request, result)
		}
	}
}

// enqueueRaw enqueues what need not be a task of ours.
func (b *bench) enqueueRaw(t *testing.T, typeName, payload, id string) {
	t.Helper()
	if _, err := b.client.Enqueue(asynq.NewTask(typeName, []byte(payload)), asynq.TaskID(id), asynq.Queue(lane)); err != nil {
		t.Fatal(err)
	}
}

// task returns what asynq holds of the request's task, nil when it is gone.
func (b *bench) task(t *testing.T, id string) *asynq.TaskInfo {
	t.Helper()
	info, err := b.inspector.GetTaskInfo(lane, id)
	if errors.Is(err, asynq.ErrTaskNotFound) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// settled waits until the task is gone or will run again, and returns it.
func (b *bench) settled(t *testing.T, id string) (info *asynq.TaskInfo) {
	t.Helper()
	eventually(t, "the attempt at "+id+" ends", func() bool {
		info = b.task(t, id)
		return info == nil || info.State == asynq.TaskStateRetry
	})
	return info
}

func (b *bench) gone(t *testing.T, id string) {
	t.Helper()
	eventually(t, id+" leaves the queue", func() bool { return b.task(t, id) == nil })
}

// runNow brings forward what waits for its time.
func (b *bench) runNow(t *testing.T, id string) {
	t.Helper()
	if err := b.inspector.RunTask(lane, id); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) record(t *testing.T, id string) journal.Record {
	t.Helper()
	records, err := b.journal.Lookup(t.Context(), []string{id})
	if err != nil {
		t.Fatal(err)
	}
	return records[0]
}

func (b *bench) leased(t *testing.T, name string) bool {
	t.Helper()
	held, err := b.leases.Held(t.Context(), []string{name})
	if err != nil {
		t.Fatal(err)
	}
	return held[0]
}

// patience is how long anything may take on a busy machine.
const patience = time.Minute

// eventually waits until done.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			t.Fatalf("not within %s: %s", patience, what)
		case <-tick.C:
		}
	}
}

// receive waits for the next value.
func receive[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("not within %s: %s", patience, what)
	}
	var none T
	return none
}

// none fails when a value is there.
func none(t *testing.T, what string, from <-chan fulfillment.Attempt) {
	t.Helper()
	select {
	case a := <-from:
		t.Errorf("%s: %s, attempt %d", what, a.Request, a.Number)
	default:
	}
}

// request as Connect shows it at an attempt.
func request() *connect.Request { return &connect.Request{Updated: read} }

func retry(class processor.ErrorClass) fulfillment.Result {
	return fulfillment.Result{
		Outcome: fulfillment.Retry, Request: request(), Class: class, Err: errors.New("no luck"),
	}
}

// logged is a log that tests read.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
