package test_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/connect-processor/connect-processor/internal/emulator"
	"github.com/connect-processor/connect-processor/internal/redistest"
	"github.com/connect-processor/connect-processor/processor"
	"github.com/connect-processor/connect-processor/processor/cli"
)

// TestMain makes this test's binary the program, too: the scripts run it by
// its name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"connect-processor": func() { cli.Main(processor.Vendor{}) },
	})
}

// TestScripts runs what a user types, and looks at what a user sees. Each
// script has an emulator of its own, and an environment with which everything
// is in order.
func TestScripts(t *testing.T) {
	redis := redistest.Start(t)
	example, err := filepath.Abs("../deployments/config/processor-example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "scripts",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			server := httptest.NewServer(emulator.New(emulator.Config{APIKeys: []string{emulator.APIKey}}))
			e.Defer(server.Close)
			e.Vars = append(e.Vars,
				"EXAMPLE="+example,
				"EMULATOR="+server.URL,
				"TAKEN="+server.Listener.Addr().String(),
				"FREE="+freeAddress(t),
				"CLOSED=127.0.0.1:1",
				"CONNECT_ENDPOINT="+server.URL+"/public/v1",
				"CONNECT_API_KEY="+emulator.APIKey,
				"VENDOR_BASE_URL="+server.URL+"/vendor",
				"PRODUCTS="+emulator.ProductID,
				"REDIS_URL="+redis.URL(),
				"ADMIN_ADDR=127.0.0.1:0",
				"WEB_ADDR=127.0.0.1:0",
				"POLLER_INTERVAL=200ms",
			)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits, "lines": lines, "json": oneJSON, "control": control, "until": until, "terminate": terminate,
		},
	})
}

// exits CODE COMMAND... runs a command that must end with this code. What it
// printed is there for stdout, stderr, lines and json.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		code = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit %d, want %s\nstdout:\n%s\nstderr:\n%s", code, args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// lines STREAM N checks how many lines were printed.
func lines(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	if n := strings.Count(text, "\n"); strconv.Itoa(n) != args[1] {
		ts.Fatalf("%d lines on %s, want %s:\n%s", n, args[0], args[1], text)
	}
}

// json KIND checks that stdout is one JSON value and nothing else: object or
// array.
func oneJSON(ts *testscript.TestScript, _ bool, args []string) {
	text := strings.TrimSpace(ts.ReadFile("stdout"))
	opening := map[string]string{"object": "{", "array": "["}[args[0]]
	if !json.Valid([]byte(text)) || opening == "" || !strings.HasPrefix(text, opening) {
		ts.Fatalf("stdout is not one JSON %s:\n%s", args[0], text)
	}
}

// control METHOD PATH [JSON] speaks to the emulator's control plane, whose
// answer becomes stdout.
func control(ts *testscript.TestScript, _ bool, args []string) {
	body := strings.Join(args[2:], "")
	request, err := http.NewRequest(args[0], ts.Getenv("EMULATOR")+"/_emulator"+args[1], strings.NewReader(body)) //nolint:noctx // a script ends with its test
	ts.Check(err)
	status, answer := call(ts, request)
	if status > 299 {
		ts.Fatalf("%s %s: %d %s", args[0], args[1], status, answer)
	}
	_, err = ts.Stdout().Write(append(answer, '\n'))
	ts.Check(err)
}

// until URL TEXT waits until what is served there holds the text.
func until(ts *testscript.TestScript, _ bool, args []string) {
	const patience = 30 * time.Second
	deadline := time.After(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequest(http.MethodGet, args[0], http.NoBody) //nolint:noctx // a script ends with its test
		ts.Check(err)
		_, answer := call(ts, request)
		if bytes.Contains(answer, []byte(args[1])) {
			return
		}
		select {
		case <-deadline:
			ts.Fatalf("%s: %q is not there after %s; the last answer: %s", args[0], args[1], patience, answer)
		case <-tick.C:
		}
	}
}

// terminate sends SIGTERM, as orchestrators do, to what runs in the
// background.
func terminate(ts *testscript.TestScript, _ bool, _ []string) {
	for _, process := range ts.BackgroundCmds() {
		ts.Check(process.Process.Signal(syscall.SIGTERM))
	}
}

// call returns status and body, or the status 0 where nobody listens.
func call(ts *testscript.TestScript, request *http.Request) (int, []byte) {
	client := &http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return 0, []byte(err.Error())
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	ts.Check(err)
	return response.StatusCode, body
}

// freeAddress returns an address on which nobody listens right now.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
