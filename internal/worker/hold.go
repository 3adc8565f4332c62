package worker

import (
	"sync"
	"time"
)

// hold keeps this process from calling Connect before Connect wants it to, so
// that one 429 is not followed by one for each request that waits.
type hold struct {
	mu     sync.Mutex
	until  time.Time
	streak int // 429s without a word of when to come again, in a row
}

// longestHold bounds a hold for which Connect gave no time.
const longestHold = 30 * time.Second

// extend holds until after from now; when Connect gave no time, for longer at
// each repetition.
func (h *hold) extend(now time.Time, after time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if after <= 0 {
		if now.Before(h.until) {
			return // of a call that was under way
		}
		after = min(time.Second<<min(h.streak, 5), longestHold)
		h.streak++
	}
	if until := now.Add(after); until.After(h.until) {
		h.until = until
	}
}

// clear forgets the repetitions.
func (h *hold) clear() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.streak = 0
}

// remaining returns how long to wait still.
func (h *hold) remaining(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return max(0, h.until.Sub(now))
}
