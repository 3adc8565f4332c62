package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
)

// script notes what actors do, in order.
type script struct {
	mu    sync.Mutex
	lines []string
}

func (s *script) note(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
}

// waiting is an actor that runs until it is stopped.
func (s *script) waiting(name string, started *sync.WaitGroup) actor {
	started.Add(1)
	return actor{name, func(ctx context.Context) error {
		started.Done()
		<-ctx.Done()
		s.note(name)
		return nil
	}}
}

func TestActorsStopInReverseOrder(t *testing.T) {
	var s script
	var started sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	actors := []actor{s.waiting("admin", &started), s.waiting("worker", &started), s.waiting("web", &started)}
	go func() {
		started.Wait()
		cancel()
	}()
	if err := runActors(ctx, slog.New(slog.DiscardHandler), actors); err != nil {
		t.Fatal(err)
	}
	if want := []string{"web", "worker", "admin"}; !slices.Equal(s.lines, want) {
		t.Errorf("stopped %v, want %v", s.lines, want)
	}
}

func TestAnActorThatCannotGoOnStopsTheOthers(t *testing.T) {
	var s script
	var started sync.WaitGroup
	boom := errors.New("no port")
	actors := []actor{
		s.waiting("admin", &started),
		{"worker", func(context.Context) error { return boom }},
		s.waiting("web", &started),
	}
	err := runActors(t.Context(), slog.New(slog.DiscardHandler), actors)
	if !errors.Is(err, boom) || !strings.Contains(err.Error(), "worker") {
		t.Errorf("err = %v", err)
	}
	if want := []string{"web", "admin"}; !slices.Equal(s.lines, want) {
		t.Errorf("stopped %v, want %v", s.lines, want)
	}
}
