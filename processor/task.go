package processor

import (
	"log/slog"
	"net/http"
	"sync"

	"github.com/connect-processor/connect-processor/connect"
)

// A Task is one request being carried out, in one attempt.
//
// The processor makes it. A vendor's own tests build one by hand: the Request
// alone is enough for a handler that does not use the rest.
type Task struct {
	// Request as Connect gave it just before this attempt.
	Request *connect.Request

	// Connect reads from the platform what the request does not carry.
	// Deciding is not in it: that is what the returned Decision is for.
	Connect connect.Reader

	// HTTP is for the vendor's API. It refuses to start a call once this
	// process is no longer the one that carries out the request, which it
	// learns from the handler's ctx: give that to every call. A call is
	// bounded by ctx alone, and redirects are followed as in net/http.
	HTTP *http.Client

	// Log names the request in every line.
	Log *slog.Logger

	// Attempt counts from 1. A stop of the processor itself and a rate limit
	// do not raise it; after a Wait, Inquire or Schedule it is 1 again.
	Attempt int

	// Steps is what earlier attempts left behind; [Once] and [AtMostOnce]
	// use it. The zero Task remembers for its own life only.
	Steps Steps

	mu   sync.Mutex
	used map[string]bool
}

// Key returns the idempotency key of the named step: the same in every attempt
// of the request, different for every other request and step.
func (t *Task) Key(step string) string {
	return t.Request.ID + ":" + step
}

// claim reports whether the step's name is used for the first time in this
// attempt, and where steps are remembered.
func (t *Task) claim(step string) (Steps, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.Steps == nil {
		t.Steps = &MemorySteps{}
	}
	if t.used[step] {
		return t.Steps, false
	}
	if t.used == nil {
		t.used = make(map[string]bool)
	}
	t.used[step] = true
	return t.Steps, true
}
