package poller

import (
	"context"
	"slices"

	"github.com/connect-processor/connect-processor/internal/queue"
)

// memory is what the leader believes to be enqueued. It saves writes and
// nothing else: it holds for one epoch of Redis, and every poll checks it
// against the tasks that are there.
type memory struct {
	epoch string
	tasks map[string]remembered // by request ID
}

type remembered struct {
	task     queue.Task
	updated  string
	stranded string // see queue.Sight
}

func (m *memory) forget() {
	m.epoch = ""
	m.tasks = make(map[string]remembered)
}

func (m *memory) remember(t queue.Task, updated string) {
	m.tasks[t.Request] = remembered{task: t, updated: updated}
}

// missing returns the items that must be enqueued: those not remembered as they
// are now, and those whose task has left Redis or is stranded there. When the
// list is complete, what is not in it is no longer pending, and is dropped from
// memory. After an error the items that could not be looked up are left for the
// next poll.
func (p *Poller) missing(ctx context.Context, items []queue.Item, complete bool) ([]queue.Item, error) {
	var missing, known []queue.Item
	kept := make(map[string]remembered, len(items))
	for _, item := range items {
		r, ok := p.memory.tasks[item.Request]
		if !ok || r.updated != item.Updated {
			missing = append(missing, item)
			continue
		}
		kept[item.Request] = r
		known = append(known, item)
	}
	if complete {
		p.memory.tasks = kept
	}
	for batch := range slices.Chunk(known, enqueueBatch) {
		tasks := make([]queue.Task, len(batch))
		for i, item := range batch {
			tasks[i] = kept[item.Request].task
		}
		sights, err := p.cfg.Queue.Look(ctx, tasks)
		if err != nil {
			return missing, err
		}
		for i, item := range batch {
			r, sight := kept[item.Request], sights[i]
			if sight.Exists && (sight.Stranded == "" || sight.Stranded != r.stranded) {
				r.stranded = sight.Stranded
				p.memory.tasks[item.Request] = r
				continue
			}
			if sight.Exists {
				p.cfg.Log.WarnContext(ctx, "a task had lost its place in the queue", "request_id", item.Request, "task_id", r.task.ID())
				if err := p.cfg.Queue.Drop(ctx, r.task); err != nil {
					return missing, err
				}
			}
			delete(p.memory.tasks, item.Request)
			missing = append(missing, item)
		}
	}
	return missing, nil
}
