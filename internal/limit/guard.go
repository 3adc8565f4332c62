package limit

import (
	"context"
	"net/http"

	"github.com/connect-processor/connect-processor/processor"
)

// leaseInContext is the key under which Keep puts the lease.
type leaseInContext struct{}

// check returns an error when ctx belongs to a holder whose lease has ended.
// A process that was frozen for longer than its lease wakes up here.
func check(ctx context.Context) error {
	lease, ok := ctx.Value(leaseInContext{}).(*Lease)
	if !ok || lease.Valid() {
		return nil
	}
	return processor.NotDone(processor.WithClass(processor.ClassInterrupted, ErrLost))
}

// Guard is a transport that starts no call whose context belongs to a lease
// that has ended. Calls without a lease pass.
type Guard struct {
	Base http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (g *Guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := check(r.Context()); err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	return g.Base.RoundTrip(r)
}

// CloseIdleConnections passes the call on, for http.Client.
func (g *Guard) CloseIdleConnections() {
	if c, ok := g.Base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
