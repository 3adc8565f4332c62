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

	"github.com/google/go-cmp/cmp"

	"github.com/connect-processor/connect-processor/connect"
)

func TestTheKeyIsSentInOneForm(t *testing.T) {
	for _, key := range []string{"SU-1:abc", "ApiKey SU-1:abc", "  apikey   SU-1:abc\n"} {
		var got string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = r.Header.Get("Authorization")
			_, _ = io.WriteString(w, `{"id":"PR-1"}`)
		}))
		client, err := connect.New(connect.Config{Endpoint: server.URL, APIKey: key})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Request(t.Context(), "PR-1"); err != nil {
			t.Error(err)
		}
		client.CloseIdleConnections()
		server.Close()
		if want := "ApiKey SU-1:abc"; got != want {
			t.Errorf("key %q was sent as %q, want %q", key, got, want)
		}
	}
}

func TestABadConfigIsRefusedWithoutRepeatingSecrets(t *testing.T) {
	rows := []struct {
		name, endpoint, key string
		want                []string
	}{
		{"both", "", "ApiKey ", []string{"endpoint", "key is empty"}},
		{"scheme", "ftp://api.example.com", "k", []string{"http or https"}},
		{"no URL", "https://u:hunter2@h:port:port", "k", []string{"not a URL"}},
		{"password", "https://u:hunter2@api.example.com", "k", []string{"more than scheme"}},
		{"query", "https://api.example.com/?a=b", "k", []string{"more than scheme"}},
		{"key", "https://api.example.com", "hunter2\nX: y", []string{"control sign"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := connect.New(connect.Config{Endpoint: row.endpoint, APIKey: row.key})
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q repeats a secret", err)
			}
		})
	}
}

func TestActionsSendWhatConnectExpects(t *testing.T) {
	ctx := context.Background()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600))
	text := func(s string) *string { return &s }
	rows := []struct {
		name string
		call func(*connect.Client) (*connect.Request, error)
		want string
	}{
		{"approve", func(c *connect.Client) (*connect.Request, error) {
			return c.ApproveRequest(ctx, "PR-1", connect.Approval{TemplateID: "TL-1", EffectiveDate: at})
		}, `POST /requests/PR-1/approve {"template_id":"TL-1","effective_date":"2026-03-01T11:00:00+00:00"}`},
		{
			"fail", func(c *connect.Client) (*connect.Request, error) { return c.FailRequest(ctx, "PR-1", "no") },
			`POST /requests/PR-1/fail {"reason":"no"}`,
		},
		{
			"inquire", func(c *connect.Client) (*connect.Request, error) { return c.InquireRequest(ctx, "PR-1", "TL-2") },
			`POST /requests/PR-1/inquire {"template_id":"TL-2"}`,
		},
		{
			"inquire without template", func(c *connect.Client) (*connect.Request, error) { return c.InquireRequest(ctx, "PR-1", "") },
			`POST /requests/PR-1/inquire {}`,
		},
		{
			"pend", func(c *connect.Client) (*connect.Request, error) { return c.PendRequest(ctx, "PR-1") },
			`POST /requests/PR-1/pend `,
		},
		{
			"schedule", func(c *connect.Client) (*connect.Request, error) { return c.ScheduleRequest(ctx, "PR-1", at) },
			`POST /requests/PR-1/schedule {"planned_date":"2026-03-01T11:00:00+00:00"}`,
		},
		{
			"confirm", func(c *connect.Client) (*connect.Request, error) { return c.ConfirmRequest(ctx, "PR-1") },
			`POST /requests/PR-1/confirm `,
		},
		{"update", func(c *connect.Client) (*connect.Request, error) {
			return c.UpdateRequest(ctx, "PR-1", connect.RequestUpdate{Note: text(""), Params: []connect.ParamUpdate{
				{ID: "a", Value: text("1")}, {ID: "b", ValueError: text("")}, {ID: "c", StructuredValue: []byte(`{"x":1}`)},
			}})
		}, `PUT /requests/PR-1 {"asset":{"params":[{"id":"a","value":"1"},{"id":"b","value_error":""},` +
			`{"id":"c","structured_value":{"x":1}}]},"note":""}`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var got, contentType string
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got, contentType = r.Method+" "+r.URL.Path+" "+string(body), r.Header.Get("Content-Type")
				_, _ = io.WriteString(w, `{"id":"PR-1","status":"approved"}`)
			})
			request, err := row.call(client)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
			if hasBody := strings.HasSuffix(got, "}"); hasBody != (contentType == "application/json") {
				t.Errorf("%s is of type %q", got, contentType)
			}
			if request.ID != "PR-1" || request.Status != connect.StatusApproved {
				t.Errorf("answer read as %q %q", request.ID, request.Status)
			}
		})
	}
}

func TestAnActionThatConnectAcceptedIsNeverAnError(t *testing.T) {
	answers := map[string]http.HandlerFunc{
		"nothing":  reply(http.StatusNoContent, ""),
		"HTML":     reply(http.StatusOK, "<html>"),
		"a list":   reply(http.StatusOK, "[]"),
		"null":     reply(http.StatusOK, "null"),
		"no ID":    reply(http.StatusCreated, `{}`),
		"garbage":  reply(http.StatusOK, `{"id":"PR-1","status":"approved"`),
		"another":  reply(http.StatusOK, `{"id":"JOB-1","status":"queued"}`),
		"cut off":  func(w http.ResponseWriter, _ *http.Request) { cutOff(w, `{"id":"PR-`) },
		"too long": reply(http.StatusOK, `{"id":"`+strings.Repeat("x", 9<<20)+`"}`),
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			request, err := newClient(t, answer).ApproveRequest(t.Context(), "PR-1", connect.Approval{TemplateID: "TL-1"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&connect.Request{ID: "PR-1"}, request); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnIDIsOnePartOfThePath(t *testing.T) {
	var got []string
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.URL.EscapedPath())
		_, _ = io.WriteString(w, `{"id":"x"}`)
	})
	if _, err := client.PendRequest(t.Context(), "PR/1?"); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"", ".", ".."} {
		if _, err := client.Request(t.Context(), id); err == nil {
			t.Errorf("read %q", id)
		}
		if _, err := client.ConfirmRequest(t.Context(), id); err == nil {
			t.Errorf("confirmed %q", id)
		}
	}
	if diff := cmp.Diff([]string{"/requests/PR%2F1%3F/pend"}, got); diff != "" {
		t.Errorf("called (-want +got):\n%s", diff)
	}
}

func TestAReadWithoutAnObjectIsADecodeError(t *testing.T) {
	for name, body := range map[string]string{
		"nothing": "", "HTML": "<html>", "a list": "[]", "null": "null", "another object": `{"detail":"down"}`, "too long": `"` + strings.Repeat("x", 9<<20) + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newClient(t, reply(http.StatusOK, body)).Request(t.Context(), "PR-1")
			e, ok := errors.AsType[*connect.DecodeError](err)
			if !ok {
				t.Fatalf("%T %v, want a *DecodeError", err, err)
			}
			if e.ID != "PR-1" || string(e.Raw) != body[:min(len(body), 64<<10)] || len(err.Error()) > 200 {
				t.Errorf("ID %q, %d bytes of %d: %.300v", e.ID, len(e.Raw), len(body), err)
			}
		})
	}
}

func TestAnObjectIsNotReadForEver(t *testing.T) {
	client := newClient(t, hang(func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"id":"`+strings.Repeat("x", 9<<20)) }))
	_, err := client.Request(t.Context(), "PR-1")
	if _, ok := errors.AsType[*connect.DecodeError](err); !ok {
		t.Errorf("got %v, want a *DecodeError before the call's time is over", err)
	}
}

// cutOff promises more than it sends.
func cutOff(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Length", "1000")
	w.Header().Set("Content-Range", "items 0-99/250")
	_, _ = io.WriteString(w, body)
}
