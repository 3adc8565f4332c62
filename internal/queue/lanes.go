package queue

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

const (
	epochKey  = "cp:{ctl}:epoch"
	lanesKey  = "cp:{ctl}:lanes"
	keepEpoch = 30 * 24 * time.Hour // a new epoch costs one full look, and registers the lanes again
	keepLanes = 2 * keepEpoch
)

// Register makes the lanes known to asynq's tools and to workers that serve
// other lanes. asynq's client does so once in its life, which is not enough
// when Redis has been emptied.
func (q *Queue) Register(ctx context.Context, lanes []string) error {
	members := make([]any, len(lanes))
	for i, lane := range lanes {
		members[i] = lane
	}
	_, err := q.cfg.Redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.SAdd(ctx, "asynq:queues", members...)
		p.SAdd(ctx, lanesKey, members...)
		p.Expire(ctx, lanesKey, keepLanes)
		return nil
	})
	if err != nil {
		return fmt.Errorf("registering lanes: %w", err)
	}
	return nil
}

// Lanes returns every lane that anybody has registered lately.
func (q *Queue) Lanes(ctx context.Context) ([]string, error) {
	lanes, err := q.cfg.Redis.SMembers(ctx, lanesKey).Result()
	if err != nil {
		return nil, fmt.Errorf("reading the lanes: %w", err)
	}
	return lanes, nil
}

// Depth returns how many tasks of the lane wait, run or will run again.
func (q *Queue) Depth(lane string) (int, error) {
	info, err := q.inspector.GetQueueInfo(lane)
	if errors.Is(err, asynq.ErrQueueNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the depth of lane %s: %w", lane, err)
	}
	return info.Pending + info.Active + info.Scheduled + info.Retry, nil
}

// Epoch returns a word that stays the same until Redis loses its memory. What
// a producer remembers of an earlier epoch is worth nothing.
func (q *Queue) Epoch(ctx context.Context) (string, error) {
	epoch, err := q.cfg.Redis.Get(ctx, epochKey).Result()
	if !errors.Is(err, redis.Nil) {
		return epoch, wrapEpoch(err)
	}
	if err := q.cfg.Redis.SetNX(ctx, epochKey, rand.Text(), keepEpoch).Err(); err != nil {
		return "", wrapEpoch(err)
	}
	epoch, err = q.cfg.Redis.Get(ctx, epochKey).Result()
	return epoch, wrapEpoch(err)
}

func wrapEpoch(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("reading the epoch: %w", err)
}
