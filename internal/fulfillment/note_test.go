package fulfillment_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/internal/fulfillment"
)

const (
	readsConversation = "GET /conversations"
	readsMessages     = "GET /conversations/CO-1/messages"
	posts             = "POST /conversations/CO-1/messages"
)

func TestNoteIsPrivate(t *testing.T) {
	p := newPlatform()
	p.Messages = []string{"Parked: once before"}
	if err := newEngine(t, p, fulfillment.Product{}).Note(t.Context(), "PR-1", "Parked: the vendor refused"); err != nil {
		t.Fatal(err)
	}
	checkCalls(t, p, readsConversation, readsMessages, posts+` {"text":"Parked: the vendor refused","type":"private"}`)
}

func TestNoteIsNotRepeated(t *testing.T) {
	p := newPlatform()
	p.Messages = []string{"hello", "Parked: the vendor refused", "bye"}
	if err := newEngine(t, p, fulfillment.Product{}).Note(t.Context(), "PR-1", "Parked: the vendor refused"); err != nil {
		t.Fatal(err)
	}
	checkCalls(t, p, readsConversation, readsMessages)
}

func TestLongNoteIsClipped(t *testing.T) {
	p := newPlatform()
	engine := newEngine(t, p, fulfillment.Product{})
	long := strings.Repeat("ü", 600)
	if err := engine.Note(t.Context(), "PR-1", long); err != nil {
		t.Fatal(err)
	}
	var sent struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(p.Calls[len(p.Calls)-1], posts)), &sent); err != nil {
		t.Fatal(err)
	}
	if n := utf8.RuneCountInString(sent.Text); n != 540 || !strings.HasSuffix(sent.Text, "ü…") {
		t.Errorf("%d characters: %s", n, sent.Text)
	}

	p.Calls, p.Messages = nil, []string{sent.Text}
	if err := engine.Note(t.Context(), "PR-1", long); err != nil {
		t.Fatal(err)
	}
	checkCalls(t, p, readsConversation, readsMessages) // the clipped text is known again
}

func TestNoteThatCannotBeLeft(t *testing.T) {
	for _, call := range []string{readsConversation, readsMessages, posts} {
		p := troubled(call, refusal(http.StatusForbidden))
		err := newEngine(t, p, fulfillment.Product{}).Note(t.Context(), "PR-1", "Parked")
		if connect.StatusOf(err) != http.StatusForbidden || !strings.Contains(err.Error(), "PR-1") {
			t.Errorf("%s: error %v", call, err)
		}
	}
}

func TestUpdatedReadsTheRequestAnew(t *testing.T) {
	p := newPlatform()
	engine := newEngine(t, p, fulfillment.Product{})
	p.version = 7
	if updated, err := engine.Updated(t.Context(), "PR-1"); updated != "version 7" || err != nil {
		t.Errorf("updated %q, error %v", updated, err)
	}
	p.Replies[readsRequest] = []reply{refusal(http.StatusBadGateway)}
	if updated, err := engine.Updated(t.Context(), "PR-1"); updated != "" || connect.StatusOf(err) != http.StatusBadGateway {
		t.Errorf("updated %q, error %v", updated, err)
	}
}
