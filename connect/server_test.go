package connect_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/connect-processor/connect-processor/connect"
)

const (
	testKey = "SU-000-000-000:very-secret"

	// prefix is before every path, so that a client that builds its addresses
	// from the host alone misses the server.
	prefix = "/some/where/public/v1"
)

// newClient returns a client of a server that answers below the prefix with
// handler, which sees paths without it.
func newClient(t *testing.T, handler http.HandlerFunc) *connect.Client {
	t.Helper()
	return newClientWith(t, connect.Config{CallTimeout: 10 * time.Second}, handler)
}

func newClientWith(t *testing.T, cfg connect.Config, handler http.HandlerFunc) *connect.Client {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(prefix+"/", http.StripPrefix(prefix, handler))
	mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a call missed the API: %s", r.URL)
	})
	server := httptest.NewServer(mux)
	cfg.Endpoint, cfg.APIKey = server.URL+prefix+"/", testKey
	client, err := connect.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		server.Close()
	})
	return client
}

// reply answers everything with one status and body.
func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}
