package emulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/connect-processor/connect-processor/internal/emulator"
)

type conversation struct {
	ID         string `json:"id"`
	InstanceID string `json:"instance_id"`
	Status     string `json:"status"`
}

func TestEveryRequestHasAConversation(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	r := e.purchase(t)
	other := e.purchase(t)
	byInstance := decodeAs[conversation](t, e.get(t, "/conversations/"+r.ID))
	if byInstance.InstanceID != r.ID || !strings.HasPrefix(byInstance.ID, "CO-") || byInstance.Status != "open" {
		t.Fatalf("conversation %+v, want an open one of %s", byInstance, r.ID)
	}
	if diff := cmp.Diff(byInstance, decodeAs[conversation](t, e.get(t, "/conversations/"+byInstance.ID))); diff != "" {
		t.Errorf("by its own ID (-by instance +by ID):\n%s", diff)
	}
	for query, want := range map[string]int{
		"?instance_id=" + r.ID:                                1,
		"?eq(instance_id," + r.ID + ")":                       1,
		"?in(instance_id,(" + r.ID + "," + other.ID + "))":    2,
		"?eq(id," + byInstance.ID + ")&ordering(created)":     1,
		"?instance_id=PR-0000-0000-0000-001":                  0,
		"?like(instance_id,PR-*)":                             2,
		"?instance_id=" + r.ID + "&instance_id=" + other.ID:   0,
		"?instance_id=" + byInstance.ID:                       0,
		"?out(instance_id,(" + r.ID + "))&ordering(-created)": 1,
	} {
		if got := len(decodeAs[[]conversation](t, e.get(t, "/conversations"+query))); got != want {
			t.Errorf("%s: %d conversations, want %d", query, got, want)
		}
	}
	e.must(t, http.StatusMethodNotAllowed, http.MethodPost, "/public/v1/conversations", `{"instance_id":"PR-1"}`)
}

func TestMessages(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	r := e.purchase(t)
	path := "/public/v1/conversations/" + decodeAs[conversation](t, e.get(t, "/conversations/"+r.ID)).ID + "/messages"
	for _, body := range []string{
		`{"text":"one"}`, `{"text":"two","type":"private"}`, `{"text":"three","type":"state_change"}`,
	} {
		e.must(t, http.StatusCreated, http.MethodPost, path+"/", body)
	}
	for _, body := range []string{`{}`, `{"text":"  "}`, `{"text":"x","type":"shout"}`, `nonsense`} {
		e.refuses(t, "VAL_001", http.MethodPost, path, body)
	}
	for query, want := range map[string]string{
		"":                                       "one/message two/private three/state_change",
		"?type=private":                          "two/private",
		"?in(type,(message,state_change))":       "one/message three/state_change",
		"?ordering(-created)&limit=1":            "three/state_change",
		"?limit=1&offset=1":                      "two/private",
		"?eq(events.created.by.id,UR-0)":         "",
		"?like(text,t*)&ge(created," + r.Created: "two/private three/state_change",
	} {
		if strings.Contains(query, "ge(") {
			query += ")"
		}
		var got []string
		for _, m := range decodeAs[[]struct{ Text, Type string }](t, e.must(t, http.StatusOK, http.MethodGet, path+query, "")) {
			got = append(got, m.Text+"/"+m.Type)
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("messages%s: %q, want %q", query, got, want)
		}
	}
	e.must(t, http.StatusOK, http.MethodPost, "/public/v1/conversations/"+r.ID+"/close", "")
	e.refuses(t, "VAL_001", http.MethodPost, path, `{"text":"late"}`)
}
