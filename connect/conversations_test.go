package connect_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/connect-processor/connect-processor/connect"
)

func TestAConversationIsFoundByItsRequest(t *testing.T) {
	var asked string
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Path + "?" + r.URL.RawQuery
		_, _ = io.WriteString(w, `[null,{"id":"CO-1","instance_id":"PR-2"},{"id":"CO-2","instance_id":"PR-1","topic":"A","status":"open"}]`)
	})
	got, err := client.Conversation(t.Context(), "PR-1")
	if err != nil {
		t.Fatal(err)
	}
	want := &connect.Conversation{ID: "CO-2", InstanceID: "PR-1", Topic: "A", Status: "open"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := "/conversations?eq(instance_id,PR-1)&limit=100&offset=0"; asked != want {
		t.Errorf("asked %s, want %s", asked, want)
	}
}

func TestAMissingConversationIsA404(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"none of the request": reply(http.StatusOK, `[{"id":"CO-1","instance_id":"PR-2"}]`),
		"refused":             reply(http.StatusNotFound, ""),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := newClient(t, answer).Conversation(t.Context(), "PR-1"); connect.StatusOf(err) != http.StatusNotFound {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestMessagesAreReadAndPosted(t *testing.T) {
	var posted string
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/conversations/CO-1/messages" {
			t.Errorf("called %s", r.URL)
		}
		if r.Method == http.MethodPost {
			body, _ := io.ReadAll(r.Body)
			posted = string(body)
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"id":"ME-2","text":"hi","type":"private"}`)
			return
		}
		_, _ = io.WriteString(w, `[{"id":"ME-1","text":"hello","type":"message","events":{"created":{"at":"2024"}}}]`)
	})
	for message, err := range client.Messages(t.Context(), "CO-1", connect.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		want := &connect.Message{ID: "ME-1", Text: "hello", Type: connect.MessagePublic, Created: "2024"}
		if diff := cmp.Diff(want, message); diff != "" {
			t.Errorf("read (-want +got):\n%s", diff)
		}
	}
	got, err := client.PostMessage(t.Context(), "CO-1", connect.NewMessage{Text: "hi", Type: connect.MessagePrivate})
	if err != nil || got.ID != "ME-2" {
		t.Errorf("got %v, %v", got, err)
	}
	if want := `{"text":"hi","type":"private"}`; posted != want {
		t.Errorf("posted %s, want %s", posted, want)
	}
}
