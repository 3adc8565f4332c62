package journal_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/connect-processor/connect-processor/internal/journal"
	"github.com/connect-processor/connect-processor/internal/redistest"
	"github.com/connect-processor/connect-processor/processor"
)

const request = "PR-1000-2000-3000-001"

func at() time.Time { return time.UnixMilli(1_700_000_000_000) }

func TestASettledRecordIsFoundAgain(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		j := journal.New(rdb, at)
		want := journal.Record{
			ID: request, Type: "purchase", Product: "PRD-1", Asset: "AS-1", Lane: "default",
			State: journal.Retrying, Updated: "2024-05-01T10:00:05+00:00", Attempts: 3,
			Class: processor.ClassVendorUnavailable, Error: "503", At: at(),
		}
		mustSettle(t, j, want)
		got, err := j.Lookup(t.Context(), []string{"PR-unknown", request})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]journal.Record{{ID: "PR-unknown"}, want}, got); diff != "" {
			t.Error(diff)
		}
		begun, err := j.Begin(t.Context(), request, 1, 0)
		if err != nil || begun != want {
			t.Errorf("Begin = %+v, %v", begun, err)
		}
	})
}

func TestAnAttemptOfAnEarlierLeaseMayNotWrite(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		j := journal.New(rdb, at)
		old := j.Steps(request, 4)
		if _, err := old.Begin(t.Context(), "create"); err != nil {
			t.Fatal(err)
		}
		if _, err := j.Begin(t.Context(), request, 5, 0); err != nil {
			t.Fatal(err)
		}
		_, beginErr := old.Begin(t.Context(), "other")
		_, finishErr := old.Finish(t.Context(), "create", json.RawMessage(`1`))
		for name, err := range map[string]error{
			"begin an attempt": second(j.Begin(t.Context(), request, 4, 0)),
			"begin a step":     beginErr,
			"finish a step":    finishErr,
			"forget a step":    old.Forget(t.Context(), "create"),
			"settle":           j.Settle(t.Context(), journal.Record{ID: request, State: journal.Done}, 4),
		} {
			if !errors.Is(err, journal.ErrFenced) {
				t.Errorf("%s under an earlier fence: %v", name, err)
			}
			if processor.ClassOf(err) != processor.ClassInterrupted {
				t.Errorf("%s: class %s", name, processor.ClassOf(err))
			}
		}
		if err := j.Settle(t.Context(), journal.Record{ID: request, State: journal.Parked}, journal.Unfenced); err != nil {
			t.Errorf("an operator's write: %v", err)
		}
	})
}

func TestTheFirstResultOfAStepWins(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		steps := journal.New(rdb, at).Steps(request, 1)
		record := func() processor.StepRecord {
			t.Helper()
			r, err := steps.Begin(t.Context(), "create")
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		if r := record(); r.State != processor.StepNew {
			t.Errorf("first: %+v", r)
		}
		if r := record(); r.State != processor.StepUnfinished {
			t.Errorf("after an intent: %+v", r)
		}
		for _, result := range []string{`{"id":"t-1"}`, `{"id":"t-2"}`} {
			stored, err := steps.Finish(t.Context(), "create", json.RawMessage(result))
			if err != nil || string(stored) != `{"id":"t-1"}` {
				t.Errorf("finishing with %s: stored %s, %v", result, stored, err)
			}
		}
		if err := steps.Forget(t.Context(), "create"); err != nil {
			t.Fatal(err)
		}
		if r := record(); r.State != processor.StepDone || string(r.Result) != `{"id":"t-1"}` {
			t.Errorf("a result outlives Forget: %+v", r)
		}
	})
}

func TestAForgottenIntentIsNew(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		steps := journal.New(rdb, at).Steps(request, 1)
		if _, err := steps.Begin(t.Context(), "create"); err != nil {
			t.Fatal(err)
		}
		if err := steps.Forget(t.Context(), "create"); err != nil {
			t.Fatal(err)
		}
		if begun, err := steps.Begun(t.Context()); begun || err != nil {
			t.Errorf("Begun = %t, %v", begun, err)
		}
		if r, err := steps.Begin(t.Context(), "create"); err != nil || r.State != processor.StepNew {
			t.Errorf("Begin = %+v, %v", r, err)
		}
	})
}

func TestAnEndedRequestKeepsNoResults(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		j := journal.New(rdb, at)
		steps := j.Steps(request, 1)
		if _, err := steps.Finish(t.Context(), "create", json.RawMessage(`"secret"`)); err != nil {
			t.Fatal(err)
		}
		mustSettle(t, j, journal.Record{ID: request, State: journal.Done})
		for _, key := range mustKeys(t, rdb) {
			ttl := rdb.TTL(t.Context(), key).Val()
			if ttl <= 0 {
				t.Errorf("key %s never ends", key)
			}
		}
		values := rdb.HGetAll(t.Context(), "cp:{"+request+"}:steps").Val()
		if diff := cmp.Diff(map[string]string{"create": "e1700000000000"}, values); diff != "" {
			t.Error(diff)
		}
		if _, err := steps.Begin(t.Context(), "create"); processor.ClassOf(err) != processor.ClassInterrupted {
			t.Errorf("a step of a request that ended a moment ago: %v", err)
		}
		later := journal.New(rdb, func() time.Time { return at().Add(time.Hour) }).Steps(request, 1)
		if r, err := later.Begin(t.Context(), "create"); err != nil || r.State != processor.StepUnfinished {
			t.Errorf("a step of a request that is pending again: %+v, %v", r, err)
		}
	})
}

func TestParkedRequestsAreListedUntilReopened(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		j := journal.New(rdb, at)
		mustSettle(t, j, journal.Record{ID: "PR-1", State: journal.Parked, Attempts: 10, Class: processor.ClassTemplate})
		mustSettle(t, j, journal.Record{ID: "PR-2", State: journal.Parked})
		if got := parked(t, j); len(got) != 2 {
			t.Fatalf("parked: %v", got)
		}
		if err := j.Reopen(t.Context(), "PR-1"); err != nil {
			t.Fatal(err)
		}
		if got := parked(t, j); len(got) != 1 || got[0] != "PR-2" {
			t.Errorf("parked after one was reopened: %v", got)
		}
		records, err := j.Lookup(t.Context(), []string{"PR-1"})
		if err != nil || records[0].Attempts != 0 || records[0].State != "" {
			t.Errorf("reopened: %+v, %v", records, err)
		}
	})
}

func TestAGenerationRisesOnlyFromItsOwn(t *testing.T) {
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		j := journal.New(rdb, at)
		if got, err := j.NextGeneration(t.Context(), request, 0); got != 1 || err != nil {
			t.Fatalf("of a request that was never in work: %d, %v", got, err)
		}
		if _, err := j.Begin(t.Context(), request, 1, 0); err != nil { // by the stale task
			t.Fatal(err)
		}
		if r, err := j.Lookup(t.Context(), []string{request}); err != nil || r[0].State != "" {
			t.Errorf("a stale task marks the record: %+v, %v", r, err)
		}
		if _, err := j.Begin(t.Context(), request, 1, 1); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct{ from, want int }{{1, 2}, {1, 1}, {2, 3}} {
			got, err := j.NextGeneration(t.Context(), request, step.from)
			if err != nil || got != step.want {
				t.Errorf("from %d: %d, %v; want %d", step.from, got, err, step.want)
			}
		}
		for _, state := range []journal.State{journal.Waiting, journal.Retrying, journal.Parked, journal.Done} {
			mustSettle(t, j, journal.Record{ID: request, State: state})
			if got, err := j.NextGeneration(t.Context(), request, 3); got != 3 || err != nil {
				t.Errorf("of one that is %s: %d, %v", state, got, err)
			}
		}
	})
}

// mustSettle writes as the holder of the first lease.
func mustSettle(t *testing.T, j *journal.Journal, r journal.Record) {
	t.Helper()
	if err := j.Settle(t.Context(), r, 1); err != nil {
		t.Fatal(err)
	}
}

func mustKeys(t *testing.T, rdb redis.UniversalClient) []string {
	t.Helper()
	keys, err := rdb.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) == 0 {
		t.Fatalf("keys: %v, %v", keys, err)
	}
	return keys
}

func parked(t *testing.T, j *journal.Journal) []string {
	t.Helper()
	records, err := j.Parked(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range records {
		ids = append(ids, r.ID)
	}
	return ids
}

func second[T any](_ T, err error) error { return err }
