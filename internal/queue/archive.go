package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/hibiken/asynq"

	"github.com/connect-processor/connect-processor/internal/journal"
	"github.com/connect-processor/connect-processor/processor"
)

// SweepArchive gives each task that asynq has archived its record as parked,
// and takes it out of asynq's archive, which forgets. The program itself
// archives nothing: such tasks come from other tools.
func (q *Queue) SweepArchive(ctx context.Context, lane string) (swept int, err error) {
	infos, err := q.inspector.ListArchivedTasks(lane, asynq.PageSize(pageSize))
	if errors.Is(err, asynq.ErrQueueNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("listing archived tasks: %w", err)
	}
	for _, info := range infos {
		t, err := decode(info.Type, info.Payload, lane)
		if err != nil {
			continue
		}
		if err := q.park(ctx, t, info.LastErr); err != nil {
			return swept, err
		}
		if err := q.inspector.DeleteTask(lane, info.ID); err != nil && !errors.Is(err, asynq.ErrTaskNotFound) {
			return swept, fmt.Errorf("emptying the archive: %w", err)
		}
		swept++
	}
	return swept, nil
}

// park records an archived task, unless the journal knows better.
func (q *Queue) park(ctx context.Context, t Task, lastErr string) error {
	known, err := q.cfg.Journal.Lookup(ctx, []string{t.Request})
	if err != nil {
		return err
	}
	if s := known[0].State; s == journal.Parked || s == journal.Done {
		return nil
	}
	r := known[0]
	r.Type, r.Product, r.Asset, r.Lane = t.Type, t.Product, t.Asset, t.Lane
	r.State, r.Class, r.Error = journal.Parked, processor.ClassInterrupted, "archived by hand; "+lastErr
	return q.cfg.Journal.Settle(ctx, r, journal.Unfenced)
}
