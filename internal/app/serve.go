package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/internal/admin"
	"github.com/connect-processor/connect-processor/internal/fulfillment"
	"github.com/connect-processor/connect-processor/internal/journal"
	"github.com/connect-processor/connect-processor/internal/limit"
	"github.com/connect-processor/connect-processor/internal/poller"
	"github.com/connect-processor/connect-processor/internal/queue"
	"github.com/connect-processor/connect-processor/internal/worker"
)

// A Role is one of the jobs that a process can have.
type Role string

// The roles.
const (
	RoleWeb    Role = "web"
	RolePoller Role = "poller"
	RoleWorker Role = "worker"
)

// AllRoles returns every role, for a process that does all.
func AllRoles() []Role { return []Role{RoleWeb, RolePoller, RoleWorker} }

// ServeOptions are what Serve needs beside Options.
type ServeOptions struct {
	Roles []Role

	// Dev uses a Redis in this process's memory.
	Dev bool

	// Started, when not nil, is told the addresses once all is under way.
	Started func(Addresses)
}

// Addresses are where a running process listens, "" where it does not.
type Addresses struct {
	Admin, Web string

	// parked asks the journal; for the demo, which has no other way to see
	// that a request has been put aside.
	parked func(ctx context.Context) (map[string]bool, error)
}

// Serve does the jobs of the roles until ctx ends and what is under way then
// has ended or gone back to the queue.
func Serve(ctx context.Context, o Options, s ServeOptions) error {
	if s.Dev {
		if len(s.Roles) != len(AllRoles()) {
			return errors.New("starting: --dev keeps its Redis in this process, so it must have all roles")
		}
		memory, err := startEmbedded(o.Now)
		if err != nil {
			return err
		}
		defer memory.stop()
		o.Config.Redis.URL = memory.url()
		o.Log.WarnContext(ctx, "Redis is in this process's memory: on exit it forgets what is parked, finished steps and attempts; Connect keeps every request")
	}
	if o.Config.Redis.URL == "" {
		return errNoRedis
	}
	p, err := assemble(o)
	if err != nil {
		return err
	}
	defer p.close()
	if err := reach(ctx, p.rdb); err != nil {
		return err
	}
	return p.serve(ctx, s)
}

// serve opens the ports and runs what the roles need: the ports stop last, so
// that the readiness page tells of the stop.
func (p *parts) serve(ctx context.Context, s ServeOptions) error {
	log := p.options.Log
	checks := []admin.Check{
		{Name: "process", Run: func(context.Context) error {
			if ctx.Err() != nil {
				return errors.New("stopping")
			}
			return nil
		}},
		{Name: "redis", Run: func(ctx context.Context) error { return queue.Ping(ctx, p.rdb) }},
	}
	var background []actor
	var refusals []func() error // of our key, by those who call Connect
	if slices.Contains(s.Roles, RoleWorker) {
		w, access, err := p.worker()
		if err != nil {
			return err
		}
		refusals = append(refusals, access.Err)
		background = append(background,
			actor{"probe of the Connect key", func(ctx context.Context) error { access.Probe(ctx, p.reachConnect); return nil }},
			actor{"worker", w.Run})
	}
	if slices.Contains(s.Roles, RolePoller) {
		pl := p.poller()
		refusals = append(refusals, func() error { return refusal(pl.Health().Err) })
		checks = append(checks, admin.Check{Name: "poller", Run: func(context.Context) error { return pl.Health().Err }})
		background = append(background, actor{"poller", pl.Run})
	}
	if len(refusals) > 0 {
		checks = append(checks, admin.Check{Name: "connect_key", Run: func(context.Context) error { return p.keyRefused(refusals) }})
	}
	background = append(background, actor{"product check", func(ctx context.Context) error {
		p.warn(ctx)
		<-ctx.Done()
		return nil
	}})

	operator, addresses, err := p.adminPort(ctx, checks)
	if err != nil {
		return err
	}
	actors := append([]actor{operator}, background...)
	if slices.Contains(s.Roles, RoleWeb) {
		public, address, err := p.publicPort(ctx)
		if err != nil {
			return err
		}
		addresses.Web = address
		actors = append(actors, public)
	}
	log.InfoContext(ctx, "serving", "roles", s.Roles, "admin", "http://"+addresses.Admin, "web", addresses.Web,
		"products", p.productIDs(), "environments", p.options.Config.Environments)
	if s.Started != nil {
		s.Started(addresses)
	}
	return runActors(ctx, log, actors)
}

func (p *parts) productIDs() []string {
	ids := make([]string, 0, len(p.options.Config.Products))
	for _, product := range p.options.Config.Products {
		ids = append(ids, product.ID)
	}
	return ids
}

// worker builds the worker, and the gate that a refusal of our Connect key closes.
func (p *parts) worker() (*worker.Worker, *worker.Access, error) {
	cfg := p.options.Config
	lanes := lanes(cfg)
	pool := 10
	for _, concurrency := range lanes {
		pool += 2 * concurrency // asynq's own, and the journal's
	}
	rdb, err := p.redis.connect(queue.Worker, pool)
	if err != nil {
		return nil, nil, err
	}
	engine := fulfillment.New(fulfillment.Config{
		Requests: p.connect, Actions: p.connect, Conversations: p.connect, Reader: p.connect,
		Templates: connect.NewTemplateCache(p.connect, templateCache, p.options.Now),
		Product:   p.vendors.product,
		MaxWait:   cfg.Retry.MaxWait,
		Log:       p.options.Log,
		Now:       p.options.Now,
	})
	access := worker.NewAccess()
	return worker.New(worker.Config{
		Redis: rdb, Queue: p.queue, Engine: engine,
		// A result that cannot be written is work done twice: be patient.
		Journal: journal.New(rdb, p.options.Now), Leases: limit.NewLeases(rdb, leaseTime, p.options.Now),
		Lanes: lanes, Concurrency: cfg.Worker.Concurrency, Lane: cfg.Lane,
		Retry:        worker.RetryPolicy{Schedule: cfg.Retry.Schedule, MaxAttempts: cfg.Retry.MaxAttempts},
		TaskTimeout:  cfg.Worker.TaskTimeout,
		DrainTimeout: cfg.Worker.ShutdownTimeout,
		Access:       access, Name: p.name, Log: p.options.Log, Now: p.options.Now,
	}), access, nil
}

func (p *parts) poller() *poller.Poller {
	cfg := p.options.Config
	return poller.New(poller.Config{
		Lister: p.connect, Queue: p.queue, Leases: p.leases,
		Products: p.productIDs(), Environments: cfg.Environments,
		Lane: cfg.Lane, Lanes: cfg.LaneNames(), Offers: p.vendors.offers,
		Interval: cfg.Poller.Interval, PageSize: cfg.Poller.PageSize,
		Name: p.name, Log: p.options.Log, Now: p.options.Now,
	})
}

// keyRefused returns the first refusal of our Connect key, with a hint.
func (p *parts) keyRefused(refusals []func() error) error {
	for _, last := range refusals {
		if err := last(); err != nil {
			return fmt.Errorf("%w; %s", err, connectHint(err, p.options.Config.Connect.Endpoint))
		}
	}
	return nil
}

// refusal returns err when it says that Connect refuses our key, else nil.
func refusal(err error) error {
	switch connect.StatusOf(err) {
	case http.StatusUnauthorized, http.StatusForbidden:
		return err
	}
	return nil
}

// warn names at the start what will stay pending, and what a person should
// mend before the first order comes.
func (p *parts) warn(ctx context.Context) {
	for _, product := range p.productIDs() {
		if missing := p.vendors.missing(product); len(missing) > 0 {
			p.options.Log.WarnContext(ctx, "nobody answers some types of requests: they stay pending",
				"product_id", product, "types", strings.Join(missing, ","))
		}
	}
	for _, finding := range p.checkConnect(ctx) {
		if !finding.OK && ctx.Err() == nil {
			p.options.Log.WarnContext(ctx, "check found a fault", "subject", finding.Subject, "found", finding.Text, "hint", finding.Hint)
		}
	}
}
