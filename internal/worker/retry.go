package worker

import (
	"math/rand/v2"
	"time"
)

// RetryPolicy says when a request is tried again, and when no more.
type RetryPolicy struct {
	// Schedule is the delay after the first failed attempt, the second and so
	// on; the last one repeats.
	Schedule []time.Duration

	// MaxAttempts is how many attempts a request gets before it is parked.
	MaxAttempts int
}

// jitter spreads delays by this share, so that what failed together is not
// tried again together.
const jitter = 0.2

// Delay returns how long to wait after the given number of attempts.
func (r RetryPolicy) Delay(attempts int) time.Duration {
	return spread(r.Schedule[min(max(attempts, 1), len(r.Schedule))-1])
}

// spread varies a delay.
func spread(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 + jitter*(2*rand.Float64()-1))) //nolint:gosec // not a secret
}

// Exhausted reports whether a request has had all its attempts.
func (r RetryPolicy) Exhausted(attempts int) bool { return attempts >= r.MaxAttempts }
