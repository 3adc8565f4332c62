package emulator

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// APIKey is a key in the platform's form, for those who run the emulator without choosing keys of their own.
	APIKey = "SU-000-000-001:emulator" //nolint:gosec // opens nothing but an emulator

	// ProductID names the example product that every emulator starts with.
	ProductID = "PRD-100-200-300"

	apiVersion     = "37.0"
	defaultPageCap = 1000
	maxBody        = 16 << 20
)

// Config says who may call and how the emulator pages. The zero value works.
type Config struct {
	// APIKeys are the accepted keys, with or without the "ApiKey " prefix. Empty: any key that is not empty.
	APIKeys []string

	// PageCap is the largest page a list serves, whatever limit is asked for. Defaults to 1000, Connect's own.
	PageCap int

	// Log receives one debug line per call. Defaults to none.
	Log *slog.Logger

	// Now is the clock behind created and updated. Defaults to the system's.
	Now func() time.Time
}

// Server is the emulator. Its methods may be called from any number of goroutines.
type Server struct {
	keys    []string
	pageCap int
	log     *slog.Logger
	mounts  []mount

	mu      sync.Mutex // guards all below; endpoints run under it and never block
	clock   *clock
	state   *state
	counted *counters
	faults  *faults
}

// New returns an emulator that holds the example product and nothing else.
func New(cfg Config) *Server {
	if cfg.PageCap <= 0 {
		cfg.PageCap = defaultPageCap
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now //nolint:forbidigo // the default of an injected clock
	}
	s := &Server{pageCap: cfg.PageCap, log: cfg.Log, clock: &clock{now: cfg.Now}}
	for _, key := range cfg.APIKeys {
		s.keys = append(s.keys, strings.TrimPrefix(key, keyPrefix))
	}
	s.mounts = []mount{
		{name: targetConnect, prefix: "/public/v1", routes: s.connectRoutes(), refuse: connectRefusal},
		{name: targetVendor, prefix: "/vendor", routes: s.vendorRoutes(), refuse: vendorRefusal},
		{name: "control", prefix: "/_emulator", routes: s.controlRoutes(), refuse: connectRefusal},
	}
	s.reset()
	return s
}

func (s *Server) reset() {
	s.state = newState(s.clock)
	s.counted = newCounters()
	s.faults = newFaults()
}

// ServeHTTP answers one call: it is counted, meets the faults set for it, is authorized, and then takes effect.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m, path, ok := s.mountOf(r.URL.Path)
	if !ok {
		connectRefusal(notFound("no such path")).write(w)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		status := http.StatusBadRequest
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		m.refuse(&refusal{status: status, code: codeValidation, messages: []string{"reading body: " + err.Error()}}).write(w)
		return
	}
	rt, args, refused := m.find(r.Method, path)
	c := &call{request: r, args: args, body: body}

	hit := s.arrive(m, rt, r.Method, path)
	if !hit.wait(r.Context()) {
		return
	}
	var answer reply
	switch {
	case hit.before():
		answer = hit.answer(m)
	case refused != nil:
		answer = m.refuse(refused)
	default:
		answer = s.serve(m, rt, c)
		if hit.after() {
			answer = hit.answer(m)
		}
	}
	s.log.LogAttrs(r.Context(), slog.LevelDebug, "answering call", slog.String("target", m.name),
		slog.String("method", r.Method), slog.String("path", path), slog.Int("status", answer.status))
	if m.name == targetConnect {
		w.Header().Set("Connect-Version", apiVersion)
	}
	answer.write(w)
}

func (s *Server) serve(m mount, rt route, c *call) reply {
	if m.name == targetConnect {
		if refused := s.authorize(c.request); refused != nil {
			return m.refuse(refused)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer, refused := rt.serve(c)
	if refused != nil {
		return m.refuse(refused)
	}
	return answer
}

// arrive counts the call and says which fault it meets. The control plane meets none.
func (s *Server) arrive(m mount, rt route, method, path string) hit {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.name != targetConnect && m.name != targetVendor {
		return hit{}
	}
	if rt.serve != nil {
		s.counted.arrived(m.name, method, rt.pattern)
	}
	return s.faults.meet(m.name, method, path)
}

const keyPrefix = "ApiKey "

func (s *Server) authorize(r *http.Request) *refusal {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), keyPrefix)
	key = strings.TrimSpace(key)
	if !ok || key == "" {
		return unauthorized()
	}
	if len(s.keys) > 0 && !slices.Contains(s.keys, key) {
		return unauthorized()
	}
	return nil
}

func (s *Server) connectRoutes() []route {
	routes := []route{on("GET", "/", func(*call) (reply, *refusal) {
		return jsonReply(http.StatusOK, map[string]string{"version": apiVersion}), nil
	})}
	routes = append(routes, s.requestRoutes()...)
	routes = append(routes, s.assetRoutes()...)
	routes = append(routes, s.productRoutes()...)
	return append(routes, s.conversationRoutes()...)
}
