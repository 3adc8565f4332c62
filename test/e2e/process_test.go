// Package e2e_test runs the built program as its users do, as processes with
// environment variables, against servers on loopback and a real Redis.
package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/connect-processor/connect-processor/internal/redistest"
	// Not used here, but built by TestMain: a cached result must not outlive a
	// change of the program.
	_ "github.com/connect-processor/connect-processor/processor/cli"
	"github.com/connect-processor/connect-processor/test/minimal"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "connect-processor")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		binary = filepath.Join(dir, "connect-processor")
		build := exec.CommandContext(context.Background(), "go", "build", "-o", binary, "../../cmd/connect-processor")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "building the program:", err)
			return 1
		}
		return m.Run()
	}())
}

// world is a Connect, a vendor and a Redis for processors to work on.
type world struct {
	*minimal.Server
	t     *testing.T
	url   string
	redis *redistest.Server
}

func newWorld(t *testing.T, options minimal.Options) *world {
	t.Helper()
	w := &world{Server: minimal.New(options), t: t, redis: redistest.Start(t)}
	server := httptest.NewServer(w.Server)
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// environ is what an operator sets, and nothing else.
func (w *world) environ(extra ...string) []string {
	return append([]string{
		"CONNECT_ENDPOINT=" + w.url + minimal.ConnectPath,
		"CONNECT_API_KEY=" + minimal.DefaultAPIKey,
		"VENDOR_BASE_URL=" + w.url + minimal.VendorPath,
		"PRODUCTS=" + minimal.ProductID,
		"ENVIRONMENTS=test",
		"REDIS_URL=" + w.redis.URL(),
		"ADMIN_ADDR=127.0.0.1:0",
		"WEB_ADDR=127.0.0.1:0",
		"POLLER_INTERVAL=300ms",
	}, extra...)
}

// process is one running processor.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	log *output
}

// output keeps what a process says.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// serve starts a processor with the shipped example configuration.
func (w *world) serve(extra ...string) *process {
	w.t.Helper()
	return start(w.t, w.environ(extra...), "serve", "--config", exampleConfig)
}

const exampleConfig = "../../deployments/config/processor-example.yaml"

// start runs the program with this environment and no other. It is killed at
// the end of the test when it still runs.
func start(t *testing.T, environ []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, log: &output{}}
	p.cmd = exec.CommandContext(t.Context(), binary, args...)
	p.cmd.Env = append([]string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}, environ...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s said:\n%s", args[0], p.log)
		}
	})
	return p
}

// kill ends the process as a crash does.
func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

// stop asks the process to end, and waits until it has.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("stopping: %v", err)
	}
}

// patience bounds what should take seconds, for slow and noisy machines.
const patience = 25 * time.Second

// settled waits until none of the requests is pending.
func (w *world) settled(ids ...string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	if err := w.Settled(ctx, ids...); err != nil {
		w.t.Fatal(err)
	}
}

// until waits until the condition holds.
func (w *world) until(what string, holds func() bool) {
	w.t.Helper()
	until(w.t, what, holds)
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		case <-tick.C:
		}
	}
}

// journal reads a field of what is remembered of a request.
func (w *world) journal(rdb redis.UniversalClient, request, field string) string {
	return journal(w.t, rdb, request, field)
}

func journal(t *testing.T, rdb redis.UniversalClient, request, field string) string {
	t.Helper()
	return rdb.HGet(t.Context(), "cp:{"+request+"}:rec", field).Val()
}

// approved checks that each request was approved, and carried out, once.
func (w *world) approved(ids ...string) {
	w.t.Helper()
	stats := w.Stats()
	for _, id := range ids {
		if status, reason, _ := w.Request(id); status != "approved" {
			w.t.Errorf("%s is %s %s", id, status, reason)
		}
		if n := stats.Approvals[id]; n != 1 {
			w.t.Errorf("%s was approved %d times", id, n)
		}
	}
}

// obeyed checks that no caller broke the protocol.
func (w *world) obeyed() {
	w.t.Helper()
	if faults := w.Stats().Violations; len(faults) > 0 {
		w.t.Errorf("%d violations of the protocol:\n%s", len(faults), strings.Join(faults, "\n"))
	}
}
