package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// A Sight is how a task stands in Redis.
type Sight struct {
	Exists bool

	// Stranded is since when the task waits in a lane whose list of waiting
	// tasks is empty: a moment of transition, or, when it is seen twice, a
	// task that asynq has lost the list entry of and will never run.
	Stranded string
}

// Look returns how each task stands, in one round trip.
func (q *Queue) Look(ctx context.Context, tasks []Task) ([]Sight, error) {
	cmds := make([]*redis.SliceCmd, len(tasks))
	waiting := make(map[string]*redis.IntCmd)
	_, err := q.cfg.Redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, t := range tasks {
			cmds[i] = p.HMGet(ctx, taskKey(t), "state", "pending_since")
			if waiting[t.Lane] == nil {
				waiting[t.Lane] = p.LLen(ctx, "asynq:{"+t.Lane+"}:pending")
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for tasks: %w", err)
	}
	sights := make([]Sight, len(tasks))
	for i, cmd := range cmds {
		state, exists := cmd.Val()[0].(string)
		sights[i].Exists = exists
		if state == asynq.TaskStatePending.String() && waiting[tasks[i].Lane].Val() == 0 {
			sights[i].Stranded, _ = cmd.Val()[1].(string)
		}
	}
	return sights, nil
}

// taskKey is where asynq keeps a task.
func taskKey(t Task) string { return "asynq:{" + t.Lane + "}:t:" + t.ID() }

// Drop removes what is left of a stranded task, which asynq's own tools do not
// see, so that its request can be enqueued again.
func (q *Queue) Drop(ctx context.Context, t Task) error {
	if err := q.cfg.Redis.Del(ctx, taskKey(t)).Err(); err != nil {
		return fmt.Errorf("dropping the stranded task of %s: %w", t.Request, err)
	}
	return nil
}

// Active returns the tasks that asynq believes to be running.
func (q *Queue) Active(ctx context.Context, lane string) ([]Task, error) {
	var tasks []Task
	for page := 1; ctx.Err() == nil; page++ {
		infos, err := q.inspector.ListActiveTasks(lane, asynq.PageSize(pageSize), asynq.Page(page))
		if errors.Is(err, asynq.ErrQueueNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("listing active tasks: %w", err)
		}
		for _, info := range infos {
			if t, err := decode(info.Type, info.Payload, lane); err == nil {
				tasks = append(tasks, t)
			}
		}
		if len(infos) < pageSize {
			break
		}
	}
	return tasks, ctx.Err()
}

// pageSize of the inspector's lists.
const pageSize = 500
