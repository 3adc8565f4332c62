package processor

import (
	"context"
	"encoding/json"
	"sync"
)

// MemorySteps are [Steps] in memory, for tests: hand the same one to two tasks
// of one request to play two attempts. It is safe for concurrent use, and its
// zero value is ready.
type MemorySteps struct {
	mu    sync.Mutex
	steps map[string]json.RawMessage // nil while begun and unfinished
}

// Begin implements [Steps].
func (m *MemorySteps) Begin(_ context.Context, step string) (StepRecord, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	result, begun := m.steps[step]
	switch {
	case result != nil:
		return StepRecord{State: StepDone, Result: result}, nil
	case begun:
		return StepRecord{State: StepUnfinished}, nil
	}
	if m.steps == nil {
		m.steps = make(map[string]json.RawMessage)
	}
	m.steps[step] = nil
	return StepRecord{State: StepNew}, nil
}

// Finish implements [Steps].
func (m *MemorySteps) Finish(_ context.Context, step string, result json.RawMessage) (json.RawMessage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if stored := m.steps[step]; stored != nil {
		return stored, nil
	}
	if m.steps == nil {
		m.steps = make(map[string]json.RawMessage)
	}
	m.steps[step] = result
	return result, nil
}

// Forget implements [Steps].
func (m *MemorySteps) Forget(_ context.Context, step string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.steps[step] == nil {
		delete(m.steps, step)
	}
	return nil
}
