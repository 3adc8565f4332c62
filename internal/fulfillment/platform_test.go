package fulfillment_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/connect-processor/connect-processor/connect"
)

// A platform is a Connect with one request, small enough to read at once. It
// is reached through the real client, without a network, so that it works with
// any clock.
type platform struct {
	Type, Status, Created string
	Params                []param
	Templates             []template
	Messages              []string // of the request's conversation

	// Replies are given, in turn, in place of the platform's own answers to a
	// call, such as "POST /requests/PR-1/approve".
	Replies map[string][]reply

	// Calls are all that came, with their bodies; whoever is not Connect
	// writes itself in between.
	Calls []string

	version int
}

type param struct {
	ID              string         `json:"id"`
	Value           string         `json:"value"`
	StructuredValue any            `json:"structured_value,omitempty"`
	ValueError      string         `json:"value_error,omitempty"`
	Phase           string         `json:"phase"`
	Constraints     map[string]any `json:"constraints,omitempty"`
}

type template struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Scope string `json:"scope"`
	Type  string `json:"type"`
}

// newPlatform returns a Connect with a pending purchase of a product that has
// one template of each type.
func newPlatform() *platform {
	return &platform{
		Type: "purchase", Status: "pending", Created: "2026-10-01T10:00:00+00:00",
		Params: []param{
			{ID: "domain", Value: "example.com", Phase: "ordering"},
			{ID: "tenant_id", Phase: "fulfillment", Constraints: map[string]any{"required": true}},
			{ID: "admin", Phase: "ordering", StructuredValue: map[string]any{"name": "Ada", "level": 1}},
		},
		Templates: []template{
			{ID: "TL-1", Name: "Welcome", Scope: "asset", Type: "fulfillment"},
			{ID: "TL-2", Name: "Correct it", Scope: "asset", Type: "inquire"},
		},
		Replies: map[string][]reply{},
	}
}

// The calls that most tests see.
const (
	readsRequest   = "GET /requests/PR-1"
	readsTemplates = "GET /products/PRD-1/templates"
	asksVendor     = "vendor"
	approves       = "POST /requests/PR-1/approve"
	savesParams    = "PUT /requests/PR-1"
)

// A reply stands in for the platform's own.
type reply func(own func() *http.Response) (*http.Response, error)

// refusal answers with a status and headers, each "Name: value".
func refusal(status int, headers ...string) reply {
	return func(func() *http.Response) (*http.Response, error) {
		recorder := httptest.NewRecorder()
		for _, header := range headers {
			name, value, _ := strings.Cut(header, ": ")
			recorder.Header().Set(name, value)
		}
		recorder.WriteHeader(status)
		return recorder.Result(), nil
	}
}

// lost carries the call out and loses the answer.
func lost(own func() *http.Response) (*http.Response, error) {
	_ = own().Body.Close()
	return nil, errors.New("connection reset by peer")
}

// empty carries the call out and answers with nothing but a 200.
func empty(own func() *http.Response) (*http.Response, error) {
	_ = own().Body.Close()
	return refusal(http.StatusOK)(own)
}

// page is a proxy's answer to a call that never arrives.
func page(func() *http.Response) (*http.Response, error) { return refusal(http.StatusOK)(nil) }

// then carries the call out after something else has happened.
func then(happens func()) reply {
	return func(own func() *http.Response) (*http.Response, error) {
		happens()
		return own(), nil
	}
}

func (p *platform) client(t *testing.T) *connect.Client {
	t.Helper()
	client, err := connect.New(connect.Config{Endpoint: "http://connect.test/public/v1", APIKey: "SU-1:key", Transport: p})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// RoundTrip implements http.RoundTripper.
func (p *platform) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	call := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/public/v1")
	p.Calls = append(p.Calls, strings.TrimSpace(call+" "+string(body)))
	own := func() *http.Response {
		recorder := httptest.NewRecorder()
		status, answer := p.answer(call, r.URL.RawQuery, body)
		recorder.WriteHeader(status)
		_ = json.NewEncoder(recorder).Encode(answer)
		return recorder.Result()
	}
	if replies := p.Replies[call]; len(replies) > 0 {
		p.Replies[call] = replies[1:]
		return replies[0](own)
	}
	return own(), nil
}

// answer is what the real platform would answer, as far as tests need it.
func (p *platform) answer(call, query string, body []byte) (status int, answer any) {
	switch call {
	case readsRequest:
		return http.StatusOK, p.request()
	case savesParams:
		return p.save(body)
	case readsTemplates:
		return http.StatusOK, slices.DeleteFunc(append([]template{}, p.Templates...), func(t template) bool {
			return !strings.Contains(query, "eq(type,"+t.Type+")")
		})
	case "GET /conversations":
		return http.StatusOK, []any{
			map[string]any{"id": "CO-2", "instance_id": "PR-2"},
			map[string]any{"id": "CO-1", "instance_id": "PR-1"},
		}
	case "GET /conversations/CO-1/messages":
		list := make([]any, len(p.Messages))
		for i, text := range p.Messages {
			list[i] = map[string]any{"id": fmt.Sprint("MS-", i), "text": text, "type": "private"}
		}
		return http.StatusOK, list
	case "POST /conversations/CO-1/messages":
		return http.StatusCreated, map[string]any{"id": "MS-9"}
	}
	if action, ok := strings.CutPrefix(call, "POST /requests/PR-1/"); ok {
		return p.act(action, body)
	}
	return http.StatusNotFound, nil
}

func (p *platform) request() any {
	return map[string]any{
		"id": "PR-1", "type": p.Type, "status": p.Status, "created": p.Created, "updated": p.updated(),
		"asset": map[string]any{"id": "AS-1", "product": map[string]any{"id": "PRD-1"}, "params": p.Params},
	}
}

// updated is the request's version; it changes with each write.
func (p *platform) updated() string { return fmt.Sprint("version ", p.version) }

func badRequest(code string) (status int, answer any) {
	return http.StatusBadRequest, map[string]any{"error_code": code, "errors": []string{"not like this"}}
}

func (p *platform) save(body []byte) (status int, answer any) {
	var update struct {
		Asset struct {
			Params []struct {
				ID              string  `json:"id"`
				Value           *string `json:"value"`
				StructuredValue any     `json:"structured_value"`
				ValueError      *string `json:"value_error"`
			} `json:"params"`
		} `json:"asset"`
	}
	if p.Status != "pending" || json.Unmarshal(body, &update) != nil {
		return badRequest("REQ_003")
	}
	p.Params = slices.Clone(p.Params)
	for _, u := range update.Asset.Params {
		i := slices.IndexFunc(p.Params, func(own param) bool { return own.ID == u.ID })
		if i < 0 {
			return badRequest("VAL_001")
		}
		own := &p.Params[i]
		// Without a value the old one is blanked, as by some real servers.
		own.Value = *cmp.Or(u.Value, new(string))
		own.StructuredValue = u.StructuredValue
		own.ValueError = *cmp.Or(u.ValueError, new(string))
	}
	p.version++
	return http.StatusOK, p.request()
}

func (p *platform) act(action string, body []byte) (status int, answer any) {
	var said struct {
		TemplateID  string `json:"template_id"`
		Reason      string `json:"reason"`
		PlannedDate string `json:"planned_date"`
	}
	if len(body) > 0 && json.Unmarshal(body, &said) != nil {
		return badRequest("VAL_001")
	}
	hasTemplate := slices.ContainsFunc(p.Templates, func(t template) bool { return t.ID == said.TemplateID })
	lacksParam := slices.ContainsFunc(p.Params, func(own param) bool {
		return own.Constraints["required"] == true && own.Value == "" && own.StructuredValue == nil
	})
	hasProblem := slices.ContainsFunc(p.Params, func(own param) bool { return own.ValueError != "" })
	steps := map[string]struct {
		from, to string
		allowed  bool
	}{
		"approve":  {"pending", "approved", hasTemplate && !lacksParam},
		"fail":     {"pending", "failed", said.Reason != ""},
		"inquire":  {"pending", "inquiring", hasProblem},
		"schedule": {"pending", "scheduled", said.PlannedDate != ""},
		"confirm":  {"revoking", "revoked", true},
	}
	step := steps[action]
	if p.Status != step.from || !step.allowed {
		return badRequest("REQ_003")
	}
	p.Status = step.to
	p.version++
	return http.StatusOK, p.request()
}
