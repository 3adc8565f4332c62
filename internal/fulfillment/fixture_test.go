package fulfillment_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/internal/fulfillment"
	"github.com/connect-processor/connect-processor/processor"
)

// newEngine returns an engine on the platform. Its clock stands one hour after
// the creation of the platform's request; a request may wait for a day.
func newEngine(t *testing.T, p *platform, product fulfillment.Product) *fulfillment.Engine {
	t.Helper()
	client := p.client(t)
	now := func() time.Time { return time.Date(2026, 10, 1, 11, 0, 0, 0, time.UTC) }
	return fulfillment.New(fulfillment.Config{
		Requests: client, Actions: client, Conversations: client, Reader: client,
		Templates: connect.NewTemplateCache(client, time.Hour, now),
		Product:   func(string) fulfillment.Product { return product },
		MaxWait:   24 * time.Hour,
		Log:       slog.New(slog.DiscardHandler),
		Now:       now,
	})
}

// process carries out one attempt with the handler as the vendor's answer to
// whatever the request is.
func process(t *testing.T, p *platform, h processor.Handler) fulfillment.Result {
	t.Helper()
	return processWith(t.Context(), t, p, h, &steps{})
}

func processWith(ctx context.Context, t *testing.T, p *platform, h processor.Handler, s fulfillment.Steps) fulfillment.Result {
	t.Helper()
	engine := newEngine(t, p, fulfillment.Product{Vendor: everything(p, h)})
	return engine.Process(ctx, fulfillment.Attempt{Request: "PR-1", Number: 1, Steps: s})
}

// everything is a vendor with one handler for all, which leaves its trace
// among the platform's calls.
func everything(p *platform, h processor.Handler) processor.Vendor {
	traced := func(ctx context.Context, t *processor.Task) (processor.Decision, error) {
		p.Calls = append(p.Calls, asksVendor)
		return h(ctx, t)
	}
	return processor.Vendor{
		Purchase: traced, Change: traced, Cancel: traced, Suspend: traced, Resume: traced,
		Adjustment: traced, Renew: traced, Transfer: traced, Revoke: traced,
	}
}

// decide is a handler that always decides the same.
func decide(d processor.Decision) processor.Handler {
	return func(context.Context, *processor.Task) (processor.Decision, error) { return d, nil }
}

// refuse is a handler that never comes to an answer.
func refuse(err error) processor.Handler {
	return func(context.Context, *processor.Task) (processor.Decision, error) { return nil, err }
}

// provisioned approves with the parameter that the product requires.
func provisioned() processor.Handler {
	return decide(processor.Approve{Params: processor.Params{"tenant_id": "t-42"}})
}

// steps also know whether any was begun.
type steps struct {
	processor.MemorySteps
	begun bool
	err   error // of Begun
}

func (s *steps) Begin(ctx context.Context, step string) (processor.StepRecord, error) {
	s.begun = true
	return s.MemorySteps.Begin(ctx, step)
}

func (s *steps) Begun(context.Context) (bool, error) { return s.begun, s.err }

var errVendor = errors.New("the vendor has a bad day")

func checkCalls(t *testing.T, p *platform, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, p.Calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// checkOutcome also compares the class, "" for outcomes that are no error.
func checkOutcome(t *testing.T, got fulfillment.Result, want fulfillment.Outcome, class processor.ErrorClass) {
	t.Helper()
	if got.Outcome != want || got.Class != class {
		t.Errorf("outcome %s, class %q, error %v; want %s, %q", got.Outcome, got.Class, got.Err, want, class)
	}
	if failed := got.Err != nil; failed != (class != "") {
		t.Errorf("error %v with class %q", got.Err, class)
	}
}
