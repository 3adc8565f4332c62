package poller_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/internal/journal"
	"github.com/connect-processor/connect-processor/internal/poller"
	"github.com/connect-processor/connect-processor/internal/redistest"
)

func TestOnePollEnqueuesAllThatIsPending(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		t.Helper()
		b := newBench(rdb, listing(many(250)...))
		report := b.poll(t)
		if report.Pending != 250 || report.Enqueued != 250 {
			t.Errorf("report: %+v", report)
		}
		if n := len(b.tasks(t, lane)); n != 250 {
			t.Errorf("%d tasks", n)
		}
	})
}

func TestAPollThatFindsNothingNewWritesNothing(t *testing.T) {
	b := newBench(redistest.Start(t).Client(), listing(many(250)...))
	b.poll(t)
	before := commands(t, b.rdb)
	if before["evalsha"] == "" && before["eval"] == "" {
		t.Fatalf("the first poll is not to be seen: %v", before)
	}
	if report := b.poll(t); report.Pending != 250 || report.Enqueued != 0 {
		t.Errorf("report: %+v", report)
	}
	if diff := cmp.Diff(before, commands(t, b.rdb)); diff != "" {
		t.Errorf("commands (-first +second):\n%s", diff)
	}
}

func TestATaskThatIsGoneIsEnqueuedAgain(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		t.Helper()
		b := newBench(rdb, listing(many(3)...))
		b.poll(t)
		b.drop(t, lane, "fulfillment:PR-1")
		if report := b.poll(t); report.Enqueued != 1 {
			t.Errorf("report: %+v", report)
		}
		want := []string{"fulfillment:PR-0", "fulfillment:PR-1", "fulfillment:PR-2"}
		if diff := cmp.Diff(want, b.tasks(t, lane)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestATaskThatLostItsPlaceIsEnqueuedAgain(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		t.Helper()
		b := newBench(rdb, listing(many(3)...))
		b.poll(t)
		// As when Redis evicts the list: asynq would never run these tasks.
		if err := rdb.Del(t.Context(), "asynq:{default}:pending").Err(); err != nil {
			t.Fatal(err)
		}
		if report := b.poll(t); report.Enqueued != 0 {
			t.Errorf("%d enqueued at the first look, which may be a moment of transition", report.Enqueued)
		}
		if report := b.poll(t); report.Enqueued != 3 {
			t.Errorf("%d enqueued at the second look", report.Enqueued)
		}
		if tasks := b.tasks(t, lane); len(tasks) != 3 {
			t.Errorf("tasks that wait: %v", tasks)
		}
	})
}

func TestAnEmptiedRedisIsFilledByTheNextPoll(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		t.Helper()
		b := newBench(rdb, listing(many(3)...))
		b.poll(t)
		if err := rdb.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if report := b.poll(t); report.Enqueued != 3 {
			t.Errorf("report: %+v", report)
		}
		if n := len(b.tasks(t, lane)); n != 3 {
			t.Errorf("%d tasks", n)
		}
		known, err := rdb.SMembers(t.Context(), "asynq:queues").Result()
		slices.Sort(known)
		if diff := cmp.Diff([]string{lane, slowLane}, known); diff != "" || err != nil {
			t.Errorf("asynq's queues: %s, %v", diff, err)
		}
		lanes, err := b.queue.Lanes(t.Context())
		slices.Sort(lanes)
		if diff := cmp.Diff([]string{lane, slowLane}, lanes); diff != "" || err != nil {
			t.Errorf("lanes: %s, %v", diff, err)
		}
	})
}

// The journal holds it back, so no task of it exists that could be remembered.
func TestAParkedRequestIsLeftAloneUntilItChanges(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		t.Helper()
		parked := pending("PR-1")
		// A change that is listed at once may be our own note.
		later := func() time.Time { return time.Now().Add(time.Minute) }
		b := newBench(rdb, listing(parked), func(c *poller.Config) { c.Now = later })
		record := journal.Record{ID: "PR-1", State: journal.Parked, Updated: updated}
		if err := journal.New(rdb, time.Now).Settle(t.Context(), record, journal.Unfenced); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if report := b.poll(t); report.LeftAlone != 1 || report.Enqueued != 0 {
				t.Errorf("unchanged: %+v", report)
			}
		}
		parked.request.Updated = "2024-05-02T10:00:00+00:00"
		if report := b.poll(t); report.LeftAlone != 0 || report.Enqueued != 1 {
			t.Errorf("changed: %+v", report)
		}
	})
}

func TestNoElementOfTheListStopsTheOthers(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		t.Helper()
		typ := func(typ connect.RequestType) func(*connect.Request) {
			return func(r *connect.Request) { r.Type = typ }
		}
		b := newBench(rdb, listing(
			pending("PR-1"),
			element{err: &connect.DecodeError{Op: "list requests", ID: "PR-2", Err: errors.New("no object")}},
			pending("PR-3", typ(connect.TypeCancel)),
			pending("PR-4", typ(connect.TypeCancel)),
			pending("PR-5", typ("unheard_of")),
			pending(""),
			pending("PR-1"), // pages shift while they are read
			pending("PR-6", func(r *connect.Request) { r.Asset.Product.ID = slowOne }),
			pending("PR-7", func(r *connect.Request) { r.Status = connect.StatusRevoking }),
			// Three that a server should not have listed.
			pending("PR-8", func(r *connect.Request) { r.Asset.Product.ID = "PRD-3" }),
			pending("PR-9", func(r *connect.Request) { r.Asset.Connection.Type = "test" }),
			pending("PR-10", func(r *connect.Request) { r.Status = connect.StatusInquiring }),
		))
		want := poller.Report{
			Pending: 3, Enqueued: 3, Unreadable: 1, Foreign: 4, NotOffered: map[string]int{"cancel": 2, "unheard_of": 1},
		}
		if diff := cmp.Diff(want, b.poll(t), cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"fulfillment:PR-1", "fulfillment:PR-7"}, b.tasks(t, lane)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"fulfillment:PR-6"}, b.tasks(t, slowLane)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhatWasListedBeforeAnErrorIsEnqueued(t *testing.T) {
	away := errors.New("502 Bad Gateway")
	b := newBench(redistest.Start(t).Client(), listing(append(many(100), element{err: away})...))
	report, err := b.Poll(t.Context())
	if !errors.Is(err, away) || report.Enqueued != 100 {
		t.Errorf("%+v, %v", report, err)
	}
	if n := len(b.tasks(t, lane)); n != 100 {
		t.Errorf("%d tasks", n)
	}
}

func TestHealthTellsOfTheLastPoll(t *testing.T) {
	away := errors.New("502 Bad Gateway")
	fails := make(chan bool)
	b := newBench(redistest.Start(t).Client(), lister(func(context.Context, connect.Query) iter.Seq2[*connect.Request, error] {
		if <-fails {
			return yield([]element{{err: away}})
		}
		return yield(nil)
	}), func(c *poller.Config) { c.Interval = 10 * time.Millisecond })
	if h := b.Health(); h.Leading || h.Err != nil || !h.LastPoll.IsZero() {
		t.Errorf("before the start: %+v", h)
	}
	b.run(t)
	defer close(fails)
	fails <- true
	eventually(t, "health shows the error", func() bool { return errors.Is(b.Health().Err, away) })
	if h := b.Health(); !h.Leading || !h.LastPoll.IsZero() {
		t.Errorf("after a failed poll: %+v", h)
	}
	fails <- false
	eventually(t, "health shows the success", func() bool { return !b.Health().LastPoll.IsZero() })
	if h := b.Health(); h.Err != nil {
		t.Errorf("after a successful poll: %+v", h)
	}
}

func TestTheQueryAsksForWhatIsOffered(t *testing.T) {
	var asked []string
	record := lister(func(_ context.Context, q connect.Query) iter.Seq2[*connect.Request, error] {
		asked = append(asked, q.Filter.String())
		if q.PageSize != 100 {
			t.Errorf("page size %d", q.PageSize)
		}
		return yield(nil)
	})
	rdb := redistest.Start(t).Client()
	newBench(rdb, record).poll(t)
	newBench(rdb, record, func(c *poller.Config) {
		c.Offers = func(_ string, _ connect.RequestType, status connect.RequestStatus) bool {
			return status == connect.StatusPending
		}
	}).poll(t)
	const rest = "and(in(asset.product.id,(PRD-1,PRD-2)),in(asset.connection.type,(production)),in(status,(pending"
	if diff := cmp.Diff([]string{rest + ",revoking)))", rest + ")))"}, asked); diff != "" {
		t.Error(diff)
	}
}
