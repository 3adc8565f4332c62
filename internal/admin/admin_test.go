package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/connect-processor/connect-processor/internal/admin"
	"github.com/connect-processor/connect-processor/internal/redistest"
)

// newPort returns the operator's port on a Redis that refuses connections,
// unless cfg brings one.
func newPort(t *testing.T, cfg admin.Config) *admin.Handler {
	t.Helper()
	if cfg.Redis == nil {
		cfg.Redis = func() redis.UniversalClient {
			return redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
		}
	}
	port := admin.New(cfg)
	t.Cleanup(func() {
		if err := port.Close(); err != nil {
			t.Error(err)
		}
	})
	return port
}

// ask sends a request to the port; change may be nil.
func ask(t *testing.T, port http.Handler, method, path string, change func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody)
	if change != nil {
		change(request)
	}
	recorder := httptest.NewRecorder()
	port.ServeHTTP(recorder, request)
	return recorder
}

func checksIn(t *testing.T, r *httptest.ResponseRecorder) map[string]string {
	t.Helper()
	if got := r.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
	var checks map[string]string
	if err := json.Unmarshal(r.Body.Bytes(), &checks); err != nil {
		t.Fatal(err)
	}
	return checks
}

func passes(context.Context) error { return nil }

func TestLivenessAsksNobody(t *testing.T) {
	port := newPort(t, admin.Config{Ready: []admin.Check{{Name: "redis", Run: func(context.Context) error {
		t.Error("liveness ran a check")
		return errors.New("away")
	}}}})
	response := ask(t, port, http.MethodGet, "/healthz", nil)
	if response.Code != http.StatusOK {
		t.Errorf("status %d", response.Code)
	}
	if diff := cmp.Diff(map[string]string{"status": "alive"}, checksIn(t, response)); diff != "" {
		t.Error(diff)
	}
}

func TestReadinessNamesWhatIsMissing(t *testing.T) {
	for _, tt := range []struct {
		name   string
		checks []admin.Check
		status int
		want   map[string]string
	}{
		{
			name:   "all is there",
			checks: []admin.Check{{Name: "redis", Run: passes}, {Name: "connect_key", Run: passes}},
			status: http.StatusOK,
			want:   map[string]string{"redis": "ok", "connect_key": "ok"},
		},
		{
			name: "something is missing",
			checks: []admin.Check{
				{Name: "redis", Run: passes},
				{Name: "connect_key", Run: func(context.Context) error { return errors.New("401 Unauthorized") }},
			},
			status: http.StatusServiceUnavailable,
			want:   map[string]string{"redis": "ok", "connect_key": "401 Unauthorized"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			response := ask(t, newPort(t, admin.Config{Ready: tt.checks}), http.MethodGet, "/readyz", nil)
			if response.Code != tt.status {
				t.Errorf("status %d, want %d", response.Code, tt.status)
			}
			if diff := cmp.Diff(tt.want, checksIn(t, response)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A check of a Redis that hangs returns when its socket times out, whatever
// its context says.
func TestReadinessWaitsForNoCheckThatHangs(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	port := newPort(t, admin.Config{Ready: []admin.Check{
		{Name: "redis", Run: func(context.Context) error { <-release; return nil }},
		{Name: "process", Run: passes},
	}})
	response := ask(t, port, http.MethodGet, "/readyz", nil)
	if response.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d", response.Code)
	}
	want := map[string]string{"redis": "no answer within 1s", "process": "ok"}
	if diff := cmp.Diff(want, checksIn(t, response)); diff != "" {
		t.Error(diff)
	}
}

func TestTheQueuesAreShownAndNotChanged(t *testing.T) {
	server := redistest.Start(t)
	rdb := server.Client()
	if err := rdb.SAdd(t.Context(), "asynq:queues", "default").Err(); err != nil {
		t.Fatal(err)
	}
	port := newPort(t, admin.Config{Redis: func() redis.UniversalClient {
		return redis.NewClient(&redis.Options{Addr: server.Addr})
	}})

	page := ask(t, port, http.MethodGet, "/queues/", nil)
	if html := page.Body.String(); page.Code != http.StatusOK || !strings.Contains(html, "<html") {
		t.Errorf("the page: %d %s", page.Code, html)
	}
	list := ask(t, port, http.MethodGet, "/queues/api/queues", nil)
	if text := list.Body.String(); list.Code != http.StatusOK || !strings.Contains(text, `"queue":"default"`) {
		t.Errorf("the list: %d %s", list.Code, text)
	}
	for _, change := range []struct{ method, path string }{
		{http.MethodPost, "/queues/api/queues/default:pause"},
		{http.MethodDelete, "/queues/api/queues/default"},
	} {
		if got := ask(t, port, change.method, change.path, nil).Code; got != http.StatusMethodNotAllowed {
			t.Errorf("%s %s: status %d", change.method, change.path, got)
		}
	}
	if paused, err := rdb.Exists(t.Context(), "asynq:{default}:paused").Result(); err != nil || paused != 0 {
		t.Errorf("paused: %d, %v", paused, err)
	}
}

func TestTheRootLeadsToTheQueues(t *testing.T) {
	port := newPort(t, admin.Config{})
	response := ask(t, port, http.MethodGet, "/", nil)
	if got := response.Header().Get("Location"); response.Code != http.StatusFound || got != "/queues/" {
		t.Errorf("%d to %q", response.Code, got)
	}
	if got := ask(t, port, http.MethodGet, "/else", nil).Code; got != http.StatusNotFound {
		t.Errorf("an unknown page: %d", got)
	}
}

func TestTheDoorIsClosedButForTheHealthPages(t *testing.T) {
	port := newPort(t, admin.Config{Username: "op", Password: "s3cret"})
	with := func(username, password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(username, password) }
	}
	for _, tt := range []struct {
		name, path string
		as         func(*http.Request)
		want       int
	}{
		{"no credentials", "/queues/", nil, http.StatusUnauthorized},
		{"no credentials at the API", "/queues/api/queues", nil, http.StatusUnauthorized},
		{"no credentials at the root", "/", nil, http.StatusUnauthorized},
		{"wrong password", "/queues/", with("op", "s3cre"), http.StatusUnauthorized},
		{"wrong user", "/queues/", with("operator", "s3cret"), http.StatusUnauthorized},
		{"empty", "/queues/", with("", ""), http.StatusUnauthorized},
		{"right", "/queues/", with("op", "s3cret"), http.StatusOK},
		{"liveness", "/healthz", nil, http.StatusOK},
		{"readiness", "/readyz", nil, http.StatusOK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			response := ask(t, port, http.MethodGet, tt.path, tt.as)
			if response.Code != tt.want {
				t.Errorf("status %d, want %d", response.Code, tt.want)
			}
			if asks := response.Header().Get("WWW-Authenticate") != ""; asks != (tt.want == http.StatusUnauthorized) {
				t.Errorf("asks for credentials: %t", asks)
			}
		})
	}
}
