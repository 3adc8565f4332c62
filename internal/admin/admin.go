// Package admin is the operator's port: health for whoever restarts processes,
// and asynq's web UI over the queue. It reads and never writes; what a check
// looks at, package app decides.
//
// It belongs on loopback or behind credentials: asynq's UI has no door of its
// own.
package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/hibiken/asynqmon"
	"github.com/redis/go-redis/v9"
)

// queuesPath is where asynq's web UI is.
const queuesPath = "/queues"

// A Check reports whether one thing that the process needs is there; its error
// is shown to whoever asks.
type Check struct {
	Name string
	Run  func(ctx context.Context) error
}

// Config of the operator's port.
type Config struct {
	// Redis opens a connection for asynq's UI, which closes what it gets.
	Redis func() redis.UniversalClient

	// Ready are the checks behind /readyz. Liveness asks nobody.
	Ready []Check

	// Username and Password close the port, but for the health pages, when
	// they are set.
	Username, Password string
}

// Handler serves the operator's port until Close.
type Handler struct {
	http.Handler
	monitor *asynqmon.HTTPHandler
}

// New returns the operator's port.
func New(cfg Config) *Handler {
	monitor := asynqmon.New(asynqmon.Options{
		RootPath:     queuesPath,
		RedisConnOpt: connection{cfg.Redis},
		ReadOnly:     true,
	})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "alive"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { ready(w, r, cfg.Ready) })
	mux.Handle(queuesPath+"/", door(cfg, monitor))
	mux.Handle("GET /{$}", door(cfg, http.RedirectHandler(queuesPath+"/", http.StatusFound)))
	return &Handler{Handler: mux, monitor: monitor}
}

// Close ends the connections of asynq's UI.
func (h *Handler) Close() error {
	if err := h.monitor.Close(); err != nil {
		return fmt.Errorf("closing the queue's web UI: %w", err)
	}
	return nil
}

// connection hands asynq's UI connections that were built by us.
type connection struct{ open func() redis.UniversalClient }

// MakeRedisClient implements asynq.RedisConnOpt.
func (c connection) MakeRedisClient() any { return c.open() }

var _ asynq.RedisConnOpt = connection{}

// readyTimeout bounds all checks together.
const readyTimeout = time.Second

// ready answers 200 when every check passes, else 503 with what does not.
func ready(w http.ResponseWriter, r *http.Request, checks []Check) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	errs := make([]error, len(checks))
	var asked sync.WaitGroup
	for i, check := range checks {
		asked.Go(func() { errs[i] = ask(ctx, check) })
	}
	asked.Wait()
	status := http.StatusOK
	result := map[string]string{}
	for i, check := range checks {
		result[check.Name] = "ok"
		if errs[i] != nil {
			status = http.StatusServiceUnavailable
			result[check.Name] = errs[i].Error()
		}
	}
	writeJSON(w, status, result)
}

// ask runs the check until ctx ends, and waits no longer for one that ignores
// that, as a call to a Redis that hangs does.
func ask(ctx context.Context, check Check) error {
	answer := make(chan error, 1)
	go func() { answer <- check.Run(ctx) }()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return errNoAnswer
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client may be gone; there is nobody to tell.
	_ = json.NewEncoder(w).Encode(body)
}

// door asks for the credentials, when there are any.
func door(cfg Config, next http.Handler) http.Handler {
	if cfg.Password == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		username, password, _ := r.BasicAuth()
		if !same(username, cfg.Username) || !same(password, cfg.Password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="Connect Processor", charset="UTF-8"`)
			http.Error(w, errUnauthorized.Error(), http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

var errNoAnswer = errors.New("no answer within " + readyTimeout.String())

var errUnauthorized = errors.New("the operator's port needs admin.username and admin.password")

// same compares in constant time, whatever the lengths.
func same(given, wanted string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(wanted))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
