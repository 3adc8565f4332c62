package poller_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/internal/journal"
	"github.com/connect-processor/connect-processor/internal/limit"
	"github.com/connect-processor/connect-processor/internal/poller"
	"github.com/connect-processor/connect-processor/internal/queue"
)

const (
	lane     = "default"
	slowLane = "slow"
	product  = "PRD-1"
	slowOne  = "PRD-2" // the product of the slow lane
	updated  = "2024-05-01T10:00:05+00:00"
)

// lister is a Lister made of a function.
type lister func(ctx context.Context, q connect.Query) iter.Seq2[*connect.Request, error]

func (l lister) Requests(ctx context.Context, q connect.Query) iter.Seq2[*connect.Request, error] {
	return l(ctx, q)
}

// listing lists the same each time.
func listing(elements ...element) lister {
	return func(context.Context, connect.Query) iter.Seq2[*connect.Request, error] { return yield(elements) }
}

// element of a list: a request or an error.
type element struct {
	request *connect.Request
	err     error
}

func yield(elements []element) iter.Seq2[*connect.Request, error] {
	return func(yield func(*connect.Request, error) bool) {
		for _, e := range elements {
			if !yield(e.request, e.err) {
				return
			}
		}
	}
}

func pending(id string, change ...func(*connect.Request)) element {
	r := &connect.Request{ID: id, Type: connect.TypePurchase, Status: connect.StatusPending, Updated: updated}
	r.Asset.ID, r.Asset.Product.ID = "AS-"+id, product
	for _, c := range change {
		c(r)
	}
	return element{request: r}
}

func many(n int) []element {
	var elements []element
	for i := range n {
		elements = append(elements, pending(fmt.Sprintf("PR-%d", i)))
	}
	return elements
}

// bench is a poller on a Redis of the test's own.
type bench struct {
	*poller.Poller
	rdb   redis.UniversalClient
	queue *queue.Queue
	cfg   poller.Config
}

// newBench returns a poller that offers purchases and the calling back of
// scheduled ones.
func newBench(rdb redis.UniversalClient, l poller.Lister, change ...func(*poller.Config)) *bench {
	b := &bench{rdb: rdb}
	b.queue = queue.New(queue.Config{
		Redis: rdb, Journal: journal.New(rdb, time.Now), TaskTimeout: 5 * time.Minute,
	})
	b.cfg = poller.Config{
		Lister: l, Queue: b.queue, Leases: limit.NewLeases(rdb, 10*time.Second, time.Now),
		Products: []string{product, slowOne}, Environments: []string{"production"},
		Lane: func(productID string) string {
			if productID == slowOne {
				return slowLane
			}
			return lane
		},
		Lanes: []string{lane, slowLane},
		Offers: func(_ string, typ connect.RequestType, status connect.RequestStatus) bool {
			return typ == connect.TypePurchase && (status == connect.StatusPending || status == connect.StatusRevoking)
		},
		Interval: time.Hour, PageSize: 100, Name: "test", Log: slog.New(slog.DiscardHandler), Now: time.Now,
	}
	for _, c := range change {
		c(&b.cfg)
	}
	b.Poller = poller.New(b.cfg)
	return b
}

func (b *bench) poll(t *testing.T) poller.Report {
	t.Helper()
	report, err := b.Poll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// run lets the poller lead, or wait to lead, until the test ends.
func (b *bench) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// tasks returns the IDs of the lane's pending tasks, sorted.
func (b *bench) tasks(t *testing.T, lane string) []string {
	t.Helper()
	ids, err := b.rdb.LRange(t.Context(), "asynq:{"+lane+"}:pending", 0, -1).Result()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	return ids
}

// drop takes a task out of the queue, as its end does.
func (b *bench) drop(t *testing.T, lane, id string) {
	t.Helper()
	pipe := b.rdb.TxPipeline()
	pipe.LRem(t.Context(), "asynq:{"+lane+"}:pending", 0, id)
	pipe.Del(t.Context(), "asynq:{"+lane+"}:t:"+id)
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// commands returns how often the server has carried out each command, but for
// those that only read.
func commands(t *testing.T, rdb redis.UniversalClient) map[string]string {
	t.Helper()
	info, err := rdb.Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[string]string)
	for line := range strings.Lines(info) {
		name, stats, ok := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":")
		if !ok {
			continue
		}
		switch name {
		case "get", "exists", "hmget", "llen", "info", "ping", "hello", "client|setinfo", "client|maint_notifications":
			continue
		}
		counts[name], _, _ = strings.Cut(stats, ",")
	}
	return counts
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

// counting counts the listings of l.
func counting(l lister, n *atomic.Int64) lister {
	return func(ctx context.Context, q connect.Query) iter.Seq2[*connect.Request, error] {
		n.Add(1)
		return l(ctx, q)
	}
}
