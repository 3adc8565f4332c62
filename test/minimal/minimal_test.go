package minimal_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/connect-processor/connect-processor/test/minimal"
)

type fixture struct {
	*minimal.Server

	t   *testing.T
	url string
}

func newFixture(t *testing.T, options minimal.Options) fixture {
	t.Helper()
	server := minimal.New(options)
	front := httptest.NewServer(server)
	t.Cleanup(front.Close)
	return fixture{Server: server, t: t, url: front.URL}
}

// call sends one call and returns its status, Content-Range and body. The
// status is 0 when the connection broke.
func (f fixture) call(method, path, body string, headers ...string) (int, string, string) {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), method, f.url+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if strings.HasPrefix(path, minimal.ConnectPath) {
		r.Header.Set("Authorization", "ApiKey "+minimal.DefaultAPIKey)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		return 0, "", ""
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Content-Range"), string(content)
}

func (f fixture) connect(method, path, body string) (int, string) {
	f.t.Helper()
	status, _, answer := f.call(method, minimal.ConnectPath+path, body)
	return status, answer
}

func (f fixture) mustConnect(method, path, body string) string {
	f.t.Helper()
	status, answer := f.connect(method, path, body)
	if status/100 != 2 {
		f.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	return answer
}

// fulfill saves the parameter, if there is a value for it, and approves.
func (f fixture) fulfill(request, value string) {
	f.t.Helper()
	if value != "" {
		f.mustConnect("PUT", "/requests/"+request, `{"asset":{"params":[{"id":"subscription_id","value":"`+value+`"}]}}`)
	}
	f.mustConnect("POST", "/requests/"+request+"/approve", `{"template_id":"`+minimal.TemplateID+`"}`)
}

func (f fixture) wantViolations(want ...string) {
	f.t.Helper()
	got := f.Stats().Violations
	if len(got) != len(want) {
		f.t.Fatalf("violations: got %q, want %q", got, want)
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			f.t.Errorf("violation %d: got %q, want it to hold %q", i, got[i], want[i])
		}
	}
}

func must(t *testing.T) func(id string, err error) string {
	t.Helper()
	return func(id string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
}

func TestASubscriptionLivesThroughAllFiveRequests(t *testing.T) {
	f := newFixture(t, minimal.Options{})
	purchase := f.Purchase(10)
	asset := f.AssetOf(purchase)
	if _, err := f.Suspend(asset); err == nil {
		t.Error("a processing asset was suspended")
	}
	f.fulfill(purchase, "tenant-1")
	steps := []struct {
		order func() (string, error)
		open  string
		done  string
	}{
		{func() (string, error) { return f.Change(asset, 25) }, "active", "active"},
		{func() (string, error) { return f.Suspend(asset) }, "active", "suspended"},
		{func() (string, error) { return f.Resume(asset) }, "suspended", "active"},
		{func() (string, error) { return f.Cancel(asset) }, "terminating", "terminated"},
	}
	for _, step := range steps {
		request := must(t)(step.order())
		if got := f.Asset(asset).Status; got != step.open {
			t.Errorf("%s open: asset is %s, want %s", request, got, step.open)
		}
		f.fulfill(request, "")
		if err := f.Settled(t.Context(), purchase, request); err != nil {
			t.Error(err)
		}
		if got := f.Asset(asset).Status; got != step.done {
			t.Errorf("%s approved: asset is %s, want %s", request, got, step.done)
		}
	}
	want := minimal.Asset{Status: "terminated", Quantities: []int{25}, Params: map[string]string{"subscription_id": "tenant-1"}}
	if diff := cmp.Diff(want, f.Asset(asset)); diff != "" {
		t.Error(diff)
	}
	f.wantViolations()
}

func TestAFailedChangeLeavesTheAssetAsItWas(t *testing.T) {
	f := newFixture(t, minimal.Options{})
	purchase := f.Purchase(10)
	f.fulfill(purchase, "tenant-1")
	change := must(t)(f.Change(f.AssetOf(purchase), 20, 5))
	f.mustConnect("POST", "/requests/"+change+"/fail", `{"reason":"Change not allowed"}`)
	status, reason, _ := f.Request(change)
	if status != "failed" || reason != "Change not allowed" {
		t.Errorf("got %s %q", status, reason)
	}
	if diff := cmp.Diff([]int{10}, f.Asset(f.AssetOf(purchase)).Quantities); diff != "" {
		t.Error(diff)
	}
}

func TestWhatTheReferenceForbidsIsRefusedAndNoted(t *testing.T) {
	const (
		purchase = "/requests/PR-1000-2000-0001-001"
		template = `{"template_id":"` + minimal.TemplateID + `"}`
		param    = `{"asset":{"params":[{"id":"subscription_id","value":"x"}]}}`
	)
	cases := []struct{ name, before, method, path, body, want string }{
		{"approve with an empty required parameter", "", "POST", purchase + "/approve", template, "VAL_001"},
		{"approve with another product's template", "PUT", "POST", purchase + "/approve", `{"template_id":"` + minimal.ForeignTemplateID + `"}`, "VAL_001"},
		{"approve with a tier's template", "PUT", "POST", purchase + "/approve", `{"template_id":"TL-100-200-301"}`, "VAL_001"},
		{"approve with a template of no type", "PUT", "POST", purchase + "/approve", `{"template_id":"TL-100-200-304"}`, "VAL_001"},
		{"approve with a tier configuration's body", "PUT", "POST", purchase + "/approve", `{"template":{"id":"TL-100-200-303"}}`, "VAL_001"},
		{"approve without a template", "PUT", "POST", purchase + "/approve", `{}`, "VAL_001"},
		{"approve after a failure", "fail", "POST", purchase + "/approve", template, "REQ_003"},
		{"fail without a reason", "", "POST", purchase + "/fail", `{"reason":" "}`, "REQ_005"},
		{"inquire without an invalid parameter", "", "POST", purchase + "/inquire", `{}`, "REQ_003"},
		{"put after a failure", "fail", "PUT", purchase, param, "REQ_003"},
		{"put top-level parameters", "", "PUT", purchase, `{"params":[]}`, "VAL_001"},
		{"put a parameter by its name", "", "PUT", purchase, `{"asset":{"params":[{"id":"subscription","value":"x"}]}}`, "VAL_001"},
		{"select templates by name", "", "GET", "/products/" + minimal.ProductID + "/templates?eq(name,x)", "", "VAL_001"},
		{"unknown filter", "", "GET", "/requests?eq(asset.color,red)", "", "VAL_001"},
		{"unknown operator", "", "GET", "/requests?like(status,pend*)", "", "VAL_001"},
		{"unknown choice", "", "GET", "/requests?in(status,(pending,open))", "", "VAL_001"},
		{"form-encoded term", "", "GET", "/requests?eq%28status%2Cpending%29=", "", "VAL_001"},
		{"unbalanced", "", "GET", "/requests?in(status,(pending)", "", "VAL_001"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, minimal.Options{})
			f.Purchase(1)
			switch c.before {
			case "PUT":
				f.mustConnect("PUT", purchase, param)
			case "fail":
				f.mustConnect("POST", purchase+"/fail", `{"reason":"no"}`)
			}
			status, body := f.connect(c.method, c.path, c.body)
			if status != http.StatusBadRequest || !strings.Contains(body, `"error_code":"`+c.want+`"`) {
				t.Errorf("got %d %s, want 400 %s", status, body, c.want)
			}
			f.wantViolations(c.want)
		})
	}
}

func TestASecondApproveIsAViolationOnlyIfTheFirstWasAnswered(t *testing.T) {
	lose := false
	f := newFixture(t, minimal.Options{LoseAnswer: func(_, path string) bool { return lose && strings.HasSuffix(path, "/approve") }})
	for _, lost := range []bool{true, false} {
		request := f.Purchase(1)
		f.mustConnect("PUT", "/requests/"+request, `{"asset":{"params":[{"id":"subscription_id","value":"`+request+`"}]}}`)
		lose = lost
		status, _ := f.connect("POST", "/requests/"+request+"/approve", `{"template_id":"`+minimal.TemplateID+`"}`)
		if (status == 0) != lost {
			t.Fatalf("lost=%t: got status %d", lost, status)
		}
		lose = false
		status, _ = f.connect("POST", "/requests/"+request+"/approve", `{"template_id":"`+minimal.TemplateID+`"}`)
		if status != http.StatusBadRequest || f.Stats().Approvals[request] != 1 {
			t.Errorf("lost=%t: second approve answered %d, approvals %d", lost, status, f.Stats().Approvals[request])
		}
	}
	f.wantViolations("second approve", "REQ_003")
}

func TestPagesAndFilters(t *testing.T) {
	f := newFixture(t, minimal.Options{PageCap: 100})
	for range 250 {
		f.Purchase(1)
	}
	cases := []struct{ query, want string }{
		{"", "items 0-99/250"},
		{"limit=1000&offset=200", "items 200-249/250"},
		{"limit=10", "items 0-99/250"},
		{"limit=0", "items 0-0/250"},
		{"offset=250", "items 0-0/250"},
		{"select(-asset.items)&and(in(status,(pending,revoking)),eq(asset.product.id,PRD-100-200-300))&ordering(-created)&limit=100", "items 0-99/250"},
		{"in(asset.connection.type,(preview))", "items 0-0/0"},
		{"type=purchase&status=in=(pending)", "items 0-99/250"},
		{"eq(asset.product.id,%22PRD-1%22)", "items 0-0/0"},
	}
	for _, c := range cases {
		status, got, body := f.call("GET", minimal.ConnectPath+"/requests/?"+c.query, "")
		if status != http.StatusOK || got != c.want {
			t.Errorf("%s: got %d %q, want %q (%.200s)", c.query, status, got, c.want, body)
		}
	}
	_, _, body := f.call("GET", minimal.ConnectPath+"/requests?select(-asset.items)", "")
	if strings.Contains(body, `"items"`) {
		t.Error("select(-asset.items) left the items in")
	}
	f.wantViolations()
}

func TestOrderingFollowsTheClock(t *testing.T) {
	now := time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC)
	f := newFixture(t, minimal.Options{Now: func() time.Time {
		now = now.Add(time.Minute)
		return now
	}})
	first, second := f.Purchase(1), f.Purchase(1)
	for ordering, want := range map[string]string{"created": first, "-created": second} {
		var got []struct {
			ID string `json:"id"`
		}
		body := f.mustConnect("GET", "/requests?ordering("+ordering+")", "")
		if err := json.Unmarshal([]byte(body), &got); err != nil || len(got) != 2 || got[0].ID != want {
			t.Errorf("ordering(%s): got %v, %v, want %s first", ordering, got, err, want)
		}
	}
}

func TestAFailedResumeLeavesTheAssetSuspended(t *testing.T) {
	f := newFixture(t, minimal.Options{})
	purchase := f.Purchase(1)
	asset := f.AssetOf(purchase)
	f.fulfill(purchase, "tenant-1")
	f.fulfill(must(t)(f.Suspend(asset)), "")
	resume := must(t)(f.Resume(asset))
	if _, err := f.Cancel(asset); err == nil {
		t.Error("an asset got a second open request")
	}
	f.mustConnect("POST", "/requests/"+resume+"/fail", `{"reason":"no"}`)
	if got := f.Asset(asset).Status; got != "suspended" {
		t.Errorf("asset is %s, want suspended", got)
	}
}

func TestAnInvalidParameterLetsARequestBeInquired(t *testing.T) {
	f := newFixture(t, minimal.Options{})
	request := "/requests/" + f.Purchase(1)
	f.mustConnect("PUT", request, `{"asset":{"params":[{"id":"subscription_id","value_error":"unknown"}]}}`)
	if body := f.mustConnect("POST", request+"/inquire", `{}`); !strings.Contains(body, `"status":"inquiring"`) {
		t.Errorf("got %s", body)
	}
}

func TestAUniqueParameterIsRefusedToASecondAsset(t *testing.T) {
	f := newFixture(t, minimal.Options{})
	f.fulfill(f.Purchase(1), "tenant-1")
	status, body := f.connect("PUT", "/requests/"+f.Purchase(1), `{"asset":{"params":[{"id":"subscription_id","value":"tenant-1"}]}}`)
	if status != http.StatusBadRequest || !strings.Contains(body, "unique") {
		t.Errorf("got %d %s", status, body)
	}
}

func TestFormsOfQuantitiesAndOfNothing(t *testing.T) {
	cases := []struct {
		options                   minimal.Options
		quantity, template, value string
	}{
		{minimal.Options{}, `"7"`, `{"id":"TL-100-200-305","name":"Pending"}`, `""`},
		{minimal.Options{QuantityForm: minimal.QuantityNumber, NullForm: minimal.NullNull}, `7`, `null`, `null`},
		{minimal.Options{QuantityForm: minimal.QuantityDecimal, NullForm: minimal.NullString}, `7.0`, `""`, `""`},
		{minimal.Options{NullForm: minimal.NullObject}, `"7"`, `{}`, `{}`},
		{minimal.Options{NullForm: minimal.NullAbsent}, `"7"`, ``, ``},
	}
	for _, c := range cases {
		f := newFixture(t, c.options)
		var got struct {
			Template json.RawMessage `json:"template"`
			Asset    struct {
				Items []struct {
					Quantity json.RawMessage `json:"quantity"`
				} `json:"items"`
				Params []struct {
					Value json.RawMessage `json:"value"`
				} `json:"params"`
			} `json:"asset"`
		}
		if err := json.Unmarshal([]byte(f.mustConnect("GET", "/requests/"+f.Purchase(7), "")), &got); err != nil {
			t.Fatal(err)
		}
		have := []string{string(got.Asset.Items[0].Quantity), string(got.Template), string(got.Asset.Params[0].Value)}
		if diff := cmp.Diff([]string{c.quantity, c.template, c.value}, have); diff != "" {
			t.Errorf("%+v: %s", c.options, diff)
		}
	}
}

func TestTemplatesAndConversations(t *testing.T) {
	for ignore, want := range map[bool]int{false: 1, true: 5} {
		f := newFixture(t, minimal.Options{IgnoreTemplateFilter: ignore})
		body := f.mustConnect("GET", "/products/"+minimal.ProductID+"/templates?eq(scope,asset)&eq(type,fulfillment)", "")
		if got := strings.Count(body, `"id":`); got != want {
			t.Errorf("ignore=%t: got %d templates, want %d", ignore, got, want)
		}
	}
	f := newFixture(t, minimal.Options{})
	f.Purchase(1)
	var talks []struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(f.mustConnect("GET", "/conversations?instance_id="+f.Purchase(1), "")), &talks); err != nil || len(talks) != 1 {
		t.Fatalf("got %v, %v, want one conversation", talks, err)
	}
	f.mustConnect("POST", "/conversations/"+talks[0].ID+"/messages", `{"text":"hello"}`)
	if got := f.mustConnect("GET", "/conversations/"+talks[0].ID+"/messages", ""); !strings.Contains(got, `"text":"hello"`) {
		t.Errorf("got %s", got)
	}
}

func TestTheVendorCreatesOneTenantPerKey(t *testing.T) {
	f := newFixture(t, minimal.Options{})
	request := f.Purchase(1)
	tenant := minimal.VendorPath + "/tenant"
	for range 2 {
		if status, _, body := f.call("POST", tenant, `{}`, "Idempotency-Key", request+"/create"); status != 201 || !strings.Contains(body, `"tenantId":"tenant-1"`) {
			t.Errorf("got %d %s", status, body)
		}
	}
	steps := []struct {
		method, path, body string
		want               int
	}{
		{"PUT", tenant + "/tenant-1", `{"licences":{"limit":7}}`, 200},
		{"PUT", tenant + "/tenant-1/disable", "", 200},
		{"PUT", tenant + "/tenant-1/enable", "", 200},
		{"PUT", tenant + "/tenant-1", `{"licences":{"limit":"7"}}`, 400},
		{"DELETE", tenant + "/tenant-1", "", 204},
		{"DELETE", tenant + "/tenant-1", "", 404},
	}
	for i, step := range steps {
		if got, _, body := f.call(step.method, step.path, step.body, "Idempotency-Key", fmt.Sprint(request, i)); got != step.want {
			t.Errorf("%s %s: got %d %s, want %d", step.method, step.path, got, body, step.want)
		}
	}
	if diff := cmp.Diff(minimal.Tenant{Limit: 7, Enabled: true, Deleted: true}, f.Tenant("tenant-1")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int{request: 1}, f.Stats().TenantsByRequest); diff != "" {
		t.Error(diff)
	}
	f.call("POST", tenant, `{}`)
	if status, _, _ := f.call("PUT", tenant+"/tenant-2", `{"licences":{"limit":1}}`, "Idempotency-Key", request+"/create"); status != 409 {
		t.Errorf("a key of another call: got %d, want 409", status)
	}
	f.call("PUT", tenant+"/tenant-2/enable", "", "Idempotency-Key", "k", "Authorization", "ApiKey "+minimal.DefaultAPIKey)
	f.wantViolations("licences", "Idempotency-Key is missing", "was used for", "sent to the vendor")
}

func TestTransportFaults(t *testing.T) {
	f := newFixture(t, minimal.Options{
		RefuseSelect: true,
		StrictSlash:  true,
		Refuse: func(method, _ string) int {
			if method == http.MethodPut {
				return http.StatusServiceUnavailable
			}
			return 0
		},
	})
	request := "/requests/" + f.Purchase(1)
	cases := []struct {
		method, path, body string
		header             [2]string
		want               int
	}{
		{"GET", request, "", [2]string{"Authorization", minimal.DefaultAPIKey}, 401},
		{"GET", request, "", [2]string{"Authorization", "apikey " + minimal.DefaultAPIKey}, 401},
		{"GET", request + "/", "", [2]string{"", ""}, 404},
		{"GET", "/assets", "", [2]string{"", ""}, 404},
		{"GET", "/requests/PR-1", "", [2]string{"", ""}, 404},
		{"GET", "/requests?select(-template)", "", [2]string{"", ""}, 400},
		{"PUT", request, `{}`, [2]string{"", ""}, 503},
		{"POST", request + "/fail", `{"reason":"x"}`, [2]string{"Content-Type", "text/plain"}, 415},
	}
	for _, c := range cases {
		var headers []string
		if c.header[0] != "" {
			headers = c.header[:]
		}
		if got, _, body := f.call(c.method, minimal.ConnectPath+c.path, c.body, headers...); got != c.want {
			t.Errorf("%s %s: got %d %s, want %d", c.method, c.path, got, body, c.want)
		}
	}
	f.wantViolations("Authorization", "Authorization", "documented", "content type")
}
