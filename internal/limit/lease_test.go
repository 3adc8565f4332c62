package limit_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/connect-processor/connect-processor/internal/limit"
	"github.com/connect-processor/connect-processor/internal/redistest"
	"github.com/connect-processor/connect-processor/processor"
)

const asset = "AS-1000-2000-3000"

func TestALeaseHasOneHolderAndARisingNumber(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		leases := limit.NewLeases(rdb, time.Minute, time.Now)
		first := mustAcquire(t, leases, "a")
		if _, err := leases.Acquire(t.Context(), asset, "b"); !errors.Is(err, limit.ErrHeld) {
			t.Errorf("a second holder: %v", err)
		}
		if again := mustAcquire(t, leases, "a"); again.Fence != first.Fence {
			t.Errorf("the same holder, whose reply was lost, got %d instead of %d", again.Fence, first.Fence)
		}
		if held, err := leases.Held(t.Context(), []string{asset, "AS-other"}); err != nil || !held[0] || held[1] {
			t.Errorf("Held = %v, %v", held, err)
		}
		if err := first.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if next := mustAcquire(t, leases, "b"); next.Fence <= first.Fence {
			t.Errorf("the number went from %d to %d", first.Fence, next.Fence)
		}
		if err := first.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if held, err := leases.Held(t.Context(), []string{asset}); err != nil || !held[0] {
			t.Errorf("releasing a lost lease took another's: %v, %v", held, err)
		}
	})
}

func TestTheNumberRisesOverARedisThatWasEmptied(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		leases := limit.NewLeases(rdb, time.Minute, time.Now)
		before := mustAcquire(t, leases, "a").Fence
		if err := rdb.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		for range 3 { // Redis's clock may show the same millisecond
			lease := mustAcquire(t, leases, "b")
			if lease.Fence > before {
				return
			}
			if err := lease.Release(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		t.Errorf("the number does not rise above %d", before)
	})
}

func TestAKeptLeaseOutlivesItsTime(t *testing.T) {
	rdb := redistest.Start(t).Client()
	leases := limit.NewLeases(rdb, 300*time.Millisecond, time.Now)
	lease := mustAcquire(t, leases, "a")
	held, stop := lease.Keep(t.Context())
	defer stop()
	select {
	case <-held.Done():
		t.Fatal(context.Cause(held))
	case <-time.After(900 * time.Millisecond):
	}
	if !lease.Valid() {
		t.Error("the lease is not valid although it was kept")
	}
}

func TestALostLeaseCancelsItsHolder(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		leases := limit.NewLeases(rdb, 600*time.Millisecond, time.Now)
		lease := mustAcquire(t, leases, "a")
		held, stop := lease.Keep(t.Context())
		defer stop()
		if err := rdb.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		<-held.Done()
		if cause := context.Cause(held); !errors.Is(cause, limit.ErrLost) {
			t.Errorf("cause: %v", cause)
		}
		if lease.Valid() {
			t.Error("a lost lease is valid")
		}
	})
}

func TestNoCallStartsUnderAnEndedLease(t *testing.T) {
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls++ }))
	defer server.Close()
	rdb := redistest.Start(t).Client()
	now := time.Now()
	leases := limit.NewLeases(rdb, time.Hour, func() time.Time { return now })
	held, stop := mustAcquire(t, leases, "a").Keep(t.Context())
	defer stop()
	client := &http.Client{Transport: &limit.Guard{Base: server.Client().Transport}}
	get := func() error {
		request, err := http.NewRequestWithContext(held, http.MethodGet, server.URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		return response.Body.Close()
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour) // as after a process was frozen
	err := get()
	if !errors.Is(err, limit.ErrLost) || !processor.IsNotDone(err) || processor.ClassOf(err) != processor.ClassInterrupted {
		t.Errorf("err = %v", err)
	}
	if calls != 1 {
		t.Errorf("%d calls arrived", calls)
	}
}

func mustAcquire(t *testing.T, leases *limit.Leases, holder string) *limit.Lease {
	t.Helper()
	lease, err := leases.Acquire(t.Context(), asset, holder)
	if err != nil {
		t.Fatal(err)
	}
	return lease
}
