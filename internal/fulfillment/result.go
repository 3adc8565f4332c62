package fulfillment

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/processor"
)

// Outcome is how an attempt ended.
type Outcome string

// The outcomes.
const (
	Approved    Outcome = "approved" // or, of a revoking request, confirmed
	Failed      Outcome = "failed"
	Inquired    Outcome = "inquired"
	Scheduled   Outcome = "scheduled"
	Waiting     Outcome = "waiting"       // the vendor's system is at work: again After
	Skipped     Outcome = "skipped"       // not ours, by the handler's word
	NothingToDo Outcome = "nothing_to_do" // answered already, or gone
	NotOffered  Outcome = "not_offered"   // the vendor has no handler for it
	Retry       Outcome = "retry"         // an error: again After, or by the schedule
	Park        Outcome = "park"          // an error that trying again cannot cure
)

// Result is what an attempt came to.
type Result struct {
	Outcome Outcome

	// Request as last read or written, nil when it could not be read.
	Request *connect.Request

	// After is when to look again, 0 for the retry schedule.
	After time.Duration

	Class processor.ErrorClass // of Retry and Park
	Err   error                // of Retry and Park
	Note  string               // of Waiting and Skipped
}

// Spends reports whether the attempt counts against the request's budget. What
// is nobody's fault, or everybody's, does not.
func (r Result) Spends() bool {
	if r.Outcome != Retry {
		return false
	}
	switch r.Class { //nolint:exhaustive // all others spend
	case processor.ClassInterrupted, processor.ClassRateLimited, processor.ClassConnectAuth:
		return false
	default:
		return true
	}
}

// resultOf turns an error into a Result: parked when it is permanent, else to be
// tried again.
func resultOf(ctx context.Context, r *connect.Request, err error) Result {
	result := Result{Outcome: Retry, Request: r, Err: err, Class: processor.ClassOf(err)}
	if after, ok := processor.RetryDelay(err); ok {
		result.After = after
	}
	ended := ctx.Err()
	switch timeout := errors.Is(ended, context.DeadlineExceeded); {
	case ended != nil && !timeout: // drained, or the lease was lost
		result.Class = processor.ClassInterrupted
	case processor.IsPermanent(err):
		result.Outcome = Park
	case timeout:
		result.Class = processor.ClassTimeout
	}
	return result
}

// fromHandler gives Connect's troubles, which a handler met in its own reads,
// the class that ours have. What Connect refuses such a read is the handler's.
func fromHandler(err error) error {
	apiErr, ok := errors.AsType[*connect.Error](err)
	if ok && (apiErr.Temporary() || apiErr.Status == http.StatusUnauthorized || apiErr.Status == http.StatusForbidden) {
		return onConnect(err)
	}
	return err
}

// errGone is the cause when Connect does not know the request (any more).
var errGone = errors.New("the request is gone from Connect")

// onRequest is onConnect for a call on the request itself, whose 404 says that
// the request is gone. That of another call says nothing about the request.
func onRequest(err error) error {
	if connect.StatusOf(err) == http.StatusNotFound {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return onConnect(err)
}

// onConnect gives an error of the Connect client its class.
func onConnect(err error) error {
	if err == nil || processor.ClassOf(err) == processor.ClassInterrupted {
		return err
	}
	if _, ok := errors.AsType[*connect.TemplateError](err); ok {
		return processor.Permanent(processor.WithClass(processor.ClassTemplate, err))
	}
	apiErr, answered := errors.AsType[*connect.Error](err)
	if !answered {
		return processor.WithClass(processor.ClassConnectUnavailable, err) // an unreadable answer, or none
	}
	if after, ok := apiErr.RetryAfter(); ok {
		err = processor.RetryAfter(err, after)
	}
	switch apiErr.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return processor.WithClass(processor.ClassConnectAuth, err)
	case http.StatusTooManyRequests:
		return processor.WithClass(processor.ClassRateLimited, err)
	}
	if apiErr.Temporary() {
		return processor.WithClass(processor.ClassConnectUnavailable, err)
	}
	return processor.Permanent(processor.WithClass(processor.ClassConnectRefused, err))
}
