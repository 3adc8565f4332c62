// Package poller finds what is pending on Connect and enqueues it, and does
// nothing else: it neither reads a request whole nor answers one.
//
// Any number of pollers may run. One leads, by a lease in Redis, and the others
// wait for its end. A poll lists everything first and enqueues then, since the
// set it lists shrinks as workers answer.
package poller

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/internal/limit"
	"github.com/connect-processor/connect-processor/internal/queue"
)

// Lister lists requests. An element that cannot be decoded is yielded as a
// *connect.DecodeError, and the list goes on; any other error ends it.
type Lister interface {
	Requests(ctx context.Context, q connect.Query) iter.Seq2[*connect.Request, error]
}

// Config of a Poller. All fields are needed.
type Config struct {
	Lister Lister
	Queue  *queue.Queue
	Leases *limit.Leases

	Products     []string // IDs
	Environments []string // connection types
	Lane         func(productID string) string
	Lanes        []string

	// Offers reports whether anybody answers such requests. Others stay
	// pending, and are counted.
	Offers func(productID string, typ connect.RequestType, status connect.RequestStatus) bool

	Interval time.Duration
	PageSize int

	Name string // of this process, unique among all
	Log  *slog.Logger
	Now  func() time.Time
}

// Poller enqueues what is pending.
type Poller struct {
	cfg    Config
	memory memory
	// unanswered are the requests of the last poll that nobody answers, by
	// type, in words: what has changed is worth a line in the log.
	unanswered string
	dead       map[string]time.Time // active tasks without a lease, by ID, since when

	mu     sync.Mutex
	health Health
}

// Health is how the poller is doing.
type Health struct {
	Leading  bool
	LastPoll time.Time // that succeeded
	Err      error     // of the last poll, nil when it succeeded
}

// New returns a poller.
func New(cfg Config) *Poller {
	return &Poller{cfg: cfg, dead: make(map[string]time.Time)}
}

// Health returns how the poller is doing.
func (p *Poller) Health() Health {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.health
}

func (p *Poller) setHealth(change func(*Health)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.health)
}

const (
	leaderLease = "ctl"           // its name in Redis
	candidacy   = 2 * time.Second // between tries to become the leader
	watchEvery  = time.Second     // between looks for tasks of dead workers
	sweepEvery  = time.Minute     // between looks into asynq's archive
)

// Run leads, or waits to lead, until ctx ends.
func (p *Poller) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		holder := fmt.Sprintf("%s/%d", p.cfg.Name, p.cfg.Now().UnixNano())
		lease, err := p.cfg.Leases.Acquire(ctx, leaderLease, holder)
		if err == nil {
			p.lead(ctx, lease)
			continue
		}
		if !errors.Is(err, limit.ErrHeld) && ctx.Err() == nil {
			p.cfg.Log.WarnContext(ctx, "trying to lead the pollers", "error", err)
		}
		sleep(ctx, candidacy)
	}
	return nil
}

// lead polls until ctx ends or the lease is lost.
func (p *Poller) lead(ctx context.Context, lease *limit.Lease) {
	held, stop := lease.Keep(ctx)
	p.cfg.Log.InfoContext(ctx, "leading the pollers", "interval", p.cfg.Interval.String())
	p.setHealth(func(h *Health) { h.Leading = true })
	p.memory.forget()
	clear(p.dead)
	var jobs sync.WaitGroup
	jobs.Go(func() { every(held, p.cfg.Interval, p.pollAndLog) })
	jobs.Go(func() { every(held, watchEvery, p.takeOver) })
	jobs.Go(func() { every(held, sweepEvery, p.sweep) })
	jobs.Wait()
	stop()
	p.setHealth(func(h *Health) { h.Leading, h.Err = false, nil }) // the next leader's polls count now
	p.cfg.Log.InfoContext(ctx, "no longer leading the pollers", "cause", context.Cause(held))
	release, cancel := context.WithTimeout(context.WithoutCancel(ctx), candidacy)
	defer cancel()
	if err := lease.Release(release); err != nil {
		p.cfg.Log.WarnContext(ctx, "giving the lead away", "error", err)
	}
}

func (p *Poller) pollAndLog(ctx context.Context) {
	report, err := p.Poll(ctx)
	if ctx.Err() != nil {
		return
	}
	p.setHealth(func(h *Health) {
		h.Err = err
		if err == nil {
			h.LastPoll = p.cfg.Now()
		}
	})
	if err != nil {
		p.cfg.Log.ErrorContext(ctx, "poll ended early", "error", err, "pending", report.Pending, "enqueued", report.Enqueued)
		return
	}
	unanswered := report.notOffered()
	level := slog.LevelDebug
	if report.Enqueued > 0 || report.Unreadable > 0 || unanswered != p.unanswered {
		level = slog.LevelInfo
	}
	p.unanswered = unanswered
	p.cfg.Log.Log(ctx, level, "polled", "pending", report.Pending, "enqueued", report.Enqueued,
		"left_alone", report.LeftAlone, "not_offered", unanswered, "unreadable", report.Unreadable, "foreign", report.Foreign)
}

// Report is what a poll found.
type Report struct {
	Pending    int // listed, of a type that is offered
	Enqueued   int
	LeftAlone  int            // parked or skipped, and unchanged since
	NotOffered map[string]int // by type: nobody answers them, so they stay pending
	Unreadable int            // elements of Connect's list that do not decode
	Foreign    int            // not asked for: of another product, environment or status
}

func (r Report) notOffered() string {
	var counts []string
	for _, typ := range slices.Sorted(maps.Keys(r.NotOffered)) {
		counts = append(counts, fmt.Sprintf("%s:%d", typ, r.NotOffered[typ]))
	}
	return strings.Join(counts, " ")
}

// Poll lists what is pending and makes sure that each request has its task.
func (p *Poller) Poll(ctx context.Context) (Report, error) {
	if err := p.checkEpoch(ctx); err != nil {
		return Report{}, err
	}
	// What was listed before an error is good; enqueue it all the same.
	items, report, listErr := p.list(ctx)
	missing, err := p.missing(ctx, items, listErr == nil)
	errs := []error{listErr, err}
	for batch := range slices.Chunk(missing, enqueueBatch) {
		tasks, results, err := p.cfg.Queue.Enqueue(ctx, batch)
		errs = append(errs, err)
		for i, result := range results {
			switch result {
			case queue.Enqueued, queue.RunNow:
				report.Enqueued++
				p.memory.remember(tasks[i], batch[i].Updated)
			case queue.Live:
				p.memory.remember(tasks[i], batch[i].Updated)
			case queue.LeftAlone:
				report.LeftAlone++
			case queue.Failed, queue.LookAgain:
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	return report, errors.Join(errs...)
}

// enqueueBatch is how many requests are looked up and enqueued at a time.
const enqueueBatch = 1000

// checkEpoch forgets everything when Redis has lost its memory, and makes the
// lanes known to asynq, whose client does that only once.
func (p *Poller) checkEpoch(ctx context.Context) error {
	epoch, err := p.cfg.Queue.Epoch(ctx)
	if err != nil {
		return err
	}
	if epoch == p.memory.epoch {
		return nil
	}
	if err := p.cfg.Queue.Register(ctx, p.cfg.Lanes); err != nil {
		return err
	}
	p.memory.forget()
	p.memory.epoch = epoch
	return nil
}

// every calls do at once and then each interval, until ctx ends. After one that
// took long there is a pause as long, up to the interval.
func every(ctx context.Context, interval time.Duration, do func(context.Context)) {
	for ctx.Err() == nil {
		began := time.Now() //nolint:forbidigo // measured, not recorded
		do(ctx)
		took := time.Since(began)
		sleep(ctx, max(interval-took, min(took, interval)))
	}
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
