// Package worker is the only asynq server: it takes tasks from the lanes,
// holds the lease of the asset while the engine carries a request out, writes
// the outcome into the journal, and tells asynq when to try again.
//
// asynq's own retry budget never decides anything: the journal counts
// attempts, and what is parked is parked there. The package neither talks to
// Connect nor to the vendor by itself.
package worker

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/internal/fulfillment"
	"github.com/connect-processor/connect-processor/internal/journal"
	"github.com/connect-processor/connect-processor/internal/limit"
	"github.com/connect-processor/connect-processor/internal/queue"
)

// Engine carries out requests. Process reports every trouble in its Result.
// Note leaves a text in the request's conversation, and Updated reads Connect's
// "updated" of the request; their errors are for the log.
type Engine interface {
	Process(ctx context.Context, a fulfillment.Attempt) fulfillment.Result
	Note(ctx context.Context, requestID, text string) error
	Updated(ctx context.Context, requestID string) (connect.Timestamp, error)
}

// Config of a Worker. All fields are needed.
type Config struct {
	Redis   redis.UniversalClient // a connection for queue.Worker
	Queue   *queue.Queue
	Journal *journal.Journal
	Leases  *limit.Leases
	Engine  Engine

	// Lanes are served with their number of requests at a time. Lanes that
	// others have filled and that are not named here are served too, with
	// Concurrency.
	Lanes       map[string]int
	Concurrency int

	// Lane returns the lane of a product, by the present configuration.
	Lane func(productID string) string

	Retry RetryPolicy

	// TaskTimeout is the deadline of one attempt; see queue.Config.
	TaskTimeout time.Duration

	// DrainTimeout is how long running requests may go on after a stop.
	DrainTimeout time.Duration

	// Access is closed while Connect refuses our key; no work is taken then.
	Access *Access

	Name string // of this process, unique among all
	Log  *slog.Logger
	Now  func() time.Time
}

// Worker carries out requests.
type Worker struct {
	cfg  Config
	hold hold
}

// New returns a worker.
func New(cfg Config) *Worker { return &Worker{cfg: cfg} }

// discoverEvery is how often a worker looks for lanes that nobody serves.
const discoverEvery = 30 * time.Second

// Run serves the lanes until ctx ends and what is running then has ended, or
// has been given back to the queue.
func (w *Worker) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	serve := func(name string, concurrency int) {
		group.Go(func() error {
			lane := lane{worker: w, name: name, concurrency: concurrency}
			return lane.run(ctx)
		})
	}
	served := make(map[string]bool)
	for name, concurrency := range w.cfg.Lanes {
		served[name] = true
		serve(name, concurrency)
	}
	group.Go(func() error {
		w.discover(ctx, served, serve)
		return nil
	})
	if err := group.Wait(); err != nil {
		return fmt.Errorf("serving lanes: %w", err)
	}
	return nil
}

// discover serves lanes that still hold tasks although no product belongs to
// them any more, as after a change of the configuration.
func (w *Worker) discover(ctx context.Context, served map[string]bool, serve func(string, int)) {
	tick := time.NewTicker(discoverEvery)
	defer tick.Stop()
	for {
		lanes, err := w.cfg.Queue.Lanes(ctx)
		if err != nil && ctx.Err() == nil {
			w.cfg.Log.WarnContext(ctx, "looking for lanes that nobody serves", "error", err)
		}
		for _, name := range lanes {
			if served[name] {
				continue
			}
			if depth, err := w.cfg.Queue.Depth(name); err == nil && depth > 0 {
				w.cfg.Log.InfoContext(ctx, "serving a lane that is no longer configured", "lane", name, "depth", depth)
				served[name] = true
				serve(name, w.cfg.Concurrency)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
