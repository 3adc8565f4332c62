package connect_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/connect-processor/connect-processor/connect"
)

func TestEveryErrorBodyIsRead(t *testing.T) {
	rows := []struct {
		name     string
		body     string
		code     string
		messages []string
	}{
		{"as documented", `{"error_code":"VAL_001","errors":["a: required","b: wrong"]}`, "VAL_001", []string{"a: required", "b: wrong"}},
		{"errors as text", `{"error_code":"REQ_003","errors":"wrong\nstate"}`, "REQ_003", []string{"wrong state"}},
		{"errors as objects", `{"error_code":3,"errors":[{"a":"b"},null]}`, "3", []string{`{"a":"b"}`}},
		{"other object", `{"detail":"Not found."}`, "", []string{`{"detail":"Not found."}`}},
		{"list", `["a"]`, "", []string{`["a"]`}},
		{"text", `"a"`, "", []string{`"a"`}},
		{"HTML", "<html>\n<title>502 Bad\x1b[31m Gateway</title>", "", []string{"<html> <title>502 Bad [31m Gateway</title>"}},
		{"empty", "", "", nil},
		{"the key itself", `{"errors":["bad key ` + testKey + `"]}`, "", []string{"bad key [redacted]"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := newClient(t, reply(http.StatusBadRequest, row.body)).Request(t.Context(), "PR-1")
			e, ok := errors.AsType[*connect.Error](err)
			if !ok {
				t.Fatalf("%T %v", err, err)
			}
			if e.Status != http.StatusBadRequest || e.Code != row.code {
				t.Errorf("status %d code %q", e.Status, e.Code)
			}
			if diff := cmp.Diff(row.messages, e.Messages); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnErrorIsOneBoundedLine(t *testing.T) {
	body := `{"error_code":"` + strings.Repeat("C", 1000) + `","errors":["` + strings.Repeat("ü\\n ", 1000) + `","more"]}`
	_, err := newClient(t, reply(http.StatusConflict, body)).FailRequest(t.Context(), "PR-1", "no")
	text := err.Error()
	if n := utf8.RuneCountInString(text); n > 700 || strings.ContainsAny(text, "\r\n") {
		t.Errorf("%d signs: %q", n, text)
	}
	if !strings.HasPrefix(text, "failing request PR-1: 409 Conflict C") {
		t.Errorf("begins with %.60q", text)
	}
}

func TestAnErrorIsNotReadForEver(t *testing.T) {
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, strings.Repeat("x", 2<<20))
		<-r.Context().Done() // until the client has read enough
	})
	begin := time.Now()
	if _, err := client.Request(t.Context(), "PR-1"); connect.StatusOf(err) != http.StatusBadGateway {
		t.Errorf("got %v", err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("took %v: the call's time ended it, not the bound", took)
	}
}

func TestWhichErrorsAreTemporary(t *testing.T) {
	for status, want := range map[int]bool{
		400: false, 401: false, 403: false, 404: false, 408: true, 409: false, 422: false, 425: true, 429: true,
		500: true, 502: true, 503: true, 504: true,
	} {
		_, err := newClient(t, reply(status, "")).Request(t.Context(), "PR-1")
		e, ok := errors.AsType[*connect.Error](err)
		if !ok || e.Status != status || connect.StatusOf(err) != status {
			t.Fatalf("%d became %v", status, err)
		}
		if e.Temporary() != want {
			t.Errorf("%d is temporary: %t, want %t", status, !want, want)
		}
	}
	if got := connect.StatusOf(errors.New("other")); got != 0 {
		t.Errorf("another error has status %d", got)
	}
}

func TestRetryAfter(t *testing.T) {
	const date = "Mon, 02 Mar 2026 10:00:00 GMT"
	rows := []struct {
		name, header string
		want         time.Duration
		ok           bool
	}{
		{"seconds", "7", 7 * time.Second, true},
		{"zero", "0", 0, true},
		{"a date, by the server's clock", "Mon, 02 Mar 2026 10:01:30 GMT", 90 * time.Second, true},
		{"a date that is past", "Mon, 02 Mar 2026 09:00:00 GMT", 0, true},
		{"beyond belief", "4000000000", 24 * time.Hour, true},
		{"negative", "-1", 0, false},
		{"words", "soon", 0, false},
		{"absent", "", 0, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			client := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", date)
				if row.header != "" {
					w.Header().Set("Retry-After", row.header)
				}
				w.WriteHeader(http.StatusServiceUnavailable)
			})
			_, err := client.Request(t.Context(), "PR-1")
			e, ok := errors.AsType[*connect.Error](err)
			if !ok {
				t.Fatal(err)
			}
			if got, ok := e.RetryAfter(); got != row.want || ok != row.ok {
				t.Errorf("got %v, %t; want %v, %t", got, ok, row.want, row.ok)
			}
		})
	}
}
