package worker

import (
	"context"
	"sync"
	"time"
)

// Access is a gate that the first refusal of our Connect key closes, for all
// lanes of this process, and that a probe opens again.
type Access struct {
	mu     sync.Mutex
	closed chan struct{} // closed while access is refused
	open   chan struct{} // closed while access is granted
	reason error         // of the refusal, nil while access is granted
	streak int           // refusals since an action last succeeded
	denied int           // 403s since then
}

// NewAccess returns an open gate.
func NewAccess() *Access {
	a := &Access{closed: make(chan struct{}), open: make(chan struct{})}
	close(a.open)
	return a
}

// Refused closes the gate. It reports whether the gate was open.
func (a *Access) Refused(reason error) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.reason != nil {
		return false
	}
	a.reason = reason
	a.streak++
	close(a.closed)
	a.open = make(chan struct{})
	return true
}

// deniedInARow is how many 403s, with no success between, make a refused key: a
// single one may be about a single request.
const deniedInARow = 3

// Denied tells of a 403. Several in a row close the gate, like Refused, and it
// reports whether this one did.
func (a *Access) Denied(reason error) bool {
	a.mu.Lock()
	a.denied++
	few := a.denied < deniedInARow
	a.mu.Unlock()
	return !few && a.Refused(reason)
}

// Granted opens the gate.
func (a *Access) Granted() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.reason == nil {
		return
	}
	a.reason = nil
	close(a.open)
	a.closed = make(chan struct{})
}

// Proved says that Connect took an answer of ours, which no probe can show.
func (a *Access) Proved() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.streak, a.denied = 0, 0
}

// Err returns why the gate is closed, nil while it is open.
func (a *Access) Err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.reason
}

// Closed returns a channel that is closed as long as access is refused.
func (a *Access) Closed() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.closed
}

// Open returns a channel that is closed as long as access is granted.
func (a *Access) Open() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.open
}

// Pauses between probes of a refused key.
const (
	firstProbe = 2 * time.Second
	slowProbe  = time.Minute
)

// Probe asks again and again whether the key is accepted, while the gate is
// closed, until ctx ends. A key that reads but may not answer passes the probe
// and is refused at the next answer; the pauses grow all the same.
func (a *Access) Probe(ctx context.Context, try func(context.Context) error) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.Closed():
		}
		for a.Err() != nil {
			if !sleep(ctx, a.pause()) {
				return
			}
			if err := try(ctx); err == nil {
				a.Granted()
			}
		}
	}
}

func (a *Access) pause() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	// An answer that was under way at the refusal may have set streak to 0.
	pause := firstProbe << min(max(a.streak-1, 0), 5)
	return min(pause, slowProbe)
}

// sleep waits for d and reports whether ctx still lives.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
