package processor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Steps remembers, over all attempts of one request, which steps were begun
// and what they returned. The first writer of a result wins.
type Steps interface {
	// Begin notes that the step is about to be tried, and returns what
	// earlier attempts left of it. Its errors are of class interrupted.
	Begin(ctx context.Context, step string) (StepRecord, error)

	// Finish stores the step's result and returns what is stored, which is an
	// earlier writer's result when there was one.
	Finish(ctx context.Context, step string, result json.RawMessage) (json.RawMessage, error)

	// Forget takes back the note of Begin. A stored result stays.
	Forget(ctx context.Context, step string) error
}

// A StepRecord is what earlier attempts left of a step.
type StepRecord struct {
	State  StepState
	Result json.RawMessage // of a step that is StepDone
}

// StepState is how far earlier attempts came with a step.
type StepState int

// The states of a step.
const (
	StepNew        StepState = iota // not tried yet
	StepUnfinished                  // begun, and nobody knows whether its effect happened
	StepDone                        // finished, with a result
)

// storeTimeout bounds the writing of a result, which goes on when the attempt
// itself has been canceled: a result that is not stored is work done twice.
const storeTimeout = 10 * time.Second

// Once runs do at most once for the request as long as it succeeds, and
// returns its result; later attempts get the stored result without running it.
//
// When an earlier attempt began the step and left no result (a crash, a lost
// answer), do runs again with the same idempotency key. It is for vendors that
// honor the key, or whose handler looks first whether the effect is there. For
// others there is [AtMostOnce].
//
// An error of do is returned as it is, and one of the memory is of class
// interrupted: a handler returns both.
//
// Results are stored as JSON. A step that depends on changeable input carries
// it in its name ("check:"+domain), or a corrected order gets the old answer.
// Names are stored state: never rename one. Using a name twice in one attempt
// is a defect.
func Once[T any](ctx context.Context, t *Task, step string, do func(ctx context.Context, key string) (T, error)) (T, error) {
	return run(ctx, t, step, do, func() error { return nil })
}

// AtMostOnce is [Once] for vendors that neither honor an idempotency key nor
// can be asked: an effect that may have happened is never tried again. The
// request is parked as outcome_unknown, and a person answers.
func AtMostOnce[T any](ctx context.Context, t *Task, step string, do func(ctx context.Context, key string) (T, error)) (T, error) {
	return run(ctx, t, step, do, func() error {
		return Permanent(WithClass(ClassOutcomeUnknown, fmt.Errorf(
			"running step %q: an earlier attempt began it and left no result that can be read; look in the vendor's system whether it took effect", step)))
	})
}

// run is the common path of Once and AtMostOnce; unfinished says what follows
// from an intent without a result.
func run[T any](ctx context.Context, t *Task, step string, do func(context.Context, string) (T, error), unfinished func() error) (T, error) {
	var zero T
	steps, first := t.claim(step)
	if !first {
		return zero, Permanent(WithClass(ClassDefect, fmt.Errorf("running step %q: its name was used twice in one attempt", step)))
	}
	if err := ctx.Err(); err != nil {
		return zero, NotDone(err)
	}
	record, err := steps.Begin(ctx, step)
	if err != nil {
		return zero, fmt.Errorf("beginning step %q: %w", step, err)
	}
	if record.State == StepDone {
		var stored T
		if err := json.Unmarshal(record.Result, &stored); err == nil {
			return stored, nil
		} else if t.Log != nil {
			t.Log.WarnContext(ctx, "stored step does not decode", "step", step, "error", err)
		}
	}
	if record.State != StepNew {
		if err := unfinished(); err != nil {
			return zero, err
		}
	}
	result, err := do(ctx, t.Key(step))
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	if err != nil {
		if IsNotDone(err) && record.State == StepNew { // else an earlier attempt may have done it
			err = errors.Join(err, steps.Forget(keep, step))
		}
		return zero, err
	}
	return finish(keep, steps, step, result)
}

// finish stores the result and returns what the memory holds after it.
func finish[T any](ctx context.Context, steps Steps, step string, result T) (T, error) {
	var zero, stored T
	data, err := json.Marshal(result)
	if err != nil {
		return zero, Permanent(WithClass(ClassDefect, fmt.Errorf("storing the result of step %q: %w", step, err)))
	}
	kept, err := steps.Finish(ctx, step, data)
	if err != nil {
		return zero, fmt.Errorf("storing the result of step %q: %w", step, err)
	}
	if err := json.Unmarshal(kept, &stored); err != nil {
		return result, nil //nolint:nilerr // what an earlier attempt stored is unreadable, so this one's result is all there is
	}
	return stored, nil
}
