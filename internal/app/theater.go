package app

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"time"

	"github.com/connect-processor/connect-processor/internal/emulator"
)

// theater plays stories on the stage.
type theater struct {
	stage    stage
	parked   func(ctx context.Context) (map[string]bool, error)
	progress func(Progress)
}

// playing is one story under way.
type playing struct {
	story   story
	current int    // index of the chapter
	request string // of the current chapter, "" before it is ordered
	asset   string
	tenant  string // the vendor's ID, once there is one
}

// lookEvery is how often the stage is looked at.
const lookEvery = 200 * time.Millisecond

// play makes each chapter's request when the one before has ended, until all
// have. It returns an error at the first that ends otherwise than its story
// says.
func (t theater) play(ctx context.Context, stories []story, now func() time.Time) (DemoReport, error) {
	began := now()
	running := make([]*playing, len(stories))
	for i, s := range stories {
		running[i] = &playing{story: s}
	}
	var last Progress
	for {
		standing, progress, err := t.look(ctx)
		if err != nil {
			return DemoReport{}, err
		}
		if t.progress != nil && !reflect.DeepEqual(progress, last) {
			t.progress(progress)
			last = progress
		}
		left := 0
		for _, p := range running {
			done, err := t.advance(ctx, p, standing)
			if err != nil {
				return t.report(ctx, progress, now().Sub(began), err)
			}
			if !done {
				left++
			}
		}
		if left == 0 {
			return t.report(ctx, progress, now().Sub(began), nil)
		}
		select {
		case <-ctx.Done():
			return t.report(ctx, progress, now().Sub(began), fmt.Errorf("playing the demo: %d stories are not at their end: %w", left, ctx.Err()))
		case <-time.After(lookEvery):
		}
	}
}

// look returns every request with its status, which is parked where the
// journal says so, and counts them.
func (t theater) look(ctx context.Context) (map[string]placed, Progress, error) {
	standing, err := t.stage.requests(ctx)
	if err != nil {
		return nil, nil, err
	}
	parked, err := t.parked(ctx)
	if err != nil {
		return nil, nil, err
	}
	progress := make(Progress)
	for id, r := range maps.All(standing) {
		if parked[id] {
			r.Status = endsParked
			standing[id] = r
		}
		if progress[r.Type] == nil {
			progress[r.Type] = make(map[string]int)
		}
		progress[r.Type][r.Status]++
	}
	return standing, progress, nil
}

// advance orders the story's next request when the current one has ended. It
// reports whether the story is at its end.
func (t theater) advance(ctx context.Context, p *playing, standing map[string]placed) (bool, error) {
	if p.current == len(p.story) {
		return true, nil
	}
	chapter := p.story[p.current]
	if p.request != "" {
		r := standing[p.request]
		switch r.Status {
		case chapter.ends:
		case endsApproved, endsFailed, endsParked, "inquiring":
			return false, fmt.Errorf("playing the demo: %s %s is %s, not %s", chapter.kind, p.request, r.Status, chapter.ends)
		default:
			return false, nil // not ended yet
		}
		if id := r.Params["subscription_id"]; id != "" {
			p.tenant = id
		}
		p.current++
		p.request = ""
		if p.current == len(p.story) {
			return true, nil
		}
		chapter = p.story[p.current]
	}
	if f := chapter.fault; f != nil {
		fault := *f
		fault.Path = withTenant(fault.Path, p.tenant)
		if err := t.stage.misbehave(ctx, fault); err != nil {
			return false, err
		}
	}
	made, err := t.stage.order(ctx, emulator.ProductID, p.asset, chapter)
	if err != nil {
		return false, err
	}
	p.request, p.asset = made.ID, made.Asset
	return false, nil
}

func (t theater) report(ctx context.Context, progress Progress, took time.Duration, cause error) (DemoReport, error) {
	r := DemoReport{Seconds: took.Round(time.Millisecond).Seconds()}
	for _, byStatus := range progress {
		for status, n := range byStatus {
			r.Requests += n
			switch status {
			case endsApproved:
				r.Approved += n
			case endsFailed:
				r.Failed += n
			case "inquiring":
				r.Inquired += n
			case endsParked:
				r.Parked += n
			default:
				r.Waiting += n
			}
		}
	}
	if cause != nil {
		return r, cause
	}
	c, err := t.stage.counters(ctx)
	if err != nil {
		return r, err
	}
	r.Vendor.Tenants, r.Vendor.Duplicates = c.Tenants, c.Duplicates
	if c.Duplicates > 0 {
		return r, fmt.Errorf("playing the demo: the vendor has %d duplicate tenants", c.Duplicates)
	}
	return r, nil
}
