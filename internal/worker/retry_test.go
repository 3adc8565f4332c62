package worker_test

import (
	"testing"
	"time"

	"github.com/connect-processor/connect-processor/internal/worker"
)

func TestDelaysFollowTheScheduleWithJitter(t *testing.T) {
	r := worker.RetryPolicy{Schedule: []time.Duration{time.Second, 10 * time.Second}, MaxAttempts: 5}
	for attempts, want := range map[int]time.Duration{
		0: time.Second, 1: time.Second, 2: 10 * time.Second, 3: 10 * time.Second, 1000: 10 * time.Second,
	} {
		low, high := never, time.Duration(0)
		for range 1000 {
			d := r.Delay(attempts)
			low, high = min(low, d), max(high, d)
		}
		if low < want*8/10 || high > want*12/10 {
			t.Errorf("after %d attempts: %s to %s, want %s ± 20 %%", attempts, low, high, want)
		}
		if low > want*9/10 || high < want*11/10 {
			t.Errorf("after %d attempts: %s to %s is hardly spread", attempts, low, high)
		}
	}
}

func TestABudgetIsExhaustedAtItsLimit(t *testing.T) {
	r := worker.RetryPolicy{MaxAttempts: 3}
	for attempts, want := range map[int]bool{0: false, 2: false, 3: true, 4: true} {
		if got := r.Exhausted(attempts); got != want {
			t.Errorf("Exhausted(%d) = %t", attempts, got)
		}
	}
}
