package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"
)

// An actor runs until its context ends. It returns an error only when it
// cannot go on.
type actor struct {
	name string
	run  func(ctx context.Context) error
}

// runActors starts the actors in order and lets them run until ctx ends or one
// of them returns. Then it stops them one by one, the last started first, each
// only when the one before has ended: nobody loses what it still needs.
func runActors(ctx context.Context, log *slog.Logger, actors []actor) error {
	type running struct {
		actor
		stop context.CancelFunc
		done chan error
	}
	ended := make(chan struct{}, len(actors))
	started := make([]running, 0, len(actors))
	for _, a := range actors {
		own, stop := context.WithCancel(context.WithoutCancel(ctx))
		r := running{actor: a, stop: stop, done: make(chan error, 1)}
		go func() {
			r.done <- a.run(own)
			ended <- struct{}{}
		}()
		started = append(started, r)
	}
	select {
	case <-ctx.Done():
		log.InfoContext(ctx, "stopping; a second signal quits at once")
	case <-ended:
	}
	var errs []error
	for _, r := range slices.Backward(started) {
		r.stop()
		if err := <-r.done; err != nil {
			errs = append(errs, fmt.Errorf("running %s: %w", r.name, err))
		}
	}
	return errors.Join(errs...)
}

// Bounds of our own HTTP servers.
const (
	headerTimeout = 10 * time.Second
	httpDrain     = 5 * time.Second
)

// server returns an actor that serves handler on listener.
func server(name string, listener net.Listener, handler http.Handler, log *slog.Logger) actor {
	return actor{name: name, run: func(ctx context.Context) error {
		srv := &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: headerTimeout,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		}
		stopped := make(chan error, 1)
		go func() { stopped <- srv.Serve(listener) }()
		select {
		case err := <-stopped:
			return fmt.Errorf("serving: %w", err)
		case <-ctx.Done():
		}
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), httpDrain)
		defer cancel()
		if err := srv.Shutdown(drain); err != nil {
			_ = srv.Close() // clients that hold on are cut off
		}
		return nil
	}}
}

// listen opens a port, with a hint when it is taken.
func listen(ctx context.Context, key, address string) (net.Listener, error) {
	var listening net.ListenConfig
	listener, err := listening.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening on %s %q: %w; give another address, or port 0 for any free one", key, address, err)
	}
	return listener, nil
}
