package emulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/connect-processor/connect-processor/internal/emulator"
)

// mixed holds four requests that differ in what filters ask for; the names are those of the wants below.
func mixed(tb testing.TB) (*emulated, map[string]string) {
	tb.Helper()
	e := newEmulated(tb, emulator.Config{})
	e.control(tb, http.StatusCreated, http.MethodPost, "/products", `{"id":"PRD-1","name":"Other, (new)"}`)
	done := e.active(tb)
	change := e.ordered(tb, "change", done.Asset.ID)
	test := e.order(tb, `{"items":[{"mpn":"MPN-A","quantity":1}],"connection_type":"test","external_id":"it's",
		"params":{"admin_email":"a+b@example.com"},
		"tiers":{"customer":{"id":"TA-7","name":"Straße 7 & Söhne"},"tier2":{"id":"TA-8"}}}`)
	other := e.order(tb, `{"product":"PRD-1","items":[{"mpn":"MPN-A","quantity":1}],"connection_type":"production"}`)
	return e, map[string]string{done.ID: "done", change.ID: "change", test.ID: "test", other.ID: "other"}
}

func listed(tb testing.TB, e *emulated, names map[string]string, path string) string {
	tb.Helper()
	var got []string
	for _, r := range decodeAs[[]request](tb, e.get(tb, path)) {
		got = append(got, names[r.ID])
	}
	return strings.Join(got, " ")
}

func TestFiltersOnRequests(t *testing.T) {
	e, names := mixed(t)
	ids := map[string]string{}
	created := map[string]string{}
	for id, name := range names {
		ids[name] = id
		created[name] = e.request(t, id).Created
	}
	zulu := strings.Replace(created["test"], "+00:00", "Z", 1)
	for query, want := range map[string]string{
		// What the official Python client and the template send.
		"and(in(asset.product.id,(PRD-100-200-300)),in(asset.connection.type,(preview)),in(status,(pending)))" +
			"&limit=100&offset=0": "change",
		"select(-asset.items)&in(status,(pending))&ordering(created)&limit=10":   "change test other",
		"in(status,(pending,approved))&ordering(-created)":                       "other test change done",
		"and(eq(status,pending),not(eq(asset.product.id,PRD-100-200-300)))":      "other",
		"status=pending&asset.product.id=PRD-1":                                  "other",
		"asset__product__id=PRD-1":                                               "other",
		"asset__connection__type__in=test":                                       "unknown",
		"eq(status,pending),eq(type,change)":                                     "change",
		"(eq(type,change)|eq(asset.connection.type,test))":                       "change test",
		"(eq(type,change);eq(asset.connection.type,test))":                       "change test",
		"or(eq(type,change),and(eq(type,purchase),eq(status,approved)))":         "done change",
		"((type=change)|(status=approved&type=purchase))":                        "done change",
		"not(in(type,(purchase)))":                                               "change",
		"type=ne=purchase":                                                       "change",
		"status=in=(approved,failed)":                                            "done",
		"out(status,(pending))":                                                  "done",
		"ne(asset.params.id,subscription_id)":                                    "other",
		"eq(asset.params.value,%22a%2Bb@example.com%22)":                         "test",
		"eq(asset.params.value,a+b@example.com)":                                 "test",
		"eq(asset.external_id,%22it's%22)":                                       "test",
		"eq(asset.product.name,%22Other,%20(new)%22)":                            "other",
		"eq(asset.product.name,'Other,%20(new)')":                                "other",
		"like(asset.product.name,*new)":                                          "",
		"like(asset.product.name,%22*(new)%22)":                                  "other",
		"ilike(asset.product.name,EXAMPLE*)":                                     "done change test",
		"like(asset.product.name,EXAMPLE*)":                                      "",
		"eq(asset.tiers.customer.name,%22Stra%C3%9Fe%207%20%26%20S%C3%B6hne%22)": "test",
		"ilike(asset.tiers.customer.name,stra%C3%9Fe*)":                          "test",
		"asset.tiers.tier2.id=TA-8":                                              "test",
		"eq(assignee,null())":                                                    "change test other",
		"ne(template.id,empty())&assignee=null()":                                "change test other",
		"null(assignee)":                                                         "unknown",
		"ge(created," + zulu + ")":                                               "test other",
		"gt(created," + strings.ReplaceAll(created["test"], "+", "%2B") + ")":    "other",
		"created=lt=" + created["test"]:                                          "done change",
		"le(created," + strings.ReplaceAll(created["test"], "+", "%20") + ")":    "done change test",
		"ge(created,2000-01-01)&lt(created,2001-01-01)":                          "",
		"sli.days=lt=1&sli.zone=eq=1":                                            "done change test other",
		"id=" + ids["test"]:                                                      "test",
		"in(id,(" + ids["other"] + "," + ids["done"] + "," + ids["done"] + "))":  "done other",
		"like(id,*-001)&eq(type,purchase)":                                       "done test other",
		"":                                                                       "done change test other",
		"&&":                                                                     "done change test other",
		"search=x&ordering()":                                                    "done change test other",
		"ordering(-type,status)":                                                 "unknown",
		"ordering(-status,-created)":                                             "other test change done",
		"ordering(-asset.product.name,created)":                                  "other done change test",
	} {
		t.Run(query, func(t *testing.T) {
			if want == "unknown" {
				e.refuses(t, "VAL_001", http.MethodGet, "/public/v1/requests?"+query, "")
				return
			}
			if got := listed(t, e, names, "/requests?"+query); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestFiltersOnOthers(t *testing.T) {
	e, names := mixed(t)
	assets := map[string]string{}
	for id, name := range names {
		if name != "change" {
			assets[e.request(t, id).Asset.ID] = name
		}
	}
	for query, want := range map[string]string{
		"in(status,(active,processing))&ordering(-created)": "other test done",
		"eq(status,active)":                    "done",
		"product.id=PRD-1":                     "other",
		"connection.type=in=(test,production)": "test other",
		"tiers.customer.id=TA-7":               "test",
		"eq(params.id,admin_email)":            "done test",
		"ne(template.id,null())":               "done",
		"external_id=2":                        "",
	} {
		if got := listed(t, e, assets, "/assets?"+query); got != want {
			t.Errorf("assets?%s: got %q, want %q", query, got, want)
		}
	}
	e.refuses(t, "VAL_001", http.MethodGet, "/public/v1/assets?ordering(product.id)", "")

	templates := "/products/" + emulator.ProductID + "/templates?"
	for query, want := range map[string]string{
		"and(eq(name,Default%20Activation%20Template),eq(scope,asset))": "Default Activation Template",
		"eq(scope,asset)&eq(type,inquire)":                              "Default Inquiring Template",
		"in(scope,(tier1,tier2))&type=fulfillment":                      "Default Tier 1 Activation Template, Default Tier 2 Activation Template",
	} {
		var got []string
		for _, doc := range decodeAs[[]struct{ Name string }](t, e.get(t, templates+query)) {
			got = append(got, doc.Name)
		}
		if got := strings.Join(got, ", "); got != want {
			t.Errorf("templates?%s: got %q, want %q", query, got, want)
		}
	}
	e.refuses(t, "VAL_001", http.MethodGet, "/public/v1"+templates+"eq(body,x)", "")

	for path, want := range map[string]int{
		"/products?eq(id,PRD-1)":                1,
		"/products/PRD-1/items?like(mpn,MPN-*)": 2,
		"/products/PRD-1/items?item_type=PPU":   0,
		"/products/PRD-1/parameters":            0,
		"/products/" + emulator.ProductID + "/parameters?phase=fulfillment&constraints.required=true": 1,
	} {
		if got := len(decodeAs[[]any](t, e.get(t, path))); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}

func TestWrongQueriesAreRefused(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	for _, query := range []string{
		"eq(status,pending", "eq(status)", "eq(,x)", "eq(status,)", "status=", "between(status,a)", "shade=red",
		"not(eq(id,1),eq(id,2))", "and()", "in(status,pending)", "in(status,())", "eq(created,yesterday)",
		`eq(note,"x`, "eq(id,a/b)", "eq(id,1)eq(id,2)", "eq(id,1)|eq(id,2)", "ordering(shade)", "limit=-1", "limit=x",
		"offset=1.5", "sli.days=ge=x", "and(limit=5,id=1)", "or(select(id))", "%zz", "=", ")", "1=1",
		strings.Repeat("not(", 200) + "id=1" + strings.Repeat(")", 200),
	} {
		e.refuses(t, "VAL_001", http.MethodGet, "/public/v1/requests?"+query, "")
	}
}

func TestSelectHidesAndAdds(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	r := e.active(t)
	shape := func(path string) map[string]any {
		found := decodeAs[[]map[string]any](t, e.get(t, path))
		if len(found) != 1 {
			t.Fatalf("%s: %d documents, want 1", path, len(found))
		}
		return found[0]
	}
	keys := func(doc any) []string {
		var names []string
		for name := range doc.(map[string]any) { //nolint:errcheck // a panic is as good a failure
			names = append(names, name)
		}
		slices.Sort(names)
		return names
	}
	without := func(names []string, removed ...string) []string {
		return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(removed, name) })
	}
	whole := shape("/requests")
	some := shape("/requests?select(-activation_key,-template,-asset.items,-asset.params.constraints,-asset.product.icon)")
	if diff := cmp.Diff(without(keys(whole), "activation_key", "template"), keys(some)); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(without(keys(whole["asset"]), "items"), keys(some["asset"])); diff != "" {
		t.Errorf("asset (-want +got):\n%s", diff)
	}
	raw, err := json.Marshal(some)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "constraints") || strings.Contains(string(raw), "icon") {
		t.Errorf("nested fields are still there: %s", raw)
	}
	if diff := cmp.Diff(keys(whole), keys(shape("/requests?select(id,status)"))); diff != "" {
		t.Errorf("a plain name in select must hide nothing (-want +got):\n%s", diff)
	}
	for path, field := range map[string]string{
		"/requests?%sselect(asset.product.capabilities)": `"capabilities"`,
		"/assets?%sselect(template)":                     `"template"`,
		"/assets?%sselect(pending_request)":              `"pending_request"`,
	} {
		plain, _, _ := strings.Cut(path, "%s")
		if strings.Contains(string(e.get(t, plain).body), field) {
			t.Errorf("%s shows %s without being asked", plain, field)
		}
		if selected := fmt.Sprintf(path, ""); !strings.Contains(string(e.get(t, selected).body), field) {
			t.Errorf("%s does not show %s", selected, field)
		}
	}
	one := decodeAs[map[string]any](t, e.get(t, "/requests/"+r.ID+"?select(-asset)"))
	if _, there := one["asset"]; there {
		t.Error("select has no effect when one request is read")
	}
}

// FuzzRQL holds the parser to an answer for anything, and a filter to logic: what passes it and what passes its
// negation are all there is.
func FuzzRQL(f *testing.F) {
	for _, seed := range []string{
		"in(status,(pending,approved))", "(a|b)", "eq(note,'x')", "created=ge=2019-02-12T10:02:00+03:00", "not(id=1)",
		"like(id,*\\**)", "ne(asset.params.value,empty())", "and(or(id=1,id=2);status=x)", "((((", "select(-a)", "é=é",
		"eq(type,purchase)&out(asset.params.id,(x))|type=change",
	} {
		f.Add(seed)
	}
	server := emulator.New(emulator.Config{})
	ask := func(t *testing.T, method, path, body string) (int, string) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "ApiKey x")
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		_, total, _ := strings.Cut(w.Header().Get("Content-Range"), "/")
		return w.Code, total
	}
	f.Fuzz(func(t *testing.T, filter string) {
		if _, total := ask(t, http.MethodGet, "/public/v1/requests?limit=0", ""); total == "0" {
			ask(t, http.MethodPost, "/_emulator/requests", `{"count":3,"items":[{"mpn":"MPN-A","quantity":1}]}`)
		}
		totals := map[string]int{}
		for name, query := range map[string]string{"it": filter, "not": "not(" + filter + ")"} {
			status, total := ask(t, http.MethodGet, "/public/v1/requests?"+url.PathEscape(query)+"&limit=0", "")
			if status != http.StatusOK && status != http.StatusBadRequest {
				t.Fatalf("%q: status %d", query, status)
			}
			if status == http.StatusBadRequest {
				return
			}
			n, err := strconv.Atoi(total)
			if err != nil {
				t.Fatalf("%q: total %q", query, total)
			}
			totals[name] = n
		}
		if totals["it"]+totals["not"] != 3 {
			t.Errorf("%q: %d pass, %d pass its negation, of 3", filter, totals["it"], totals["not"])
		}
	})
}
