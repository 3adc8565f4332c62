// Package limit keeps processes that share a Redis from treading on each other.
// It owns leases, and the transport (Guard) that refuses to start an HTTP call
// under a lease that has ended.
//
// A lease says who carries out the requests of an asset, or who leads the
// pollers. It ends by itself when its holder dies. Package worker and package
// poller take leases, package app puts the transport under the HTTP clients.
// The package knows neither requests nor tasks: a lease is of a name.
package limit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrHeld means that somebody else has the lease.
var ErrHeld = errors.New("the lease is held by another")

// ErrLost means that the lease has ended before its holder was done, or that
// Redis no longer knows it.
var ErrLost = errors.New("the lease is lost")

// keepFence is how long the rising number of a name outlives its last lease:
// as long as any record that was written under it.
const keepFence = 90 * 24 * time.Hour

//nolint:gochecknoglobals // scripts are constants that the client hashes once
var (
	// KEYS lease, fence; ARGV holder, milliseconds, seconds to keep the fence.
	// A holder that asks again, because the reply was lost, gets its number
	// again. Numbers are no lower than Redis's clock, so that they rise even
	// over a Redis that was emptied.
	acquireScript = redis.NewScript(`
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then return tonumber(redis.call('GET', KEYS[2]) or '0') end
if holder then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local time = redis.call('TIME')
local clock = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local fence = math.max(tonumber(redis.call('GET', KEYS[2]) or '0') + 1, clock)
redis.call('SET', KEYS[2], string.format('%.0f', fence), 'EX', ARGV[3])
return fence
`)
	// KEYS lease; ARGV holder, milliseconds.
	renewScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`)
	// KEYS lease; ARGV holder.
	releaseScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`)
)

// Leases hands out leases that last for a fixed time and are renewed while
// their holder lives.
type Leases struct {
	rdb redis.UniversalClient
	ttl time.Duration
	now func() time.Time
}

// NewLeases returns leases kept in rdb that last ttl.
func NewLeases(rdb redis.UniversalClient, ttl time.Duration, now func() time.Time) *Leases {
	return &Leases{rdb: rdb, ttl: ttl, now: now}
}

// A Lease is held until Release, or until it ends unrenewed.
type Lease struct {
	// Fence is higher than that of every earlier lease of the same name.
	Fence int64

	leases *Leases
	name   string
	holder string

	mu       sync.Mutex
	deadline time.Time // of the monotonic clock
	lost     bool
}

func leaseKey(name string) string { return "cp:{" + name + "}:lease" }
func fenceKey(name string) string { return "cp:{" + name + "}:fence" }

// Acquire takes the lease of that name for holder, which must be unique to
// this call. It returns ErrHeld when somebody else has it.
func (l *Leases) Acquire(ctx context.Context, name, holder string) (*Lease, error) {
	asked := l.now()
	fence, err := acquireScript.Run(ctx, l.rdb, []string{leaseKey(name), fenceKey(name)},
		holder, l.ttl.Milliseconds(), int64(keepFence/time.Second)).Int64()
	if err != nil {
		return nil, fmt.Errorf("acquiring the lease of %s: %w", name, err)
	}
	if fence == 0 {
		return nil, fmt.Errorf("acquiring the lease of %s: %w", name, ErrHeld)
	}
	return &Lease{Fence: fence, leases: l, name: name, holder: holder, deadline: asked.Add(l.ttl)}, nil
}

// Held reports for each name whether anybody has its lease, in one round trip.
func (l *Leases) Held(ctx context.Context, names []string) ([]bool, error) {
	cmds := make([]*redis.IntCmd, len(names))
	_, err := l.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, name := range names {
			cmds[i] = p.Exists(ctx, leaseKey(name))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking at leases: %w", err)
	}
	held := make([]bool, len(names))
	for i, cmd := range cmds {
		held[i] = cmd.Val() > 0
	}
	return held, nil
}

// Valid reports whether the holder may still act. It asks the clock, not Redis.
func (l *Lease) Valid() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.lost && l.leases.now().Before(l.deadline)
}

// Keep renews the lease three times in its life until stop is called. The
// returned context carries the lease (see Guard) and ends with cause ErrLost
// when the lease is lost.
func (l *Lease) Keep(ctx context.Context) (held context.Context, stop func()) {
	held, cancel := context.WithCancelCause(context.WithValue(ctx, leaseInContext{}, l))
	var done sync.WaitGroup
	done.Go(func() { l.keep(held, cancel) })
	return held, func() {
		cancel(nil)
		done.Wait()
	}
}

// keep renews until ctx ends or the lease is lost. A Redis that does not
// answer is asked again until the lease's own deadline.
func (l *Lease) keep(ctx context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(l.leases.ttl / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := l.renew(ctx); errors.Is(err, ErrLost) || !l.Valid() {
			l.mu.Lock()
			l.lost = true
			l.mu.Unlock()
			cancel(ErrLost)
			return
		}
	}
}

func (l *Lease) renew(ctx context.Context) error {
	asked := l.leases.now()
	ctx, cancel := context.WithTimeout(ctx, l.leases.ttl/3)
	defer cancel()
	kept, err := renewScript.Run(ctx, l.leases.rdb, []string{leaseKey(l.name)}, l.holder, l.leases.ttl.Milliseconds()).Int64()
	if err != nil {
		return fmt.Errorf("renewing the lease of %s: %w", l.name, err)
	}
	if kept == 0 {
		return ErrLost
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadline = asked.Add(l.leases.ttl)
	return nil
}

// Release gives the lease back, so that the next holder need not wait for its
// end. A lease that is lost already is left alone.
func (l *Lease) Release(ctx context.Context) error {
	err := releaseScript.Run(ctx, l.leases.rdb, []string{leaseKey(l.name)}, l.holder).Err()
	if err != nil {
		return fmt.Errorf("releasing the lease of %s: %w", l.name, err)
	}
	return nil
}
