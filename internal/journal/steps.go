package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/connect-processor/connect-processor/processor"
)

// The first byte of a stored step says what it is; the rest is the time in
// milliseconds or the result.
const (
	stepIntent = 'i' // begun
	stepResult = 'r' // finished, with a result
	stepEnded  = 'e' // finished, and the request has ended since
)

// AnswerLag is how long after an answer Connect may still show the request as
// pending, in a list or when it is read.
const AnswerLag = time.Minute

// Steps are the remembered steps of one request. They implement
// processor.Steps under one fence number.
type Steps struct {
	journal *Journal
	id      string
	fence   int64
}

// Steps returns the memory of the request's steps, to be written under fence.
func (j *Journal) Steps(id string, fence int64) *Steps {
	return &Steps{journal: j, id: id, fence: fence}
}

// Begin implements processor.Steps.
func (s *Steps) Begin(ctx context.Context, step string) (processor.StepRecord, error) {
	intent := string(stepIntent) + strconv.FormatInt(s.journal.now().UnixMilli(), 10)
	stored, err := beginStepScript.Run(ctx, s.journal.rdb, s.keys(), s.fence, seconds(keepOpen), step, intent).Text()
	switch {
	case errors.Is(err, redis.Nil):
		return processor.StepRecord{State: processor.StepNew}, nil
	case err != nil:
		return processor.StepRecord{}, wrap("noting the intent", err)
	}
	return s.read(step, stored)
}

// read decodes a stored step. One that does not decode counts as begun: what
// is certain is that somebody was there.
func (s *Steps) read(step, stored string) (processor.StepRecord, error) {
	if stored == "" {
		return processor.StepRecord{State: processor.StepUnfinished}, nil
	}
	switch stored[0] {
	case stepResult:
		return processor.StepRecord{State: processor.StepDone, Result: json.RawMessage(stored[1:])}, nil
	case stepEnded:
		// Connect may be a moment behind its own answer. When it is not, the
		// request really is pending again, and the result is gone.
		ended, err := strconv.ParseInt(stored[1:], 10, 64)
		if err == nil && s.journal.now().Sub(time.UnixMilli(ended)) < AnswerLag {
			return processor.StepRecord{}, processor.WithClass(processor.ClassInterrupted,
				fmt.Errorf("step %q of %s: the request was answered a moment ago, and Connect does not show it yet", step, s.id))
		}
		return processor.StepRecord{State: processor.StepUnfinished}, nil
	default:
		return processor.StepRecord{State: processor.StepUnfinished}, nil
	}
}

// Finish implements processor.Steps.
func (s *Steps) Finish(ctx context.Context, step string, result json.RawMessage) (json.RawMessage, error) {
	stored, err := finishStepScript.Run(ctx, s.journal.rdb, s.keys(), s.fence, seconds(keepOpen), step,
		string(stepResult)+string(result)).Text()
	if err != nil {
		return nil, wrap("storing the result", err)
	}
	record, err := s.read(step, stored)
	return record.Result, err
}

// Forget implements processor.Steps.
func (s *Steps) Forget(ctx context.Context, step string) error {
	err := forgetStepScript.Run(ctx, s.journal.rdb, s.keys(), s.fence, seconds(keepOpen), step).Err()
	return wrap("taking the intent back", err)
}

// Begun reports whether any step of the request was ever begun.
func (s *Steps) Begun(ctx context.Context) (bool, error) {
	n, err := s.journal.rdb.HLen(ctx, stepsKey(s.id)).Result()
	return n > 0, wrap("reading the steps", err)
}

func (s *Steps) keys() []string { return []string{recordKey(s.id), stepsKey(s.id)} }
