package poller_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/connect-processor/connect-processor/internal/limit"
	"github.com/connect-processor/connect-processor/internal/poller"
	"github.com/connect-processor/connect-processor/internal/redistest"
)

func TestOnePollerLeadsAndAnotherFollowsItsDeath(t *testing.T) {
	server := redistest.Start(t)
	var polls [2]atomic.Int64
	var pollers [2]*bench
	for i := range pollers {
		rdb := server.Client()
		pollers[i] = newBench(rdb, counting(listing(many(3)...), &polls[i]), func(c *poller.Config) {
			c.Interval = 20 * time.Millisecond
			c.Leases = limit.NewLeases(rdb, 3*time.Second, time.Now)
		})
	}
	first, second := pollers[0], pollers[1]
	first.run(t)
	eventually(t, "the first leads", func() bool { return first.Health().Leading })
	second.run(t)
	seen := polls[0].Load()
	eventually(t, "it goes on", func() bool { return polls[0].Load() > seen+50 })
	if second.Health().Leading || polls[1].Load() != 0 {
		t.Fatal("two pollers lead")
	}

	_ = first.rdb.Close() // it can neither renew its lease nor give it back
	eventually(t, "the first leads no longer", func() bool { return !first.Health().Leading })
	if err := first.Health().Err; err != nil {
		t.Errorf("a poller that does not lead has no trouble with polls: %v", err)
	}
	eventually(t, "the second leads", func() bool { return second.Health().Leading })
	second.drop(t, lane, "fulfillment:PR-1")
	eventually(t, "the second enqueues", func() bool { return len(second.tasks(t, lane)) == 3 })
	after := polls[0].Load()
	now := polls[1].Load()
	eventually(t, "it goes on", func() bool { return polls[1].Load() > now+10 })
	if polls[0].Load() != after {
		t.Error("the first still polls")
	}
}

func TestALeaderThatStopsGivesTheLeadAway(t *testing.T) {
	server := redistest.Start(t)
	for _, name := range []string{"one", "and the next"} {
		t.Run(name, func(t *testing.T) {
			b := newBench(server.Client(), listing(), func(c *poller.Config) {
				c.Leases = limit.NewLeases(server.Client(), time.Hour, time.Now)
			})
			b.run(t)
			eventually(t, "it leads", func() bool { return b.Health().Leading })
		})
	}
}
