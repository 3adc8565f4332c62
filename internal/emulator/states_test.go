package emulator_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/connect-processor/connect-processor/internal/emulator"
)

// in returns a request in a status, with everything its next action could ask for.
func (e *emulated) in(t *testing.T, status string) request {
	t.Helper()
	if status == "draft" {
		created := e.must(t, http.StatusCreated, http.MethodPost, "/public/v1/requests", `{"type":"purchase",
			"status":"draft","asset":{"product":{"id":"`+emulator.ProductID+`"},
			"items":[{"id":"PRD-100-200-300-0001","quantity":1}],"params":[{"id":"admin_email","value":"a@b.c"}]}}`)
		return decodeAs[request](t, created)
	}
	r := e.purchase(t)
	e.saveSubscription(t, r)
	e.put(t, r.ID, `{"asset":{"params":[{"id":"admin_email","value_error":"unknown domain"}]}}`)
	const planned = `{"planned_date":"2030-01-01T00:00:00Z"}`
	switch status {
	case "approved":
		e.approve(t, r)
	case "failed":
		e.act(t, r.ID, "fail", `{"reason":"no"}`)
	case "inquiring":
		e.act(t, r.ID, "inquire", `{}`)
	case "scheduled":
		e.act(t, r.ID, "schedule", planned)
	case "revoking", "revoked":
		e.act(t, r.ID, "schedule", planned)
		e.act(t, r.ID, "revoke", `{"reason":"changed my mind"}`)
		if status == "revoked" {
			e.act(t, r.ID, "confirm", "")
		}
	}
	return e.request(t, r.ID)
}

func TestEveryActionFromEveryStatus(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	bodies := map[string]string{
		"approve":  `{"template_id":"` + e.activationTemplate(t) + `"}`,
		"fail":     `{"reason":"no"}`,
		"inquire":  `{}`,
		"pend":     ``,
		"schedule": `{"planned_date":"2030-01-01T00:00:00+02:00"}`,
		"revoke":   `{"reason":"no"}`,
		"confirm":  ``,
		"purchase": ``,
	}
	leads := map[string]map[string]string{
		"draft":     {"purchase": "pending"},
		"pending":   {"approve": "approved", "fail": "failed", "inquire": "inquiring", "schedule": "scheduled"},
		"inquiring": {"fail": "failed", "pend": "pending"},
		"scheduled": {"pend": "pending", "revoke": "revoking"},
		"revoking":  {"confirm": "revoked"},
		"approved":  {},
		"failed":    {},
		"revoked":   {},
	}
	for from, actions := range leads {
		for action, body := range bodies {
			t.Run(from+" "+action, func(t *testing.T) {
				r := e.in(t, from)
				if r.Status != from {
					t.Fatalf("prepared request is %s, want %s", r.Status, from)
				}
				to, allowed := actions[action]
				if !allowed {
					e.refuses(t, "REQ_003", http.MethodPost, "/public/v1/requests/"+r.ID+"/"+action, body)
					if after := e.request(t, r.ID); after.Status != from || after.Updated != r.Updated {
						t.Errorf("refused action left %s of %s, was %s of %s", after.Status, after.Updated, from, r.Updated)
					}
					return
				}
				after := decodeAs[request](t, e.act(t, r.ID, action, body))
				if after.Status != to || after.Updated <= r.Updated {
					t.Errorf("%s of %s, want %s of later than %s", after.Status, after.Updated, to, r.Updated)
				}
			})
		}
	}
}

func TestWhatRequestsMakeOfTheirAsset(t *testing.T) {
	for _, test := range []struct{ typ, before, open, approved, failed string }{
		{"purchase", "", "processing", "active", "terminated"},
		{"change", "active", "active", "active", "active"},
		{"adjustment", "active", "active", "active", "active"},
		{"renew", "active", "active", "active", "active"},
		{"transfer", "active", "active", "active", "active"},
		{"suspend", "active", "active", "suspended", "active"},
		{"resume", "suspended", "suspended", "active", "suspended"},
		{"cancel", "active", "terminating", "terminated", "active"},
		{"cancel", "suspended", "terminating", "terminated", "suspended"},
	} {
		t.Run(test.typ+" from "+test.before, func(t *testing.T) {
			e := newEmulated(t, emulator.Config{})
			begin := func() request {
				if test.typ == "purchase" {
					r := e.purchase(t)
					e.saveSubscription(t, r)
					return r
				}
				asset := e.active(t).Asset.ID
				if test.before == "suspended" {
					e.approve(t, e.ordered(t, "suspend", asset))
				}
				return e.ordered(t, test.typ, asset)
			}
			approved, failed := begin(), begin()
			got := []string{e.request(t, approved.ID).Asset.Status}
			e.approve(t, approved)
			e.act(t, failed.ID, "fail", `{"reason":"no"}`)
			got = append(got, e.request(t, approved.ID).Asset.Status, e.request(t, failed.ID).Asset.Status)
			if diff := cmp.Diff([]string{test.open, test.approved, test.failed}, got); diff != "" {
				t.Errorf("asset while open, approved, failed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestChangeListsOldQuantities(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	asset := e.active(t).Asset.ID
	change := e.order(t, `{"type":"change","asset":"`+asset+`","items":[{"mpn":"MPN-B","quantity":"unlimited"}]}`)
	want := []item{{"MPN-A", "10", "10"}, {"MPN-B", "unlimited", "0"}}
	if diff := cmp.Diff(want, change.Asset.Items); diff != "" {
		t.Errorf("items of the change (-want +got):\n%s", diff)
	}
	items := func() []item {
		return decodeAs[struct {
			Items []item `json:"items"`
		}](t, e.get(t, "/assets/"+asset)).Items
	}
	if diff := cmp.Diff([]item{{"MPN-A", "10", ""}}, items()); diff != "" {
		t.Errorf("items of the asset before (-want +got):\n%s", diff)
	}
	e.approve(t, change)
	if diff := cmp.Diff([]item{{"MPN-A", "10", ""}, {"MPN-B", "unlimited", ""}}, items()); diff != "" {
		t.Errorf("items of the asset afterwards (-want +got):\n%s", diff)
	}
	after := e.ordered(t, "change", asset)
	if after.Previous == nil || after.Previous.ID != change.ID {
		t.Errorf("previous approved request %v, want %s", after.Previous, change.ID)
	}
	if want := change.ID[:len(change.ID)-3] + "003"; after.ID != want || asset[3:] != after.ID[3:len(after.ID)-4] {
		t.Errorf("the asset's third request is %s, want %s with the digits of %s", after.ID, want, asset)
	}
}

func TestOnlyOrdersAndChangesSetQuantities(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	asset := e.active(t).Asset.ID
	suspend := e.order(t, `{"type":"suspend","asset":"`+asset+`","items":[{"mpn":"MPN-A","quantity":99}]}`)
	if diff := cmp.Diff([]item{{"MPN-A", "10", "10"}}, suspend.Asset.Items); diff != "" {
		t.Errorf("items of the suspension (-want +got):\n%s", diff)
	}
}

func TestApproval(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	foreign := decodeAs[[]struct {
		ID string `json:"id"`
	}](t, func() answer {
		e.control(t, http.StatusCreated, http.MethodPost, "/products", `{"id":"PRD-9"}`)
		return e.get(t, "/products/PRD-9/templates?eq(scope,asset)")
	}())[0].ID
	tier := decodeAs[[]struct {
		ID string `json:"id"`
	}](t, e.get(t, "/products/"+emulator.ProductID+"/templates?scope=tier1"))[0].ID
	own := e.activationTemplate(t)
	r := e.purchase(t)
	path := "/public/v1/requests/" + r.ID + "/approve"

	e.refuses(t, "VAL_001", http.MethodPost, path, `{"template_id":"`+own+`"}`) // subscription_id is empty
	e.saveSubscription(t, r)
	for name, body := range map[string]string{
		"no template":      `{}`,
		"unknown template": `{"template_id":"-"}`,
		"foreign template": `{"template_id":"` + foreign + `"}`,
		"tier's template":  `{"template_id":"` + tier + `"}`,
		"bad date":         `{"template_id":"` + own + `","effective_date":"tomorrow"}`,
		"date, no time":    `{"template_id":"` + own + `","effective_date":"2026-01-01"}`,
		"bad billing date": `{"template_id":"` + own + `","asset":{"billing":{"next_date":"soon"}}}`,
		"no JSON":          `{"template_id":`,
		"a list":           `[]`,
	} {
		t.Run(name, func(t *testing.T) { e.refuses(t, "VAL_001", http.MethodPost, path, body) })
	}
	got := decodeAs[request](t, e.act(t, r.ID, "approve",
		`{"template_id":"`+own+`","effective_date":"2026-01-01T10:00:00+02:00"}`))
	if got.Template == nil || got.Template.ID != own || got.Activation == "" || got.Assignee == nil {
		t.Errorf("template %v, activation %q, assignee %v: want all set", got.Template, got.Activation, got.Assignee)
	}
	if got.Effective == nil || *got.Effective != "2026-01-01T08:00:00.000000+00:00" {
		t.Errorf("effective date %v, want 08:00 UTC", got.Effective)
	}
}

func TestRefusedDecisions(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	e.control(t, http.StatusCreated, http.MethodPost, "/products",
		`{"id":"PRD-9","capabilities":{"subscription":{"purchase":null}}}`)
	r := e.purchase(t)
	unscheduled := e.order(t, `{"product":"PRD-9","items":[{"mpn":"MPN-A","quantity":1}]}`)
	for name, test := range map[string]struct{ id, action, body, code string }{
		"fail without reason":         {r.ID, "fail", `{}`, "REQ_005"},
		"fail with a blank reason":    {r.ID, "fail", `{"reason":"  "}`, "REQ_005"},
		"inquire, no value error":     {r.ID, "inquire", `{}`, "REQ_003"},
		"schedule without date":       {r.ID, "schedule", `{}`, "VAL_001"},
		"schedule with a bad date":    {r.ID, "schedule", `{"planned_date":"2030-13-01T00:00:00Z"}`, "VAL_001"},
		"schedule without capability": {unscheduled.ID, "schedule", `{"planned_date":"2030-01-01T00:00:00Z"}`, "REQ_003"},
		"assign to two":               {r.ID, "assign", `{"id":"UR-1","email":"a@b.c"}`, "VAL_001"},
	} {
		t.Run(name, func(t *testing.T) {
			e.refuses(t, test.code, http.MethodPost, "/public/v1/requests/"+test.id+"/"+test.action, test.body)
		})
	}
}

func TestRefusedOrders(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	e.control(t, http.StatusCreated, http.MethodPost, "/products", `{"id":"PRD-9","hold":false}`)
	processing := e.purchase(t).Asset.ID
	active := e.active(t).Asset.ID
	busy := e.active(t).Asset.ID
	e.ordered(t, "suspend", busy)
	held := e.order(t, `{"product":"PRD-9","items":[{"mpn":"MPN-A","quantity":1}]}`)
	e.act(t, held.ID, "approve", `{"activation_tile":"ready"}`)
	for name, test := range map[string]struct{ body, code string }{
		"unknown type":             {`{"type":"gift"}`, "VAL_001"},
		"unknown product":          {`{"product":"PRD-0","items":[{"mpn":"MPN-A","quantity":1}]}`, "VAL_001"},
		"unknown asset":            {`{"type":"cancel","asset":"AS-0"}`, "VAL_001"},
		"unknown item":             {`{"items":[{"mpn":"MPN-Z","quantity":1}]}`, "VAL_001"},
		"no items":                 {`{}`, "VAL_001"},
		"negative quantity":        {`{"items":[{"mpn":"MPN-A","quantity":-1}]}`, "VAL_001"},
		"quantity in words":        {`{"items":[{"mpn":"MPN-A","quantity":"many"}]}`, "VAL_001"},
		"unknown parameter":        {`{"items":[{"mpn":"MPN-A","quantity":1}],"params":{"shade":"red"}}`, "VAL_001"},
		"misspelled field":         {`{"itmes":[]}`, "VAL_001"},
		"processing asset":         {`{"type":"cancel","asset":"` + processing + `"}`, "REQ_003"},
		"open request":             {`{"type":"cancel","asset":"` + busy + `"}`, "REQ_003"},
		"resume of an active one":  {`{"type":"resume","asset":"` + active + `"}`, "REQ_003"},
		"suspend without the hold": {`{"type":"suspend","asset":"` + held.Asset.ID + `"}`, "REQ_003"},
	} {
		t.Run(name, func(t *testing.T) { e.refuses(t, test.code, http.MethodPost, "/_emulator/requests", test.body) })
	}
}

func TestInquiryIsAnswered(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	r := e.in(t, "inquiring")
	answered := decodeAs[request](t, e.control(t, http.StatusOK, http.MethodPost, "/requests/"+r.ID+"/answer",
		`{"params":{"admin_email":"right@example.com"}}`))
	if answered.Status != "pending" || answered.value("admin_email") != "right@example.com" {
		t.Errorf("%s with %q, want pending with the answer", answered.Status, answered.value("admin_email"))
	}
	for _, p := range answered.Asset.Params {
		if p.ValueError != "" {
			t.Errorf("%s keeps the error %q", p.ID, p.ValueError)
		}
	}
}

func TestMissingOrderingParameterInquiresAtOnce(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	e.control(t, http.StatusCreated, http.MethodPost, "/products", `{"id":"PRD-9","params":[{"id":"size","required":true}]}`)
	r := e.order(t, `{"product":"PRD-9","items":[{"mpn":"MPN-A","quantity":1}]}`)
	if r.Status != "inquiring" {
		t.Fatalf("order without its required parameter is %s, want inquiring", r.Status)
	}
	e.refuses(t, "VAL_001", http.MethodPost, "/_emulator/requests/"+r.ID+"/answer", `{}`)
	e.control(t, http.StatusOK, http.MethodPost, "/requests/"+r.ID+"/answer", `{"params":{"size":"L"}}`)
	if got := e.request(t, r.ID).Status; got != "pending" {
		t.Errorf("answered order is %s, want pending", got)
	}
}

func TestPlannedDateComes(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	r := e.in(t, "scheduled")
	if r.Planned == nil || *r.Planned != "2030-01-01T00:00:00.000000+00:00" {
		t.Errorf("planned date %v, want the one given", r.Planned)
	}
	e.control(t, http.StatusOK, http.MethodPost, "/requests/"+r.ID+"/due", "")
	if got := e.request(t, r.ID).Status; got != "pending" {
		t.Errorf("due request is %s, want pending", got)
	}
	e.refuses(t, "REQ_003", http.MethodPost, "/_emulator/requests/"+r.ID+"/due", "")
}
