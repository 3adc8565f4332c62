package app

import (
	"context"
	"fmt"
	"time"

	"github.com/connect-processor/connect-processor/internal/journal"
	"github.com/connect-processor/connect-processor/internal/queue"
	"github.com/connect-processor/connect-processor/processor"
)

// ParkedRequest is a request that waits for a person, as the journal has it.
type ParkedRequest struct {
	ID         string               `json:"id"`
	Type       string               `json:"type"`
	Product    string               `json:"product"`
	Asset      string               `json:"asset"`
	State      string               `json:"state"`
	Attempts   int                  `json:"attempts"`
	ErrorClass processor.ErrorClass `json:"error_class"`
	Error      string               `json:"error"`
	Updated    time.Time            `json:"updated"` // when it was parked
}

// Parked lists the requests that wait for a person, the newest first, up to
// limit.
func Parked(ctx context.Context, o Options, limit int) ([]ParkedRequest, error) {
	s, err := openReached(ctx, o)
	if err != nil {
		return nil, err
	}
	defer s.redis.close()
	records, err := s.journal.Parked(ctx, int64(limit))
	if err != nil {
		return nil, err
	}
	list := make([]ParkedRequest, 0, len(records))
	for _, r := range records {
		list = append(list, ParkedRequest{
			ID: r.ID, Type: r.Type, Product: r.Product, Asset: r.Asset, State: string(r.State),
			Attempts: r.Attempts, ErrorClass: r.Class, Error: r.Error, Updated: r.At.UTC(),
		})
	}
	return list, nil
}

// RetryParked gives each parked request a fresh budget and enqueues it. It
// returns the IDs of those that are not parked, which are left alone.
func RetryParked(ctx context.Context, o Options, ids []string) (notParked []string, err error) {
	s, err := openReached(ctx, o)
	if err != nil {
		return nil, err
	}
	defer s.redis.close()
	records, err := s.journal.Lookup(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		if r.State != journal.Parked {
			notParked = append(notParked, r.ID)
			continue
		}
		if err := s.queue.Reopen(ctx, taskOf(r)); err != nil {
			return notParked, fmt.Errorf("retrying %s: %w", r.ID, err)
		}
	}
	return notParked, nil
}

// taskOf returns the task that a request was parked with.
func taskOf(r journal.Record) queue.Task {
	return queue.Task{
		Request: r.ID, Asset: r.Asset, Product: r.Product, Type: r.Type, Lane: r.Lane, Generation: r.Generation,
	}
}

// openReached opens the store and makes sure that Redis is there.
func openReached(ctx context.Context, o Options) (*store, error) {
	if o.Config.Redis.URL == "" {
		return nil, errNoRedis
	}
	s, err := openStore(o)
	if err != nil {
		return nil, err
	}
	if err := reach(ctx, s.rdb); err != nil {
		s.redis.close()
		return nil, err
	}
	return s, nil
}
