package connect_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/connect-processor/connect-processor/connect"
)

func TestRedirectsToAnotherHostAreRefused(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the key traveled: %q", r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+"/requests/PR-1", http.StatusTemporaryRedirect)
	})
	_, reading := client.Request(t.Context(), "PR-1")
	_, acting := client.FailRequest(t.Context(), "PR-1", "no")
	for _, err := range []error{reading, acting} {
		e, ok := errors.AsType[*connect.Error](err)
		if !ok || e.Status != http.StatusTemporaryRedirect || !e.Temporary() {
			t.Errorf("%#v, want a temporary error of status 307", err)
		}
	}
}

func TestAnActionIsNotTurnedIntoARead(t *testing.T) {
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			t.Error("the redirect was followed as a GET")
		}
		http.Redirect(w, r, prefix+"/requests/PR-1", http.StatusFound)
	})
	if _, err := client.FailRequest(t.Context(), "PR-1", "no"); connect.StatusOf(err) != http.StatusFound {
		t.Errorf("got %v, want status 302", err)
	}
}

func TestARedirectOnTheSameHostIsFollowed(t *testing.T) {
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/requests/PR-1" {
			http.Redirect(w, r, prefix+"/requests/PR-2", http.StatusMovedPermanently)
			return
		}
		_, _ = io.WriteString(w, `{"id":"PR-2"}`)
	})
	request, err := client.Request(t.Context(), "PR-1")
	if err != nil || request.ID != "PR-2" {
		t.Errorf("got %v, %v", request, err)
	}
}

func TestCallTimeoutBoundsTheWholeCall(t *testing.T) {
	answers := map[string]func(http.ResponseWriter){
		"never answers": func(http.ResponseWriter) {},
		"hangs after one byte": func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, "{")
			w.(http.Flusher).Flush() //nolint:errcheck // the server's writer is one
		},
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			client := newClientWith(t, connect.Config{CallTimeout: 100 * time.Millisecond}, hang(answer))
			_, err := client.Request(t.Context(), "PR-1")
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want a deadline", err)
			}
			if e, ok := errors.AsType[*connect.Error](err); !ok || !e.Temporary() {
				t.Errorf("got %#v, want a temporary error", err)
			}
		})
	}
}

func TestTheCallersCancellationPassesThrough(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client := newClient(t, hang(func(http.ResponseWriter) { cancel() }))
	if _, err := client.Request(ctx, "PR-1"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a cancellation", err)
	}
	for _, err := range client.Requests(ctx, connect.Query{}) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("listing: got %v, want a cancellation", err)
		}
	}
}

func TestTheCauseOfACancellationIsKept(t *testing.T) {
	lost := errors.New("the lease is lost")
	for name, answer := range map[string]string{"before the answer": "", "within it": "{"} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			client := newClient(t, hang(func(w http.ResponseWriter) {
				if answer != "" {
					_, _ = io.WriteString(w, answer)
					w.(http.Flusher).Flush() //nolint:errcheck // the server's writer is one
				}
				cancel(lost)
			}))
			if _, err := client.Request(ctx, "PR-1"); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want a cancellation", err)
			}
		})
	}
}

func TestAnActionWhoseAnswerHangsHasHappened(t *testing.T) {
	client := newClientWith(t, connect.Config{CallTimeout: 100 * time.Millisecond}, hang(func(w http.ResponseWriter) {
		_, _ = io.WriteString(w, "{")
		w.(http.Flusher).Flush() //nolint:errcheck // the server's writer is one
	}))
	if request, err := client.ConfirmRequest(t.Context(), "PR-1"); err != nil || request.ID != "PR-1" {
		t.Errorf("got %v, %v", request, err)
	}
}

func TestNobodyListening(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	client, err := connect.New(connect.Config{Endpoint: server.URL, APIKey: testKey})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Request(t.Context(), "PR-1")
	e, ok := errors.AsType[*connect.Error](err)
	if !ok || e.Status != 0 || !e.Temporary() || e.Unwrap() == nil {
		t.Errorf("got %#v, want a temporary error without status", err)
	}
	if strings.Contains(err.Error(), testKey) {
		t.Errorf("%v holds the key", err)
	}
}

// hang answers and then waits for the client to go away.
func hang(answer func(http.ResponseWriter)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer(w)
		<-r.Context().Done()
	}
}
