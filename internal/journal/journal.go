// Package journal is what Redis remembers of a request: how many attempts it
// has had, which steps are done, why it is parked, waiting or skipped.
//
// It is a memory, not the truth: Connect decides whether a request is pending,
// and a journal that is lost costs a fresh budget and nothing else. It knows
// neither the queue nor the platform. The worker writes it; package queue asks it
// before it enqueues, and reopens what is parked; `requests list` shows it.
//
// Keys: cp:{<request>}:rec (the record), cp:{<request>}:steps (one field a
// step), cp:{idx:parked} (parked requests by time). The two keys of a request
// share a hash slot, so that a script may touch both.
package journal

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/connect-processor/connect-processor/processor"
)

// How long a record is kept after its last write.
const (
	keepEnded = 7 * 24 * time.Hour  // an ended request: names and times of its steps only
	keepOpen  = 90 * 24 * time.Hour // parked, waiting, retrying
)

// State is where a request stands as far as the journal knows.
type State string

// The states that the journal records. A request that was never in work has no
// record; one that came back from the customer or from a schedule has no state.
const (
	Running  State = "running"  // an attempt has begun
	Retrying State = "retrying" // an attempt ended in an error, another will follow
	Waiting  State = "waiting"  // the vendor's system is at work
	Skipped  State = "skipped"  // not ours; left alone until it changes on Connect
	Parked   State = "parked"   // a dead letter: waits for a person
	Done     State = "done"     // answered
)

// A Record is what the journal holds of one request.
type Record struct {
	ID      string
	Type    string
	Product string
	Asset   string
	Lane    string

	State State
	// Updated is Connect's "updated" as last read; a different one means that
	// the request has changed since. Empty when it is not known.
	Updated string
	// Attempts is how many have been spent.
	Attempts int
	// Generation rises when the request is taken over from a dead worker:
	// tasks of a lower one are stale.
	Generation int

	Class processor.ErrorClass
	Error string // for the operator; it may quote a vendor's answer
	At    time.Time
}

// Journal reads and writes records. It is safe for concurrent use.
type Journal struct {
	rdb redis.UniversalClient
	now func() time.Time
}

// New returns the journal kept in rdb.
func New(rdb redis.UniversalClient, now func() time.Time) *Journal {
	return &Journal{rdb: rdb, now: now}
}

// ErrFenced means that a later holder of the asset's lease has begun to carry
// out the request: this one must not write about it any more.
var ErrFenced = errors.New("a later attempt has taken the request over")

// Unfenced is the fence of a writer outside any attempt, such as an operator.
const Unfenced int64 = 0

func recordKey(id string) string { return "cp:{" + id + "}:rec" }
func stepsKey(id string) string  { return "cp:{" + id + "}:steps" }

const parkedIndex = "cp:{idx:parked}"

// Begin opens an attempt by a task of the given generation, under the fence
// number of the asset's lease, and returns what is known of the request; a zero
// Record when nothing is. It returns ErrFenced when a higher number has been
// seen.
func (j *Journal) Begin(ctx context.Context, id string, fence int64, generation int) (Record, error) {
	values, err := beginScript.Run(ctx, j.rdb, []string{recordKey(id)}, fence, seconds(keepOpen), generation).StringSlice()
	if err != nil {
		return Record{}, wrap("opening the attempt of "+id, err)
	}
	return decode(id, values), nil
}

// Settle writes the outcome of an attempt. It returns ErrFenced when a higher
// fence number has been seen.
//
// A parked request is indexed first: an index entry without a record is passed
// over, a record without an entry would never be seen.
func (j *Journal) Settle(ctx context.Context, r Record, fence int64) error {
	keep := keepOpen
	if r.State == Done {
		keep = keepEnded
	}
	if r.State == Parked {
		if err := j.index(ctx, r.ID); err != nil {
			return err
		}
	}
	args := []any{fence, seconds(keep), string(r.State), j.now().UnixMilli()}
	args = append(args, r.encode(j.now())...)
	err := settleScript.Run(ctx, j.rdb, []string{recordKey(r.ID), stepsKey(r.ID)}, args...).Err()
	return wrap("writing the outcome of "+r.ID, err)
}

// index notes that a request is parked, and drops the entries whose records
// have come to their end.
func (j *Journal) index(ctx context.Context, id string) error {
	now := j.now()
	_, err := j.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.ZAdd(ctx, parkedIndex, redis.Z{Score: float64(now.UnixMilli()), Member: id})
		p.ZRemRangeByScore(ctx, parkedIndex, "-inf", strconv.FormatInt(now.Add(-keepOpen).UnixMilli(), 10))
		p.Expire(ctx, parkedIndex, keepOpen)
		return nil
	})
	return wrap("indexing "+id, err)
}

// Lookup returns the records of the given requests, in their order and in one
// round trip; a zero Record for one of which nothing is known.
func (j *Journal) Lookup(ctx context.Context, ids []string) ([]Record, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	cmds := make([]*redis.SliceCmd, len(ids))
	_, err := j.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range ids {
			cmds[i] = p.HMGet(ctx, recordKey(id), fields()...)
		}
		return nil
	})
	if err != nil {
		return nil, wrap("reading the journal", err)
	}
	records := make([]Record, len(ids))
	for i, cmd := range cmds {
		values := make([]string, len(cmd.Val()))
		for k, v := range cmd.Val() {
			values[k], _ = v.(string)
		}
		records[i] = decode(ids[i], values)
	}
	return records, nil
}

// Reopen gives a parked or skipped request a fresh budget: it is then to be
// enqueued again.
func (j *Journal) Reopen(ctx context.Context, id string) error {
	_, err := j.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.HDel(ctx, recordKey(id), "state", "attempts", "class", "error")
		p.ZRem(ctx, parkedIndex, id)
		return nil
	})
	return wrap("reopening "+id, err)
}

// SetUpdated notes Connect's "updated" of a parked or skipped request, when it
// was not known as the request was put aside.
func (j *Journal) SetUpdated(ctx context.Context, id, updated string) error {
	return wrap("noting the version of "+id, j.rdb.HSet(ctx, recordKey(id), "updated", updated).Err())
}

// NextGeneration makes the request's tasks of the given generation stale and
// returns the number that a new task must carry. It returns the given number
// when no attempt at the request is under way, or when it has moved on to a
// later generation already.
func (j *Journal) NextGeneration(ctx context.Context, id string, generation int) (int, error) {
	next, err := nextGenerationScript.Run(ctx, j.rdb, []string{recordKey(id)}, generation, seconds(keepOpen)).Int()
	return next, wrap("taking over "+id, err)
}

// Parked returns parked requests, the newest first, up to limit.
func (j *Journal) Parked(ctx context.Context, limit int64) ([]Record, error) {
	ids, err := j.rdb.ZRevRange(ctx, parkedIndex, 0, limit-1).Result()
	if err != nil {
		return nil, wrap("listing parked requests", err)
	}
	records, err := j.Lookup(ctx, ids)
	if err != nil {
		return nil, err
	}
	parked := records[:0]
	for _, r := range records {
		if r.State == Parked {
			parked = append(parked, r)
		}
	}
	return parked, nil
}

// wrap marks every error of Redis as interrupted: it says nothing of the
// request, and costs it no attempt.
func wrap(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case redis.HasErrorPrefix(err, "FENCED"):
		err = ErrFenced
	}
	return processor.WithClass(processor.ClassInterrupted, fmt.Errorf("%s: %w", doing, err))
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// fields are the record's hash fields in the order that encode and decode use.
func fields() []string {
	return []string{"state", "updated", "attempts", "generation", "class", "error", "at", "type", "product", "asset", "lane"}
}

func (r Record) encode(now time.Time) []any {
	return []any{
		"updated", r.Updated, "attempts", r.Attempts, "class", string(r.Class), "error", r.Error,
		"at", now.UnixMilli(), "type", r.Type, "product", r.Product, "asset", r.Asset, "lane", r.Lane,
	}
}

// decode reads what HMGET of fields gave; what does not parse counts as absent.
func decode(id string, v []string) Record {
	if len(v) != len(fields()) {
		return Record{ID: id}
	}
	attempts, _ := strconv.Atoi(v[2])
	generation, _ := strconv.Atoi(v[3])
	r := Record{
		ID: id, State: State(v[0]), Updated: v[1], Attempts: attempts, Generation: generation,
		Class: processor.ErrorClass(v[4]), Error: v[5], Type: v[7], Product: v[8], Asset: v[9], Lane: v[10],
	}
	if ms, err := strconv.ParseInt(v[6], 10, 64); err == nil {
		r.At = time.UnixMilli(ms)
	}
	return r
}
