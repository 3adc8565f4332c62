package emulator_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/connect-processor/connect-processor/internal/emulator"
)

// An emulated is an emulator on a port, and everybody who calls it.
type emulated struct {
	url    string
	client *http.Client
}

func newEmulated(tb testing.TB, cfg emulator.Config) *emulated {
	tb.Helper()
	server := httptest.NewServer(emulator.New(cfg))
	tb.Cleanup(server.Close)
	return &emulated{url: server.URL, client: server.Client()}
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

// call reports an error only where no answer came.
func (e *emulated) call(tb testing.TB, method, path, body string, header ...string) (answer, error) {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), method, e.url+path, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Authorization", "ApiKey "+emulator.APIKey)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := e.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	return answer{status: response.StatusCode, header: response.Header, body: content}, err
}

func (e *emulated) must(tb testing.TB, status int, method, path, body string, header ...string) answer {
	tb.Helper()
	got, err := e.call(tb, method, path, body, header...)
	if err != nil {
		tb.Fatalf("%s %s: %v", method, path, err)
	}
	if got.status != status {
		tb.Fatalf("%s %s %s: status %d, want %d: %s", method, path, body, got.status, status, got.body)
	}
	return got
}

func (e *emulated) get(tb testing.TB, path string) answer {
	tb.Helper()
	return e.must(tb, http.StatusOK, http.MethodGet, "/public/v1"+path, "")
}

func (e *emulated) act(tb testing.TB, id, action, body string) answer {
	tb.Helper()
	return e.must(tb, http.StatusOK, http.MethodPost, "/public/v1/requests/"+id+"/"+action, body)
}

func (e *emulated) put(tb testing.TB, id, body string) answer {
	tb.Helper()
	return e.must(tb, http.StatusOK, http.MethodPut, "/public/v1/requests/"+id, body)
}

func (e *emulated) control(tb testing.TB, status int, method, path, body string) answer {
	tb.Helper()
	return e.must(tb, status, method, "/_emulator"+path, body)
}

// A request has what the tests look at.
type request struct {
	ID         string  `json:"id"`
	Type       string  `json:"type"`
	Status     string  `json:"status"`
	Reason     string  `json:"reason"`
	Note       string  `json:"note"`
	Updated    string  `json:"updated"`
	Created    string  `json:"created"`
	Effective  *string `json:"effective_date"`
	Planned    *string `json:"planned_date"`
	Activation string  `json:"activation_key"`
	Template   *struct {
		ID string `json:"id"`
	} `json:"template"`
	Assignee *struct {
		ID string `json:"id"`
	} `json:"assignee"`
	Previous *struct {
		ID string `json:"id"`
	} `json:"previous_approved_request"`
	Asset struct {
		ID         string `json:"id"`
		Status     string `json:"status"`
		Connection struct {
			Type string `json:"type"`
		} `json:"connection"`
		Items  []item  `json:"items"`
		Params []param `json:"params"`
	} `json:"asset"`
}

type item struct {
	MPN         string `json:"mpn"`
	Quantity    string `json:"quantity"`
	OldQuantity string `json:"old_quantity"`
}

type param struct {
	ID         string `json:"id"`
	Value      string `json:"value"`
	ValueError string `json:"value_error"`
}

func (r request) value(id string) string {
	for _, p := range r.Asset.Params {
		if p.ID == id {
			return p.Value
		}
	}
	return ""
}

func decodeAs[T any](tb testing.TB, a answer) T {
	tb.Helper()
	var value T
	if err := json.Unmarshal(a.body, &value); err != nil {
		tb.Fatalf("decoding %s: %v", a.body, err)
	}
	return value
}

func (e *emulated) request(tb testing.TB, id string) request {
	tb.Helper()
	return decodeAs[request](tb, e.get(tb, "/requests/"+id))
}

// order places an order at the control plane and returns the first request.
func (e *emulated) order(tb testing.TB, body string) request {
	tb.Helper()
	return decodeAs[[]request](tb, e.control(tb, http.StatusCreated, http.MethodPost, "/requests", body))[0]
}

const seatOrder = `{"items":[{"mpn":"MPN-A","quantity":10}]}`

func (e *emulated) purchase(tb testing.TB) request {
	tb.Helper()
	return e.order(tb, seatOrder)
}

func (e *emulated) ordered(tb testing.TB, typ, asset string) request {
	tb.Helper()
	return e.order(tb, `{"type":"`+typ+`","asset":"`+asset+`","items":[{"mpn":"MPN-A","quantity":20}]}`)
}

func (e *emulated) saveSubscription(tb testing.TB, r request) {
	tb.Helper()
	e.put(tb, r.ID, `{"asset":{"params":[{"id":"subscription_id","value":"sub-`+r.Asset.ID+`"}]}}`)
}

// activationTemplate asks for the template's ID as a processor does.
func (e *emulated) activationTemplate(tb testing.TB) string {
	tb.Helper()
	found := decodeAs[[]struct {
		ID string `json:"id"`
	}](tb, e.get(tb, "/products/"+emulator.ProductID+"/templates?eq(scope,asset)&eq(type,fulfillment)"))
	if len(found) != 1 {
		tb.Fatalf("%d activation templates, want 1", len(found))
	}
	return found[0].ID
}

func (e *emulated) approve(tb testing.TB, r request) {
	tb.Helper()
	e.act(tb, r.ID, "approve", `{"template_id":"`+e.activationTemplate(tb)+`"}`)
}

func (e *emulated) active(tb testing.TB) request {
	tb.Helper()
	r := e.purchase(tb)
	e.saveSubscription(tb, r)
	e.approve(tb, r)
	return r
}

// refuses asserts a refusal in the platform's form.
func (e *emulated) refuses(tb testing.TB, code, method, path, body string) {
	tb.Helper()
	refused := decodeAs[struct {
		Code   string   `json:"error_code"`
		Errors []string `json:"errors"`
	}](tb, e.must(tb, http.StatusBadRequest, method, path, body))
	if refused.Code != code || len(refused.Errors) == 0 {
		tb.Errorf("%s %s %s: %s %q, want %s and a message", method, path, body, refused.Code, refused.Errors, code)
	}
}

func (e *emulated) counters(tb testing.TB) counters {
	tb.Helper()
	return decodeAs[counters](tb, e.control(tb, http.StatusOK, http.MethodGet, "/counters", ""))
}

type counters struct {
	Calls            map[string]int            `json:"calls"`
	Approvals        map[string]int            `json:"approvals"`
	Decisions        map[string]map[string]int `json:"decisions"`
	Tenants          int                       `json:"tenants"`
	TenantsByRequest map[string]int            `json:"tenants_by_request"`
	Duplicates       int                       `json:"duplicates"`
	MissingKey       int                       `json:"missing_key"`
	RequestsByStatus map[string]int            `json:"requests_by_status"`
}

func TestAuthorization(t *testing.T) {
	for name, test := range map[string]struct {
		keys   []string
		header string
		want   int
	}{
		"any key":            {nil, "ApiKey whatever", http.StatusOK},
		"empty key":          {nil, "ApiKey ", http.StatusUnauthorized},
		"no header":          {nil, "", http.StatusUnauthorized},
		"another scheme":     {nil, "Bearer whatever", http.StatusUnauthorized},
		"no scheme":          {nil, "SU-1:a", http.StatusUnauthorized},
		"known key":          {[]string{"SU-1:a", "SU-2:b"}, "ApiKey SU-2:b", http.StatusOK},
		"known, with prefix": {[]string{"ApiKey SU-1:a"}, "ApiKey SU-1:a", http.StatusOK},
		"unknown key":        {[]string{"SU-1:a"}, "ApiKey SU-1:b", http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEmulated(t, emulator.Config{APIKeys: test.keys})
			got := e.must(t, test.want, http.MethodGet, "/public/v1/requests/", "", "Authorization", test.header)
			if test.want == http.StatusUnauthorized && !bytes.Contains(got.body, []byte("AUTH_001")) {
				t.Errorf("body %s, want AUTH_001", got.body)
			}
			if version := got.header.Get("Connect-Version"); version != "37.0" {
				t.Errorf("Connect-Version %q, want 37.0", version)
			}
		})
	}
}

func TestUnknownPathsAndObjects(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	for path, want := range map[string]int{
		"/public/v1/requests/PR-0":            http.StatusNotFound,
		"/public/v1/assets/AS-0":              http.StatusNotFound,
		"/public/v1/products/PRD-0/templates": http.StatusNotFound,
		"/public/v1/conversations/CO-0":       http.StatusNotFound,
		"/public/v1/nothing":                  http.StatusNotFound,
		"/public/v2/requests":                 http.StatusNotFound,
		"/public/v1requests":                  http.StatusNotFound,
		"/vendor/tenant/t-0":                  http.StatusNotFound,
		"/public/v1/requests/PR-0/approve":    http.StatusMethodNotAllowed,
	} {
		got := e.must(t, want, http.MethodGet, path, "")
		if !json.Valid(got.body) {
			t.Errorf("GET %s: %s is no JSON", path, got.body)
		}
	}
}
