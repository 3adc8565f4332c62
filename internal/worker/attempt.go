package worker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/internal/fulfillment"
	"github.com/connect-processor/connect-processor/internal/journal"
	"github.com/connect-processor/connect-processor/internal/queue"
	"github.com/connect-processor/connect-processor/processor"
)

// When to look again after what costs no attempt.
const (
	interruptedDelay = 2 * time.Second
	limitedDelay     = 5 * time.Second  // asked to slow down, without a time
	deniedDelay      = 15 * time.Second // our key is refused
)

// settleTimeout bounds what is done for a request after its attempt has ended,
// for whatever reason.
const settleTimeout = 15 * time.Second

// deadlineMargin is how far the handler's deadline is below asynq's. Package
// config checks that worker.task_timeout leaves room for it.
const deadlineMargin = 30 * time.Second

// attempt carries a task out once, under the lease of its asset.
func (w *Worker) attempt(ctx context.Context, t queue.Task) error {
	if wait := w.hold.remaining(w.cfg.Now()); wait > 0 {
		return &retryError{err: errOnHold, after: spread(wait + time.Second)}
	}
	lease, err := w.cfg.Leases.Acquire(ctx, t.LeaseName(), w.cfg.Name+"/"+rand.Text())
	if err != nil { // the asset is in work elsewhere, or Redis is away
		return interrupted(err)
	}
	held, stop := lease.Keep(ctx)
	defer func() {
		stop()
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
		defer cancel()
		if err := lease.Release(after); err != nil {
			w.cfg.Log.WarnContext(ctx, "releasing a lease", "request_id", t.Request, "error", err)
		}
	}()

	known, err := w.cfg.Journal.Begin(held, t.Request, lease.Fence, t.Generation)
	if err != nil {
		return interrupted(err)
	}
	if t.Generation < known.Generation || known.State == journal.Parked {
		return nil // taken over, or put aside, since this task was enqueued
	}
	if w.moved(t, known) {
		return w.leave(held, known, lease.Fence)
	}
	started := w.cfg.Now()
	bounded, cancel := context.WithDeadline(held, w.deadline(ctx))
	defer cancel()
	result := w.cfg.Engine.Process(bounded, fulfillment.Attempt{
		Request: t.Request,
		Number:  known.Attempts + 1,
		Steps:   w.cfg.Journal.Steps(t.Request, lease.Fence),
	})
	return w.settle(held, settlement{
		task: t, known: known, fence: lease.Fence, result: result, took: w.cfg.Now().Sub(started),
	})
}

// moved reports whether the request's product has another lane now, in which
// the request has had an attempt already: that lane carries it on.
func (w *Worker) moved(t queue.Task, known journal.Record) bool {
	lane := w.cfg.Lane(t.Product)
	return lane != t.Lane && lane == known.Lane
}

// leave ends a task without an attempt, and writes back what Begin has marked as
// running.
func (w *Worker) leave(ctx context.Context, known journal.Record, fence int64) error {
	if err := w.cfg.Journal.Settle(ctx, known, fence); err != nil {
		return interrupted(err)
	}
	return nil
}

// errOnHold is why a task goes back without an attempt while hold lasts.
var errOnHold = processor.WithClass(processor.ClassRateLimited, errors.New("everyone waits, as Connect has asked"))

// deadline of the handler: below asynq's, which was set when the task was
// enqueued, perhaps by another configuration.
func (w *Worker) deadline(ctx context.Context) time.Time {
	deadline := w.cfg.Now().Add(w.cfg.TaskTimeout)
	if asynqs, ok := ctx.Deadline(); ok && asynqs.Before(deadline) {
		deadline = asynqs
	}
	return deadline.Add(-deadlineMargin)
}

// A settlement is an ended attempt on its way into the journal.
type settlement struct {
	task   queue.Task
	known  journal.Record
	fence  int64
	result fulfillment.Result
	took   time.Duration
}

// settle writes the outcome down and tells asynq what follows.
func (w *Worker) settle(ctx context.Context, s settlement) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	w.watchConnect(s.result)

	record := s.record()
	switch s.result.Outcome {
	case fulfillment.NothingToDo:
		record.State = s.answered()
	case fulfillment.NotOffered:
		record.State = ""
	case fulfillment.Approved, fulfillment.Failed:
		record.State, record.Attempts = journal.Done, record.Attempts+1
	case fulfillment.Inquired, fulfillment.Scheduled:
		record.State, record.Attempts = "", 0 // it comes back as pending, with all its steps and a fresh budget
	case fulfillment.Waiting:
		record.State, record.Attempts = journal.Waiting, 0 // what was wrong before has passed
	case fulfillment.Skipped:
		record.State = journal.Skipped
	case fulfillment.Retry:
		record.State = journal.Retrying
		if s.result.Spends() {
			record.Attempts++
			if w.cfg.Retry.Exhausted(record.Attempts) {
				record.State = journal.Parked
			}
		}
	case fulfillment.Park:
		record.State, record.Attempts = journal.Parked, record.Attempts+1
	}
	if record.State == journal.Parked {
		record.Updated = "" // the note may change it
	}
	w.log(ctx, s, record)
	if err := w.cfg.Journal.Settle(ctx, record, s.fence); err != nil {
		return w.unsettled(ctx, s, err)
	}
	if record.State == journal.Parked {
		w.announce(context.WithoutCancel(ctx), record)
	}
	return w.toAsynq(s.result, record)
}

// answered returns the state of a request that there was nothing to do for:
// done when it has its answer, by an earlier attempt or by hand.
func (s settlement) answered() journal.State {
	if s.result.Request == nil {
		return journal.Done // gone from Connect
	}
	switch s.result.Request.Status { //nolint:exhaustive // all others may come back
	case connect.StatusApproved, connect.StatusFailed, connect.StatusRevoked:
		return journal.Done
	}
	return ""
}

// record is the journal's record after the attempt, but for its state.
func (s settlement) record() journal.Record {
	r := s.known
	r.ID, r.Type, r.Product, r.Asset, r.Lane = s.task.Request, s.task.Type, s.task.Product, s.task.Asset, s.task.Lane
	r.Class, r.Error = s.result.Class, ""
	if s.result.Err != nil {
		r.Error = clip(s.result.Err.Error())
	}
	if s.result.Request != nil {
		r.Updated = string(s.result.Request.Updated)
	}
	return r
}

// maxError is how much of an error's text is kept.
const maxError = 1000

func clip(text string) string {
	if runes := []rune(text); len(runes) > maxError {
		return string(runes[:maxError-1]) + "…"
	}
	return text
}

// unsettled decides for a task whose outcome could not be written. An answered
// request is answered, whatever the journal says; anything else runs again.
func (w *Worker) unsettled(ctx context.Context, s settlement, err error) error {
	w.cfg.Log.WarnContext(ctx, "writing the outcome", "request_id", s.task.Request, "error", err)
	switch s.result.Outcome {
	case fulfillment.Approved, fulfillment.Failed, fulfillment.Inquired, fulfillment.Scheduled:
		return nil
	case fulfillment.Waiting, fulfillment.Skipped, fulfillment.NothingToDo, fulfillment.NotOffered,
		fulfillment.Retry, fulfillment.Park:
	}
	return interrupted(err)
}

// toAsynq turns what was written into asynq's terms.
func (w *Worker) toAsynq(result fulfillment.Result, r journal.Record) error {
	switch r.State {
	case journal.Waiting:
		return &retryError{err: fmt.Errorf("waiting for the vendor: %s", result.Note), after: result.After}
	case journal.Retrying:
		after := result.After
		switch {
		case after > 0:
		case result.Class == processor.ClassRateLimited:
			after = limitedDelay
		case result.Class == processor.ClassConnectAuth:
			after = deniedDelay
		case !result.Spends():
			after = interruptedDelay
		default:
			after = w.cfg.Retry.Delay(r.Attempts)
		}
		return &retryError{err: result.Err, after: after, spent: result.Spends()}
	case journal.Running, journal.Skipped, journal.Parked, journal.Done:
	}
	return nil
}

// announceTimeout bounds the note about a parked request, which is parked with
// or without it.
const announceTimeout = 10 * time.Second

// announce leaves the operator a note in the request's conversation, and tells
// the journal what the request looks like after that. Should this end early,
// the next poll does.
func (w *Worker) announce(ctx context.Context, r journal.Record) {
	ctx, cancel := context.WithTimeout(ctx, announceTimeout)
	defer cancel()
	text := fmt.Sprintf("Parked by the processor after %d attempts (%s): %s", r.Attempts, r.Class, r.Error)
	if err := w.cfg.Engine.Note(ctx, r.ID, text); err != nil {
		w.cfg.Log.InfoContext(ctx, "leaving a note", "request_id", r.ID, "error", err)
	}
	updated, err := w.cfg.Engine.Updated(ctx, r.ID)
	if err == nil {
		err = w.cfg.Journal.SetUpdated(ctx, r.ID, string(updated))
	}
	if err != nil {
		w.cfg.Log.InfoContext(ctx, "reading a parked request again", "request_id", r.ID, "error", err)
	}
}

// watchConnect lets refusals of our key close the gate of this process, and
// lets a 429 hold it.
func (w *Worker) watchConnect(result fulfillment.Result) {
	apiErr, _ := errors.AsType[*connect.Error](result.Err)
	closed := false
	switch {
	case result.Outcome == fulfillment.Approved, result.Outcome == fulfillment.Failed:
		w.cfg.Access.Proved()
		w.hold.clear()
	case apiErr == nil:
	case result.Class == processor.ClassRateLimited:
		w.hold.extend(w.cfg.Now(), result.After)
	case apiErr.Status == http.StatusUnauthorized:
		closed = w.cfg.Access.Refused(result.Err)
	case apiErr.Status == http.StatusForbidden:
		closed = w.cfg.Access.Denied(result.Err)
	}
	if closed {
		w.cfg.Log.Error("Connect refuses our key: no more work is taken until it is accepted again; check connect.api_key and its permissions",
			"error_class", result.Class, "error", result.Err)
	}
}
