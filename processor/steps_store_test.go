package processor_test

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"testing"

	"github.com/connect-processor/connect-processor/processor"
)

// strict steps do nothing once the context has ended, as Redis would not.
type strict struct{ processor.MemorySteps }

func (s *strict) Finish(ctx context.Context, step string, result json.RawMessage) (json.RawMessage, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.MemorySteps.Finish(ctx, step, result)
}

func (s *strict) Forget(ctx context.Context, step string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.MemorySteps.Forget(ctx, step)
}

// A stop in the middle of a step must not lose what it has done.
func TestAResultIsStoredThoughTheContextHasEnded(t *testing.T) {
	for name, run := range runners() {
		t.Run(name, func(t *testing.T) {
			var memory strict
			var v vendor
			ctx, cancel := context.WithCancel(t.Context())
			_, _ = run(ctx, attempt(&memory), "create", func(ctx context.Context, key string) (tenant, error) {
				cancel()
				return v.create(nil)(ctx, key)
			})
			got, err := run(t.Context(), attempt(&memory), "create", v.create(nil))
			checkTenant(t, got, err, "t-1")
			v.checkCalls(t, 1)
		})
	}
}

func TestNotDoneForgetsThoughTheContextHasEnded(t *testing.T) {
	var memory strict
	var v vendor
	ctx, cancel := context.WithCancel(t.Context())
	_, _ = processor.AtMostOnce(ctx, attempt(&memory), "create", func(context.Context, string) (tenant, error) {
		cancel()
		return tenant{}, processor.NotDone(ctx.Err())
	})
	got, err := processor.AtMostOnce(t.Context(), attempt(&memory), "create", v.create(nil))
	checkTenant(t, got, err, "t-1")
}

// Two processes run the same request for a moment: both go on with one result.
func TestTheFirstResultWins(t *testing.T) {
	var memory processor.MemorySteps
	var v vendor
	got, err := processor.Once(t.Context(), attempt(&memory), "create", func(ctx context.Context, key string) (tenant, error) {
		if _, err := memory.Finish(ctx, "create", json.RawMessage(`{"id":"t-of-the-other"}`)); err != nil {
			t.Error(err)
		}
		return v.create(nil)(ctx, key)
	})
	checkTenant(t, got, err, "t-of-the-other")
}

// away are steps whose store does not answer.
type away struct {
	processor.MemorySteps
	begin, finish, forget error
}

func (a *away) Begin(ctx context.Context, step string) (processor.StepRecord, error) {
	if a.begin != nil {
		return processor.StepRecord{}, a.begin
	}
	return a.MemorySteps.Begin(ctx, step)
}

func (a *away) Finish(ctx context.Context, step string, result json.RawMessage) (json.RawMessage, error) {
	if a.finish != nil {
		return nil, a.finish
	}
	return a.MemorySteps.Finish(ctx, step, result)
}

func (a *away) Forget(context.Context, string) error { return a.forget }

func TestAStoreThatDoesNotAnswer(t *testing.T) {
	errAway := processor.WithClass(processor.ClassInterrupted, errors.New("no answer"))
	for name, c := range map[string]struct {
		store func() *away
		do    error
		calls int
	}{
		"before the step":       {func() *away { return &away{begin: errAway} }, nil, 0}, // no intent, no call
		"after the step":        {func() *away { return &away{finish: errAway} }, nil, 1},
		"after what never went": {func() *away { return &away{forget: errAway} }, processor.NotDone(errLost), 1},
	} {
		t.Run(name, func(t *testing.T) {
			for name, run := range runners() {
				var v vendor
				got, err := run(t.Context(), attempt(c.store()), "create", v.create(c.do))
				if !errors.Is(err, errAway) || processor.ClassOf(err) != processor.ClassInterrupted || got != (tenant{}) {
					t.Errorf("%s: got %v, error %v", name, got, err)
				}
				v.checkCalls(t, c.calls)
			}
		})
	}
}

func TestStepsOfOneTaskMayRunAtTheSameTime(t *testing.T) {
	task := attempt(nil)
	const names, callers = 5, 4
	var mu sync.Mutex
	done, refused := map[string]int{}, 0
	var all sync.WaitGroup
	for i := range names * callers {
		all.Go(func() {
			step := "step " + strconv.Itoa(i%names)
			got, err := processor.Once(t.Context(), task, step, func(context.Context, string) (string, error) { return step, nil })
			mu.Lock()
			defer mu.Unlock()
			if processor.ClassOf(err) == processor.ClassDefect {
				refused++
				return
			}
			if got != step || err != nil {
				t.Errorf("step %s gave %q, error %v", step, got, err)
			}
			done[step]++
		})
	}
	all.Wait()
	if len(done) != names || refused != names*(callers-1) {
		t.Errorf("done %v, refused %d", done, refused)
	}
}
