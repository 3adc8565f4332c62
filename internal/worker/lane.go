package worker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"

	"github.com/connect-processor/connect-processor/internal/queue"
	"github.com/connect-processor/connect-processor/processor"
)

// How often asynq looks for new tasks, and for those whose time has come.
const (
	pickupInterval  = 100 * time.Millisecond
	delayedInterval = time.Second
)

// drainMargin is how long before asynq gives up on them the handlers are told
// to end, so that they can say how far they came.
const drainMargin = 3 * time.Second

// errDraining is the cause of a handler's cancellation at a stop.
var errDraining = errors.New("the processor is stopping")

// A lane is one asynq queue with a server of its own, so that a vendor that
// hangs keeps no other from being served.
type lane struct {
	worker      *Worker
	name        string
	concurrency int
	running     atomic.Int64 // handlers
}

// run serves the lane until ctx ends; while Connect refuses our key the lane
// has no server, and nothing is taken from it.
func (l *lane) run(ctx context.Context) error {
	access := l.worker.cfg.Access
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return nil
		case <-access.Open():
		}
		if err := l.serve(ctx, access.Closed()); err != nil {
			return err
		}
	}
	return nil
}

// serve runs one asynq server until ctx ends, or access is refused: then no
// more is taken, and what runs may end in its own time.
func (l *lane) serve(ctx context.Context, refused <-chan struct{}) error {
	cfg := l.worker.cfg
	base := context.WithoutCancel(ctx)
	draining, abort := context.WithCancelCause(base)
	defer abort(nil)
	server := asynq.NewServerFromRedisClient(cfg.Redis, asynq.Config{
		Concurrency:              l.concurrency,
		Queues:                   map[string]int{l.name: 1},
		BaseContext:              func() context.Context { return base },
		TaskCheckInterval:        pickupInterval,
		DelayedTaskCheckInterval: delayedInterval,
		ShutdownTimeout:          cfg.DrainTimeout,
		RetryDelayFunc:           retryDelay,
		IsFailure:                spends,
		Logger:                   asynqLog{cfg.Log.With("lane", l.name)},
		LogLevel:                 asynq.WarnLevel,
	})
	if err := server.Start(l.asynqHandler(draining)); err != nil {
		return fmt.Errorf("starting lane %s: %w", l.name, err)
	}
	select {
	case <-ctx.Done():
	case <-refused:
		server.Stop()
		for l.running.Load() > 0 && sleep(ctx, pickupInterval) {
			continue // until all have ended, or we are told to stop
		}
	}
	drain := time.AfterFunc(max(0, cfg.DrainTimeout-drainMargin), func() { abort(errDraining) })
	defer drain.Stop()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		server.Stop() // asks Redis, which may hang
		server.Shutdown()
	}()
	select {
	case <-stopped:
	case <-time.After(cfg.DrainTimeout + drainMargin):
		cfg.Log.WarnContext(ctx, "stopping without Redis: what ran here will be taken over", "lane", l.name)
	}
	return nil
}

// asynqHandler returns what asynq calls. Its contexts end with draining, but
// asynq's own do not: asynq waits no longer for a handler whose context has
// ended, and drops its answer.
func (l *lane) asynqHandler(draining context.Context) asynq.HandlerFunc {
	return func(ctx context.Context, t *asynq.Task) error {
		l.running.Add(1)
		defer l.running.Add(-1)
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		defer context.AfterFunc(draining, func() { cancel(context.Cause(draining)) })()
		return l.handle(ctx, t)
	}
}

// handle carries a task out. A nil error takes it out of the queue, a
// retryError sends it back.
func (l *lane) handle(ctx context.Context, t *asynq.Task) error {
	task, err := queue.Decode(t, l.name)
	if err != nil {
		l.worker.cfg.Log.ErrorContext(ctx, "dropping a task that is not ours", "lane", l.name, "error", err)
		return nil
	}
	return l.worker.attempt(ctx, task)
}

// A retryError tells asynq when to run the task again.
type retryError struct {
	err   error
	after time.Duration
	spent bool
}

func (e *retryError) Error() string { return e.err.Error() }
func (e *retryError) Unwrap() error { return e.err }

// crashDelay is when a task runs again whose worker died.
const crashDelay = time.Second

func retryDelay(_ int, err error, _ *asynq.Task) time.Duration {
	if retry, ok := errors.AsType[*retryError](err); ok {
		return retry.after
	}
	return crashDelay
}

// spends reports to asynq whether a failure is to be shown in its statistics.
func spends(err error) bool {
	retry, ok := errors.AsType[*retryError](err)
	return ok && retry.spent
}

// interrupted sends a task back unharmed.
func interrupted(err error) error {
	return &retryError{err: processor.WithClass(processor.ClassInterrupted, err), after: interruptedDelay}
}
