package processor_test

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"testing"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/processor"
)

var errLost = errors.New("the answer was lost")

// tenant is what the tests' step returns.
type tenant struct {
	ID string `json:"id"`
}

// A runner is Once or AtMostOnce.
type runner func(ctx context.Context, t *processor.Task, step string, do func(context.Context, string) (tenant, error)) (tenant, error)

// runners are for tests that hold for both.
func runners() map[string]runner {
	return map[string]runner{"Once": processor.Once[tenant], "AtMostOnce": processor.AtMostOnce[tenant]}
}

// attempt returns the task of another attempt at the same request.
func attempt(s processor.Steps) *processor.Task {
	return &processor.Task{Request: &connect.Request{ID: "PR-1"}, Steps: s}
}

// vendor counts the calls of its step and remembers their keys.
type vendor struct{ keys []string }

func (v *vendor) create(err error) func(context.Context, string) (tenant, error) {
	return func(_ context.Context, key string) (tenant, error) {
		v.keys = append(v.keys, key)
		return tenant{ID: "t-" + strconv.Itoa(len(v.keys))}, err
	}
}

func (v *vendor) checkCalls(t *testing.T, want int) {
	t.Helper()
	if len(v.keys) != want {
		t.Errorf("the vendor was called %d times, want %d", len(v.keys), want)
	}
	for _, key := range v.keys {
		if key != "PR-1:create" {
			t.Errorf("with the key %q", key)
		}
	}
}

func checkTenant(t *testing.T, got tenant, err error, want string) {
	t.Helper()
	if got.ID != want || err != nil {
		t.Errorf("got %q, error %v; want %q", got.ID, err, want)
	}
}

func TestAResultIsRemembered(t *testing.T) {
	for name, run := range runners() {
		t.Run(name, func(t *testing.T) {
			var memory processor.MemorySteps
			var v vendor
			for range 3 {
				got, err := run(t.Context(), attempt(&memory), "create", v.create(nil))
				checkTenant(t, got, err, "t-1")
			}
			v.checkCalls(t, 1)
		})
	}
}

func TestATaskWithoutStepsRemembersForItsOwnLife(t *testing.T) {
	for name, run := range runners() {
		t.Run(name, func(t *testing.T) {
			task := attempt(nil)
			var v vendor
			got, err := run(t.Context(), task, "create", v.create(nil))
			checkTenant(t, got, err, "t-1")
			got, err = run(t.Context(), attempt(task.Steps), "create", v.create(nil))
			checkTenant(t, got, err, "t-1")
			v.checkCalls(t, 1)
		})
	}
}

func TestOnceRepeatsWhatIsUnfinishedWithTheSameKey(t *testing.T) {
	var memory processor.MemorySteps
	var v vendor
	if _, err := processor.Once(t.Context(), attempt(&memory), "create", v.create(errLost)); !errors.Is(err, errLost) {
		t.Errorf("error %v", err)
	}
	got, err := processor.Once(t.Context(), attempt(&memory), "create", v.create(nil))
	checkTenant(t, got, err, "t-2")
	v.checkCalls(t, 2)
}

func TestAtMostOnceParksWhatIsUnfinished(t *testing.T) {
	var memory processor.MemorySteps
	var v vendor
	if _, err := processor.AtMostOnce(t.Context(), attempt(&memory), "create", v.create(errLost)); !errors.Is(err, errLost) || processor.IsPermanent(err) {
		t.Errorf("error %v", err)
	}
	for range 2 {
		_, err := processor.AtMostOnce(t.Context(), attempt(&memory), "create", v.create(nil))
		if !processor.IsPermanent(err) || processor.ClassOf(err) != processor.ClassOutcomeUnknown {
			t.Errorf("class %s, error %v", processor.ClassOf(err), err)
		}
	}
	v.checkCalls(t, 1)
}

// A handler that dies half way leaves the same doubt as a lost answer.
func TestAPanicLeavesTheStepUnfinished(t *testing.T) {
	var memory processor.MemorySteps
	func() {
		defer func() { _ = recover() }()
		_, _ = processor.AtMostOnce(t.Context(), attempt(&memory), "create", func(context.Context, string) (tenant, error) { panic("boom") })
	}()
	var v vendor
	if _, err := processor.AtMostOnce(t.Context(), attempt(&memory), "create", v.create(nil)); processor.ClassOf(err) != processor.ClassOutcomeUnknown {
		t.Errorf("error %v", err)
	}
	v.checkCalls(t, 0)
}

func TestNotDoneForgets(t *testing.T) {
	for name, run := range runners() {
		t.Run(name, func(t *testing.T) {
			var memory processor.MemorySteps
			var v vendor
			_, err := run(t.Context(), attempt(&memory), "create", v.create(processor.NotDone(errLost)))
			if !errors.Is(err, errLost) || !processor.IsNotDone(err) {
				t.Errorf("error %v", err)
			}
			got, err := run(t.Context(), attempt(&memory), "create", v.create(nil))
			checkTenant(t, got, err, "t-2")
			v.checkCalls(t, 2)
		})
	}
}

// The second attempt's call was never sent, but the first one's was.
func TestNotDoneDoesNotForgetAnEarlierAttempt(t *testing.T) {
	var memory processor.MemorySteps
	var v vendor
	_, _ = processor.Once(t.Context(), attempt(&memory), "create", v.create(errLost))
	_, _ = processor.Once(t.Context(), attempt(&memory), "create", v.create(processor.NotDone(errLost)))
	if record, err := memory.Begin(t.Context(), "create"); record.State != processor.StepUnfinished || err != nil {
		t.Errorf("the step is %+v, error %v", record, err)
	}
}

func TestANameUsedTwiceIsADefect(t *testing.T) {
	for name, run := range runners() {
		t.Run(name, func(t *testing.T) {
			task := attempt(&processor.MemorySteps{})
			var v vendor
			got, err := run(t.Context(), task, "create", v.create(nil))
			checkTenant(t, got, err, "t-1")
			if _, err := run(t.Context(), task, "create", v.create(nil)); !processor.IsPermanent(err) || processor.ClassOf(err) != processor.ClassDefect {
				t.Errorf("class %s, error %v", processor.ClassOf(err), err)
			}
			v.checkCalls(t, 1)
		})
	}
}

// A new release reads what an old one has stored.
func TestAStoredResultThatDoesNotDecode(t *testing.T) {
	stored := func(t *testing.T) *processor.MemorySteps {
		t.Helper()
		var memory processor.MemorySteps
		if _, err := memory.Finish(t.Context(), "create", json.RawMessage(`["an older shape"]`)); err != nil {
			t.Fatal(err)
		}
		return &memory
	}
	t.Run("Once", func(t *testing.T) {
		var v vendor
		got, err := processor.Once(t.Context(), attempt(stored(t)), "create", v.create(nil))
		checkTenant(t, got, err, "t-1")
		v.checkCalls(t, 1)
	})
	t.Run("AtMostOnce", func(t *testing.T) {
		var v vendor
		_, err := processor.AtMostOnce(t.Context(), attempt(stored(t)), "create", v.create(nil))
		if processor.ClassOf(err) != processor.ClassOutcomeUnknown {
			t.Errorf("error %v", err)
		}
		v.checkCalls(t, 0)
	})
}

func TestAResultThatCannotBeStoredIsADefect(t *testing.T) {
	var memory processor.MemorySteps
	_, err := processor.Once(t.Context(), attempt(&memory), "create", func(context.Context, string) (chan int, error) { return nil, nil })
	if !processor.IsPermanent(err) || processor.ClassOf(err) != processor.ClassDefect {
		t.Errorf("class %s, error %v", processor.ClassOf(err), err)
	}
}

func TestNothingBeginsOnceTheContextHasEnded(t *testing.T) {
	for name, run := range runners() {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			var memory processor.MemorySteps
			var v vendor
			_, err := run(ctx, attempt(&memory), "create", v.create(nil))
			if !errors.Is(err, context.Canceled) || !processor.IsNotDone(err) {
				t.Errorf("error %v", err)
			}
			v.checkCalls(t, 0)
			if record, _ := memory.Begin(t.Context(), "create"); record.State != processor.StepNew {
				t.Errorf("the step is %+v", record)
			}
		})
	}
}
