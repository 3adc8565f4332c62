package poller

import (
	"context"
	"time"

	"github.com/connect-processor/connect-processor/internal/queue"
)

// takeOverAfter is how long a task must be active without a lease before its
// worker counts as dead. A living one holds the lease all the time but for the
// moments around its beginning and its end.
const takeOverAfter = 3 * time.Second

// takeOver enqueues again the requests of workers that died: their tasks are
// active in asynq's eyes for another minute or two, but nobody holds their
// lease any more.
func (p *Poller) takeOver(ctx context.Context) {
	var active []queue.Task
	for _, lane := range p.cfg.Lanes {
		tasks, err := p.cfg.Queue.Active(ctx, lane)
		if err != nil {
			p.cfg.Log.WarnContext(ctx, "looking for tasks of dead workers", "lane", lane, "error", err)
			return
		}
		active = append(active, tasks...)
	}
	if len(active) == 0 {
		clear(p.dead)
		return
	}
	names := make([]string, len(active))
	for i, t := range active {
		names[i] = t.LeaseName()
	}
	held, err := p.cfg.Leases.Held(ctx, names)
	if err != nil {
		p.cfg.Log.WarnContext(ctx, "looking for tasks of dead workers", "error", err)
		return
	}
	now := p.cfg.Now()
	dead := make(map[string]time.Time)
	for i, t := range active {
		if held[i] {
			continue
		}
		since, seen := p.dead[t.ID()]
		if !seen {
			since = now
		}
		dead[t.ID()] = since
		if now.Sub(since) < takeOverAfter {
			continue
		}
		taken, err := p.cfg.Queue.TakeOver(ctx, t)
		if err != nil {
			p.cfg.Log.WarnContext(ctx, "taking over from a dead worker", "request_id", t.Request, "error", err)
		}
		if taken {
			p.cfg.Log.WarnContext(ctx, "took over from a dead worker", "request_id", t.Request, "task_id", t.ID())
		}
	}
	p.dead = dead
}

// sweep empties asynq's archive into the journal.
func (p *Poller) sweep(ctx context.Context) {
	for _, lane := range p.cfg.Lanes {
		swept, err := p.cfg.Queue.SweepArchive(ctx, lane)
		if err != nil && ctx.Err() == nil {
			p.cfg.Log.WarnContext(ctx, "emptying asynq's archive", "lane", lane, "error", err)
		}
		if swept > 0 {
			p.cfg.Log.WarnContext(ctx, "tasks had been archived by another tool; they are parked now", "lane", lane, "parked", swept)
		}
	}
}
