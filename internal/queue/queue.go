package queue

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/connect-processor/connect-processor/internal/journal"
)

// Config of a Queue. All fields are needed.
type Config struct {
	// Redis is the producer's connection; see Connect.
	Redis redis.UniversalClient

	Journal *journal.Journal

	// TaskTimeout is asynq's bound on one attempt, in whole seconds. The
	// handler's own deadline is below it.
	TaskTimeout time.Duration
}

// Queue enqueues requests. It is safe for concurrent use.
type Queue struct {
	cfg       Config
	client    *asynq.Client
	inspector *asynq.Inspector
}

// New returns a queue on cfg.Redis, which stays the caller's to close.
func New(cfg Config) *Queue {
	return &Queue{
		cfg:       cfg,
		client:    asynq.NewClientFromRedisClient(cfg.Redis),
		inspector: asynq.NewInspectorFromRedisClient(cfg.Redis),
	}
}

// Result is what became of a request that was to be enqueued.
type Result int

// The results of enqueueing.
const (
	Failed    Result = iota // Redis did not take it; see the error
	Enqueued                // a task waits for a worker
	Live                    // a task was there already
	RunNow                  // a task that waited runs now, since the request has changed
	LeftAlone               // parked or skipped, and unchanged since
	LookAgain               // it is in motion: the next poll sees more
)

// listLag is how far a list of Connect's may be behind a write of ours, or our
// clock behind another machine's. For answers there is journal.AnswerLag.
const listLag = 5 * time.Second

// Item is a pending request as the poller saw it.
type Item struct {
	Task
	Updated string    // Connect's "updated"
	Listed  time.Time // when the list that it was in was begun
}

// enqueuers is how many tasks are sent to Redis at a time.
const enqueuers = 16

// Enqueue makes sure that each request has exactly one live task, unless the
// journal says that it is to be left alone. It returns, in the items' order, the
// task of each with the generation that it has now, and what became of it. The
// error joins those of the items that Failed; the others stand.
func (q *Queue) Enqueue(ctx context.Context, items []Item) ([]Task, []Result, error) {
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = item.Request
	}
	records, err := q.cfg.Journal.Lookup(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	tasks := make([]Task, len(items))
	results := make([]Result, len(items))
	errs := make([]error, len(items))
	var group errgroup.Group
	group.SetLimit(enqueuers)
	for i, item := range items {
		tasks[i] = item.Task
		tasks[i].Generation = records[i].Generation
		group.Go(func() error {
			results[i], errs[i] = q.enqueueOne(ctx, tasks[i], item, records[i])
			return nil
		})
	}
	_ = group.Wait() // each item has its own error
	return tasks, results, errors.Join(errs...)
}

// enqueueOne asks the journal first: a parked or skipped request is left alone
// until it changes, whatever asynq holds.
func (q *Queue) enqueueOne(ctx context.Context, t Task, seen Item, known journal.Record) (Result, error) {
	changed := known.Updated != "" && known.Updated != seen.Updated
	age := seen.Listed.Sub(known.At)
	settled := age < listLag // perhaps after the list was made
	switch known.State {
	case journal.Parked, journal.Skipped:
		if known.Updated == "" { // what it looked like was not known then
			return LeftAlone, q.cfg.Journal.SetUpdated(ctx, t.Request, seen.Updated)
		}
		if !changed {
			return LeftAlone, nil
		}
		if settled {
			return LookAgain, nil
		}
		if err := q.cfg.Journal.Reopen(ctx, t.Request); err != nil {
			return Failed, err
		}
	case journal.Done:
		if age < journal.AnswerLag {
			return LookAgain, nil
		}
	case journal.Running, journal.Waiting, journal.Retrying:
	}
	switch err := q.send(ctx, t); {
	case err == nil:
		return Enqueued, nil
	case !errors.Is(err, asynq.ErrTaskIDConflict):
		return Failed, err
	case !changed:
		return Live, nil
	case settled:
		return LookAgain, nil
	}
	return q.hurry(ctx, t)
}

// send enqueues the task. A conflict means that a task of that ID exists, or
// that Redis took this one and its reply was lost.
func (q *Queue) send(ctx context.Context, t Task) error {
	data, err := t.payload()
	if err != nil {
		return err
	}
	_, err = q.client.EnqueueContext(ctx, asynq.NewTask(t.typeName(), data),
		asynq.TaskID(t.ID()), asynq.Queue(t.Lane), asynq.MaxRetry(math.MaxInt32), asynq.Timeout(q.cfg.TaskTimeout))
	if err != nil {
		return fmt.Errorf("enqueueing %s: %w", t.Request, err)
	}
	return nil
}

// hurry lets a task that waits for its time run now.
func (q *Queue) hurry(ctx context.Context, t Task) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Failed, err
	}
	info, err := q.inspector.GetTaskInfo(t.Lane, t.ID())
	switch {
	case errors.Is(err, asynq.ErrTaskNotFound), errors.Is(err, asynq.ErrQueueNotFound):
		return LookAgain, nil // it ended meanwhile
	case err != nil:
		return Failed, fmt.Errorf("looking at the task of %s: %w", t.Request, err)
	case info.State == asynq.TaskStatePending:
		return Live, nil
	case info.State != asynq.TaskStateRetry && info.State != asynq.TaskStateScheduled:
		return LookAgain, nil // it runs, and may not have seen the change
	}
	if err := q.inspector.RunTask(t.Lane, t.ID()); err != nil && !errors.Is(err, asynq.ErrTaskNotFound) {
		return Failed, fmt.Errorf("running the task of %s now: %w", t.Request, err)
	}
	return RunNow, nil
}

// Reopen gives a parked request a fresh budget of attempts and enqueues it.
func (q *Queue) Reopen(ctx context.Context, t Task) error {
	if err := q.cfg.Journal.Reopen(ctx, t.Request); err != nil {
		return err
	}
	if err := q.send(ctx, t); err != nil && !errors.Is(err, asynq.ErrTaskIDConflict) {
		return err
	}
	return nil
}

// TakeOver enqueues the request of a dead worker's task again, beside that
// task, and makes that task stale. It reports false when the task is stale
// already or no attempt at its request is under way: then there is nothing to
// take over.
func (q *Queue) TakeOver(ctx context.Context, t Task) (bool, error) {
	generation, err := q.cfg.Journal.NextGeneration(ctx, t.Request, t.Generation)
	if err != nil || generation == t.Generation {
		return false, err
	}
	t.Generation = generation
	err = q.send(ctx, t)
	return err == nil, err
}
