// Package redistest starts real Redis servers for tests: one process each, on
// a free port of loopback, with its data in the test's temporary folder. Only
// tests import it.
package redistest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// Server is a redis-server of the test's own.
type Server struct {
	Addr string

	tb  testing.TB
	dir string
	cmd *exec.Cmd
}

// URL is where the server is.
func (s *Server) URL() string { return "redis://" + s.Addr }

// Client returns a connection that ends with the test.
func (s *Server) Client() redis.UniversalClient { return client(s.tb, s.Addr) }

func client(tb testing.TB, addr string) redis.UniversalClient {
	tb.Helper()
	c := redis.NewClient(&redis.Options{Addr: addr})
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// Start starts a server that ends with the test. Without redis-server the test
// is skipped, except in CI, where it fails.
func Start(tb testing.TB) *Server {
	tb.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		const hint = "redis-server is missing; install it with: apt-get install redis-server"
		if os.Getenv("CI") == "true" { //nolint:forbidigo // tests have no configuration
			tb.Fatal(hint)
		}
		tb.Skip(hint)
	}
	s := &Server{tb: tb, Addr: freeAddr(tb), dir: tb.TempDir()}
	s.Run()
	tb.Cleanup(s.Kill)
	return s
}

// Run starts the process, again after a Kill, and returns once it answers.
func (s *Server) Run() {
	s.tb.Helper()
	host, port, _ := net.SplitHostPort(s.Addr)
	s.cmd = exec.Command("redis-server", "--bind", host, "--port", port, "--dir", s.dir, //nolint:gosec,noctx // the test's own process, ended by Kill
		"--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction", "--loglevel", "warning")
	if err := s.cmd.Start(); err != nil {
		s.tb.Fatalf("starting redis-server: %v", err)
	}
	if err := s.answers(); err != nil {
		s.tb.Fatalf("starting redis-server: %v", err)
	}
}

// Kill ends the process at once, as SIGKILL does.
func (s *Server) Kill() {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// patience is how long a server may take to answer on a busy machine.
const patience = time.Minute

func (s *Server) answers() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := redis.NewClient(&redis.Options{Addr: s.Addr})
	defer func() { _ = c.Close() }()
	for {
		err := c.Ping(ctx).Err()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("no answer within %s", patience), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func freeAddr(tb testing.TB) string {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	if _, err := strconv.Atoi(port); err != nil {
		tb.Fatal(err)
	}
	return listener.Addr().String()
}

// Each runs the test on a real Redis and on the embedded one: both are
// shipped.
func Each(t *testing.T, test func(t *testing.T, rdb redis.UniversalClient)) {
	t.Helper()
	t.Run("redis-server", func(t *testing.T) { test(t, Start(t).Client()) })
	t.Run("embedded", func(t *testing.T) { test(t, client(t, miniredis.RunT(t).Addr())) })
}
